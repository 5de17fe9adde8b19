/* The benchmark's driver, and S in all of it.
 *
 *     bench time         ten interleaved rounds, a table, and lines "figure NAME VALUE"
 *     bench count N      N (or a few more) hand-offs of each kind, between marks in the Wine
 *                        server's request log
 *
 * What is counted: from S's first call to the moment when S has both the result and T's signal; so
 * all that the relay or the service does before that, and on one processor also what they do beside
 * it. What is not: starting, connecting, opening endpoints, making the objects that are handed over
 * (the same ones again and again), the clock (no kernel call), and a warm-up after each change of
 * sides. Nothing is printed or allocated by the benchmark between two looks at the clock. All
 * processes live through all rounds; those of the side that is not being measured sleep in a read.
 *
 * A round is made of short passes, in each of which floor and product are measured one after the
 * other, in alternating order: what slows a machine for a while slows both. Each round makes one
 * ratio of the two, and the figure is the median of the rounds' ratios. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 10
#define PASSES 20                            /* a round */
#define HAND_OFFS 125                        /* of each kind, one after the other, a pass */
#define SAMPLES ((size_t)PASSES * HAND_OFFS) /* a round */
#define WARM_UP 10      /* hand-offs before those of each kind that are not looked at */
#define BATCHES 2       /* sends of BENCH_BATCH handles a pass */
#define OUTSTANDING 320 /* hand-offs a pass, BENCH_OUTSTANDING at a time */

static HANDLE event;
static HANDLE file;
static HANDLE events[BENCH_BATCH];

/* A value for each round. */
struct series {
    double of[ROUNDS];
};

static int compare(const void *left, const void *right)
{
    double l = *(const double *)left;
    double r = *(const double *)right;
    return (l > r) - (l < r);
}

static double median(const struct series *series)
{
    struct series sorted = *series;
    qsort(sorted.of, ROUNDS, sizeof sorted.of[0], compare);
    return (sorted.of[(ROUNDS - 1) / 2] + sorted.of[ROUNDS / 2]) / 2;
}

/* ---- one hand-off at a time ---- */

enum lane { FLOOR_EVENT, PLAIN_EVENT, PRODUCT_EVENT, FLOOR_FILE, PRODUCT_FILE, LANES };

struct lane_times {
    const char *name;
    void (*hand_over)(HANDLE handle);
    const HANDLE *handle;
    double samples[SAMPLES]; /* ticks, of the round under way */
    size_t count;
    struct series p50, p99; /* microseconds */
};

static struct lane_times lanes[LANES] = {
    {.name = "event  floor", .hand_over = floor_event, .handle = &event},
    {.name = "event  floor, answer read first", .hand_over = floor_plain_event, .handle = &event},
    {.name = "event  handoff", .hand_over = handoff_event, .handle = &event},
    {.name = "File   floor", .hand_over = floor_file, .handle = &file},
    {.name = "File   handoff", .hand_over = handoff_file, .handle = &file},
};

static void run_lane(struct lane_times *lane)
{
    HANDLE handle = *lane->handle;
    for (size_t i = 0; i < WARM_UP; i++) {
        lane->hand_over(handle);
    }
    for (size_t i = 0; i < HAND_OFFS; i++) {
        int64_t start = bench_ticks();
        lane->hand_over(handle);
        lane->samples[lane->count++] = (double)(bench_ticks() - start);
    }
}

static void end_lane(struct lane_times *lane, size_t round)
{
    qsort(lane->samples, SAMPLES, sizeof lane->samples[0], compare);
    lane->p50.of[round] = bench_us((int64_t)lane->samples[SAMPLES / 2]);
    lane->p99.of[round] = bench_us((int64_t)lane->samples[SAMPLES * 99 / 100]);
    lane->count = 0;
}

/* ---- many at a time ---- */

enum rate { BARE_BATCH, PRODUCT_BATCH, PRODUCT_SEND, FLOOR_16, CHAIN_16, PRODUCT_16, RATES };

static const char *const rate_names[RATES] = {
    "64 items  bare calls",
    "64 items  handoff, closed by the target",
    "64 items  handoff, hbk_send alone",
    "16 at once  floor, what is there together",
    "16 at once  floor, one by one",
    "16 at once  handoff",
};

static int64_t rate_ticks[RATES];  /* of the round under way */
static struct series rates[RATES]; /* microseconds a handle */

static void run_batches(int product)
{
    for (size_t i = 0; i < BATCHES; i++) {
        int64_t alone = 0;
        if (product) {
            rate_ticks[PRODUCT_BATCH] += handoff_batch(events, &alone);
            rate_ticks[PRODUCT_SEND] += alone;
        } else {
            rate_ticks[BARE_BATCH] += floor_batch(events);
        }
    }
}

static void run_outstanding(enum rate rate)
{
    rate_ticks[rate] += rate == PRODUCT_16
                            ? handoff_outstanding(events, OUTSTANDING)
                            : floor_outstanding(events, OUTSTANDING, rate == FLOOR_16);
}

static void end_rates(size_t round)
{
    for (size_t rate = 0; rate < RATES; rate++) {
        size_t handles = rate < FLOOR_16 ? (size_t)BATCHES * BENCH_BATCH : OUTSTANDING;
        rates[rate].of[round] = bench_us(rate_ticks[rate]) / (double)(PASSES * handles);
        rate_ticks[rate] = 0;
    }
}

/* ---- rounds ---- */

/* The steps of a pass, in order; an odd pass makes them from the last to the first. */
enum { STEPS = LANES + 2 + 3 };

static void run_step(size_t step)
{
    if (step < LANES) {
        run_lane(&lanes[step]);
    } else if (step < LANES + 2) {
        run_batches(step == LANES + 1);
    } else {
        run_outstanding((enum rate)(FLOOR_16 + (step - LANES - 2)));
    }
}

static void run_round(size_t round)
{
    for (size_t pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < STEPS; i++) {
            run_step(pass % 2 == 0 ? i : STEPS - 1 - i);
        }
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        end_lane(&lanes[lane], round);
    }
    end_rates(round);
}

/* ---- the table ---- */

static struct series divide(const struct series *product, const struct series *floor)
{
    struct series ratio;
    for (size_t i = 0; i < ROUNDS; i++) {
        ratio.of[i] = product->of[i] / floor->of[i];
    }
    return ratio;
}

static void print_ratio(const char *what, const struct series *product, const struct series *floor)
{
    struct series ratio = divide(product, floor);
    double m = median(&ratio);
    qsort(ratio.of, ROUNDS, sizeof ratio.of[0], compare);
    printf("  %-46s %6.3f   (%.3f to %.3f)\n", what, m, ratio.of[0], ratio.of[ROUNDS - 1]);
}

static void print_figure(const char *name, const struct series *product, const struct series *floor)
{
    struct series ratio = divide(product, floor);
    printf("figure %s %.3f\n", name, median(&ratio));
}

static void print_table(void)
{
    printf("\none hand-off, microseconds (median of %d rounds of %zu)    p50      p99\n", ROUNDS,
           SAMPLES);
    for (size_t i = 0; i < LANES; i++) {
        printf("  %-46s %9.1f %8.1f\n", lanes[i].name, median(&lanes[i].p50),
               median(&lanes[i].p99));
    }
    printf("\nmany, microseconds a handle\n");
    for (size_t i = 0; i < RATES; i++) {
        double us = median(&rates[i]);
        printf("  %-46s %9.2f   %8.0f a second\n", rate_names[i], us, 1e6 / us);
    }
    printf("\nratios, product over floor: median of the rounds (lowest to highest)\n");
    const struct lane_times *floor = &lanes[FLOOR_EVENT];
    const struct lane_times *product = &lanes[PRODUCT_EVENT];
    print_ratio("event p50", &product->p50, &floor->p50);
    print_ratio("event p99", &product->p99, &floor->p99);
    print_ratio("event p50, S of the floor reads the answer first", &product->p50,
                &lanes[PLAIN_EVENT].p50);
    print_ratio("File p50", &lanes[PRODUCT_FILE].p50, &lanes[FLOOR_FILE].p50);
    print_ratio("File p99", &lanes[PRODUCT_FILE].p99, &lanes[FLOOR_FILE].p99);
    print_ratio("64 items, a handle", &rates[PRODUCT_BATCH], &rates[BARE_BATCH]);
    print_ratio("64 items, a handle, hbk_send alone", &rates[PRODUCT_SEND], &rates[BARE_BATCH]);
    /* Times the other way round: these are ratios of rates. */
    print_ratio("16 at once, hand-offs a second", &rates[FLOOR_16], &rates[PRODUCT_16]);
    print_ratio("16 at once, floor one by one", &rates[CHAIN_16], &rates[PRODUCT_16]);
    printf("\n");
    print_figure("handoff_over_floor_p50", &product->p50, &floor->p50);
    print_figure("handoff_over_floor_p99", &product->p99, &floor->p99);
    print_figure("handoff_file_over_floor_p50", &lanes[PRODUCT_FILE].p50, &lanes[FLOOR_FILE].p50);
    print_figure("batch64_over_bare", &rates[PRODUCT_BATCH], &rates[BARE_BATCH]);
    print_figure("outstanding16_over_floor", &rates[FLOOR_16], &rates[PRODUCT_16]);
}

static void measure(void)
{
    run_round(0); /* to be overwritten: code, caches and the service's tables get warm */
    for (size_t round = 0; round < ROUNDS; round++) {
        run_round(round);
    }
    print_table();
}

/* ---- counting ---- */

static void begin(const char *kind, size_t times)
{
    char mark[64];
    snprintf(mark, sizeof mark, "begin %s %zu", kind, times);
    bench_mark(mark);
}

/* @times: a multiple of BENCH_BATCH, and so of BENCH_OUTSTANDING. @marked: no warm-up. */
static void count_all(size_t times, int marked)
{
    static const char *const lane_marks[LANES] = {"floor_event", "plain_event", "handoff_event",
                                                  "floor_file", "handoff_file"};
    static const char *const many_marks[] = {"bare_batch", "handoff_batch", "floor_16", "chain_16",
                                             "handoff_16"};
    int64_t unused = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        if (marked) {
            begin(lane_marks[lane], times);
        }
        for (size_t i = 0; i < times; i++) {
            lanes[lane].hand_over(*lanes[lane].handle);
            /* Till all are asleep again: else the next request at times saves the service a wait,
             * and the count is another one each time. Sleeping is no request. */
            Sleep(1);
        }
        bench_mark("end");
    }
    for (size_t kind = 0; kind < sizeof many_marks / sizeof many_marks[0]; kind++) {
        if (marked) {
            begin(many_marks[kind], times);
        }
        for (size_t i = 0; kind < 2 && i < times; i += BENCH_BATCH) {
            (void)(kind == 0 ? floor_batch(events) : handoff_batch(events, &unused));
        }
        if (kind == 2 || kind == 3) {
            floor_outstanding(events, times, kind == 2);
        } else if (kind == 4) {
            handoff_outstanding(events, times);
        }
        bench_mark("end");
    }
}

static void count(size_t times)
{
    bench_mark("thread source");
    count_all(BENCH_BATCH, 0);
    count_all((times + BENCH_BATCH - 1) / BENCH_BATCH * BENCH_BATCH, 1);
}

/* ---- the objects that are handed over ---- */

static HANDLE make_file(void)
{
    wchar_t folder[MAX_PATH + 1];
    wchar_t path[MAX_PATH + 1];
    uint8_t bytes[BENCH_FILE_BYTES];
    bench_check(GetTempPathW(MAX_PATH + 1, folder) != 0, "GetTempPath");
    bench_check(GetTempFileNameW(folder, L"hbk", 0, path) != 0, "GetTempFileName");
    HANDLE handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
                                CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    bench_check(handle != INVALID_HANDLE_VALUE, "CreateFile");
    bench_fill(bytes);
    bench_write(handle, bytes, sizeof bytes);
    return handle;
}

int main(int argc, char **argv)
{
    size_t times = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    int counting = argc == 3 && strcmp(argv[1], "count") == 0 && times > 0;
    if (!counting && !(argc == 2 && strcmp(argv[1], "time") == 0)) {
        bench_fail(0, "usage: bench time | bench count N");
    }
    HANDLE signal = bench_event();
    event = bench_event();
    file = make_file();
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        events[i] = bench_event();
    }
    floor_start();
    floor_setup(signal);
    handoff_start();
    handoff_setup(signal);
    if (counting) {
        count(times);
    } else {
        measure();
    }
    handoff_stop();
    return 0;
}
