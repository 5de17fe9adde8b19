#include "settings.h"

#include "config.h"
#include "log.h"

#include <stdlib.h>
#include <windows.h>

enum { NAME_BYTES_MAX = 512, DEADLINE_MS_MIN = 50, DEADLINE_MS_MAX = 600000 };

/* Reads the whole file at @path, for free(). Return: 0, or the Windows error. */
static uint32_t read_file(const wchar_t *path, char **ret_bytes, size_t *ret_size)
{
    uint32_t error = 0;
    LARGE_INTEGER size;
    DWORD read = 0;
    char *bytes = NULL;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                              FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    /* A pipe or a device could keep the service waiting for ever. */
    if (GetFileType(file) != FILE_TYPE_DISK) {
        error = ERROR_BAD_FILE_TYPE;
        goto out;
    }
    if (!GetFileSizeEx(file, &size)) {
        error = GetLastError();
        goto out;
    }
    if (size.QuadPart > HBK_CONFIG_BYTES_MAX) {
        error = ERROR_FILE_TOO_LARGE;
        goto out;
    }
    bytes = malloc((size_t)size.QuadPart + 1);
    if (bytes == NULL) {
        error = ERROR_NOT_ENOUGH_MEMORY;
        goto out;
    }
    if (!ReadFile(file, bytes, (DWORD)size.QuadPart, &read, NULL)) {
        error = GetLastError();
        goto out;
    }
    *ret_bytes = bytes;
    *ret_size = read;
    bytes = NULL;
out:
    free(bytes);
    CloseHandle(file);
    return error;
}

static void report(void *context, const char *message)
{
    const char *name = context;
    hbk_log("%s: %s", name, message);
}

static int read_text(struct hbk_text text, const char *name, struct hbk_config *config)
{
    const struct hbk_config_field fields[] = {
        {"limits", "sessions", 1, HBK_SESSIONS_MAX, &config->sessions},
        {"limits", "sessions_per_user", 1, HBK_SESSIONS_MAX, &config->sessions_per_user},
        {"limits", "requests_per_session", 1, 1024, &config->requests_per_session},
        {"limits", "endpoints_per_session", 1, 4096, &config->endpoints_per_session},
        {"limits", "pins_per_session", 1, 65536, &config->pins_per_session},
        {"limits", "pending_per_endpoint", 1, 65536, &config->pending_per_endpoint},
        {"limits", "write_queue_bytes", HBK_LINE_BYTES_MAX, 16 * 1024 * 1024,
         &config->write_queue_bytes},
        {"limits", "hello_ms", DEADLINE_MS_MIN, DEADLINE_MS_MAX, &config->hello_ms},
        {"limits", "line_ms", DEADLINE_MS_MIN, DEADLINE_MS_MAX, &config->line_ms},
        {"limits", "write_ms", DEADLINE_MS_MIN, DEADLINE_MS_MAX, &config->write_ms},
        {"limits", "stop_ms", DEADLINE_MS_MIN, DEADLINE_MS_MAX, &config->stop_ms},
    };
    int result =
        hbk_config_read(text, fields, sizeof(fields) / sizeof(*fields), report, (void *)name);
    if (result < 0) {
        hbk_log("%s: out of memory", name);
    }
    return result == 0 ? 0 : HBK_SETTINGS_E_REFUSED;
}

int hbk_settings_read(const wchar_t *path, struct hbk_config *ret_config)
{
    struct hbk_config config;
    hbk_config_default(&config);
    config.pid = GetCurrentProcessId();
    if (path != NULL) {
        char name[NAME_BYTES_MAX];
        char *bytes = NULL;
        size_t size = 0;
        hbk_log_narrow(path, name, sizeof(name));
        uint32_t error = read_file(path, &bytes, &size);
        if (error != 0) {
            if (error == ERROR_FILE_TOO_LARGE) {
                hbk_log("%s: larger than %d bytes, the most that is read", name,
                        HBK_CONFIG_BYTES_MAX);
            } else {
                hbk_log_windows_error(name, error);
            }
            return HBK_SETTINGS_E_REFUSED;
        }
        int result = read_text((struct hbk_text){bytes, size}, name, &config);
        free(bytes);
        if (result != 0) {
            return result;
        }
    }
    *ret_config = config;
    return 0;
}
