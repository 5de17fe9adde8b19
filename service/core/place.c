/* What a delivery puts into its target's table, and what the target is told of it. */
#include "internal.h"

/* Asked once, when the target first hears of it. A File is asked nothing. */
static enum hbk_widenable widenable(const struct hbk_delivery *delivery,
                                    const struct hbk_pinned *item)
{
    struct hbk_core *core = delivery->sender->core;

    if (item->same) {
        return HBK_WIDENABLE_NOT_REDUCED;
    }
    HBK_ASSERT(item->access != item->granted);
    HBK_ASSERT(item->type != HBK_TYPE_SOCKET); /* it keeps all its rights */
    if (item->type == HBK_TYPE_FILE) {
        return HBK_WIDENABLE_UNKNOWN;
    }
    core->spent++;
    return core->platform.widenable(hbk_delivery_party(delivery), item->pin, item->granted,
                                    item->access);
}

static void know_widenable(struct hbk_delivery *delivery, struct hbk_pinned *item)
{
    if (!item->widenable_known) {
        item->widenable = (uint8_t)widenable(delivery, item);
        item->widenable_known = true;
    }
}

/* An endpoint's process sets the flag itself, before its application sees the handle: so a child that it makes
 * meanwhile does not get it. Who asks for itself, or for a process that may not know of the broker, has asked for it. */
static bool inheritable_there(const struct hbk_delivery *delivery, const struct hbk_pinned *item)
{
    return item->inherit && delivery->endpoint == NULL;
}

static int place_some(struct hbk_delivery *delivery, struct hbk_error *ret_error)
{
    struct hbk_core *core = delivery->sender->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};
    uint64_t begin = core->spent;

    while (delivery->placed_count < delivery->item_count &&
           core->spent - begin < HBK_WORK_PER_PIECE) {
        size_t i = delivery->placed_count;
        struct hbk_pinned *item = &delivery->items[i];

        HBK_ASSERT(item->value == 0 && (item->access & ~item->granted) == 0);
        if (item->type == HBK_TYPE_SOCKET) {
            HBK_ASSERT(item->made); /* the way in which it gets there */
            delivery->placed_count++;
            continue;
        }
        core->spent++;
        if (core->platform.place(hbk_delivery_party(delivery), item->pin, item->same, item->access,
                                 inheritable_there(delivery, item), &item->value, &failure) != 0) {
            item->value = 0;
            hbk_output_set_failure(ret_error, &failure);
            ret_error->item = (int32_t)i;
            return HBK_SEND_E_REFUSED;
        }
        HBK_ASSERT(item->value >= HBK_HANDLE_MIN && item->value <= HBK_HANDLE_MAX);
        delivery->placed_count++;
        know_widenable(delivery, item);
    }
    return 0;
}

bool hbk_place(struct hbk_delivery *delivery, struct hbk_session *at_work)
{
    struct hbk_error error;

    if (place_some(delivery, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
        return false;
    }
    if (delivery->placed_count < delivery->item_count) {
        hbk_delivery_again(delivery, at_work);
        return false;
    }
    return true;
}

uint32_t hbk_place_undo(struct hbk_delivery *delivery, uint32_t max)
{
    struct hbk_core *core = delivery->sender->core;
    uint32_t count = 0;

    for (size_t i = 0; i < delivery->item_count && count < max; i++) {
        struct hbk_pinned *item = &delivery->items[i];

        if (item->value != 0) {
            count++;
            HBK_ASSERT(delivery->target != NULL);
            core->spent++;
            (void)core->platform.unplace(hbk_delivery_party(delivery), item->pin, item->value);
            item->value = 0;
        } else if (item->made) {
            count++;
            hbk_socket_undo(delivery, i);
        }
    }
    return count;
}

void hbk_place_describe(struct hbk_delivery *delivery, struct hbk_delivered_item *ret_items)
{
    for (size_t i = 0; i < delivery->item_count; i++) {
        struct hbk_pinned *item = &delivery->items[i];

        know_widenable(delivery, item);
        ret_items[i] = (struct hbk_delivered_item){
            .handle = item->value,
            .protocol_info = item->made ? hbk_socket_info(delivery, i) : (struct hbk_text){0},
            .type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name),
            .access = item->access,
            .inherit = item->inherit,
            .protect = item->protect,
            .widenable = item->widenable,
        };
    }
}

/* ---- never told ---- */

/* At most @max items; the last one is followed by the answer. Return: how many, at least 1. */
static uint32_t take_back(struct hbk_delivery *delivery, uint32_t max)
{
    uint32_t count = hbk_place_undo(delivery, max);

    HBK_ASSERT(delivery->state == HBK_DELIVERY_WRITING && max > 0);
    if (count == max) {
        return count;
    }
    if (delivery->process != NULL && delivery->target != delivery->sender &&
        hbk_session_alive(delivery->sender)) {
        hbk_delivery_retell(delivery);
    } else {
        hbk_delivery_fail_code(delivery, delivery->target->gone_code,
                               "the target did not take the notification; nothing is left there");
    }
    return count + 1;
}

uint32_t hbk_place_take_back(struct hbk_session *target, uint32_t max)
{
    uint32_t left = max;

    while (left > 0 && !hbk_list_empty(&target->untold)) {
        left -=
            take_back(HBK_CONTAINER(target->untold.next, struct hbk_delivery, target_link), left);
    }
    return max - left;
}

void hbk_place_untold(struct hbk_session *target, struct hbk_link *deliveries)
{
    hbk_list_splice(&target->untold, deliveries);
    (void)hbk_place_take_back(target, HBK_WORK_PER_PIECE);
    if (!hbk_list_empty(&target->untold)) {
        hbk_work_add(target, HBK_WORK_CLOSE);
    }
}
