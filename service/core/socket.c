/* Sockets of a delivery. Winsock makes, from the broker's pin, what one process can make a socket of its own from, and
 * by that already puts a handle there: so it comes after all checks, on a worker, for a target that is known; and what
 * the target is not told of is taken back. */
#include "internal.h"

static size_t count_sockets(const struct hbk_delivery *delivery)
{
    size_t count = 0;

    for (size_t i = 0; i < delivery->item_count; i++) {
        count += delivery->items[i].type == HBK_TYPE_SOCKET;
    }
    return count;
}

/* Item @index is so manyth among the sockets. */
static size_t place_among(const struct hbk_delivery *delivery, size_t index)
{
    size_t place = 0;

    HBK_ASSERT(index < delivery->item_count && delivery->items[index].type == HBK_TYPE_SOCKET);
    for (size_t i = 0; i < index; i++) {
        place += delivery->items[i].type == HBK_TYPE_SOCKET;
    }
    return place;
}

/* And the other way. */
static size_t item_of(const struct hbk_delivery *delivery, size_t place)
{
    size_t index = 0;

    for (;; index++) {
        HBK_ASSERT(index < delivery->item_count);
        if (delivery->items[index].type == HBK_TYPE_SOCKET && place-- == 0) {
            return index;
        }
    }
}

static int make(struct hbk_delivery *delivery, size_t count, struct hbk_error *ret_error)
{
    struct hbk_core *core = delivery->sender->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};
    hbk_pin pins[HBK_SOCKETS_MAX];

    HBK_ASSERT(count <= HBK_SOCKETS_MAX && delivery->sockets == NULL);
    for (size_t i = 0; i < count; i++) {
        pins[i] = delivery->items[item_of(delivery, i)].pin;
    }
    core->spent++;
    if (core->platform.sockets_make(hbk_delivery_party(delivery), delivery->sender->user->closer,
                                    pins, count, delivery->slot.id, &delivery->sockets,
                                    &failure) != HBK_PLATFORM_PENDING) {
        delivery->sockets = NULL;
        hbk_output_set_failure(ret_error, &failure);
        return HBK_SEND_E_REFUSED;
    }
    core->sockets_pending++;
    return 0;
}

bool hbk_socket_ready(struct hbk_delivery *delivery, struct hbk_session *at_work)
{
    size_t count = count_sockets(delivery);
    struct hbk_core *core = at_work->core;
    struct hbk_error error;

    HBK_ASSERT(!delivery->making);
    if (count == 0 || delivery->sockets != NULL) {
        return true;
    }
    if (make(delivery, count, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
        return false;
    }
    delivery->making = true;
    hbk_list_remove(&delivery->ready_link);
    if (delivery->state == HBK_DELIVERY_READY) {
        delivery->state = HBK_DELIVERY_MAKING;
    }
    HBK_ASSERT(delivery->state == HBK_DELIVERY_MAKING || delivery->state == HBK_DELIVERY_ACCEPTED);
    hbk_delivery_set_timer(delivery, hbk_now(core) + HBK_SOCKET_DEADLINE_MS);
    return false;
}

static void note_lost(const struct hbk_delivery *delivery)
{
    struct hbk_core *core = delivery->sender->core;
    struct hbk_notice notice = {
        .kind = HBK_NOTICE_WARNING,
        .correlation = delivery->correlation,
        .user = delivery->sender->peer.user,
        .pid = delivery->sender->peer.pid,
        .detail = "a socket that was made for a target, and not told to it, was not found there "
                  "again: it stays until that process ends",
    };

    core->sockets_lost++;
    hbk_core_note(core, &notice);
}

void hbk_socket_undo(struct hbk_delivery *delivery, size_t index)
{
    struct hbk_core *core = delivery->sender->core;
    struct hbk_pinned *item = &delivery->items[index];

    HBK_ASSERT(item->made && !delivery->making && delivery->sockets != NULL);
    item->made = false;
    core->spent++;
    if (!core->platform.sockets_undo(delivery->sockets, place_among(delivery, index), item->pin)) {
        note_lost(delivery);
    }
}

void hbk_socket_release(struct hbk_delivery *delivery)
{
    for (size_t i = 0; i < delivery->item_count; i++) {
        HBK_ASSERT(!delivery->items[i].made);
    }
    delivery->sender->core->platform.sockets_free(delivery->sockets);
    delivery->sockets = NULL;
}

void hbk_socket_made(struct hbk_delivery *delivery, const struct hbk_failure *failure, size_t item)
{
    struct hbk_error error;

    HBK_ASSERT(delivery->making && delivery->sockets != NULL);
    delivery->making = false;
    for (size_t i = 0; i < delivery->item_count && failure == NULL; i++) {
        delivery->items[i].made = delivery->items[i].type == HBK_TYPE_SOCKET;
    }
    if (delivery->state == HBK_DELIVERY_CLOSING) { /* it came to its end meanwhile */
        for (size_t i = 0; i < delivery->item_count; i++) {
            if (delivery->items[i].made) {
                hbk_socket_undo(delivery, i);
            }
        }
        hbk_delivery_close_later(delivery);
        return;
    }
    hbk_delivery_set_timer(delivery, HBK_NEVER);
    if (failure != NULL) {
        hbk_output_set_failure(&error, failure);
        error.item = (int32_t)item_of(delivery, item);
        hbk_delivery_fail(delivery, &error);
    } else if (delivery->state == HBK_DELIVERY_ACCEPTED) {
        hbk_delivery_again(delivery, delivery->target);
    } else {
        hbk_delivery_make_ready(delivery);
    }
}

struct hbk_text hbk_socket_info(const struct hbk_delivery *delivery, size_t index)
{
    const struct hbk_platform *platform = &delivery->sender->core->platform;

    HBK_ASSERT(delivery->items[index].made);
    return hbk_text_from(platform->sockets_info(delivery->sockets, place_among(delivery, index)));
}
