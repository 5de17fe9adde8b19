/* Who may do what: the rules that the operator loaded, asked of the caller's token through the platform, and
 * what is built in where they say nothing.
 *
 * A hand-off asks nothing in the steady state: within user/ with no rule and no `from` there is nothing to ask,
 * and what was granted is remembered per session and endpoint until other rules are loaded. */
#include "internal.h"

static bool granted_by(struct hbk_session *session, const struct hbk_descriptor *descriptor,
                       uint32_t right)
{
    struct hbk_core *core = session->core;

    HBK_ASSERT(descriptor != NULL && hbk_session_alive(session));
    core->spent++;
    return (core->platform.access_check(session->connection, descriptor, right) & right) == right;
}

/* ---- the rules ---- */

void hbk_grant_configure(struct hbk_core *core, struct hbk_policy *policy)
{
    hbk_policy_free(core->policy, core->platform.descriptor_free, core->platform.context);
    core->policy = policy;
    core->generation++;
    /* Who waits for a name may be let to an endpoint that is open, or not wait for it any more. */
    for (struct hbk_link *s = core->sessions.next; s != &core->sessions; s = s->next) {
        struct hbk_link *head = &HBK_CONTAINER(s, struct hbk_session, all_link)->sends;

        for (struct hbk_link *link = head->next; link != head; link = link->next) {
            struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, send_link);

            if (delivery->state == HBK_DELIVERY_WAITING) {
                hbk_delivery_make_ready(delivery);
            }
        }
    }
}

bool hbk_grant_verb(struct hbk_session *session, enum hbk_verb verb)
{
    const struct hbk_policy *policy = session->core->policy;

    HBK_ASSERT(verb >= HBK_VERB_NAMED_COUNT && verb < HBK_VERB_COUNT);
    return policy != NULL && policy->verbs[verb] != NULL &&
           granted_by(session, policy->verbs[verb], hbk_verb_right(verb));
}

enum hbk_decision hbk_grant_rule(struct hbk_session *session, int rule, enum hbk_verb verb)
{
    const struct hbk_policy *policy = session->core->policy;

    if (rule == HBK_POLICY_NO_RULE) {
        return HBK_DECISION_NO_RULE;
    }
    HBK_ASSERT(policy != NULL && rule >= 0 && (size_t)rule < policy->rules_count);
    HBK_ASSERT(verb < HBK_VERB_NAMED_COUNT);
    return granted_by(session, policy->rules[rule].verbs[verb], hbk_verb_right(verb))
               ? HBK_DECISION_GRANTED
               : HBK_DECISION_REFUSED;
}

bool hbk_grant_name(struct hbk_session *session, enum hbk_verb verb, struct hbk_text name)
{
    int rule = hbk_policy_decides(session->core->policy, verb, name);
    enum hbk_decision decision = hbk_grant_rule(session, rule, verb);

    HBK_ASSERT(verb < HBK_VERB_NAMED_COUNT);
    return decision == HBK_DECISION_GRANTED ||
           (decision == HBK_DECISION_NO_RULE && hbk_scope_kind_of(name) == HBK_SCOPE_USER);
}

/* ---- what the rules say about an endpoint ---- */

static void read_rules(struct hbk_endpoint *endpoint)
{
    const struct hbk_core *core = endpoint->owner->core;
    struct hbk_text name = hbk_endpoint_name(endpoint);

    endpoint->open_rule = hbk_policy_decides(core->policy, HBK_VERB_OPEN, name);
    endpoint->send_rule = hbk_policy_decides(core->policy, HBK_VERB_SEND, name);
    endpoint->limit_rule = hbk_policy_limits(core->policy, name);
    endpoint->generation = core->generation;
}

void hbk_grant_opened(struct hbk_endpoint *endpoint)
{
    read_rules(endpoint);
    endpoint->may_listen = true;
}

void hbk_grant_refresh(struct hbk_endpoint *endpoint)
{
    enum hbk_decision decision;

    if (endpoint->generation == endpoint->owner->core->generation) {
        return;
    }
    HBK_ASSERT(endpoint->generation < endpoint->owner->core->generation);
    read_rules(endpoint);
    decision = hbk_grant_rule(endpoint->owner, endpoint->open_rule, HBK_VERB_OPEN);
    endpoint->may_listen = decision == HBK_DECISION_GRANTED ||
                           (decision == HBK_DECISION_NO_RULE &&
                            endpoint->scope == endpoint->owner->scopes[HBK_SCOPE_USER]);
}

/* ---- what was granted before ---- */

static bool remembered(const struct hbk_session *session, const struct hbk_endpoint *endpoint,
                       enum hbk_ground ground)
{
    for (size_t i = 0; i < HBK_GRANTS_CACHED; i++) {
        const struct hbk_grant *grant = &session->grants[i];

        if (grant->serial == endpoint->serial) {
            return grant->generation == session->core->generation &&
                   (grant->grounds & (unsigned)ground) != 0;
        }
    }
    return false;
}

void hbk_grant_remember(struct hbk_session *session, const struct hbk_endpoint *endpoint,
                        enum hbk_ground ground)
{
    struct hbk_grant *grant = NULL;

    HBK_ASSERT(endpoint->serial != 0);
    for (size_t i = 0; i < HBK_GRANTS_CACHED; i++) {
        if (session->grants[i].serial == endpoint->serial) {
            grant = &session->grants[i];
        }
    }
    if (grant == NULL) {
        grant = &session->grants[session->grants_next];
        session->grants_next = (session->grants_next + 1) % HBK_GRANTS_CACHED;
        *grant = (struct hbk_grant){.serial = endpoint->serial};
    }
    if (grant->generation != session->core->generation) {
        grant->generation = session->core->generation;
        grant->grounds = 0;
    }
    grant->grounds |= (uint8_t)ground;
}

/* ---- sending ---- */

bool hbk_grant_send(struct hbk_session *session, struct hbk_text name,
                    struct hbk_endpoint *endpoint)
{
    if (endpoint != NULL) {
        HBK_ASSERT(hbk_text_equal(hbk_endpoint_name(endpoint), name));
        hbk_grant_refresh(endpoint);
        if (endpoint->send_rule == HBK_POLICY_NO_RULE &&
            endpoint->scope == session->scopes[HBK_SCOPE_USER]) {
            return true;
        }
        if (remembered(session, endpoint, HBK_GROUND_RULE)) {
            return true;
        }
    }
    /* From here on it is the same work whether the name is open or not. */
    if (!hbk_grant_name(session, HBK_VERB_SEND, name)) {
        return false;
    }
    if (endpoint != NULL) {
        hbk_grant_remember(session, endpoint, HBK_GROUND_RULE);
    }
    return true;
}

bool hbk_grant_known(const struct hbk_session *session, struct hbk_endpoint *endpoint)
{
    hbk_grant_refresh(endpoint);
    return remembered(session, endpoint, HBK_GROUND_DUPLICATE) ||
           remembered(session, endpoint, HBK_GROUND_RULE) ||
           (endpoint->scope == session->scopes[HBK_SCOPE_USER] &&
            endpoint->send_rule == HBK_POLICY_NO_RULE);
}

bool hbk_grant_from(struct hbk_session *session, const struct hbk_endpoint *endpoint)
{
    if (endpoint->from == NULL || remembered(session, endpoint, HBK_GROUND_FROM)) {
        return true;
    }
    if (!granted_by(session, endpoint->from, HBK_RIGHT_SEND)) {
        return false;
    }
    hbk_grant_remember(session, endpoint, HBK_GROUND_FROM);
    return true;
}
