#include "operator.h"

#include "auditfile.h"
#include "log.h"
#include "metricsfile.h"
#include "reload.h"
#include "trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum {
    AUDIT_STOP_MS = 2000,
    DETAIL_BYTES_MAX = 1024,
    TEXT_BYTES_MAX = 256,
};

struct hbk_operator {
    uv_loop_t *loop;
    const wchar_t *config;
    bool console;
    struct hbk_event_log *log;
    struct hbk_broker *broker;
    struct hbk_audit_file *audit;     /* NULL: none */
    struct hbk_metrics_file *metrics; /* NULL: none */
    struct hbk_reload *reload;
    void (*ended)(void *context, bool stuck);
    void *ended_context;

    /* What the service runs with, to see that a reload says otherwise. */
    wchar_t *audit_path;
    uint32_t audit_file_bytes, audit_files;
    wchar_t *metrics_path;
    uint32_t metrics_interval_ms;
    /* The folder of the audit file, of the metrics' file, is not trusted; of the last job. */
    char why[HBK_TRUST_WHY_BYTES], metrics_why[HBK_TRUST_WHY_BYTES];
};

/* ---- notes ---- */

/* A notice on its way to the broker's thread, its texts behind it. */
struct note {
    struct hbk_broker_work work;
    struct hbk_notice notice;
    char detail[];
};

static void do_note(void *context, struct hbk_core *core)
{
    struct note *note = context;
    hbk_core_note(core, &note->notice);
    free(note);
}

void hbk_operator_note(struct hbk_operator *op, const struct hbk_notice *notice)
{
    size_t size = strlen(notice->detail) + 1;
    struct note *note = malloc(sizeof(*note) + size);
    if (note != NULL) {
        *note = (struct note){.notice = *notice};
        memcpy(note->detail, notice->detail, size);
        note->notice.detail = note->detail;
        note->work.function = do_note;
        note->work.context = note;
        if (op->broker != NULL && hbk_broker_post(op->broker, &note->work)) {
            return;
        }
    }
    hbk_event_log_notice(op->log, notice);
    free(note);
}

static void note_text(struct hbk_operator *op, enum hbk_notice_kind kind, uint32_t win32,
                      const char *detail)
{
    /* The core's records take what fits, and every text has to be there. */
    const struct hbk_notice notice = {.kind = kind,
                                      .count = 1,
                                      .win32 = win32,
                                      .user = "",
                                      .event = "",
                                      .name = "",
                                      .error = "",
                                      .detail = detail};
    hbk_operator_note(op, &notice);
}

void hbk_operator_warn(struct hbk_operator *op, uint32_t win32, const char *detail)
{
    note_text(op, HBK_NOTICE_WARNING, win32, detail);
}

/* ---- the audit file ---- */

static bool on_line(void *context, const void *line, size_t size)
{
    struct hbk_operator *op = context;
    return op->audit != NULL && hbk_audit_file_line(op->audit, line, size);
}

static void on_notice(void *context, const struct hbk_notice *notice)
{
    struct hbk_operator *op = context;
    hbk_event_log_notice(op->log, notice);
}

/* On a worker, before the file is opened. @context: where to say why not. Whom this process runs as is trusted: for the service that is the
 * system. */
static uint32_t check_folder(void *context, const wchar_t *path)
{
    char *why = context;
    const wchar_t *end = path + wcslen(path);
    why[0] = '\0';
    while (end > path && end[-1] != L'\\' && end[-1] != L'/') {
        end--;
    }
    size_t size = (size_t)(end - path);
    wchar_t *folder = malloc((size + 1) * sizeof(*folder));
    if (folder == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    memcpy(folder, path, size * sizeof(*folder));
    folder[size] = L'\0';
    int result = hbk_trust_folder(folder, true, why);
    free(folder);
    return result == 0                     ? 0
           : result == HBK_TRUST_E_MISSING ? ERROR_PATH_NOT_FOUND
                                           : ERROR_ACCESS_DENIED;
}

static void on_audit(void *context, const struct hbk_audit_file_report *report)
{
    struct hbk_operator *op = context;
    char text[DETAIL_BYTES_MAX], error[TEXT_BYTES_MAX];
    const char *reason =
        op->why[0] != '\0' ? op->why : hbk_log_error_text(report->win32, error, sizeof(error));
    switch (report->news) {
    case HBK_AUDIT_FILE_FAILS:
        (void)snprintf(text, sizeof(text),
                       "the audit file cannot be written: %s; records wait for it, and are dropped "
                       "when %d bytes wait (%llu so far)",
                       reason, HBK_AUDIT_QUEUE_BYTES_MAX, (unsigned long long)report->dropped);
        break;
    case HBK_AUDIT_FILE_WORKS:
        (void)snprintf(text, sizeof(text),
                       "the audit file is written again; %llu records were dropped meanwhile",
                       (unsigned long long)report->dropped);
        break;
    case HBK_AUDIT_FILE_NOT_ROTATED:
        (void)snprintf(
            text, sizeof(text),
            "the audit file is full and cannot be renamed: %s; it grows on until who has "
            "it or an older one open has closed it",
            reason);
        break;
    }
    hbk_operator_warn(op, report->win32, text);
}

static int open_audit(struct hbk_operator *op, const struct hbk_settings *settings)
{
    if (settings->audit_path == NULL) {
        return 0;
    }
    const struct hbk_audit_file_options options = {
        .path = settings->audit_path,
        .file_bytes = settings->audit_file_bytes,
        .files = settings->audit_files,
        .console = op->console,
        .check = check_folder,
        .check_context = op->why,
    };
    op->audit_file_bytes = settings->audit_file_bytes;
    op->audit_files = settings->audit_files;
    op->audit_path = _wcsdup(settings->audit_path);
    if (op->audit_path == NULL) {
        return -1;
    }
    return hbk_audit_file_new(op->loop, &options, on_audit, op, &op->audit);
}

static bool same_audit(const struct hbk_operator *op, const struct hbk_settings *settings)
{
    if (op->audit_path == NULL || settings->audit_path == NULL) {
        return op->audit_path == NULL && settings->audit_path == NULL;
    }
    return wcscmp(op->audit_path, settings->audit_path) == 0 &&
           op->audit_file_bytes == settings->audit_file_bytes &&
           op->audit_files == settings->audit_files;
}

/* ---- the metrics' file ---- */

static void on_metrics(void *context, uint32_t win32)
{
    struct hbk_operator *op = context;
    char text[DETAIL_BYTES_MAX], error[TEXT_BYTES_MAX];

    if (win32 == 0) {
        hbk_operator_warn(op, 0, "the metrics file is written again");
        return;
    }
    (void)snprintf(text, sizeof(text), "the metrics file cannot be written: %s",
                   op->metrics_why[0] != '\0' ? op->metrics_why
                                              : hbk_log_error_text(win32, error, sizeof(error)));
    hbk_operator_warn(op, win32, text);
}

static int open_metrics(struct hbk_operator *op, const struct hbk_settings *settings)
{
    if (settings->metrics_path == NULL) {
        return 0;
    }
    const struct hbk_metrics_file_options options = {
        .path = settings->metrics_path,
        .interval_ms = settings->metrics_interval_ms,
        .check = check_folder,
        .check_context = op->metrics_why,
    };
    op->metrics_interval_ms = settings->metrics_interval_ms;
    op->metrics_path = _wcsdup(settings->metrics_path);
    if (op->metrics_path == NULL) {
        return -1;
    }
    return hbk_metrics_file_new(op->loop, &options, on_metrics, op, &op->metrics);
}

static bool same_metrics(const struct hbk_operator *op, const struct hbk_settings *settings)
{
    if (op->metrics_path == NULL || settings->metrics_path == NULL) {
        return op->metrics_path == NULL && settings->metrics_path == NULL;
    }
    return wcscmp(op->metrics_path, settings->metrics_path) == 0 &&
           op->metrics_interval_ms == settings->metrics_interval_ms;
}

/* ---- new rules ---- */

/* What a worker has read; on its way to the broker's thread if it is good. */
struct reading {
    struct hbk_broker_work work;
    int result; /* of hbk_settings_read() */
    struct hbk_settings settings;
    struct hbk_buffer notes;
};

static void free_reading(struct reading *reading)
{
    hbk_settings_free(&reading->settings);
    hbk_buffer_deinit(&reading->notes);
    free(reading);
}

static void *read_settings(void *context)
{
    struct hbk_operator *op = context;
    struct reading *reading = calloc(1, sizeof(*reading));
    if (reading == NULL) {
        hbk_log("out of memory: the configuration file was not read, and the rules stay");
        return NULL;
    }
    hbk_buffer_init(&reading->notes, HBK_SETTINGS_NOTES_BYTES);
    reading->result =
        hbk_settings_read(op->config, !op->console, &reading->settings, &reading->notes);
    return reading;
}

static void do_configure(void *context, struct hbk_core *core)
{
    struct reading *reading = context;
    struct hbk_settings *settings = &reading->settings;
    hbk_core_configure(core, &settings->config, settings->policy,
                       settings->source[0] != '\0' ? settings->source : NULL);
    settings->policy = NULL;
    free_reading(reading);
}

/* The first of what is wrong with a file, on one line. */
static void first_lines(const struct hbk_buffer *notes, char text[DETAIL_BYTES_MAX])
{
    size_t size = notes->size < DETAIL_BYTES_MAX ? notes->size : DETAIL_BYTES_MAX - 1;
    while (size > 0 && notes->data[size - 1] == '\n') {
        size--;
    }
    if (size > 0) {
        memcpy(text, notes->data, size);
    }
    text[size] = '\0';
    for (char *end = strchr(text, '\n'); end != NULL; end = strchr(end, '\n')) {
        *end = ';';
    }
}

static void keep(struct hbk_operator *op, const struct reading *reading)
{
    char text[DETAIL_BYTES_MAX] = "out of memory while the file was read";
    if (reading->result > 0) {
        first_lines(&reading->notes, text);
    }
    note_text(op, HBK_NOTICE_POLICY_KEPT, 0, text);
}

static void take_settings(void *context, void *result)
{
    struct hbk_operator *op = context;
    struct reading *reading = result;
    hbk_settings_log(&reading->notes);
    if (reading->result != 0) {
        keep(op, reading);
        free_reading(reading);
        return;
    }
    if (!same_audit(op, &reading->settings)) {
        hbk_operator_warn(op, 0,
                          "what the file says of the audit file holds from the next start on");
    }
    if (!same_metrics(op, &reading->settings)) {
        hbk_operator_warn(op, 0,
                          "what the file says of the metrics file holds from the next start on");
    }
    reading->settings.config.audit_file = op->audit != NULL;
    reading->work.function = do_configure;
    reading->work.context = reading;
    if (!hbk_broker_post(op->broker, &reading->work)) {
        free_reading(reading);
    }
}

static void drop_settings(void *context, void *result)
{
    (void)context;
    free_reading(result);
}

void hbk_operator_reload(struct hbk_operator *op)
{
    hbk_reload_request(op->reload);
}

/* ---- life ---- */

int hbk_operator_new(uv_loop_t *loop, const struct hbk_operator_options *options,
                     struct hbk_operator **ret_operator)
{
    struct hbk_operator *op = calloc(1, sizeof(*op));
    if (op == NULL) {
        return -1;
    }
    const struct hbk_reload_job job = {op, read_settings, take_settings, drop_settings};
    op->loop = loop;
    op->config = options->config;
    op->console = options->console;
    op->log = options->log;
    int result = open_audit(op, options->settings);
    if (result == 0) {
        result = open_metrics(op, options->settings);
    }
    if (result == 0) {
        result = hbk_reload_new(loop, &job, &op->reload);
    }
    *ret_operator = op; /* for stop() and free() in either case */
    return result;
}

void hbk_operator_sinks(struct hbk_operator *op, struct hbk_win_sinks *ret_sinks)
{
    *ret_sinks = (struct hbk_win_sinks){.context = op, .line = on_line, .notice = on_notice};
}

void hbk_operator_serve(struct hbk_operator *op, struct hbk_broker *broker)
{
    op->broker = broker;
    if (op->metrics != NULL) {
        hbk_metrics_file_start(op->metrics, broker);
    }
}

uint32_t hbk_operator_stop_ms(void)
{
    return AUDIT_STOP_MS;
}

static void on_audit_ended(void *context, bool stuck)
{
    struct hbk_operator *op = context;
    op->ended(op->ended_context, stuck);
}

void hbk_operator_stop(struct hbk_operator *op, void (*ended)(void *context, bool stuck),
                       void *context)
{
    op->ended = ended;
    op->ended_context = context;
    op->broker = NULL;
    hbk_reload_close(op->reload);
    hbk_metrics_file_close(op->metrics);
    if (op->audit == NULL) {
        ended(context, false);
    } else {
        hbk_audit_file_stop(op->audit, AUDIT_STOP_MS, on_audit_ended);
    }
}

void hbk_operator_free(struct hbk_operator *op)
{
    if (op != NULL) {
        hbk_audit_file_free(op->audit);
        hbk_reload_free(op->reload);
        hbk_metrics_file_free(op->metrics);
        free(op->audit_path);
        free(op->metrics_path);
        free(op);
    }
}
