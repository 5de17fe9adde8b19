#include "access.h"

#include <sddl.h>
#include <stdlib.h>
#include <string.h>

/* Behind it: a self-relative SECURITY_DESCRIPTOR. */
struct hbk_descriptor {
    uint32_t size;
};

/* @relative with owner and group of @defaults where it has none, in absolute form, then self-relative again. */
static uint32_t complete(PSECURITY_DESCRIPTOR relative, PSECURITY_DESCRIPTOR defaults,
                         struct hbk_descriptor **ret_descriptor)
{
    SECURITY_DESCRIPTOR absolute;
    PSID owner = NULL, group = NULL, system = NULL;
    PACL dacl = NULL, sacl = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    DWORD size = 0;

    if (!InitializeSecurityDescriptor(&absolute, SECURITY_DESCRIPTOR_REVISION) ||
        !GetSecurityDescriptorOwner(defaults, &system, &defaulted) ||
        !GetSecurityDescriptorOwner(relative, &owner, &defaulted) ||
        !GetSecurityDescriptorGroup(relative, &group, &defaulted) ||
        !SetSecurityDescriptorOwner(&absolute, owner != NULL ? owner : system, FALSE) ||
        !SetSecurityDescriptorGroup(&absolute, group != NULL ? group : system, FALSE) ||
        !GetSecurityDescriptorDacl(relative, &present, &dacl, &defaulted) ||
        !SetSecurityDescriptorDacl(&absolute, present, dacl, FALSE) ||
        !GetSecurityDescriptorSacl(relative, &present, &sacl, &defaulted) ||
        !SetSecurityDescriptorSacl(&absolute, present, sacl, FALSE)) {
        return GetLastError();
    }
    MakeSelfRelativeSD(&absolute, NULL, &size);
    struct hbk_descriptor *descriptor = malloc(sizeof(*descriptor) + size);
    if (descriptor == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    descriptor->size = size;
    if (!MakeSelfRelativeSD(&absolute, descriptor + 1, &size)) {
        uint32_t error = GetLastError();
        free(descriptor);
        return error;
    }
    *ret_descriptor = descriptor;
    return 0;
}

static bool has_no_dacl(PSECURITY_DESCRIPTOR descriptor)
{
    PACL acl = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    return !GetSecurityDescriptorDacl(descriptor, &present, &acl, &defaulted) || !present ||
           acl == NULL;
}

uint32_t hbk_access_descriptor_new(const wchar_t *sddl, struct hbk_descriptor **ret_descriptor)
{
    uint32_t error = 0;
    PSECURITY_DESCRIPTOR relative = NULL, defaults = NULL;

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &relative,
                                                              NULL) ||
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(L"O:SYG:SY", SDDL_REVISION_1,
                                                              &defaults, NULL)) {
        error = GetLastError();
    } else if (has_no_dacl(relative)) {
        error = ERROR_NO_SECURITY_ON_OBJECT;
    } else {
        error = complete(relative, defaults, ret_descriptor);
    }
    LocalFree(relative);
    LocalFree(defaults);
    return error;
}

void hbk_access_descriptor_free(struct hbk_descriptor *descriptor)
{
    free(descriptor);
}

uint32_t hbk_access_descriptor_rights(const struct hbk_descriptor *descriptor)
{
    PACL acl = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    uint32_t rights = 0;

    if (!GetSecurityDescriptorDacl((PSECURITY_DESCRIPTOR)(uintptr_t)(descriptor + 1), &present,
                                   &acl, &defaulted) ||
        !present || acl == NULL) {
        return HBK_RIGHTS_ALL;
    }
    for (DWORD i = 0; i < acl->AceCount; i++) {
        void *ace = NULL;
        if (GetAce(acl, i, &ace) && ((const ACE_HEADER *)ace)->AceType == ACCESS_ALLOWED_ACE_TYPE) {
            ACCESS_MASK mask = ((const ACCESS_ALLOWED_ACE *)ace)->Mask;
            rights |= mask & GENERIC_ALL ? HBK_RIGHTS_ALL : mask & HBK_RIGHTS_ALL;
        }
    }
    return rights;
}
