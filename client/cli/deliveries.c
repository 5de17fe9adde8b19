/* hbctl deliveries, hbctl revoke. */
#include "hbctl.h"

static void party_text(char *ret_text, size_t size, const hbk_party *party)
{
    if (party->pid == 0)
        snprintf(ret_text, size, "-");
    else
        snprintf(ret_text, size, "%lu, session %llu", (unsigned long)party->pid,
                 (unsigned long long)party->session);
}

static void print_deliveries(const hbk_delivery_entries *list)
{
    static const char *const headings[] = {"DELIVERY", "STATE", "ENDPOINT", "FROM",
                                           "TO",       "SINCE", "ITEMS"};
    struct table table;

    if (list->count == 0) {
        printf("no delivery of yours is under way or can be taken back\n");
        return;
    }
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < list->count; i++) {
        const hbk_delivery_entry *entry = &list->entries[i];
        char number[24], from[64], to[64], since[32], items[64];
        snprintf(number, sizeof number, "%llu", (unsigned long long)entry->id);
        party_text(from, sizeof from, &entry->from);
        party_text(to, sizeof to, &entry->to);
        duration_text(since, sizeof since, entry->since_ms);
        if (entry->count == 0)
            snprintf(items, sizeof items, "-");
        else
            snprintf(items, sizeof items, "%s%s", entry->items[0].type,
                     entry->count > 1 ? " and more" : "");
        const char *cells[] = {
            number, entry->state, entry->endpoint != NULL ? entry->endpoint : "(a process)",
            from,   to,           since,
            items};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void json_deliveries(const hbk_delivery_entries *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_open(&json, "deliveries", '[');
    for (size_t i = 0; i < list->count; i++) {
        const hbk_delivery_entry *entry = &list->entries[i];
        json_open(&json, NULL, '{');
        json_number(&json, "delivery", entry->id);
        json_text(&json, "state", entry->state);
        json_text(&json, "endpoint", entry->endpoint);
        json_party(&json, "from", &entry->from);
        if (entry->to.pid != 0)
            json_party(&json, "to", &entry->to);
        json_open(&json, "items", '[');
        for (size_t k = 0; k < entry->count; k++) {
            json_open(&json, NULL, '{');
            json_text(&json, "type", entry->items[k].type);
            json_number(&json, "access", entry->items[k].access);
            json_close(&json, '}');
        }
        json_close(&json, ']');
        json_number(&json, "since_ms", entry->since_ms);
        json_bool(&json, "revocable", entry->revocable != 0);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_end(&json);
}

enum exit_code run_deliveries(struct arguments *arguments)
{
    struct talk talk;
    hbk_delivery_entries *list = NULL;

    if (talk_begin_plain(&talk, arguments) &&
        talk_good(&talk, hbk_delivery_list(talk.client, &list, &talk.error), NULL)) {
        if (arguments->globals.json)
            json_deliveries(list);
        else
            print_deliveries(list);
    }
    hbk_delivery_entries_free(list);
    return talk_end(&talk);
}

/* What to try next, by what went wrong. */
static const char *advice(hbk_result result)
{
    switch (result) {
    case HBK_NOT_FOUND:
    case HBK_DENIED:
        return "See which can be taken back: hbctl deliveries. Others' take the right to revoke: "
               "run it as an administrator, or have verbs.revoke in handlebroker.json name this "
               "user.";
    case HBK_BUSY:
        return "Its target is being told right now. It may be tried again.";
    default:
        return NULL;
    }
}

enum exit_code run_revoke(struct arguments *arguments)
{
    const char *text = NULL;
    const struct operand operand = {
        &text, "the number of the delivery is missing; hbctl deliveries shows it"};
    uint64_t delivery = 0, closed = 0;
    enum exit_code code = EXIT_USAGE;
    struct talk talk;

    if (!options_read(arguments, NULL, 0, &operand, 1, &code))
        return code;
    if (!serial_read(text, &delivery))
        return usage_error(arguments, "no number of a delivery", text);
    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_revoke(talk.client, delivery, &closed, &talk.error), advice)) {
        if (arguments->globals.json)
            json_revoked(delivery, closed);
        else
            print_revoked(stdout, delivery, closed);
    }
    return talk_end(&talk);
}
