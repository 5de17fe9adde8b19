/* What can be taken back after it was told, because its sender and its target agreed to that: the pins stay, so that it
 * can be told whether the object at a value in the target is still the one that was given. */
#include "internal.h"

#include <stdlib.h>

/* Of its texts the name alone is needed, for records and lists: it is the first of them. */
static void forget_texts(struct hbk_delivery *delivery)
{
    char *name = realloc(delivery->text, delivery->name.size + 1);

    if (name != NULL) {
        delivery->text = name;
    }
    delivery->name.data = delivery->text;
    delivery->data = delivery->expect_user = (struct hbk_text){0};
}

/* The target has it, and keeps it. */
static void let_go(struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->state == HBK_DELIVERY_GIVEN);
    for (size_t i = 0; i < delivery->item_count; i++) {
        delivery->items[i].value = 0;
    }
    hbk_list_remove(&delivery->send_link);
    hbk_list_append(&delivery->sender->sends, &delivery->send_link);
    hbk_delivery_finish(delivery);
}

void hbk_revoke_keep(struct hbk_delivery *delivery)
{
    struct hbk_session *sender = delivery->sender, *target = delivery->target;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_WRITING && delivery->revocable);
    HBK_ASSERT(hbk_list_empty(&delivery->target_link) && !delivery->in_lane);
    HBK_ASSERT(delivery->timer.place == 0);
    hbk_delivery_unbind(delivery);
    hbk_quota_give(sender, HBK_QUOTA_PENDING, 1);
    delivery->state = HBK_DELIVERY_GIVEN;
    sender->core->given++;
    hbk_list_remove(&delivery->send_link);
    hbk_list_append(&sender->given, &delivery->send_link);
    hbk_list_append(&target->holds, &delivery->target_link);
    forget_texts(delivery);
    if (!hbk_session_alive(sender) || !hbk_session_alive(target)) {
        let_go(delivery);
    }
}

/* Whose line is still on its way may yet be told: then it was shared with one that has gone. Said here, with all else
 * that @target shares, nobody is told of it twice. */
static void tell_senders(const struct hbk_session *target, const struct hbk_link *head)
{
    for (const struct hbk_link *link = head->next; link != head; link = link->next) {
        const struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, target_link);

        if (delivery->revocable) {
            hbk_output_gone(delivery->sender, target->slot.id);
        }
    }
}

void hbk_revoke_end_all(struct hbk_session *session)
{
    tell_senders(session, &session->in_flight);
    tell_senders(session, &session->carried);
    while (!hbk_list_empty(&session->holds)) {
        struct hbk_delivery *delivery =
            HBK_CONTAINER(session->holds.next, struct hbk_delivery, target_link);
        struct hbk_session *sender = delivery->sender;

        let_go(delivery);
        hbk_output_gone(sender, session->slot.id);
    }
    while (!hbk_list_empty(&session->given)) {
        struct hbk_delivery *delivery =
            HBK_CONTAINER(session->given.next, struct hbk_delivery, send_link);
        struct hbk_session *target = delivery->target;

        let_go(delivery);
        hbk_output_gone(target, session->slot.id);
    }
}

/* ---- delivery.revoke ---- */

static uint32_t pid_of(const struct hbk_delivery *delivery)
{
    HBK_ASSERT(delivery->target != NULL);
    return delivery->process != NULL ? delivery->process_pid : delivery->target->peer.pid;
}

/* Forget the values of @delivery's that are those of what @other has placed in process @pid. */
static void forget_values_of(struct hbk_delivery *delivery, const struct hbk_delivery *other,
                             uint32_t pid)
{
    for (size_t i = 0; i < other->item_count; i++) {
        uint32_t value = other->items[i].value;

        if (value == 0 || pid_of(other) != pid) {
            continue;
        }
        for (size_t j = 0; j < delivery->item_count; j++) {
            if (delivery->items[j].value == value) {
                delivery->items[j].value = 0;
            }
        }
    }
}

/* Where the target has closed what it was given, the value may be that of what is placed and not told yet: perhaps of
 * the same object, so that comparing would not show it. */
static void forget_placed_again(struct hbk_delivery *delivery)
{
    struct hbk_core *core = delivery->sender->core;
    uint32_t under_way = core->delivery_pool.used_count - core->given;
    uint32_t pid = pid_of(delivery);

    core->spent += (core->session_pool.used_count + under_way) / HBK_WORK_LOOKED_AT;
    for (const struct hbk_link *of = core->sessions.next; of != &core->sessions; of = of->next) {
        const struct hbk_link *sends = &HBK_CONTAINER(of, struct hbk_session, all_link)->sends;

        for (const struct hbk_link *at = sends->next; at != sends; at = at->next) {
            forget_values_of(delivery, HBK_CONTAINER(at, struct hbk_delivery, send_link), pid);
        }
    }
}

static size_t close_there(struct hbk_delivery *delivery, uint32_t ret_closed[HBK_ITEMS_MAX])
{
    struct hbk_core *core = delivery->sender->core;
    size_t count = 0;

    forget_placed_again(delivery);
    for (size_t i = 0; i < delivery->item_count; i++) {
        struct hbk_pinned *item = &delivery->items[i];

        core->spent++;
        if (item->value != 0 &&
            core->platform.unplace(hbk_delivery_party(delivery), item->pin, item->value)) {
            ret_closed[count++] = (uint32_t)i;
        }
    }
    return count;
}

static void revoke_given(struct hbk_session *session, const struct hbk_id *id,
                         struct hbk_delivery *delivery)
{
    uint32_t closed[HBK_ITEMS_MAX];
    struct hbk_revoked params = {.delivery = delivery->slot.id, .closed = closed};
    struct hbk_revoke_result result = {.closed = closed};
    struct hbk_session *target = delivery->target;

    params.closed_count = result.closed_count = close_there(delivery, closed);
    hbk_audit_revoke(session, delivery);
    let_go(delivery);
    (void)hbk_output_notification(target, HBK_METHOD_DELIVERY_REVOKED, &params);
    hbk_output_result(session, id, HBK_METHOD_DELIVERY_REVOKE, &result);
}

static void revoke_pending(struct hbk_session *session, const struct hbk_id *id,
                           struct hbk_delivery *delivery)
{
    const struct hbk_revoke_result result = {.closed_count = 0};

    if (delivery->state == HBK_DELIVERY_WRITING) {
        hbk_output_refuse(session, id, HBK_R_BUSY, "it is being told at this moment: try again");
        return;
    }
    hbk_audit_revoke(session, delivery);
    hbk_delivery_cancel(delivery);
    hbk_output_result(session, id, HBK_METHOD_DELIVERY_REVOKE, &result);
}

void hbk_revoke_request(struct hbk_session *session, const struct hbk_id *id,
                        const struct hbk_delivery_answer *params)
{
    struct hbk_delivery *delivery = hbk_pool_get(&session->core->delivery_pool, params->delivery);

    if (delivery == NULL || delivery->state == HBK_DELIVERY_CLOSING ||
        delivery->kind == HBK_DELIVERY_TAKE ||
        (delivery->sender != session && !hbk_grant_verb(session, HBK_VERB_REVOKE))) {
        hbk_output_refuse(session, id, HBK_R_NOT_FOUND,
                          "no delivery of that id is yours to revoke: it is over, was told and "
                          "not revocable, or is another's");
        return;
    }
    if (delivery->state == HBK_DELIVERY_GIVEN) {
        revoke_given(session, id, delivery);
    } else {
        revoke_pending(session, id, delivery);
    }
}
