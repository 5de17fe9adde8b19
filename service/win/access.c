/* Who may do what, as Windows sees it. No check allocates: what they need stands on the stack, and a
 * descriptor that does not fit there is answered with a no. */
#include "access.h"

#include "parts.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

enum {
    /* The numbers of the privileges never change; looking up their names may ask another process. */
    TAKE_OWNERSHIP = 9, /* SeTakeOwnershipPrivilege */
    DEBUG = 20,         /* SeDebugPrivilege */
    PRIVILEGES_MAX = 64,
    USED_PRIVILEGES_MAX = 4, /* that a check may report to have used */
    /* Where the kernel's OBJECT_TYPE_INFORMATION has its GENERIC_MAPPING: after twelve counts and the
     * invalid attributes, which the public header calls reserved. */
    MAPPING_INDEX = 13,
    FRAME_CHARS_MAX = 3 * HBK_SID_BYTES_MAX,
};

/* Texts with the parts are kept as Windows made them; `absolute` points into both. */
struct hbk_descriptor {
    SECURITY_DESCRIPTOR absolute;
    PSECURITY_DESCRIPTOR text;
    PSECURITY_DESCRIPTOR frame;
};

/* A PRIVILEGE_SET with room for what a check has used. */
union used_privileges {
    PRIVILEGE_SET set;
    uint8_t bytes[sizeof(PRIVILEGE_SET) + USED_PRIVILEGES_MAX * sizeof(LUID_AND_ATTRIBUTES)];
};

/* A descriptor that was read from an object. */
union object_descriptor {
    SECURITY_DESCRIPTOR header;
    uint8_t bytes[HBK_ACCESS_DESCRIPTOR_BYTES_MAX];
};

/* The broker's own rights. As none of them is reading or executing, Windows' integrity policy counts each as
 * writing, and refuses it to whoever is below the descriptor's label. */
static const GENERIC_MAPPING broker_mapping = {0, 0, 0, HBK_RIGHTS_ALL};

/* A process's, as the kernel has it. */
static const GENERIC_MAPPING process_mapping = {
    STANDARD_RIGHTS_READ | PROCESS_VM_READ | PROCESS_QUERY_INFORMATION,
    STANDARD_RIGHTS_WRITE | PROCESS_CREATE_PROCESS | PROCESS_CREATE_THREAD | PROCESS_VM_OPERATION |
        PROCESS_VM_WRITE | PROCESS_DUP_HANDLE | PROCESS_TERMINATE | PROCESS_SET_QUOTA |
        PROCESS_SET_INFORMATION | PROCESS_SUSPEND_RESUME,
    STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE | PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_ALL_ACCESS,
};

/* ---- making descriptors ---- */

/* The mask of an entry that grants or denies; NULL: it is of another kind. */
static DWORD *mask_of(ACE_HEADER *ace)
{
    switch (ace->AceType) {
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_DENIED_ACE_TYPE:
    case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_OBJECT_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE:
        /* In all of them the mask is what follows the header. */
        return &((ACCESS_ALLOWED_ACE *)ace)->Mask;
    default:
        return NULL;
    }
}

/* Puts the broker's rights in the place of the generic ones, as Windows does when a descriptor is assigned to
 * an object: a check need not do it. Return: 0, or the Windows error. */
static uint32_t map_generic(PACL dacl)
{
    GENERIC_MAPPING mapping = broker_mapping;
    for (DWORD i = 0; i < dacl->AceCount; i++) {
        void *ace = NULL;
        if (!GetAce(dacl, i, &ace)) {
            return GetLastError();
        }
        DWORD *mask = mask_of(ace);
        if (mask == NULL) {
            return ERROR_INVALID_ACL;
        }
        MapGenericMask(mask, &mapping);
    }
    return 0;
}

/* Owner, group and label are those of @descriptor->frame where @descriptor->text has none, or where it is a
 * client's. Return: 0, or the Windows error. */
static uint32_t assemble(struct hbk_descriptor *descriptor, bool client)
{
    PSID owner = NULL, group = NULL;
    PACL dacl = NULL, sacl = NULL;
    BOOL present = FALSE, defaulted = FALSE, sacl_present = FALSE;
    PSECURITY_DESCRIPTOR text = descriptor->text;

    if (!GetSecurityDescriptorDacl(text, &present, &dacl, &defaulted)) {
        return GetLastError();
    }
    if (!present || dacl == NULL) {
        return ERROR_NO_SECURITY_ON_OBJECT;
    }
    uint32_t error = map_generic(dacl);
    if (error != 0) {
        return error;
    }
    PSECURITY_DESCRIPTOR sacl_from = client ? descriptor->frame : text;
    if ((!client && (!GetSecurityDescriptorOwner(text, &owner, &defaulted) ||
                     !GetSecurityDescriptorGroup(text, &group, &defaulted))) ||
        (owner == NULL && !GetSecurityDescriptorOwner(descriptor->frame, &owner, &defaulted)) ||
        (group == NULL && !GetSecurityDescriptorGroup(descriptor->frame, &group, &defaulted)) ||
        !GetSecurityDescriptorSacl(sacl_from, &sacl_present, &sacl, &defaulted)) {
        return GetLastError();
    }
    SECURITY_DESCRIPTOR *absolute = &descriptor->absolute;
    if (!InitializeSecurityDescriptor(absolute, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorOwner(absolute, owner, FALSE) ||
        !SetSecurityDescriptorGroup(absolute, group, FALSE) ||
        !SetSecurityDescriptorDacl(absolute, TRUE, dacl, FALSE) ||
        !SetSecurityDescriptorSacl(absolute, sacl_present, sacl, FALSE)) {
        return GetLastError();
    }
    return 0;
}

static uint32_t make(const wchar_t *sddl, const wchar_t *frame, bool client,
                     struct hbk_descriptor **ret_descriptor)
{
    uint32_t error = 0;
    struct hbk_descriptor *descriptor = calloc(1, sizeof(*descriptor));
    if (descriptor == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1,
                                                              &descriptor->text, NULL) ||
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(frame, SDDL_REVISION_1,
                                                              &descriptor->frame, NULL)) {
        error = GetLastError();
        goto out;
    }
    error = assemble(descriptor, client);
    if (error != 0) {
        goto out;
    }
    *ret_descriptor = descriptor;
    descriptor = NULL;
out:
    hbk_access_descriptor_free(descriptor);
    return error;
}

uint32_t hbk_access_descriptor_new(const wchar_t *sddl, struct hbk_descriptor **ret_descriptor)
{
    return make(sddl, L"O:SYG:SY", false, ret_descriptor);
}

uint32_t hbk_access_descriptor_from(const wchar_t *sddl, const char *user, uint32_t integrity,
                                    struct hbk_descriptor **ret_descriptor)
{
    wchar_t frame[FRAME_CHARS_MAX];
    int size = _snwprintf(frame, FRAME_CHARS_MAX, L"O:%hsG:%hsS:(ML;;NW;;;S-1-16-%lu)", user, user,
                          (unsigned long)integrity);
    HBK_ASSERT(size > 0 && size < FRAME_CHARS_MAX);
    return make(sddl, frame, true, ret_descriptor);
}

void hbk_access_descriptor_free(struct hbk_descriptor *descriptor)
{
    if (descriptor == NULL) {
        return;
    }
    LocalFree(descriptor->text);
    LocalFree(descriptor->frame);
    free(descriptor);
}

uint32_t hbk_access_descriptor_rights(const struct hbk_descriptor *descriptor)
{
    uint32_t granted = 0, denied = 0;
    PACL dacl = descriptor->absolute.Dacl;

    for (DWORD i = 0; i < dacl->AceCount; i++) {
        void *ace = NULL;
        if (!GetAce(dacl, i, &ace)) {
            break;
        }
        const ACE_HEADER *header = ace;
        ACCESS_DENIED_ACE *entry = ace;
        if ((header->AceFlags & INHERIT_ONLY_ACE) != 0) {
            continue;
        }
        switch (header->AceType) {
        case ACCESS_DENIED_ACE_TYPE:
            if (IsWellKnownSid(&entry->SidStart, WinWorldSid)) {
                denied |= entry->Mask;
            }
            break;
        case ACCESS_ALLOWED_ACE_TYPE:
        case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
        case ACCESS_ALLOWED_CALLBACK_ACE_TYPE:
        case ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE:
            granted |= entry->Mask & ~denied;
            break;
        default:
            break;
        }
    }
    return granted & HBK_RIGHTS_ALL;
}

/* ---- checks ---- */

/* Return: what of @wanted, all at once or (MAXIMUM_ALLOWED) as much as there is; 0 also if it fails. */
static uint32_t check(HANDLE token, PSECURITY_DESCRIPTOR descriptor, const GENERIC_MAPPING *mapping,
                      DWORD wanted)
{
    union used_privileges used;
    DWORD used_size = sizeof(used);
    GENERIC_MAPPING own_mapping = *mapping;
    DWORD granted = 0;
    BOOL allowed = FALSE;

    if (!AccessCheck(descriptor, token, wanted, &own_mapping, &used.set, &used_size, &granted,
                     &allowed) ||
        !allowed) {
        return 0;
    }
    return granted;
}

uint32_t hbk_access_rights(HANDLE token, const struct hbk_descriptor *descriptor, uint32_t wanted)
{
    SECURITY_DESCRIPTOR absolute = descriptor->absolute;
    uint32_t granted = 0;

    HBK_ASSERT(wanted != 0 && (wanted & ~(uint32_t)HBK_RIGHTS_ALL) == 0);
    /* One by one, because several at a time are granted together or not at all. */
    for (uint32_t right = 1; right <= wanted; right <<= 1) {
        if ((wanted & right) != 0) {
            granted |= check(token, &absolute, &broker_mapping, right) & right;
        }
    }
    return granted;
}

static bool read_descriptor(HANDLE object, union object_descriptor *ret_descriptor)
{
    DWORD needed = 0;
    /* Without the label integrity would not be considered. */
    SECURITY_INFORMATION information = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                                       DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION;
    return GetKernelObjectSecurity(object, information, &ret_descriptor->header,
                                   sizeof(*ret_descriptor), &needed) != 0;
}

static bool is_enabled(HANDLE token, DWORD privilege)
{
    PRIVILEGE_SET set = {.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY};
    BOOL enabled = FALSE;

    set.Privilege[0].Luid.LowPart = privilege;
    return PrivilegeCheck(token, &set, &enabled) && enabled;
}

/* Enabled or not: its owner can enable it at any time. */
static bool holds(HANDLE token, DWORD privilege)
{
    union {
        TOKEN_PRIVILEGES list;
        uint8_t bytes[sizeof(TOKEN_PRIVILEGES) + PRIVILEGES_MAX * sizeof(LUID_AND_ATTRIBUTES)];
    } held;
    DWORD size = 0;

    if (!GetTokenInformation(token, TokenPrivileges, &held, sizeof(held), &size)) {
        return true; /* the answer that promises nothing */
    }
    for (DWORD i = 0; i < held.list.PrivilegeCount; i++) {
        const LUID *luid = &held.list.Privileges[i].Luid;
        if (luid->LowPart == privilege && luid->HighPart == 0) {
            return true;
        }
    }
    return false;
}

bool hbk_access_to_process(HANDLE token, HANDLE process)
{
    union object_descriptor descriptor;

    /* What protects itself from the broker is not given to those who reach less than the broker does. */
    if (!read_descriptor(process, &descriptor)) {
        return false;
    }
    /* The privilege passes over descriptor and label, as it does where a process is opened. */
    return (check(token, &descriptor.header, &process_mapping, PROCESS_DUP_HANDLE) &
            PROCESS_DUP_HANDLE) != 0 ||
           is_enabled(token, DEBUG);
}

static bool type_mapping(HANDLE object, GENERIC_MAPPING *ret_mapping)
{
    union {
        PUBLIC_OBJECT_TYPE_INFORMATION information;
        uint8_t bytes[1024]; /* the name follows its structure */
    } type;

    if (NtQueryObject(object, ObjectTypeInformation, &type, sizeof(type), NULL) < 0) {
        return false;
    }
    memcpy(ret_mapping, &type.information.Reserved[MAPPING_INDEX], sizeof(*ret_mapping));
    return ret_mapping->GenericAll != 0;
}

enum hbk_widenable hbk_access_widenable(HANDLE token, HANDLE object, uint32_t granted,
                                        uint32_t given)
{
    union object_descriptor descriptor;
    GENERIC_MAPPING mapping;
    PACL dacl = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    const uint32_t leads_to_all = WRITE_DAC | WRITE_OWNER;

    if ((given & leads_to_all) != 0) {
        return HBK_WIDENABLE_YES;
    }
    if (!read_descriptor(object, &descriptor) ||
        !GetSecurityDescriptorDacl(&descriptor.header, &present, &dacl, &defaulted)) {
        return HBK_WIDENABLE_UNKNOWN;
    }
    if (!present || dacl == NULL) {
        return HBK_WIDENABLE_YES; /* it refuses nobody anything */
    }
    if (!type_mapping(object, &mapping)) {
        return HBK_WIDENABLE_UNKNOWN;
    }
    uint32_t most = check(token, &descriptor.header, &mapping, MAXIMUM_ALLOWED);
    if ((most & (leads_to_all | (granted & ~given))) != 0 || holds(token, TAKE_OWNERSHIP)) {
        return HBK_WIDENABLE_YES;
    }
    return HBK_WIDENABLE_NO;
}

/* ---- the seam ---- */

int hbk_access_op_descriptor_new(void *context, struct hbk_text sddl,
                                 struct hbk_descriptor **ret_descriptor,
                                 struct hbk_failure *ret_failure)
{
    const struct hbk_connection *connection = context;
    wchar_t wide[HBK_SDDL_BYTES_MAX + 1];

    uint32_t error = sddl.size <= HBK_SDDL_BYTES_MAX ? 0 : ERROR_BUFFER_OVERFLOW;
    for (size_t i = 0; i < sddl.size && error == 0; i++) {
        wide[i] = (wchar_t)sddl.data[i];
        error = sddl.data[i] >= 0x20 && sddl.data[i] < 0x7F ? 0 : ERROR_INVALID_DATA;
    }
    if (error == 0) {
        wide[sddl.size] = L'\0';
        error = hbk_access_descriptor_from(wide, connection->peer.user, connection->peer.integrity,
                                           ret_descriptor);
    }
    if (error == 0) {
        return 0;
    }
    bool memory = error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_OUTOFMEMORY;
    *ret_failure = (struct hbk_failure){
        .code = memory ? HBK_R_OS_ERROR : HBK_R_INVALID_PARAMS,
        .win32 = error,
        .detail = memory ? "the broker is out of memory"
                         : "Windows does not take this for a security descriptor with a DACL",
    };
    return HBK_PLATFORM_FAILED;
}

void hbk_access_op_descriptor_free(void *context, struct hbk_descriptor *descriptor)
{
    (void)context;
    hbk_access_descriptor_free(descriptor);
}

uint32_t hbk_access_op_check(void *context, const struct hbk_descriptor *descriptor,
                             uint32_t wanted)
{
    const struct hbk_win_party *party = context;
    return hbk_access_rights(party->token, descriptor, wanted);
}

bool hbk_access_op_may_duplicate(void *caller, void *target)
{
    const struct hbk_win_party *from = caller;
    const struct hbk_win_party *to = target;
    return hbk_access_to_process(from->token, to->process);
}

enum hbk_widenable hbk_access_op_widenable(void *party, hbk_pin pin, uint32_t granted,
                                           uint32_t given)
{
    const struct hbk_win_party *to = party;
    /* Who cannot be asked about promises nothing. */
    return to->token == NULL
               ? HBK_WIDENABLE_UNKNOWN
               : hbk_access_widenable(to->token, (HANDLE)(uintptr_t)pin, granted, given);
}
