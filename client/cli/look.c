/* hbctl status, hbctl endpoints, hbctl metrics, hbctl sessions. */
#include "hbctl.h"

#include <stdlib.h>
#include <string.h>

/* Each resource that users share: what is used of it in all, and what of it by this user. */
static void print_quotas(const hbk_status_info *status)
{
    static const char *const headings[] = {"QUOTA", "USED", "OF", "YOURS", "OF AT MOST"};
    struct table table;

    if (status->quotas_count == 0)
        return;
    fputc('\n', stdout);
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < status->quotas_count; i++) {
        const hbk_quota *quota = &status->quotas[i];
        char used[24], limit[24], yours[24], your_limit[24];
        snprintf(used, sizeof used, "%llu", (unsigned long long)quota->used);
        snprintf(limit, sizeof limit, "%llu", (unsigned long long)quota->limit);
        snprintf(yours, sizeof yours, "%llu", (unsigned long long)quota->yours);
        snprintf(your_limit, sizeof your_limit, "%llu", (unsigned long long)quota->your_limit);
        const char *cells[] = {quota->name, used, limit, yours, your_limit};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void print_status(const hbk_status_info *status)
{
    char uptime[32];

    duration_text(uptime, sizeof uptime, status->uptime_ms);
    printf("server      %s %s, ", status->server_name, status->server_version);
    style_on(stdout, strcmp(status->state, "running") == 0 ? STYLE_GOOD : STYLE_BAD);
    fputs(status->state, stdout);
    style_off(stdout);
    printf(", process %lu, up for %s\n", (unsigned long)status->pid, uptime);
    printf("sessions    %lu, of which %lu have proved who they are\n",
           (unsigned long)status->sessions, (unsigned long)status->sessions_proven);
    printf("endpoints   %lu\n", (unsigned long)status->endpoints);
    printf("deliveries  %lu pending, %llu delivered, %llu failed\n",
           (unsigned long)status->deliveries_pending, (unsigned long long)status->delivered,
           (unsigned long long)status->failed);
    printf("handles     %lu held for deliveries\n", (unsigned long)status->pins);
    printf("stored      %lu entries\n", (unsigned long)status->stored);
    if (status->policy == 0)
        printf("rules       the built-in ones\n");
    else
        printf("rules       loaded %lu times\n", (unsigned long)status->policy);
    if (status->events_dropped != 0)
        printf("records     %llu were dropped, as they found no room\n",
               (unsigned long long)status->events_dropped);
    print_quotas(status);
}

static void json_status(const hbk_status_info *status)
{
    struct json json;

    json_begin(&json, stdout);
    json_open(&json, "server", '{');
    json_text(&json, "name", status->server_name);
    json_text(&json, "version", status->server_version);
    json_close(&json, '}');
    json_text(&json, "state", status->state);
    json_number(&json, "pid", status->pid);
    json_number(&json, "uptime_ms", status->uptime_ms);
    json_number(&json, "sessions", status->sessions);
    json_number(&json, "sessions_proven", status->sessions_proven);
    json_number(&json, "endpoints", status->endpoints);
    json_number(&json, "deliveries_pending", status->deliveries_pending);
    json_number(&json, "pins", status->pins);
    json_number(&json, "stored", status->stored);
    json_number(&json, "delivered", status->delivered);
    json_number(&json, "failed", status->failed);
    json_number(&json, "policy", status->policy);
    json_number(&json, "events_dropped", status->events_dropped);
    json_open(&json, "quotas", '[');
    for (size_t i = 0; i < status->quotas_count; i++) {
        const hbk_quota *quota = &status->quotas[i];
        json_open(&json, NULL, '{');
        json_text(&json, "name", quota->name);
        json_number(&json, "limit", quota->limit);
        json_number(&json, "used", quota->used);
        json_number(&json, "your_limit", quota->your_limit);
        json_number(&json, "yours", quota->yours);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_end(&json);
}

enum exit_code run_status(struct arguments *arguments)
{
    struct talk talk;
    hbk_status_info status;

    if (talk_begin_plain(&talk, arguments) &&
        talk_good(&talk, hbk_status(talk.client, &status, &talk.error), NULL)) {
        if (arguments->globals.json)
            json_status(&status);
        else
            print_status(&status);
    }
    return talk_end(&talk);
}

static void print_endpoints(const hbk_endpoint_entries *list)
{
    static const char *const headings[] = {"NAME",  "MODE", "PROCESS", "SESSION",
                                           "SINCE", "USER", "TYPES"};
    struct table table;

    if (list->count == 0) {
        printf("no endpoint is open that you may see; open one with: hbctl receive user/inbox\n");
        return;
    }
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < list->count; i++) {
        const hbk_endpoint_entry *entry = &list->entries[i];
        char pid[16], session[32], since[32], mode[16];
        snprintf(pid, sizeof pid, "%lu", (unsigned long)entry->pid);
        snprintf(session, sizeof session, "%llu", (unsigned long long)entry->session);
        snprintf(mode, sizeof mode, "%s%s", entry->ask ? "ask" : "auto",
                 entry->revocable ? " back" : "");
        duration_text(since, sizeof since, entry->since_ms);
        const char *cells[] = {entry->name, mode, pid, session, since, entry->user, entry->types};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void json_endpoints(const hbk_endpoint_entries *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_open(&json, "endpoints", '[');
    for (size_t i = 0; i < list->count; i++) {
        const hbk_endpoint_entry *entry = &list->entries[i];
        json_open(&json, NULL, '{');
        json_text(&json, "name", entry->name);
        json_text(&json, "mode", entry->ask ? "ask" : "auto");
        json_bool(&json, "revocable", entry->revocable != 0);
        json_number(&json, "pid", entry->pid);
        json_number(&json, "session", entry->session);
        json_number(&json, "since_ms", entry->since_ms);
        json_text(&json, "user", entry->user);
        json_text(&json, "types", entry->types);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_end(&json);
}

enum exit_code run_endpoints(struct arguments *arguments)
{
    struct talk talk;
    hbk_endpoint_entries *list = NULL;

    if (talk_begin_plain(&talk, arguments) &&
        talk_good(&talk, hbk_endpoint_list(talk.client, &list, &talk.error), NULL)) {
        if (arguments->globals.json)
            json_endpoints(list);
        else
            print_endpoints(list);
    }
    hbk_endpoint_entries_free(list);
    return talk_end(&talk);
}

/* ---- metrics ---- */

static void json_metrics(const char *text)
{
    struct json json;

    json_begin(&json, stdout);
    json_text(&json, "text", text);
    json_end(&json);
}

enum exit_code run_metrics(struct arguments *arguments)
{
    struct talk talk;
    char *text = NULL;

    if (talk_begin_plain(&talk, arguments) &&
        talk_good(&talk, hbk_metrics(talk.client, &text, &talk.error), inspect_advice)) {
        if (arguments->globals.json)
            json_metrics(text);
        else
            fputs(text, stdout);
    }
    hbk_metrics_free(text);
    return talk_end(&talk);
}

/* ---- sessions ---- */

static void print_sessions(const hbk_session_entries *list)
{
    static const char *const headings[] = {"SESSION", "PROCESS", "CLIENT", "STATE",
                                           "SINCE",   "HOLDS",   "MOVED",  "USER"};
    struct table table;

    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < list->count; i++) {
        const hbk_session_entry *entry = &list->entries[i];
        char session[24], pid[16], client[128], since[32], holds[96], moved[64];
        snprintf(session, sizeof session, "%llu", (unsigned long long)entry->session);
        snprintf(pid, sizeof pid, "%lu", (unsigned long)entry->pid);
        snprintf(client, sizeof client, "%s%s%s", entry->client_name[0] ? entry->client_name : "-",
                 entry->client_version[0] ? " " : "", entry->client_version);
        duration_text(since, sizeof since, entry->since_ms);
        snprintf(holds, sizeof holds, "%lu endpoints, %lu requests, %lu pins, %llu bytes",
                 (unsigned long)entry->endpoints, (unsigned long)entry->requests,
                 (unsigned long)entry->pins, (unsigned long long)entry->queued_bytes);
        snprintf(moved, sizeof moved, "%llu out, %llu in", (unsigned long long)entry->sent,
                 (unsigned long long)entry->received);
        const char *cells[] = {session, pid,   client, entry->state,
                               since,   holds, moved,  entry->user};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void json_session(struct json *json, const hbk_session_entry *entry)
{
    char logon[17];

    snprintf(logon, sizeof logon, "%016llx", (unsigned long long)entry->logon_session);
    json_open(json, NULL, '{');
    json_number(json, "session", entry->session);
    json_number(json, "pid", entry->pid);
    json_text(json, "user", entry->user);
    json_number(json, "integrity", entry->integrity);
    json_text(json, "logon_session", logon);
    json_number(json, "terminal_session", entry->terminal_session);
    json_open(json, "client", '{');
    json_text(json, "name", entry->client_name);
    json_text(json, "version", entry->client_version);
    json_close(json, '}');
    json_text(json, "state", entry->state);
    json_number(json, "since_ms", entry->since_ms);
    json_number(json, "endpoints", entry->endpoints);
    json_number(json, "requests", entry->requests);
    json_number(json, "pins", entry->pins);
    json_number(json, "queued_bytes", entry->queued_bytes);
    json_number(json, "sent", entry->sent);
    json_number(json, "received", entry->received);
    json_close(json, '}');
}

static void json_sessions(const hbk_session_entries *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_open(&json, "sessions", '[');
    for (size_t i = 0; i < list->count; i++)
        json_session(&json, &list->entries[i]);
    json_close(&json, ']');
    json_end(&json);
}

const char *inspect_advice(hbk_result result)
{
    if (result == HBK_DENIED)
        return "It takes the right to inspect: run it as an administrator, or have verbs.inspect "
               "in handlebroker.json name this user.";
    if (result == HBK_METHOD_NOT_FOUND)
        return "The service is older than this hbctl: update it.";
    return NULL;
}

enum exit_code run_sessions(struct arguments *arguments)
{
    struct talk talk;
    hbk_session_entries *list = NULL;

    if (talk_begin_plain(&talk, arguments) &&
        talk_good(&talk, hbk_session_list(talk.client, &list, &talk.error), inspect_advice)) {
        if (arguments->globals.json)
            json_sessions(list);
        else
            print_sessions(list);
    }
    hbk_session_entries_free(list);
    return talk_end(&talk);
}
