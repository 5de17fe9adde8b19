/* Two buffers: one is filled under the lock by whoever has a line, the other belongs to the worker while a job
 * runs, and to the loop's thread while none does. */
#include "auditfile.h"

#include "auditio.h"

#include <stdlib.h>
#include <windows.h>

enum { RETRY_MS_MIN = 1000, RETRY_MS_MAX = 30000 };

struct hbk_audit_file {
    uv_loop_t *loop;
    uv_async_t wake;
    uv_timer_t timer; /* the next try, or the end of a stop */
    uv_work_t work;
    unsigned open_handles; /* of the two */
    hbk_audit_file_tell tell;
    void *context;
    void (*ended)(void *context, bool stuck);

    SRWLOCK lock;
    struct hbk_buffer filling; /* under lock */
    size_t writing_size;       /* under lock: bytes that are taken and not written */
    uint64_t dropped;          /* under lock */
    bool woken;                /* under lock: `wake` was sent and has not been seen */

    struct hbk_buffer writing;
    struct hbk_audit_disk *disk;
    struct hbk_audit_writer writer;
    size_t done;    /* by the job */
    uint32_t error; /* of the job */
    bool working;   /* a job runs */
    bool failing;   /* the last job did */
    bool last_try;
    uint64_t retry_ms;
    uint64_t told_ms[HBK_AUDIT_FILE_NOT_ROTATED + 1];
};

bool hbk_audit_file_line(struct hbk_audit_file *file, const void *line, size_t size)
{
    bool wake = false;
    AcquireSRWLockExclusive(&file->lock);
    /* Once one was dropped, all are until there is room for half again: gaps are long and few. */
    size_t most = file->dropped == 0 ? HBK_AUDIT_QUEUE_BYTES_MAX : HBK_AUDIT_QUEUE_BYTES_MAX / 2;
    bool room = file->filling.size + file->writing_size + size <= most;
    if (room) {
        hbk_buffer_append(&file->filling, line, size);
        room = !file->filling.failed;
        file->filling.failed = false; /* out of memory: what is there is whole */
    }
    if (room) {
        wake = !file->woken;
        file->woken = true;
    } else {
        file->dropped++;
    }
    ReleaseSRWLockExclusive(&file->lock);
    if (wake) {
        uv_async_send(&file->wake);
    }
    return room;
}

static void notify(struct hbk_audit_file *file, enum hbk_audit_file_news news, uint32_t win32,
                   uint64_t dropped)
{
    uint64_t now = uv_now(file->loop);
    const struct hbk_audit_file_report report = {news, win32, dropped};
    if (news != HBK_AUDIT_FILE_WORKS) {
        if (file->told_ms[news] != 0 && now - file->told_ms[news] < HBK_AUDIT_PERIOD_MS) {
            return;
        }
        file->told_ms[news] = now;
    }
    file->tell(file->context, &report);
}

/* ---- the job ---- */

static void on_work(uv_work_t *work)
{
    struct hbk_audit_file *file = work->data;
    file->error = hbk_audit_writer_write(&file->writer, (const char *)file->writing.data,
                                         file->writing.size, &file->done);
}

static void on_worked(uv_work_t *work, int status);

/* Takes what has gathered, unless the worker still has something of before. Return: is there a job now? */
static bool start_job(struct hbk_audit_file *file)
{
    HBK_ASSERT(!file->working);
    AcquireSRWLockExclusive(&file->lock);
    if (file->writing.size == 0) {
        struct hbk_buffer taken = file->filling;
        file->filling = file->writing;
        file->writing = taken;
    }
    file->writing_size = file->writing.size;
    ReleaseSRWLockExclusive(&file->lock);
    if (file->writing.size == 0) {
        return false;
    }
    file->work.data = file;
    file->working = uv_queue_work(file->loop, &file->work, on_work, on_worked) == 0;
    return file->working;
}

static void on_closed(uv_handle_t *handle)
{
    struct hbk_audit_file *file = handle->data;
    if (--file->open_handles == 0) {
        file->ended(file->context, false);
    }
}

static void close_handles(struct hbk_audit_file *file)
{
    if (!uv_is_closing((uv_handle_t *)&file->wake)) {
        hbk_audit_writer_deinit(&file->writer);
        uv_close((uv_handle_t *)&file->wake, on_closed);
        uv_close((uv_handle_t *)&file->timer, on_closed);
    }
}

static void on_retry(uv_timer_t *timer)
{
    struct hbk_audit_file *file = timer->data;
    if (!file->working) {
        start_job(file);
    }
}

static void job_failed(struct hbk_audit_file *file)
{
    AcquireSRWLockShared(&file->lock);
    uint64_t dropped = file->dropped;
    ReleaseSRWLockShared(&file->lock);
    file->retry_ms = !file->failing                      ? RETRY_MS_MIN
                     : file->retry_ms < RETRY_MS_MAX / 2 ? file->retry_ms * 2
                                                         : RETRY_MS_MAX;
    file->failing = true;
    notify(file, HBK_AUDIT_FILE_FAILS, file->error, dropped);
    uv_timer_start(&file->timer, on_retry, file->retry_ms, 0);
}

static void job_done(struct hbk_audit_file *file)
{
    AcquireSRWLockExclusive(&file->lock);
    uint64_t dropped = file->dropped;
    file->dropped = 0;
    ReleaseSRWLockExclusive(&file->lock);
    if (file->failing || dropped > 0) {
        file->failing = false;
        notify(file, HBK_AUDIT_FILE_WORKS, 0, dropped);
    }
}

static void on_worked(uv_work_t *work, int status)
{
    struct hbk_audit_file *file = work->data;
    HBK_ASSERT(status == 0 && file->working);
    file->working = false;
    hbk_buffer_consume(&file->writing, file->done);
    AcquireSRWLockExclusive(&file->lock);
    file->writing_size = file->writing.size;
    ReleaseSRWLockExclusive(&file->lock);
    if (file->writer.rotate_error != 0) {
        notify(file, HBK_AUDIT_FILE_NOT_ROTATED, file->writer.rotate_error, 0);
        file->writer.rotate_error = 0;
    }
    if (file->ended != NULL) {
        if ((file->error != 0 && file->last_try) || !start_job(file)) {
            close_handles(file);
        }
        file->last_try = true;
        return;
    }
    if (file->error != 0) {
        job_failed(file);
        return;
    }
    job_done(file);
    start_job(file);
}

static void on_wake(uv_async_t *wake)
{
    struct hbk_audit_file *file = wake->data;
    AcquireSRWLockExclusive(&file->lock);
    file->woken = false;
    ReleaseSRWLockExclusive(&file->lock);
    /* While it fails, the timer says when to try again. */
    if (!file->working && !file->failing && file->ended == NULL) {
        start_job(file);
    }
}

/* ---- making and ending ---- */

int hbk_audit_file_new(uv_loop_t *loop, const struct hbk_audit_file_options *options,
                       hbk_audit_file_tell tell_function, void *context,
                       struct hbk_audit_file **ret_file)
{
    struct hbk_audit_io io;
    struct hbk_audit_file *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        return -1;
    }
    file->disk = hbk_audit_disk_new(options->path, options->console, options->check,
                                    options->check_context, &io);
    if (file->disk == NULL || uv_async_init(loop, &file->wake, on_wake) != 0) {
        hbk_audit_disk_free(file->disk);
        free(file);
        return -1;
    }
    int result = uv_timer_init(loop, &file->timer);
    HBK_ASSERT(result == 0);
    file->loop = loop;
    file->open_handles = 2;
    file->wake.data = file;
    file->timer.data = file;
    file->tell = tell_function;
    file->context = context;
    InitializeSRWLock(&file->lock);
    hbk_buffer_init(&file->filling, HBK_AUDIT_QUEUE_BYTES_MAX);
    hbk_buffer_init(&file->writing, HBK_AUDIT_QUEUE_BYTES_MAX);
    hbk_audit_writer_init(&file->writer, &io, options->file_bytes, options->files);
    *ret_file = file;
    return 0;
}

void hbk_audit_file_io(struct hbk_audit_file *file, const struct hbk_audit_io *io)
{
    HBK_ASSERT(!file->working && !file->writer.open);
    file->writer.io = *io;
}

static void on_stop_due(uv_timer_t *timer)
{
    struct hbk_audit_file *file = timer->data;
    if (file->working) {
        file->ended(file->context, true);
    }
}

void hbk_audit_file_stop(struct hbk_audit_file *file, uint32_t bound_ms,
                         void (*ended)(void *context, bool stuck))
{
    HBK_ASSERT(file->ended == NULL && ended != NULL);
    file->ended = ended;
    uv_timer_start(&file->timer, on_stop_due, bound_ms, 0);
    if (file->working) {
        return;
    }
    /* It has just been tried where nothing fails; where it does, this is the last try. */
    file->last_try = true;
    if (!start_job(file)) {
        close_handles(file);
    }
}

void hbk_audit_file_free(struct hbk_audit_file *file)
{
    if (file == NULL) {
        return;
    }
    HBK_ASSERT(!file->working && file->open_handles == 0);
    hbk_buffer_deinit(&file->filling);
    hbk_buffer_deinit(&file->writing);
    hbk_audit_disk_free(file->disk);
    free(file);
}
