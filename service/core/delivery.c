/* A delivery from its second phase on: find the endpoint, wait, offer, or place and tell; then let the
 * pins go. Whatever ends it early passes through hbk_delivery_fail(), which undoes what was placed. */
#include "internal.h"

#include <stdlib.h>

static struct hbk_core *core_of(const struct hbk_delivery *delivery)
{
    return delivery->sender->core;
}

/* ---- from state to state ---- */

static void set_timer(struct hbk_delivery *delivery, uint64_t due_ms)
{
    hbk_timer_set(&core_of(delivery)->timers, &delivery->timer, due_ms);
}

/* Out of every list that its state has it in. */
static void leave_state(struct hbk_delivery *delivery)
{
    if (delivery->state == HBK_DELIVERY_WAITING) {
        hbk_table_remove(&core_of(delivery)->waiting, &delivery->name_node);
    }
    hbk_list_remove(&delivery->ready_link);
    hbk_list_remove(&delivery->target_link);
}

void hbk_delivery_make_ready(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_BEHIND || delivery->state == HBK_DELIVERY_WAITING ||
               delivery->state == HBK_DELIVERY_BLOCKED);
    leave_state(delivery);
    delivery->state = HBK_DELIVERY_READY;
    hbk_list_append(&delivery->sender->ready, &delivery->ready_link);
    hbk_session_schedule(delivery->sender);
}

void hbk_delivery_start(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_BEHIND && delivery->item_count > 0);
    hbk_lane_enter(delivery);
    if (delivery->ahead == NULL) {
        hbk_delivery_make_ready(delivery);
    } else {
        set_timer(delivery, delivery->wait_due);
    }
}

static void bind(struct hbk_delivery *delivery, struct hbk_endpoint *endpoint)
{
    delivery->endpoint = endpoint;
    delivery->target = endpoint->owner;
    hbk_list_append(&endpoint->pending, &delivery->endpoint_link);
    endpoint->pending_count++;
}

void hbk_delivery_unbind(struct hbk_delivery *delivery)
{
    if (delivery->endpoint != NULL) {
        HBK_ASSERT(delivery->endpoint->pending_count > 0);
        delivery->endpoint->pending_count--;
        hbk_list_remove(&delivery->endpoint_link);
        delivery->endpoint = NULL;
    }
}

/* ---- the end ---- */

/* Its pins are closed after the lines of this turn are written. */
static void finish(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state != HBK_DELIVERY_CLOSING);
    if (delivery->state == HBK_DELIVERY_PINNING) {
        hbk_send_end_pinning(delivery);
    }
    leave_state(delivery);
    set_timer(delivery, HBK_NEVER);
    delivery->state = HBK_DELIVERY_CLOSING;
    hbk_delivery_unbind(delivery);
    hbk_lane_leave(delivery);
    delivery->target = NULL;
    hbk_quota_give(delivery->sender, HBK_QUOTA_PENDING, 1);
    hbk_list_append(&delivery->sender->closing, &delivery->close_link);
    hbk_work_add(delivery->sender, HBK_WORK_CLOSE);
}

/* True once: the sender is to be answered, and this is the answer. */
static bool take_answer(struct hbk_delivery *delivery)
{
    if (delivery->answered) {
        return false;
    }
    delivery->answered = true;
    HBK_ASSERT(delivery->sender->requests > 0);
    delivery->sender->requests--;
    hbk_quota_give(delivery->sender, HBK_QUOTA_REQUESTS, 1);
    if (!hbk_session_alive(delivery->sender)) {
        hbk_session_settle_later(delivery->sender);
    }
    return true;
}

static void fail_accept(struct hbk_delivery *delivery, const struct hbk_error *error)
{
    struct hbk_session *target = delivery->target;
    struct hbk_id id = delivery->accept_id;

    if (delivery->state == HBK_DELIVERY_ACCEPTED && id.kind != HBK_ID_NONE) {
        delivery->accept_id.kind = HBK_ID_NONE; /* answered, also where answering ends the target */
        HBK_ASSERT(target->requests > 0);
        target->requests--;
        hbk_quota_give(target, HBK_QUOTA_REQUESTS, 1);
        hbk_audit_accept(delivery, error);
        hbk_output_failure(target, &id, error);
    }
}

void hbk_delivery_fail(struct hbk_delivery *delivery, const struct hbk_error *error)
{
    (void)hbk_place_undo(delivery, HBK_ITEMS_MAX);
    if (delivery->state == HBK_DELIVERY_WRITING && delivery->accept_id.kind != HBK_ID_NONE) {
        hbk_audit_accept(delivery, error);
    }
    fail_accept(delivery, error);
    if (delivery->state == HBK_DELIVERY_CLOSING) {
        return; /* telling the target failed, and that ended all that hangs on it, this one too */
    }
    hbk_audit_delivery(delivery, "handle.send", error);
    finish(delivery);
    core_of(delivery)->failed++;
    if (take_answer(delivery)) {
        hbk_output_failure(delivery->sender, &delivery->id, error);
    }
}

void hbk_delivery_fail_code(struct hbk_delivery *delivery, int32_t code, const char *detail)
{
    struct hbk_error error;

    hbk_error_set(&error, code, "%s", detail);
    hbk_delivery_fail(delivery, &error);
}

static void answer_success(struct hbk_delivery *delivery)
{
    struct hbk_sent_item items[HBK_ITEMS_MAX];
    struct hbk_send_result result = {
        .delivery = delivery->slot.id, .items_count = delivery->item_count, .items = items};

    for (size_t i = 0; i < delivery->item_count; i++) {
        const struct hbk_pinned *item = &delivery->items[i];

        items[i].type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name);
        items[i].access = item->access;
    }
    result.items = items;
    hbk_output_result(delivery->sender, &delivery->id, HBK_METHOD_HANDLE_SEND, &result);
}

void hbk_delivery_told(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_WRITING);
    for (size_t i = 0; i < delivery->item_count; i++) {
        delivery->items[i].value = 0; /* it is the target's from now on */
    }
    delivery->sender->sent++;
    delivery->target->received++;
    if (delivery->accept_id.kind != HBK_ID_NONE) {
        hbk_audit_accept(delivery, NULL);
    }
    hbk_audit_delivery(delivery, "handle.send", NULL);
    finish(delivery);
    core_of(delivery)->delivered++;
    if (take_answer(delivery)) {
        answer_success(delivery);
    }
}

/* ---- pins ---- */

static void delivery_free(struct hbk_delivery *delivery)
{
    struct hbk_session *sender = delivery->sender;
    struct hbk_core *core = sender->core;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_CLOSING && delivery->answered);
    HBK_ASSERT(delivery->ahead == NULL && delivery->behind == NULL);
    HBK_ASSERT(delivery->items_charged == 0 && hbk_list_empty(&delivery->close_link));
    if (delivery->item_count > 0) {
        hbk_audit_delivery(delivery, "delivery.closed", NULL);
    }
    hbk_list_remove(&delivery->send_link);
    hbk_timers_unreserve(&core->timers);
    if (delivery->items != delivery->few) {
        free(delivery->items);
    }
    free(delivery->text);
    hbk_pool_free(&core->delivery_pool, delivery);
    if (!hbk_session_alive(sender)) {
        hbk_session_settle_later(sender);
    }
}

static void pin_closed(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->sender->pins > 0 && delivery->items_charged > 0);
    delivery->items_charged--;
    delivery->sender->pins--;
    hbk_quota_give(delivery->sender, HBK_QUOTA_PINS, 1);
}

static void free_if_closed(struct hbk_delivery *delivery)
{
    if (delivery->closes_begun == delivery->item_count && delivery->closes_pending == 0) {
        delivery_free(delivery);
    }
}

uint32_t hbk_delivery_close(struct hbk_delivery *delivery, uint32_t max)
{
    struct hbk_core *core = core_of(delivery);
    uint32_t count = 0;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_CLOSING && max > 0);
    for (; delivery->closes_begun < delivery->item_count && count < max; count++) {
        struct hbk_pinned *item = &delivery->items[delivery->closes_begun];
        bool may_block = hbk_type_info((enum hbk_type)item->type)->close_may_block;

        HBK_ASSERT(item->pin != 0 && item->value == 0);
        core->spent++;
        delivery->closes_begun++;
        if (core->platform.unpin(delivery->sender->connection, item->pin, may_block,
                                 delivery->slot.id) == HBK_PLATFORM_PENDING) {
            delivery->closes_pending++;
        } else {
            pin_closed(delivery);
        }
    }
    if (delivery->closes_begun == delivery->item_count) {
        hbk_list_remove(&delivery->close_link);
        free_if_closed(delivery);
    }
    return count;
}

void hbk_delivery_unpinned(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_CLOSING && delivery->closes_pending > 0);
    pin_closed(delivery);
    delivery->closes_pending--;
    free_if_closed(delivery);
}

/* ---- place and tell ---- */

/* handle.delivered or handle.offered. Return: false if the target ended over it, and with it this. */
static bool notify(struct hbk_delivery *delivery, enum hbk_method method)
{
    struct hbk_session *target = delivery->target;
    struct hbk_delivered_item items[HBK_ITEMS_MAX];
    struct hbk_delivered params = {
        .delivery = delivery->slot.id,
        .endpoint = delivery->name,
        .from = hbk_session_as_sender(delivery->sender),
        .items_count = delivery->item_count,
        .items = items,
        .data = delivery->data,
        .revocable = false,
    };
    size_t begin = hbk_output_begin(target);

    hbk_place_describe(delivery, items);
    hbk_write_notification(&target->queued, method, &params);
    return hbk_output_end(target, begin);
}

/* What is placed is named in the target's next write, whose end decides. */
static void set_writing(struct hbk_delivery *delivery)
{
    leave_state(delivery);
    delivery->state = HBK_DELIVERY_WRITING;
    hbk_list_append(&delivery->target->carried, &delivery->target_link);
    hbk_lane_leave(delivery);
}

static void place_and_tell(struct hbk_delivery *delivery)
{
    if (hbk_place(delivery, delivery->sender) && notify(delivery, HBK_METHOD_HANDLE_DELIVERED)) {
        set_writing(delivery);
    }
}

static void offer(struct hbk_delivery *delivery)
{
    if (!notify(delivery, HBK_METHOD_HANDLE_OFFERED)) {
        return;
    }
    leave_state(delivery);
    delivery->state = HBK_DELIVERY_OFFERED;
    hbk_list_append(&delivery->target->offered, &delivery->target_link);
    set_timer(delivery, hbk_now(core_of(delivery)) + delivery->timeout_ms);
    hbk_lane_leave(delivery);
    hbk_audit_delivery(delivery, "handle.offered", NULL);
}

/* Bound before other rules were loaded: does it still hold? Else it ends. */
static bool still_bound(struct hbk_delivery *delivery)
{
    struct hbk_core *core = core_of(delivery);
    struct hbk_address address = hbk_target_address_of(delivery);
    struct hbk_endpoint *endpoint = NULL;
    struct hbk_error error;
    int result;

    HBK_ASSERT(delivery->endpoint != NULL);
    if (delivery->generation == core->generation) {
        return true;
    }
    result = hbk_target_find(delivery->sender, &address, &endpoint);
    if (result == 0 && endpoint != delivery->endpoint) {
        result = HBK_TARGET_E_NONE;
    }
    if (result != 0) {
        hbk_target_set_error(&address, result, &error);
    } else if (hbk_send_accepted_by(delivery, endpoint, &error) == 0) {
        delivery->generation = core->generation;
        return true;
    }
    hbk_delivery_fail(delivery, &error);
    return false;
}

static void place_accepted(struct hbk_delivery *delivery)
{
    struct hbk_session *target = delivery->target;
    struct hbk_delivered_item items[HBK_ITEMS_MAX];
    struct hbk_accept_result result = {.items_count = delivery->item_count, .items = items};
    size_t begin;

    if (!still_bound(delivery)) {
        return;
    }
    if (!hbk_output_free(target)) {
        return; /* stays in `accepted` until the write has ended, or has ended with its target */
    }
    if (!hbk_place(delivery, target)) {
        return;
    }
    hbk_place_describe(delivery, items);
    begin = hbk_output_begin(target);
    hbk_write_result(&target->queued, &delivery->accept_id, HBK_METHOD_DELIVERY_ACCEPT, &result);
    if (hbk_output_end(target, begin)) {
        HBK_ASSERT(target->requests > 0);
        target->requests--;
        hbk_quota_give(target, HBK_QUOTA_REQUESTS, 1);
        set_writing(delivery);
    }
}

/* ---- the second phase ---- */

static void wait_or_fail(struct hbk_delivery *delivery, const struct hbk_error *error)
{
    struct hbk_core *core = core_of(delivery);

    if (delivery->wait_due == HBK_NEVER) {
        hbk_delivery_fail(delivery, error);
        return;
    }
    if (delivery->wait_due <= hbk_now(core)) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT, "no such endpoint opened in time");
        return;
    }
    leave_state(delivery);
    delivery->state = HBK_DELIVERY_WAITING;
    hbk_table_insert(&core->waiting, &delivery->name_node, delivery->name_hash);
    set_timer(delivery, delivery->wait_due);
}

/* Bound to the endpoint of its name, if that takes it now: what held when it was pinned may have changed. */
static bool find_target(struct hbk_delivery *delivery)
{
    struct hbk_core *core = core_of(delivery);
    struct hbk_address address = hbk_target_address_of(delivery);
    struct hbk_endpoint *endpoint = NULL;
    struct hbk_error error;
    int result;

    if (delivery->endpoint != NULL) {
        return still_bound(delivery); /* an endpoint that closes fails what is bound to it */
    }
    result = hbk_target_find(delivery->sender, &address, &endpoint);
    if (result != 0) {
        hbk_target_set_error(&address, result, &error);
        if (result == HBK_TARGET_E_DENIED && delivery->to_pid == 0) {
            hbk_delivery_fail(delivery, &error);
        } else {
            wait_or_fail(delivery, &error);
        }
        return false;
    }
    if (hbk_send_accepted_by(delivery, endpoint, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
        return false;
    }
    if (!hbk_quota_check_endpoint(endpoint, delivery->sender)) {
        hbk_delivery_fail_code(delivery, HBK_R_BUSY,
                               "as many of yours wait for that endpoint as may: try again later");
        return false;
    }
    set_timer(delivery, HBK_NEVER);
    delivery->generation = core->generation;
    bind(delivery, endpoint);
    return true;
}

void hbk_delivery_phase(struct hbk_delivery *delivery)
{
    if (delivery->state == HBK_DELIVERY_ACCEPTED) {
        place_accepted(delivery);
        return;
    }
    HBK_ASSERT(delivery->state == HBK_DELIVERY_READY);
    if (!find_target(delivery)) {
        return;
    }
    if (!hbk_output_free(delivery->target)) {
        if (delivery->state == HBK_DELIVERY_READY) { /* else the flush found the target gone */
            delivery->state = HBK_DELIVERY_BLOCKED;
            hbk_list_append(&delivery->target->blocked, &delivery->target_link);
        }
    } else if (delivery->endpoint->mode == HBK_MODE_ASK) {
        offer(delivery);
    } else {
        place_and_tell(delivery);
    }
}

void hbk_delivery_unlock(struct hbk_session *target)
{
    HBK_ASSERT(!target->write_pending);
    while (!hbk_list_empty(&target->blocked)) {
        hbk_delivery_make_ready(
            HBK_CONTAINER(target->blocked.next, struct hbk_delivery, target_link));
    }
    for (struct hbk_link *link = target->accepted.next; link != &target->accepted;
         link = link->next) {
        struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, target_link);

        if (hbk_list_empty(&delivery->ready_link)) {
            hbk_list_append(&target->ready, &delivery->ready_link);
        }
    }
    hbk_session_schedule(target);
}

/* It waits for its turn alone: its endpoint is open. */
static bool waits_for_turn(struct hbk_delivery *delivery)
{
    struct hbk_address address = hbk_target_address_of(delivery);
    struct hbk_endpoint *endpoint = NULL;

    return delivery->state == HBK_DELIVERY_BEHIND &&
           hbk_target_find(delivery->sender, &address, &endpoint) == 0;
}

void hbk_delivery_expire(struct hbk_delivery *delivery)
{
    if (waits_for_turn(delivery)) {
        return;
    }
    if (delivery->state == HBK_DELIVERY_WAITING || delivery->state == HBK_DELIVERY_BEHIND) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT, "no such endpoint opened in time");
    } else if (delivery->state == HBK_DELIVERY_OFFERED) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT, "the target did not answer in time");
    }
}

/* ---- what the target says to an offer ---- */

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
    leave_state(delivery);
    set_timer(delivery, HBK_NEVER);
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
    if (params->reason.data != NULL && params->reason.size != 0) {
        hbk_error_set(&error, HBK_R_REJECTED, "%.*s", (int)params->reason.size,
                      params->reason.data);
    } else {
        hbk_error_set(&error, HBK_R_REJECTED, "the target gave no reason");
    }
    hbk_audit_reject(session, delivery);
    hbk_delivery_fail(delivery, &error);
    hbk_output_result(session, id, HBK_METHOD_DELIVERY_REJECT, NULL);
}

/* ---- the sender's end ---- */

static void withdraw(struct hbk_delivery *delivery)
{
    bool seen_by_target =
        delivery->state == HBK_DELIVERY_OFFERED || delivery->state == HBK_DELIVERY_ACCEPTED;

    if (seen_by_target) {
        hbk_output_gone(delivery->target, delivery->sender->slot.id);
    }
    if (delivery->state != HBK_DELIVERY_CLOSING) {
        hbk_delivery_fail_code(delivery, HBK_R_NOT_FOUND,
                               "the sender has ended; its offer is withdrawn");
    }
}

void hbk_delivery_drop_sends(struct hbk_session *sender)
{
    for (struct hbk_link *link = sender->sends.next; link != &sender->sends; link = link->next) {
        struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, send_link);

        if (delivery->state == HBK_DELIVERY_CLOSING || delivery->state == HBK_DELIVERY_WRITING) {
            continue;
        }
        (void)take_answer(delivery);
        withdraw(delivery);
    }
}

void hbk_delivery_stop_sends(struct hbk_session *sender)
{
    for (struct hbk_link *link = sender->sends.next; link != &sender->sends; link = link->next) {
        struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, send_link);

        if (delivery->state != HBK_DELIVERY_CLOSING && delivery->state != HBK_DELIVERY_WRITING) {
            hbk_delivery_fail_code(delivery, HBK_R_STOPPING, "the service is shutting down");
        }
    }
}
