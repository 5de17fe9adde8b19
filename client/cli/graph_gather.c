/* What a graph is made from: records, out of files or as the service makes them, and what it has at this moment. */
#include "graph_run.h"

#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

static struct graph_party party(const hbk_party *party)
{
    return (struct graph_party){party->pid, party->user};
}

/* What kind of hand-off @record is about. False: none. */
static bool how_of(const hbk_record *record, enum graph_how *ret_how)
{
    static const struct {
        const char *event;
        enum graph_how how;
    } known[] = {{"handle.send", GRAPH_SEND},
                 {"handle.transfer", GRAPH_TRANSFER},
                 {"store.put", GRAPH_PUT},
                 {"store.get", GRAPH_GET},
                 {"delivery.revoke", GRAPH_REVOKE}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(record->event, known[i].event) == 0) {
            *ret_how = known[i].how;
            return true;
        }
    }
    return false;
}

static bool take_record(struct graph_run *run, const hbk_record *record)
{
    struct graph_item items[HBK_ITEMS_MAX];
    struct graph_share share = {
        .from = party(&record->caller), .to = party(&record->target), .items = items};

    run->about.records++;
    if (run->about.from_ms == 0 || record->time_ms < run->about.from_ms)
        run->about.from_ms = record->time_ms;
    if (record->time_ms > run->about.to_ms)
        run->about.to_ms = record->time_ms;
    if (strcmp(record->event, "records.dropped") == 0)
        run->about.missed += record->stands_for;
    if (!how_of(record, &share.how))
        return true;
    if (record->source.pid != 0)
        share.from = party(&record->source);
    if (share.how == GRAPH_GET)
        share.to = share.from; /* who asks is who gets it */
    share.outcome = strcmp(record->outcome, "done") == 0 ? GRAPH_DONE : GRAPH_REFUSED;
    share.word = record->error;
    share.name = record->endpoint;
    share.count = record->stands_for;
    share.time_ms = record->time_ms;
    for (size_t i = 0; i < record->count && i < HBK_ITEMS_MAX; i++)
        items[share.items_count++] =
            (struct graph_item){record->items[i].type, record->items[i].access};
    return graph_add(run->graph, &share);
}

/* Of one file: what has been read and not yet used. */
struct reader {
    HANDLE file;
    uint64_t lines;
    size_t size;
    bool skipping; /* the rest of a line that is too long */
    char bytes[2 * GRAPH_LINE_BYTES];
};

static void malformed(struct graph_run *run, const struct reader *reader)
{
    if (run->about.malformed++ == 0)
        run->about.malformed_line = reader->lines;
}

/* One line, without its end. Return: false, out of memory. */
static bool take_line(struct graph_run *run, struct reader *reader, const char *line, size_t size)
{
    hbk_record *record = NULL;

    reader->lines++;
    if (size > 0 && line[size - 1] == '\r')
        size--; /* of an editor's */
    if (size == 0)
        return true;
    hbk_result result = hbk_record_read(line, size, &record, NULL);
    if (result == HBK_NO_MEMORY)
        return false;
    if (result != HBK_OK) {
        malformed(run, reader);
        return true;
    }
    bool good = take_record(run, record);
    hbk_record_free(record);
    return good;
}

/* All whole lines that are there; @end: what is left is one too. */
static bool take_lines(struct graph_run *run, struct reader *reader, bool end)
{
    size_t at = 0;
    const char *stop;

    while ((stop = memchr(reader->bytes + at, '\n', reader->size - at)) != NULL ||
           (end && at < reader->size)) {
        const size_t size = stop != NULL ? (size_t)(stop - reader->bytes) - at : reader->size - at;
        if (reader->skipping)
            reader->skipping = false; /* it was counted as it began */
        else if (!take_line(run, reader, reader->bytes + at, size))
            return false;
        at += size + (stop != NULL);
    }
    memmove(reader->bytes, reader->bytes + at, reader->size - at);
    reader->size -= at;
    if (reader->size >= GRAPH_LINE_BYTES) {
        if (!reader->skipping) {
            reader->lines++;
            malformed(run, reader);
        }
        reader->skipping = true;
        reader->size = 0;
    }
    return true;
}

enum exit_code graph_out_of_memory(const struct arguments *arguments)
{
    const hbk_error_info error = {.result = HBK_NO_MEMORY, .item = -1};
    return failed(&arguments->globals, &error, NULL);
}

static enum exit_code read_lines(struct graph_run *run, struct reader *reader, const char *path)
{
    for (;;) {
        DWORD got = 0;
        if (!ReadFile(reader->file, reader->bytes + reader->size,
                      (DWORD)(sizeof reader->bytes - reader->size), &got, NULL)) {
            char what[64];
            snprintf(what, sizeof what, "cannot read this file of records (Windows error %lu)",
                     GetLastError());
            return usage_error(run->arguments, what, path);
        }
        reader->size += got;
        if (!take_lines(run, reader, got == 0))
            return graph_out_of_memory(run->arguments);
        if (got == 0)
            return EXIT_DONE;
    }
}

enum exit_code graph_gather_file(struct graph_run *run, const char *path)
{
    struct reader *reader = calloc(1, sizeof reader[0]);
    wchar_t *wide = to_wide(path);
    enum exit_code code;

    if (reader == NULL || wide == NULL) {
        code = graph_out_of_memory(run->arguments);
        goto out;
    }
    /* The service goes on writing, renaming and deleting it. */
    reader->file =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    if (reader->file == INVALID_HANDLE_VALUE) {
        code = usage_error(run->arguments,
                           GetLastError() == ERROR_ACCESS_DENIED
                               ? "this file of records may not be read: run it as an administrator"
                               : "cannot read this file of records",
                           path);
        goto out;
    }
    code = read_lines(run, reader, path);
    CloseHandle(reader->file);
out:
    free(wide);
    free(reader);
    return code;
}

/* ---- records as they are made ---- */

enum exit_code graph_gather_watch(struct graph_run *run, hbk_client *client, uint32_t watch_ms)
{
    const ULONGLONG end = GetTickCount64() + watch_ms;
    char length[32];
    hbk_error_info error;
    hbk_record *record = NULL;
    hbk_result result = hbk_watch(client, &error);

    if (result != HBK_OK)
        return failed(&run->arguments->globals, &error,
                      result == HBK_QUOTA ? "Too many watch already; end one of them."
                                          : inspect_advice(result));
    duration_text(length, sizeof length, watch_ms);
    if (!run->arguments->globals.json)
        fprintf(stderr, "gathering what is recorded within %s\n", length);
    progress_begin(&run->arguments->globals, "watching", NULL);
    for (;;) {
        const ULONGLONG now = GetTickCount64();
        result = hbk_watch_receive(client, now < end ? (uint32_t)(end - now) : 0, &record, &error);
        if (result == HBK_TIMEOUT)
            return EXIT_DONE;
        if (result != HBK_OK)
            return failed(&run->arguments->globals, &error, NULL);
        run->about.missed += record->missed;
        bool good = take_record(run, record);
        hbk_record_free(record);
        if (!good)
            return graph_out_of_memory(run->arguments);
        if (now >= end)
            return EXIT_DONE; /* however many more there are */
    }
}

/* ---- what there is now ---- */

static enum exit_code answered(const struct graph_run *run, hbk_result result,
                               const hbk_error_info *error, bool good)
{
    if (result != HBK_OK)
        return failed(&run->arguments->globals, error, inspect_advice(result));
    return good ? EXIT_DONE : graph_out_of_memory(run->arguments);
}

/* Who looks is not in the picture. */
static bool add_session(struct graph *graph, const hbk_session_entry *entry)
{
    const struct graph_party who = {entry->pid, entry->user};
    struct graph_node *node =
        entry->pid != GetCurrentProcessId() ? graph_process(graph, &who) : NULL;

    if (node == NULL)
        return true;
    node->sent += entry->sent;
    node->got += entry->received;
    return graph_node_call(node, entry->client_name);
}

/* Who may not inspect sees the rest as far as it is his. May be called again. */
static enum exit_code ask_sessions(struct graph_run *run, hbk_client *client)
{
    hbk_session_entries *list = NULL;
    hbk_error_info error;
    bool good = true;

    hbk_result result = hbk_session_list(client, &list, &error);
    if (result == HBK_DENIED) {
        run->about.own = true;
        return EXIT_DONE;
    }
    for (size_t i = 0; i < run->graph->nodes_count; i++)
        run->graph->nodes[i].sent = run->graph->nodes[i].got = 0;
    for (size_t i = 0; result == HBK_OK && good && i < list->count; i++)
        good = add_session(run->graph, &list->entries[i]);
    hbk_session_entries_free(list);
    return answered(run, result, &error, good);
}

static enum exit_code ask_endpoints(struct graph_run *run, hbk_client *client)
{
    hbk_endpoint_entries *list = NULL;
    hbk_error_info error;
    bool good = true;

    hbk_result result = hbk_endpoint_list(client, &list, &error);
    for (size_t i = 0; result == HBK_OK && good && i < list->count; i++) {
        const hbk_endpoint_entry *entry = &list->entries[i];
        const struct graph_party who = {entry->pid, entry->user};
        struct graph_node *node = graph_process(run->graph, &who);
        good = node == NULL || graph_node_listens(node, entry->name);
    }
    hbk_endpoint_entries_free(list);
    return answered(run, result, &error, good);
}

static bool add_delivery(struct graph *graph, const hbk_delivery_entry *entry)
{
    struct graph_item items[HBK_ITEMS_MAX];
    struct graph_share share = {.how = GRAPH_SEND,
                                .outcome = entry->revocable ? GRAPH_DONE : GRAPH_PENDING,
                                .word = entry->state,
                                .from = party(&entry->from),
                                .to = party(&entry->to),
                                .name = entry->endpoint,
                                .items = items};

    for (size_t i = 0; i < entry->count && i < HBK_ITEMS_MAX; i++)
        items[share.items_count++] =
            (struct graph_item){entry->items[i].type, entry->items[i].access};
    return graph_add(graph, &share);
}

/* @watched_ms: for so long records were gathered, which tell of what was sent since. */
static enum exit_code ask_deliveries(struct graph_run *run, hbk_client *client, uint32_t watched_ms)
{
    hbk_delivery_entries *list = NULL;
    hbk_error_info error;
    bool good = true;

    hbk_result result = hbk_delivery_list(client, &list, &error);
    for (size_t i = 0; result == HBK_OK && good && i < list->count; i++) {
        const hbk_delivery_entry *entry = &list->entries[i];
        if (!entry->revocable || entry->since_ms > watched_ms)
            good = add_delivery(run->graph, entry);
    }
    hbk_delivery_entries_free(list);
    return answered(run, result, &error, good);
}

/* Who took an entry the service does not remember: that is in the records alone. */
static enum exit_code ask_entries(struct graph_run *run, hbk_client *client)
{
    hbk_store_entries *list = NULL;
    hbk_error_info error;
    bool good = true;

    hbk_result result = hbk_store_list(client, &list, &error);
    for (size_t i = 0; result == HBK_OK && good && i < list->count; i++) {
        const hbk_store_entry *entry = &list->entries[i];
        const struct graph_item item = {entry->type, entry->access};
        const struct graph_share share = {.how = GRAPH_PUT,
                                          .from = party(&entry->owner),
                                          .name = entry->name,
                                          .entry = entry->name == NULL ? entry->entry : 0,
                                          .items_count = 1,
                                          .items = &item};
        good = graph_add(run->graph, &share);
    }
    hbk_store_entries_free(list);
    return answered(run, result, &error, good);
}

enum exit_code graph_gather_service(struct graph_run *run, hbk_client *client)
{
    wchar_t machine[MAX_COMPUTERNAME_LENGTH + 1] = L"";
    DWORD size = sizeof machine / sizeof machine[0];
    hbk_status_info status;
    hbk_error_info error;

    if (GetComputerNameW(machine, &size))
        (void)WideCharToMultiByte(CP_UTF8, 0, machine, -1, run->about.machine,
                                  sizeof run->about.machine, NULL, NULL);
    hbk_result result = hbk_status(client, &status, &error);
    if (result == HBK_OK)
        snprintf(run->about.service, sizeof run->about.service, "%s %s", status.server_name,
                 status.server_version);
    return answered(run, result, &error, true);
}

enum exit_code graph_gather_live(struct graph_run *run, hbk_client *client, uint32_t watch_ms)
{
    enum exit_code code = EXIT_DONE;

    run->about.live = true;
    /* Entries before, so that a put is not counted again by its record; deliveries after, so that none is shown as under
     * way that has ended; sessions both times, for the names of those that leave and of those that come. */
    if (watch_ms != 0)
        code = ask_sessions(run, client);
    if (code == EXIT_DONE)
        code = ask_entries(run, client);
    if (code == EXIT_DONE && watch_ms != 0)
        code = graph_gather_watch(run, client, watch_ms);
    if (code == EXIT_DONE)
        code = ask_sessions(run, client);
    if (code == EXIT_DONE)
        code = ask_endpoints(run, client);
    if (code == EXIT_DONE)
        code = ask_deliveries(run, client, watch_ms);
    return code;
}
