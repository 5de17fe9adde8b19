/* Where a send goes: to a name in one of the sender's own scopes, or to the endpoint of a process.
 *
 * What a sender may not reach answers as what does not exist. So whether a name may be sent to is decided by
 * the name alone; and of {name, pid} nothing is told but to who could look into that process anyway. */
#include "internal.h"

/* ---- the address ---- */

static uint64_t process_hash(const struct hbk_core *core, uint32_t pid, struct hbk_text name)
{
    return hbk_hash(&core->hash_key, &pid, sizeof pid, name.data, name.size);
}

struct hbk_address hbk_target_address(struct hbk_session *session, const struct hbk_send *params)
{
    struct hbk_core *core = session->core;
    struct hbk_address address = {
        .name = params->to_name,
        .pid = params->to_pid,
        .expect_user = params->expect_user,
        .expect_pid = params->expect_pid,
    };

    if (address.pid != 0) {
        address.name = params->to_process_name;
        address.hash = process_hash(core, address.pid, address.name);
    } else {
        address.scope = session->scopes[hbk_scope_kind_of(address.name)];
        address.hash = hbk_endpoint_hash(core, address.scope, address.name);
    }
    return address;
}

struct hbk_address hbk_target_address_of(const struct hbk_delivery *delivery)
{
    HBK_ASSERT((delivery->to_pid != 0) == (delivery->scope == NULL));
    return (struct hbk_address){
        .name = delivery->name,
        .pid = delivery->to_pid,
        .scope = delivery->scope,
        .hash = delivery->name_hash,
        .expect_user = delivery->expect_user,
        .expect_pid = delivery->expect_pid,
    };
}

/* ---- who is where ---- */

void hbk_target_insert(struct hbk_endpoint *endpoint)
{
    struct hbk_core *core = endpoint->owner->core;
    struct hbk_text name = hbk_endpoint_name(endpoint);

    hbk_table_insert(&core->endpoints, &endpoint->node,
                     hbk_endpoint_hash(core, endpoint->scope, name));
    hbk_table_insert(&core->process_endpoints, &endpoint->process_node,
                     process_hash(core, endpoint->owner->peer.pid, name));
    hbk_roll_append(&core->all_endpoints, endpoint->serial, endpoint);
    hbk_roll_append(&endpoint->scope->endpoints, endpoint->serial, endpoint);
}

void hbk_target_remove(struct hbk_endpoint *endpoint)
{
    struct hbk_core *core = endpoint->owner->core;

    hbk_table_remove(&core->endpoints, &endpoint->node);
    hbk_table_remove(&core->process_endpoints, &endpoint->process_node);
    hbk_roll_remove(&core->all_endpoints, endpoint->serial);
    hbk_roll_remove(&endpoint->scope->endpoints, endpoint->serial);
}

static uint64_t pid_hash(const struct hbk_core *core, uint32_t pid)
{
    return hbk_hash(&core->hash_key, &pid, sizeof pid, NULL, 0);
}

void hbk_target_proven(struct hbk_session *session)
{
    HBK_ASSERT(session->state == HBK_SESSION_PROVEN);
    hbk_table_insert(&session->core->processes, &session->process_node,
                     pid_hash(session->core, session->peer.pid));
}

void hbk_target_unproven(struct hbk_session *session)
{
    HBK_ASSERT(session->state == HBK_SESSION_PROVEN);
    hbk_table_remove(&session->core->processes, &session->process_node);
}

struct hbk_session *hbk_target_session_at(struct hbk_core *core, uint32_t pid)
{
    struct hbk_node *node = hbk_table_find(&core->processes, pid_hash(core, pid));

    for (; node != NULL; node = hbk_table_find_next(node)) {
        struct hbk_session *session = HBK_CONTAINER(node, struct hbk_session, process_node);

        if (session->peer.pid == pid) {
            HBK_ASSERT(session->state == HBK_SESSION_PROVEN);
            return session;
        }
    }
    return NULL;
}

struct hbk_endpoint *hbk_target_endpoint_at(struct hbk_core *core, uint32_t pid,
                                            struct hbk_text name, struct hbk_endpoint *after)
{
    struct hbk_node *node =
        after != NULL ? hbk_table_find_next(&after->process_node)
                      : hbk_table_find(&core->process_endpoints, process_hash(core, pid, name));

    for (; node != NULL; node = hbk_table_find_next(node)) {
        struct hbk_endpoint *endpoint = HBK_CONTAINER(node, struct hbk_endpoint, process_node);

        if (endpoint->owner->peer.pid == pid && hbk_text_equal(hbk_endpoint_name(endpoint), name)) {
            return endpoint;
        }
    }
    return NULL;
}

/* ---- finding ---- */

static bool expected(const struct hbk_address *address, const struct hbk_endpoint *endpoint)
{
    const struct hbk_peer *peer = &endpoint->owner->peer;

    return (address->expect_user.data == NULL || hbk_text_is(address->expect_user, peer->user)) &&
           (address->expect_pid == 0 || address->expect_pid == peer->pid);
}

/* It may be sent to: is it there for this sender? */
static bool open_for(struct hbk_session *session, const struct hbk_address *address,
                     struct hbk_endpoint *endpoint)
{
    hbk_grant_refresh(endpoint);
    return endpoint->may_listen && expected(address, endpoint) && hbk_grant_from(session, endpoint);
}

static int find_by_name(struct hbk_session *session, const struct hbk_address *address,
                        struct hbk_endpoint **ret_endpoint)
{
    struct hbk_endpoint *endpoint =
        hbk_endpoint_find(session->core, address->scope, address->name, address->hash);

    if (!hbk_grant_send(session, address->name, endpoint)) {
        return HBK_TARGET_E_DENIED;
    }
    if (endpoint == NULL || !open_for(session, address, endpoint)) {
        return HBK_TARGET_E_NONE;
    }
    *ret_endpoint = endpoint;
    return 0;
}

/* On what ground @session may send to {name, pid}. */
struct standing {
    struct hbk_session *other; /* a session of the process; NULL: it has none */
    enum hbk_decision rule;    /* on the name */
    bool own;                  /* the name is in the sender's own user/ */
    bool may_duplicate, asked;
};

static struct standing standing_of(struct hbk_session *session, const struct hbk_address *address)
{
    struct hbk_core *core = session->core;
    struct standing standing = {.other = hbk_target_session_at(core, address->pid)};

    standing.rule = hbk_grant_rule(
        session, hbk_policy_decides(core->policy, HBK_VERB_SEND, address->name), HBK_VERB_SEND);
    standing.own = standing.other != NULL && hbk_scope_kind_of(address->name) == HBK_SCOPE_USER &&
                   standing.other->scopes[HBK_SCOPE_USER] == session->scopes[HBK_SCOPE_USER];
    return standing;
}

static bool may_duplicate(struct hbk_session *session, struct standing *standing)
{
    if (!standing->asked && standing->other != NULL) {
        HBK_ASSERT(hbk_session_alive(session) && hbk_session_alive(standing->other));
        session->core->spent++;
        standing->may_duplicate =
            session->core->platform.may_duplicate(session->connection, standing->other->connection);
    }
    standing->asked = true;
    return standing->may_duplicate;
}

static bool granted(struct hbk_session *session, struct standing *standing,
                    const struct hbk_endpoint *endpoint)
{
    if (standing->rule == HBK_DECISION_GRANTED) {
        hbk_grant_remember(session, endpoint, HBK_GROUND_RULE);
        return true;
    }
    if (may_duplicate(session, standing)) {
        hbk_grant_remember(session, endpoint, HBK_GROUND_DUPLICATE);
        return true;
    }
    return false;
}

/* The endpoint of that name in that process, which @session is let to by what is known (@standing NULL) or by
 * what is asked now; NULL if there is none. */
static struct hbk_endpoint *look_in_process(struct hbk_session *session,
                                            const struct hbk_address *address,
                                            struct standing *standing)
{
    struct hbk_endpoint *endpoint = NULL;

    do {
        endpoint = hbk_target_endpoint_at(session->core, address->pid, address->name, endpoint);
    } while (endpoint != NULL && !((standing == NULL ? hbk_grant_known(session, endpoint)
                                                     : granted(session, standing, endpoint)) &&
                                   open_for(session, address, endpoint)));
    return endpoint;
}

/* What is not granted costs the same questions whether it is open or not. Nothing is told of it but to who
 * could look into the process anyway. */
static int find_by_process(struct hbk_session *session, const struct hbk_address *address,
                           struct hbk_endpoint **ret_endpoint)
{
    struct hbk_endpoint *endpoint = look_in_process(session, address, NULL);
    struct standing standing;

    if (endpoint == NULL) {
        standing = standing_of(session, address);
        endpoint = look_in_process(session, address, &standing);
    }
    if (endpoint != NULL) {
        *ret_endpoint = endpoint;
        return 0;
    }
    return (standing.own && standing.rule != HBK_DECISION_REFUSED) ||
                   may_duplicate(session, &standing)
               ? HBK_TARGET_E_NONE
               : HBK_TARGET_E_DENIED;
}

int hbk_target_find(struct hbk_session *session, const struct hbk_address *address,
                    struct hbk_endpoint **ret_endpoint)
{
    return address->pid != 0 ? find_by_process(session, address, ret_endpoint)
                             : find_by_name(session, address, ret_endpoint);
}

void hbk_target_set_error(const struct hbk_address *address, int result,
                          struct hbk_error *ret_error)
{
    if (result == HBK_TARGET_E_NONE) {
        hbk_error_set(ret_error, HBK_R_NOT_FOUND,
                      "no such endpoint is open for you; wait_ms waits for it to open");
        return;
    }
    HBK_ASSERT(result == HBK_TARGET_E_DENIED);
    if (address->pid != 0) {
        hbk_error_set(ret_error, HBK_R_DENIED,
                      "no such endpoint in such a process that you may send to: it takes your own "
                      "identity, the right to duplicate handles into it, or a policy rule");
    } else {
        hbk_error_set(ret_error, HBK_R_DENIED,
                      "policy does not let you send to this name, whether it is open or not: an "
                      "administrator may add a rule with `send` for it");
    }
}

/* ---- waiting ---- */

static void wake(struct hbk_core *core, uint64_t hash, const struct hbk_endpoint *endpoint,
                 uint32_t pid)
{
    struct hbk_node *node = hbk_table_find(&core->waiting, hash);

    while (node != NULL) {
        struct hbk_delivery *delivery = HBK_CONTAINER(node, struct hbk_delivery, name_node);

        node = hbk_table_find_next(node);
        if (delivery->to_pid == pid && (pid != 0 || delivery->scope == endpoint->scope) &&
            hbk_text_equal(delivery->name, hbk_endpoint_name(endpoint))) {
            hbk_delivery_make_ready(delivery);
        }
    }
}

void hbk_target_wake(struct hbk_endpoint *endpoint)
{
    struct hbk_core *core = endpoint->owner->core;

    wake(core, endpoint->node.hash, endpoint, 0);
    wake(core, endpoint->process_node.hash, endpoint, endpoint->owner->peer.pid);
}
