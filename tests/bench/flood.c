/* What a flood costs those who have nothing to do with it.
 *
 *     flood [SECONDS [KIND [PROCESSES]]]
 *
 * KIND: all (the default), each (one after the other), or some of flood.h's with commas between. PROCESSES: over so
 * many processes the kinds of one flood are spread; 1 by default, as it is one client that does its worst.
 *
 * A pair of processes hands an event over, again and again, through the installed service, with a pause between.
 * It does so in quiet; then while others do their worst to a second broker, of the console, which is the
 * control: it costs the machine the same; then while they do it to the service itself. What the flood takes
 * beyond the control is the service's own doing. Beside that a client connects and leaves now and then.
 * Afterwards the service has what it had before.
 *
 * Figures are printed, and no test fails by them. What fails it: a hand-off of the pair that does not succeed,
 * a flood that is none, and anything that is left. */
#include "flood.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS 5u
#define SAMPLES_MAX 65536
#define CONNECTS_MAX 4096
#define SAMPLES_A_CONNECT 64
#define PAUSE_MS 1
#define STOP_MS 15000u /* a flooder that waits for an answer has a bound of its own below this */
#define WARM_UP_MS_MAX 12000u /* longer than any deadline for what a flood leaves behind */
#define PAIR_MIN 3 /* hand-offs a phase, each within KIT_WAIT_MS, however slow the machine */
/* What a heap may keep of what a flood needed at its height; one flood before has set that height. */
#define BYTES_SPARE (16ull * 1024 * 1024)

static uint32_t seconds = SECONDS;
static const char *what = "all";
static size_t processes = 1;

/* ---- the pair ---- */

static struct {
    hbk_client *source;
    char endpoint[64];
    HANDLE event;
} pair;

/* The target: a process of its own. */
static int target_main(const char *name)
{
    hbk_client *client = NULL;
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    if (hbk_open(NULL, &client, NULL) != HBK_OK ||
        hbk_endpoint_open(client, &endpoint, NULL) != HBK_OK)
        return 1;
    hbk_delivery *delivery = NULL;
    while (hbk_receive(client, INFINITE, &delivery, NULL) == HBK_OK) {
        SetEvent(delivery->items[0].handle);
        hbk_delivery_free(delivery);
    }
    return 0;
}

static void start_pair(void)
{
    wchar_t arguments[128];
    (void)snprintf(pair.endpoint, sizeof pair.endpoint, "user/flood/%lu/pair",
                   (unsigned long)GetCurrentProcessId());
    (void)swprintf(arguments, 128, L"--target %hs", pair.endpoint);
    (void)measure_start_self(arguments, NULL);
    pair.source = kit_client();
    pair.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    measure_hand_over(pair.source, pair.endpoint, pair.event, KIT_WAIT_MS);
}

/* ---- measuring ---- */

struct phase {
    const char *name;
    size_t count, connects, refused;
    double p50_us, p99_us, max_us, connect_p50_us, connect_p99_us;
};

static double samples[SAMPLES_MAX], connect_samples[CONNECTS_MAX];

/* The pair is served throughout. */
static double hand_over(void)
{
    return measure_hand_over(pair.source, pair.endpoint, pair.event, 0);
}

static void come_and_go(struct phase *phase)
{
    hbk_client *client = NULL;
    double begin = measure_now_us();
    if (hbk_open(NULL, &client, NULL) == HBK_OK && phase->connects < CONNECTS_MAX)
        connect_samples[phase->connects++] = measure_now_us() - begin;
    else
        phase->refused++;
    hbk_close(client);
}

static void measure(struct phase *phase, const char *name, uint32_t for_ms)
{
    memset(phase, 0, sizeof *phase);
    phase->name = name;
    for (int i = 0; i < 20; i++)
        hand_over();
    for (uint64_t end = kit_now_ms() + for_ms; kit_now_ms() < end && phase->count < SAMPLES_MAX;) {
        samples[phase->count++] = hand_over();
        if (phase->count % SAMPLES_A_CONNECT == 0)
            come_and_go(phase);
        Sleep(PAUSE_MS);
    }
    measure_sort(samples, phase->count);
    measure_sort(connect_samples, phase->connects);
    phase->p50_us = measure_percentile(samples, phase->count, 50);
    phase->p99_us = measure_percentile(samples, phase->count, 99);
    phase->max_us = measure_percentile(samples, phase->count, 100);
    phase->connect_p50_us = measure_percentile(connect_samples, phase->connects, 50);
    phase->connect_p99_us = measure_percentile(connect_samples, phase->connects, 99);
    print_message("  %-26s %7lu %9.0f %9.0f %9.0f   %5lu %9.0f %9.0f %5lu\n", name,
                  (unsigned long)phase->count, phase->p50_us, phase->p99_us, phase->max_us,
                  (unsigned long)phase->connects, phase->connect_p50_us, phase->connect_p99_us,
                  (unsigned long)phase->refused);
    assert_true(phase->count >= PAIR_MIN);
}

/* ---- the flooders ---- */

struct flood {
    struct flood_board *board;
    bool kinds[FLOOD_KINDS];
    HANDLE processes[FLOOD_KINDS]; /* NULL: not so many */
};

/* Those of @flood that the @index-th process is, with commas between. */
static void share_of(const struct flood *flood, size_t index, char *ret_kinds, size_t size)
{
    size_t at = 0, nth = 0;
    ret_kinds[0] = '\0';
    for (int i = 0; i < FLOOD_KINDS; i++) {
        if (!flood->kinds[i] || nth++ % processes != index)
            continue;
        at += (size_t)snprintf(ret_kinds + at, size - at, "%s%s", at > 0 ? "," : "",
                               flood_name((enum flood_kind)i));
        assert_true(at < size);
    }
}

static void begin_flood(struct flood *flood, const wchar_t *pipe, const char *kinds)
{
    char board[64], share[128];
    wchar_t arguments[448];
    memset(flood, 0, sizeof *flood);
    (void)snprintf(board, sizeof board, "hbk-flood-%lu-%lu", (unsigned long)GetCurrentProcessId(),
                   (unsigned long)kit_unique());
    flood->board = flood_board_open(board);
    assert_non_null(flood->board);
    for (int i = 0; i < FLOOD_KINDS; i++)
        flood->kinds[i] = strcmp(kinds, "all") == 0 || flood_names(kinds, (enum flood_kind)i);
    for (size_t i = 0; i < processes; i++) {
        share_of(flood, i, share, sizeof share);
        if (share[0] == '\0')
            continue;
        (void)swprintf(arguments, sizeof arguments / sizeof *arguments, L"--flood %hs %ls %hs",
                       share, pipe, board);
        flood->processes[i] = measure_start_self(arguments, NULL);
    }
}

/* Asked to stop rather than killed: Wine never comes back from closing a handle in a process that is killed at
 * that moment (tests/README.md). They end with all in flight that they have. */
static void end_flood(struct flood *flood, bool print)
{
    InterlockedExchange(&flood->board->stop, 1);
    for (size_t i = 0; i < processes; i++) {
        if (flood->processes[i] == NULL)
            continue;
        assert_int_equal(kit_wait_exit(flood->processes[i], STOP_MS), 0);
        kit_forget(flood->processes[i]);
    }
    for (int i = 0; i < FLOOD_KINDS; i++) {
        if (!flood->kinds[i])
            continue;
        const char *name = flood_name((enum flood_kind)i);
        LONG done = flood->board->done[i], failed = flood->board->failed[i];
        if (print)
            print_message("    %-10s %8ld done, %ld failed\n", name, done, failed);
        if (done == 0)
            fail_msg("a flood that does nothing proves nothing: %s, %ld failed", name, failed);
    }
    UnmapViewOfFile(flood->board);
}

/* ---- the run ---- */

struct figures {
    struct phase before, control, flood, after;
};

static void run(struct figures *figures, const struct kit_broker *control, const char *kinds,
                uint32_t for_ms)
{
    struct flood flood;
    print_message("%s, microseconds            hand-offs       p50       p99       max   "
                  "connects     p50       p99  failed\n",
                  kinds);
    measure(&figures->before, "quiet", for_ms / 3);
    begin_flood(&flood, control->pipe, kinds);
    measure(&figures->control, "another broker flooded", for_ms);
    end_flood(&flood, true);
    begin_flood(&flood, HBK_PIPE_NAME, kinds);
    measure(&figures->flood, "the service flooded", for_ms);
    end_flood(&flood, true);
    measure(&figures->after, "quiet again", for_ms / 3);
}

static void print_figures(const struct figures *figures, const char *kinds)
{
    double quiet = (figures->before.p99_us + figures->after.p99_us) / 2;
    print_message("figure flood_%s_p99_over_quiet %.2f\n", kinds, figures->flood.p99_us / quiet);
    print_message("figure control_%s_p99_over_quiet %.2f\n", kinds,
                  figures->control.p99_us / quiet);
    print_message("figure flood_%s_p99_over_control %.2f\n", kinds,
                  figures->flood.p99_us / figures->control.p99_us);
    print_message("figure flood_%s_p50_over_control %.2f\n", kinds,
                  figures->flood.p50_us / figures->control.p50_us);
}

static void flooded_and_served(void **state)
{
    (void)state;
    struct flood warm_up;
    struct kit_broker control;
    struct kit_mark mark;
    struct figures figures;
    print_message("each flood is of %lu process%s; the pair is of two\n", (unsigned long)processes,
                  processes == 1 ? "" : "es at most");
    kit_console_start(&control, NULL);
    start_pair();
    /* The height of what the service ever needs at once is no leak; clients that never read stay for a while, so that it
     * takes as long as the flood. */
    begin_flood(&warm_up, HBK_PIPE_NAME, "all");
    Sleep(seconds * 1000 < WARM_UP_MS_MAX ? seconds * 1000 : WARM_UP_MS_MAX);
    end_flood(&warm_up, false);
    kit_serve_second();
    kit_mark(&mark, 0);
    uint64_t bytes = kit_private_bytes(kit_broker()->pid);
    if (strcmp(what, "each") == 0) {
        for (int i = 0; i < FLOOD_KINDS; i++) {
            run(&figures, &control, flood_name((enum flood_kind)i), seconds * 1000);
            print_figures(&figures, flood_name((enum flood_kind)i));
        }
    } else {
        run(&figures, &control, what, seconds * 1000);
        print_figures(&figures, what);
    }
    kit_unchanged(&mark);
    uint64_t after = kit_private_bytes(kit_broker()->pid);
    print_message(
        "the service before and after: %lu handles, at most as many; private bytes %llu, %llu\n",
        (unsigned long)mark.broker_handles, (unsigned long long)bytes, (unsigned long long)after);
    assert_true(after <= bytes + BYTES_SPARE);
    kit_console_stop(&control);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {KIT_TEST(flooded_and_served)};
    return cmocka_run_group_tests_name("flood", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--flood") == 0)
        return flood_main(argv[2], argv[3], argv[4]);
    if (argc == 3 && strcmp(argv[1], "--target") == 0)
        return target_main(argv[2]);
    if (argc >= 2 && strtoul(argv[1], NULL, 10) > 0)
        seconds = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc >= 3 && argv[1][0] != '-')
        what = argv[2];
    if (argc >= 4 && argv[1][0] != '-')
        processes = strtoul(argv[3], NULL, 10);
    if (processes < 1 || processes > FLOOD_KINDS)
        return 2;
    return kit_main(argc, argv, group);
}
