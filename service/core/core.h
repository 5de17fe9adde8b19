/* The broker: sessions, endpoints, deliveries. A state machine on one thread that is fed events and acts
 * through the platform seam; it knows no pipe, no clock, no thread and no Windows.
 *
 * How to drive it: feed events as they happen; then call hbk_core_run() until it returns false; then sleep
 * until the next event, or until hbk_core_deadline_ms() says that hbk_core_tick() is due. */
#ifndef HBK_CORE_H
#define HBK_CORE_H

#include "base.h"
#include "platform.h"
#include "policy.h"

/* What an operator may set; the rest stands in limits.h. */
struct hbk_config {
    /* of the whole service: of each, a user may take half of what the others leave */
    uint32_t sessions, requests, pins, pending, endpoints, queued_bytes, stored, stored_bytes;
    uint32_t sessions_per_user;
    uint32_t requests_per_session, endpoints_per_session, pins_per_session, pending_per_endpoint;
    uint32_t write_queue_bytes;
    bool audit_file; /* audit_line() wants every record */
    uint32_t hello_ms, line_ms, write_ms, stop_ms;
    uint32_t pid; /* the broker's own, for broker.status */
};

/** hbk_config_default() - the limits of limits.h. */
void hbk_config_default(struct hbk_config *ret_config);

struct hbk_core;

/**
 * hbk_core_new() - a broker with no sessions
 * @platform: copied; its context must outlive the core
 *
 * Return: the core; NULL out of memory.
 */
struct hbk_core *hbk_core_new(const struct hbk_platform *platform, const struct hbk_config *config);

/**
 * hbk_core_configure() - other limits and other rules, from now on
 * @policy: taken over; NULL: the built-in rules
 * @source: the file that they are from, for the record; NULL: none
 *
 * Endpoints stay open; whoever may no longer listen or send meets `denied` from the next send on. Limits
 * bind what is asked from now on: nothing is taken back.
 */
void hbk_core_configure(struct hbk_core *core, const struct hbk_config *config,
                        struct hbk_policy *policy, const char *source);

/** hbk_core_note() - record what happened outside of the core (a client refused at the pipe, a policy file that
 * was not taken, a warning of the service): in the operator's log, the audit file and to who watches. */
void hbk_core_note(struct hbk_core *core, const struct hbk_notice *notice);

/** hbk_core_free() - only after hbk_core_stopped() is true, or when no session was ever open. */
void hbk_core_free(struct hbk_core *core);

/* ---- events ---- */

enum { HBK_CORE_E_REFUSED = 1 };

/**
 * hbk_core_session_opened() - a client has connected and is who @peer says
 * @connection: handed to the platform's operations; the core calls close() and release() on it, also
 *              where the session is refused for a limit (after it was told so)
 *
 * Return: 0, and *ret_session for the events that follow; HBK_CORE_E_REFUSED, nothing was kept
 * and the connection is still the caller's (stopping, out of memory or no slot).
 */
int hbk_core_session_opened(struct hbk_core *core, const struct hbk_peer *peer, void *connection,
                            uint64_t *ret_session);

/** hbk_core_bytes() - @size bytes came from the client; the platform is to read no more until read_on(). A session that
 * has ended ignores them. */
void hbk_core_bytes(struct hbk_core *core, uint64_t session, const void *bytes, size_t size);

/** hbk_core_session_closed() - the client hung up, its pipe broke or its process ended. May be repeated. */
void hbk_core_session_closed(struct hbk_core *core, uint64_t session);

/** hbk_core_written() - the pending write of @session ended; @told: with success. */
void hbk_core_written(struct hbk_core *core, uint64_t session, bool told);

/** hbk_core_unpinned() - the close of a pin that was answered PENDING has returned. */
void hbk_core_unpinned(struct hbk_core *core, uint64_t ticket);

/**
 * hbk_core_sockets_made() - what sockets_make() began has returned
 * @failure: NULL, all are made; else nothing of them is left in the process
 * @item:    which of them @failure is about
 */
void hbk_core_sockets_made(struct hbk_core *core, uint64_t ticket,
                           const struct hbk_failure *failure, size_t item);

/**
 * hbk_core_looked() - what look() began has returned
 * @looked:  what was found, for as long as this runs; NULL: nothing was, for @failure
 */
void hbk_core_looked(struct hbk_core *core, uint64_t ticket, const struct hbk_looked *looked,
                     const struct hbk_failure *failure);

/** hbk_core_proof_closed() - the close of a proof that was answered PENDING has returned. */
void hbk_core_proof_closed(struct hbk_core *core, uint64_t session);

/* ---- time and work ---- */

/**
 * hbk_core_run() - do one piece of what is ready
 *
 * A phase of one request, or of one with many handles a part of it; a write; some closes; and so on: a few calls of
 * the platform. The user goes first who has had the least, and of its processes the one that has (turn.h).
 *
 * Return: true if more is left: look at the pipes, then call again.
 */
bool hbk_core_run(struct hbk_core *core);

/** hbk_core_deadline_ms() - when (platform time) the next hbk_core_tick() is due; UINT64_MAX: never. */
uint64_t hbk_core_deadline_ms(const struct hbk_core *core);

/** hbk_core_tick() - act on deadlines that have passed, at most HBK_DEADLINES_PER_TURN: the others stay due. Call
 * hbk_core_run() afterwards. */
void hbk_core_tick(struct hbk_core *core);

/**
 * hbk_core_pause() - begin nothing new, or again what is asked
 *
 * While paused, handle.send, handle.transfer, store.put and store.get are `busy`, and so is session.prove but for who
 * may inspect. What is under way,
 * waits included, goes on to its end, and all else is answered as ever. May be repeated.
 */
void hbk_core_pause(struct hbk_core *core, bool paused);

/** hbk_core_stop() - answer `stopping` to all that is not told yet, let writes end, close every session. */
void hbk_core_stop(struct hbk_core *core);

/** hbk_core_stopped() - everything is closed and every pin's close has returned. */
bool hbk_core_stopped(const struct hbk_core *core);

/**
 * hbk_core_metrics() - what was counted, as text for Prometheus
 * @text: it is appended, at most HBK_METRICS_BYTES_MAX bytes; `failed`: out of memory, nothing was
 */
void hbk_core_metrics(struct hbk_core *core, struct hbk_buffer *text);

/** hbk_core_pins() - pins held, for checks of what is left behind. */
uint32_t hbk_core_pins(const struct hbk_core *core);

#endif
