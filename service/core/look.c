/* process.handles, object.holders: what is in handle tables. Windows tells of all handles at once, and to compare objects
 * takes a call for each: so it is done on a worker, and a session has one look at a time, a user its share of them.
 *
 * Whose table it is, or whose handle, is asked about as for a transfer: the right to inspect is no right over a process. */
#include "internal.h"

enum { LOOK_E_REFUSED = 1 };

/* ---- the request ---- */

static int check_room(const struct hbk_session *session, struct hbk_error *ret_error)
{
    const struct hbk_core *core = session->core;
    const struct hbk_user *user = session->user;

    if (session->look.pending) {
        hbk_error_set(ret_error, HBK_R_QUOTA,
                      "this session looks already, and one look is under way at a time: wait for "
                      "its answer");
    } else if (user->looks >= hbk_quota_share(HBK_LOOKS_MAX, core->looks_pending, user->looks)) {
        hbk_error_set(ret_error, HBK_R_QUOTA,
                      "%u looks are under way, %u of them this user's: try again",
                      (unsigned)core->looks_pending, (unsigned)user->looks);
    } else {
        return hbk_send_check_requests(session, ret_error) == 0 ? 0 : LOOK_E_REFUSED;
    }
    hbk_error_set_limit(ret_error, "looks");
    return LOOK_E_REFUSED;
}

/* Nothing of @session was answered or charged yet. */
static int start(struct hbk_session *session, uint32_t pid, const struct hbk_look *what,
                 struct hbk_error *ret_error)
{
    struct hbk_core *core = session->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};
    void *process = NULL;
    int result;

    if (check_room(session, ret_error) != 0 ||
        hbk_transfer_open(session, pid, "pid", &process, ret_error) != 0) {
        return LOOK_E_REFUSED;
    }
    core->spent++;
    result = core->platform.look(process != NULL ? process : session->connection, what,
                                 session->slot.id, &failure);
    core->platform.process_close(process);
    if (result != HBK_PLATFORM_PENDING) {
        hbk_output_set_failure(ret_error, &failure);
        return LOOK_E_REFUSED;
    }
    return 0;
}

static void begin(struct hbk_session *session, const struct hbk_id *id, enum hbk_method method,
                  uint32_t pid, const struct hbk_look *what)
{
    struct hbk_core *core = session->core;
    struct hbk_error error;

    if (start(session, pid, what, &error) != 0) {
        hbk_output_error(session, id, &error);
        return;
    }
    session->look = (struct hbk_looking){
        .id = *id,
        .pending = true,
        .method = method,
        .pid = pid != 0 ? pid : session->peer.pid,
        .due = hbk_now(core) + HBK_LOOK_DEADLINE_MS,
        .correlation = core->audit.correlation,
    };
    hbk_session_arm(session);
    session->requests++;
    hbk_quota_take(session, HBK_QUOTA_REQUESTS, 1);
    session->user->looks++;
    core->looks_pending++;
}

void hbk_look_request_handles(struct hbk_session *session, const struct hbk_id *id,
                              const struct hbk_process_handles *params)
{
    struct hbk_look what = {.limit = params->paging.limit != 0 ? params->paging.limit
                                                               : HBK_PAGE_HANDLES_MAX};
    uint64_t after = 0;

    if (!hbk_operate_may_inspect(session, id)) {
        return;
    }
    if (hbk_cursor_read(params->paging.cursor, &after) != 0 || after > HBK_HANDLE_MAX) {
        hbk_output_refuse(session, id, HBK_R_INVALID_PARAMS,
                          "cursor: take it from `next` of the page before");
        return;
    }
    what.handle = (uint32_t)after;
    begin(session, id, HBK_METHOD_PROCESS_HANDLES, params->pid, &what);
}

void hbk_look_request_holders(struct hbk_session *session, const struct hbk_id *id,
                              const struct hbk_object_holders *params)
{
    const struct hbk_look what = {
        .holders = true, .handle = params->handle, .limit = HBK_PAGE_HANDLES_MAX};

    if (hbk_operate_may_inspect(session, id)) {
        begin(session, id, HBK_METHOD_OBJECT_HOLDERS, params->pid, &what);
    }
}

/* ---- the answer ---- */

/* Return: nobody waits for it. */
static bool settle(struct hbk_session *session, struct hbk_id *ret_id)
{
    struct hbk_looking *look = &session->look;

    if (look->id.kind == HBK_ID_NONE) {
        return true;
    }
    *ret_id = look->id;
    look->id.kind = HBK_ID_NONE;
    look->due = HBK_NEVER;
    hbk_session_arm(session);
    HBK_ASSERT(session->requests > 0);
    session->requests--;
    hbk_quota_give(session, HBK_QUOTA_REQUESTS, 1);
    return false;
}

static void fail(struct hbk_session *session, const struct hbk_error *error)
{
    struct hbk_id id;

    if (!settle(session, &id)) {
        hbk_audit_look(session, error);
        hbk_output_failure(session, &id, error);
    }
}

static struct hbk_handle_info describe(const struct hbk_looked_handle *handle)
{
    return (struct hbk_handle_info){
        .pid = handle->pid,
        .handle = handle->handle,
        .type = hbk_text_from(handle->type[0] != '\0' ? handle->type : NULL),
        .access = handle->access,
        .inherit = handle->inherit,
        .protect = handle->protect,
    };
}

static void answer(struct hbk_session *session, const struct hbk_id *id,
                   const struct hbk_looked *looked)
{
    struct hbk_handle_info infos[HBK_PAGE_HANDLES_MAX];
    struct hbk_process_handles_result handles = {.handles_count = looked->count, .handles = infos};
    struct hbk_object_holders_result holders = {
        .type = hbk_text_from(looked->type),
        .holders_count = looked->count,
        .holders = infos,
        .broker = looked->own,
        .complete = looked->complete,
    };
    char cursor[HBK_CURSOR_BYTES_MAX];

    HBK_ASSERT(looked->count <= HBK_PAGE_HANDLES_MAX);
    for (size_t i = 0; i < looked->count; i++) {
        infos[i] = describe(&looked->handles[i]);
    }
    if (session->look.method == HBK_METHOD_OBJECT_HOLDERS) {
        hbk_output_result(session, id, HBK_METHOD_OBJECT_HOLDERS, &holders);
        return;
    }
    if (!looked->complete) {
        HBK_ASSERT(looked->count > 0);
        handles.next = hbk_cursor_write(infos[looked->count - 1].handle, cursor);
    }
    hbk_output_result(session, id, HBK_METHOD_PROCESS_HANDLES, &handles);
}

void hbk_look_ended(struct hbk_session *session, const struct hbk_looked *looked,
                    const struct hbk_failure *failure)
{
    struct hbk_error error;
    struct hbk_id id;

    HBK_ASSERT(session->look.pending && session->user->looks > 0);
    session->look.pending = false;
    session->user->looks--;
    if (looked == NULL) {
        hbk_output_set_failure(&error, failure);
        fail(session, &error);
    } else if (!settle(session, &id)) {
        hbk_audit_look(session, NULL);
        answer(session, &id, looked);
    }
    if (!hbk_session_alive(session)) {
        hbk_session_settle_later(session);
    }
}

void hbk_look_expire(struct hbk_session *session)
{
    struct hbk_error error;

    hbk_error_set(&error, HBK_R_TIMEOUT, "the system has not told within %u ms: try again later",
                  (unsigned)HBK_LOOK_DEADLINE_MS);
    fail(session, &error);
}

void hbk_look_stop(struct hbk_session *session)
{
    struct hbk_error error;

    hbk_error_set(&error, HBK_R_STOPPING, "the service is shutting down");
    fail(session, &error);
}

void hbk_look_drop(struct hbk_session *session)
{
    struct hbk_id id;

    (void)settle(session, &id);
}
