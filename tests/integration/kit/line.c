/* What steered children say to the broker in lines of their own. */
#include "line.h"

#include <stdio.h>
#include <string.h>

const char *kit_line_open(struct kit_peer *peer, const char *name, const char *options)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"endpoint.open\",\"params\":"
                        "{\"name\":\"%s\"%s}}",
                        name, options);
}

void kit_line_opens(struct kit_peer *peer, const char *name, const char *options)
{
    kit_line_is_result(kit_line_open(peer, name, options), "3");
}

void kit_line_may_not_open(struct kit_peer *peer, const char *name, const char *options, int code)
{
    kit_line_is_error(kit_line_open(peer, name, options), code, "3");
}

/* @to: "\"NAME\"" or an object; @item: "" or ",\"access\":…". */
static const char *send(struct kit_peer *peer, const char *to, uint64_t handle, const char *item)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":"
                        "{\"to\":%s,\"items\":[{\"handle\":%llu%s}]}}",
                        to, (unsigned long long)handle, item);
}

const char *kit_line_send(struct kit_peer *peer, const char *name, uint64_t handle,
                          const char *item)
{
    char to[300];
    (void)snprintf(to, sizeof to, "\"%s\"", name);
    return send(peer, to, handle, item);
}

const char *kit_line_send_to_pid(struct kit_peer *peer, const char *name, DWORD pid,
                                 uint64_t handle)
{
    char to[330];
    (void)snprintf(to, sizeof to, "{\"name\":\"%s\",\"pid\":%lu}", name, (unsigned long)pid);
    return send(peer, to, handle, "");
}

uint64_t kit_line_make(struct kit_peer *peer, enum kit_kind kind)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_MAKE, (uint64_t)kind, 0, NULL), 0);
    return peer->reply.value;
}

const char *kit_line_was_given(struct kit_peer *target)
{
    int64_t handle = 0;
    const char *line = kit_peer_hear(target, KIT_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, "\"handle.delivered\""));
    assert_true(kit_json_number(line, "handle", &handle));
    assert_true(kit_holds(target->pid, (uint64_t)handle));
    return line;
}

struct kit_before kit_line_before(struct kit_peer *target)
{
    struct kit_before before = {.target = target};
    kit_mark(&before.mark, target->pid);
    return before;
}

void kit_line_refused(const struct kit_before *before, const char *line, int code, const char *id)
{
    kit_line_is_error(line, code, id);
    assert_null(kit_peer_hear(before->target, KIT_QUIET_MS));
    kit_unchanged(&before->mark);
}
