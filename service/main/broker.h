/* The broker's own thread: core and platform put together. It makes only calls that cannot block, and knows
 * neither files nor the log. What may take its time is done elsewhere and posted to it. */
#ifndef HBK_BROKER_H
#define HBK_BROKER_H

#include "core.h"
#include "win.h"

struct hbk_broker;

enum { HBK_BROKER_E_FAILED = 1 };

enum hbk_broker_state {
    HBK_BROKER_RUNNING = 0,
    HBK_BROKER_ENDED,
    HBK_BROKER_STUCK, /* its stop did not end in time: leave the process as it is, at once */
};

/* Look at hbk_broker_state(), hbk_broker_paused() and hbk_broker_take_note(). Called on any thread; must not block. */
typedef void (*hbk_broker_report)(void *context);

/* Something to do on the broker's thread. It is the poster's memory, and is the poster's again, to be
 * freed or posted once more, when @function is called. */
struct hbk_broker_work {
    void (*function)(void *context, struct hbk_core *core);
    void *context;
    struct hbk_broker_work *next; /* the broker's */
};

struct hbk_broker_options {
    const struct hbk_config *config; /* copied */
    const char *source;              /* the file that the rules are from; NULL: none */
    const wchar_t *pipe;
    bool console;
    struct hbk_win_sinks sinks;
    hbk_broker_report report; /* called from now on, until hbk_broker_join() */
    void *context;
};

/**
 * hbk_broker_new() - make everything, listen, and start the thread
 * @policy: *@policy is taken over, and set to NULL, as soon as there is a core
 *
 * The calling thread must not end before hbk_broker_join().
 *
 * Return: 0; HBK_BROKER_E_FAILED; -1 out of memory.
 */
int hbk_broker_new(const struct hbk_broker_options *options, struct hbk_policy **policy,
                   struct hbk_broker **ret_broker, struct hbk_win_failure *ret_failure);

/**
 * hbk_broker_post() - have @work done on the broker's thread, after all that was posted before
 *
 * Any thread; does not block and cannot fail for want of memory. The core is run after it, and time is
 * the core's own. The function must not block either; it may post.
 *
 * Return: false: the thread has ended, @work will never be done and stays the caller's.
 */
bool hbk_broker_post(struct hbk_broker *broker, struct hbk_broker_work *work);

/** hbk_broker_stop() - ask for the end; any thread, any number of times, until hbk_broker_free(). */
void hbk_broker_stop(struct hbk_broker *broker);

/** hbk_broker_pause() - have the core paused, or go on; any thread, until hbk_broker_free(). A report tells that it is
 * done; of several that come before one, the last one counts. */
void hbk_broker_pause(struct hbk_broker *broker, bool paused);

/** hbk_broker_paused() - any thread. */
bool hbk_broker_paused(const struct hbk_broker *broker);

/** hbk_broker_stop_ms() - how long after that the state is no longer RUNNING, at most. */
uint32_t hbk_broker_stop_ms(const struct hbk_config *config);

/** hbk_broker_state() - any thread. */
enum hbk_broker_state hbk_broker_state(const struct hbk_broker *broker);

/** hbk_broker_take_note() - as hbk_win_take_note(); any thread. */
bool hbk_broker_take_note(struct hbk_broker *broker, enum hbk_win_note_kind kind,
                          struct hbk_win_note *ret_note);

/** hbk_broker_join() - wait for the thread, which is about to be gone: its state is not RUNNING. There are no
 * reports after that. */
void hbk_broker_join(struct hbk_broker *broker);

/** hbk_broker_free() - after hbk_broker_join(); not if it was STUCK. NULL is accepted. */
void hbk_broker_free(struct hbk_broker *broker);

#endif
