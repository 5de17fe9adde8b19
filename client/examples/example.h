/* What the examples share beside the broker: what they print, and child processes, which are the same
 * program again in another role. */
#ifndef HBK_EXAMPLE_H
#define HBK_EXAMPLE_H

#include "handlebroker.h"

#include <stdbool.h>

#define EXAMPLE_WAIT_MS 30000u /* the longest that any step may take */

/** example_begin() - @who speaks; every line that is printed begins so. */
void example_begin(const char *who);

/** example_say() - print a line at once. */
#if defined(__MINGW32__) && !defined(__clang__)
__attribute__((format(gnu_printf, 1, 2)))
#elif defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void example_say(const char *format, ...);

/** example_check() - print whether @what happened. Return: @happened. */
bool example_check(bool happened, const char *what);

/** example_failed() - print that the Windows call @what failed with @error. Return: false. */
bool example_failed(const char *what, DWORD error);

/** example_refused() - print why the broker or its library refused @what. Return: false. */
bool example_refused(const char *what, const hbk_error_info *error);

/** example_is_wine() - does this run under Wine, which enforces less than Windows? */
bool example_is_wine(void);

struct example_child {
    HANDLE process; /* NULL: none */
    HANDLE output;  /* of a child that was started with `piped`: what it prints */
    DWORD pid;
};

/**
 * example_start() - start this program again
 * @role:  its arguments
 * @token: NULL, or whom it is to run as
 * @piped: its output comes to example_next_line() rather than to ours
 *
 * The child inherits its standard output and nothing else. It ends with us, however we end.
 * Return: false, and has said why.
 */
bool example_start(struct example_child *ret_child, const char *role, HANDLE token, bool piped);

/** example_next_line() - wait for the next line that the child prints, and pass it on. Return: false
 * at its end. */
bool example_next_line(const struct example_child *child, char *ret_line, size_t size);

/** example_ended_well() - wait for the child's end, pass on what it prints until then. Return: did
 * its exit code say success? */
bool example_ended_well(struct example_child *child);

/** example_kill() - end the child, if there is one. */
void example_kill(struct example_child *child);

#endif
