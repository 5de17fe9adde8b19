/* Security descriptors that rules are made of. */
#ifndef HBK_ACCESS_H
#define HBK_ACCESS_H

#include "platform.h"

#include <wchar.h>
#include <windows.h>

/**
 * hbk_access_descriptor_new() - the descriptor that @sddl says, for access checks
 *
 * Owner and group are LocalSystem where @sddl names none. Any thread. Return: 0;
 * ERROR_NO_SECURITY_ON_OBJECT, there is no DACL, which would be everybody; or the Windows error.
 */
uint32_t hbk_access_descriptor_new(const wchar_t *sddl, struct hbk_descriptor **ret_descriptor);

/** hbk_access_descriptor_free() - NULL is accepted. */
void hbk_access_descriptor_free(struct hbk_descriptor *descriptor);

/** hbk_access_descriptor_rights() - those rights (HBK_RIGHT_...) that @descriptor grants to somebody. */
uint32_t hbk_access_descriptor_rights(const struct hbk_descriptor *descriptor);

#endif
