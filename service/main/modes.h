/* The two ways to run: under the Service Control Manager, and in a console. */
#ifndef HBK_MODES_H
#define HBK_MODES_H

#include <wchar.h>

#define HBK_SERVICE_NAME L"HandleBroker"

enum hbk_exit {
    HBK_EXIT_OK = 0,
    HBK_EXIT_FAILED = 1,
    HBK_EXIT_USAGE = 2, /* the command line or the configuration file: nothing was started */
};

struct hbk_options {
    const wchar_t *pipe;
    const wchar_t *config; /* NULL: none */
};

/** hbk_service_run() - be the service; returns when it has stopped. Return: enum hbk_exit. */
int hbk_service_run(const struct hbk_options *options);

/** hbk_console_run() - serve until Ctrl+C or the console's end. Return: enum hbk_exit. */
int hbk_console_run(const struct hbk_options *options);

/** hbk_leave() - end the process at once, whatever a thread of it is stuck in. */
void hbk_leave(int exit_code);

#endif
