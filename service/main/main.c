/* handlebroker.exe. */
#include "harden.h"
#include "log.h"
#include "modes.h"
#include "settings.h"
#include "win.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { PIPE_CHARS_MAX = 256, ARGUMENT_BYTES_MAX = 512 };

static const wchar_t pipe_prefix[] = L"\\\\.\\pipe\\";

static void print_help(void)
{
    printf(
        "Handle Broker %s: hands kernel handles from one process to another\n"
        "\n"
        "handlebroker [--config FILE]\n"
        "    the service; the Service Control Manager starts it so:\n"
        "    sc create HandleBroker binPath= \"\\\"C:\\...\\handlebroker.exe\\\"\" start= auto\n"
        "handlebroker run [--pipe NAME] [--config FILE]\n"
        "    the same in this console, for development, until Ctrl+C; r and Enter read the\n"
        "    configuration file again\n"
        "handlebroker --check-config FILE\n"
        "    say every mistake in a configuration file, or what it puts in force\n"
        "handlebroker --version | --help\n"
        "\n"
        "--pipe NAME    \\\\.\\pipe\\NAME instead of the service's own pipe; clients must be told\n"
        "               of it, and that they cannot check whom they reach\n"
        "--config FILE  JSON, for example {\"limits\": {\"hello_ms\": 5000}}; nobody but you and\n"
        "               administrators may be able to write it. The service without it reads\n"
        "               handlebroker.json in the folder HandleBroker of ProgramData, if there is "
        "one\n"
        "\n"
        "Exit codes: 0 stopped in order; 1 Windows refused something; 2 wrong command line or\n"
        "configuration file, nothing was started.\n",
        HBK_VERSION_STRING);
}

static int usage(const char *what, const wchar_t *argument)
{
    char text[ARGUMENT_BYTES_MAX];
    hbk_log_init(true);
    hbk_log("%s%s; see handlebroker --help", what, hbk_log_narrow(argument, text, sizeof(text)));
    return HBK_EXIT_USAGE;
}

void hbk_leave(int exit_code)
{
    TerminateProcess(GetCurrentProcess(), (UINT)exit_code);
}

/* @name, with what every pipe's name begins with put in front if it is missing. Return: the
 * name, for free(); NULL if it cannot be one. */
static wchar_t *full_pipe_name(const wchar_t *name)
{
    size_t prefix = wcslen(pipe_prefix);
    if (_wcsnicmp(name, pipe_prefix, prefix) == 0) {
        name += prefix;
    }
    size_t size = wcslen(name);
    if (size == 0 || name[0] == L'\\' || prefix + size > PIPE_CHARS_MAX) {
        return NULL;
    }
    wchar_t *full = malloc((prefix + size + 1) * sizeof(*full));
    if (full != NULL) {
        memcpy(full, pipe_prefix, prefix * sizeof(*full));
        memcpy(full + prefix, name, (size + 1) * sizeof(*full));
    }
    return full;
}

static int run(int count, wchar_t **arguments, bool console)
{
    struct hbk_options options = {.pipe = HBK_WIN_PIPE_NAME, .config = NULL};
    const wchar_t *pipe = NULL;
    wchar_t *full = NULL;

    for (int i = 0; i < count; i++) {
        const wchar_t **value = NULL;
        if (console && wcscmp(arguments[i], L"--pipe") == 0) {
            value = &pipe;
        } else if (wcscmp(arguments[i], L"--config") == 0) {
            value = &options.config;
        } else {
            return usage("unknown argument ", arguments[i]);
        }
        if (*value != NULL) {
            return usage("given twice: ", arguments[i]);
        }
        if (i + 1 == count) {
            return usage("a value is missing after ", arguments[i]);
        }
        *value = arguments[++i];
    }
    if (pipe != NULL) {
        full = full_pipe_name(pipe);
        if (full == NULL) {
            return usage("no name of a pipe: ", pipe);
        }
        options.pipe = full;
    }
    int result = console ? hbk_console_run(&options) : hbk_service_run(&options);
    free(full);
    return result;
}

int wmain(int count, wchar_t **arguments)
{
    hbk_harden();
    if (count >= 2) {
        const wchar_t *first = arguments[1];
        if (wcscmp(first, L"run") == 0) {
            return run(count - 2, arguments + 2, true);
        }
        if (wcscmp(first, L"--check-config") == 0) {
            return count == 3 ? hbk_settings_check(arguments[2])
                              : usage("one file must follow ", first);
        }
        if (count == 2 && wcscmp(first, L"--version") == 0) {
            printf("handlebroker %s\n", HBK_VERSION_STRING);
            return HBK_EXIT_OK;
        }
        if (count == 2 && (wcscmp(first, L"--help") == 0 || wcscmp(first, L"-h") == 0 ||
                           wcscmp(first, L"/?") == 0)) {
            print_help();
            return HBK_EXIT_OK;
        }
    }
    return run(count - 1, arguments + 1, false);
}
