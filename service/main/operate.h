/* What the service does for its operator, beside serving clients: the audit file, the log, and reading the
 * rules again. Everything here runs on the main loop's thread unless it says otherwise. */
#ifndef HBK_OPERATE_H
#define HBK_OPERATE_H

#include "broker.h"
#include "eventlog.h"
#include "settings.h"

#include <uv.h>

struct hbk_operate;

struct hbk_operate_options {
    const struct hbk_settings *settings; /* what the service starts with; not kept */
    const wchar_t *config;               /* --config; NULL: none; must outlive this */
    bool console;
    struct hbk_event_log *log; /* must outlive this */
};

/** hbk_operate_new() - Return: 0; -1 out of memory. */
int hbk_operate_new(uv_loop_t *loop, const struct hbk_operate_options *options,
                    struct hbk_operate **ret_operate);

/** hbk_operate_sinks() - for the broker, which calls them on its own thread. */
void hbk_operate_sinks(struct hbk_operate *operate, struct hbk_win_sinks *ret_sinks);

/** hbk_operate_serve() - there is a broker now: what is noted goes through its records. */
void hbk_operate_serve(struct hbk_operate *operate, struct hbk_broker *broker);

/** hbk_operate_note() - record @notice, copied, by way of the broker; where there is none, in the log alone. */
void hbk_operate_note(struct hbk_operate *operate, const struct hbk_notice *notice);

/** hbk_operate_reload() - read the configuration file again. Any thread, until hbk_operate_stop(). */
void hbk_operate_reload(struct hbk_operate *operate);

/** hbk_operate_stop_ms() - how long a stop may take after the broker has ended. */
uint32_t hbk_operate_stop_ms(void);

/**
 * hbk_operate_stop() - the broker has ended: write what waits for the audit file, and let go of the loop
 * @ended: called once; @stuck: a worker is in a call that does not return; leave the process at once
 */
void hbk_operate_stop(struct hbk_operate *operate, void (*ended)(void *context, bool stuck),
                      void *context);

/** hbk_operate_free() - when the loop is empty. NULL is accepted. */
void hbk_operate_free(struct hbk_operate *operate);

#endif
