/* What the store costs in the core, beside many entries and beside few: over a machine that does nothing
 * (null_platform.h).
 *
 *     store_bench time ENTRIES          a line "rate N", pairs of put and get a second of processor time
 *     store_bench count ENTRIES PAIRS   those pairs, one at a time, within measured()
 *     store_bench memory ENTRIES        a line "bytes N": memory an entry
 *     store_bench check                 a few of each, and whether they were done
 *
 * ENTRIES are stored under names of one identity by two clients. A pair is a put that replaces one of them, and a get of
 * the same by the other client; the next pair is of another one, past caches and neighbours. As with core_bench.c two
 * programs are made of this: store_bench has the product's codec, store_alone_bench has none. */
#include "core.h"
#include "message.h"
#include "null_platform.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define ROUND_SECONDS 0.5
#define WARM_UP 2000u
#define STRIDE 7919u /* a prime */
#define NAME_BYTES 40
#define EVENT_VALUE 16u

enum { OWNER, TAKER, CLIENTS };

struct line {
    size_t at, size; /* in bench.lines */
};

static struct {
    struct null_kernel kernel;
    struct hbk_core *core;
    struct null_connection connections[CLIENTS];
    uint64_t sessions[CLIENTS];
    char (*names)[NAME_BYTES];
    struct line *puts, *gets;
    size_t count, next;
    struct hbk_buffer lines;
    uint64_t pairs, errors_seen;
} bench;

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "store_bench: %s\n", what);
    exit(1);
}

static void look(const uint8_t *bytes, size_t size)
{
    static const char error[] = "\"error\":";

    for (size_t i = 0; i + sizeof error - 1 <= size; i++) {
        bench.errors_seen += memcmp(bytes + i, error, sizeof error - 1) == 0;
    }
}

static void feed(size_t client, const void *bytes, size_t size)
{
    hbk_core_bytes(bench.core, bench.sessions[client], bytes, size);
    while (hbk_core_run(bench.core)) {
    }
}

static struct line write_line(enum hbk_method method, const void *params)
{
    static uint64_t last_id;
    const struct hbk_id id = {.kind = HBK_ID_NUMBER, .number = ++last_id};
    struct line line = {.at = bench.lines.size};

    hbk_write_request(&bench.lines, &id, method, params);
    if (bench.lines.failed) {
        fail("out of memory");
    }
    line.size = bench.lines.size - line.at;
    return line;
}

static void say(size_t client, struct line line)
{
    feed(client, bench.lines.data + line.at, line.size);
}

static void connect_client(size_t client)
{
    struct hbk_peer peer = {.pid = 1000 + 4 * (uint32_t)client,
                            .terminal_session = 1,
                            .integrity = 0x2000,
                            .user = "S-1-5-21-1-2-3-1000"};
    static const uint32_t protocol = HBK_PROTOCOL_VERSION;
    const struct hbk_hello hello = {.protocol_count = 1,
                                    .protocol = &protocol,
                                    .client_name = hbk_text_from("bench"),
                                    .client_version = hbk_text_from("1")};

    bench.connections[client].kernel = &bench.kernel;
    if (hbk_core_session_opened(bench.core, &peer, &bench.connections[client],
                                &bench.sessions[client]) != 0) {
        fail("a session was refused");
    }
    say(client, write_line(HBK_METHOD_SESSION_HELLO, &hello));
    say(client, write_line(HBK_METHOD_SESSION_PROVE, NULL));
}

static void start(size_t count)
{
    struct hbk_platform platform = null_platform(&bench.kernel);
    struct hbk_config config;

    hbk_config_default(&config);
    config.stored = 4 * (uint32_t)count + 64;
    config.stored_bytes = UINT32_MAX;
    bench.count = count;
    bench.names = calloc(count, sizeof *bench.names);
    bench.puts = calloc(count, sizeof *bench.puts);
    bench.gets = calloc(count, sizeof *bench.gets);
    bench.core = hbk_core_new(&platform, &config);
    if (bench.names == NULL || bench.puts == NULL || bench.gets == NULL || bench.core == NULL) {
        fail("out of memory");
    }
    bench.kernel.look = look;
    for (size_t i = 0; i < CLIENTS; i++) {
        connect_client(i);
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(bench.names[i], NAME_BYTES, "user/bench/%zu", i);
        const struct hbk_store_put put = {
            .name = hbk_text_from(bench.names[i]), .handle = EVENT_VALUE, .replace = true};
        const struct hbk_store_get get = {.name = hbk_text_from(bench.names[i])};

        bench.puts[i] = write_line(HBK_METHOD_STORE_PUT, &put);
        bench.gets[i] = write_line(HBK_METHOD_STORE_GET, &get);
    }
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Return: bytes that the heap has in use more than before. */
static size_t fill(void)
{
    size_t before = heap_bytes();

    for (size_t i = 0; i < bench.count; i++) {
        say(OWNER, bench.puts[i]);
    }
    if (bench.kernel.pins != bench.count || bench.kernel.unpins != 0 || bench.errors_seen != 0) {
        fail("not all is stored");
    }
    return heap_bytes() - before;
}

static void pair(void)
{
    say(OWNER, bench.puts[bench.next]);
    say(TAKER, bench.gets[bench.next]);
    bench.next = (bench.next + STRIDE) % bench.count;
    bench.pairs++;
}

static void warm_up(void)
{
    for (size_t i = 0; i < WARM_UP; i++) {
        pair();
    }
}

/* Every pair was done, whole, and stopping leaves nothing. */
static void stop(void)
{
    const struct null_kernel *kernel = &bench.kernel;

    if (kernel->places != bench.pairs || kernel->pins != bench.count + bench.pairs ||
        kernel->unpins != bench.pairs || bench.errors_seen != 0) {
        fail("not every put and get was done");
    }
    hbk_core_stop(bench.core);
    while (hbk_core_run(bench.core)) {
    }
    if (!hbk_core_stopped(bench.core) || kernel->unpins != kernel->pins) {
        fail("the core does not stop, or leaves a pin");
    }
    hbk_core_free(bench.core);
    hbk_buffer_deinit(&bench.lines);
    free(bench.names);
    free(bench.puts);
    free(bench.gets);
    memset(&bench, 0, sizeof bench);
}

/* For callgrind, which finds it by its name. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
void measured(size_t count);

void measured(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pair();
    }
}

static int compare(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;

    return (l > r) - (l < r);
}

static double round_rate(void)
{
    clock_t begin = clock();
    size_t count = 0;
    double seconds;

    do {
        measured(1000);
        count += 1000;
        seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    } while (seconds < ROUND_SECONDS);
    return (double)count / seconds;
}

static void time_all(void)
{
    double rates[ROUNDS];

    warm_up();
    for (size_t i = 0; i < ROUNDS; i++) {
        rates[i] = round_rate();
    }
    qsort(rates, ROUNDS, sizeof *rates, compare);
    printf("rate %.0f\n", rates[ROUNDS / 2]);
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
    const char *mode = argc > 1 ? argv[1] : "";
    bool counts = argc == 4 && strcmp(mode, "count") == 0;
    bool checks = argc == 2 && strcmp(mode, "check") == 0;
    size_t bytes;

    if (!counts && !checks &&
        !(argc == 3 && (strcmp(mode, "time") == 0 || strcmp(mode, "memory") == 0))) {
        fail("usage: store_bench check | time ENTRIES | memory ENTRIES | count ENTRIES PAIRS");
    }
    start(checks ? 100 : number(argv[2]));
    bytes = fill();
    bench.kernel.look = checks ? look : NULL;
    if (counts) {
        warm_up();
        measured(number(argv[3]));
    } else if (checks) {
        measured(1000);
    } else if (strcmp(mode, "time") == 0) {
        time_all();
    } else {
        printf("bytes %zu\n", bytes / bench.count);
    }
    stop();
    return 0;
}
