#include "auditio.h"

#include <windows.h>

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing is inherited from the folder, and the owner is nobody who could change that. */
#define FOR_SERVICE L"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
/* In a console the running user may not be able to make an administrator the owner; it is itself. */
#define FOR_CONSOLE L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;%ls)"

enum {
    SDDL_CHARS_MAX = 512,
    NUMBER_CHARS_MAX = 12, /* ".4294967295" */
    TOKEN_USER_BYTES = 256,
};

struct hbk_audit_disk {
    HANDLE file; /* INVALID_HANDLE_VALUE: closed */
    uint32_t (*check)(void *context, const wchar_t *path);
    void *check_context;
    bool console;
    size_t names_chars;
    wchar_t *from, *to; /* room for two names with numbers */
    wchar_t path[];
};

/* The descriptor of what is made, for LocalFree(). */
static uint32_t make_descriptor(const struct hbk_audit_disk *disk, PSECURITY_DESCRIPTOR *ret)
{
    wchar_t sddl[SDDL_CHARS_MAX] = FOR_SERVICE;
    if (disk->console) {
        union {
            TOKEN_USER user;
            BYTE bytes[TOKEN_USER_BYTES];
        } u;
        DWORD size = 0;
        wchar_t *sid = NULL;
        HANDLE token = NULL;
        if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
            return GetLastError();
        }
        BOOL good = GetTokenInformation(token, TokenUser, &u, sizeof(u), &size) &&
                    ConvertSidToStringSidW(u.user.User.Sid, &sid);
        uint32_t error = good ? 0 : GetLastError();
        CloseHandle(token);
        if (error != 0) {
            return error;
        }
        int count = _snwprintf(sddl, SDDL_CHARS_MAX, FOR_CONSOLE, sid);
        HBK_ASSERT(count > 0 && count < SDDL_CHARS_MAX);
        LocalFree(sid);
    }
    return ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, ret, NULL)
               ? 0
               : GetLastError();
}

/* The folder of the file, if it is missing; not those above it. */
static uint32_t make_folder(struct hbk_audit_disk *disk, SECURITY_ATTRIBUTES *attributes)
{
    uint32_t error = 0;
    (void)_snwprintf(disk->from, disk->names_chars, L"%ls", disk->path);
    wchar_t *back = wcsrchr(disk->from, L'\\');
    wchar_t *slash = wcsrchr(disk->from, L'/');
    wchar_t *end = slash > back ? slash : back;
    if (end == NULL) {
        return 0;
    }
    *end = L'\0';
    if (!CreateDirectoryW(disk->from, attributes)) {
        error = GetLastError();
    }
    /* It is there, or it is the root of a volume, which says "denied" or "bad name" of itself. Where it is
     * neither, opening the file says so. */
    return error == ERROR_PATH_NOT_FOUND ? error : 0;
}

/* Devices, pipes and links are no files: what would be written to, or where, is somebody else's choice. */
static uint32_t check_file(HANDLE file, uint64_t *ret_size)
{
    BY_HANDLE_FILE_INFORMATION facts;
    if (GetFileType(file) != FILE_TYPE_DISK) {
        return ERROR_BAD_FILE_TYPE;
    }
    if (!GetFileInformationByHandle(file, &facts)) {
        return GetLastError();
    }
    if (facts.dwFileAttributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) {
        return ERROR_BAD_FILE_TYPE;
    }
    *ret_size = (uint64_t)facts.nFileSizeHigh << 32 | facts.nFileSizeLow;
    return 0;
}

static uint32_t open_file(void *context, uint64_t *ret_size)
{
    struct hbk_audit_disk *disk = context;
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
    HBK_ASSERT(disk->file == INVALID_HANDLE_VALUE);
    uint32_t error = make_descriptor(disk, &attributes.lpSecurityDescriptor);
    if (error == 0) {
        error = make_folder(disk, &attributes);
    }
    if (error == 0 && disk->check != NULL) {
        error = disk->check(disk->check_context, disk->path);
    }
    if (error == 0) {
        disk->file =
            CreateFileW(disk->path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, &attributes,
                        OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        error = disk->file == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    }
    LocalFree(attributes.lpSecurityDescriptor);
    if (error != 0) {
        return error;
    }
    error = check_file(disk->file, ret_size);
    if (error != 0) {
        CloseHandle(disk->file);
        disk->file = INVALID_HANDLE_VALUE;
    }
    return error;
}

static bool still_there(void *context)
{
    struct hbk_audit_disk *disk = context;
    BY_HANDLE_FILE_INFORMATION facts;
    return GetFileInformationByHandle(disk->file, &facts) && facts.nNumberOfLinks > 0;
}

static OVERLAPPED at(uint64_t offset)
{
    OVERLAPPED where = {0};
    where.Offset = (DWORD)offset;
    where.OffsetHigh = (DWORD)(offset >> 32);
    return where;
}

static uint32_t read_file(void *context, uint64_t offset, void *bytes, uint32_t size,
                          uint32_t *ret_read)
{
    struct hbk_audit_disk *disk = context;
    OVERLAPPED where = at(offset);
    DWORD got = 0;
    uint32_t error = ReadFile(disk->file, bytes, size, &got, &where) ? 0 : GetLastError();
    *ret_read = got;
    return error == ERROR_HANDLE_EOF ? 0 : error;
}

static uint32_t write_file(void *context, uint64_t offset, const void *bytes, uint32_t size,
                           uint32_t *ret_written)
{
    struct hbk_audit_disk *disk = context;
    OVERLAPPED where = at(offset);
    DWORD written = 0;
    uint32_t error = WriteFile(disk->file, bytes, size, &written, &where) ? 0 : GetLastError();
    *ret_written = written;
    return error;
}

static uint32_t cut(void *context, uint64_t size)
{
    struct hbk_audit_disk *disk = context;
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = (LONGLONG)size};
    return SetFileInformationByHandle(disk->file, FileEndOfFileInfo, &end, sizeof(end))
               ? 0
               : GetLastError();
}

static void close_file(void *context)
{
    struct hbk_audit_disk *disk = context;
    CloseHandle(disk->file);
    disk->file = INVALID_HANDLE_VALUE;
}

static void name(const struct hbk_audit_disk *disk, uint32_t number, wchar_t *ret_name)
{
    int count = number == 0 ? _snwprintf(ret_name, disk->names_chars, L"%ls", disk->path)
                            : _snwprintf(ret_name, disk->names_chars, L"%ls.%lu", disk->path,
                                         (unsigned long)number);
    HBK_ASSERT(count > 0 && (size_t)count < disk->names_chars);
}

static uint32_t rename_file(void *context, uint32_t from, uint32_t to)
{
    struct hbk_audit_disk *disk = context;
    name(disk, from, disk->from);
    name(disk, to, disk->to);
    return MoveFileExW(disk->from, disk->to, MOVEFILE_REPLACE_EXISTING) ? 0 : GetLastError();
}

struct hbk_audit_disk *hbk_audit_disk_new(const wchar_t *path, bool console,
                                          uint32_t (*check)(void *context, const wchar_t *path),
                                          void *check_context, struct hbk_audit_io *ret_io)
{
    size_t chars = wcslen(path) + 1;
    size_t names_chars = chars + NUMBER_CHARS_MAX;
    struct hbk_audit_disk *disk =
        calloc(1, sizeof(*disk) + (chars + 2 * names_chars) * sizeof(wchar_t));
    if (disk == NULL) {
        return NULL;
    }
    disk->file = INVALID_HANDLE_VALUE;
    disk->check = check;
    disk->check_context = check_context;
    disk->console = console;
    disk->names_chars = names_chars;
    disk->from = disk->path + chars;
    disk->to = disk->from + names_chars;
    memcpy(disk->path, path, chars * sizeof(wchar_t));
    *ret_io = (struct hbk_audit_io){
        .context = disk,
        .open = open_file,
        .still_there = still_there,
        .read = read_file,
        .write = write_file,
        .cut = cut,
        .close = close_file,
        .rename = rename_file,
    };
    return disk;
}

void hbk_audit_disk_free(struct hbk_audit_disk *disk)
{
    if (disk != NULL) {
        HBK_ASSERT(disk->file == INVALID_HANDLE_VALUE);
        free(disk);
    }
}
