#include "settings.h"

#include "config.h"
#include "findings.h"
#include "log.h"
#include "modes.h"
#include "place.h"
#include "rules.h"
#include "trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum {
    DEADLINE_MS_MIN = 50,
    DEADLINE_MS_MAX = 600000,
    SHARED_MIN = 2, /* of what is shared a user may have half: at least one */
    SHARED_MAX = 1048576,
    STORED_BYTES_MIN = 65536, /* a user may have half: room for an entry as large as any */
    STORED_BYTES_MAX = 2147483647,
    QUEUED_BYTES_MIN = 1048576,
    QUEUED_BYTES_MAX = 2147483647,
    AUDIT_FILE_BYTES_MIN = 65536,
    AUDIT_FILE_BYTES_MAX = 1073741824,
    AUDIT_FILES_MAX = 100,
    METRICS_INTERVAL_MS_MIN = 1000,
    METRICS_INTERVAL_MS_MAX = 3600000,
    ERROR_BYTES_MAX = 200,
};

#define LIMIT(NAME, MIN, MAX)                                  \
    {                                                          \
#NAME, (MIN), (MAX), offsetof(struct hbk_config, NAME) \
    }
const struct hbk_settings_limit hbk_settings_limits[HBK_SETTINGS_LIMITS] = {
    LIMIT(sessions, SHARED_MIN, HBK_SESSIONS_MAX),
    LIMIT(requests, SHARED_MIN, SHARED_MAX),
    LIMIT(pins, SHARED_MIN, SHARED_MAX),
    LIMIT(pending, SHARED_MIN, SHARED_MAX),
    LIMIT(endpoints, SHARED_MIN, SHARED_MAX),
    LIMIT(stored, SHARED_MIN, SHARED_MAX),
    LIMIT(stored_bytes, STORED_BYTES_MIN, STORED_BYTES_MAX),
    LIMIT(queued_bytes, QUEUED_BYTES_MIN, QUEUED_BYTES_MAX),
    LIMIT(sessions_per_user, 1, HBK_SESSIONS_MAX),
    LIMIT(requests_per_session, 1, 1024),
    LIMIT(endpoints_per_session, 1, 4096),
    LIMIT(pins_per_session, 1, 65536),
    LIMIT(pending_per_endpoint, 1, 65536),
    LIMIT(write_queue_bytes, HBK_LINE_BYTES_MAX, 16 * 1024 * 1024),
    LIMIT(hello_ms, DEADLINE_MS_MIN, DEADLINE_MS_MAX),
    LIMIT(line_ms, DEADLINE_MS_MIN, DEADLINE_MS_MAX),
    LIMIT(write_ms, DEADLINE_MS_MIN, DEADLINE_MS_MAX),
    LIMIT(stop_ms, DEADLINE_MS_MIN, DEADLINE_MS_MAX),
};

uint32_t *hbk_settings_value(struct hbk_config *config, const struct hbk_settings_limit *limit)
{
    return (uint32_t *)(void *)((uint8_t *)config + limit->offset);
}

/* ---- the file ---- */

/* Reads all of @file, for free(). Return: 0; HBK_SETTINGS_E_REFUSED; -1 out of memory. */
static int read_bytes(HANDLE file, struct hbk_findings *findings, char **ret_bytes,
                      size_t *ret_size)
{
    LARGE_INTEGER size;
    DWORD error, read = 0;
    char *bytes = NULL, text[ERROR_BYTES_MAX];

    if (!GetFileSizeEx(file, &size)) {
        error = GetLastError();
        goto windows;
    }
    if (size.QuadPart > HBK_CONFIG_BYTES_MAX) {
        hbk_findings_add(findings, 0, "", "is larger than %d bytes, the most that is read",
                         HBK_CONFIG_BYTES_MAX);
        return HBK_SETTINGS_E_REFUSED;
    }
    bytes = malloc((size_t)size.QuadPart + 1);
    if (bytes == NULL) {
        return -1;
    }
    if (!ReadFile(file, bytes, (DWORD)size.QuadPart, &read, NULL)) {
        error = GetLastError();
        free(bytes);
        goto windows;
    }
    *ret_bytes = bytes;
    *ret_size = read;
    return 0;
windows:
    hbk_findings_add(findings, 0, "", "cannot be read: %s (error %lu)",
                     hbk_log_error_text(error, text, sizeof(text)), error);
    return HBK_SETTINGS_E_REFUSED;
}

static void report(void *context, uint32_t line, const char *key, const char *what)
{
    hbk_findings_add(context, line, key, "%s", what);
}

/* The path of a file that the service writes, for free(). Return: 0, also where it is absent or refused; -1 out of
 * memory. */
static int read_file_path(const struct hbk_config_text *text, const char *key, const char *example,
                          struct hbk_findings *findings, wchar_t **ret_path)
{
    if (text->text.data == NULL) {
        return 0;
    }
    wchar_t *path = calloc(text->text.size + 1, sizeof(*path));
    if (path == NULL) {
        return -1;
    }
    int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text->text.data,
                                   (int)text->text.size, path, (int)text->text.size);
    HBK_ASSERT(size > 0); /* the codec lets nothing through but UTF-8 */
    bool drive = (path[0] >= L'A' && path[0] <= L'Z') || (path[0] >= L'a' && path[0] <= L'z');
    if (!drive || size < 4 || path[1] != L':' || path[2] != L'\\' ||
        wcspbrk(path + 2, L":*?\"<>|/") != NULL || path[size - 1] == L'\\') {
        hbk_findings_add(findings, text->line, key,
                         "must be the whole path of a file on a local drive, for example \"%s\"",
                         example);
        free(path);
        return 0;
    }
    *ret_path = path;
    return 0;
}

/* What @text says, into @settings. Return: 0, also where there are findings; -1 out of memory. */
static int read_text(struct hbk_text text, struct hbk_findings *findings,
                     struct hbk_settings *settings)
{
    struct hbk_config_field fields[HBK_SETTINGS_LIMITS + 3];
    struct hbk_config_file file = {.tree = NULL};
    size_t count = 0;

    for (; count < HBK_SETTINGS_LIMITS; count++) {
        const struct hbk_settings_limit *limit = &hbk_settings_limits[count];
        fields[count] = (struct hbk_config_field){"limits", limit->name, limit->min, limit->max,
                                                  hbk_settings_value(&settings->config, limit)};
    }
    fields[count++] = (struct hbk_config_field){"audit", "file_bytes", AUDIT_FILE_BYTES_MIN,
                                                AUDIT_FILE_BYTES_MAX, &settings->audit_file_bytes};
    fields[count++] =
        (struct hbk_config_field){"audit", "files", 1, AUDIT_FILES_MAX, &settings->audit_files};
    fields[count++] =
        (struct hbk_config_field){"metrics", "interval_ms", METRICS_INTERVAL_MS_MIN,
                                  METRICS_INTERVAL_MS_MAX, &settings->metrics_interval_ms};
    int result = hbk_config_read(text, fields, count, report, findings, &file);
    if (result < 0) {
        return result;
    }
    /* Also where it found mistakes: there may be more of another kind. */
    settings->own_verbs[HBK_VERB_INSPECT] = file.inspect.text.data != NULL;
    settings->own_verbs[HBK_VERB_TRANSFER] = file.transfer.text.data != NULL;
    settings->own_verbs[HBK_VERB_REVOKE] = file.revoke.text.data != NULL;
    result = hbk_rules_new(&file, findings, &settings->policy);
    if (result == 0) {
        result = read_file_path(&file.audit_file, "audit.file",
                                "C:\\\\ProgramData\\\\HandleBroker\\\\audit.jsonl", findings,
                                &settings->audit_path);
    }
    if (result == 0) {
        result = read_file_path(&file.metrics_file, "metrics.file",
                                "C:\\\\ProgramData\\\\HandleBroker\\\\handlebroker.prom", findings,
                                &settings->metrics_path);
    }
    settings->config.audit_file = settings->audit_path != NULL;
    hbk_config_clear(&file);
    return result;
}

static void set_defaults(struct hbk_settings *ret_settings)
{
    *ret_settings = (struct hbk_settings){
        .audit_file_bytes = HBK_AUDIT_FILE_BYTES_DEFAULT,
        .audit_files = HBK_AUDIT_FILES_DEFAULT,
        .metrics_interval_ms = HBK_METRICS_INTERVAL_MS_DEFAULT,
    };
    hbk_config_default(&ret_settings->config);
    ret_settings->config.pid = GetCurrentProcessId();
}

/* Return: 0; HBK_SETTINGS_E_REFUSED; -1 out of memory. */
static int read_file(HANDLE file, struct hbk_findings *findings, struct hbk_settings *settings)
{
    char *bytes = NULL;
    size_t size = 0;
    int result = read_bytes(file, findings, &bytes, &size);

    if (result == 0) {
        result = read_text((struct hbk_text){bytes, size}, findings, settings);
        free(bytes);
    }
    if (result == 0 && findings->count > 0) {
        result = HBK_SETTINGS_E_REFUSED;
    }
    return result;
}

int hbk_settings_judge(HANDLE file, struct hbk_findings *findings,
                       struct hbk_settings *ret_settings)
{
    struct hbk_settings settings;

    set_defaults(&settings);
    int result = read_file(file, findings, &settings);
    if (result != 0) {
        hbk_settings_free(&settings);
        return result;
    }
    *ret_settings = settings;
    return 0;
}

/* @self: as in trust.h. @ignore: where the file is missing or not trusted, go on without it. */
static int read_path(const wchar_t *path, bool self, bool ignore, struct hbk_findings *findings,
                     struct hbk_settings *settings, struct hbk_buffer *notes)
{
    HANDLE file = INVALID_HANDLE_VALUE;
    char why[HBK_TRUST_WHY_BYTES];
    int result = hbk_trust_open(path, self, &file, why);

    if (result == 0) {
        hbk_log_narrow(path, settings->source, sizeof(settings->source));
        result = read_file(file, findings, settings);
        CloseHandle(file);
        return result;
    }
    if (result == HBK_TRUST_E_MISSING) {
        if (!ignore) {
            hbk_findings_add(findings, 0, "", "there is no such file; write its whole path");
        }
    } else if (ignore) {
        static const char text[] = "; the file is ignored and the built-in rules hold\n";
        hbk_buffer_append(notes, why, strlen(why));
        hbk_buffer_append(notes, text, sizeof(text) - 1);
    } else {
        hbk_findings_add(findings, 0, "", "cannot be believed: %s", why);
    }
    if (!ignore) {
        return HBK_SETTINGS_E_REFUSED;
    }
    return hbk_rules_new(NULL, findings, &settings->policy);
}

int hbk_settings_read(const wchar_t *named, bool service, struct hbk_settings *ret_settings,
                      struct hbk_buffer *notes)
{
    struct hbk_settings settings;
    struct hbk_findings *findings = calloc(1, sizeof(*findings));
    wchar_t path[HBK_PLACE_CHARS];
    char name[HBK_SETTINGS_NAME_BYTES] = "";
    int result;

    if (findings == NULL) {
        return -1;
    }
    set_defaults(&settings);
    if (named != NULL) {
        hbk_log_narrow(named, name, sizeof(name));
        result = read_path(named, true, false, findings, &settings, notes);
    } else if (service && hbk_place_file(path) == 0) {
        hbk_log_narrow(path, name, sizeof(name));
        result = read_path(path, true, true, findings, &settings, notes);
    } else {
        result = hbk_rules_new(NULL, findings, &settings.policy);
    }
    hbk_findings_tell(findings, name, notes);
    free(findings);
    if (result != 0) {
        hbk_settings_free(&settings);
        return result;
    }
    HBK_ASSERT(settings.policy != NULL);
    *ret_settings = settings;
    return 0;
}

void hbk_settings_free(struct hbk_settings *settings)
{
    hbk_rules_free(settings->policy);
    free(settings->audit_path);
    free(settings->metrics_path);
    *settings = (struct hbk_settings){.policy = NULL};
}

void hbk_settings_log(const struct hbk_buffer *notes)
{
    const char *at = (const char *)notes->data;
    size_t left = notes->size;

    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t size = end != NULL ? (size_t)(end - at) : left;
        hbk_log("%.*s", (int)size, at);
        size += end != NULL;
        at += size;
        left -= size;
    }
}

int hbk_settings_start(const wchar_t *named, bool service, struct hbk_settings *ret_settings)
{
    struct hbk_buffer notes;

    if (service) {
        uint32_t error = hbk_place_make();
        if (error != 0) {
            hbk_log_windows_error("make the folder HandleBroker in ProgramData", error);
        }
    }
    hbk_buffer_init(&notes, HBK_SETTINGS_NOTES_BYTES);
    int result = hbk_settings_read(named, service, ret_settings, &notes);
    hbk_settings_log(&notes);
    hbk_buffer_deinit(&notes);
    if (result < 0) {
        hbk_log("out of memory");
    }
    return result;
}

int hbk_settings_check(const wchar_t *path)
{
    struct hbk_buffer notes;
    struct hbk_settings settings;
    HANDLE file = INVALID_HANDLE_VALUE;
    char why[HBK_TRUST_WHY_BYTES];
    int exit_code = HBK_EXIT_USAGE;

    hbk_log_init(true);
    hbk_buffer_init(&notes, HBK_SETTINGS_NOTES_BYTES);
    int result = hbk_settings_read(path, false, &settings, &notes);
    hbk_settings_log(&notes);
    if (result < 0) {
        hbk_log("out of memory");
        exit_code = HBK_EXIT_FAILED;
    }
    if (result == 0) {
        hbk_settings_print(&settings);
        /* What whoever asks may believe, the service must not where it is theirs alone. */
        if (hbk_trust_open(path, false, &file, why) == HBK_TRUST_E_REFUSED) {
            printf("\nThe service itself would not believe it where it is: %s\n", why);
        }
        if (file != INVALID_HANDLE_VALUE) {
            CloseHandle(file);
        }
        hbk_settings_free(&settings);
        exit_code = HBK_EXIT_OK;
    }
    hbk_buffer_deinit(&notes);
    return exit_code;
}
