/* hbctl transfer. */
#include "hbctl.h"

#include <string.h>

struct transfer_request {
    uint32_t handle;
    bool inherit;
    const char *to;
    struct copy copy;
    hbk_transfer_options options;
};

static bool to_us(const struct transfer_request *request)
{
    return request->to == NULL;
}

static void print_transferred(const struct transfer_request *request,
                              const hbk_transferred *transferred)
{
    FILE *file = telling(&request->copy);

    fprintf(file, "%s with rights 0x%08lx", transferred->type, (unsigned long)transferred->access);
    if (!to_us(request))
        fprintf(file, " is 0x%llx in %s%s", (unsigned long long)(uintptr_t)transferred->handle,
                request->options.to != NULL ? "the process of " : "process ", request->to);
    if (transferred->widenable != 0)
        fprintf(file, ", widenable: %s", widenable_text(transferred->widenable));
    fputc('\n', file);
    if (!to_us(request))
        fprintf(file, "%s\n",
                transferred->notified ? "it was told"
                                      : "it was not told: it has to learn that value");
}

static void json_transferred(const struct transfer_request *request,
                             const hbk_transferred *transferred)
{
    struct json json;

    json_begin(&json, stdout);
    if (!to_us(request))
        json_number(&json, "handle", (uint64_t)(uintptr_t)transferred->handle);
    json_text(&json, "type", transferred->type);
    json_number(&json, "access", transferred->access);
    json_bool(&json, "notified", transferred->notified != 0);
    json_widenable(&json, transferred->widenable);
    json_end(&json);
}

/* What to try next, by what went wrong. */
static const char *advice(hbk_result result)
{
    switch (result) {
    case HBK_DENIED:
        return "It takes the right to duplicate handles of both processes (run it as their user, "
               "or as "
               "an administrator with SeDebugPrivilege), and rules that do not forbid it.";
    case HBK_NOT_FOUND:
        return "Is the process running, and the endpoint open? hbctl endpoints";
    case HBK_BAD_HANDLE:
        return "The value is one of the process that --from names.";
    default:
        return NULL;
    }
}

static enum exit_code transfer(const struct arguments *arguments,
                               const struct transfer_request *request)
{
    struct talk talk;
    hbk_transferred transferred;

    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_transfer(talk.client, &request->options, &transferred, &talk.error),
                  advice)) {
        if (arguments->globals.json)
            json_transferred(request, &transferred);
        else
            print_transferred(request, &transferred);
        if (request->copy.to != NULL && strcmp(transferred.type, "File") == 0 &&
            !copy_contents(arguments, &request->copy, transferred.handle))
            talk.code = EXIT_USAGE;
        if (to_us(request))
            CloseHandle(transferred.handle);
    }
    return talk_end(&talk);
}

enum exit_code run_transfer(struct arguments *arguments)
{
    struct transfer_request request = {.options = {.size = sizeof request.options}};
    const struct option options[] = {
        {"--from", OPTION_NUMBER, UINT32_MAX, &request.options.source_pid, NULL},
        {"--handle", OPTION_HANDLE, 0, &request.handle, NULL},
        {"--to", OPTION_TEXT, 0, &request.to, NULL},
        {"--access", OPTION_ACCESS, 0, &request.options.access, NULL},
        {"--type", OPTION_TEXT, 0, &request.options.type, NULL},
        {"--inherit", OPTION_FLAG, 0, &request.inherit, NULL},
        {"--print", OPTION_FLAG, 0, &request.copy.print, NULL},
        {"--output", OPTION_TEXT, 0, &request.copy.output, NULL},
    };
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], NULL, 0, &code))
        return code;
    if (request.options.source_pid == 0 || request.handle == 0)
        return usage_error(arguments, "which handle of which process? --from PID --handle VALUE",
                           NULL);
    if (!to_us(&request) && (request.copy.print || request.copy.output != NULL))
        return usage_error(
            arguments, "--print and --output are for a handle that comes here: without --to", NULL);
    if (!to_us(&request) && !pid_read(request.to, &request.options.target_pid))
        request.options.to = request.to;
    request.options.handle = (HANDLE)(uintptr_t)request.handle;
    request.options.flags = request.inherit ? HBK_ITEM_INHERIT : 0;
    code = copy_open(arguments, &request.copy);
    if (code == EXIT_DONE)
        code = transfer(arguments, &request);
    copy_close(&request.copy);
    return code;
}
