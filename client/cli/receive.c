/* hbctl receive. */
#include "hbctl.h"

#include <io.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BYTES 65536u

struct receive_request {
    bool ask, print;
    uint32_t count, timeout_ms;
    const char *output, *from;
    HANDLE copy; /* where contents go; NULL: nowhere */
};

/* What is told about deliveries goes where the contents don't. */
static FILE *telling(const struct receive_request *request)
{
    return request->print ? stderr : stdout;
}

/* Could we take back by ourselves what was left out of the item's rights? */
static const char *widenable_text(const hbk_received_item *item)
{
    switch (item->widenable) {
    case HBK_WIDEN_NO:
        return "no";
    case HBK_WIDEN_YES:
        return "yes";
    case HBK_WIDEN_UNKNOWN:
        return "unknown";
    default:
        return "-";
    }
}

static void print_delivery(const struct receive_request *request, const hbk_delivery *delivery)
{
    static const char *const headings[] = {"ITEM",   "TYPE",      "RIGHTS",
                                           "HANDLE", "WIDENABLE", "FLAGS"};
    FILE *file = telling(request);
    struct table table;

    fprintf(file, "%s %llu at %s from process %lu of %s\n",
            delivery->offered ? "offer" : "delivery", (unsigned long long)delivery->id,
            delivery->endpoint, (unsigned long)delivery->from_pid, delivery->from_user);
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
        const char *cells[] = {number, item->type, access, handle, widenable_text(item), flags};
        table_row(&table, cells);
    }
    table_print(&table, file);
}

static void json_delivery(const hbk_delivery *delivery)
{
    struct json json;

    json_begin(&json, stdout);
    json_number(&json, delivery->offered ? "offer" : "delivery", delivery->id);
    json_text(&json, "endpoint", delivery->endpoint);
    json_open(&json, "from", '{');
    json_number(&json, "session", delivery->from_session);
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
        if (item->widenable == HBK_WIDEN_UNKNOWN)
            json_text(&json, "widenable", "unknown");
        else if (item->widenable != 0)
            json_bool(&json, "widenable", item->widenable == HBK_WIDEN_YES);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_text(&json, "data", delivery->data);
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

static bool write_all(HANDLE to, const char *bytes, DWORD size)
{
    DWORD done = 0;

    while (size > 0) {
        if (!WriteFile(to, bytes, size, &done, NULL) || done == 0)
            return false;
        bytes += done;
        size -= done;
    }
    return true;
}

/* Reads from @offset, whether the sender has opened the file for overlapped I/O or not. Return: 0,
 * with *ret_size 0 at the end; or a Windows error. */
static DWORD read_at(HANDLE file, HANDLE event, uint64_t offset, char *bytes, DWORD *ret_size)
{
    OVERLAPPED overlapped = {0};

    overlapped.Offset = (DWORD)offset;
    overlapped.OffsetHigh = (DWORD)(offset >> 32);
    overlapped.hEvent = event;
    *ret_size = 0;
    if (ReadFile(file, bytes, COPY_BYTES, ret_size, &overlapped))
        return 0;
    DWORD error = GetLastError();
    if (error == ERROR_IO_PENDING) {
        if (GetOverlappedResult(file, &overlapped, ret_size, TRUE))
            return 0;
        error = GetLastError();
    }
    return error == ERROR_HANDLE_EOF || error == ERROR_BROKEN_PIPE ? 0 : error;
}

static bool copy_contents(const struct arguments *arguments, HANDLE from, HANDLE to)
{
    char *bytes = malloc(COPY_BYTES);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    uint64_t offset = 0;
    DWORD size = 0;
    bool good = bytes != NULL && event != NULL;

    while (good) {
        DWORD error = read_at(from, event, offset, bytes, &size);
        if (error != 0) {
            fprintf(stderr,
                    "hbctl %s: the file cannot be read (Windows error %lu); was it opened and sent "
                    "with the right to read?\n",
                    arguments->command, error);
            good = false;
        } else if (size == 0) {
            break;
        } else if (!write_all(to, bytes, size)) {
            fprintf(stderr, "hbctl %s: the copy cannot be written (Windows error %lu)\n",
                    arguments->command, GetLastError());
            good = false;
        }
        offset += size;
    }
    if (event != NULL)
        CloseHandle(event);
    free(bytes);
    return good;
}

static bool copy_files(const struct arguments *arguments, const struct receive_request *request,
                       const hbk_delivery *delivery)
{
    bool good = true;

    for (size_t i = 0; request->copy != NULL && good && i < delivery->count; i++) {
        if (strcmp(delivery->items[i].type, "File") == 0 && delivery->items[i].handle != NULL)
            good = copy_contents(arguments, delivery->items[i].handle, request->copy);
    }
    return good;
}

/* ---- receiving ---- */

/* Asks at the console. Return: the answer to the offer; *ret_accepted if it was yes. */
static hbk_result answer(hbk_client *client, hbk_delivery *offer, bool *ret_accepted,
                         hbk_error_info *ret_error)
{
    char line[16] = "";

    fputs("accept it? [y/N] ", stderr);
    fflush(stderr);
    *ret_accepted = fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
    if (*ret_accepted)
        return hbk_accept(client, offer, ret_error);
    return hbk_reject(client, offer, "the user said no", ret_error);
}

/* One delivery, from its arrival to its end. Return: EXIT_DONE, or what ends the command. */
static enum exit_code receive_one(const struct arguments *arguments,
                                  const struct receive_request *request, hbk_client *client)
{
    hbk_delivery *delivery = NULL;
    hbk_error_info error;
    enum exit_code code = EXIT_DONE;
    bool accepted = true;

    if (hbk_receive(client, request->timeout_ms, &delivery, &error) != HBK_OK)
        return failed(&arguments->globals, &error, NULL);
    show(arguments, request, delivery);
    if (delivery->offered) {
        hbk_result result = answer(client, delivery, &accepted, &error);
        if (result == HBK_NOT_FOUND)
            fputs("the offer was withdrawn, or the answer came too late\n", stderr);
        else if (result != HBK_OK)
            code = failed(&arguments->globals, &error, NULL);
        else if (accepted)
            show(arguments, request, delivery);
        accepted = accepted && result == HBK_OK;
    }
    if (code == EXIT_DONE && accepted && !copy_files(arguments, request, delivery))
        code = EXIT_USAGE;
    hbk_delivery_free(delivery);
    return code;
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

static enum exit_code receive_all(const struct arguments *arguments, const char *name,
                                  const struct receive_request *request)
{
    hbk_client *client = NULL;
    hbk_endpoint_options options = {.size = sizeof options, .name = name};
    hbk_error_info error;

    enum exit_code code = connect_client(arguments, &client);
    if (code != EXIT_DONE)
        return code;
    options.flags = request->ask ? HBK_ENDPOINT_ASK : 0;
    options.from = request->from;
    hbk_result result = hbk_endpoint_open(client, &options, &error);
    if (result != HBK_OK)
        code = failed(&arguments->globals, &error, open_advice(result));
    else if (!arguments->globals.json)
        fprintf(stderr, "listening at %s; in another console: hbctl send %s --file PATH\n", name,
                name);
    for (uint32_t i = 0; code == EXIT_DONE && i < request->count; i++)
        code = receive_one(arguments, request, client);
    hbk_close(client);
    return code;
}

/* Opens what contents are copied into. */
static bool open_copy(const struct arguments *arguments, struct receive_request *request)
{
    if (request->print)
        request->copy = (HANDLE)_get_osfhandle(_fileno(stdout));
    if (request->output == NULL)
        return true;
    wchar_t *path = to_wide(request->output);
    HANDLE file = INVALID_HANDLE_VALUE;
    if (path != NULL)
        file = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                           FILE_ATTRIBUTE_NORMAL, NULL);
    free(path);
    if (file == INVALID_HANDLE_VALUE) {
        usage_error(arguments->command, "cannot write this file", request->output);
        return false;
    }
    request->copy = file;
    return true;
}

enum exit_code run_receive(struct arguments *arguments)
{
    struct receive_request request = {.count = 1, .timeout_ms = INFINITE};
    const struct option options[] = {
        {"--ask", OPTION_FLAG, 0, &request.ask, NULL},
        {"--count", OPTION_NUMBER, 1000000, &request.count, NULL},
        {"--timeout", OPTION_NUMBER, INFINITE - 1, &request.timeout_ms, NULL},
        {"--print", OPTION_FLAG, 0, &request.print, NULL},
        {"--output", OPTION_TEXT, 0, &request.output, NULL},
        {"--from", OPTION_TEXT, 0, &request.from, NULL},
    };
    const char *name = NULL;
    const struct operand operand = {&name, ENDPOINT_MISSING};
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], &operand, 1, &code))
        return code;
    if (request.print && (request.output != NULL || arguments->globals.json))
        return usage_error(arguments->command,
                           "--print needs standard output for itself: without --json and --output",
                           NULL);
    if (!open_copy(arguments, &request))
        return EXIT_USAGE;
    code = receive_all(arguments, name, &request);
    if (request.output != NULL)
        CloseHandle(request.copy);
    return code;
}
