#include "core_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void clear(struct log *log)
{
    for (size_t i = 0; i < log->count; ++i)
        hbk_message_clear(&log->messages[i]);
    log->count = log->taken = 0;
}

/* A line of the file is what a broker.event carries, so it is read as one. */
static void read_record(struct log *log, const char *text, size_t size)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"broker.event\",\"params\":";
    struct rig *rig = log->rig;
    assert_true(log->count < LOG_RECORDS_MAX);
    struct hbk_message *message = &log->messages[log->count++];
    char *line = malloc(sizeof head + size + 1);
    assert_non_null(line);
    int all = snprintf(line, sizeof head + size + 1, "%s%.*s}", head, (int)size, text);
    int result =
        hbk_message_read_server_line(message, (struct hbk_text){.data = line, .size = (size_t)all});
    free(line);
    if (result != 0 || message->method != HBK_METHOD_BROKER_EVENT)
        fake_violation(rig->kernel, "an ill-formed record: %.*s", (int)size, text);
    const struct hbk_event *event = &message->u.params.event;
    if (event->serial <= log->serial || event->time_ms < 1700000000000u)
        fake_violation(rig->kernel, "a record out of order or time: %.*s", (int)size, text);
    log->serial = event->serial;
}

static void read_all(struct log *log)
{
    struct hbk_buffer *lines = &log->rig->kernel->audit.lines;
    const char *at = (const char *)lines->data;
    size_t left = lines->size;
    while (left > 0) {
        size_t size = (size_t)((const char *)memchr(at, '\n', left) - at);
        read_record(log, at, size);
        at += size + 1;
        left -= size + 1;
    }
    hbk_buffer_clear(lines);
}

struct log *log_new(struct rig *rig)
{
    struct log *log = calloc(1, sizeof *log);
    assert_non_null(log);
    assert_true(rig->config.audit_file);
    log->rig = rig;
    log_forget(log);
    return log;
}

void log_forget(struct log *log)
{
    clear(log);
    read_all(log);
    clear(log);
}

void log_nothing(struct log *log)
{
    read_all(log);
    for (size_t i = log->taken; i < log->count; ++i) {
        const struct hbk_event *event = &log->messages[i].u.params.event;
        fprintf(stderr, "left: %.*s %.*s\n", (int)event->event.size, event->event.data,
                (int)event->outcome.size, event->outcome.data);
    }
    assert_int_equal(log->taken, log->count);
}

void log_free(struct log *log)
{
    log_nothing(log);
    clear(log);
    free(log);
}

const struct hbk_event *log_take(struct log *log, const char *event, const char *outcome,
                                 const char *error)
{
    read_all(log);
    if (log->taken == log->count)
        fake_violation(log->rig->kernel, "no record is left for %s %s", event, outcome);
    const struct hbk_event *next = &log->messages[log->taken++].u.params.event;
    if (!hbk_text_is(next->event, event) || !hbk_text_is(next->outcome, outcome) ||
        !hbk_text_equal(next->error, hbk_text_from(error)))
        fake_violation(log->rig->kernel, "for %s %s (%s) there is %.*s %.*s (%.*s): %.*s", event,
                       outcome, error ? error : "", (int)next->event.size, next->event.data,
                       (int)next->outcome.size, next->outcome.data, (int)next->error.size,
                       next->error.data ? next->error.data : "", (int)next->detail.size,
                       next->detail.data ? next->detail.data : "");
    return next;
}
