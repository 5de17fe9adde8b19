/* handle.transfer: a catalyst moves a handle between two processes, of which it may be one, and none of which need know
 * of the broker. What it could do by itself it may do here: Windows' own question is asked about both, unless an
 * operator's rule says no before. */
#include "internal.h"

enum { TRANSFER_E_REFUSED = 1 };

static int check_pid(const struct hbk_core *core, uint32_t pid, const char *which,
                     struct hbk_error *ret_error)
{
    enum { SYSTEM_PID = 4 };

    if (pid != SYSTEM_PID && pid != core->config.pid) {
        return 0;
    }
    hbk_error_set(ret_error, HBK_R_DENIED, "%s: neither the system's own process nor the broker's",
                  which);
    return TRANSFER_E_REFUSED;
}

int hbk_transfer_open(struct hbk_session *session, uint32_t pid, const char *which,
                      void **ret_party, struct hbk_error *ret_error)
{
    struct hbk_core *core = session->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};

    *ret_party = NULL;
    if (pid == 0 || pid == session->peer.pid) {
        return 0;
    }
    if (check_pid(core, pid, which, ret_error) != 0) {
        return TRANSFER_E_REFUSED;
    }
    core->spent += HBK_WORK_PIN;
    if (core->platform.process_open(session->connection, pid, ret_party, &failure) != 0) {
        *ret_party = NULL;
        hbk_error_set(ret_error, failure.code, "%s, process %u: %s", which, (unsigned)pid,
                      failure.detail != NULL ? failure.detail : hbk_result_meaning(failure.code));
        ret_error->win32 = failure.win32;
        return TRANSFER_E_REFUSED;
    }
    return 0;
}

static int check(struct hbk_session *session, const struct hbk_transfer *params,
                 struct hbk_error *ret_error)
{
    if (!hbk_grant_verb(session, HBK_VERB_TRANSFER)) {
        hbk_error_set(ret_error, HBK_R_DENIED,
                      "policy does not let you transfer between processes: see verbs.transfer");
        return TRANSFER_E_REFUSED;
    }
    if (hbk_text_is(params->type, "Socket")) {
        hbk_error_set(
            ret_error, HBK_R_TYPE_NOT_ALLOWED,
            "a socket goes by handle.send or the store, where its target makes it itself");
        return TRANSFER_E_REFUSED;
    }
    return 0;
}

void hbk_transfer_request(struct hbk_session *session, const struct hbk_id *id,
                          const struct hbk_transfer *params)
{
    const struct hbk_item item = {.handle = params->handle,
                                  .type = params->type,
                                  .access = params->access,
                                  .inherit = params->inherit};
    const struct hbk_send send = {.to_name = params->to_name,
                                  .items_count = 1,
                                  .items = &item,
                                  .timeout_ms = HBK_TIMEOUT_MS_DEFAULT};
    struct hbk_send_start start = {.kind = HBK_DELIVERY_TRANSFER,
                                   .params = &send,
                                   .source_pid = params->source_pid,
                                   .process_pid = params->target_pid};
    struct hbk_error error;

    if (check(session, params, &error) != 0 ||
        hbk_transfer_open(session, params->source_pid, "source", &start.source, &error) != 0 ||
        hbk_transfer_open(session, params->target_pid, "target", &start.process, &error) != 0) {
        session->core->platform.process_close(start.source);
        hbk_metrics_failed(session->core, error.code);
        hbk_output_error(session, id, &error);
        return;
    }
    hbk_send_start(session, id, &start);
}

/* The process is held, so its pid is nobody else's: a session of that pid is its own. */
void hbk_transfer_find(struct hbk_delivery *delivery)
{
    struct hbk_session *sender = delivery->sender;
    struct hbk_session *other = NULL;

    if (delivery->process != NULL && !delivery->unnoticed) {
        other = hbk_target_session_at(sender->core, delivery->process_pid);
    }
    delivery->target = other != NULL ? other : sender;
}

bool hbk_transfer_answer(struct hbk_delivery *delivery, uint32_t value, bool notified)
{
    struct hbk_session *sender = delivery->sender;
    const struct hbk_pinned *item = &delivery->items[0];
    const struct hbk_transfer_result result = {
        .handle = value,
        .type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name),
        .access = item->access,
        .notified = notified,
        .widenable = item->widenable,
    };
    size_t begin;

    HBK_ASSERT(delivery->item_count == 1 && value != 0);
    if (sender->state == HBK_SESSION_CLOSED) {
        return false;
    }
    begin = hbk_output_begin(sender);
    hbk_write_result(&sender->queued, &delivery->id, HBK_METHOD_HANDLE_TRANSFER, &result);
    return hbk_output_end(sender, begin);
}
