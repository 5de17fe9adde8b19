/* --config FILE. */
#ifndef HBK_SETTINGS_H
#define HBK_SETTINGS_H

#include "core.h"

#include <wchar.h>

enum { HBK_SETTINGS_E_REFUSED = 1 };

/**
 * hbk_settings_read() - the defaults, with what the file at @path changes
 * @path: NULL: no file
 *
 * Every mistake is logged with the file's name. Return: 0; HBK_SETTINGS_E_REFUSED.
 */
int hbk_settings_read(const wchar_t *path, struct hbk_config *ret_config);

#endif
