/* What a delivery puts into its target's table, and what the target is told of it. */
#include "internal.h"

int hbk_place_all(struct hbk_delivery *delivery, struct hbk_error *ret_error)
{
    struct hbk_core *core = delivery->sender->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};

    for (size_t i = 0; i < delivery->item_count; i++) {
        struct hbk_pinned *item = &delivery->items[i];

        HBK_ASSERT(item->value == 0 && (item->access & ~item->granted) == 0);
        core->spent++;
        if (core->platform.place(delivery->target->connection, item->pin, item->same, item->access,
                                 &item->value, &failure) != 0) {
            item->value = 0;
            hbk_error_set(ret_error, failure.code, "%s",
                          failure.detail != NULL ? failure.detail
                                                 : hbk_result_meaning(failure.code));
            ret_error->win32 = failure.win32;
            ret_error->item = (int32_t)i;
            return HBK_SEND_E_REFUSED;
        }
        HBK_ASSERT(item->value >= HBK_HANDLE_MIN && item->value <= HBK_HANDLE_MAX);
    }
    return 0;
}

void hbk_place_undo(struct hbk_delivery *delivery)
{
    struct hbk_core *core = delivery->sender->core;

    for (size_t i = 0; i < delivery->item_count; i++) {
        struct hbk_pinned *item = &delivery->items[i];

        if (item->value != 0) {
            HBK_ASSERT(delivery->target != NULL);
            core->spent++;
            core->platform.unplace(delivery->target->connection, item->pin, item->value);
            item->value = 0;
        }
    }
}

/* Asked once, when the target first hears of it. A File is asked nothing. */
static enum hbk_widenable widenable(const struct hbk_delivery *delivery,
                                    const struct hbk_pinned *item)
{
    struct hbk_core *core = delivery->sender->core;

    if (item->same) {
        return HBK_WIDENABLE_NOT_REDUCED;
    }
    HBK_ASSERT(item->access != item->granted);
    if (item->type == HBK_TYPE_FILE) {
        return HBK_WIDENABLE_UNKNOWN;
    }
    core->spent++;
    return core->platform.widenable(delivery->target->connection, item->pin, item->granted,
                                    item->access);
}

void hbk_place_describe(struct hbk_delivery *delivery, struct hbk_delivered_item *ret_items)
{
    for (size_t i = 0; i < delivery->item_count; i++) {
        struct hbk_pinned *item = &delivery->items[i];

        if (!item->widenable_known) {
            item->widenable = (uint8_t)widenable(delivery, item);
            item->widenable_known = true;
        }
        ret_items[i] = (struct hbk_delivered_item){
            .handle = item->value,
            .type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name),
            .access = item->access,
            .inherit = item->inherit,
            .protect = item->protect,
            .widenable = item->widenable,
        };
    }
}
