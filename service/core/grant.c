/* Who may do what. */
#include "internal.h"

bool hbk_grant_verb(struct hbk_session *session, enum hbk_verb verb)
{
    const struct hbk_core *core = session->core;
    uint32_t right = hbk_verb_right(verb);

    HBK_ASSERT(verb >= HBK_VERB_NAMED_COUNT && verb < HBK_VERB_COUNT);
    if (core->policy == NULL || core->policy->verbs[verb] == NULL) {
        return false;
    }
    return core->platform.access_check(session->connection, core->policy->verbs[verb], right) ==
           right;
}

void hbk_grant_configure(struct hbk_core *core, struct hbk_policy *policy)
{
    hbk_policy_free(core->policy, core->platform.descriptor_free, core->platform.context);
    core->policy = policy;
}
