/* Windows' own answer to who may do what: security descriptors, and the access checks over a token.
 * service/main makes the descriptors of the policy file with it; the core asks through the seam.
 *
 * All checks take an impersonation token of identification level or more, opened with TOKEN_QUERY. What they
 * answer is about that token as it was duplicated: what its process gains or gives up later changes nothing. */
#ifndef HBK_WIN_ACCESS_H
#define HBK_WIN_ACCESS_H

#include "platform.h"

#include <windows.h>

/* No descriptor of a process or another object is looked at that is larger. */
#define HBK_ACCESS_DESCRIPTOR_BYTES_MAX 8192

/**
 * hbk_access_descriptor_new() - the descriptor that an administrator has written down
 * @sddl: GA means all of the broker's rights; GR, GW and GX mean none
 *
 * Owner and group are the system where @sddl names none. Where it has no mandatory label, Windows takes it to
 * be medium: then nobody below has any of the broker's rights, which all count as writing.
 * S:(ML;;NW;;;LW) lets processes of low integrity in.
 *
 * May ask the account database, where @sddl names accounts of a domain: not on the broker's thread.
 * Return: 0; ERROR_NO_SECURITY_ON_OBJECT, there is no DACL, which would be everybody; or what Windows says
 * is wrong with it. *ret_descriptor is for hbk_access_descriptor_free().
 */
uint32_t hbk_access_descriptor_new(const wchar_t *sddl, struct hbk_descriptor **ret_descriptor);

/**
 * hbk_access_descriptor_from() - the descriptor that a client has written down
 * @sddl:      its DACL is taken and nothing else
 * @user:      SID: owner and group
 * @integrity: of the mandatory label, which keeps out whoever is below
 *
 * Asks no account database as long as hbk_sddl_check() has passed @sddl. Return: as above.
 */
uint32_t hbk_access_descriptor_from(const wchar_t *sddl, const char *user, uint32_t integrity,
                                    struct hbk_descriptor **ret_descriptor);

/** hbk_access_descriptor_free() - NULL is accepted. */
void hbk_access_descriptor_free(struct hbk_descriptor *descriptor);

/**
 * hbk_access_descriptor_rights() - those rights (HBK_RIGHT_...) that @descriptor grants to somebody
 *
 * For telling an administrator of a descriptor that lets nobody in: it adds up the entries without a token,
 * and so knows no other denial than one of Everyone that comes first.
 */
uint32_t hbk_access_descriptor_rights(const struct hbk_descriptor *descriptor);

/** hbk_access_rights() - those of @wanted (HBK_RIGHT_...) that @descriptor grants to @token. Allocates
 * nothing, does not block. Return: 0 also where Windows cannot say. */
uint32_t hbk_access_rights(HANDLE token, const struct hbk_descriptor *descriptor, uint32_t wanted);

/**
 * hbk_access_to_process() - could whoever has @token duplicate handles out of and into @process by himself?
 * @process: false where it was opened without READ_CONTROL
 *
 * The descriptor of the process, with its label, grants PROCESS_DUP_HANDLE; or SeDebugPrivilege is enabled.
 */
bool hbk_access_to_process(HANDLE token, HANDLE process);

/**
 * hbk_access_widenable() - could whoever has @token make more of a handle to @object than @given?
 * @object:  never a File, which must be asked nothing
 * @granted: what the sender's handle has
 *
 * Return: YES, NO; UNKNOWN where @object does not let us read its descriptor, or that is too large.
 */
enum hbk_widenable hbk_access_widenable(HANDLE token, HANDLE object, uint32_t granted,
                                        uint32_t given);

#endif
