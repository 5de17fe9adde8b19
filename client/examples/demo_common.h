/* What the demonstration's two programs share. Neither starts the other, no handle of theirs is
 * inheritable, no object has a name: what they have in common comes through the broker. */
#ifndef HBK_DEMO_COMMON_H
#define HBK_DEMO_COMMON_H

#include "handlebroker.h"

#include <stdbool.h>

#define DEMO_WAIT_MS 20000u /* the longest that any step may take */
#define DEMO_DATA "demo: event, mutex, semaphore, timer, section, file, pipe"

#define DEMO_FILE_TEXT "known bytes in a file without sharing\n"
#define DEMO_FILE_REPLY "and what the target has written behind them\n"
#define DEMO_SECTION_TEXT "known bytes in a section without a name"
#define DEMO_PIPE_TEXT "through a pipe that the target never opened"

#define DEMO_SEMAPHORE_COUNT 3
#define DEMO_TIMER_MS 50

/* The items, in the order in which they are sent. */
enum demo_item {
    DEMO_EVENT,
    DEMO_MUTEX,
    DEMO_SEMAPHORE,
    DEMO_TIMER,
    DEMO_SECTION,
    DEMO_FILE,
    DEMO_PIPE,
    DEMO_ITEMS,
};

extern const char *const demo_item_names[DEMO_ITEMS];
extern const char *const demo_item_types[DEMO_ITEMS];

/* What lies in the section. */
struct demo_section {
    char known[64];   /* by the source, before it is sent */
    char reply[64];   /* by the target: DEMO_SECTION_TEXT backwards */
    char verdict[64]; /* by the source, in the end: DEMO_CONFIRMED */
    DWORD target_pid; /* by the target */
    DWORD source_pid; /* by the source */
};

#define DEMO_CONFIRMED "the source has seen it all"

/** demo_begin() - @who speaks; every line that is printed begins so. */
void demo_begin(const char *who);

/** demo_say() - print a line at once. */
#if defined(__MINGW32__) && !defined(__clang__)
__attribute__((format(gnu_printf, 1, 2)))
#elif defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void demo_say(const char *format, ...);

/** demo_check() - print that @what happened, or that it failed. Return: @happened. */
bool demo_check(bool happened, const char *what);

/** demo_failed() - print what a call of the library said. Return: false. */
bool demo_failed(const char *what, const hbk_error_info *error);

/** demo_look() - print value, type and granted access of @handle, as the kernel of this process has
 * them. Return: true if the type is that of @item. */
bool demo_look(enum demo_item item, HANDLE handle, uint32_t *ret_access);

/** demo_handles() - handles open in this process. */
unsigned demo_handles(void);

/** demo_handles_back() - print whether there are @before handles open again, soon. */
bool demo_handles_back(unsigned before);

/** demo_warm_up() - connect and leave once, so that what Windows itself opens for that is open. */
bool demo_warm_up(void);

/** demo_backwards() - @text from its end; @ret_text has as much room. */
void demo_backwards(const char *text, char *ret_text, size_t size);

#endif
