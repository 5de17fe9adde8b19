/* Where the service has its own files. */
#ifndef HBK_PLACE_H
#define HBK_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

enum { HBK_PLACE_CHARS = 400 };

/**
 * hbk_place_folder() - the service's own folder, HandleBroker in ProgramData
 *
 * As the system has it, not as an environment says, which somebody else may have set. Return: 0, or
 * the Windows error.
 */
uint32_t hbk_place_folder(wchar_t ret_path[HBK_PLACE_CHARS]);

/** hbk_place_file() - the configuration file in it. Return: 0, or the Windows error. */
uint32_t hbk_place_file(wchar_t ret_path[HBK_PLACE_CHARS]);

/**
 * hbk_place_make() - make the folder if it is missing: administrators own it, and they and the
 * system alone may use it
 *
 * One that is there is left as it is: it is judged when something is read from it (trust.h).
 * Return: 0, or the Windows error.
 */
uint32_t hbk_place_make(void);

#endif
