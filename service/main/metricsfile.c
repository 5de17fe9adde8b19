#include "metricsfile.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { FAILURES_TOLD = 3 }; /* in a row */

enum state {
    STATE_IDLE,
    STATE_ASKED,   /* the broker's thread has `text` */
    STATE_WRITING, /* a worker has it */
};

struct hbk_metrics_file {
    struct hbk_broker *broker;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_async_t made; /* by the broker's thread: there is a text */
    uv_work_t work;
    struct hbk_broker_work ask;
    struct hbk_buffer text;
    enum state state;
    bool closing;
    uint32_t interval_ms;
    uint32_t (*check)(void *context, const wchar_t *path);
    void *check_context;
    hbk_metrics_file_tell tell;
    void *context;
    uint32_t error; /* of the last job */
    unsigned failures;
    wchar_t *temporary; /* behind `path` */
    wchar_t path[];
};

/* ---- a worker ---- */

static uint32_t write_whole(const wchar_t *path, const struct hbk_buffer *text)
{
    DWORD written = 0;
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    uint32_t error =
        WriteFile(file, text->data, (DWORD)text->size, &written, NULL) ? 0 : GetLastError();
    if (error == 0 && written != text->size) {
        error = ERROR_DISK_FULL;
    }
    CloseHandle(file);
    return error;
}

static void on_work(uv_work_t *work)
{
    struct hbk_metrics_file *file = work->data;
    file->error = file->check(file->check_context, file->path);
    if (file->error != 0) {
        return;
    }
    file->error = write_whole(file->temporary, &file->text);
    if (file->error == 0 && !MoveFileExW(file->temporary, file->path, MOVEFILE_REPLACE_EXISTING)) {
        file->error = GetLastError();
    }
    if (file->error != 0) {
        DeleteFileW(file->temporary);
    }
}

/* ---- the loop's thread ---- */

static void on_worked(uv_work_t *work, int status)
{
    struct hbk_metrics_file *file = work->data;
    HBK_ASSERT(status == 0 && file->state == STATE_WRITING);
    file->state = STATE_IDLE;
    if (file->closing) {
        return;
    }
    if (file->error == 0) {
        if (file->failures >= FAILURES_TOLD) {
            file->tell(file->context, 0);
        }
        file->failures = 0;
    } else if (++file->failures == FAILURES_TOLD) {
        file->tell(file->context, file->error);
    } else if (file->failures > FAILURES_TOLD) {
        file->failures = FAILURES_TOLD + 1;
    }
}

static void on_made(uv_async_t *made)
{
    struct hbk_metrics_file *file = made->data;
    HBK_ASSERT(file->state == STATE_ASKED);
    if (file->text.failed) {
        file->state = STATE_IDLE; /* out of memory: perhaps next time */
        return;
    }
    file->state = STATE_WRITING;
    file->work.data = file;
    int result = uv_queue_work(file->loop, &file->work, on_work, on_worked);
    HBK_ASSERT(result == 0);
}

/* On the broker's thread. */
static void make_text(void *context, struct hbk_core *core)
{
    struct hbk_metrics_file *file = context;
    hbk_buffer_clear(&file->text);
    hbk_core_metrics(core, &file->text);
    uv_async_send(&file->made);
}

static void on_due(uv_timer_t *timer)
{
    struct hbk_metrics_file *file = timer->data;
    if (file->state != STATE_IDLE) {
        return; /* the disk is slower than that */
    }
    file->ask.function = make_text;
    file->ask.context = file;
    file->state = STATE_ASKED;
    if (!hbk_broker_post(file->broker, &file->ask)) {
        file->state = STATE_IDLE;
    }
}

/* ---- life ---- */

int hbk_metrics_file_new(uv_loop_t *loop, const struct hbk_metrics_file_options *options,
                         hbk_metrics_file_tell tell, void *context,
                         struct hbk_metrics_file **ret_file)
{
    static const wchar_t tail[] = L".tmp";
    size_t chars = wcslen(options->path) + 1;
    size_t tail_chars = sizeof(tail) / sizeof(*tail);
    struct hbk_metrics_file *file =
        calloc(1, sizeof(*file) + (2 * chars + tail_chars) * sizeof(wchar_t));
    if (file == NULL) {
        return -1;
    }
    if (uv_async_init(loop, &file->made, on_made) != 0) {
        free(file);
        return -1;
    }
    int result = uv_timer_init(loop, &file->timer);
    HBK_ASSERT(result == 0);
    file->loop = loop;
    file->made.data = file;
    file->timer.data = file;
    file->interval_ms = options->interval_ms;
    file->check = options->check;
    file->check_context = options->check_context;
    file->tell = tell;
    file->context = context;
    file->temporary = file->path + chars;
    memcpy(file->path, options->path, chars * sizeof(wchar_t));
    memcpy(file->temporary, options->path, chars * sizeof(wchar_t));
    memcpy(file->temporary + chars - 1, tail, sizeof(tail));
    hbk_buffer_init(&file->text, HBK_METRICS_BYTES_MAX);
    *ret_file = file;
    return 0;
}

void hbk_metrics_file_start(struct hbk_metrics_file *file, struct hbk_broker *broker)
{
    HBK_ASSERT(file->broker == NULL && !file->closing);
    file->broker = broker;
    uv_timer_start(&file->timer, on_due, 0, file->interval_ms);
}

void hbk_metrics_file_close(struct hbk_metrics_file *file)
{
    if (file != NULL && !file->closing) {
        file->closing = true;
        uv_close((uv_handle_t *)&file->timer, NULL);
        uv_close((uv_handle_t *)&file->made, NULL);
    }
}

void hbk_metrics_file_free(struct hbk_metrics_file *file)
{
    if (file != NULL) {
        HBK_ASSERT(file->closing && file->state != STATE_WRITING);
        hbk_buffer_deinit(&file->text);
        free(file);
    }
}
