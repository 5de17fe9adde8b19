/* Endpoints: which of them a session is shown. */
#include "internal.h"

#include <stdio.h>

struct page {
    struct hbk_endpoint_info entries[HBK_PAGE_MAX];
    struct hbk_type_rule rules[HBK_PAGE_MAX][HBK_TYPE_COUNT];
    size_t count;
};

static void add_entry(struct page *page, const struct hbk_endpoint *endpoint, uint64_t now)
{
    struct hbk_type_rule *rules = page->rules[page->count];
    size_t rule_count = 0;

    for (size_t i = 0; i < HBK_TYPE_COUNT; i++) {
        if (endpoint->any[i] || endpoint->accepts[i] != 0) {
            rules[rule_count++] = (struct hbk_type_rule){
                .type = hbk_text_from(hbk_type_info((enum hbk_type)i)->name),
                .kind = endpoint->rule_kinds[i],
                .mask = endpoint->accepts[i],
            };
        }
    }
    page->entries[page->count++] = (struct hbk_endpoint_info){
        .name = hbk_endpoint_name(endpoint),
        .session = endpoint->owner->slot.id,
        .pid = endpoint->owner->peer.pid,
        .user = hbk_text_from(endpoint->owner->peer.user),
        .since_ms = now - endpoint->opened_ms,
        .mode = endpoint->mode,
        .types_count = rule_count,
        .types = rules,
        .revocable = endpoint->revocable,
    };
}

/* ---- cursors: the serial of the last one shown, or the place to go on from, in decimal ---- */

int hbk_cursor_read(struct hbk_text cursor, uint64_t *ret_place)
{
    uint64_t place = 0;

    if (cursor.size > 15) {
        return -1;
    }
    for (size_t i = 0; i < cursor.size; i++) {
        if (cursor.data[i] < '0' || cursor.data[i] > '9') {
            return -1;
        }
        place = place * 10 + (uint64_t)(cursor.data[i] - '0');
    }
    *ret_place = place;
    return 0;
}

struct hbk_text hbk_cursor_write(uint64_t place, char ret_text[HBK_CURSOR_BYTES_MAX])
{
    (void)snprintf(ret_text, HBK_CURSOR_BYTES_MAX, "%llu", (unsigned long long)place);
    return hbk_text_from(ret_text);
}

/* ---- who sees what ---- */

struct viewer {
    struct hbk_session *session;
    bool all; /* may inspect */
    /* What rules have said to it already: enum hbk_decision, NO_RULE: not asked. */
    uint8_t open[HBK_POLICY_RULES_MAX], send[HBK_POLICY_RULES_MAX];
};

static bool rule_grants(struct viewer *viewer, int rule, enum hbk_verb verb)
{
    uint8_t *answers = verb == HBK_VERB_OPEN ? viewer->open : viewer->send;

    HBK_ASSERT(verb == HBK_VERB_OPEN || verb == HBK_VERB_SEND);
    if (rule == HBK_POLICY_NO_RULE) {
        return false;
    }
    HBK_ASSERT(rule >= 0 && rule < HBK_POLICY_RULES_MAX);
    if (answers[rule] == HBK_DECISION_NO_RULE) {
        answers[rule] = (uint8_t)hbk_grant_rule(viewer->session, rule, verb);
    }
    return answers[rule] == HBK_DECISION_GRANTED;
}

static bool sees(struct viewer *viewer, struct hbk_endpoint *endpoint)
{
    struct hbk_session *session = viewer->session;

    if (viewer->all || endpoint->owner == session ||
        endpoint->scope == session->scopes[HBK_SCOPE_USER]) {
        return true;
    }
    hbk_grant_refresh(endpoint);
    return endpoint->may_listen && (rule_grants(viewer, endpoint->open_rule, HBK_VERB_OPEN) ||
                                    (rule_grants(viewer, endpoint->send_rule, HBK_VERB_SEND) &&
                                     hbk_grant_from(session, endpoint)));
}

/* ---- a walk over the endpoints that it may be shown, in the order in which they were opened ---- */

static struct hbk_roll_walk walk_begin(const struct viewer *viewer, uint64_t after)
{
    struct hbk_session *session = viewer->session;
    struct hbk_roll_walk walk = {.count = 0};

    for (size_t i = 0; i < (viewer->all ? 1 : HBK_SCOPE_KIND_COUNT); i++) {
        hbk_roll_walk_add(
            &walk, viewer->all ? &session->core->all_endpoints : &session->scopes[i]->endpoints,
            after);
    }
    return walk;
}

/* Return: the cursor of the next page, 0: there is none. */
static uint64_t fill(struct page *page, struct viewer *viewer, uint64_t after, uint32_t limit)
{
    const struct hbk_core *core = viewer->session->core;
    uint64_t now = hbk_now(viewer->session->core);
    uint64_t begin = core->spent;
    uint64_t last = after;
    struct hbk_roll_walk walk = walk_begin(viewer, after);

    for (unsigned looked = 0;; looked++) {
        const struct hbk_roll_entry *entry = hbk_roll_walk_next(&walk);
        struct hbk_endpoint *endpoint;
        // cppcheck-suppress duplicateExpression ; sees() spends
        uint64_t spent = core->spent - begin;

        if (entry == NULL) {
            return 0;
        }
        if (looked == HBK_ENDPOINTS_LOOKED_AT_MAX || (looked > 0 && spent >= HBK_ITEMS_MAX)) {
            return last;
        }
        endpoint = entry->member;
        if (endpoint != NULL && sees(viewer, endpoint)) {
            if (page->count == limit) {
                return last;
            }
            add_entry(page, endpoint, now);
        }
        last = entry->serial;
    }
}

void hbk_listing_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_paging *params)
{
    struct viewer viewer = {.session = session, .all = hbk_grant_verb(session, HBK_VERB_INSPECT)};
    struct hbk_endpoint_list_result result = {0};
    uint32_t limit = params->limit != 0 ? params->limit : HBK_PAGE_MAX;
    uint64_t after = 0, next = 0;
    char cursor[HBK_CURSOR_BYTES_MAX];
    struct page page;
    struct hbk_error error;

    HBK_ASSERT(limit <= HBK_PAGE_MAX);
    if (hbk_cursor_read(params->cursor, &after) != 0) {
        hbk_error_set(&error, HBK_R_INVALID_PARAMS,
                      "cursor: take it from `next` of the page before");
        hbk_output_error(session, id, &error);
        return;
    }
    page.count = 0;
    next = fill(&page, &viewer, after, limit);
    if (next != 0) {
        result.next = hbk_cursor_write(next, cursor);
    }
    result.endpoints_count = page.count;
    result.endpoints = page.entries;
    hbk_output_result(session, id, HBK_METHOD_ENDPOINT_LIST, &result);
}
