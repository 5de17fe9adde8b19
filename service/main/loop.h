/* The process's main loop. The broker serves its clients on a thread of its own; all else of the service
 * that has to wait for something hangs on this loop: the log, files, timers. */
#ifndef HBK_LOOP_H
#define HBK_LOOP_H

#include "core.h"
#include "eventlog.h"
#include "settings.h"
#include "win.h"

struct hbk_loop;

enum {
    HBK_LOOP_E_FAILED = 1,
    HBK_LOOP_E_STUCK = 2, /* something did not end in time: leave the process as it is, at once */
};

/* Called on another thread when a stop has not come to its end by hbk_loop_stop_ms() and a little: a thread
 * of the service is stuck. It ends the process. */
typedef void (*hbk_loop_give_up)(void);

/* Called on the loop's thread when a pause has begun, or has ended. */
typedef void (*hbk_loop_paused)(bool paused);

struct hbk_loop_options {
    struct hbk_settings *settings; /* its policy is taken over; the rest is not kept */
    const wchar_t *config;         /* --config; NULL: none; must outlive the loop */
    const wchar_t *pipe;
    bool console;
    struct hbk_event_log *log; /* must outlive the loop */
    hbk_loop_give_up give_up;
    hbk_loop_paused paused; /* NULL: hbk_loop_pause() is never called */
};

/** hbk_loop_new() - make everything and listen. Return: 0; HBK_LOOP_E_FAILED; -1 out of memory. */
int hbk_loop_new(const struct hbk_loop_options *options, struct hbk_loop **ret_loop,
                 struct hbk_win_failure *ret_failure);

/** hbk_loop_warn() - record that something about the service is not as it should be. The loop's thread. */
void hbk_loop_warn(struct hbk_loop *loop, uint32_t win32, const char *detail);

/** hbk_loop_reload() - read the configuration file again; any thread, until hbk_loop_free(). */
void hbk_loop_reload(struct hbk_loop *loop);

/** hbk_loop_pause() - begin nothing new, or go on; any thread, until hbk_loop_free(). Not again before the call that
 * says it is done. */
void hbk_loop_pause(struct hbk_loop *loop, bool paused);

/** hbk_loop_run() - until the broker has ended, after hbk_loop_stop(); on the thread that called
 * hbk_loop_new(). Return: 0; HBK_LOOP_E_STUCK. */
int hbk_loop_run(struct hbk_loop *loop);

/** hbk_loop_stop() - ask for the end; any thread, any number of times, until hbk_loop_free(). */
void hbk_loop_stop(struct hbk_loop *loop);

/** hbk_loop_stop_ms() - how long the end may take at most. */
uint32_t hbk_loop_stop_ms(const struct hbk_config *config);

/** hbk_loop_free() - after hbk_loop_run(). NULL is accepted. Not after HBK_LOOP_E_STUCK. */
void hbk_loop_free(struct hbk_loop *loop);

#endif
