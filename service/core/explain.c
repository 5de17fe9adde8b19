/* policy.explain: what the broker would answer, and by which rule, without doing it. */
#include "internal.h"

#include <stdio.h>

#define WIRE_MASK_BITS \
    0x0CFFFFFFu /* that a mask on the wire may have: no generic and no special right */

struct answer {
    bool allowed;
    char rule[HBK_RULE_BYTES_MAX + 1];
    char detail[HBK_DETAIL_BYTES_MAX + 1];
};

static void set_answer(struct answer *answer, bool allowed, const char *rule, const char *detail)
{
    answer->allowed = allowed;
    (void)snprintf(answer->rule, sizeof answer->rule, "%s", rule);
    (void)snprintf(answer->detail, sizeof answer->detail, "%s", detail);
}

/* Keeps what decides, where @rule is none. */
static void name_rule(struct answer *answer, const struct hbk_core *core, int rule)
{
    if (rule != HBK_POLICY_NO_RULE) {
        HBK_ASSERT(core->policy != NULL && (size_t)rule < core->policy->rules_count);
        (void)snprintf(answer->rule, sizeof answer->rule, "rules[%d] \"%s\"", rule,
                       core->policy->rules[rule].pattern);
    }
}

/* ---- a verb without a name ---- */

static void explain_verb(struct hbk_session *subject, enum hbk_verb verb, struct answer *answer)
{
    const struct hbk_policy *policy = subject->core->policy;

    HBK_ASSERT(policy != NULL); /* by which the caller may ask */
    if (policy->verbs[verb] == NULL) {
        set_answer(answer, false, "built-in: nobody",
                   "no policy says who may: load one whose `verbs` has it");
        return;
    }
    answer->allowed = hbk_grant_verb(subject, verb);
    (void)snprintf(answer->rule, sizeof answer->rule, "verbs.%s", hbk_verb_name(verb));
    (void)snprintf(answer->detail, sizeof answer->detail, "%s",
                   answer->allowed ? "its descriptor grants it to this session's token"
                                   : "its descriptor does not grant it to this session's token: "
                                     "administrators may by default, elevated");
}

/* ---- a verb and a name ---- */

static void explain_name(struct hbk_session *subject, enum hbk_verb verb, struct hbk_text name,
                         struct answer *answer)
{
    int rule = hbk_policy_decides(subject->core->policy, verb, name);

    switch (hbk_grant_rule(subject, rule, verb)) {
    case HBK_DECISION_GRANTED:
        set_answer(answer, true, "", "the rule grants it to this session's token");
        break;
    case HBK_DECISION_REFUSED:
        set_answer(answer, false, "",
                   "the rule speaks of it and does not grant it to this session's token: add the "
                   "user to it, or put a rule before it");
        break;
    case HBK_DECISION_NO_RULE:
        if (hbk_scope_kind_of(name) == HBK_SCOPE_USER) {
            set_answer(answer, true, "built-in: user/ belongs to its identity",
                       "no rule for this name speaks of it");
        } else {
            set_answer(answer, false, "built-in: session/ and global/ belong to nobody",
                       "no rule for this name speaks of it: add one to the policy file");
        }
        break;
    }
    name_rule(answer, subject->core, rule);
}

/* It may be sent to by name or process: what of the endpoint itself? */
static void explain_endpoint(struct hbk_session *subject, struct hbk_endpoint *endpoint,
                             struct answer *answer)
{
    hbk_grant_refresh(endpoint);
    if (!endpoint->may_listen) {
        set_answer(answer, false, "built-in: session/ and global/ belong to nobody",
                   "the process that has it open may not `open` it any more: answered as if it "
                   "were not open");
        name_rule(answer, subject->core, endpoint->open_rule);
    } else if (!hbk_grant_from(subject, endpoint)) {
        set_answer(answer, false, "from of the endpoint",
                   "the endpoint's own `from` does not let this session send: answered as if it "
                   "were not open");
    } else {
        (void)snprintf(answer->detail, sizeof answer->detail, "%s process %u", "and it is open, in",
                       (unsigned)endpoint->owner->peer.pid);
    }
}

static void explain_send(struct hbk_session *subject, struct hbk_text name, struct answer *answer)
{
    struct hbk_core *core = subject->core;
    struct hbk_scope *scope = subject->scopes[hbk_scope_kind_of(name)];
    struct hbk_endpoint *endpoint =
        hbk_endpoint_find(core, scope, name, hbk_endpoint_hash(core, scope, name));

    explain_name(subject, HBK_VERB_SEND, name, answer);
    if (!answer->allowed) {
        return;
    }
    if (endpoint != NULL) {
        explain_endpoint(subject, endpoint, answer);
    } else {
        (void)snprintf(answer->detail, sizeof answer->detail,
                       "but it is not open now: not_found, unless wait_ms waits for it");
    }
}

/* By what @subject may send to the endpoint of @name in the process of @other. @endpoint: NULL: not open. */
static void explain_ground(struct hbk_session *subject, struct hbk_text name,
                           struct hbk_session *other, const struct hbk_endpoint *endpoint,
                           struct answer *answer)
{
    struct hbk_core *core = subject->core;
    int rule = hbk_policy_decides(core->policy, HBK_VERB_SEND, name);
    enum hbk_decision decision = hbk_grant_rule(subject, rule, HBK_VERB_SEND);
    bool own = hbk_scope_kind_of(name) == HBK_SCOPE_USER &&
               other->scopes[HBK_SCOPE_USER] == subject->scopes[HBK_SCOPE_USER];

    if (decision == HBK_DECISION_GRANTED && (endpoint != NULL || own)) {
        set_answer(answer, true, "", "the rule grants it to this session's token");
        name_rule(answer, core, rule);
    } else if (decision == HBK_DECISION_NO_RULE && own) {
        set_answer(answer, true, "built-in: user/ belongs to its identity",
                   "no rule for this name speaks of it");
    } else if (core->platform.may_duplicate(subject->connection, other->connection)) {
        set_answer(answer, true,
                   "built-in: who may duplicate handles into a process may send there",
                   "Windows lets this session's token do so");
    } else {
        set_answer(answer, false, "built-in: {name, pid} takes identity, access or a rule",
                   "another identity, no right to duplicate handles into the process, and no rule "
                   "with `send` that grants it");
        name_rule(answer, core, rule);
    }
}

static void explain_send_to_process(struct hbk_session *subject, struct hbk_text name, uint32_t pid,
                                    struct answer *answer)
{
    struct hbk_core *core = subject->core;
    struct hbk_session *other = hbk_target_session_at(core, pid);
    struct hbk_endpoint *endpoint = NULL;

    if (other == NULL) {
        set_answer(answer, false, "built-in: {name, pid} takes identity, access or a rule",
                   "no process with this pid has a session");
        return;
    }
    while ((endpoint = hbk_target_endpoint_at(core, pid, name, endpoint)) != NULL) {
        explain_ground(subject, name, endpoint->owner, endpoint, answer);
        if (answer->allowed) {
            explain_endpoint(subject, endpoint, answer);
            return;
        }
    }
    explain_ground(subject, name, other, NULL, answer);
    if (answer->allowed) {
        (void)snprintf(answer->detail, sizeof answer->detail,
                       "but the process does not have it open: not_found, unless wait_ms waits");
    }
}

/* ---- what may pass ---- */

static size_t list_types(const struct hbk_core *core, struct hbk_text name,
                         struct hbk_type_rule ret_types[HBK_TYPE_COUNT])
{
    int rule = hbk_policy_limits(core->policy, name);
    size_t count = 0;

    for (size_t i = 0; i < HBK_TYPE_COUNT; i++) {
        uint32_t cap = hbk_policy_cap(core->policy, rule, (enum hbk_type)i);
        const struct hbk_type_info *info = hbk_type_info((enum hbk_type)i);

        if ((cap & WIRE_MASK_BITS) == 0) {
            continue;
        }
        ret_types[count++] = (struct hbk_type_rule){
            .type = hbk_text_from(info->name),
            .kind = cap == UINT32_MAX   ? HBK_TYPE_RULE_ANY
                    : cap == info->read ? HBK_TYPE_RULE_READ
                                        : HBK_TYPE_RULE_MASK,
            .mask = cap & WIRE_MASK_BITS,
        };
    }
    return count;
}

/* ---- the request ---- */

static int check_params(const struct hbk_explain *params, enum hbk_verb verb,
                        struct hbk_error *ret_error)
{
    bool named = verb < HBK_VERB_NAMED_COUNT;

    if (verb == HBK_VERB_COUNT) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "verb: one of open, send, put, get, transfer, inspect, revoke");
    } else if (named && params->name.data == NULL) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "name: this verb is about a name");
    } else if (!named && params->name.data != NULL) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "name: this verb is about none");
    } else if (params->pid != 0 && verb != HBK_VERB_SEND) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "pid: of verb send alone");
    } else {
        return 0;
    }
    return HBK_ENDPOINT_E_REFUSED;
}

static struct hbk_session *subject_of(struct hbk_session *session, const struct hbk_explain *params,
                                      struct hbk_error *ret_error)
{
    struct hbk_session *subject = session;

    if (params->session != 0) {
        subject = hbk_pool_get(&session->core->session_pool, params->session);
    }
    if (subject == NULL || subject->state != HBK_SESSION_PROVEN) {
        hbk_error_set(ret_error, HBK_R_NOT_FOUND, "session: no proven session has this number");
        return NULL;
    }
    return subject;
}

void hbk_explain_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_explain *params)
{
    enum hbk_verb verb = hbk_verb_find(params->verb);
    struct hbk_type_rule types[HBK_TYPE_COUNT];
    struct hbk_explain_result result = {.types = types};
    struct hbk_session *subject;
    struct answer answer = {.allowed = false};
    struct hbk_error error;

    if (!hbk_grant_verb(session, HBK_VERB_INSPECT)) {
        hbk_error_set(&error, HBK_R_DENIED,
                      "policy.explain takes the `inspect` right of the policy: administrators have "
                      "it by default");
        goto refused;
    }
    if (check_params(params, verb, &error) != 0) {
        goto refused;
    }
    subject = subject_of(session, params, &error);
    if (subject == NULL) {
        goto refused;
    }
    if (verb >= HBK_VERB_NAMED_COUNT) {
        explain_verb(subject, verb, &answer);
    } else if (verb != HBK_VERB_SEND) {
        explain_name(subject, verb, params->name, &answer);
    } else if (params->pid == 0) {
        explain_send(subject, params->name, &answer);
    } else {
        explain_send_to_process(subject, params->name, params->pid, &answer);
    }
    if (verb < HBK_VERB_NAMED_COUNT) {
        result.types_present = true;
        result.types_count = list_types(session->core, params->name, types);
    }
    result.allowed = answer.allowed;
    result.rule = hbk_text_from(answer.rule);
    result.detail = hbk_text_from(answer.detail);
    HBK_ASSERT(result.rule.size > 0 && result.detail.size > 0);
    hbk_output_result(session, id, HBK_METHOD_POLICY_EXPLAIN, &result);
    return;
refused:
    hbk_output_error(session, id, &error);
}
