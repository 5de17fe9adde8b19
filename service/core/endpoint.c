/* Endpoints: under which name, and to what, a process agreed. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

uint64_t hbk_endpoint_hash(struct hbk_core *core, const struct hbk_scope *scope,
                           struct hbk_text name)
{
    return hbk_hash(&core->hash_key, scope->digest, sizeof scope->digest, name.data, name.size);
}

struct hbk_text hbk_endpoint_name(const struct hbk_endpoint *endpoint)
{
    return (struct hbk_text){.data = endpoint->name, .size = endpoint->name_size};
}

struct hbk_endpoint *hbk_endpoint_find(struct hbk_core *core, const struct hbk_scope *scope,
                                       struct hbk_text name, uint64_t hash)
{
    struct hbk_node *node = hbk_table_find(&core->endpoints, hash);

    for (; node != NULL; node = hbk_table_find_next(node)) {
        struct hbk_endpoint *endpoint = HBK_CONTAINER(node, struct hbk_endpoint, node);

        if (endpoint->scope == scope && hbk_text_equal(hbk_endpoint_name(endpoint), name)) {
            return endpoint;
        }
    }
    return NULL;
}

/* ---- open ---- */

/* One entry of `types`: a type that the broker knows, and that policy lets pass under this name. */
static int set_type(struct hbk_endpoint *endpoint, const struct hbk_type_rule *rule,
                    struct hbk_error *ret_error)
{
    const struct hbk_policy *policy = endpoint->owner->core->policy;
    enum hbk_type type = hbk_type_find(rule->type);
    const char *advice = hbk_type_advice(rule->type);

    if (type == HBK_TYPE_COUNT && advice != NULL) {
        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "types: %s", advice);
        return HBK_ENDPOINT_E_REFUSED;
    }
    if (type == HBK_TYPE_COUNT) {
        hbk_error_set(
            ret_error, HBK_R_INVALID_PARAMS,
            "types: no such type; known are Event, Semaphore, Mutant, Timer, Section, "
            "File and Socket, spelled so, and Token, Process, Thread, Job, Key by a policy rule");
        return HBK_ENDPOINT_E_REFUSED;
    }
    if (hbk_policy_cap(policy, endpoint->limit_rule, type) == 0) {
        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "types: %s",
                      advice != NULL ? advice
                                     : "policy lets one of these types not pass under this name: "
                                       "leave it out");
        return HBK_ENDPOINT_E_REFUSED;
    }
    if (type == HBK_TYPE_SOCKET && rule->kind != HBK_TYPE_RULE_ANY) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "types: a socket keeps all its rights: write \"Socket\":\"any\"");
        return HBK_ENDPOINT_E_REFUSED;
    }
    endpoint->any[type] = rule->kind == HBK_TYPE_RULE_ANY;
    endpoint->accepts[type] =
        rule->kind == HBK_TYPE_RULE_READ ? hbk_type_info(type)->read : rule->mask;
    endpoint->rule_kinds[type] = rule->kind;
    return 0;
}

static int set_types(struct hbk_endpoint *endpoint, const struct hbk_endpoint_open *params,
                     struct hbk_error *ret_error)
{
    if (!params->types_present) {
        for (size_t i = 0; i < HBK_TYPE_COUNT; i++) {
            endpoint->any[i] = !hbk_type_info((enum hbk_type)i)->named;
        }
        return 0;
    }
    HBK_ASSERT(params->types_count > 0); /* the decoder refuses a list that is there and empty */
    for (size_t i = 0; i < params->types_count; i++) {
        if (set_type(endpoint, &params->types[i], ret_error) != 0) {
            return HBK_ENDPOINT_E_REFUSED;
        }
    }
    return 0;
}

static int check_params(const struct hbk_endpoint_open *params, struct hbk_error *ret_error)
{
    size_t offset = 0;
    const char *fault = params->from.data == NULL ? NULL : hbk_sddl_check(params->from, &offset);

    if (fault != NULL) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "from, at byte %u: %s", (unsigned)offset,
                      fault);
        return HBK_ENDPOINT_E_REFUSED;
    }
    return 0;
}

/* @ret_outlawed: an endpoint of this name whose owner may not listen there any more, or NULL. It goes: who
 * was once let to a name does not keep it from who is now. */
static int open_check(struct hbk_session *session, const struct hbk_endpoint_open *params,
                      struct hbk_endpoint **ret_outlawed, struct hbk_error *ret_error)
{
    struct hbk_core *core = session->core;
    struct hbk_scope *scope = session->scopes[hbk_scope_kind_of(params->name)];
    struct hbk_endpoint *other;

    if (check_params(params, ret_error) != 0) {
        return HBK_ENDPOINT_E_REFUSED;
    }
    /* Before anything that would tell whether the name is taken. */
    if (!hbk_grant_name(session, HBK_VERB_OPEN, params->name)) {
        hbk_error_set(ret_error, HBK_R_DENIED,
                      "policy does not let you open this name: use one in user/, or ask an "
                      "administrator for a rule with `open`");
        return HBK_ENDPOINT_E_REFUSED;
    }
    other =
        hbk_endpoint_find(core, scope, params->name, hbk_endpoint_hash(core, scope, params->name));
    if (other != NULL) {
        hbk_grant_refresh(other);
    }
    if (other != NULL && other->may_listen) {
        hbk_error_set(ret_error, HBK_R_EXISTS,
                      "an endpoint of this name is open; close it or use another name");
        return HBK_ENDPOINT_E_REFUSED;
    }
    if (session->endpoint_count >= core->config.endpoints_per_session) {
        hbk_error_set(ret_error, HBK_R_QUOTA, "this session has %u endpoints, as many as it may",
                      (unsigned)session->endpoint_count);
        hbk_error_set_limit(ret_error, "endpoints");
        return HBK_ENDPOINT_E_REFUSED;
    }
    if (hbk_quota_check(session, HBK_QUOTA_ENDPOINTS, 1, ret_error) != 0) {
        return HBK_ENDPOINT_E_REFUSED;
    }
    *ret_outlawed = other;
    return 0;
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
    hbk_list_init(&endpoint->pending);
    endpoint->owner = session;
    endpoint->scope = session->scopes[hbk_scope_kind_of(params->name)];
    endpoint->mode = params->mode;
    endpoint->revocable = params->revocable;
    endpoint->items_max = params->items_max != 0 ? params->items_max : HBK_ITEMS_MAX;
    endpoint->name_size = params->name.size;
    memcpy(endpoint->name, params->name.data, params->name.size);
    return endpoint;
}

static void endpoint_free(struct hbk_endpoint *endpoint)
{
    if (endpoint != NULL && endpoint->from != NULL) {
        const struct hbk_platform *platform = &endpoint->owner->core->platform;

        platform->descriptor_free(platform->context, endpoint->from);
    }
    free(endpoint);
}

/* All that can fail of an endpoint that may be opened. */
static int prepare(struct hbk_endpoint *endpoint, const struct hbk_endpoint_open *params,
                   struct hbk_error *ret_error)
{
    struct hbk_session *session = endpoint->owner;
    struct hbk_core *core = session->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};

    hbk_grant_opened(endpoint);
    if (set_types(endpoint, params, ret_error) != 0) {
        return HBK_ENDPOINT_E_REFUSED;
    }
    if (hbk_roll_reserve(&core->all_endpoints) != 0 ||
        hbk_roll_reserve(&endpoint->scope->endpoints) != 0) {
        hbk_error_set(ret_error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        return HBK_ENDPOINT_E_REFUSED;
    }
    core->spent += params->from.data != NULL;
    if (params->from.data != NULL &&
        core->platform.descriptor_new(session->connection, params->from, &endpoint->from,
                                      &failure) != 0) {
        endpoint->from = NULL;
        hbk_error_set(ret_error, failure.code, "from: %s",
                      failure.detail != NULL ? failure.detail : hbk_result_meaning(failure.code));
        ret_error->win32 = failure.win32;
        return HBK_ENDPOINT_E_REFUSED;
    }
    return 0;
}

static void publish(struct hbk_endpoint *endpoint)
{
    struct hbk_session *session = endpoint->owner;

    endpoint->serial = ++session->core->next_serial;
    endpoint->opened_ms = hbk_now(session->core);
    hbk_target_insert(endpoint);
    hbk_list_append(&session->endpoints, &endpoint->session_link);
    session->endpoint_count++;
    hbk_quota_take(session, HBK_QUOTA_ENDPOINTS, 1);
    hbk_audit_endpoint(endpoint, "endpoint.open");
}

void hbk_endpoint_request_open(struct hbk_session *session, const struct hbk_id *id,
                               const struct hbk_endpoint_open *params)
{
    struct hbk_endpoint_open_result result = {.endpoint = params->name};
    struct hbk_endpoint *endpoint = NULL, *outlawed = NULL;
    struct hbk_error error;

    if (open_check(session, params, &outlawed, &error) != 0) {
        goto refused;
    }
    endpoint = endpoint_new(session, params);
    if (endpoint == NULL) {
        hbk_error_set(&error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        goto refused;
    }
    if (prepare(endpoint, params, &error) != 0) {
        goto refused;
    }
    if (outlawed != NULL) {
        hbk_endpoint_free(outlawed);
        if (!hbk_session_alive(
                session)) { /* a sender to it was this session, and is gone over it */
            endpoint_free(endpoint);
            return;
        }
    }
    publish(endpoint);
    hbk_output_result(session, id, HBK_METHOD_ENDPOINT_OPEN, &result);
    if (hbk_session_alive(session)) {
        hbk_target_wake(endpoint);
    }
    return;
refused:
    endpoint_free(endpoint);
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

    /* First it can be found no more: telling those who wait there may end its owner, who would close it too. */
    hbk_target_remove(endpoint);
    hbk_list_remove(&endpoint->session_link);
    HBK_ASSERT(owner->endpoint_count > 0);
    owner->endpoint_count--;
    hbk_quota_give(owner, HBK_QUOTA_ENDPOINTS, 1);
    hbk_audit_endpoint(endpoint, "endpoint.close");
    while (!hbk_list_empty(&endpoint->pending)) {
        end_pending(endpoint,
                    HBK_CONTAINER(endpoint->pending.next, struct hbk_delivery, endpoint_link));
    }
    HBK_ASSERT(endpoint->pending_count == 0);
    endpoint_free(endpoint);
}

void hbk_endpoint_request_close(struct hbk_session *session, const struct hbk_id *id,
                                const struct hbk_endpoint_close *params)
{
    struct hbk_core *core = session->core;
    enum hbk_scope_kind kind = hbk_scope_kind_of(params->name);
    struct hbk_scope *scope = session->scopes[kind];
    struct hbk_endpoint *endpoint =
        hbk_endpoint_find(core, scope, params->name, hbk_endpoint_hash(core, scope, params->name));
    struct hbk_error error;

    if (endpoint == NULL || endpoint->owner != session) {
        hbk_error_set(&error, kind == HBK_SCOPE_USER ? HBK_R_NOT_FOUND : HBK_R_DENIED,
                      "this session has no endpoint of that name");
        hbk_output_error(session, id, &error);
        return;
    }
    hbk_endpoint_free(endpoint);
    hbk_output_result(session, id, HBK_METHOD_ENDPOINT_CLOSE, NULL);
}
