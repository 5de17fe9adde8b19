/* What a client costs who only sits there, and what many such cost the others.
 *
 *     crowd [CLIENTS [SAMPLES [ROUNDS]]]        1000 400 1, if nothing is said
 *
 * Half of the clients are of a source process, half of a target process, each of those with an endpoint; they are
 * the pairs. Hand-offs are made one after the other at RATE, by a pair each that is another one each time; the two
 * processes know the order. In each round first by one pair, the only clients that there are, then by all of
 * CLIENTS: the same rate. In the first round the service's memory is looked at before they connect, and again when
 * all have handed over and sit there.
 *
 * Figures are printed. What fails it: a hand-off that does not succeed, anything that is left, and more memory a
 * client than BYTES_MAX. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 2000
#define SAMPLES_MAX 65536
#define ROUNDS_MAX 20
#define RATE 250     /* hand-offs a second: a fraction of what the service can do */
#define STRIDE 7919u /* from one pair to the next; a prime that no number of pairs has in it */
#define WARM_UP_MIN 100
#define OPEN_MS 60000u /* for a thousand clients to connect */
#define BYTES_MAX (16 * 1024)
#define NAME_BYTES 64

static size_t clients = 1000, samples = 400, rounds = 1;

static size_t pair_of(size_t hand_off, size_t pairs)
{
    return hand_off * STRIDE % pairs;
}

/* Each pair at least once. */
static size_t warm_up_of(size_t pairs)
{
    return pairs > WARM_UP_MIN ? pairs : WARM_UP_MIN;
}

static void name_of(char ret_name[NAME_BYTES], const char *prefix, size_t pair)
{
    (void)snprintf(ret_name, NAME_BYTES, "%s/%lu", prefix, (unsigned long)pair);
}

/* ---- the targets: a process of its own ---- */

static int targets_main(const char *prefix, size_t pairs, size_t hand_offs)
{
    static hbk_client *targets[CLIENTS_MAX];
    char name[NAME_BYTES];
    if (pairs < 1 || pairs > CLIENTS_MAX)
        return 2;
    for (size_t i = 0; i < pairs; i++) {
        hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
        name_of(name, prefix, i);
        if (hbk_open(NULL, &targets[i], NULL) != HBK_OK ||
            hbk_endpoint_open(targets[i], &endpoint, NULL) != HBK_OK)
            return 1;
    }
    for (size_t k = 0; k < hand_offs; k++) {
        hbk_delivery *delivery = NULL;
        if (hbk_receive(targets[pair_of(k, pairs)], INFINITE, &delivery, NULL) != HBK_OK)
            return 1;
        SetEvent(delivery->items[0].handle);
        hbk_delivery_free(delivery);
    }
    for (size_t i = 0; i < pairs; i++)
        hbk_close(targets[i]);
    return 0;
}

/* ---- a phase ---- */

struct phase {
    double p50_us, p99_us, max_us;
    uint64_t bytes_before, bytes_after; /* the service's */
};

/* The service closes pins and frees what it sent a moment after it has answered. */
static uint64_t service_bytes(void)
{
    kit_handles_at_rest(kit_broker()->pid);
    return kit_private_bytes(kit_broker()->pid);
}

static HANDLE start_targets(const char *prefix, size_t pairs, size_t hand_offs)
{
    wchar_t arguments[160];
    int size = swprintf(arguments, sizeof arguments / sizeof *arguments, L"--targets %hs %lu %lu",
                        prefix, (unsigned long)pairs, (unsigned long)hand_offs);
    assert_true(size > 0);
    return measure_start_self(arguments, NULL);
}

/* The next one begins on time, or at once where that has passed. */
static void wait_until_us(double due)
{
    double left = due - measure_now_us();
    if (left >= 1000)
        Sleep((DWORD)(left / 1000));
}

static void measure(hbk_client **sources, const char *prefix, size_t pairs, HANDLE event,
                    struct phase *ret_phase)
{
    static double times[SAMPLES_MAX];
    char name[NAME_BYTES];
    size_t warm_up = warm_up_of(pairs);
    for (size_t k = 0; k < warm_up; k++) {
        name_of(name, prefix, pair_of(k, pairs));
        measure_hand_over(sources[pair_of(k, pairs)], name, event, OPEN_MS);
    }
    ret_phase->bytes_after = service_bytes();
    double begin = measure_now_us();
    for (size_t i = 0; i < samples; i++) {
        size_t pair = pair_of(warm_up + i, pairs);
        name_of(name, prefix, pair);
        wait_until_us(begin + (double)i * 1e6 / RATE);
        times[i] = measure_hand_over(sources[pair], name, event, 0);
    }
    measure_sort(times, samples);
    ret_phase->p50_us = measure_percentile(times, samples, 50);
    ret_phase->p99_us = measure_percentile(times, samples, 99);
    ret_phase->max_us = measure_percentile(times, samples, 100);
}

static struct phase run(size_t pairs)
{
    static hbk_client *sources[CLIENTS_MAX];
    struct phase phase = {.bytes_before = service_bytes()};
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    char prefix[NAME_BYTES / 2];
    struct kit_mark mark;
    kit_mark(&mark, 0);
    assert_non_null(event);
    (void)snprintf(prefix, sizeof prefix, "user/crowd/%lu/%lu",
                   (unsigned long)GetCurrentProcessId(), (unsigned long)kit_unique());
    HANDLE targets = start_targets(prefix, pairs, warm_up_of(pairs) + samples);
    for (size_t i = 0; i < pairs; i++)
        assert_int_equal(hbk_open(NULL, &sources[i], NULL), HBK_OK);
    measure(sources, prefix, pairs, event, &phase);
    assert_int_equal(kit_wait_exit(targets, OPEN_MS), 0);
    kit_forget(targets);
    for (size_t i = 0; i < pairs; i++)
        hbk_close(sources[i]);
    CloseHandle(event);
    kit_unchanged(&mark);
    print_message("  %5lu clients %9.0f %9.0f %9.0f\n", (unsigned long)(2 * pairs), phase.p50_us,
                  phase.p99_us, phase.max_us);
    return phase;
}

/* ---- the test ---- */

static void many_sit_there(void **state)
{
    (void)state;
    double p50[ROUNDS_MAX], p99[ROUNDS_MAX];
    double bytes = 0;
    print_message("%lu hand-offs, %d a second, microseconds   p50       p99       max\n",
                  (unsigned long)samples, RATE);
    for (size_t round = 0; round < rounds; round++) {
        struct phase few = run(1);
        struct phase many = run(clients / 2);
        p50[round] = many.p50_us / few.p50_us;
        p99[round] = many.p99_us / few.p99_us;
        /* What was once needed the heap keeps, so it shows the first time alone. */
        if (round == 0)
            bytes = ((double)many.bytes_after - (double)many.bytes_before) / (double)clients;
    }
    measure_sort(p50, rounds);
    measure_sort(p99, rounds);
    print_message("ratios of the rounds, many over two: p99 %.2f to %.2f\n", p99[0],
                  p99[rounds - 1]);
    print_message("figure idle_session_bytes %.0f\n", bytes);
    print_message("figure crowd_%lu_p50_over_2 %.2f\n", (unsigned long)clients, p50[rounds / 2]);
    print_message("figure crowd_%lu_p99_over_2 %.2f\n", (unsigned long)clients, p99[rounds / 2]);
    if (bytes <= 0)
        fail_msg("%s", "that many clients take memory: this service had as many before");
    assert_true(bytes <= BYTES_MAX);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {KIT_TEST(many_sit_there)};
    return cmocka_run_group_tests_name("crowd", tests, kit_group_service, kit_group_end);
}

static bool set_number(const char *text, size_t most, size_t *ret_number)
{
    *ret_number = strtoul(text, NULL, 10);
    return *ret_number >= 1 && *ret_number <= most;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--targets") == 0)
        return targets_main(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    bool numbers = argc >= 2 && argv[1][0] != '-';
    if (numbers && (!set_number(argv[1], CLIENTS_MAX, &clients) || clients < 4 ||
                    (argc >= 3 && !set_number(argv[2], SAMPLES_MAX, &samples)) ||
                    (argc >= 4 && !set_number(argv[3], ROUNDS_MAX, &rounds)) || argc > 4))
        return 2;
    return kit_main(argc, argv, group);
}
