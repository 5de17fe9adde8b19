/* Copying what is in a file that was received. */
#include "hbctl.h"

#include <io.h>
#include <stdlib.h>

#define COPY_BYTES 65536u

static bool write_all(HANDLE to, const char *bytes, DWORD size)
{
    DWORD done = 0;

    while (size > 0) {
        if (!WriteFile(to, bytes, size, &done, NULL) || done == 0)
            return false;
        bytes += done;
        size -= done;
    }
    return true;
}

/* Reads from @offset, whether the sender has opened the file for overlapped I/O or not. Return: 0,
 * with *ret_size 0 at the end; or a Windows error. */
static DWORD read_at(HANDLE file, HANDLE event, uint64_t offset, char *bytes, DWORD *ret_size)
{
    OVERLAPPED overlapped = {0};

    overlapped.Offset = (DWORD)offset;
    overlapped.OffsetHigh = (DWORD)(offset >> 32);
    overlapped.hEvent = event;
    *ret_size = 0;
    if (ReadFile(file, bytes, COPY_BYTES, ret_size, &overlapped))
        return 0;
    DWORD error = GetLastError();
    if (error == ERROR_IO_PENDING) {
        if (GetOverlappedResult(file, &overlapped, ret_size, TRUE))
            return 0;
        error = GetLastError();
    }
    return error == ERROR_HANDLE_EOF || error == ERROR_BROKEN_PIPE ? 0 : error;
}

bool copy_contents(const struct arguments *arguments, const struct copy *copy, HANDLE from)
{
    char *bytes = malloc(COPY_BYTES);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    uint64_t offset = 0;
    DWORD size = 0;
    char what[160];
    bool good = bytes != NULL && event != NULL;

    while (good) {
        DWORD error = read_at(from, event, offset, bytes, &size);
        if (error != 0) {
            snprintf(what, sizeof what,
                     "the file cannot be read (Windows error %lu); was it opened and sent with the "
                     "right to read?",
                     error);
            usage_error(arguments, what, NULL);
            good = false;
        } else if (size == 0) {
            break;
        } else if (!write_all(copy->to, bytes, size)) {
            snprintf(what, sizeof what, "the copy cannot be written (Windows error %lu)",
                     GetLastError());
            usage_error(arguments, what, NULL);
            good = false;
        }
        offset += size;
    }
    if (event != NULL)
        CloseHandle(event);
    free(bytes);
    return good;
}

enum exit_code copy_open(const struct arguments *arguments, struct copy *copy)
{
    if (copy->print && (copy->output != NULL || arguments->globals.json))
        return usage_error(arguments,
                           "--print needs standard output for itself: without --json and --output",
                           NULL);
    if (copy->print)
        copy->to = (HANDLE)_get_osfhandle(_fileno(stdout));
    if (copy->output == NULL)
        return EXIT_DONE;
    wchar_t *path = to_wide(copy->output);
    HANDLE file = INVALID_HANDLE_VALUE;
    if (path != NULL)
        file = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                           FILE_ATTRIBUTE_NORMAL, NULL);
    free(path);
    if (file == INVALID_HANDLE_VALUE)
        return usage_error(arguments, "cannot write this file", copy->output);
    copy->to = file;
    return EXIT_DONE;
}

void copy_close(struct copy *copy)
{
    if (copy->output != NULL && copy->to != NULL)
        CloseHandle(copy->to);
    copy->to = NULL;
}

FILE *telling(const struct copy *copy)
{
    return copy->print ? stderr : stdout;
}
