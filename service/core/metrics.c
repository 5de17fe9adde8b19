/* What is counted, and the text that says it: for Prometheus, in the form that its own parsers and the collectors of text
 * files take, with the line at its end that OpenMetrics asks for. Each series is there from the start on, so that what
 * watches them sees 0, and not nothing. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_BYTES = 256 };

/* ---- counting ---- */

void hbk_metrics_done(struct hbk_core *core, const struct hbk_delivery *delivery)
{
    static const uint32_t bounds[] = {
#define BUCKET(ms, text) (ms),
        HBK_HANDOFF_BUCKETS(BUCKET)
#undef BUCKET
    };
    struct hbk_metrics *metrics = &core->metrics;
    uint64_t took = hbk_now(core) - delivery->begun_ms;
    size_t bucket = 0;

    while (bucket < HBK_METRICS_LONGER && took > bounds[bucket]) {
        bucket++;
    }
    metrics->took[bucket]++;
    metrics->took_ms += took;
    core->delivered++;
}

void hbk_metrics_failed(struct hbk_core *core, int32_t code)
{
    size_t place = hbk_result_place(code);

    HBK_ASSERT(place < HBK_RESULT_COUNT);
    core->metrics.failed[place]++;
    core->failed++;
}

/* ---- the text ---- */

HBK_PRINTF(2, 3) static void add(struct hbk_buffer *text, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    HBK_ASSERT(size > 0 && size < (int)sizeof line);
    hbk_buffer_append(text, line, (size_t)size);
}

static void begin(struct hbk_buffer *text, const char *name, const char *type, const char *help)
{
    add(text, "# HELP handlebroker_%s %s\n", name, help);
    add(text, "# TYPE handlebroker_%s %s\n", name, type);
}

/* A family of one series without labels. */
static void add_one(struct hbk_buffer *text, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    begin(text, name, type, help);
    add(text, "handlebroker_%s %llu\n", name, (unsigned long long)value);
}

/* One series of the family that has begun. */
static void add_labelled(struct hbk_buffer *text, const char *name, const char *label,
                         struct hbk_text value, uint64_t number)
{
    add(text, "handlebroker_%s{%s=\"%.*s\"} %llu\n", name, label, (int)value.size, value.data,
        (unsigned long long)number);
}

static void add_service(struct hbk_buffer *text, struct hbk_core *core)
{
    uint64_t up_ms = hbk_now(core) - core->started_ms;

    begin(text, "build_info", "gauge", "Which service this is. Always 1.");
    add(text, "handlebroker_build_info{version=\"%s\",protocol=\"%d\"} 1\n", HBK_VERSION_STRING,
        HBK_PROTOCOL_VERSION);
    begin(text, "uptime_seconds", "gauge", "For how long the service runs.");
    add(text, "handlebroker_uptime_seconds %llu.%03u\n", (unsigned long long)(up_ms / 1000),
        (unsigned)(up_ms % 1000));
    add_one(text, "policy_loads_total", "counter", "How often rules were taken from a file.",
            core->policies_loaded);
    add_one(text, "audit_records_dropped_total", "counter",
            "Audit records that found a queue full.", core->audit.dropped);
}

static void add_handoffs(struct hbk_buffer *text, const struct hbk_core *core)
{
    static const char *const bounds[] = {
#define BUCKET(ms, text) (text),
        HBK_HANDOFF_BUCKETS(BUCKET)
#undef BUCKET
            "+Inf",
    };
    const struct hbk_metrics *metrics = &core->metrics;
    uint64_t failed = 0, count = 0;

    begin(text, "handoffs_total", "counter",
          "Sends, transfers and takes from the store that are over, by how they ended.");
    add_labelled(text, "handoffs_total", "outcome", hbk_text_from("done"), core->delivered);
    for (size_t i = 0; i < HBK_RESULT_COUNT; i++) {
        add_labelled(text, "handoffs_total", "outcome", hbk_text_from(hbk_result_name_at(i)),
                     metrics->failed[i]);
        failed += metrics->failed[i];
    }
    HBK_ASSERT(failed == core->failed);
    begin(text, "handoff_duration_seconds", "histogram",
          "From the request until the target was told, of those that were done.");
    for (size_t i = 0; i < HBK_METRICS_BUCKETS; i++) {
        count += metrics->took[i];
        add_labelled(text, "handoff_duration_seconds_bucket", "le", hbk_text_from(bounds[i]),
                     count);
    }
    HBK_ASSERT(count == core->delivered);
    add(text, "handlebroker_handoff_duration_seconds_sum %llu.%03u\n",
        (unsigned long long)(metrics->took_ms / 1000), (unsigned)(metrics->took_ms % 1000));
    add(text, "handlebroker_handoff_duration_seconds_count %llu\n", (unsigned long long)count);
}

static void add_now(struct hbk_buffer *text, const struct hbk_core *core)
{
    uint32_t sessions = core->session_pool.used_count;

    HBK_ASSERT(core->proven <= sessions);
    begin(text, "sessions", "gauge", "Clients that are connected.");
    add_labelled(text, "sessions", "state", hbk_text_from("proven"), core->proven);
    add_labelled(text, "sessions", "state", hbk_text_from("unproven"), sessions - core->proven);
    add_one(text, "endpoints", "gauge", "Endpoints that are open.", core->endpoints.count);
    add_one(text, "deliveries_pending", "gauge", "Hand-offs that are under way.",
            core->used[HBK_QUOTA_PENDING]);
    add_one(text, "deliveries_revocable", "gauge",
            "Deliveries that were told and can be taken back.", core->given);
    add_one(text, "store_entries", "gauge", "Entries of the store.", core->used[HBK_QUOTA_STORED]);
    add_one(text, "pins", "gauge",
            "Handles that the service holds for hand-offs. Those of the store are not among them.",
            core->used[HBK_QUOTA_PINS]);
    begin(text, "worker_jobs_pending", "gauge",
          "What worker threads were given and have not returned.");
    add_labelled(text, "worker_jobs_pending", "job", hbk_text_from("close"), core->closes_pending);
    add_labelled(text, "worker_jobs_pending", "job", hbk_text_from("sockets"),
                 core->sockets_pending);
    add_labelled(text, "worker_jobs_pending", "job", hbk_text_from("look"), core->looks_pending);
    add_one(text, "sockets_lost_total", "counter",
            "Sockets that were made for a target that was not told, and not found again.",
            core->sockets_lost);
}

static void add_quotas(struct hbk_buffer *text, const struct hbk_core *core)
{
    static const struct hbk_user nobody;
    struct hbk_quota_info quotas[HBK_QUOTA_COUNT];

    hbk_quota_describe(core, &nobody, quotas);
    begin(text, "quota_used", "gauge", "What all users have of a resource that they share.");
    for (size_t i = 0; i < HBK_QUOTA_COUNT; i++) {
        add_labelled(text, "quota_used", "resource", quotas[i].name, quotas[i].used);
    }
    begin(text, "quota_limit", "gauge", "How much there is of it.");
    for (size_t i = 0; i < HBK_QUOTA_COUNT; i++) {
        add_labelled(text, "quota_limit", "resource", quotas[i].name, quotas[i].limit);
    }
}

void hbk_core_metrics(struct hbk_core *core, struct hbk_buffer *text)
{
    size_t before = text->size;

    add_service(text, core);
    add_handoffs(text, core);
    add_now(text, core);
    add_quotas(text, core);
    add(text, "# EOF\n");
    if (text->failed) {
        hbk_buffer_truncate(text, before);
        text->failed = true;
    }
    HBK_ASSERT(text->size - before <= HBK_METRICS_BYTES_MAX);
}
