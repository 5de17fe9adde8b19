/* hbctl store put, hbctl store get, hbctl store remove, hbctl store list. */
#include "hbctl.h"

#include <string.h>

#define TICKET_TTL_MS 600000u /* of a ticket, unless told */

/* What to try next, by what went wrong. */
static const char *advice(hbk_result result)
{
    switch (result) {
    case HBK_NOT_FOUND:
        return "See what there is: hbctl store list. Or let it wait for the name: hbctl store get "
               "NAME --wait 10000";
    case HBK_EXISTS:
        return "See who has it: hbctl store list. --replace takes the place of an entry of your "
               "own.";
    case HBK_DENIED:
        return "Names in user/ are yours. For others an administrator can ask which rule decides: "
               "hbctl explain put NAME --session N";
    case HBK_ACCESS_EXCEEDS_SOURCE:
        return "Nobody gets more than was put: hbctl store put --write puts a file for writing "
               "too.";
    default:
        return NULL;
    }
}

/* ---- put ---- */

struct put_request {
    bool ticket, write, once, replace;
    const char *name, *file;
    hbk_store_put_options options;
};

static void print_stored(const struct put_request *request, const hbk_stored *stored)
{
    if (request->ticket)
        printf("stored as entry %llu; whoever has this ticket gets it, once:\n%s\n",
               (unsigned long long)stored->entry, stored->ticket);
    else
        printf("stored as %s, entry %llu\n", request->name, (unsigned long long)stored->entry);
}

static void json_stored(const struct put_request *request, const hbk_stored *stored)
{
    struct json json;

    json_begin(&json, stdout);
    json_number(&json, "entry", stored->entry);
    json_text(&json, "name", request->name);
    if (request->ticket)
        json_text(&json, "ticket", stored->ticket);
    json_end(&json);
}

static enum exit_code put(const struct arguments *arguments, const struct put_request *request)
{
    struct talk talk;
    hbk_stored stored;

    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_store_put(talk.client, &request->options, &stored, &talk.error),
                  advice)) {
        if (arguments->globals.json)
            json_stored(request, &stored);
        else
            print_stored(request, &stored);
    }
    return talk_end(&talk);
}

enum exit_code run_store_put(struct arguments *arguments)
{
    struct put_request request = {.options = {.size = sizeof request.options}};
    const struct option options[] = {
        {"--ticket", OPTION_FLAG, 0, &request.ticket, NULL},
        {"--file", OPTION_TEXT, 0, &request.file, NULL},
        {"--write", OPTION_FLAG, 0, &request.write, NULL},
        {"--access", OPTION_ACCESS, 0, &request.options.access, NULL},
        {"--type", OPTION_TEXT, 0, &request.options.type, NULL},
        {"--data", OPTION_TEXT, 0, &request.options.data, NULL},
        {"--allow", OPTION_TEXT, 0, &request.options.allow, NULL},
        {"--ttl", OPTION_NUMBER, 2147483647, &request.options.ttl_ms, NULL},
        {"--once", OPTION_FLAG, 0, &request.once, NULL},
        {"--replace", OPTION_FLAG, 0, &request.replace, NULL},
    };
    const struct operand operand = {&request.name, NULL};
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], &operand, 1, &code))
        return code;
    if (request.ticket == (request.name != NULL))
        return usage_error(arguments,
                           "under which name? such as user/log, or --ticket instead of one", NULL);
    if (request.file == NULL)
        return usage_error(arguments, "which file? --file PATH", NULL);
    if (request.ticket && request.options.ttl_ms == 0)
        request.options.ttl_ms = TICKET_TTL_MS;
    request.options.name = request.name;
    /* This program ends at once, and what it has put is to stay. */
    request.options.flags = HBK_STORE_KEEP | (request.once ? HBK_STORE_ONCE : 0u) |
                            (request.replace ? HBK_STORE_REPLACE : 0u);
    request.options.handle = file_open(arguments, request.file, request.write);
    if (request.options.handle == NULL)
        return EXIT_USAGE;
    code = put(arguments, &request);
    CloseHandle(request.options.handle);
    return code;
}

/* ---- get ---- */

static void print_taken(const struct copy *copy, const hbk_taken *taken)
{
    FILE *file = telling(copy);

    fprintf(file, "%s with rights 0x%08lx, put by process %lu of %s", taken->type,
            (unsigned long)taken->access, (unsigned long)taken->from_pid, taken->from_user);
    if (taken->widenable != 0)
        fprintf(file, ", widenable: %s", widenable_text(taken->widenable));
    fputc('\n', file);
    if (taken->data == NULL)
        return;
    fputs("it says: ", file);
    print_text(file, taken->data);
    fputc('\n', file);
}

static void json_taken(const hbk_taken *taken)
{
    struct json json;

    json_begin(&json, stdout);
    json_text(&json, "type", taken->type);
    json_number(&json, "access", taken->access);
    json_widenable(&json, taken->widenable);
    json_open(&json, "from", '{');
    json_number(&json, "session", taken->from_session);
    json_number(&json, "pid", taken->from_pid);
    json_text(&json, "user", taken->from_user);
    json_number(&json, "integrity", taken->from_integrity);
    json_close(&json, '}');
    json_text(&json, "data", taken->data);
    json_end(&json);
}

static enum exit_code get(const struct arguments *arguments, const hbk_store_get_options *options,
                          const struct copy *copy)
{
    struct talk talk;
    hbk_taken *taken = NULL;

    if (talk_begin(&talk, arguments)) {
        progress_begin(&arguments->globals, "waiting for",
                       options->name != NULL ? options->name : "the entry");
        talk_good(&talk, hbk_store_get(talk.client, options, &taken, &talk.error), advice);
    }
    if (taken != NULL) {
        if (arguments->globals.json)
            json_taken(taken);
        else
            print_taken(copy, taken);
        if (copy->to != NULL && strcmp(taken->type, "File") == 0 &&
            !copy_contents(arguments, copy, taken->handle))
            talk.code = EXIT_USAGE;
    }
    hbk_taken_free(taken);
    return talk_end(&talk);
}

enum exit_code run_store_get(struct arguments *arguments)
{
    hbk_store_get_options asked = {.size = sizeof asked};
    struct copy copy = {0};
    const struct option options[] = {
        {"--ticket", OPTION_TEXT, 0, &asked.ticket, NULL},
        {"--access", OPTION_ACCESS, 0, &asked.access, NULL},
        {"--wait", OPTION_NUMBER, 60000, &asked.wait_ms, NULL},
        {"--print", OPTION_FLAG, 0, &copy.print, NULL},
        {"--output", OPTION_TEXT, 0, &copy.output, NULL},
    };
    const struct operand operand = {&asked.name, NULL};
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], &operand, 1, &code))
        return code;
    if ((asked.name == NULL) == (asked.ticket == NULL))
        return usage_error(arguments, "which entry? its name, such as user/log, or --ticket TICKET",
                           NULL);
    code = copy_open(arguments, &copy);
    if (code == EXIT_DONE)
        code = get(arguments, &asked, &copy);
    copy_close(&copy);
    return code;
}

/* ---- remove ---- */

static const char *remove_advice(hbk_result result)
{
    if (result == HBK_NOT_FOUND || result == HBK_DENIED)
        return "See what there is: hbctl store list. Others' entries go by --entry N, and take the "
               "right to revoke.";
    return NULL;
}

static void print_removed(const struct arguments *arguments)
{
    struct json json;

    if (!arguments->globals.json) {
        printf("removed\n");
        return;
    }
    json_begin(&json, stdout);
    json_bool(&json, "removed", true);
    json_end(&json);
}

enum exit_code run_store_remove(struct arguments *arguments)
{
    const char *name = NULL;
    uint64_t entry = 0;
    const struct option options[] = {{"--entry", OPTION_SERIAL, 0, &entry, NULL}};
    const struct operand operand = {&name, NULL};
    enum exit_code code = EXIT_USAGE;
    struct talk talk;

    if (!options_read(arguments, options, 1, &operand, 1, &code))
        return code;
    if ((name == NULL) == (entry == 0))
        return usage_error(arguments, "which entry? its name, such as user/log, or --entry N",
                           NULL);
    if (talk_begin(&talk, arguments)) {
        hbk_result result = name != NULL ? hbk_store_remove(talk.client, name, &talk.error)
                                         : hbk_store_remove_entry(talk.client, entry, &talk.error);
        if (talk_good(&talk, result, remove_advice))
            print_removed(arguments);
    }
    return talk_end(&talk);
}

/* ---- list ---- */

static void print_entries(const hbk_store_entries *list)
{
    static const char *const headings[] = {"ENTRY", "NAME",  "TYPE", "RIGHTS",  "KEPT", "SINCE",
                                           "LEFT",  "TAKEN", "FOR",  "PROCESS", "USER"};
    struct table table;

    if (list->count == 0) {
        printf(
            "nothing is stored that you may see; put a file with: hbctl store put user/log --file "
            "PATH\n");
        return;
    }
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < list->count; i++) {
        const hbk_store_entry *entry = &list->entries[i];
        char number[24], access[16], since[32], left[32] = "-", taken[24], pid[16];
        snprintf(number, sizeof number, "%llu", (unsigned long long)entry->entry);
        snprintf(access, sizeof access, "0x%08lx", (unsigned long)entry->access);
        duration_text(since, sizeof since, entry->since_ms);
        if (entry->ttl_ms != 0)
            duration_text(left, sizeof left, entry->ttl_ms);
        snprintf(taken, sizeof taken, "%llu", (unsigned long long)entry->taken);
        snprintf(pid, sizeof pid, "%lu%s", (unsigned long)entry->owner.pid,
                 entry->owner.session == 0 ? " (left)" : "");
        const char *cells[] = {number,
                               entry->name != NULL ? entry->name : "(ticket)",
                               entry->type,
                               access,
                               entry->keep ? "broker" : "session",
                               since,
                               left,
                               taken,
                               entry->once ? (entry->shared ? "one of many" : "one of its owner's")
                               : entry->shared ? "many"
                                               : "its owner's",
                               pid,
                               entry->owner.user != NULL ? entry->owner.user : "-"};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void json_entries(const hbk_store_entries *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_open(&json, "entries", '[');
    for (size_t i = 0; i < list->count; i++) {
        const hbk_store_entry *entry = &list->entries[i];
        json_open(&json, NULL, '{');
        json_number(&json, "entry", entry->entry);
        json_text(&json, "name", entry->name);
        json_party(&json, "owner", &entry->owner);
        json_text(&json, "type", entry->type);
        json_number(&json, "access", entry->access);
        json_text(&json, "lifetime", entry->keep ? "broker" : "session");
        json_bool(&json, "once", entry->once != 0);
        json_bool(&json, "shared", entry->shared != 0);
        json_number(&json, "since_ms", entry->since_ms);
        if (entry->ttl_ms != 0)
            json_number(&json, "ttl_ms", entry->ttl_ms);
        json_number(&json, "taken", entry->taken);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_end(&json);
}

enum exit_code run_store_list(struct arguments *arguments)
{
    struct talk talk;
    hbk_store_entries *list = NULL;

    if (talk_begin_plain(&talk, arguments) &&
        talk_good(&talk, hbk_store_list(talk.client, &list, &talk.error), NULL)) {
        if (arguments->globals.json)
            json_entries(list);
        else
            print_entries(list);
    }
    hbk_store_entries_free(list);
    return talk_end(&talk);
}
