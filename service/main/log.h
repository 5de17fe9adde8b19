/* The one place where the service says something. Lines are for operators: what happened and
 * what to do. */
#ifndef HBK_LOG_H
#define HBK_LOG_H

#include "base.h"

#include <stdbool.h>
#include <stddef.h>

/** hbk_log_init() - @console: to standard error too. Before other threads run. */
void hbk_log_init(bool console);

/** hbk_log() - one line of UTF-8, without its LF; control bytes become '?'. Any thread. */
HBK_PRINTF(1, 2)
void hbk_log(const char *format, ...);

/** hbk_log_narrow() - @wide as UTF-8 in @text, cut if it does not fit. Return: @text. */
const char *hbk_log_narrow(const wchar_t *wide, char *text, size_t capacity);

/** hbk_log_error_text() - what Windows says of @error, in @text or static. */
const char *hbk_log_error_text(unsigned long error, char *text, size_t capacity);

/** hbk_log_windows_error() - "what: text of Windows (error N)". */
void hbk_log_windows_error(const char *what, unsigned long error);

#endif
