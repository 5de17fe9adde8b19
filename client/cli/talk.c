/* What all commands have in common that ask the service something. */
#include "hbctl.h"

#include <stdlib.h>
#include <string.h>

/* \\.\pipe\NAME for NAME. Return: for free(); NULL if that is no name. */
static wchar_t *full_pipe_name(const char *name)
{
    static const char prefix[] = "\\\\.\\pipe\\";
    char full[512];

    bool is_full = _strnicmp(name, prefix, sizeof prefix - 1) == 0;
    int size = snprintf(full, sizeof full, "%s%s", is_full ? "" : prefix, name);
    return size > 0 && (size_t)size < sizeof full ? to_wide(full) : NULL;
}

static enum exit_code connect_client(const struct arguments *arguments, hbk_client **ret_client)
{
    const struct globals *globals = &arguments->globals;
    hbk_open_options options = {.size = sizeof options, .client_name = "hbctl"};
    hbk_error_info error;
    wchar_t *pipe = NULL;

    if (globals->unverified != (globals->pipe != NULL))
        return usage_error(arguments,
                           "--pipe and --unverified go together: only a broker in the console has "
                           "another pipe, and it cannot be told from an impostor",
                           NULL);
    if (globals->pipe != NULL) {
        pipe = full_pipe_name(globals->pipe);
        if (pipe == NULL)
            return usage_error(arguments, "no name of a pipe", globals->pipe);
    }
    options.client_version = hbk_version();
    options.pipe = pipe;
    options.flags =
        (globals->unverified ? HBK_OPEN_UNVERIFIED : 0u) | (globals->reopen ? HBK_OPEN_REOPEN : 0u);
    progress_begin(globals, "connecting", NULL);
    hbk_result result = hbk_open(&options, ret_client, &error);
    progress_end();
    free(pipe);
    if (result == HBK_OK)
        return EXIT_DONE;
    enum exit_code code = failed(globals, &error, NULL);
    /* A service that takes a connection and then is silent is no service to us. */
    return code == EXIT_TIMEOUT ? EXIT_UNAVAILABLE : code;
}

bool talk_begin(struct talk *talk, const struct arguments *arguments)
{
    *talk = (struct talk){.arguments = arguments};
    talk->code = connect_client(arguments, &talk->client);
    return talk->code == EXIT_DONE;
}

bool talk_begin_plain(struct talk *talk, struct arguments *arguments)
{
    *talk = (struct talk){.arguments = arguments};
    return options_read(arguments, NULL, 0, NULL, 0, &talk->code) && talk_begin(talk, arguments);
}

bool talk_good(struct talk *talk, hbk_result result, const char *(*advice)(hbk_result))
{
    progress_end();
    if (result != HBK_OK)
        talk->code =
            failed(&talk->arguments->globals, &talk->error, advice != NULL ? advice(result) : NULL);
    return result == HBK_OK;
}

enum exit_code talk_end(struct talk *talk)
{
    progress_end();
    hbk_close(talk->client);
    talk->client = NULL;
    return talk->code;
}
