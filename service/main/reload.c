#include "reload.h"

#include "base.h"

#include <stdlib.h>

struct hbk_reload {
    struct hbk_reload_job job;
    uv_loop_t *loop;
    uv_async_t wake;
    uv_work_t work;
    void *result;
    bool working;
    bool again; /* asked for while a reading runs */
    bool closing;
};

static void on_work(uv_work_t *work)
{
    struct hbk_reload *reload = work->data;
    reload->result = reload->job.read(reload->job.context);
}

static void start(struct hbk_reload *reload);

static void on_worked(uv_work_t *work, int status)
{
    struct hbk_reload *reload = work->data;
    void *result = reload->result;
    HBK_ASSERT(status == 0 && reload->working);
    reload->working = false;
    reload->result = NULL;
    if (result != NULL) {
        (reload->closing ? reload->job.drop : reload->job.take)(reload->job.context, result);
    }
    if (reload->again && !reload->closing) {
        start(reload);
    }
}

static void start(struct hbk_reload *reload)
{
    HBK_ASSERT(!reload->working && !reload->closing);
    reload->again = false;
    reload->work.data = reload;
    int result = uv_queue_work(reload->loop, &reload->work, on_work, on_worked);
    HBK_ASSERT(result == 0);
    reload->working = true;
}

static void on_wake(uv_async_t *wake)
{
    struct hbk_reload *reload = wake->data;
    if (reload->working) {
        reload->again = true;
    } else {
        start(reload);
    }
}

int hbk_reload_new(uv_loop_t *loop, const struct hbk_reload_job *job,
                   struct hbk_reload **ret_reload)
{
    struct hbk_reload *reload = calloc(1, sizeof(*reload));
    if (reload == NULL) {
        return -1;
    }
    if (uv_async_init(loop, &reload->wake, on_wake) != 0) {
        free(reload);
        return -1;
    }
    reload->wake.data = reload;
    reload->job = *job;
    reload->loop = loop;
    *ret_reload = reload;
    return 0;
}

void hbk_reload_request(struct hbk_reload *reload)
{
    uv_async_send(&reload->wake);
}

void hbk_reload_close(struct hbk_reload *reload)
{
    if (reload != NULL && !reload->closing) {
        reload->closing = true;
        uv_close((uv_handle_t *)&reload->wake, NULL);
    }
}

bool hbk_reload_busy(const struct hbk_reload *reload)
{
    return reload != NULL && reload->working;
}

void hbk_reload_free(struct hbk_reload *reload)
{
    if (reload != NULL) {
        HBK_ASSERT(reload->closing && !reload->working);
        free(reload);
    }
}
