/* The audit file, read back record by record, and what a test wants of each. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core_rig.h"

enum { LOG_RECORDS_MAX = 256 };

struct log {
    struct rig *rig;
    struct hbk_message messages[LOG_RECORDS_MAX]; /* what records borrow from */
    size_t count, taken;
    uint64_t serial; /* of the last one */
};

/** log_new() - of @rig, whose configuration asks for the file. What is in there is passed over. */
struct log *log_new(struct rig *rig);
/** log_free() - no record may be left untaken. */
void log_free(struct log *log);
/** log_forget() - pass over what is there now. */
void log_forget(struct log *log);
/**
 * log_take() - the next record; it must be @event with @outcome
 * @error: wire name; NULL: none
 *
 * Return: valid until log_forget() or log_free().
 */
const struct hbk_event *log_take(struct log *log, const char *event, const char *outcome,
                                 const char *error);
/** log_nothing() - no record is left. */
void log_nothing(struct log *log);

#endif
