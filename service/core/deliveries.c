/* delivery.list: what is under way, and what was told and can be revoked. */
#include "internal.h"

/* What a page's line has besides its entries, an entry besides its texts, and an item of it. */
enum { PAGE_BYTES = 256, ENTRY_BYTES = 400, ITEM_BYTES = 64 };

struct page {
    struct hbk_delivery_info entries[HBK_PAGE_MAX];
    struct hbk_sent_item items[HBK_PAGE_ITEMS_MAX];
    size_t count, items_count;
    size_t bytes; /* that its line takes at most */
};

static const char *state_name(const struct hbk_delivery *delivery)
{
    static const char *const names[] = {
        [HBK_DELIVERY_PINNING] = "pinning",   [HBK_DELIVERY_READY] = "ready",
        [HBK_DELIVERY_BEHIND] = "behind",     [HBK_DELIVERY_WAITING] = "waiting",
        [HBK_DELIVERY_BLOCKED] = "blocked",   [HBK_DELIVERY_OFFERED] = "offered",
        [HBK_DELIVERY_ACCEPTED] = "accepted", [HBK_DELIVERY_MAKING] = "making",
        [HBK_DELIVERY_WRITING] = "telling",   [HBK_DELIVERY_GIVEN] = "given",
        [HBK_DELIVERY_CLOSING] = "closing",
    };

    return names[delivery->state];
}

static struct hbk_delivery_party party(const struct hbk_session *session)
{
    return (struct hbk_delivery_party){.session = session->slot.id,
                                       .pid = session->peer.pid,
                                       .user = hbk_text_from(session->peer.user)};
}

/* Return: false: the page has no room for it. */
static bool add_entry(struct page *page, const struct hbk_delivery *delivery, uint64_t now)
{
    struct hbk_delivery_info info = {
        .delivery = delivery->slot.id,
        .state = hbk_text_from(state_name(delivery)),
        .endpoint = delivery->name,
        .from = party(delivery->sender),
        .items = &page->items[page->items_count],
        .items_count = delivery->item_count,
        .since_ms = now - delivery->begun_ms,
        .revocable = delivery->state == HBK_DELIVERY_GIVEN,
    };
    size_t bytes =
        ENTRY_BYTES + info.from.user.size + info.endpoint.size + info.items_count * ITEM_BYTES;

    if (delivery->process != NULL &&
        (delivery->target == NULL || delivery->target == delivery->sender)) {
        info.to.pid = delivery->process_pid;
    } else if (delivery->target != NULL) {
        info.to = party(delivery->target);
        bytes += info.to.user.size;
    }
    if (page->bytes + bytes > HBK_LINE_BYTES_MAX ||
        page->items_count + info.items_count > HBK_PAGE_ITEMS_MAX) {
        return false;
    }
    for (size_t i = 0; i < info.items_count; i++) {
        const struct hbk_pinned *item = &delivery->items[i];

        page->items[page->items_count++] = (struct hbk_sent_item){
            .type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name),
            .access = item->access,
        };
    }
    page->bytes += bytes;
    page->entries[page->count++] = info;
    return true;
}

/* Its own, both what it gives and what it is to get or holds; of an operator's view all. What is only an offer to it
 * is known to it, and what waits for its endpoint is not its business yet. */
static bool sees(const struct hbk_session *session, const struct hbk_delivery *delivery, bool all)
{
    bool known_to_target = delivery->state == HBK_DELIVERY_OFFERED ||
                           delivery->state == HBK_DELIVERY_ACCEPTED ||
                           delivery->state == HBK_DELIVERY_GIVEN;

    return delivery->state != HBK_DELIVERY_CLOSING &&
           (all || delivery->sender == session || (delivery->target == session && known_to_target));
}

/* By their places, as broker.sessions. */
void hbk_deliveries_request(struct hbk_session *session, const struct hbk_id *id,
                            const struct hbk_paging *params)
{
    const struct hbk_pool *pool = &session->core->delivery_pool;
    bool all = hbk_grant_verb(session, HBK_VERB_INSPECT);
    struct hbk_delivery_list_result result = {0};
    uint32_t limit = params->limit != 0 ? params->limit : HBK_PAGE_MAX;
    uint32_t size = hbk_pool_size(pool), looked = 0;
    uint64_t now = hbk_now(session->core), index = 0;
    char next[HBK_CURSOR_BYTES_MAX];
    struct page page;

    if (hbk_cursor_read(params->cursor, &index) != 0) {
        hbk_output_refuse(session, id, HBK_R_INVALID_PARAMS,
                          "cursor: take it from `next` of the page before");
        return;
    }
    page.count = page.items_count = 0;
    page.bytes = PAGE_BYTES;
    for (; index < size && looked < HBK_SCAN_MAX && page.count < limit; index++, looked++) {
        const struct hbk_delivery *delivery = hbk_pool_at(pool, (uint32_t)index);

        if (delivery != NULL && sees(session, delivery, all) && !add_entry(&page, delivery, now)) {
            break;
        }
    }
    for (; index < size && looked < HBK_SCAN_MAX && hbk_pool_at(pool, (uint32_t)index) == NULL;
         looked++) {
        index++; /* so that the last page is seldom an empty one */
    }
    if (index < size) {
        result.next = hbk_cursor_write(index, next);
    }
    session->core->spent += page.bytes / HBK_WORK_BYTES;
    result.deliveries_count = page.count;
    result.deliveries = page.entries;
    hbk_output_result(session, id, HBK_METHOD_DELIVERY_LIST, &result);
}
