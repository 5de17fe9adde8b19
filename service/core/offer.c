/* What a target says to an offer. */
#include "internal.h"

static struct hbk_delivery *find_offer(struct hbk_session *session, const struct hbk_id *id,
                                       uint64_t delivery_id)
{
    struct hbk_delivery *delivery = hbk_pool_get(&session->core->delivery_pool, delivery_id);
    struct hbk_error error;

    if (delivery != NULL && delivery->state == HBK_DELIVERY_OFFERED &&
        delivery->target == session) {
        return delivery;
    }
    hbk_error_set(&error, HBK_R_NOT_FOUND,
                  "no such offer is open to this session: it was answered, withdrawn or too late");
    hbk_output_error(session, id, &error);
    return NULL;
}

void hbk_delivery_request_accept(struct hbk_session *session, const struct hbk_id *id,
                                 const struct hbk_delivery_answer *params)
{
    struct hbk_delivery *delivery;
    struct hbk_error error;

    if (hbk_send_check_requests(session, &error) != 0) {
        hbk_output_error(session, id, &error);
        return;
    }
    delivery = find_offer(session, id, params->delivery);
    if (delivery == NULL) {
        return;
    }
    hbk_delivery_leave(delivery);
    hbk_delivery_set_timer(delivery, HBK_NEVER);
    delivery->state = HBK_DELIVERY_ACCEPTED;
    delivery->accept_id = *id;
    session->requests++;
    hbk_quota_take(session, HBK_QUOTA_REQUESTS, 1);
    hbk_list_append(&session->accepted, &delivery->target_link);
    hbk_list_append(&session->ready, &delivery->ready_link);
    hbk_session_schedule(session);
}

void hbk_delivery_request_reject(struct hbk_session *session, const struct hbk_id *id,
                                 const struct hbk_delivery_answer *params)
{
    struct hbk_delivery *delivery = find_offer(session, id, params->delivery);
    struct hbk_error error;

    if (delivery == NULL) {
        return;
    }
    if (params->reason.size != 0) {
        hbk_error_set(&error, HBK_R_REJECTED, "%.*s", (int)params->reason.size,
                      params->reason.data);
    } else {
        hbk_error_set(&error, HBK_R_REJECTED, "the target gave no reason");
    }
    hbk_audit_reject(session, delivery);
    hbk_delivery_fail(delivery, &error);
    hbk_output_result(session, id, HBK_METHOD_DELIVERY_REJECT, NULL);
}
