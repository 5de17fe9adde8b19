/* The seam of platform.h on Windows: who connects, what arrives, what is duplicated. This is all
 * that service/main sees of it.
 *
 * One thread, the broker's, calls everything from the first hbk_win_wait() to hbk_win_close(), but for
 * hbk_win_wake() and hbk_win_take_note(), which are for any thread.
 *
 * Order of use: hbk_win_new, hbk_win_platform (for hbk_core_new), hbk_win_listen; then hbk_win_wait
 * and the core in turn; hbk_win_stop and the core's stop; more turns, until the core has stopped and
 * hbk_win_ended; hbk_win_close; hbk_win_free. */
#ifndef HBK_WIN_H
#define HBK_WIN_H

#include "core.h"
#include "platform.h"

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

/* Only administrators can create a pipe of this name, so nobody else can stand in for the
 * service. */
#define HBK_WIN_PIPE_NAME L"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\HandleBroker"

struct hbk_win;

/* What Windows refused, for people. */
struct hbk_win_failure {
    const char *what; /* static: "create the pipe" */
    uint32_t win32;
};

enum { HBK_WIN_E_FAILED = 1 };

/* There is a note now where there was none. Called on any thread; must not block. */
typedef void (*hbk_win_noted)(void *context);

/** hbk_win_new() - everything but the listener. Return: 0; HBK_WIN_E_FAILED; -1 out of memory. */
int hbk_win_new(hbk_win_noted noted, void *context, struct hbk_win **ret_win,
                struct hbk_win_failure *ret_failure);

/* Where the core's records go. Called on the broker's thread; they must not block. */
struct hbk_win_sinks {
    void *context;
    bool (*line)(void *context, const void *line, size_t size);
    void (*notice)(void *context, const struct hbk_notice *notice);
};

/** hbk_win_set_sinks() - before the core is made. Copied; without it, records are dropped. */
void hbk_win_set_sinks(struct hbk_win *win, const struct hbk_win_sinks *sinks);

/** hbk_win_platform() - the seam, for the core. */
void hbk_win_platform(struct hbk_win *win, struct hbk_platform *ret_platform);

/**
 * hbk_win_listen() - own the pipe's name from now on, and feed @core with who connects
 * @pipe:    full name, "\\.\pipe\…"
 * @console: the running user takes the place of LocalSystem in the pipe's descriptor
 *
 * The calling thread must not end before the pipe does.
 *
 * Return: 0; HBK_WIN_E_FAILED, also where the name is somebody else's; -1 out of memory.
 */
int hbk_win_listen(struct hbk_win *win, struct hbk_core *core, const wchar_t *pipe, bool console,
                   struct hbk_win_failure *ret_failure);

/**
 * hbk_win_wait() - feed the core with what has arrived; if nothing has, sleep until something does
 * @due_ms: by hbk_win_now_ms(), when to come back at the latest; 0: look, and do not sleep; UINT64_MAX:
 *          sleep for as long as it takes
 *
 * Comes back after HBK_READS_PER_TURN reads or ends, or as many new clients, even if there are more. The core has to
 * be run after each call.
 */
void hbk_win_wait(struct hbk_win *win, uint64_t due_ms);

/** hbk_win_now_ms() - the platform's time, as it was when hbk_win_wait() came back. */
uint64_t hbk_win_now_ms(const struct hbk_win *win);

/** hbk_win_wake() - let hbk_win_wait() come back soon, now or the next time; any thread. */
void hbk_win_wake(struct hbk_win *win);

/** hbk_win_stop() - give up the pipe's name; from now on every finished close wakes the thread. */
void hbk_win_stop(struct hbk_win *win);

/** hbk_win_ended() - no pipe is open, and no read of one that was is pending. */
bool hbk_win_ended(const struct hbk_win *win);

/** hbk_win_close() - end the workers. Only when the core has stopped, or never had a session. */
void hbk_win_close(struct hbk_win *win);

/** hbk_win_free() - after hbk_win_close(). NULL is accepted. */
void hbk_win_free(struct hbk_win *win);

/* ---- what an operator should hear of; this folder does not log ---- */

enum hbk_win_note_kind {
    HBK_WIN_NOTE_REFUSED = 0, /* clients that could not be identified, or are not who they seem */
    HBK_WIN_NOTE_LISTENER,    /* pipe instances that could not be made or connected; tried again */
    HBK_WIN_NOTE_SOCKET, /* sockets that could not be taken back from a process that is told of none */
    HBK_WIN_NOTE_COUNT
};

struct hbk_win_note {
    uint32_t count;  /* how often since the last time */
    uint32_t pid;    /* of the last one, or 0 */
    uint32_t win32;  /* of the last one, or 0 */
    const char *why; /* of the last one; static */
};

/** hbk_win_take_note() - what happened of @kind since the last time; any thread. Return: false: nothing. */
bool hbk_win_take_note(struct hbk_win *win, enum hbk_win_note_kind kind,
                       struct hbk_win_note *ret_note);

#endif
