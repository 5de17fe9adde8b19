/* The operator's log: the Windows event log in the service, standard error in a console. */
#ifndef HBK_EVENTLOG_H
#define HBK_EVENTLOG_H

#include "platform.h"

#include <wchar.h>

enum {
    HBK_EVENT_INSERTS_MAX = 8,
    HBK_EVENT_INSERT_CHARS = 2048, /* with its NUL; what does not fit is cut */
    HBK_EVENTS_WAITING_MAX = 64,   /* for the event log's own service to take them */
};

/* One message of the catalogue (installer/handlebroker.mc), ready to be reported. */
struct hbk_event_message {
    uint32_t id;  /* HBK_MESSAGE_... of the generated header, severity included */
    size_t count; /* of its inserts */
    wchar_t inserts[HBK_EVENT_INSERTS_MAX][HBK_EVENT_INSERT_CHARS];
};

/** hbk_event_message() - @notice as message; texts are cut, and cannot stand for other inserts. */
void hbk_event_message(const struct hbk_notice *notice, struct hbk_event_message *ret_message);

/** hbk_event_message_text() - message @id with one text, or with a number before it (@number: NULL: none). */
void hbk_event_message_text(uint32_t id, const char *number, const char *text,
                            struct hbk_event_message *ret_message);

struct hbk_event_log;

/**
 * hbk_event_log_new() - a thread that reports; nobody else waits for the event log, or for a console
 * @console: lines on standard error instead of events
 *
 * Return: NULL out of memory, or no thread.
 */
struct hbk_event_log *hbk_event_log_new(bool console);

/** hbk_event_log_notice() - report @notice, copied; texts may be NULL. Any thread; never blocks. What finds the queue full is counted,
 * and told with what is reported next. */
void hbk_event_log_notice(struct hbk_event_log *log, const struct hbk_notice *notice);

/** hbk_event_log_text() - report one of the messages that are no notice: started, stopped, not started. */
void hbk_event_log_text(struct hbk_event_log *log, uint32_t id, const char *number,
                        const char *text);

/** hbk_event_log_free() - report what waits, for at most @bound_ms; a thread that is stuck is left behind with
 * all that it uses. NULL is accepted. Return: false: it was. */
bool hbk_event_log_free(struct hbk_event_log *log, uint32_t bound_ms);

#endif
