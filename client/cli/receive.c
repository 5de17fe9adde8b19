/* hbctl receive. */
#include "hbctl.h"

#include <string.h>

struct receive_request {
    bool ask, revocable;
    uint32_t count, timeout_ms;
    const char *from;
    struct copy copy;
};

static void print_delivery(const struct receive_request *request, const hbk_delivery *delivery)
{
    static const char *const headings[] = {"ITEM",   "TYPE",      "RIGHTS",
                                           "HANDLE", "WIDENABLE", "FLAGS"};
    FILE *file = telling(&request->copy);
    struct table table;

    fprintf(file, "%s %llu at %s from process %lu of %s%s\n",
            delivery->offered ? "offer" : "delivery",
            (unsigned long long)HBK_SERVICE_NUMBER(delivery->id),
            delivery->endpoint != NULL ? delivery->endpoint : "this process",
            (unsigned long)delivery->from_pid, delivery->from_user,
            delivery->revocable ? ", which can take it back" : "");
    if (delivery->data != NULL) {
        fputs("it says: ", file);
        print_text(file, delivery->data);
        fputc('\n', file);
    }
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < delivery->count; i++) {
        const hbk_received_item *item = &delivery->items[i];
        char number[16], access[16], handle[24] = "-";
        snprintf(number, sizeof number, "%u", (unsigned)i);
        snprintf(access, sizeof access, "0x%08lx", (unsigned long)item->access);
        if (item->handle != NULL)
            snprintf(handle, sizeof handle, "0x%llx", (unsigned long long)(uintptr_t)item->handle);
        const char *flags = item->inherit && item->protect ? "inherit protect"
                            : item->inherit                ? "inherit"
                            : item->protect                ? "protect"
                                                           : "";
        const char *cells[] = {number, item->type, access, handle, widenable_text(item->widenable),
                               flags};
        table_row(&table, cells);
    }
    table_print(&table, file);
}

static void json_delivery(const hbk_delivery *delivery)
{
    struct json json;

    json_begin(&json, stdout);
    json_number(&json, delivery->offered ? "offer" : "delivery", HBK_SERVICE_NUMBER(delivery->id));
    json_text(&json, "endpoint", delivery->endpoint);
    json_open(&json, "from", '{');
    json_number(&json, "session", HBK_SERVICE_NUMBER(delivery->from_session));
    json_number(&json, "pid", delivery->from_pid);
    json_text(&json, "user", delivery->from_user);
    json_number(&json, "integrity", delivery->from_integrity);
    json_close(&json, '}');
    json_open(&json, "items", '[');
    for (size_t i = 0; i < delivery->count; i++) {
        const hbk_received_item *item = &delivery->items[i];
        json_open(&json, NULL, '{');
        if (item->handle != NULL)
            json_number(&json, "handle", (uint64_t)(uintptr_t)item->handle);
        json_text(&json, "type", item->type);
        json_number(&json, "access", item->access);
        json_bool(&json, "inherit", item->inherit != 0);
        json_bool(&json, "protect", item->protect != 0);
        json_widenable(&json, item->widenable);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_text(&json, "data", delivery->data);
    json_bool(&json, "revocable", delivery->revocable != 0);
    json_end(&json);
}

static void show(const struct arguments *arguments, const struct receive_request *request,
                 const hbk_delivery *delivery)
{
    if (arguments->globals.json)
        json_delivery(delivery);
    else
        print_delivery(request, delivery);
}

/* ---- contents ---- */

static bool copy_files(const struct arguments *arguments, const struct receive_request *request,
                       const hbk_delivery *delivery)
{
    bool good = true;

    for (size_t i = 0; request->copy.to != NULL && good && i < delivery->count; i++) {
        if (strcmp(delivery->items[i].type, "File") == 0 && delivery->items[i].handle != NULL)
            good = copy_contents(arguments, &request->copy, delivery->items[i].handle);
    }
    return good;
}

/* ---- receiving ---- */

/* Asks at the console. Return: the answer to the offer; *ret_accepted if it was yes. */
static hbk_result answer(struct talk *talk, hbk_delivery *offer, bool *ret_accepted)
{
    char line[16] = "";

    if (!talk->arguments->globals.json) {
        fputs("accept it? [y/N] ", stderr);
        fflush(stderr);
    }
    *ret_accepted = fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
    if (*ret_accepted)
        return hbk_accept(talk->client, offer, &talk->error);
    return hbk_reject(talk->client, offer, "the user said no", &talk->error);
}

static void show_revoked(const struct arguments *arguments, const struct receive_request *request,
                         const hbk_notification *notice)
{
    if (arguments->globals.json)
        json_revoked(HBK_SERVICE_NUMBER(notice->delivery), notice->closed);
    else
        print_revoked(telling(&request->copy), HBK_SERVICE_NUMBER(notice->delivery),
                      notice->closed);
}

/* Keeps @delivery until it is taken back, or its sender has gone. */
static void hold(struct talk *talk, const struct receive_request *request,
                 const hbk_delivery *delivery)
{
    bool json = talk->arguments->globals.json;
    hbk_notification notice;

    if (!json)
        fputs("holding it until its sender takes it back or leaves\n", stderr);
    progress_begin(&talk->arguments->globals, "holding it", NULL);
    while (talk_good(
        talk, hbk_notification_receive(talk->client, request->timeout_ms, &notice, &talk->error),
        NULL)) {
        if (notice.kind == HBK_NOTIFICATION_REVOKED && notice.delivery == delivery->id) {
            show_revoked(talk->arguments, request, &notice);
            return;
        }
        if (notice.kind == HBK_NOTIFICATION_SESSION_GONE &&
            notice.session == delivery->from_session) {
            if (!json)
                fputs("its sender has left\n", stderr);
            return;
        }
        if (notice.kind == HBK_NOTIFICATION_REOPENED) {
            if (!json)
                fputs("the service was restarted: it cannot be taken back any more\n", stderr);
            return;
        }
        progress_begin(&talk->arguments->globals, "holding it", NULL);
    }
}

/* Asks about an offer, and answers it. Return: is it ours now? */
static bool take_offer(struct talk *talk, const struct receive_request *request,
                       hbk_delivery *offer)
{
    bool accepted = false;

    hbk_result result = answer(talk, offer, &accepted);
    if (result == HBK_NOT_FOUND && talk->arguments->globals.json)
        json_notice("offer_withdrawn", "offer", HBK_SERVICE_NUMBER(offer->id), NULL);
    else if (result == HBK_NOT_FOUND)
        fputs("the offer was withdrawn, or the answer came too late\n", stderr);
    else if (talk_good(talk, result, NULL) && accepted)
        show(talk->arguments, request, offer);
    return accepted && result == HBK_OK;
}

/* One delivery, from its arrival to its end. */
static void receive_one(struct talk *talk, const struct receive_request *request)
{
    hbk_delivery *delivery = NULL;

    progress_begin(&talk->arguments->globals, "waiting for a delivery", NULL);
    hbk_result result = hbk_receive(talk->client, request->timeout_ms, &delivery, &talk->error);
    if (!talk_good(talk, result, NULL))
        return;
    show(talk->arguments, request, delivery);
    if (!delivery->offered || take_offer(talk, request, delivery)) {
        if (!copy_files(talk->arguments, request, delivery))
            talk->code = EXIT_USAGE;
        else if (delivery->revocable)
            hold(talk, request, delivery);
    }
    hbk_delivery_free(delivery);
}

/* What to try next, by why the endpoint could not be opened. */
static const char *open_advice(hbk_result result)
{
    switch (result) {
    case HBK_EXISTS:
        return "See who has it: hbctl endpoints";
    case HBK_DENIED:
        return "Names in user/ are yours. For others an administrator can ask which rule decides: "
               "hbctl explain open NAME --session N";
    default:
        return NULL;
    }
}

/* Opens the endpoint, and receives there. */
static void receive_all(struct talk *talk, const char *name, const struct receive_request *request)
{
    const hbk_endpoint_options options = {
        .size = sizeof options,
        .name = name,
        .flags = (request->ask ? HBK_ENDPOINT_ASK : 0u) |
                 (request->revocable ? HBK_ENDPOINT_REVOCABLE : 0u),
        .from = request->from,
    };
    hbk_notification notice;

    /* From here on notices are kept. */
    if (request->revocable)
        hbk_notification_receive(talk->client, 0, &notice, NULL);
    if (!talk_good(talk, hbk_endpoint_open(talk->client, &options, &talk->error), open_advice))
        return;
    if (!talk->arguments->globals.json)
        fprintf(stderr, "listening at %s; in another console: hbctl send %s --file PATH\n", name,
                name);
    for (uint32_t i = 0; talk->code == EXIT_DONE && i < request->count; i++)
        receive_one(talk, request);
}

enum exit_code run_receive(struct arguments *arguments)
{
    struct receive_request request = {.count = 1, .timeout_ms = INFINITE};
    const struct option options[] = {
        {"--ask", OPTION_FLAG, 0, &request.ask, NULL},
        {"--count", OPTION_NUMBER, 1000000, &request.count, NULL},
        {"--timeout", OPTION_NUMBER, INFINITE - 1, &request.timeout_ms, NULL},
        {"--print", OPTION_FLAG, 0, &request.copy.print, NULL},
        {"--output", OPTION_TEXT, 0, &request.copy.output, NULL},
        {"--from", OPTION_TEXT, 0, &request.from, NULL},
        {"--revocable", OPTION_FLAG, 0, &request.revocable, NULL},
        {"--reopen", OPTION_FLAG, 0, &arguments->globals.reopen, NULL},
    };
    const char *name = NULL;
    const struct operand operand = {&name, ENDPOINT_MISSING};
    enum exit_code code = EXIT_USAGE;
    struct talk talk;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], &operand, 1, &code))
        return code;
    code = copy_open(arguments, &request.copy);
    if (code == EXIT_DONE) {
        if (talk_begin(&talk, arguments))
            receive_all(&talk, name, &request);
        code = talk_end(&talk);
    }
    copy_close(&request.copy);
    return code;
}
