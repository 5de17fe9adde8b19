/* broker.metrics: counters only rise, and say what the clients have seen; gauges say what there is. */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sim_is_hand_off(enum hbk_method method)
{
    return method == HBK_METHOD_HANDLE_SEND || method == HBK_METHOD_HANDLE_TRANSFER ||
           method == HBK_METHOD_STORE_GET;
}

/* ---- the text ---- */

HBK_PRINTF(3, 4)
static uint64_t value_of(struct sim *sim, const char *text, const char *format, ...)
{
    char name[96], series[128];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(name, sizeof name, format, values);
    va_end(values);
    HBK_ASSERT(size > 0 && size < (int)sizeof name);
    snprintf(series, sizeof series, "\nhandlebroker_%s ", name);
    const char *at = strstr(text, series);
    if (at)
        return strtoull(at + strlen(series), NULL, 10);
    sim_violation(sim, "metrics", "%s is not among them", series + 1);
}

/* @line begins with a series of @size bytes, or is a comment. */
static bool only_rises(const char *line, size_t size)
{
    static const char *const parts[] = {"_total", "_bucket", "_sum", "_count", "uptime_"};
    char series[128] = "";
    HBK_ASSERT(*line == '#' || size < sizeof series);
    memcpy(series, line, *line == '#' ? 0 : size);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i)
        if (strstr(series, parts[i]))
            return true;
    return false;
}

/* The same series in the same order, and no counter is less. */
static void check_rising(struct sim *sim, const char *before, const char *text)
{
    while (*before && *text) {
        size_t size = strcspn(text, "\n"), was = strcspn(before, "\n"), name = size;
        while (name && text[name - 1] != ' ')
            --name;
        if (was < name || memcmp(before, text, name) != 0)
            sim_violation(sim, "metrics", "other series than before: %.*s", (int)size, text);
        if (only_rises(text, name) && strtod(text + name, NULL) < strtod(before + name, NULL))
            sim_violation(sim, "metrics", "%.*s, and it was %.*s", (int)size, text,
                          (int)(was - name), before + name);
        text += size + 1;
        before += was + 1;
    }
    if (*before || *text)
        sim_violation(sim, "metrics", "another number of series than before");
}

static void check_histogram(struct sim *sim, const char *text)
{
    static const char *const bounds[] = {
#define BUCKET(ms, text) text,
        HBK_HANDOFF_BUCKETS(BUCKET)
#undef BUCKET
            "+Inf",
    };
    uint64_t done = value_of(sim, text, "handoffs_total{outcome=\"done\"}"), below = 0;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; ++i) {
        uint64_t count =
            value_of(sim, text, "handoff_duration_seconds_bucket{le=\"%s\"}", bounds[i]);
        if (count < below)
            sim_violation(sim, "metrics", "more took up to less than up to %s s", bounds[i]);
        below = count;
    }
    if (below != done || value_of(sim, text, "handoff_duration_seconds_count") != done)
        sim_violation(sim, "metrics", "%" PRIu64 " are done, %" PRIu64 " are in the histogram",
                      done, below);
}

/* ---- nothing is under way ---- */

/* What the decoder says of a line is no end of a hand-off. */
static bool of_lines(int32_t code)
{
    return code == HBK_R_INVALID_REQUEST || code == HBK_R_INVALID_PARAMS ||
           code == HBK_R_BAD_HANDLE || code == HBK_R_NOT_PROVEN || code == HBK_R_INTERNAL_ERROR;
}

/* Whose answer was not heard may have ended in any way, or never have been begun. */
static void check_outcomes(struct sim *sim, const char *text)
{
    static const struct {
        int32_t code;
        const char *name;
    } results[] = {
#define HBK_RESULT(name, code, text, meaning) {code, text},
#include "results.def"
#undef HBK_RESULT
    };
    const struct sim_tally *tally = &sim->tally;
    uint64_t beyond = 0, done = value_of(sim, text, "handoffs_total{outcome=\"done\"}");
    for (size_t i = 0; i < sizeof results / sizeof results[0]; ++i) {
        uint64_t said =
            results[i].code == HBK_R_OK
                ? 0
                : value_of(sim, text, "handoffs_total{outcome=\"%s\"}", results[i].name);
        uint64_t seen = tally->failed[i];
        if (said < seen && !of_lines(results[i].code))
            sim_violation(sim, "metrics", "%" PRIu64 " ended %s, %" PRIu64 " are counted", seen,
                          results[i].name, said);
        beyond += said > seen ? said - seen : 0;
    }
    if (done != tally->done || beyond > tally->unheard)
        sim_violation(sim, "metrics",
                      "%" PRIu64 " were done, %" PRIu64 " are counted; %" PRIu64
                      " more failed than anybody heard of, and %" PRIu64 " did not hear",
                      tally->done, done, beyond, tally->unheard);
    if (tally->unheard == 0 && tally->done)
        sim_outcome(sim, SIM_OUT_METERED_EXACT);
}

static void check_gauge(struct sim *sim, const char *text, const char *series, uint64_t there_is)
{
    uint64_t said = value_of(sim, text, "%s", series);
    if (said != there_is)
        sim_violation(sim, "metrics", "%s is %" PRIu64 ", there is %" PRIu64, series, said,
                      there_is);
}

static void check_gauges(struct sim *sim, const char *text)
{
    uint64_t proven = 0, endpoints = 0, stored = 0, pins = 0, given = 0;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        const struct sim_client *client = sim->clients[i];
        proven += client && client->proven;
        for (uint32_t j = 0; client && j < SIM_ENDPOINTS_MAX; ++j)
            endpoints += client->endpoints[j].state == SIM_ENDPOINT_OPEN;
    }
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        stored += sim->entries[i].pins;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i) {
        pins += sim->sends[i].pins;
        given += sim_given(sim, &sim->sends[i]);
    }
    check_gauge(sim, text, "sessions{state=\"proven\"}", proven);
    check_gauge(sim, text, "sessions{state=\"unproven\"}", sim->clients_count - proven);
    /* Who has lost a name to who may have it by other rules is not told so. */
    if (!sim->swarm.rules || value_of(sim, text, "endpoints") > endpoints)
        check_gauge(sim, text, "endpoints", endpoints);
    check_gauge(sim, text, "deliveries_pending", 0);
    check_gauge(sim, text, "deliveries_revocable", given);
    check_gauge(sim, text, "store_entries", stored);
    check_gauge(sim, text, "pins", pins);
    check_gauge(sim, text, "quota_used{resource=\"pins\"}", pins);
    check_gauge(sim, text, "worker_jobs_pending{job=\"close\"}", 0);
    check_gauge(sim, text, "worker_jobs_pending{job=\"sockets\"}", 0);
    check_gauge(sim, text, "sockets_lost_total", sim->sockets_lost);
    check_gauge(sim, text, "policy_loads_total", sim->tally.policies);
}

/* ---- what is told ---- */

static void check(struct sim *sim, char **last, const char *bytes, size_t size)
{
    char *text = malloc(size + 1);
    HBK_ASSERT(text != NULL);
    memcpy(text, bytes, size);
    text[size] = 0;
    if (size > HBK_METRICS_BYTES_MAX || size < 7 || strcmp(text + size - 7, "\n# EOF\n") != 0)
        sim_violation(sim, "metrics", "a text of %zu bytes, which has no end", size);
    if (*last)
        check_rising(sim, *last, text);
    free(*last);
    *last = text;
    check_histogram(sim, text);
    if (sim->at_rest || hbk_core_stopped(sim->core)) {
        check_outcomes(sim, text);
        check_gauges(sim, text);
    }
}

void sim_told_metrics(struct sim *sim, struct sim_client *client,
                      const struct hbk_metrics_result *result)
{
    sim_outcome(sim, SIM_OUT_METERED);
    check(sim, &client->metered, result->text.data, result->text.size);
}

void sim_meter(struct sim *sim)
{
    struct hbk_buffer text;
    hbk_buffer_init(&text, HBK_METRICS_BYTES_MAX);
    hbk_core_metrics(sim->core, &text);
    HBK_ASSERT(!text.failed);
    check(sim, &sim->metered, (const char *)text.data, text.size);
    hbk_buffer_deinit(&text);
}
