/* May what stands in a file be believed? Only where nobody but administrators, or who runs this
 * process, can have put it there. */
#ifndef HBK_TRUST_H
#define HBK_TRUST_H

#include "base.h"

#include <stdbool.h>
#include <wchar.h>
#include <windows.h>

enum {
    HBK_TRUST_E_MISSING = 1, /* there is no such file, or no such folder */
    HBK_TRUST_E_REFUSED = 2,
};

enum { HBK_TRUST_WHY_BYTES = 960 };

/**
 * hbk_trust_open() - open the file at @path for reading, if it can be trusted
 * @self:     the user that this process runs as is trusted too, beside LocalSystem, administrators
 *            and Windows' own installer
 * @ret_file: synchronous, shared with readers alone: what it holds stays as it is until it is closed
 * @ret_why:  on E_REFUSED: what is wrong and what to do
 *
 * The file and each folder above it are opened once and held, judged by what was opened, and the
 * file is read through that same handle: nothing can be put in their place between the check and
 * the use. Each must have a trusted owner, be no link, and let nobody else replace what lies on the
 * way: delete or change its descriptor, and for a folder delete what is in it, for the file write
 * to it. (Others may add to a folder, as users may to C:\ and ProgramData: that replaces nothing.)
 * Local drives only. Any thread. Return: 0; HBK_TRUST_E_MISSING; HBK_TRUST_E_REFUSED.
 */
int hbk_trust_open(const wchar_t *path, bool self, HANDLE *ret_file,
                   char ret_why[HBK_TRUST_WHY_BYTES]);

/**
 * hbk_trust_folder() - can nobody else put a file into the folder at @path, or replace one there?
 *
 * For a folder in which the service makes files. The rest as in hbk_trust_open().
 */
int hbk_trust_folder(const wchar_t *path, bool self, char ret_why[HBK_TRUST_WHY_BYTES]);

#endif
