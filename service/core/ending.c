/* How a delivery ends: what was placed is undone, its sender answered, its pins closed. */
#include "internal.h"

#include <stdlib.h>

static struct hbk_core *core_of(const struct hbk_delivery *delivery)
{
    return delivery->sender->core;
}

/* ---- the end ---- */

/* Nobody is left who may take its handles, or be told of them. */
static void let_target_go(struct hbk_delivery *delivery)
{
    hbk_delivery_unbind(delivery);
    hbk_lane_leave(delivery);
    core_of(delivery)->platform.process_close(delivery->process);
    delivery->process = NULL;
    delivery->target = NULL;
}

/* Its pins are closed after the lines of this turn are written, and once no worker is at them. */
void hbk_delivery_finish(struct hbk_delivery *delivery)
{
    bool given = delivery->state == HBK_DELIVERY_GIVEN;

    HBK_ASSERT(delivery->state != HBK_DELIVERY_CLOSING);
    if (delivery->state == HBK_DELIVERY_PINNING) {
        hbk_send_end_pinning(delivery);
    }
    hbk_delivery_leave(delivery);
    hbk_delivery_set_timer(delivery, HBK_NEVER);
    delivery->state = HBK_DELIVERY_CLOSING;
    let_target_go(delivery);
    if (!given) {
        hbk_quota_give(delivery->sender, HBK_QUOTA_PENDING, 1);
    }
    if (!delivery->making) {
        hbk_delivery_close_later(delivery);
    }
}

void hbk_delivery_close_later(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_CLOSING && !delivery->making);
    hbk_socket_release(delivery);
    hbk_list_append(&delivery->sender->closing, &delivery->close_link);
    hbk_work_add(delivery->sender, HBK_WORK_CLOSE);
}

/* True once: the sender is to be answered, and this is the answer. */
bool hbk_delivery_claim_answer(struct hbk_delivery *delivery)
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
    hbk_audit_delivery(delivery, hbk_delivery_event(delivery), error);
    if (delivery->kind == HBK_DELIVERY_TAKE) {
        hbk_take_end(delivery, false);
    }
    hbk_delivery_finish(delivery);
    core_of(delivery)->failed++;
    if (hbk_delivery_claim_answer(delivery)) {
        hbk_output_failure(delivery->sender, &delivery->id, error);
    }
}

void hbk_delivery_fail_code(struct hbk_delivery *delivery, int32_t code, const char *detail)
{
    struct hbk_error error;

    hbk_error_set(&error, code, "%s", detail);
    hbk_delivery_fail(delivery, &error);
}

/* ---- pins ---- */

static void delivery_free(struct hbk_delivery *delivery)
{
    struct hbk_session *sender = delivery->sender;
    struct hbk_core *core = sender->core;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_CLOSING && delivery->answered);
    HBK_ASSERT(delivery->ahead == NULL && delivery->behind == NULL);
    HBK_ASSERT(delivery->items_charged == 0 && hbk_list_empty(&delivery->close_link));
    HBK_ASSERT(!delivery->making && delivery->sockets == NULL && delivery->process == NULL);
    if (delivery->item_count > 0 && delivery->kind != HBK_DELIVERY_TAKE) {
        hbk_audit_delivery(delivery, "delivery.closed", NULL);
    }
    if (delivery->entry != NULL) {
        hbk_store_put_back(delivery->entry);
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
        uint64_t ticket;

        HBK_ASSERT(item->pin != 0 && item->value == 0 && !item->made);
        core->spent++;
        delivery->closes_begun++;
        if (delivery->kind == HBK_DELIVERY_TAKE) {
            continue; /* it is the entry's */
        }
        // cppcheck-suppress badBitmaskCheck ; that the one kind's bit is 0 is no matter here
        ticket = delivery->slot.id << 1 | HBK_TICKET_DELIVERY;
        if (core->platform.unpin(core->platform.context, delivery->sender->user->closer, item->pin,
                                 may_block, ticket) == HBK_PLATFORM_PENDING) {
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

        if (delivery->state == HBK_DELIVERY_WRITING && delivery->revocable) {
            hbk_output_gone(delivery->target,
                            sender->slot.id); /* behind the line that tells of it */
        }
        if (delivery->state == HBK_DELIVERY_CLOSING || delivery->state == HBK_DELIVERY_WRITING) {
            continue;
        }
        (void)hbk_delivery_claim_answer(delivery);
        withdraw(delivery);
    }
}

void hbk_delivery_cancel(struct hbk_delivery *delivery)
{
    struct hbk_revoked params = {.delivery = delivery->slot.id};
    struct hbk_session *target = delivery->target;
    bool offered =
        delivery->state == HBK_DELIVERY_OFFERED || delivery->state == HBK_DELIVERY_ACCEPTED;

    HBK_ASSERT(delivery->state != HBK_DELIVERY_CLOSING && delivery->state != HBK_DELIVERY_WRITING &&
               delivery->state != HBK_DELIVERY_GIVEN);
    if (offered) {
        (void)hbk_output_notification(target, HBK_METHOD_DELIVERY_REVOKED, &params);
    }
    if (delivery->state != HBK_DELIVERY_CLOSING) {
        hbk_delivery_fail_code(delivery, HBK_R_REJECTED, "it was revoked before it was told");
    }
}

/* ---- what goes to a process, and not to an endpoint ---- */

void hbk_delivery_retell(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->process != NULL && delivery->items[0].value == 0);
    delivery->unnoticed = true;
    delivery->placed_count = 0;
    hbk_delivery_make_ready(delivery);
}

void hbk_delivery_unhold(struct hbk_session *target)
{
    while (!hbk_list_empty(&target->blocked)) {
        struct hbk_delivery *delivery =
            HBK_CONTAINER(target->blocked.next, struct hbk_delivery, target_link);

        HBK_ASSERT(delivery->endpoint == NULL); /* those were closed before */
        hbk_delivery_make_ready(delivery);
    }
}

/* ---- the service stops ---- */

void hbk_delivery_stop_sends(struct hbk_session *sender)
{
    for (struct hbk_link *link = sender->sends.next; link != &sender->sends; link = link->next) {
        struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, send_link);

        if (delivery->state != HBK_DELIVERY_CLOSING && delivery->state != HBK_DELIVERY_WRITING) {
            hbk_delivery_fail_code(delivery, HBK_R_STOPPING, "the service is shutting down");
        }
    }
}
