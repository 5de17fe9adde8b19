/* The core's own books, looked at from inside: what is charged to users must be what a full count gives. */
#ifndef CORE_BOOKS_H
#define CORE_BOOKS_H

#include "core.h"
#include "fake_platform.h"

/** books_check() - after hbk_core_run(). */
void books_check(const struct hbk_core *core, const struct fake_kernel *kernel);
/** books_check_empty() - once the broker has stopped: no user is left, and nothing is charged to anybody. */
void books_check_empty(const struct hbk_core *core, const struct fake_kernel *kernel);

#endif
