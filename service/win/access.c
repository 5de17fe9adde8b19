#include "access.h"

#include <sddl.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

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

uint32_t hbk_access_descriptor_new(const wchar_t *sddl, struct hbk_descriptor **ret_descriptor)
{
    uint32_t error = 0;
    PSECURITY_DESCRIPTOR relative = NULL, defaults = NULL;

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &relative,
                                                              NULL) ||
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(L"O:SYG:SY", SDDL_REVISION_1,
                                                              &defaults, NULL)) {
        error = GetLastError();
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
