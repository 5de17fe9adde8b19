/* The seam of platform.h on Windows, over libuv: who connects, what arrives, what is duplicated.
 * This is all that service/main sees of it. Everything runs on the loop's thread unless it says
 * otherwise.
 *
 * Order of use: hbk_win_new, hbk_win_platform (for hbk_core_new), hbk_win_listen, the loop,
 * hbk_win_stop, the loop until the core has stopped, hbk_win_close, the loop until it is empty,
 * hbk_win_free. */
#ifndef HBK_WIN_H
#define HBK_WIN_H

#include "core.h"
#include "platform.h"

#include <uv.h>

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

/* Called after something was fed to the core, while the loop is still busy with what else
 * arrived: the earlier the core runs, the sooner its answer is on the way. */
typedef void (*hbk_win_ready)(void *context);

/** hbk_win_new() - everything but the listener. Return: 0; HBK_WIN_E_FAILED; -1 out of memory. */
int hbk_win_new(uv_loop_t *loop, hbk_win_ready ready, void *context, struct hbk_win **ret_win,
                struct hbk_win_failure *ret_failure);

/** hbk_win_platform() - the seam, for the core. */
void hbk_win_platform(struct hbk_win *win, struct hbk_platform *ret_platform);

/**
 * hbk_win_listen() - own the pipe's name from now on, and feed @core with who connects
 * @pipe:    full name, "\\.\pipe\…"
 * @console: the running user takes the place of LocalSystem in the pipe's descriptor
 *
 * Return: 0; HBK_WIN_E_FAILED, also where the name is somebody else's; -1 out of memory.
 */
int hbk_win_listen(struct hbk_win *win, struct hbk_core *core, const wchar_t *pipe, bool console,
                   struct hbk_win_failure *ret_failure);

/** hbk_win_collect() - tell the core which closes have returned meanwhile. Cheap if none. */
void hbk_win_collect(struct hbk_win *win);

/** hbk_win_stop() - give up the pipe's name; from now on every finished close wakes the loop. */
void hbk_win_stop(struct hbk_win *win);

/** hbk_win_close() - end workers and loop handles. Only when the core has stopped. */
void hbk_win_close(struct hbk_win *win);

/** hbk_win_free() - after hbk_win_close(), when the loop is empty. NULL is accepted. */
void hbk_win_free(struct hbk_win *win);

/* ---- what an operator should hear of; this folder does not log ---- */

enum hbk_win_note_kind {
    HBK_WIN_NOTE_REFUSED = 0, /* clients that could not be identified, or are not who they seem */
    HBK_WIN_NOTE_LISTENER,    /* pipe instances that could not be made or connected; tried again */
    HBK_WIN_NOTE_COUNT
};

struct hbk_win_note {
    uint32_t count;  /* how often since the last time */
    uint32_t pid;    /* of the last one, or 0 */
    uint32_t win32;  /* of the last one, or 0 */
    const char *why; /* of the last one; static */
};

/** hbk_win_take_note() - what happened of @kind since the last time; false: nothing. */
bool hbk_win_take_note(struct hbk_win *win, enum hbk_win_note_kind kind,
                       struct hbk_win_note *ret_note);

#endif
