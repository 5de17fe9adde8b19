#include "trust.h"

#include "log.h"

#include <sddl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_CHARS_MAX = 1024,
    FOLDERS_MAX = 64,
    NAME_BYTES_MAX = 300,
    SID_BYTES_MAX = 200,
    ERROR_BYTES_MAX = 200,
    WELL_KNOWN_SIDS = 3,
};

/* What replaces, or lets its holder make itself able to. */
#define REPLACE (DELETE | WRITE_DAC | WRITE_OWNER)
#define CHANGE_FILE \
    (REPLACE | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES)
#define CHANGE_FOLDER (REPLACE | FILE_DELETE_CHILD)
#define FILL_FOLDER \
    (CHANGE_FOLDER | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES)

/* Changing the descriptor of a folder that others use is no advice to give. */
#define FOLDER_REMEDY \
    "use a folder that only administrators can write, as ProgramData\\HandleBroker is"

struct judge {
    PSID trusted[WELL_KNOWN_SIDS]; /* for LocalFree() */
    TOKEN_USER *self;              /* NULL: not trusted for being it */
    HANDLE folders[FOLDERS_MAX];   /* held until the end */
    size_t folders_count;
    wchar_t path[PATH_CHARS_MAX];
    char *why;
};

HBK_PRINTF(2, 3)
static int refuse(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(judge->why, HBK_TRUST_WHY_BYTES, format, arguments);
    va_end(arguments);
    HBK_ASSERT(size > 0);
    return HBK_TRUST_E_REFUSED;
}

static int refuse_windows(struct judge *judge, const char *name, const char *what, DWORD error)
{
    char text[ERROR_BYTES_MAX];
    return refuse(judge, "%s: %s: %s (error %lu)", name, what,
                  hbk_log_error_text(error, text, sizeof(text)), error);
}

/* ---- who is trusted ---- */

/* Return: 0, or the Windows error. */
static DWORD read_self(TOKEN_USER **ret_user)
{
    DWORD error = 0, size = 0;
    TOKEN_USER *user = NULL;
    HANDLE token = NULL;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return GetLastError();
    }
    GetTokenInformation(token, TokenUser, NULL, 0, &size);
    user = malloc(size > 0 ? size : 1);
    if (user == NULL) {
        error = ERROR_NOT_ENOUGH_MEMORY;
    } else if (!GetTokenInformation(token, TokenUser, user, size, &size)) {
        error = GetLastError();
    }
    CloseHandle(token);
    if (error != 0) {
        free(user);
        return error;
    }
    *ret_user = user;
    return 0;
}

static DWORD judge_init(struct judge *judge, bool self, char *why)
{
    static const wchar_t *const sids[WELL_KNOWN_SIDS] = {
        L"S-1-5-18",     /* LocalSystem */
        L"S-1-5-32-544", /* administrators */
        /* NT SERVICE\TrustedInstaller, which owns what came with Windows, C:\ too */
        L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    };

    *judge = (struct judge){.self = NULL};
    judge->why = why;
    for (size_t i = 0; i < WELL_KNOWN_SIDS; i++) {
        if (!ConvertStringSidToSidW(sids[i], &judge->trusted[i])) {
            return GetLastError();
        }
    }
    return self ? read_self(&judge->self) : 0;
}

static void judge_deinit(struct judge *judge)
{
    while (judge->folders_count > 0) {
        CloseHandle(judge->folders[--judge->folders_count]);
    }
    for (size_t i = 0; i < WELL_KNOWN_SIDS; i++) {
        LocalFree(judge->trusted[i]);
    }
    free(judge->self);
}

static bool is_trusted(const struct judge *judge, PSID sid)
{
    for (size_t i = 0; i < WELL_KNOWN_SIDS; i++) {
        if (EqualSid(sid, judge->trusted[i])) {
            return true;
        }
    }
    return judge->self != NULL && EqualSid(sid, judge->self->User.Sid);
}

/* A SID for people. No account database is asked: that could take long. */
static const char *sid_text(PSID sid, char text[SID_BYTES_MAX])
{
    static const struct {
        const char *sid, *name;
    } known[] = {
        {"S-1-1-0", "everybody"},   {"S-1-5-11", "authenticated users"}, {"S-1-5-32-545", "users"},
        {"S-1-5-32-546", "guests"}, {"S-1-5-4", "interactive users"},
    };
    char *converted = NULL;

    if (!ConvertSidToStringSidA(sid, &converted)) {
        return "an unknown user";
    }
    (void)snprintf(text, SID_BYTES_MAX, "%s", converted);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(converted, known[i].sid) == 0) {
            (void)snprintf(text, SID_BYTES_MAX, "%s (%s)", known[i].name, converted);
        }
    }
    LocalFree(converted);
    return text;
}

/* ---- one file or folder ---- */

/* For free(). Return: 0, or the Windows error. */
static DWORD read_descriptor(HANDLE object, PSECURITY_DESCRIPTOR *ret_descriptor)
{
    static const SECURITY_INFORMATION what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    DWORD size = 0, error;

    if (GetKernelObjectSecurity(object, what, NULL, 0, &size)) {
        return ERROR_INVALID_SECURITY_DESCR;
    }
    error = GetLastError();
    if (error != ERROR_INSUFFICIENT_BUFFER) {
        return error;
    }
    descriptor = malloc(size);
    if (descriptor == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (!GetKernelObjectSecurity(object, what, descriptor, size, &size)) {
        error = GetLastError();
        free(descriptor);
        return error;
    }
    *ret_descriptor = descriptor;
    return 0;
}

/* Does @ace let somebody who is not trusted do one of @rights? Then *ret_sid is who: NULL, it
 * cannot be told. */
static bool is_grant(const struct judge *judge, const ACE_HEADER *ace, DWORD rights, PSID *ret_sid)
{
    static GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                                      FILE_ALL_ACCESS};
    /* Every kind that grants has its mask in the same place. */
    const ACCESS_ALLOWED_ACE *allowed = (const ACCESS_ALLOWED_ACE *)(const void *)ace;
    DWORD mask;

    switch (ace->AceType) {
    case ACCESS_DENIED_ACE_TYPE: /* what denies cannot make it worse */
    case ACCESS_DENIED_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE:
        return false;
    default:
        break;
    }
    if (ace->AceFlags & INHERIT_ONLY_ACE) {
        return false; /* it is for what will be made inside */
    }
    mask = allowed->Mask;
    MapGenericMask(&mask, &mapping);
    if ((mask & rights) == 0) {
        return false;
    }
    *ret_sid = NULL;
    if (ace->AceType == ACCESS_ALLOWED_ACE_TYPE ||
        ace->AceType == ACCESS_ALLOWED_CALLBACK_ACE_TYPE) {
        *ret_sid = (PSID)(void *)(uintptr_t)&allowed->SidStart;
        /* OWNER RIGHTS is whoever owns it, and that was looked at. */
        return !is_trusted(judge, *ret_sid) && !IsWellKnownSid(*ret_sid, WinCreatorOwnerRightsSid);
    }
    return true;
}

static int refuse_grant(struct judge *judge, PSID sid, const char *name, bool folder)
{
    char text[SID_BYTES_MAX];
    char *plain = NULL;
    const char *whom = sid == NULL ? "somebody" : sid_text(sid, text);
    int result;

    if (folder || sid == NULL || !ConvertSidToStringSidA(sid, &plain)) {
        return refuse(judge, "%s: %s may change or replace what is in it; " FOLDER_REMEDY, name,
                      whom);
    }
    result =
        refuse(judge,
               "%s: %s may change or replace it; check what it says, then let only administrators: "
               "icacls \"%s\" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F /remove:g *%s",
               name, whom, name, plain);
    LocalFree(plain);
    return result;
}

static int judge_descriptor(struct judge *judge, PSECURITY_DESCRIPTOR descriptor, const char *name,
                            bool folder, DWORD rights)
{
    PSID owner = NULL, sid = NULL;
    PACL acl = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    char text[SID_BYTES_MAX];

    if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) || owner == NULL ||
        !is_trusted(judge, owner)) {
        const char *whom = owner == NULL ? "nobody" : sid_text(owner, text);
        return folder
                   ? refuse(judge, "%s: is owned by %s, who is no administrator; " FOLDER_REMEDY,
                            name, whom)
                   : refuse(judge,
                            "%s: is owned by %s, who is no administrator; check what it says, then "
                            "make administrators its owner: icacls \"%s\" /setowner *S-1-5-32-544",
                            name, whom, name);
    }
    if (!GetSecurityDescriptorDacl(descriptor, &present, &acl, &defaulted) || !present ||
        acl == NULL) {
        return refuse(
            judge,
            "%s: has no access control list, so that everybody may write it; keep it on an "
            "NTFS drive",
            name);
    }
    for (DWORD i = 0; i < acl->AceCount; i++) {
        void *ace = NULL;
        if (!GetAce(acl, i, &ace)) {
            return refuse_windows(judge, name, "its access control list", GetLastError());
        }
        if (is_grant(judge, ace, rights, &sid)) {
            return refuse_grant(judge, sid, name, folder);
        }
    }
    return 0;
}

static int judge_object(struct judge *judge, HANDLE object, const char *name, bool folder,
                        DWORD rights)
{
    BY_HANDLE_FILE_INFORMATION information;
    PSECURITY_DESCRIPTOR descriptor = NULL;

    if (!GetFileInformationByHandle(object, &information)) {
        return refuse_windows(judge, name, "its attributes", GetLastError());
    }
    if (information.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
        return refuse(judge, "%s: is a link; write the path that it leads to", name);
    }
    if (((information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) != folder) {
        return refuse(judge, folder ? "%s: is no folder" : "%s: is a folder; name the file in it",
                      name);
    }
    DWORD error = read_descriptor(object, &descriptor);
    if (error != 0) {
        return refuse_windows(judge, name, "its security descriptor", error);
    }
    int result = judge_descriptor(judge, descriptor, name, folder, rights);
    free(descriptor);
    return result;
}

/* ---- the way there ---- */

static bool is_missing(DWORD error)
{
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
}

/* Sets judge->path to the whole of @path, which must be one on a local drive. */
static int find_path(struct judge *judge, const wchar_t *path, const char *name)
{
    DWORD size = GetFullPathNameW(path, PATH_CHARS_MAX, judge->path, NULL);
    if (size == 0) {
        return refuse_windows(judge, name, "its path", GetLastError());
    }
    if (size >= PATH_CHARS_MAX) {
        return refuse(judge, "%s: is too long a path", name);
    }
    wchar_t *whole = judge->path;
    bool drive = (whole[0] >= L'A' && whole[0] <= L'Z') || (whole[0] >= L'a' && whole[0] <= L'z');
    if (!drive || whole[1] != L':' || whole[2] != L'\\' || wcschr(whole + 2, L':') != NULL) {
        return refuse(judge, "%s: must be a file on a local drive, as C:\\folder\\file", name);
    }
    wchar_t root[] = {whole[0], L':', L'\\', L'\0'};
    UINT type = GetDriveTypeW(root);
    if (type == DRIVE_REMOTE || type == DRIVE_REMOVABLE || type == DRIVE_CDROM) {
        return refuse(judge, "%s: must be on a drive that belongs to this computer", name);
    }
    return 0;
}

/* Opens and judges the folder whose path are the first @size characters of judge->path. */
static int enter_folder(struct judge *judge, size_t size, DWORD rights)
{
    char name[NAME_BYTES_MAX];
    wchar_t kept = judge->path[size];

    if (judge->folders_count == FOLDERS_MAX) {
        return refuse(judge, "more than %d folders inside each other", FOLDERS_MAX);
    }
    judge->path[size] = L'\0';
    /* To list it is what makes the sharing count: nobody can rename or delete it while we have it. */
    HANDLE folder = CreateFileW(judge->path, FILE_LIST_DIRECTORY | READ_CONTROL,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    DWORD error = GetLastError();
    hbk_log_narrow(judge->path, name, sizeof(name));
    judge->path[size] = kept;
    if (folder == INVALID_HANDLE_VALUE) {
        return is_missing(error) ? HBK_TRUST_E_MISSING
                                 : refuse_windows(judge, name, "cannot be looked into", error);
    }
    judge->folders[judge->folders_count++] = folder;
    return judge_object(judge, folder, name, true, rights);
}

/* The folders above the last part of judge->path. */
static int enter_folders(struct judge *judge)
{
    size_t at = 3; /* C:\ */
    int result = enter_folder(judge, at, CHANGE_FOLDER);

    while (result == 0) {
        const wchar_t *next = wcschr(judge->path + at, L'\\');
        if (next == NULL) {
            return 0;
        }
        size_t size = (size_t)(next - judge->path);
        result = enter_folder(judge, size, CHANGE_FOLDER);
        at = size + 1;
    }
    return result;
}

static int open_file(struct judge *judge, const char *name, HANDLE *ret_file)
{
    HANDLE file = CreateFileW(judge->path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                              FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();
        if (error == ERROR_SHARING_VIOLATION) {
            return refuse(
                judge, "%s: somebody has it open for writing; close it there and try again", name);
        }
        return is_missing(error) ? HBK_TRUST_E_MISSING
                                 : refuse_windows(judge, name, "cannot be read", error);
    }
    int result;
    /* A pipe or a device could keep us waiting for ever. */
    if (GetFileType(file) != FILE_TYPE_DISK) {
        result = refuse(judge, "%s: is no file", name);
    } else {
        result = judge_object(judge, file, name, false, CHANGE_FILE);
    }
    if (result != 0) {
        CloseHandle(file);
        return result;
    }
    *ret_file = file;
    return 0;
}

int hbk_trust_open(const wchar_t *path, bool self, HANDLE *ret_file,
                   char ret_why[HBK_TRUST_WHY_BYTES])
{
    struct judge judge;
    char name[NAME_BYTES_MAX];
    int result;
    DWORD error = judge_init(&judge, self, ret_why);

    hbk_log_narrow(path, name, sizeof(name));
    if (error != 0) {
        result = refuse_windows(&judge, name, "who may have written it", error);
        goto out;
    }
    result = find_path(&judge, path, name);
    if (result == 0) {
        result = enter_folders(&judge);
    }
    if (result == 0) {
        result = open_file(&judge, name, ret_file);
    }
out:
    judge_deinit(&judge);
    return result;
}

int hbk_trust_folder(const wchar_t *path, bool self, char ret_why[HBK_TRUST_WHY_BYTES])
{
    struct judge judge;
    char name[NAME_BYTES_MAX];
    int result;
    DWORD error = judge_init(&judge, self, ret_why);

    hbk_log_narrow(path, name, sizeof(name));
    if (error != 0) {
        result = refuse_windows(&judge, name, "who may write there", error);
        goto out;
    }
    result = find_path(&judge, path, name);
    if (result != 0) {
        goto out;
    }
    size_t size = wcslen(judge.path);
    if (size > 3 && judge.path[size - 1] == L'\\') {
        judge.path[--size] = L'\0';
    }
    result = enter_folders(&judge);
    if (result == 0) {
        result = enter_folder(&judge, size, FILL_FOLDER);
    }
out:
    judge_deinit(&judge);
    return result;
}
