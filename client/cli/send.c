/* hbctl send. */
#include "hbctl.h"

#include <stdlib.h>

struct send_request {
    const char *files[HBK_ITEMS_MAX];
    size_t files_count;
    bool write, revocable;
    uint32_t access;
    const char *type, *data;
    uint32_t wait_ms, timeout_ms, pid;
};

HANDLE file_open(const struct arguments *arguments, const char *path, bool write)
{
    const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    wchar_t *wide = to_wide(path);
    HANDLE file = INVALID_HANDLE_VALUE;
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;

    if (wide != NULL) {
        file = CreateFileW(wide, write ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ, shared, NULL,
                           OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
        error = GetLastError();
    }
    free(wide);
    if (file != INVALID_HANDLE_VALUE)
        return file;
    char what[64];
    snprintf(what, sizeof what, "cannot open this file (Windows error %lu)", error);
    usage_error(arguments, what, path);
    return NULL;
}

/* Opens the files. Return: how many; those are to be closed, also when one could not be opened. */
static size_t open_files(const struct arguments *arguments, const struct send_request *request,
                         hbk_send_item *items)
{
    for (size_t i = 0; i < request->files_count; i++) {
        items[i].handle = file_open(arguments, request->files[i], request->write);
        if (items[i].handle == NULL)
            return i;
        items[i].type = request->type;
        items[i].access = request->access;
    }
    return request->files_count;
}

static void print_receipt(const struct send_request *request, const hbk_receipt *receipt)
{
    static const char *const headings[] = {"FILE", "TYPE", "RIGHTS"};
    struct table table;

    printf("delivered as %llu\n", (unsigned long long)receipt->delivery);
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < receipt->count && i < request->files_count; i++) {
        char access[16];
        snprintf(access, sizeof access, "0x%08lx", (unsigned long)receipt->items[i].access);
        const char *cells[] = {request->files[i], receipt->items[i].type, access};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void json_receipt(const hbk_receipt *receipt)
{
    struct json json;

    json_begin(&json, stdout);
    json_number(&json, "delivery", receipt->delivery);
    json_open(&json, "items", '[');
    for (size_t i = 0; i < receipt->count; i++) {
        json_open(&json, NULL, '{');
        json_text(&json, "type", receipt->items[i].type);
        json_number(&json, "access", receipt->items[i].access);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_end(&json);
}

/* What to try next, by what went wrong. */
static const char *advice(hbk_result result)
{
    switch (result) {
    case HBK_NOT_FOUND:
        return "See who receives: hbctl endpoints. Or let it wait for the receiver: --wait 10000";
    case HBK_DENIED:
        return "An administrator can ask which rule decides: hbctl explain send NAME --session N, "
               "with --pid if it was said here";
    case HBK_TIMEOUT:
        return "Nothing was handed over. Is the receiver running, and does somebody answer its "
               "offers?";
    case HBK_ACCESS_EXCEEDS_SOURCE:
        return "The file was opened for reading only; --write opens it for writing too.";
    case HBK_ACCESS_NOT_ACCEPTED:
        return "See what the receiver takes: hbctl endpoints. --access read hands over less.";
    case HBK_BUSY:
    case HBK_TARGET_GONE:
        return "Nothing was handed over. It may be tried again.";
    default:
        return NULL;
    }
}

/* Asks at the console whether to take it back. */
static void maybe_revoke(struct talk *talk, uint64_t delivery)
{
    char line[16] = "";
    uint64_t closed = 0;

    if (!talk->arguments->globals.json) {
        fputs("Enter takes it back; the end of input leaves it there\n", stderr);
        fflush(stderr);
    }
    if (fgets(line, sizeof line, stdin) == NULL ||
        !talk_good(talk, hbk_revoke(talk->client, delivery, &closed, &talk->error), NULL))
        return;
    if (talk->arguments->globals.json)
        json_revoked(delivery, closed);
    else
        print_revoked(stdout, delivery, closed);
}

static enum exit_code send_files(const struct arguments *arguments, const char *name,
                                 const struct send_request *request, const hbk_send_item *items)
{
    const hbk_send_options options = {
        .size = sizeof options,
        .to = name,
        .items = items,
        .count = request->files_count,
        .data = request->data,
        .wait_ms = request->wait_ms,
        .timeout_ms = request->timeout_ms,
        .to_pid = request->pid,
        .flags = request->revocable ? HBK_SEND_REVOCABLE : 0,
    };
    struct talk talk;
    hbk_receipt receipt;
    bool good = false;

    if (talk_begin(&talk, arguments)) {
        progress_begin(&arguments->globals, "waiting for", name);
        good = talk_good(&talk, hbk_send(talk.client, &options, &receipt, &talk.error), advice);
    }
    if (good) {
        if (arguments->globals.json)
            json_receipt(&receipt);
        else
            print_receipt(request, &receipt);
        fflush(stdout);
        if (request->revocable)
            maybe_revoke(&talk, receipt.delivery);
    }
    return talk_end(&talk);
}

enum exit_code run_send(struct arguments *arguments)
{
    struct send_request request = {.access = HBK_ACCESS_SAME};
    const struct option options[] = {
        {"--file", OPTION_LIST, HBK_ITEMS_MAX, request.files, &request.files_count},
        {"--write", OPTION_FLAG, 0, &request.write, NULL},
        {"--access", OPTION_ACCESS, 0, &request.access, NULL},
        {"--type", OPTION_TEXT, 0, &request.type, NULL},
        {"--data", OPTION_TEXT, 0, &request.data, NULL},
        {"--wait", OPTION_NUMBER, 60000, &request.wait_ms, NULL},
        {"--timeout", OPTION_NUMBER, 60000, &request.timeout_ms, NULL},
        {"--pid", OPTION_NUMBER, UINT32_MAX, &request.pid, NULL},
        {"--revocable", OPTION_FLAG, 0, &request.revocable, NULL},
    };
    hbk_send_item items[HBK_ITEMS_MAX] = {{0}};
    const char *name = NULL;
    const struct operand operand = {&name, ENDPOINT_MISSING};
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], &operand, 1, &code))
        return code;
    if (request.files_count == 0)
        return usage_error(arguments, "which file? --file PATH", NULL);
    size_t opened = open_files(arguments, &request, items);
    if (opened == request.files_count)
        code = send_files(arguments, name, &request, items);
    for (size_t i = 0; i < opened; i++)
        CloseHandle(items[i].handle);
    return opened == request.files_count ? code : EXIT_USAGE;
}
