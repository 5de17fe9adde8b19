/* What the service does for its operator, beside serving clients: the audit file, the log, and reading the
 * rules again. Everything here runs on the main loop's thread unless it says otherwise. */
#ifndef HBK_OPERATOR_H
#define HBK_OPERATOR_H

#include "broker.h"
#include "eventlog.h"
#include "settings.h"

#include <uv.h>

struct hbk_operator;

struct hbk_operator_options {
    const struct hbk_settings *settings; /* what the service starts with; not kept */
    const wchar_t *config;               /* --config; NULL: none; must outlive this */
    bool console;
    struct hbk_event_log *log; /* must outlive this */
};

/** hbk_operator_new() - Return: 0; -1 out of memory. */
int hbk_operator_new(uv_loop_t *loop, const struct hbk_operator_options *options,
                     struct hbk_operator **ret_operator);

/** hbk_operator_sinks() - for the broker, which calls them on its own thread. */
void hbk_operator_sinks(struct hbk_operator *op, struct hbk_win_sinks *ret_sinks);

/** hbk_operator_serve() - there is a broker now: what is noted goes through its records. */
void hbk_operator_serve(struct hbk_operator *op, struct hbk_broker *broker);

/** hbk_operator_note() - record @notice, copied, by way of the broker; where there is none, in the log alone. */
void hbk_operator_note(struct hbk_operator *op, const struct hbk_notice *notice);

/** hbk_operator_warn() - record that something about the service is not as it should be. */
void hbk_operator_warn(struct hbk_operator *op, uint32_t win32, const char *detail);

/** hbk_operator_reload() - read the configuration file again. Any thread, until hbk_operator_stop(). */
void hbk_operator_reload(struct hbk_operator *op);

/** hbk_operator_stop_ms() - how long a stop may take after the broker has ended. */
uint32_t hbk_operator_stop_ms(void);

/**
 * hbk_operator_stop() - the broker has ended: write what waits for the audit file, and let go of the loop
 * @ended: called once; @stuck: a worker is in a call that does not return; leave the process at once
 */
void hbk_operator_stop(struct hbk_operator *op, void (*ended)(void *context, bool stuck),
                       void *context);

/** hbk_operator_free() - when the loop is empty. NULL is accepted. */
void hbk_operator_free(struct hbk_operator *op);

#endif
