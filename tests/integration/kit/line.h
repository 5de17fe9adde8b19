/* What steered children say to the broker in lines of their own, where several tests say the same. */
#ifndef HBK_KIT_LINE_H
#define HBK_KIT_LINE_H

#include "kit.h"

/** kit_line_open() - @peer opens @name; @options: "" or ",\"key\":value". Return: the answer, with id 3. */
const char *kit_line_open(struct kit_peer *peer, const char *name, const char *options);
/** kit_line_opens() - and may. */
void kit_line_opens(struct kit_peer *peer, const char *name, const char *options);
/** kit_line_may_not_open() - and may not, by @code. */
void kit_line_may_not_open(struct kit_peer *peer, const char *name, const char *options, int code);

/** kit_line_send() - @peer sends @handle to @name; @item: "" or ",\"access\":…". Return: the answer, with id 5. */
const char *kit_line_send(struct kit_peer *peer, const char *name, uint64_t handle,
                          const char *item);
/** kit_line_send_to_pid() - to {name, pid}. */
const char *kit_line_send_to_pid(struct kit_peer *peer, const char *name, DWORD pid,
                                 uint64_t handle);
/** kit_line_make() - @peer makes an object. Return: its handle there. */
uint64_t kit_line_make(struct kit_peer *peer, enum kit_kind kind);
/** kit_line_was_given() - @target has been told of a handle, and holds it. Return: the notification. */
const char *kit_line_was_given(struct kit_peer *target);

/* What must be as it was when something was refused. */
struct kit_before {
    struct kit_mark mark;
    struct kit_peer *target;
};

/** kit_line_before() - now; @target is who must not be given anything. */
struct kit_before kit_line_before(struct kit_peer *target);
/** kit_line_refused() - @line is an error, @before->target was told nothing, and all is as it was. */
void kit_line_refused(const struct kit_before *before, const char *line, int code, const char *id);

#endif
