/* Endpoints: under which name, and to what, a process agreed. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hbk_endpoint_scope_check(struct hbk_text name, struct hbk_error *ret_error)
{
    static const char user[] = "user/";

    HBK_ASSERT(hbk_name_check(name));
    if (name.size > sizeof user - 1 && memcmp(name.data, user, sizeof user - 1) == 0) {
        return 0;
    }
    hbk_error_set(ret_error, HBK_R_DENIED,
                  "names in session/ and global/ need a policy rule; use a name in user/");
    return HBK_ENDPOINT_E_DENIED;
}

uint64_t hbk_endpoint_hash(struct hbk_core *core, const struct hbk_scope *scope,
                           struct hbk_text name)
{
    return hbk_hash(&core->hash_key, scope->digest, sizeof scope->digest, name.data, name.size);
}

static struct hbk_text name_of(const struct hbk_endpoint *endpoint)
{
    return (struct hbk_text){.data = endpoint->name, .size = endpoint->name_size};
}

struct hbk_endpoint *hbk_endpoint_find(struct hbk_core *core, const struct hbk_scope *scope,
                                       struct hbk_text name, uint64_t hash)
{
    struct hbk_node *node = hbk_table_find(&core->endpoints, hash);

    for (; node != NULL; node = hbk_table_find_next(node)) {
        struct hbk_endpoint *endpoint = HBK_CONTAINER(node, struct hbk_endpoint, node);

        if (endpoint->owner->scope == scope && hbk_text_equal(name_of(endpoint), name)) {
            return endpoint;
        }
    }
    return NULL;
}

/* ---- open ---- */

static int set_types(struct hbk_endpoint *endpoint, const struct hbk_endpoint_open *params,
                     struct hbk_error *ret_error)
{
    if (!params->types_present) {
        for (size_t i = 0; i < HBK_TYPE_COUNT; i++) {
            endpoint->any[i] = !hbk_type_info((enum hbk_type)i)->by_rule;
        }
        return 0;
    }
    if (params->types_count == 0) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "types: name at least one, or leave it out for the default list");
        return HBK_ENDPOINT_E_DENIED;
    }
    for (size_t i = 0; i < params->types_count; i++) {
        const struct hbk_type_rule *rule = &params->types[i];
        enum hbk_type type = hbk_type_find(rule->type);
        const char *advice = hbk_type_advice(rule->type);

        if (advice != NULL) {
            hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "types: %s", advice);
            return HBK_ENDPOINT_E_DENIED;
        }
        if (type == HBK_TYPE_COUNT) {
            hbk_error_set(
                ret_error, HBK_R_INVALID_PARAMS,
                "types: no such type; known are Event, Semaphore, Mutant, Timer, Section, "
                "File, spelled so");
            return HBK_ENDPOINT_E_DENIED;
        }
        endpoint->any[type] = rule->kind == HBK_TYPE_RULE_ANY;
        endpoint->accepts[type] =
            rule->kind == HBK_TYPE_RULE_READ ? hbk_type_info(type)->read : rule->mask;
        endpoint->rule_kinds[type] = rule->kind;
    }
    return 0;
}

static int open_check(struct hbk_session *session, const struct hbk_endpoint_open *params,
                      uint64_t hash, struct hbk_error *ret_error)
{
    struct hbk_core *core = session->core;

    if (hbk_endpoint_scope_check(params->name, ret_error) != 0) {
        return HBK_ENDPOINT_E_DENIED;
    }
    if (params->from.data != NULL || params->revocable) {
        hbk_error_set(ret_error, HBK_R_DENIED, "%s is not supported by this version: leave it out",
                      params->revocable ? "revocable" : "from");
        return HBK_ENDPOINT_E_DENIED;
    }
    if (hbk_endpoint_find(core, session->scope, params->name, hash) != NULL) {
        hbk_error_set(ret_error, HBK_R_EXISTS,
                      "an endpoint of this name is open; close it or use another name");
        return HBK_ENDPOINT_E_DENIED;
    }
    if (session->endpoint_count >= core->config.endpoints_per_session) {
        hbk_error_set(ret_error, HBK_R_QUOTA, "this session has %u endpoints, as many as it may",
                      (unsigned)session->endpoint_count);
        hbk_error_set_limit(ret_error, "endpoints");
        return HBK_ENDPOINT_E_DENIED;
    }
    if (hbk_quota_check(session, HBK_QUOTA_ENDPOINTS, 1, ret_error) != 0) {
        return HBK_ENDPOINT_E_DENIED;
    }
    return 0;
}

/* Sends that waited for this name go on, in the order in which they came. */
static void wake_waiting(struct hbk_core *core, const struct hbk_endpoint *endpoint, uint64_t hash)
{
    struct hbk_node *node = hbk_table_find(&core->waiting, hash);

    while (node != NULL) {
        struct hbk_delivery *delivery = HBK_CONTAINER(node, struct hbk_delivery, name_node);

        node = hbk_table_find_next(node);
        if (delivery->sender->scope == endpoint->owner->scope &&
            hbk_text_equal(delivery->name, name_of(endpoint))) {
            hbk_delivery_make_ready(delivery);
        }
    }
}

static struct hbk_endpoint *endpoint_new(struct hbk_session *session,
                                         const struct hbk_endpoint_open *params)
{
    struct hbk_endpoint *endpoint = calloc(1, sizeof *endpoint);

    if (endpoint == NULL) {
        return NULL;
    }
    HBK_ASSERT(params->name.size <= sizeof endpoint->name);
    hbk_list_init(&endpoint->session_link);
    hbk_list_init(&endpoint->scope_link);
    hbk_list_init(&endpoint->pending);
    endpoint->owner = session;
    endpoint->mode = params->mode;
    endpoint->items_max = params->items_max != 0 ? params->items_max : HBK_ITEMS_MAX;
    endpoint->name_size = params->name.size;
    memcpy(endpoint->name, params->name.data, params->name.size);
    return endpoint;
}

void hbk_endpoint_request_open(struct hbk_session *session, const struct hbk_id *id,
                               const struct hbk_endpoint_open *params)
{
    struct hbk_core *core = session->core;
    uint64_t hash = hbk_endpoint_hash(core, session->scope, params->name);
    struct hbk_endpoint_open_result result = {.endpoint = params->name};
    struct hbk_endpoint *endpoint = NULL;
    struct hbk_error error;

    if (open_check(session, params, hash, &error) != 0) {
        goto refused;
    }
    endpoint = endpoint_new(session, params);
    if (endpoint == NULL) {
        hbk_error_set(&error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        goto refused;
    }
    if (set_types(endpoint, params, &error) != 0) {
        goto refused;
    }
    endpoint->serial = ++core->next_serial;
    endpoint->opened_ms = hbk_now(core);
    hbk_table_insert(&core->endpoints, &endpoint->node, hash);
    hbk_list_append(&session->endpoints, &endpoint->session_link);
    hbk_list_append(&session->scope->endpoints, &endpoint->scope_link);
    session->endpoint_count++;
    hbk_quota_take(session, HBK_QUOTA_ENDPOINTS, 1);
    hbk_audit_endpoint(endpoint, "endpoint.open");
    hbk_output_result(session, id, HBK_METHOD_ENDPOINT_OPEN, &result);
    if (hbk_session_alive(session)) {
        wake_waiting(core, endpoint, hash);
    }
    return;
refused:
    free(endpoint);
    hbk_output_error(session, id, &error);
}

/* ---- close ---- */

static void end_pending(struct hbk_endpoint *endpoint, struct hbk_delivery *delivery)
{
    struct hbk_session *owner = endpoint->owner;
    bool seen_by_target =
        delivery->state == HBK_DELIVERY_OFFERED || delivery->state == HBK_DELIVERY_ACCEPTED;

    if (delivery->state == HBK_DELIVERY_WRITING) {
        hbk_delivery_unbind(delivery);
        return;
    }
    if (seen_by_target && !hbk_session_alive(owner)) {
        hbk_output_gone(delivery->sender, owner->slot.id);
    }
    if (delivery->state != HBK_DELIVERY_CLOSING) {
        hbk_delivery_fail_code(delivery, owner->gone_code,
                               "the target closed its endpoint or ended before it was told");
    }
}

void hbk_endpoint_free(struct hbk_endpoint *endpoint)
{
    struct hbk_session *owner = endpoint->owner;

    while (!hbk_list_empty(&endpoint->pending)) {
        end_pending(endpoint,
                    HBK_CONTAINER(endpoint->pending.next, struct hbk_delivery, endpoint_link));
    }
    HBK_ASSERT(endpoint->pending_count == 0 && owner->endpoint_count > 0);
    owner->endpoint_count--;
    hbk_quota_give(owner, HBK_QUOTA_ENDPOINTS, 1);
    hbk_audit_endpoint(endpoint, "endpoint.close");
    hbk_table_remove(&owner->core->endpoints, &endpoint->node);
    hbk_list_remove(&endpoint->session_link);
    hbk_list_remove(&endpoint->scope_link);
    free(endpoint);
}

void hbk_endpoint_request_close(struct hbk_session *session, const struct hbk_id *id,
                                const struct hbk_endpoint_close *params)
{
    struct hbk_core *core = session->core;
    uint64_t hash = hbk_endpoint_hash(core, session->scope, params->name);
    struct hbk_endpoint *endpoint = hbk_endpoint_find(core, session->scope, params->name, hash);
    struct hbk_error error;

    if (hbk_endpoint_scope_check(params->name, &error) != 0) {
        hbk_output_error(session, id, &error);
        return;
    }
    if (endpoint == NULL || endpoint->owner != session) {
        hbk_error_set(&error, HBK_R_NOT_FOUND, "this session has no endpoint of that name");
        hbk_output_error(session, id, &error);
        return;
    }
    hbk_endpoint_free(endpoint);
    hbk_output_result(session, id, HBK_METHOD_ENDPOINT_CLOSE, NULL);
}

/* ---- list ---- */

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
        .name = name_of(endpoint),
        .session = endpoint->owner->slot.id,
        .pid = endpoint->owner->peer.pid,
        .user = hbk_text_from(endpoint->owner->peer.user),
        .since_ms = now - endpoint->opened_ms,
        .mode = endpoint->mode,
        .types_count = rule_count,
        .types = rules,
    };
}

/* A cursor is the serial of the last endpoint shown, in decimal. */
static int read_cursor(struct hbk_text cursor, uint64_t *ret_serial)
{
    uint64_t serial = 0;

    if (cursor.size > 15) {
        return -1;
    }
    for (size_t i = 0; i < cursor.size; i++) {
        if (cursor.data[i] < '0' || cursor.data[i] > '9') {
            return -1;
        }
        serial = serial * 10 + (uint64_t)(cursor.data[i] - '0');
    }
    *ret_serial = serial;
    return 0;
}

void hbk_endpoint_request_list(struct hbk_session *session, const struct hbk_id *id,
                               const struct hbk_paging *params)
{
    struct hbk_link *head = &session->scope->endpoints;
    struct hbk_endpoint_list_result result = {0};
    uint32_t limit = params->limit != 0 ? params->limit : HBK_PAGE_MAX;
    uint64_t now = hbk_now(session->core);
    uint64_t after = 0, last = 0;
    char next[HBK_CURSOR_BYTES_MAX];
    struct page page;
    struct hbk_error error;

    if (read_cursor(params->cursor, &after) != 0) {
        hbk_error_set(&error, HBK_R_INVALID_PARAMS,
                      "cursor: take it from `next` of the page before");
        hbk_output_error(session, id, &error);
        return;
    }
    page.count = 0;
    for (const struct hbk_link *link = head->next; link != head; link = link->next) {
        const struct hbk_endpoint *endpoint = HBK_CONTAINER(link, struct hbk_endpoint, scope_link);

        if (endpoint->serial <= after) {
            continue;
        }
        if (page.count == limit) {
            (void)snprintf(next, sizeof next, "%llu", (unsigned long long)last);
            result.next = hbk_text_from(next);
            break;
        }
        add_entry(&page, endpoint, now);
        last = endpoint->serial;
    }
    result.endpoints_count = page.count;
    result.endpoints = page.entries;
    hbk_output_result(session, id, HBK_METHOD_ENDPOINT_LIST, &result);
}
