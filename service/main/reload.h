/* Reading the policy file again while clients are served: on a worker, one reading at a time. */
#ifndef HBK_RELOAD_H
#define HBK_RELOAD_H

#include <stdbool.h>
#include <uv.h>

struct hbk_reload;

struct hbk_reload_job {
    void *context;
    /** read() - read and check everything; may block. On a worker. Return: what take() gets; NULL: nothing. */
    void *(*read)(void *context);
    /** take() - make use of what read() returned, which is taken over. On the loop's thread. */
    void (*take)(void *context, void *result);
    /** drop() - free it instead, as the loop is about to end. */
    void (*drop)(void *context, void *result);
};

/** hbk_reload_new() - Return: 0; -1 out of memory. On the loop's thread, as is all that does not say otherwise. */
int hbk_reload_new(uv_loop_t *loop, const struct hbk_reload_job *job,
                   struct hbk_reload **ret_reload);

/** hbk_reload_request() - read the file; those that come before a reading has begun are one, those that come while
 * one runs are one after it. Any thread, until hbk_reload_close(). */
void hbk_reload_request(struct hbk_reload *reload);

/** hbk_reload_close() - what runs is dropped when it ends; then the loop holds nothing of it any more. NULL is
 * accepted. */
void hbk_reload_close(struct hbk_reload *reload);

/** hbk_reload_busy() - is a worker still reading? */
bool hbk_reload_busy(const struct hbk_reload *reload);

/** hbk_reload_free() - when the loop is empty. NULL is accepted. */
void hbk_reload_free(struct hbk_reload *reload);

#endif
