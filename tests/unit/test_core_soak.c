/* Random events over several sessions, with every fault on. After each event the books of core and fake
 * kernel must agree; what a sender is answered must agree with what the target was told; and in the end
 * nothing may be left and nobody unanswered.
 *
 *     test_core_soak [SEED [STEPS]]
 *
 * runs one seed, for a failure to be looked at. */
#include "core_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENTS = 7,
    NAMES = 3,
    TAGS_MAX = 100000,
    OFFERS_MAX = 64,
    LANES_MAX = 256,
    PIDS = 4 * CLIENTS,
    SEEDS = 40,
    STEPS = 3000
};

/* Each send carries a number in its data, which shows what became of it. */
enum fate { FATE_OPEN, FATE_TOLD, FATE_FAILED };

struct offer {
    uint64_t delivery;
    uint32_t tag;
};

/* Sends of one session to one name reach one target in their order. */
struct lane {
    uint64_t sender, target;
    char name;
    uint32_t tag; /* of the last that came */
};

struct soak {
    struct rig *rig;
    struct fake_kernel *kernel;
    uint32_t next_pid;
    uint32_t tags;
    enum fate fates[TAGS_MAX];
    struct offer offers[OFFERS_MAX]; /* the latest ones, also those that are over */
    uint32_t offers_count;
    struct lane lanes[LANES_MAX]; /* the latest ones */
    uint32_t lanes_count;
    unsigned long steps, told, failed;
    /* With rules: user/n0 may be opened and sent to by whom these name, as of the last reload. */
    bool rules;
    unsigned reloads;
    bool may_send[PIDS];
    unsigned asked_at[TAGS_MAX]; /* how often rules were loaded before this send was asked for */
    unsigned long refused;
};

static const char from_sddl[] = "D:(A;;GA;;;S-1-5-21-1)";

static uint32_t below(struct soak *soak, uint32_t limit)
{
    return fake_random_below(soak->kernel, limit);
}

/* ---- what clients are told ---- */

static void note_told(struct soak *soak, uint32_t tag)
{
    assert_true(tag < soak->tags);
    if (soak->fates[tag] != FATE_OPEN)
        fake_violation(soak->kernel, "send %u is told, and was %s", tag,
                       soak->fates[tag] == FATE_TOLD ? "told before" : "answered as failed");
    soak->fates[tag] = FATE_TOLD;
    ++soak->told;
}

static uint32_t tag_of(const struct hbk_delivered *delivered)
{
    char text[16] = "";
    assert_true(delivered->data.size < sizeof text);
    memcpy(text, delivered->data.data, delivered->data.size);
    return (uint32_t)strtoul(text, NULL, 10);
}

/* What was asked for and placed under the same rules must be within them. */
static void check_allowed(struct soak *soak, const struct hbk_delivered *delivered)
{
    uint32_t tag = tag_of(delivered), index = delivered->from.peer.pid - 100;
    if (!soak->rules || soak->asked_at[tag] != soak->reloads || soak->reloads == 0)
        return;
    if (hbk_text_is(delivered->endpoint, "user/n0") &&
        delivered->data.data[delivered->data.size - 1] != 'p' && !soak->may_send[index])
        fake_violation(soak->kernel, "send %u came from %u, which may not", tag,
                       delivered->from.peer.pid);
}

static void note_order(struct soak *soak, const struct client *target,
                       const struct hbk_delivered *delivered)
{
    char name = delivered->endpoint.data[delivered->endpoint.size - 1];
    if (delivered->data.data[delivered->data.size - 1] == 'p')
        name = (char)(name - '0' + 'p'); /* by {name, pid}: its own order */
    struct lane *lane = NULL;
    for (uint32_t i = 0; i < LANES_MAX && !lane; ++i)
        if (soak->lanes[i].sender == delivered->from.session &&
            soak->lanes[i].target == target->session_id && soak->lanes[i].name == name)
            lane = &soak->lanes[i];
    uint32_t tag = tag_of(delivered);
    if (lane && lane->tag > tag)
        fake_violation(soak->kernel, "send %u comes after send %u", tag, lane->tag);
    if (!lane)
        lane = &soak->lanes[soak->lanes_count++ % LANES_MAX];
    *lane = (struct lane){delivered->from.session, target->session_id, name, tag};
}

static void note_answer(struct soak *soak, const struct request *request,
                        const struct hbk_message *message)
{
    bool result = message->kind == HBK_MESSAGE_RESULT;
    if (request->method == HBK_METHOD_DELIVERY_ACCEPT && result) {
        note_told(soak, request->tag);
    } else if (request->method == HBK_METHOD_HANDLE_SEND && result) {
        if (soak->fates[request->tag] != FATE_TOLD)
            fake_violation(soak->kernel, "send %u succeeds, and nobody was told", request->tag);
    } else if (request->method == HBK_METHOD_HANDLE_SEND) {
        if (soak->fates[request->tag] != FATE_OPEN)
            fake_violation(soak->kernel, "send %u fails with %s, and its target was told",
                           request->tag, hbk_result_name(message->error.code));
        soak->fates[request->tag] = FATE_FAILED;
        soak->refused += message->error.code == HBK_R_DENIED;
        ++soak->failed;
    }
}

static void line_told(struct client *client, const struct hbk_message *message)
{
    struct soak *soak = client->rig->context;
    if (message->kind != HBK_MESSAGE_NOTIFICATION) {
        if (message->id.kind == HBK_ID_NUMBER)
            note_answer(soak, &client->requests[message->id.number - 1], message);
        return;
    }
    if (message->method != HBK_METHOD_SESSION_GONE && message->method != HBK_METHOD_BROKER_EVENT)
        check_allowed(soak, &message->u.params.delivered);
    if (message->method != HBK_METHOD_SESSION_GONE && message->method != HBK_METHOD_BROKER_EVENT)
        note_order(soak, client, &message->u.params.delivered);
    if (message->method == HBK_METHOD_HANDLE_DELIVERED) {
        note_told(soak, tag_of(&message->u.params.delivered));
    } else if (message->method == HBK_METHOD_HANDLE_OFFERED) {
        soak->offers[soak->offers_count++ % OFFERS_MAX] =
            (struct offer){.delivery = message->u.params.delivered.delivery,
                           .tag = tag_of(&message->u.params.delivered)};
    }
}

/* ---- what clients do ---- */

static struct client *any_client(struct soak *soak)
{
    struct client *client = soak->rig->clients[below(soak, (uint32_t)soak->rig->clients_count)];
    return client_ended(client) || client->hung_up || !client->process->running ? NULL : client;
}

static uint32_t make_a_handle(struct soak *soak, struct fake_process *process)
{
    static const char *const types[] = {"Event", "Mutant", "Section", "File"};
    uint32_t access = below(soak, 10) ? 0x1FFFFF : 1 + below(soak, 0x1FFFFF);
    return fake_handle_make(soak->kernel, process,
                            below(soak, 30) ? types[below(soak, 4)] : "Process", access);
}

static void connect_one(struct soak *soak)
{
    /* Pids are few, so that they are used again. */
    uint32_t pid = 0;
    for (uint32_t tries = 0; pid == 0; ++tries) {
        pid = 100 + soak->next_pid++ % PIDS;
        for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
            const struct fake_process *process = &soak->kernel->processes[i];
            if (process->pid == pid && (process->running || process->references))
                pid = 0;
        }
        if (tries > PIDS)
            return;
    }
    struct fake_process *process = fake_process_start(soak->kernel, pid);
    for (uint32_t i = 0; i < 6; ++i)
        make_a_handle(soak, process);
    client_connect(soak->rig, process, below(soak, 2));
}

/* One step nearer to proof, if it is not proven yet. Return: it was not. */
static bool prove_on(struct client *client)
{
    struct fake_connection *connection = client->connection;
    if (connection->proven)
        return false;
    if (!connection->proof_object) {
        client_request(client, HBK_METHOD_SESSION_HELLO,
                       "{'protocol':[1],'client':{'name':'soak','version':'1'}}");
    } else {
        client_set_event(client, connection->proof_value);
        client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
    }
    return true;
}

static uint32_t any_handle(struct soak *soak, const struct client *client)
{
    const struct fake_process *process = client->process;
    uint32_t index = below(soak, process->slots_high + 1);
    for (uint32_t i = 0; i < process->slots_high; ++i, index = (index + 1) % process->slots_high)
        if (index < process->slots_high && process->slots[index].object &&
            process->slots[index].origin != FAKE_ORIGIN_UNTOLD)
            return (index + 1) * 4;
    return 4;
}

static void send_some(struct soak *soak, struct client *client)
{
    static const char *const accesses[] = {"", "", ",'access':'same'", ",'access':'read'",
                                           ",'access':1"};
    char items[1024];
    int size = 0;
    uint32_t count = below(soak, 8) ? 1 + below(soak, 3) : 5 + below(soak, 8);
    if (soak->tags == TAGS_MAX)
        return;
    for (uint32_t i = 0; i < count; ++i)
        size +=
            snprintf(items + size, sizeof items - (size_t)size, "%s{'handle':%u%s}", i ? "," : "",
                     below(soak, 50) ? any_handle(soak, client) : below(soak, 10000),
                     accesses[below(soak, 5)]);
    char expect[32] = "";
    if (below(soak, 8) == 0)
        snprintf(expect, sizeof expect, ",'expect':{'pid':%u}", 100 + below(soak, PIDS));
    uint32_t tag = soak->tags++;
    soak->asked_at[tag] = soak->reloads;
    char to[64];
    bool by_pid = soak->rules && below(soak, 4) == 0;
    snprintf(to, sizeof to, by_pid ? "{'name':'user/n%u','pid':%u}" : "'user/n%u'",
             below(soak, NAMES), 100 + below(soak, PIDS));
    uint32_t id = client_request(
        client, HBK_METHOD_HANDLE_SEND,
        "{'to':%s,'items':[%s],'data':'%u%s','wait_ms':%u,'timeout_ms':%u%s}", to, items, tag,
        by_pid ? "p" : "", below(soak, 2) ? 0 : below(soak, 3000), below(soak, 3000), expect);
    client->requests[id - 1].tag = tag;
}

static void answer_an_offer(struct soak *soak, struct client *client)
{
    if (soak->offers_count == 0)
        return;
    uint32_t kept = soak->offers_count < OFFERS_MAX ? soak->offers_count : OFFERS_MAX;
    const struct offer *offer = &soak->offers[below(soak, kept)];
    uint32_t id = client_request(
        client, below(soak, 4) ? HBK_METHOD_DELIVERY_ACCEPT : HBK_METHOD_DELIVERY_REJECT,
        "{'delivery':%llu}", (unsigned long long)offer->delivery);
    client->requests[id - 1].tag = offer->tag;
}

/* It knows what it holds: its own, and what it was told of. The value is used again at once. */
static void close_a_handle(struct soak *soak, struct client *client)
{
    uint32_t value = any_handle(soak, client);
    const struct fake_slot *slot = fake_handle_find(client->process, value);
    if (!slot || slot->origin == FAKE_ORIGIN_UNTOLD)
        return;
    fake_handle_close(soak->kernel, client->process, value);
    make_a_handle(soak, client->process);
}

static void do_something(struct soak *soak, struct client *client)
{
    uint32_t what = below(soak, 100);
    if (client->requests_count > 400) /* its memory is enough; the next one comes */
        what = 99;
    if (what < 50) {
        send_some(soak, client);
    } else if (what < 66) {
        char from[64] = "";
        if (soak->rules && below(soak, 3) == 0)
            snprintf(from, sizeof from, ",'from':'%s'", from_sddl);
        client_request(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/n%u','mode':'%s'%s}",
                       below(soak, NAMES), below(soak, 2) ? "ask" : "auto", from);
    } else if (what < 72) {
        client_request(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/n%u'}",
                       below(soak, NAMES));
    } else if (what < 76) {
        static const enum hbk_method methods[] = {
            HBK_METHOD_ENDPOINT_LIST, HBK_METHOD_BROKER_STATUS, HBK_METHOD_BROKER_SESSIONS,
            HBK_METHOD_BROKER_WATCH};
        client_request(client, methods[below(soak, 4)], NULL);
    } else if (what < 92) {
        answer_an_offer(soak, client);
    } else if (what < 94) {
        client_bytes(client, "{\"jsonrpc\":\"2.0\"}\n", 18);
    } else if (what < 98) {
        close_a_handle(soak, client);
    } else if (below(soak, 4) == 0 || client->requests_count > 400) {
        fake_process_exit(soak->kernel, client->process);
    }
}

/* ---- what the world does ---- */

static void hear_of_exits(struct soak *soak)
{
    for (size_t i = 0; i < soak->rig->clients_count; ++i) {
        struct client *client = soak->rig->clients[i];
        if (client->process->running || client->hung_up || below(soak, 3))
            continue;
        client->hung_up = true;
        if (!client_ended(client) || below(soak, 2))
            hbk_core_session_closed(soak->rig->core, client->session);
        rig_check(soak->rig);
    }
}

static void end_a_write(struct soak *soak)
{
    struct client *client = soak->rig->clients[below(soak, (uint32_t)soak->rig->clients_count)];
    struct fake_connection *connection = client->connection;
    if (!connection->pending)
        return;
    bool told =
        connection->cancelled || !client->process->running ? below(soak, 2) : below(soak, 30);
    fake_write_end(connection, told);
    hbk_core_written(soak->rig->core, client->session, told);
    rig_check(soak->rig);
}

static void end_an_unpin(struct soak *soak)
{
    uint32_t closing = fake_pins_closing(soak->kernel);
    if (closing)
        rig_unpin_end(soak->rig, below(soak, closing));
}

/* Half of all processes may this, half may that; the other half of all tokens changed at the same time. */
static void reload(struct soak *soak)
{
    struct fake_kernel *kernel = soak->kernel;
    kernel->policy.duplicators_count = 0;
    for (uint32_t i = 0; i < PIDS; ++i) {
        soak->may_send[i] = below(soak, 2);
        fake_grant(kernel, "send", 100 + i, soak->may_send[i] ? HBK_RIGHT_SEND : 0);
        fake_grant(kernel, "open", 100 + i, below(soak, 3) ? HBK_RIGHT_OPEN : 0);
        fake_grant(kernel, from_sddl, 100 + i, below(soak, 3) ? HBK_RIGHT_SEND : 0);
        fake_may_duplicate(kernel, 100 + i, 100 + below(soak, PIDS), true);
        fake_may_duplicate(kernel, 100 + i, 100 + below(soak, PIDS), true);
    }
    ++soak->reloads;
    RIG_RULES(soak->rig, {.name = "user/n0", .open = "open", .send = "send"},
              {.name = "user/n1", .types = "Event File Process", .access_max = 0x1FFFFF});
}

static void replace_the_ended(struct soak *soak)
{
    for (size_t i = soak->rig->clients_count; i-- > 0;) {
        struct client *client = soak->rig->clients[i];
        if (!client->connection->released)
            continue;
        fake_process_exit(soak->kernel, client->process);
        client_forget(client);
    }
    while (soak->rig->clients_count < CLIENTS) {
        size_t before = soak->rig->clients_count;
        connect_one(soak);
        if (soak->rig->clients_count == before)
            break;
    }
}

static void step(struct soak *soak)
{
    struct client *client = any_client(soak);
    uint32_t what = below(soak, 100);
    if (soak->rules && below(soak, 100) == 0)
        reload(soak);
    if (what < 60) {
        if (client && !prove_on(client))
            do_something(soak, client);
    } else if (what < 75) {
        end_a_write(soak);
    } else if (what < 85) {
        end_an_unpin(soak);
    } else if (what < 90) {
        hear_of_exits(soak);
    } else if (what < 97) {
        rig_advance(soak->rig, below(soak, 300));
    } else if (what < 98) {
        rig_advance(soak->rig, below(soak, 12000));
        soak->kernel->audit.full = below(soak, 4) == 0;
        fake_audit_clear(soak->kernel); /* its memory is enough */
    } else {
        replace_the_ended(soak);
    }
    rig_check(soak->rig);
    uint32_t turns = below(soak, 10);
    if (turns < 5)
        rig_run(soak->rig);
    else if (turns < 8)
        for (uint32_t i = below(soak, 6); i > 0 && rig_turn(soak->rig); --i)
            ; /* some of what is begun is left half done */
}

/* With the world at peace, broker.status must say what is there. */
static void check_status(struct soak *soak)
{
    struct rig *rig = soak->rig;
    memset(&soak->kernel->chaos, 0, sizeof soak->kernel->chaos);
    soak->rig->config.queued_bytes = HBK_QUEUED_BYTES_MAX; /* so that one more may connect */
    ++soak->reloads; /* to the built-in rules: they let more */
    rig_configure(rig, &soak->rig->config, NULL, NULL);
    rig_run(rig);
    for (bool progress = true; progress;) {
        progress = fake_pins_closing(soak->kernel) > 0;
        rig_unpins_end(rig);
        for (size_t i = 0; i < rig->clients_count; ++i) {
            struct client *client = rig->clients[i];
            if (client->connection->pending) {
                progress = true;
                client_write_ends(client, client->process->running && !client_ended(client));
            }
            if (!client->process->running && !client->hung_up)
                client_exit(client);
        }
    }
    replace_the_ended(soak);
    uint32_t sessions = 1, proven = 1, endpoints = 0;
    for (size_t i = 0; i < rig->clients_count; ++i) {
        ++sessions;
        proven += rig->clients[i]->connection->proven;
        endpoints += (uint32_t)rig->clients[i]->endpoints_count;
    }
    struct hbk_status_result status = client_status(client_new(rig, 9999, 0));
    assert_int_equal(status.sessions, sessions);
    assert_int_equal(status.sessions_proven, proven);
    if (soak->rules) /* who has lost a name to who may have it is not told */
        assert_true(status.endpoints <= endpoints);
    else
        assert_int_equal(status.endpoints, endpoints);
    assert_int_equal(status.pins, fake_pins_held(soak->kernel));
}

static void run_seed(uint64_t seed, unsigned long steps)
{
    fprintf(stderr, "soak: seed %llu, %lu steps\n", (unsigned long long)seed, steps);
    struct soak *soak = calloc(1, sizeof *soak);
    assert_non_null(soak);
    struct hbk_config config;
    hbk_config_default(&config);
    config.requests_per_session = 12;
    config.endpoints_per_session = 3;
    config.pins_per_session = 30;
    config.pending_per_endpoint = 6;
    config.write_queue_bytes = 4000;
    /* Some seeds meet the limits that users share, and a few of them nothing else. */
    config.audit_file = seed % 2 == 0;
    config.requests = seed % 3 ? HBK_REQUESTS_MAX : 24;
    config.pins = seed % 4 ? HBK_PINS_MAX : 60;
    config.pending = seed % 5 ? HBK_PENDING_MAX : 16;
    config.endpoints = seed % 6 ? HBK_ENDPOINTS_MAX : 5;
    config.queued_bytes = seed % 7 ? HBK_QUEUED_BYTES_MAX : 16000;
    soak->rig = rig_new(&config, seed);
    soak->rig->context = soak;
    soak->rig->line_told = line_told;
    soak->kernel = soak->rig->kernel;
    soak->kernel->label = "soak";
    rig_let_inspect(soak->rig, NULL, NULL);
    soak->kernel->chaos = (struct fake_chaos){.write_pends = 250,
                                              .write_fails = 5,
                                              .unpin_pends = 300,
                                              .op_fails = 10,
                                              .exits = 2,
                                              .fragments = true};
    soak->rules = seed % 2 == 0;
    replace_the_ended(soak);
    for (unsigned long i = 0; i < steps; ++i)
        step(soak);
    check_status(soak);
    fprintf(stderr, "soak: %lu sends told, %lu failed (%lu denied, %u reloads)\n", soak->told,
            soak->failed, soak->refused, soak->reloads);
    if (steps >= STEPS && (soak->told < 10 || soak->failed < 20))
        fake_violation(soak->kernel,
                       "only %lu sends were told, %lu failed: too few to show anything", soak->told,
                       soak->failed);
    rig_end(soak->rig);
    free(soak);
}

static uint64_t first_seed = 1;
static unsigned seeds = SEEDS;
static unsigned long steps_a_seed = STEPS;

static void random_events_keep_the_books(void **state)
{
    (void)state;
    for (unsigned i = 0; i < seeds; ++i)
        run_seed(first_seed + i, steps_a_seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_events_keep_the_books),
    };
    if (argc > 1) {
        first_seed = strtoull(argv[1], NULL, 10);
        seeds = 1;
    }
    if (argc > 2)
        steps_a_seed = strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests_name("core: soak", tests, NULL, NULL);
}
