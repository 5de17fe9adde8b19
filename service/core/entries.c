/* store.list: which entries of the store a session is shown. */
#include "internal.h"

/* The longest names and SIDs of as many fit a line. */
struct page {
    struct hbk_entry_info entries[HBK_PAGE_MAX];
    size_t count;
};

static void add_entry(struct page *page, const struct hbk_entry *entry, uint64_t now)
{
    struct hbk_core *core = entry->core;
    const struct hbk_session *session = hbk_pool_get(&core->session_pool, entry->session_id);
    bool there = session != NULL && hbk_session_alive(session);
    uint64_t due = entry->timer.due_ms;

    HBK_ASSERT(page->count < HBK_PAGE_MAX);
    page->entries[page->count++] = (struct hbk_entry_info){
        .entry = entry->slot.id,
        .name = entry->name,
        .owner = {.session = there ? entry->session_id : 0,
                  .pid = entry->pid,
                  .user = hbk_text_from(entry->user->sid)},
        .type = hbk_text_from(hbk_type_info((enum hbk_type)entry->item.type)->name),
        .access = entry->item.access,
        .lifetime = entry->lifetime,
        .once = entry->once,
        .shared = entry->allow != NULL,
        .since_ms = now - entry->put_ms,
        .ttl_ms = due == HBK_NEVER ? 0
                  : due > now      ? due - now
                                   : 1,
        .taken = entry->taken,
    };
}

/* Its own identity's; others that it may get. */
static bool sees(struct hbk_session *session, const struct hbk_entry *entry, bool all)
{
    if (!hbk_store_has(entry)) {
        return false;
    }
    if (all || entry->owner == session->scopes[HBK_SCOPE_USER]) {
        return true;
    }
    HBK_ASSERT(!entry->by_ticket); /* those are in their owner's scope alone */
    return hbk_grant_name(session, HBK_VERB_GET, entry->name) && hbk_take_allowed(session, entry);
}

/* Return: the cursor of the next page, 0: there is none. */
static uint64_t fill(struct page *page, struct hbk_session *session, uint64_t after, uint32_t limit)
{
    struct hbk_core *core = session->core;
    bool all = hbk_grant_verb(session, HBK_VERB_INSPECT);
    uint64_t now = hbk_now(core), begin = core->spent, last = after;
    struct hbk_roll_walk walk = {.count = 0};

    for (size_t i = 0; i < (all ? 1 : HBK_SCOPE_KIND_COUNT); i++) {
        hbk_roll_walk_add(&walk, all ? &core->all_entries : &session->scopes[i]->entries, after);
    }
    for (unsigned looked = 0;; looked++) {
        const struct hbk_roll_entry *place = hbk_roll_walk_next(&walk);

        if (place == NULL) {
            return 0;
        }
        // cppcheck-suppress duplicateExpression ; sees() spends where it asks the system
        if (looked == HBK_ENDPOINTS_LOOKED_AT_MAX || core->spent - begin >= HBK_ITEMS_MAX) {
            return last;
        }
        if (place->member != NULL && sees(session, place->member, all)) {
            if (page->count == limit) {
                return last;
            }
            add_entry(page, place->member, now);
        }
        last = place->serial;
    }
}

void hbk_entries_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_paging *params)
{
    struct hbk_store_list_result result = {0};
    uint32_t limit = params->limit != 0 ? params->limit : HBK_PAGE_MAX;
    uint64_t after = 0, next = 0;
    char cursor[HBK_CURSOR_BYTES_MAX];
    struct page page;

    HBK_ASSERT(limit <= HBK_PAGE_MAX);
    if (hbk_cursor_read(params->cursor, &after) != 0) {
        hbk_output_refuse(session, id, HBK_R_INVALID_PARAMS,
                          "cursor: take it from `next` of the page before");
        return;
    }
    page.count = 0;
    next = fill(&page, session, after, limit);
    if (next != 0) {
        result.next = hbk_cursor_write(next, cursor);
    }
    result.entries_count = page.count;
    result.entries = page.entries;
    hbk_output_result(session, id, HBK_METHOD_STORE_LIST, &result);
}
