/* A delivery from its second phase on: find where it goes, wait, offer, or place and tell; then let the
 * pins go. Whatever ends it early passes through hbk_delivery_fail(), which undoes what was placed.
 *
 * Who is told of what was placed is told by one line: a target by handle.delivered or the answer to its accept, who
 * asked for it itself (store.get, a transfer to itself or to a process without a session) by its own answer. */
#include "internal.h"

#include <stdlib.h>

static struct hbk_core *core_of(const struct hbk_delivery *delivery)
{
    return delivery->sender->core;
}

/* ---- from state to state ---- */

void hbk_delivery_set_timer(struct hbk_delivery *delivery, uint64_t due_ms)
{
    hbk_timer_set(&core_of(delivery)->timers, &delivery->timer, due_ms);
}

void hbk_delivery_leave(struct hbk_delivery *delivery)
{
    if (delivery->state == HBK_DELIVERY_WAITING) {
        hbk_table_remove(delivery->kind == HBK_DELIVERY_TAKE ? &core_of(delivery)->takers
                                                             : &core_of(delivery)->waiting,
                         &delivery->name_node);
    }
    hbk_list_remove(&delivery->ready_link);
    hbk_list_remove(&delivery->target_link);
}

void hbk_delivery_make_ready(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_BEHIND || delivery->state == HBK_DELIVERY_WAITING ||
               delivery->state == HBK_DELIVERY_BLOCKED || delivery->state == HBK_DELIVERY_MAKING ||
               delivery->state == HBK_DELIVERY_WRITING || delivery->state == HBK_DELIVERY_READY);
    hbk_delivery_leave(delivery);
    if (delivery->endpoint == NULL) {
        delivery->target = NULL; /* it is looked for again, and may end before */
    }
    delivery->state = HBK_DELIVERY_READY;
    hbk_delivery_again(delivery, delivery->sender);
}

void hbk_delivery_again(struct hbk_delivery *delivery, struct hbk_session *at_work)
{
    /* A write that ended meanwhile may have made it ready already. */
    if (hbk_list_empty(&delivery->ready_link)) {
        hbk_list_append(&at_work->ready, &delivery->ready_link);
    }
    hbk_session_schedule(at_work);
}

void hbk_delivery_start(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_BEHIND && delivery->item_count > 0);
    if (delivery->name.data != NULL) {
        hbk_lane_enter(delivery);
    }
    if (delivery->ahead == NULL) {
        hbk_delivery_make_ready(delivery);
    } else {
        hbk_delivery_set_timer(delivery, delivery->wait_due);
    }
}

void *hbk_delivery_party(const struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->target != NULL);
    return delivery->process != NULL ? delivery->process : delivery->target->connection;
}

const char *hbk_delivery_event(const struct hbk_delivery *delivery)
{
    static const enum hbk_method methods[] = {
        [HBK_DELIVERY_SEND] = HBK_METHOD_HANDLE_SEND,
        [HBK_DELIVERY_TRANSFER] = HBK_METHOD_HANDLE_TRANSFER,
        [HBK_DELIVERY_TAKE] = HBK_METHOD_STORE_GET,
    };

    return hbk_method_name(methods[delivery->kind]);
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

/* ---- told ---- */

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

static void forget_values(struct hbk_delivery *delivery)
{
    for (size_t i = 0; i < delivery->item_count; i++) {
        delivery->items[i].value = 0;
        delivery->items[i].made = false;
    }
}

void hbk_delivery_told(struct hbk_delivery *delivery)
{
    uint32_t value = delivery->items[0].value;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_WRITING);
    delivery->sender->sent += delivery->kind != HBK_DELIVERY_TAKE;
    delivery->target->received += delivery->process == NULL || delivery->target != delivery->sender;
    if (delivery->accept_id.kind != HBK_ID_NONE) {
        hbk_audit_accept(delivery, NULL);
    }
    hbk_audit_delivery(delivery, hbk_delivery_event(delivery), NULL);
    if (delivery->kind == HBK_DELIVERY_TAKE) {
        hbk_take_end(delivery, true);
    }
    if (delivery->revocable) {
        hbk_revoke_keep(delivery);
    } else {
        forget_values(delivery); /* they are the target's from now on */
        hbk_delivery_finish(delivery);
    }
    hbk_metrics_done(core_of(delivery), delivery);
    if (!hbk_delivery_claim_answer(delivery)) {
        return;
    }
    if (delivery->kind != HBK_DELIVERY_SEND) {
        (void)hbk_transfer_answer(delivery, value, true);
        return;
    }
    answer_success(delivery);
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
        .revocable = delivery->revocable,
    };
    size_t begin = hbk_output_begin(target);

    hbk_place_describe(delivery, items);
    hbk_write_notification(&target->queued, method, &params);
    return hbk_output_end(target, begin);
}

/* What is placed is named in the target's next write, whose end decides. */
static void set_writing(struct hbk_delivery *delivery)
{
    hbk_delivery_leave(delivery);
    delivery->state = HBK_DELIVERY_WRITING;
    hbk_list_append(&delivery->target->carried, &delivery->target_link);
    hbk_lane_leave(delivery);
}

/* Who asked is who is told: by the answer. */
static bool answer_tells(const struct hbk_delivery *delivery)
{
    return delivery->endpoint == NULL && delivery->target == delivery->sender;
}

static bool answer(struct hbk_delivery *delivery)
{
    bool done = delivery->kind == HBK_DELIVERY_TAKE
                    ? hbk_take_answer(delivery)
                    : hbk_transfer_answer(delivery, delivery->items[0].value, false);

    if (done) {
        (void)hbk_delivery_claim_answer(delivery);
    }
    return done;
}

static void place_and_tell(struct hbk_delivery *delivery)
{
    if (!hbk_place(delivery, delivery->sender)) {
        return;
    }
    if (answer_tells(delivery) ? answer(delivery) : notify(delivery, HBK_METHOD_HANDLE_DELIVERED)) {
        set_writing(delivery);
    } else if (delivery->state == HBK_DELIVERY_READY) { /* its session ended over it */
        (void)hbk_place_undo(delivery, HBK_ITEMS_MAX);
        hbk_delivery_retell(delivery);
    }
}

static void offer(struct hbk_delivery *delivery)
{
    if (!notify(delivery, HBK_METHOD_HANDLE_OFFERED)) {
        return;
    }
    hbk_delivery_leave(delivery);
    delivery->state = HBK_DELIVERY_OFFERED;
    hbk_list_append(&delivery->target->offered, &delivery->target_link);
    hbk_delivery_set_timer(delivery, hbk_now(core_of(delivery)) + delivery->timeout_ms);
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
    if (!hbk_output_free(target) || delivery->state != HBK_DELIVERY_ACCEPTED) {
        return; /* stays in `accepted` until the write has ended, or has ended with its target or sender */
    }
    if (!hbk_socket_ready(delivery, target) || !hbk_place(delivery, target)) {
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

static const char *late(const struct hbk_delivery *delivery)
{
    return delivery->kind == HBK_DELIVERY_TAKE ? "nothing of that name was put in time"
                                               : "no such endpoint opened in time";
}

void hbk_delivery_wait(struct hbk_delivery *delivery, const struct hbk_error *error)
{
    struct hbk_core *core = core_of(delivery);

    if (delivery->wait_due == HBK_NEVER) {
        hbk_delivery_fail(delivery, error);
        return;
    }
    if (delivery->wait_due <= hbk_now(core)) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT, late(delivery));
        return;
    }
    hbk_delivery_leave(delivery);
    delivery->state = HBK_DELIVERY_WAITING;
    hbk_table_insert(delivery->kind == HBK_DELIVERY_TAKE ? &core->takers : &core->waiting,
                     &delivery->name_node, delivery->name_hash);
    hbk_delivery_set_timer(delivery, delivery->wait_due);
}

/* Bound to the endpoint of its name, if that takes it now: what held when it was pinned may have changed. */
static bool find_endpoint(struct hbk_delivery *delivery)
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
            hbk_delivery_wait(delivery, &error);
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
    hbk_delivery_set_timer(delivery, HBK_NEVER);
    delivery->generation = core->generation;
    bind(delivery, endpoint);
    return true;
}

static bool find_target(struct hbk_delivery *delivery)
{
    if (delivery->kind == HBK_DELIVERY_TAKE) {
        return hbk_take_find(delivery);
    }
    if (delivery->name.data != NULL) {
        return find_endpoint(delivery);
    }
    hbk_transfer_find(delivery);
    return true;
}

/* Until the write has ended; a process whose session was found gone over it has another one, or none. */
static void wait_for_write(struct hbk_delivery *delivery)
{
    if (!hbk_session_alive(delivery->target)) {
        HBK_ASSERT(delivery->process != NULL);
        hbk_delivery_make_ready(delivery);
        return;
    }
    delivery->state = HBK_DELIVERY_BLOCKED;
    hbk_list_append(&delivery->target->blocked, &delivery->target_link);
}

void hbk_delivery_phase(struct hbk_delivery *delivery)
{
    bool free_to_write;

    if (delivery->state == HBK_DELIVERY_ACCEPTED) {
        place_accepted(delivery);
        return;
    }
    HBK_ASSERT(delivery->state == HBK_DELIVERY_READY && !delivery->making);
    if (!find_target(delivery)) {
        return;
    }
    free_to_write = hbk_output_free(delivery->target);
    if (delivery->state != HBK_DELIVERY_READY) {
        return; /* the flush found its target or its sender gone, and that was its end */
    }
    if (!free_to_write) {
        wait_for_write(delivery);
    } else if (delivery->endpoint != NULL && delivery->endpoint->mode == HBK_MODE_ASK) {
        offer(delivery);
    } else if (hbk_socket_ready(delivery, delivery->sender)) {
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

        if (!delivery->making) {
            hbk_delivery_again(delivery, target);
        }
    }
    hbk_session_schedule(target);
}

/* It waits for its turn alone: its endpoint is open. */
static bool waits_for_turn(struct hbk_delivery *delivery)
{
    struct hbk_address address;
    struct hbk_endpoint *endpoint = NULL;

    if (delivery->kind == HBK_DELIVERY_TAKE) {
        return false;
    }
    address = hbk_target_address_of(delivery);
    return delivery->state == HBK_DELIVERY_BEHIND &&
           hbk_target_find(delivery->sender, &address, &endpoint) == 0;
}

void hbk_delivery_expire(struct hbk_delivery *delivery)
{
    if (delivery->making) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT,
                               "the system did not make the target's sockets in time: try again");
        return;
    }
    if (waits_for_turn(delivery)) {
        return;
    }
    if (delivery->state == HBK_DELIVERY_WAITING || delivery->state == HBK_DELIVERY_BEHIND) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT, late(delivery));
    } else if (delivery->state == HBK_DELIVERY_OFFERED) {
        hbk_delivery_fail_code(delivery, HBK_R_TIMEOUT, "the target did not answer in time");
    }
}
