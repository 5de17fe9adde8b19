/* Other identities than the tests' own, as far as one user can have them: tokens with less. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIVILEGES_MAX 64
#define SIDS_MAX 8
#define CHANGE_NOTIFY 23 /* SeChangeNotifyPrivilege: without it no path can be opened */

static void *information(HANDLE token, TOKEN_INFORMATION_CLASS kind)
{
    DWORD size = 0;
    GetTokenInformation(token, kind, NULL, 0, &size);
    void *data = malloc(size);
    assert_non_null(data);
    assert_true(GetTokenInformation(token, kind, data, size, &size));
    return data;
}

static PSID sid_of(const wchar_t *text)
{
    PSID sid = NULL;
    assert_true(ConvertStringSidToSidW(text, &sid));
    return sid;
}

static DWORD list_privileges(HANDLE token, LUID_AND_ATTRIBUTES *ret_list)
{
    TOKEN_PRIVILEGES *held = information(token, TokenPrivileges);
    DWORD count = 0;
    assert_true(held->PrivilegeCount <= PRIVILEGES_MAX);
    for (DWORD i = 0; i < held->PrivilegeCount; i++) {
        if (held->Privileges[i].Luid.LowPart != CHANGE_NOTIFY)
            ret_list[count++] = held->Privileges[i];
    }
    free(held);
    return count;
}

/* The groups that a process needs to come up at all; the logon session's owns the desktop. */
static DWORD list_restricting(HANDLE token, SID_AND_ATTRIBUTES *ret_list)
{
    static const wchar_t *const texts[] = {L"WD", L"BU", L"RC", L"AU"};
    DWORD count = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ret_list[count++].Sid = sid_of(texts[i]);
    TOKEN_GROUPS *groups = information(token, TokenGroups);
    for (DWORD i = 0; i < groups->GroupCount && count < SIDS_MAX; i++) {
        if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID) {
            wchar_t *text = NULL;
            assert_true(ConvertSidToStringSidW(groups->Groups[i].Sid, &text));
            ret_list[count++].Sid = sid_of(text);
            LocalFree(text);
        }
    }
    free(groups);
    return count;
}

static void set_low(HANDLE token)
{
    TOKEN_MANDATORY_LABEL label = {.Label = {sid_of(L"S-1-16-4096"), SE_GROUP_INTEGRITY}};
    assert_true(SetTokenInformation(token, TokenIntegrityLevel, &label,
                                    (DWORD)sizeof label + GetLengthSid(label.Label.Sid)));
    LocalFree(label.Label.Sid);
}

HANDLE kit_token(uint32_t less)
{
    HANDLE own = NULL, token = NULL;
    SID_AND_ATTRIBUTES disabled[2] = {{NULL, 0}}, restricting[SIDS_MAX] = {{NULL, 0}};
    LUID_AND_ATTRIBUTES privileges[PRIVILEGES_MAX];
    DWORD disabled_count = 0, restricting_count = 0, privileges_count = 0;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own));
    if (less & KIT_NO_ADMINISTRATORS)
        disabled[disabled_count++].Sid = sid_of(L"BA");
    if (less & KIT_NO_USERS)
        disabled[disabled_count++].Sid = sid_of(L"BU");
    if (less & KIT_RESTRICTED)
        restricting_count = list_restricting(own, restricting);
    /* By name rather than DISABLE_MAX_PRIVILEGE, which Wine overlooks. */
    if (less & KIT_NO_PRIVILEGES)
        privileges_count = list_privileges(own, privileges);
    if (!CreateRestrictedToken(own, 0, disabled_count, disabled, privileges_count, privileges,
                               restricting_count, restricting, &token))
        fail_msg("CreateRestrictedToken: error %lu", GetLastError());
    if (less & KIT_LOW)
        set_low(token);
    if (less & KIT_DEBUGGER)
        kit_token_enable(token, L"SeDebugPrivilege");
    for (DWORD i = 0; i < disabled_count; i++)
        LocalFree(disabled[i].Sid);
    for (DWORD i = 0; i < restricting_count; i++)
        LocalFree(restricting[i].Sid);
    CloseHandle(own);
    return token;
}

HANDLE kit_token_asked(HANDLE token)
{
    HANDLE asked = NULL;
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityIdentification,
                                 TokenImpersonation, &asked));
    return asked;
}

void kit_token_enable(HANDLE token, const wchar_t *privilege)
{
    TOKEN_PRIVILEGES wanted = {.PrivilegeCount = 1};
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    assert_true(LookupPrivilegeValueW(NULL, privilege, &wanted.Privileges[0].Luid));
    assert_true(AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL));
    if (GetLastError() != ERROR_SUCCESS)
        fail_msg("%ls cannot be enabled: the tests must run as an administrator", privilege);
}

/* ---- descriptors ---- */

PSECURITY_DESCRIPTOR kit_descriptor(const wchar_t *sddl)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &descriptor,
                                                              NULL))
        fail_msg("%ls: error %lu", sddl, GetLastError());
    return descriptor;
}

void kit_protect(HANDLE object, const wchar_t *sddl)
{
    PSECURITY_DESCRIPTOR descriptor = kit_descriptor(sddl);
    SECURITY_INFORMATION parts = DACL_SECURITY_INFORMATION;
    PSID owner = NULL;
    BOOL defaulted = FALSE;
    if (GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) && owner != NULL)
        parts |= OWNER_SECURITY_INFORMATION;
    if (!SetKernelObjectSecurity(object, parts, descriptor))
        fail_msg("SetKernelObjectSecurity(%ls): error %lu", sddl, GetLastError());
    LocalFree(descriptor);
}
