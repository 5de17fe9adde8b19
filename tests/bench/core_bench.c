/* What the core itself costs: hand-offs over a machine that does nothing (null_platform.h).
 *
 *     core_bench time SESSIONS OF_ONE_USER AT_ONCE     a line "rate N", hand-offs a second of processor time
 *     core_bench count SESSIONS OF_ONE_USER HAND_OFFS  those hand-offs, one at a time, within measured()
 *     core_bench check                                 a few of each, and whether they were made
 *
 * There are SESSIONS clients, OF_ONE_USER of each user. Each has an endpoint, and a send that waits: every second
 * one for an endpoint that never opens, the others for the answer to an offer. One client after the other, spread
 * over all of them, hands an event to its neighbour: its line is fed in, and the core runs until it has nothing
 * more to do, so that the target's line and the answer are each a write of their own. AT_ONCE above 1: so
 * many clients have sent before the core runs.
 *
 * Two programs are made of this: core_bench has the product's codec, core_alone_bench has none (null_codec.c). */
#include "core.h"
#include "message.h"
#include "null_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define ROUND_SECONDS 0.5
#define WARM_UP 2000u
#define STRIDE 7919u /* a prime: from one sender to the next, past caches and neighbours */
#define PID_FIRST 1000u
#define NAME_BYTES 40
#define EVENT_VALUE 16u

struct client {
    struct null_connection connection;
    uint64_t session;
    size_t line_at, line_size; /* of its hand-off, in bench.lines */
    char name[NAME_BYTES], waits_for[NAME_BYTES];
};

static struct {
    struct null_kernel kernel;
    struct hbk_core *core;
    struct client *clients;
    size_t count, of_one_user;
    struct hbk_buffer lines;
    size_t next; /* who hands over next */
    uint64_t hand_offs, sent;
    uint64_t lines_seen, errors_seen;
} bench;

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "core_bench: %s\n", what);
    exit(1);
}

static void look(const uint8_t *bytes, size_t size)
{
    static const char error[] = "\"error\":";

    for (size_t i = 0; i < size; i++) {
        bench.lines_seen += bytes[i] == '\n';
        bench.errors_seen +=
            size - i >= sizeof error - 1 && memcmp(bytes + i, error, sizeof error - 1) == 0;
    }
}

static void run(void)
{
    while (hbk_core_run(bench.core)) {
    }
}

/* ---- requests ---- */

static void say(struct client *client, enum hbk_method method, const void *params)
{
    static uint64_t last_id;
    struct hbk_id id = {.kind = HBK_ID_NUMBER, .number = ++last_id};
    struct hbk_buffer line = {0};

    hbk_write_request(&line, &id, method, params);
    if (line.failed) {
        fail("out of memory");
    }
    hbk_core_bytes(bench.core, client->session, line.data, line.size);
    hbk_buffer_deinit(&line);
    run();
}

static const struct hbk_item the_item = {.handle = EVENT_VALUE};

static struct hbk_send send_to(const char *name)
{
    return (struct hbk_send){.to_name = hbk_text_from(name),
                             .items_count = 1,
                             .items = &the_item,
                             .timeout_ms = HBK_WAIT_MS_MAX};
}

static struct client *first_of_user(const struct client *client)
{
    size_t index = (size_t)(client - bench.clients);

    return &bench.clients[index - index % bench.of_one_user];
}

static struct client *neighbour(struct client *client)
{
    struct client *first = first_of_user(client);
    size_t index = (size_t)(client - first);

    return &first[(index + 1) % bench.of_one_user];
}

/* ---- clients ---- */

static void connect_client(size_t index)
{
    struct client *client = &bench.clients[index];
    size_t user = index / bench.of_one_user;
    struct hbk_peer peer = {.pid = PID_FIRST + 4 * (uint32_t)index,
                            .terminal_session = 1,
                            .logon_session = user,
                            .integrity = 0x2000};
    static const uint32_t protocol = HBK_PROTOCOL_VERSION;
    const struct hbk_hello hello = {.protocol_count = 1,
                                    .protocol = &protocol,
                                    .client_name = hbk_text_from("bench"),
                                    .client_version = hbk_text_from("1")};

    (void)snprintf(peer.user, sizeof peer.user, "S-1-5-21-1004336348-1177238915-682003330-%zu",
                   1000 + user);
    memcpy(peer.scope, &user, sizeof user);
    client->connection.kernel = &bench.kernel;
    if (hbk_core_session_opened(bench.core, &peer, &client->connection, &client->session) != 0) {
        fail("a session was refused");
    }
    say(client, HBK_METHOD_SESSION_HELLO, &hello);
    say(client, HBK_METHOD_SESSION_PROVE, NULL);
}

static void open_endpoint(struct client *client, const char *name, enum hbk_mode mode)
{
    const struct hbk_endpoint_open open = {.name = hbk_text_from(name), .mode = (uint8_t)mode};

    say(client, HBK_METHOD_ENDPOINT_OPEN, &open);
}

/* The one that waits, and the line of those that will not. */
static void prepare_sends(size_t index)
{
    struct client *client = &bench.clients[index];
    static const struct hbk_id id = {.kind = HBK_ID_NUMBER, .number = HBK_INTEGER_MAX};
    struct hbk_send waiting = send_to(client->waits_for);
    const struct hbk_send hand_off = send_to(neighbour(client)->name);

    if (index % 2 == 0) {
        waiting.wait_ms = HBK_WAIT_MS_MAX;
    }
    say(client, HBK_METHOD_HANDLE_SEND, &waiting);
    client->line_at = bench.lines.size;
    hbk_write_request(&bench.lines, &id, HBK_METHOD_HANDLE_SEND, &hand_off);
    if (bench.lines.failed) {
        fail("out of memory");
    }
    client->line_size = bench.lines.size - client->line_at;
}

static void start(size_t count, size_t of_one_user)
{
    const uint32_t plenty = 4 * (uint32_t)count + 64;
    struct hbk_platform platform = null_platform(&bench.kernel);
    struct hbk_config config;

    if (count % of_one_user != 0 || of_one_user < 2) {
        fail("SESSIONS is to be a multiple of OF_ONE_USER, and that at least 2");
    }
    hbk_config_default(&config);
    config.sessions = config.requests = config.pins = config.pending = config.endpoints = plenty;
    config.sessions_per_user = plenty;
    config.pending_per_endpoint = plenty;
    bench.count = count;
    bench.of_one_user = of_one_user;
    bench.clients = calloc(count, sizeof *bench.clients);
    bench.core = hbk_core_new(&platform, &config);
    if (bench.clients == NULL || bench.core == NULL) {
        fail("out of memory");
    }
    bench.kernel.look = look;
    for (size_t i = 0; i < count; i++) {
        struct client *client = &bench.clients[i];

        (void)snprintf(client->name, NAME_BYTES, "user/bench/%zu", i);
        connect_client(i);
        open_endpoint(client, client->name, HBK_MODE_AUTO);
        (void)snprintf(client->waits_for, NAME_BYTES,
                       i % 2 == 0 ? "user/absent/%zu" : "user/ask/%zu", i);
        if (i % 2 != 0) {
            open_endpoint(client, client->waits_for, HBK_MODE_ASK);
        }
    }
    for (size_t i = 0; i < count; i++) {
        prepare_sends(i);
    }
    if (bench.kernel.pins != count || bench.kernel.places != 0 || bench.errors_seen != 0) {
        fail("the clients do not all wait");
    }
    bench.kernel.look = NULL;
}

/* ---- hand-offs ---- */

static void feed_one(void)
{
    const struct client *client = &bench.clients[bench.next];

    bench.next = (bench.next + STRIDE) % bench.count;
    bench.hand_offs++;
    hbk_core_bytes(bench.core, client->session, bench.lines.data + client->line_at,
                   client->line_size);
}

static void hand_over(size_t count, size_t at_once)
{
    for (size_t done = 0; done < count; done += at_once) {
        for (size_t i = 0; i < at_once; i++) {
            feed_one();
        }
        run();
    }
}

/* Every hand-off that was fed in was made, whole. */
static void verify(void)
{
    const struct null_kernel *kernel = &bench.kernel;

    if (kernel->places != bench.hand_offs || kernel->pins != bench.hand_offs + bench.count ||
        kernel->unpins != bench.hand_offs || hbk_core_pins(bench.core) != bench.count) {
        fail("not every hand-off was made");
    }
}

static void stop(void)
{
    verify();
    hbk_core_stop(bench.core);
    run();
    if (!hbk_core_stopped(bench.core)) {
        fail("the core does not stop");
    }
    for (size_t i = 0; i < bench.count; i++) {
        if (!bench.clients[i].connection.closed || !bench.clients[i].connection.released) {
            fail("a connection was not let go");
        }
    }
    if (bench.kernel.unpins != bench.kernel.pins) {
        fail("a pin was left");
    }
    hbk_core_free(bench.core);
    hbk_buffer_deinit(&bench.lines);
    free(bench.clients);
    memset(&bench, 0, sizeof bench);
}

/* ---- what is measured ---- */

/* For callgrind, which finds it by its name. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
void measured(size_t count);

void measured(size_t count)
{
    hand_over(count, 1);
}

static double seconds_since(clock_t begin)
{
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

static double round_rate(size_t at_once)
{
    const size_t step = (1000 + at_once - 1) / at_once * at_once;
    clock_t begin = clock();
    size_t count = 0;
    double seconds;

    do {
        hand_over(step, at_once);
        count += step;
        seconds = seconds_since(begin);
    } while (seconds < ROUND_SECONDS);
    return (double)count / seconds;
}

static int compare(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;

    return (l > r) - (l < r);
}

static void time_all(size_t at_once)
{
    double rates[ROUNDS];

    hand_over(WARM_UP / at_once * at_once, at_once);
    for (size_t i = 0; i < ROUNDS; i++) {
        rates[i] = round_rate(at_once);
    }
    qsort(rates, ROUNDS, sizeof *rates, compare);
    printf("rate %.0f\n", rates[ROUNDS / 2]);
}

/* Each line that is due was written, and no other. */
static void check(size_t count, size_t of_one_user, size_t at_once)
{
    const size_t hand_offs = 4 * at_once * count;

    start(count, of_one_user);
    bench.lines_seen = 0;
    bench.kernel.look = look;
    hand_over(hand_offs, at_once);
    if (bench.hand_offs != hand_offs || bench.lines_seen != 2 * hand_offs ||
        bench.errors_seen != 0) {
        fail("a hand-off is a line to the target and one to the sender");
    }
    bench.kernel.look = NULL;
    stop();
}

static size_t number(const char *text)
{
    unsigned long value = strtoul(text, NULL, 10);

    if (value == 0) {
        fail("not a number above 0");
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "check") == 0) {
        check(10, 10, 1);
        check(60, 10, 16);
        check(300, 300, 1);
        return 0;
    }
    if (argc != 5 || (strcmp(argv[1], "time") != 0 && strcmp(argv[1], "count") != 0)) {
        fail("usage: core_bench check | time SESSIONS OF_ONE_USER AT_ONCE | "
             "count SESSIONS OF_ONE_USER HAND_OFFS");
    }
    start(number(argv[2]), number(argv[3]));
    if (strcmp(argv[1], "time") == 0) {
        time_all(number(argv[4]));
    } else {
        hand_over(WARM_UP, 1);
        measured(number(argv[4]));
    }
    stop();
    return 0;
}
