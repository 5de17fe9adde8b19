#include "core_share.h"

#include "policy.h"

static const char *const descriptors[HBK_VERB_COUNT] = {
    [HBK_VERB_TRANSFER] = "may transfer",
    [HBK_VERB_INSPECT] = "may inspect",
    [HBK_VERB_REVOKE] = "may revoke",
};

void share_reload(struct share *share)
{
    struct rig *rig = share->rig;
    struct hbk_policy *policy = hbk_policy_new(0);
    assert_non_null(policy);
    for (int i = 0; i < HBK_VERB_COUNT; ++i)
        if (descriptors[i])
            policy->verbs[i] = fake_descriptor(rig->kernel, descriptors[i]);
    rig_configure(rig, &rig->config, policy, NULL);
    log_forget(share->log);
}

void share_let(struct share *share, uint32_t pid, uint32_t right, bool may)
{
    for (int i = 0; i < HBK_VERB_COUNT; ++i)
        if (descriptors[i] && hbk_verb_right((enum hbk_verb)i) == right)
            fake_grant(share->rig->kernel, descriptors[i], pid, may ? right : 0);
}

struct share share_new(const struct hbk_config *config)
{
    struct hbk_config with_file;
    hbk_config_default(&with_file);
    if (config)
        with_file = *config;
    with_file.audit_file = true;
    struct share share = {.rig = rig_new(&with_file, 1)};
    share.log = log_new(share.rig);
    share_let(&share, 0, HBK_RIGHT_TRANSFER, true);
    share_reload(&share);
    share.a = client_new(share.rig, 100, 1);
    share.b = client_new(share.rig, 101, 1);
    share.c = client_new(share.rig, 102, 2);
    log_forget(share.log);
    fake_trace_clear(share.rig->kernel);
    return share;
}

void share_end(struct share *share)
{
    log_free(share->log);
    rig_end(share->rig);
}

void share_let_all(struct share *share, const uint32_t *pids, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < share->rig->clients_count; ++j)
            fake_may_duplicate(share->rig->kernel, share->rig->clients[j]->process->pid, pids[i],
                               true);
}

void share_block(struct client *client)
{
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(client->rig);
    assert_non_null(client->connection->pending);
}

void share_unblock(struct client *client, bool told)
{
    client->connection->write_mode = FAKE_WRITE_DONE;
    assert_non_null(client->connection->pending);
    client_write_ends(client, told);
}
