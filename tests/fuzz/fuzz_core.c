/* The whole core over the fake platform of the unit tests: the bytes choose what clients send, which writes and closes
 * end and how, who exits, what fails, how much time goes by. The fake and the rig judge: a violation ends the process.
 *
 * The first byte chooses limits. Then each move begins with a byte: which (5 bits), whose (2 bits), and whether the
 * core is left half done after it (1 bit); what a move needs to know follows. */
#include "alloc_fault.h"
#include "core_client.h"
#include "core_moves.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MOVE_BITS = 0x1F, HALF_DONE = 0x80, SEED = 1 };

static const char from_sddl[] = "D:(A;;GA;;;S-1-5-21-1)";

static struct rig *new_rig(uint8_t limits)
{
    struct hbk_config config;
    hbk_config_default(&config);
    if (limits & 1) { /* such as are met */
        config.requests_per_session = 6;
        config.endpoints_per_session = 2;
        config.pins_per_session = 8;
        config.pending_per_endpoint = 3;
        config.write_queue_bytes = 2000;
    }
    config.requests = limits & 2 ? 12 : HBK_REQUESTS_MAX;
    config.pins = limits & 4 ? 16 : HBK_PINS_MAX;
    config.pending = limits & 8 ? 6 : HBK_PENDING_MAX;
    config.endpoints = limits & 16 ? 4 : HBK_ENDPOINTS_MAX;
    config.stored = limits & 8 ? 3 : HBK_STORED_MAX;
    config.stored_bytes = limits & 16 ? 40 : HBK_STORED_BYTES_MAX;
    config.queued_bytes = limits & 32 ? 3000 : HBK_QUEUED_BYTES_MAX;
    config.sessions_per_user = limits & 64 ? 2 : HBK_SESSIONS_PER_USER_MAX;
    config.sessions = limits & 64 ? 4 : HBK_SESSIONS_MAX;
    config.audit_file = limits & 128;
    struct rig *rig = rig_new(&config, SEED);
    rig->kernel->label = "fuzz";
    rig->kernel->told = play_bytes_told;
    fake_grant(rig->kernel, "inspect", 0, HBK_RIGHT_INSPECT);
    fake_grant(rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    return rig;
}

/* ---- what the world does ---- */

static void end_write(struct play *play, struct client *client, bool told)
{
    if (!client->connection->pending)
        return;
    fake_write_end(client->connection, told);
    rig_enter_core();
    hbk_core_written(play->rig->core, client->session, told);
    rig_leave_core();
    rig_check(play->rig);
}

static void hear(struct play *play, struct client *client)
{
    client->hung_up = true;
    rig_enter_core();
    hbk_core_session_closed(play->rig->core, client->session);
    rig_leave_core();
    rig_check(play->rig);
}

static void plan_fault(struct play *play, struct client *client)
{
    static const int32_t codes[] = {HBK_R_OS_ERROR, HBK_R_TARGET_GONE, HBK_R_BAD_HANDLE};
    struct fake_kernel *kernel = play->rig->kernel;
    const uint8_t what = play_byte(play);
    const uint32_t at = 1 + (what >> 4) % 8;
    const uint8_t how = play_byte(play);
    const enum fake_op op = (enum fake_op)((what % 16 + (how & 16)) % FAKE_OP_COUNT);
    if (how & 4)
        fake_exit_at(kernel, op, at, client->process, how & 8);
    else
        fake_fail(kernel, op, at, codes[how % 3], 1450);
}

static void set_modes(struct play *play)
{
    struct fake_kernel *kernel = play->rig->kernel;
    const uint8_t what = play_byte(play);
    kernel->unpins_pend = what & 1;
    kernel->sockets_early = what & 32;
    kernel->proofs_pend = what & 2;
    kernel->audit.full = what & 4;
    kernel->policy.widenable_type = what & 8 ? "Event" : NULL;
    if (what & 16)
        fake_audit_clear(kernel);
    play_pause(play, (what & 0xC0) == 0xC0);
}

static void reload(struct play *play)
{
    struct fake_kernel *kernel = play->rig->kernel;
    const uint8_t who = play_byte(play), what = play_byte(play);
    if (what & 1) {
        rig_rules_none(play->rig);
        return;
    }
    kernel->policy.duplicators_count = 0;
    for (uint32_t i = 0; i < PLAY_PIDS; ++i) {
        const bool may = who >> i & 1;
        fake_grant(kernel, "send", 100 + i, may ? HBK_RIGHT_SEND : 0);
        fake_grant(kernel, "open", 100 + i, may || what & 2 ? HBK_RIGHT_OPEN : 0);
        fake_grant(kernel, from_sddl, 100 + i, what & 4 ? HBK_RIGHT_SEND | HBK_RIGHT_GET : 0);
        fake_grant(kernel, "store", 100 + i, may ? HBK_RIGHT_PUT | HBK_RIGHT_GET : 0);
        fake_grant(kernel, "transfer", 100 + i, may || what & 8 ? HBK_RIGHT_TRANSFER : 0);
        fake_grant(kernel, "revoke", 100 + i, what & 2 ? HBK_RIGHT_REVOKE : 0);
        fake_may_duplicate(kernel, 100 + i, 100 + (i + (what >> 4)) % PLAY_PIDS, what & 8);
    }
    static const struct rule rules[] = {
        {.name = "user/a", .open = "open", .send = "send", .put = "store", .get = "store"},
        {.name = "user/b", .types = "Event File Process", .access_max = 0x100003},
        {.name = "*", .open = "open", .send = "send", .put = "store", .get = "store"}};
    rig_rules_and(play->rig, rules, sizeof rules / sizeof rules[0], "transfer");
}

static void forget_released(struct play *play)
{
    for (size_t i = play->rig->clients_count; i-- > 0;) {
        struct client *client = play->rig->clients[i];
        if (client->connection->released && !client->connection->proof_closing)
            client_forget(client);
    }
}

static void fail_allocations(struct play *play)
{
    const uint8_t at = play_byte(play), count = play_byte(play);
    alloc_fault_arm_span(at, count < 200 ? 1u + count % 4 : 1000);
}

static void advance(struct play *play)
{
    const uint8_t much = play_byte(play);
    rig_advance(play->rig, much & 0x80 ? 100u * (much & 0x7F) : much);
}

/* Now, or the input's end stops the broker in the middle of what it does. */
static void stop(struct play *play)
{
    play->sudden = true;
    if (play_byte(play) < 250)
        return;
    play->stopped = true;
    rig_stop(play->rig);
}

/* @client: NULL: there is none. */
static void world_move(struct play *play, struct client *client, unsigned what)
{
    switch (what) {
    case 0:
    case 1:
        forget_released(play);
        play_connect(play);
        return;
    case 2:
        advance(play);
        return;
    case 3:
        set_modes(play);
        return;
    case 4:
        reload(play);
        return;
    case 5:
        fail_allocations(play);
        return;
    case 6:
        (void)alloc_fault_disarm();
        return;
    case 7:
        if (fake_pins_closing(play->rig->kernel))
            rig_unpin_end(play->rig, play_byte(play) % fake_pins_closing(play->rig->kernel));
        else if (fake_sockets_making(play->rig->kernel))
            rig_sockets_end(play->rig, play_byte(play) % fake_sockets_making(play->rig->kernel));
        else if (fake_looks_pending(play->rig->kernel))
            rig_look_end(play->rig, play_byte(play) % fake_looks_pending(play->rig->kernel));
        return;
    case 8:
        for (unsigned i = play_byte(play) % 8u; i > 0 && rig_turn(play->rig); --i)
            ;
        return;
    default:
        break;
    }
    if (!client)
        return;
    switch (what) {
    case 9:
    case 10:
        end_write(play, client, what == 9);
        break;
    case 11:
        if (client->connection->proof_closing)
            rig_proof_end(play->rig, client);
        break;
    case 12:
        client->connection->write_mode = (enum fake_write_mode)(play_byte(play) % 3);
        break;
    case 13:
        plan_fault(play, client);
        break;
    case 14:
        if (play_byte(play) & 1)
            fake_process_exit(play->rig->kernel, client->process);
        else
            hear(play, client);
        break;
    default:
        stop(play);
        break;
    }
}

static void move(struct play *play)
{
    const uint8_t how = play_byte(play);
    const unsigned what = how & MOVE_BITS;
    struct rig *rig = play->rig;
    struct client *client =
        rig->clients_count ? rig->clients[(how >> 5 & 3) % rig->clients_count] : NULL;
    if (what >= PLAY_CLIENT_MOVES)
        world_move(play, client, what - PLAY_CLIENT_MOVES);
    else if (client && !client_ended(client) && !client->hung_up && client->process->running)
        play_client_move(play, client, what);
    rig_check(rig);
    if (!(how & HALF_DONE))
        rig_run(rig);
}

/* ---- the end ---- */

static bool let_some_end(struct play *play)
{
    bool some = fake_pins_closing(play->rig->kernel) || fake_sockets_making(play->rig->kernel) ||
                fake_looks_pending(play->rig->kernel);
    rig_sockets_all_end(play->rig);
    rig_looks_end(play->rig);
    rig_unpins_end(play->rig);
    for (size_t i = 0; i < play->rig->clients_count; ++i) {
        struct client *client = play->rig->clients[i];
        if (client->connection->proof_closing) {
            rig_proof_end(play->rig, client);
            some = true;
        }
        if (client->connection->pending) {
            client_write_ends(client, client->process->running && !client->connection->cancelled);
            some = true;
        }
    }
    return some;
}

/* All that pends ends well. Then all that came has been read: nobody is held back but for a user's bytes. */
static void make_peace(struct play *play, bool throttled)
{
    struct fake_kernel *kernel = play->rig->kernel;
    memset(kernel->faults, 0, sizeof kernel->faults);
    kernel->unpins_pend = kernel->proofs_pend = false;
    for (size_t i = 0; i < play->rig->clients_count; ++i)
        play->rig->clients[i]->connection->write_mode = FAKE_WRITE_DONE;
    while (let_some_end(play))
        ;
    rig_run(play->rig);
    for (size_t i = 0; i < play->rig->clients_count && !throttled; ++i) {
        const struct client *client = play->rig->clients[i];
        if (!client->connection->closed && !client->hung_up &&
            (client->connection->paused || client->outbound.size))
            fake_violation(kernel, "nothing pends, and process %u is not read",
                           client->process->pid);
    }
}

/* rig_end() wants every answer for who listens when the broker is told to stop. Not so for who was not read to the end
 * by then: its lines may as well have come after the stop. For raw clients the same is wanted here. */
static void note_listeners(struct play *play)
{
    rig_run(play->rig);
    for (size_t i = 0; i < play->rig->clients_count; ++i) {
        struct client *client = play->rig->clients[i];
        const struct fake_connection *connection = client->connection;
        if (connection->pending || connection->paused || connection->proof_closing || play->stopped)
            client->hung_up = true;
        play->raws[connection->number].listens = !connection->closed && !connection->broken &&
                                                 !client->hung_up && client->process->running &&
                                                 connection->write_mode != FAKE_WRITE_FAILS;
    }
}

/* As they are at any moment; that they agree with each other is asserted where they are written. */
static void check_metrics(struct rig *rig)
{
    struct hbk_buffer text;
    hbk_buffer_init(&text, HBK_METRICS_BYTES_MAX);
    hbk_core_metrics(rig->core, &text);
    HBK_ASSERT(!text.failed && text.size > 0);
    hbk_buffer_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play *play = calloc(1, sizeof *play);
    HBK_ASSERT(play != NULL);
    play->at = data;
    play->end = data + size;
    const uint8_t limits = play_byte(play);
    play->rig = new_rig(limits);
    play->rig->context = play;
    play->rig->line_told = play_line_told;
    while (play->at < play->end && play->moves++ < PLAY_MOVES_MAX)
        move(play);
    (void)alloc_fault_disarm();
    if (!play->sudden && !play->stopped)
        make_peace(play, limits & 32);
    note_listeners(play);
    check_metrics(play->rig);
    rig_end(play->rig);
    for (size_t i = 0; i <= PLAY_CONNECTIONS_MAX; ++i)
        HBK_ASSERT(!play->raws[i].is || !play->raws[i].listens ||
                   play->raws[i].answers == play->raws[i].lines);
    free(play);
    return 0;
}
