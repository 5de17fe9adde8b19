/* hbctl as people and scripts use it: it is run, and what it printed is looked at. */
#ifndef HBK_KIT_TOOL_H
#define HBK_KIT_TOOL_H

#include "kit.h"

/* Its exit codes. */
enum { KIT_DONE = 0, KIT_REFUSED = 1, KIT_USAGE = 2, KIT_UNAVAILABLE = 3, KIT_TOO_LATE = 4 };

enum { KIT_HBCTL_MS = 20000 };

/* What the last one printed. */
extern struct kit_output kit_said;

/** kit_reach() - what has to be said to reach the broker under test: nothing, if it is the service. */
const wchar_t *kit_reach(void);

/** kit_hbctl() - run it with the arguments that @format makes, at the broker under test, and assert
 * its exit code. */
void kit_hbctl(int expected, const wchar_t *format, ...);

/** kit_hbctl_at() - the same at the broker with this pipe; NULL: with no more said. */
void kit_hbctl_at(const wchar_t *pipe, int expected, const wchar_t *format, ...);

/** kit_says() - assert that @what stands in @text. */
void kit_says(const char *text, const char *what);

/** kit_is_json() - assert that @text is lines, and each an object of the protocol's strict profile. */
void kit_is_json(const char *text);

#endif
