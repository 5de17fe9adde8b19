/* What is on in a seed's world. No world has everything: where little is on, what is on goes deep. */
#include "sim.h"

#include <string.h>

const struct sim_identity sim_identities[SIM_IDENTITIES] = {
    {{"S-1-5-21-7-1001", 0x2000, 1, false}, 0x1001},
    {{"S-1-5-21-7-1002", 0x2000, 1, false}, 0x1002},
    {{"S-1-5-21-7-1001", 0x1000, 1, false}, 0x1001},
    {{"S-1-5-21-7-1002", 0x2000, 2, false}, 0x2002},
    {{"S-1-5-21-7-500", 0x3000, 1, true}, 0x1500},
    {{"S-1-5-18", 0x4000, 0, true}, 0x3E7},
};

const char *const sim_names[SIM_NAMES + 3] = {
    "user/n0",   "user/n1",   "user/n2",    "session/n0",    "user/n3", "session/n1",
    "global/n0", "global/n1", "user/probe", "global/ticket", "",
};

const struct sim_rules sim_rule_sets[SIM_RULE_SETS] = {
    {.inspect = NULL},
    {.rules = {{.pattern = "session/*",
                .open = "D:(A;;0x3;;;AU)",
                .send = "D:(A;;0x2;;;S-1-5-21-7-1001)(A;;GA;;;BA)",
                .put = "D:(A;;0x4;;;AU)",
                .get = "D:(A;;0x8;;;S-1-5-21-7-1001)(A;;GA;;;BA)"},
               {.pattern = "global/*",
                .open = "D:(A;;0x1;;;WD)",
                .send = "D:(A;;2;;;WD)",
                .put = "D:(A;;4;;;WD)",
                .get = "D:(A;;8;;;WD)"}},
     .inspect = "D:(A;;GA;;;BA)",
     .transfer = "D:(A;;GA;;;WD)",
     .revoke = "D:(A;;0x40;;;BA)"},
    {.rules = {{.pattern = "user/n0",
                .open = "D:(A;;GA;;;AU)",
                .send = "D:(D;;0x2;;;S-1-5-21-7-1002)(A;;GA;;;WD)",
                .put = "D:(A;;GA;;;AU)",
                .get = "D:(D;;0x8;;;S-1-5-21-7-1002)(A;;GA;;;WD)"},
               {.pattern = "*/n0",
                .open = "D:(A;;GA;;;WD)",
                .send = "D:(A;;GA;;;WD)",
                .put = "D:(A;;GA;;;WD)",
                .get = "D:(A;;GA;;;WD)",
                .types = "Event Process Token Section"},
               {.pattern = "*/n1", .access_max = 0x1F0003},
               {.pattern = "global/ticket", .get = "D:(A;;GA;;;WD)", .types = "Event Section"}},
     .inspect = "D:(A;;GA;;;SY)",
     .transfer = "D:(A;;0x10;;;S-1-5-21-7-1001)(A;;0x10;;;SY)",
     .revoke = "D:(A;;GA;;;SY)"},
    {.rules = {{.pattern = "user/*",
                .open = "D:(A;;GA;;;WD)",
                .send = "D:(A;;GA;;;WD)",
                .types = "Event File Mutant Socket"},
               {.pattern = "*",
                .open = "D:(A;;GA;;;IU)",
                .send = "D:(A;;GA;;;IU)",
                .put = "D:(A;;GA;;;IU)",
                .get = "D:(A;;GA;;;IU)"}},
     .inspect = "D:(A;;GA;;;WD)",
     .transfer = "D:(A;;GA;;;WD)",
     .revoke = "D:(A;;GA;;;WD)"},
    {.rules = {{.pattern = "user/n1",
                .open = "D:(D;;GA;;;S-1-5-21-7-1001)(A;;GA;;;WD)",
                .send = "D:(A;;0x2;;;S-1-5-21-7-1001)",
                .get = "D:(A;;0x8;;;S-1-5-21-7-1001)"},
               {.pattern = "global/n0", .open = "D:(A;;0x1;;;BA)", .send = "D:(A;;0x2;;;BA)"},
               {.pattern = "session/*", .open = "D:(A;;GA;;;WD)", .put = "D:(A;;GA;;;IU)"},
               {.pattern = "session/n0",
                .send = "D:(A;;GA;;;IU)",
                .get = "D:(A;;GA;;;IU)",
                .types = "Event"},
               {.pattern = "*/ticket",
                .put = "D:(A;;GA;;;WD)",
                .get = "D:(A;;0x8;;;S-1-5-21-7-1001)"}},
     .inspect = "D:(A;;GA;;;BA)",
     .transfer = "D:(D;;0x10;;;S-1-5-21-7-1002)(A;;GA;;;WD)",
     .revoke = "D:(A;;GA;;;BA)"},
};

/* A weight is none, half, whole or four times what is usual. */
static void draw_weights(struct sim *sim, const uint32_t *usual, uint32_t count,
                         uint32_t *ret_weights, uint32_t *ret_sum)
{
    static const uint32_t quarters[] = {0, 2, 4, 4, 4, 4, 4, 16};
    *ret_sum = 0;
    for (uint32_t i = 0; i < count; ++i) {
        ret_weights[i] = usual[i] * quarters[sim_below(sim, 8)] / 4;
        if (i == 0 && ret_weights[i] == 0)
            ret_weights[i] = usual[i];
        *ret_sum += ret_weights[i];
    }
}

/* @most times the asked rate, or less, or none. */
static uint32_t rate(struct sim *sim, uint32_t most)
{
    uint32_t drawn = sim_below(sim, 3) == 0 ? 0 : sim_below(sim, most + 1);
    uint32_t scaled = drawn * sim->options->faults / 100;
    return scaled > 1000 ? 1000 : scaled;
}

static void draw_faults(struct sim *sim)
{
    struct sim_swarm *swarm = &sim->swarm;
    struct fake_chaos *chaos = &swarm->chaos;
    chaos->write_pends = rate(sim, 500);
    chaos->write_fails = rate(sim, 10);
    chaos->unpin_pends = rate(sim, 600);
    chaos->proof_pends = rate(sim, 600);
    chaos->sockets_early = rate(sim, 500);
    chaos->undo_fails = rate(sim, 400);
    chaos->looks_early = rate(sim, 500);
    chaos->op_fails = sim_below(sim, 2) ? 0 : rate(sim, 40);
    chaos->exits = sim_below(sim, 2) ? 0 : rate(sim, 8);
    chaos->exits_other = sim_below(sim, 2) ? 0 : rate(sim, 5);
    chaos->fragments = swarm->fragments;
    swarm->alloc_fails = sim_below(sim, 4) ? 0 : rate(sim, 20);
    swarm->never_reads = rate(sim, 150);
    if (sim->options->faults == 0)
        swarm->actions[SIM_ACT_EXIT] = swarm->actions[SIM_ACT_HANG_UP] = 0;
}

void sim_swarm_draw(struct sim *sim)
{
    static const uint32_t actions[SIM_ACT_COUNT] = {
        [SIM_ACT_SAY] = 600,         [SIM_ACT_CONNECT] = 30,   [SIM_ACT_WRITE_END] = 120,
        [SIM_ACT_UNPIN_END] = 90,    [SIM_ACT_PROOF_END] = 30, [SIM_ACT_HEAR] = 30,
        [SIM_ACT_TICK] = 40,         [SIM_ACT_JUMP] = 2,       [SIM_ACT_EXIT] = 4,
        [SIM_ACT_HANG_UP] = 6,       [SIM_ACT_RELOAD] = 4,     [SIM_ACT_STOP] = 1,
        [SIM_ACT_SETTLE] = 3,        [SIM_ACT_HANDLES] = 40,   [SIM_ACT_NOTE] = 1,
        [SIM_ACT_SOCKETS_END] = 120, [SIM_ACT_PAUSE] = 3,      [SIM_ACT_LOOK_END] = 30,
    };
    static const uint32_t words[SIM_SAY_COUNT] = {
        [SIM_SAY_SEND] = 500,     [SIM_SAY_OPEN] = 130,  [SIM_SAY_CLOSE] = 50,
        [SIM_SAY_ANSWER] = 150,   [SIM_SAY_LIST] = 10,   [SIM_SAY_STATUS] = 10,
        [SIM_SAY_SESSIONS] = 8,   [SIM_SAY_WATCH] = 6,   [SIM_SAY_EXPLAIN] = 8,
        [SIM_SAY_BROKEN] = 20,    [SIM_SAY_AGAIN] = 10,  [SIM_SAY_HALF] = 15,
        [SIM_SAY_BURST] = 10,     [SIM_SAY_GREET] = 4,   [SIM_SAY_PUT] = 90,
        [SIM_SAY_GET] = 110,      [SIM_SAY_REMOVE] = 20, [SIM_SAY_STORED] = 8,
        [SIM_SAY_TRANSFER] = 70,  [SIM_SAY_REVOKE] = 30, [SIM_SAY_DELIVERIES] = 8,
        [SIM_SAY_ONCE_MORE] = 40, [SIM_SAY_METRICS] = 8, [SIM_SAY_LOOK] = 12,
    };
    struct sim_swarm *swarm = &sim->swarm;
    draw_weights(sim, actions, SIM_ACT_COUNT, swarm->actions, &swarm->actions_sum);
    /* Without these a world comes to a stand. */
    if (swarm->actions[SIM_ACT_CONNECT] == 0)
        swarm->actions[SIM_ACT_CONNECT] = 10;
    draw_weights(sim, words, SIM_SAY_COUNT, swarm->words, &swarm->words_sum);
    if (swarm->words[SIM_SAY_OPEN] == 0)
        swarm->words[SIM_SAY_OPEN] = 30;
    swarm->clients = 2 + sim_below(sim, sim_below(sim, 2) ? 6 : SIM_CLIENTS_MAX - 2);
    swarm->identities = 1 + sim_below(sim, SIM_IDENTITIES);
    swarm->names = 1 + sim_below(sim, SIM_NAMES);
    swarm->handles_max = sim_below(sim, 4) ? 0 : 8 + sim_below(sim, 24);
    swarm->types = sim_below(sim, 2);
    swarm->sockets = sim_below(sim, 3) == 0;
    swarm->revocable = sim_below(sim, 2);
    swarm->from = sim_below(sim, 2);
    swarm->expect = sim_below(sim, 2);
    swarm->by_pid = sim_below(sim, 2);
    swarm->wait = sim_below(sim, 4) != 0;
    swarm->ask = sim_below(sim, 4) != 0;
    swarm->big = sim_below(sim, 4) == 0;
    swarm->shared = sim_below(sim, 2);
    swarm->fragments = sim_below(sim, 2);
    swarm->rules = sim_below(sim, 3) != 0;
    swarm->liars = sim_below(sim, 4) == 0;
    swarm->run_all = sim_below(sim, 101);
    draw_faults(sim);
    if (!swarm->rules)
        swarm->actions[SIM_ACT_RELOAD] = 0;
    swarm->actions_sum = swarm->words_sum = 0;
    for (size_t i = 0; i < SIM_ACT_COUNT; ++i)
        swarm->actions_sum += swarm->actions[i];
    for (size_t i = 0; i < SIM_SAY_COUNT; ++i)
        swarm->words_sum += swarm->words[i];
}

static uint32_t either(struct sim *sim, uint32_t usual, uint32_t low, uint32_t range)
{
    return sim_below(sim, 3) ? usual : low + sim_below(sim, range);
}

void sim_config_draw(struct sim *sim)
{
    struct hbk_config *config = &sim->config;
    hbk_config_default(config);
    config->audit_file = sim_below(sim, 2);
    config->requests_per_session = either(sim, 64, 4, 20);
    config->endpoints_per_session = either(sim, 64, 1, 4);
    config->pins_per_session = either(sim, 1024, 8, 100);
    config->pending_per_endpoint = either(sim, 256, 2, 8);
    config->write_queue_bytes = either(sim, HBK_WRITE_QUEUE_BYTES_MAX, 2000, 8000);
    config->sessions = either(sim, HBK_SESSIONS_MAX, 12, 16);
    config->sessions_per_user = either(sim, HBK_SESSIONS_PER_USER_MAX, 2, 6);
    config->requests = either(sim, HBK_REQUESTS_MAX, 16, 30);
    config->pins = either(sim, HBK_PINS_MAX, 16, 200);
    config->pending = either(sim, HBK_PENDING_MAX, 8, 30);
    config->endpoints = either(sim, HBK_ENDPOINTS_MAX, 4, 12);
    config->stored = either(sim, HBK_STORED_MAX, 3, 12);
    config->stored_bytes = either(sim, HBK_STORED_BYTES_MAX, 100, 8000);
    config->queued_bytes = either(sim, HBK_QUEUED_BYTES_MAX, 8000, 60000);
    config->pid = 4000;
}
