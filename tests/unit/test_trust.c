/* Whose files are believed, over descriptors, attributes and drives that a test makes up: a file system that the tests
 * run on may know none of them. The paths are real, and so is what is held open. */
#include "test_support.h"
#include "trust.h"

#include <windows.h>

#include <sddl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_CHARS = 400 };

#define GOOD "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)"

static wchar_t the_folder[PATH_CHARS], the_file[PATH_CHARS];

/* What the next judgement finds; NULL: nothing special. */
static struct {
    const char *of_file, *of_folder, *of_root;
    bool file_is_link, folder_is_link;
    DWORD file_type; /* 0: a disk's */
    UINT drive_type;
    size_t judged;            /* folders and file, so far */
    void (*while_held)(void); /* called when the file is judged */
} found;

static bool is_root(HANDLE object)
{
    BY_HANDLE_FILE_INFORMATION one, other;
    const wchar_t name[] = {the_file[0], L':', L'\\', L'\0'};
    HANDLE root = CreateFileW(name, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(root != INVALID_HANDLE_VALUE);
    assert_true(GetFileInformationByHandle(root, &one));
    assert_true(GetFileInformationByHandle(object, &other));
    CloseHandle(root);
    return one.nFileIndexLow == other.nFileIndexLow && one.nFileIndexHigh == other.nFileIndexHigh;
}

static bool is_folder(HANDLE object)
{
    BY_HANDLE_FILE_INFORMATION information;
    assert_true(GetFileInformationByHandle(object, &information));
    return (information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* What trust.c asks Windows is asked of these: it is compiled once more for this test, with their names. */
BOOL WINAPI found_security(HANDLE object, SECURITY_INFORMATION what, PSECURITY_DESCRIPTOR to,
                           DWORD size, DWORD *ret_size);
BOOL WINAPI found_information(HANDLE object, BY_HANDLE_FILE_INFORMATION *ret_information);
DWORD WINAPI found_type(HANDLE object);
UINT WINAPI found_drive(const wchar_t *root);

BOOL WINAPI found_security(HANDLE object, SECURITY_INFORMATION what, PSECURITY_DESCRIPTOR to,
                           DWORD size, DWORD *ret_size)
{
    PSECURITY_DESCRIPTOR made = NULL;
    bool in_folder = is_folder(object);
    const char *sddl = in_folder ? found.of_folder : found.of_file;

    assert_int_equal(what, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION);
    if (in_folder && found.of_root != NULL && is_root(object))
        sddl = found.of_root;
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(
        sddl != NULL ? sddl : GOOD, SDDL_REVISION_1, &made, ret_size));
    bool room = size >= *ret_size;
    if (room) {
        memcpy(to, made, *ret_size);
        found.judged++;
        if (!in_folder && found.while_held != NULL)
            found.while_held();
    }
    LocalFree(made);
    SetLastError(room ? ERROR_SUCCESS : ERROR_INSUFFICIENT_BUFFER);
    return room;
}

BOOL WINAPI found_information(HANDLE object, BY_HANDLE_FILE_INFORMATION *ret_information)
{
    assert_true(GetFileInformationByHandle(object, ret_information));
    if (is_folder(object) ? found.folder_is_link : found.file_is_link)
        ret_information->dwFileAttributes |= FILE_ATTRIBUTE_REPARSE_POINT;
    return TRUE;
}

DWORD WINAPI found_type(HANDLE object)
{
    return found.file_type != 0 ? found.file_type : GetFileType(object);
}

UINT WINAPI found_drive(const wchar_t *root)
{
    assert_int_equal(wcslen(root), 3);
    return found.drive_type;
}

static int begin(void **state)
{
    static unsigned number;
    wchar_t temp[MAX_PATH];
    (void)state;
    memset(&found, 0, sizeof found);
    found.drive_type = DRIVE_FIXED;
    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    (void)_snwprintf(the_folder, PATH_CHARS, L"%lshbk-trust-%lu-%u", temp,
                     (unsigned long)GetCurrentProcessId(), ++number);
    (void)_snwprintf(the_file, PATH_CHARS, L"%ls\\file.json", the_folder);
    assert_true(CreateDirectoryW(the_folder, NULL));
    HANDLE file = CreateFileW(the_file, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_true(DeleteFileW(the_file)); /* nothing is held any more */
    assert_true(RemoveDirectoryW(the_folder));
    return 0;
}

static void believed(bool self)
{
    char why[HBK_TRUST_WHY_BYTES] = "";
    HANDLE file = NULL;
    found.judged = 0;
    if (hbk_trust_open(the_file, self, &file, why) != 0)
        fail_msg("not believed: %s", why);
    assert_true(found.judged >= 3); /* the root, the folder, the file */
    assert_non_null(file);
    CloseHandle(file);
}

static void refused(bool self, const char *what)
{
    char why[HBK_TRUST_WHY_BYTES] = "";
    HANDLE file = NULL;
    found.judged = 0;
    int result = hbk_trust_open(the_file, self, &file, why);
    if (file != NULL)
        CloseHandle(file);
    if (result != HBK_TRUST_E_REFUSED || strstr(why, what) == NULL)
        fail_msg("%d, \"%s\" is missing in: %s (file %s, folder %s, root %s)", result, what, why,
                 found.of_file, found.of_folder, found.of_root);
    assert_null(file);
}

/* ---- descriptors ---- */

static void owners(void **state)
{
    static const struct {
        const char *owner, *said;
    } rows[] = {
        {"O:SY", NULL},
        {"O:BA", NULL},
        {"O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", NULL},
        {"O:BU", "owned by users (S-1-5-32-545)"},
        {"O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478465", "owned by S-1-5-80-"},
        {"O:S-1-5-21-1-2-3-500", "owned by S-1-5-21-1-2-3-500"},
        {"", "owned by nobody"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char **const places[] = {&found.of_file, &found.of_folder, &found.of_root};
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            char sddl[256];
            (void)snprintf(sddl, sizeof sddl, "%sD:P(A;;FA;;;SY)", rows[i].owner);
            *places[j] = sddl;
            if (rows[i].said == NULL)
                believed(false);
            else
                refused(false, rows[i].said);
            // cppcheck-suppress redundantAssignment ; read by what is judged meanwhile
            *places[j] = NULL;
        }
    }
}

static void who_runs_is_believed_where_asked(void **state)
{
    (void)state;
    union {
        TOKEN_USER user;
        uint8_t bytes[256];
    } self;
    DWORD size = 0;
    HANDLE token = NULL;
    char *sid = NULL, sddl[512];
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    assert_true(GetTokenInformation(token, TokenUser, &self, sizeof self, &size));
    assert_true(ConvertSidToStringSidA(self.user.User.Sid, &sid));
    CloseHandle(token);
    (void)snprintf(sddl, sizeof sddl, "O:%sD:P(A;;FA;;;%s)", sid, sid);
    found.of_file = sddl;
    believed(true);
    refused(false, "owned by");
    (void)snprintf(sddl, sizeof sddl, "O:BAD:P(A;;FA;;;%s)", sid);
    believed(true);
    refused(false, "may change or replace it");
    LocalFree(sid);
}

static void without_a_list(void **state)
{
    (void)state;
    found.of_file = "O:BA";
    refused(false, "no access control list");
    found.of_file = NULL;
    found.of_folder = "O:BA";
    refused(false, "no access control list");
    found.of_folder = "O:BAD:P"; /* nobody may do anything */
    believed(false);
}

static void what_others_may_do_with_the_file(void **state)
{
    static const char *const bad[] = {
        "0x2",     "0x4",     "0x10",    "0x100", /* write, append, its attributes */
        "0x10000", "0x40000", "0x80000",          /* delete, its descriptor, its owner */
        "GA",      "GW"};
    static const char *const good[] = {"FR", "FX", "GR", "0x40", "0x120000"};
    char sddl[256];
    (void)state;
    found.of_file = sddl;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(sddl, sizeof sddl, "%s(A;;%s;;;BU)", GOOD, bad[i]);
        refused(false, "users (S-1-5-32-545) may change or replace it");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        (void)snprintf(sddl, sizeof sddl, "%s(A;;%s;;;WD)", GOOD, good[i]);
        believed(false);
    }
}

static void what_others_may_do_with_the_folders(void **state)
{
    static const char *const bad[] = {"0x40", "0x10000", "0x40000", "0x80000", "GA"};
    static const char *const good[] = {"FR", "FX", "0x2", "0x4"}; /* to add replaces nothing */
    char sddl[256], why[HBK_TRUST_WHY_BYTES];
    (void)state;
    for (int root = 0; root < 2; root++) {
        found.of_folder = found.of_root = NULL;
        *(root ? &found.of_root : &found.of_folder) = sddl;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            (void)snprintf(sddl, sizeof sddl, "%s(A;;%s;;;AU)", GOOD, bad[i]);
            refused(false, "authenticated users (S-1-5-11) may change or replace what is in it");
        }
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
            (void)snprintf(sddl, sizeof sddl, "%s(A;;%s;;;WD)", GOOD, good[i]);
            believed(false);
        }
    }
    /* Where the service makes files of its own, nobody else may. */
    found.of_root = NULL;
    found.of_folder = GOOD "(A;;FR;;;WD)";
    assert_int_equal(hbk_trust_folder(the_folder, false, why), 0);
    found.of_folder = GOOD;
    found.of_root = GOOD "(A;;0x6;;;WD)";
    assert_int_equal(hbk_trust_folder(the_folder, false, why), 0);
    found.of_root = NULL;
    found.of_folder = GOOD "(A;;0x2;;;WD)";
    found.judged = 0;
    assert_int_equal(hbk_trust_folder(the_folder, false, why), HBK_TRUST_E_REFUSED);
}

static void entries_that_grant_nothing(void **state)
{
    (void)state;
    found.of_file = GOOD "(A;IO;FA;;;WD)"; /* for what is made inside */
    believed(false);
    found.of_file = GOOD "(A;;FA;;;S-1-3-4)"; /* whoever owns it */
    believed(false);
    found.of_file = "O:BAD:P(D;;FA;;;WD)(A;;FA;;;SY)";
    believed(false);
    /* What denies one makes nothing better of what grants another. */
    found.of_file = "O:BAD:P(D;;FA;;;BU)(A;;FW;;;WD)";
    refused(false, "everybody (S-1-1-0) may change");
}

/* ---- what it is ---- */

static void links(void **state)
{
    (void)state;
    believed(false);
    found.file_is_link = true;
    refused(false, "is a link");
    found.file_is_link = false;
    found.folder_is_link = true;
    refused(false, "is a link");
}

static void drives_and_devices(void **state)
{
    static const UINT bad[] = {DRIVE_REMOTE, DRIVE_REMOVABLE, DRIVE_CDROM};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        found.drive_type = bad[i];
        refused(false, "on a drive that belongs to this computer");
        assert_int_equal(found.judged, 0); /* it was not even opened */
    }
    found.drive_type = DRIVE_FIXED;
    found.file_type = FILE_TYPE_PIPE;
    refused(false, "is no file");
    found.file_type = 0;
    believed(false);
}

/* ---- what is held ---- */

static void cannot_be_opened(const wchar_t *name, DWORD access)
{
    HANDLE other = CreateFileW(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                               NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD error = GetLastError();
    assert_true(other == INVALID_HANDLE_VALUE);
    assert_int_equal(error, ERROR_SHARING_VIOLATION);
}

static void try_to_replace(void)
{
    cannot_be_opened(the_folder, DELETE); /* as renaming it would */
    cannot_be_opened(the_file, DELETE);
    cannot_be_opened(the_file, FILE_WRITE_DATA);
}

/* While it is judged nobody can put another in its place, nor a folder of its way. */
static void nothing_is_replaced_meanwhile(void **state)
{
    (void)state;
    found.while_held = try_to_replace;
    believed(false);
    HANDLE other =
        CreateFileW(the_folder, DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(other != INVALID_HANDLE_VALUE); /* afterwards one can */
    CloseHandle(other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(owners),
        TEST(who_runs_is_believed_where_asked),
        TEST(without_a_list),
        TEST(what_others_may_do_with_the_file),
        TEST(what_others_may_do_with_the_folders),
        TEST(entries_that_grant_nothing),
        TEST(links),
        TEST(drives_and_devices),
        TEST(nothing_is_replaced_meanwhile),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
