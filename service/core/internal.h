/* What the files of service/core share. Who owns what:
 * - core owns all users, scopes, sessions; a session its endpoints and the deliveries that it sends; a
 *   delivery its pins.
 * - A session stays until its pipe is closed, its last write has ended, and the last close of a pin that was
 *   charged to it has returned.
 * - A delivery is at most in one list of its target: `blocked`, `offered`, `accepted`, `carried` or
 *   `in_flight`, by its state. */
#ifndef HBK_INTERNAL_H
#define HBK_INTERNAL_H

#include "audit.h"
#include "core.h"
#include "frame.h"
#include "list.h"
#include "message.h"
#include "pool.h"
#include "quota.h"
#include "table.h"
#include "timer.h"
#include "type.h"

/* One user SID: whom limits are counted against. */
struct hbk_user {
    struct hbk_node node; /* in core.users */
    uint32_t sessions;    /* that keep it, also those that are refused */
    uint32_t refused;     /* of them, those that are told so and end */
    uint64_t used[HBK_QUOTA_COUNT];
    struct hbk_link
        throttled; /* struct hbk_session.throttle_link: not read until it has fewer queued bytes */
    char sid[HBK_SID_BYTES_MAX + 1];
};

/* One identity: the namespace of its user/ names. */
struct hbk_scope {
    struct hbk_node node;      /* in core.scopes */
    uint32_t sessions;         /* that keep it */
    struct hbk_link endpoints; /* struct hbk_endpoint.scope_link, oldest first */
    uint8_t digest[32];
};

enum hbk_session_state {
    HBK_SESSION_NEW,    /* nothing said yet */
    HBK_SESSION_HELLO,  /* the proof is in its process */
    HBK_SESSION_PROVEN, /* is who it says */
    HBK_SESSION_ENDING, /* reads no more; what is queued is still written */
    HBK_SESSION_CLOSED, /* the pipe is closed; waits for the last write and the last pins */
};

struct hbk_session {
    struct hbk_slot slot;
    struct hbk_core *core;
    void *connection;
    enum hbk_session_state state;
    struct hbk_link all_link;    /* in core.sessions */
    struct hbk_link run_link;    /* in core.running: it has a phase to do */
    struct hbk_link dirty_link;  /* in core.dirty: it has something to write */
    struct hbk_link settle_link; /* in core.settling: it may be closed or freed */
    struct hbk_user *user;
    struct hbk_scope *scope;
    struct hbk_timer timer;
    uint64_t hello_due, line_due, write_due, end_due; /* HBK_NEVER: none */

    struct hbk_id hello_id; /* of a hello that waits for a pending write; kind NONE: none does */
    struct hbk_id prove_id; /* of a prove whose proof is being closed; no line is taken meanwhile */
    struct hbk_framer input;
    bool input_ready; /* the framer may hold a whole line */
    bool read_paused;
    bool counted;                  /* among its user's sessions: not one that is refused */
    struct hbk_link throttle_link; /* in user.throttled */
    uint64_t bytes; /* that its user is charged for: in `input`, `queued`, `writing` */

    struct hbk_buffer queued;  /* lines to be written */
    struct hbk_buffer writing; /* lines being written: not touched while write_pending */
    bool write_pending;

    /* as a sender */
    struct hbk_link sends; /* struct hbk_delivery.send_link, oldest first */
    struct hbk_link ready; /* struct hbk_delivery.ready_link: those with a phase to do */
    uint32_t requests;     /* in flight */
    uint32_t pins;
    /* as a target */
    struct hbk_link endpoints; /* struct hbk_endpoint.session_link */
    uint32_t endpoint_count;
    struct hbk_link blocked;   /* struct hbk_delivery.target_link: wait for the pending write */
    struct hbk_link offered;   /* … for accept or reject */
    struct hbk_link accepted;  /* … accepted, not placed yet */
    struct hbk_link carried;   /* … placed, named in `queued` */
    struct hbk_link in_flight; /* … placed, named in `writing` */
    int32_t gone_code;         /* what senders are answered when this target goes */
    uint64_t gone_told;        /* the session of which this one was told last that it is gone */

    struct hbk_link watch_link; /* in core.audit.watchers */
    uint64_t opened_ms;
    uint64_t sent, received; /* deliveries that were told */
    struct hbk_peer peer;
    /* as it calls itself; sizes 0: before hello */
    uint8_t client_name_size, client_version_size;
    char client_name[HBK_CLIENT_NAME_BYTES_MAX], client_version[HBK_CLIENT_VERSION_BYTES_MAX];
};

struct hbk_endpoint {
    struct hbk_node node; /* in core.endpoints, by scope and name */
    struct hbk_session *owner;
    struct hbk_link session_link, scope_link;
    struct hbk_link pending; /* struct hbk_delivery.endpoint_link: not told yet */
    uint32_t pending_count;
    uint64_t serial; /* ever rising: the cursor of a listing */
    uint64_t opened_ms;
    uint8_t mode; /* enum hbk_mode */
    uint32_t items_max;
    uint32_t accepts[HBK_TYPE_COUNT];   /* rights taken of each type; 0: none of it */
    bool any[HBK_TYPE_COUNT];           /* all rights of it */
    uint8_t rule_kinds[HBK_TYPE_COUNT]; /* enum hbk_type_rule_kind, as it was said */
    size_t name_size;
    char name[HBK_NAME_BYTES_MAX];
};

enum hbk_delivery_state {
    HBK_DELIVERY_READY,    /* in its sender's `ready` */
    HBK_DELIVERY_BEHIND,   /* an earlier send of this session to this name goes first */
    HBK_DELIVERY_WAITING,  /* for the endpoint to open; in core.waiting */
    HBK_DELIVERY_BLOCKED,  /* for the target's pending write */
    HBK_DELIVERY_OFFERED,  /* for accept or reject */
    HBK_DELIVERY_ACCEPTED, /* to be placed once the target's pending write has ended */
    HBK_DELIVERY_WRITING,  /* placed; told or not is open */
    HBK_DELIVERY_CLOSING,  /* over; pins are to be closed, or being closed */
};

struct hbk_pinned {
    hbk_pin pin;
    uint32_t access; /* that the target gets */
    uint32_t value;  /* in the target; 0: not placed */
    uint8_t type;    /* enum hbk_type */
    bool same;       /* access is what the pin has */
    bool inherit, protect;
};

#define HBK_DELIVERY_INLINE_ITEMS 2

struct hbk_delivery {
    struct hbk_slot slot;
    struct hbk_session *sender;
    struct hbk_session *target;    /* NULL: not bound to an endpoint */
    struct hbk_endpoint *endpoint; /* NULL: not bound, or over */
    enum hbk_delivery_state state;
    bool answered;
    uint64_t correlation;    /* in records: of the sender's request */
    struct hbk_id id;        /* of the sender's request */
    struct hbk_id accept_id; /* of the target's */
    struct hbk_timer timer;
    uint64_t wait_due;
    uint32_t timeout_ms;
    uint32_t expect_pid;
    uint64_t name_hash;
    struct hbk_node name_node; /* in core.waiting */
    struct hbk_link send_link, ready_link, target_link, endpoint_link, close_link;
    struct hbk_delivery *ahead, *behind;     /* this session's sends to the same name, in order */
    bool in_lane;                            /* holds back those behind it */
    struct hbk_text name, data, expect_user; /* in `text` */
    char *text;
    uint32_t closes_pending;
    size_t item_count;
    struct hbk_pinned *items; /* `few` or allocated */
    struct hbk_pinned few[HBK_DELIVERY_INLINE_ITEMS];
};

struct hbk_core {
    struct hbk_platform platform;
    struct hbk_config config;
    struct hbk_hash_key hash_key;
    struct hbk_pool session_pool, delivery_pool;
    struct hbk_table users, scopes, endpoints, waiting;
    struct hbk_timers timers;
    struct hbk_link sessions, running, dirty, settling;
    struct hbk_link closing;    /* struct hbk_delivery.close_link */
    struct hbk_message message; /* the request at work */
    struct hbk_policy *policy;  /* NULL: the built-in rules, and `inspect` for nobody */
    uint32_t policies_loaded;   /* from a file */
    struct hbk_audit audit;
    uint64_t used[HBK_QUOTA_COUNT]; /* by all users */
    uint64_t started_ms;
    uint64_t next_serial;
    uint64_t stop_due;
    bool stopping;
    uint32_t proven, closes_pending;
    uint64_t delivered, failed;
};

enum { HBK_TIMER_SESSION, HBK_TIMER_DELIVERY, HBK_TIMER_AUDIT };

static inline uint64_t hbk_now(struct hbk_core *core)
{
    return core->platform.now_ms(core->platform.context);
}

/* ---- core.c ---- */

struct hbk_user *hbk_core_user(struct hbk_core *core, const char *sid);
void hbk_core_user_release(struct hbk_core *core, struct hbk_user *user);
struct hbk_scope *hbk_core_scope(struct hbk_core *core, const uint8_t digest[32]);
void hbk_core_scope_release(struct hbk_core *core, struct hbk_scope *scope);

/* ---- session.c ---- */

void hbk_session_bytes(struct hbk_session *session, const void *bytes, size_t size);
/** hbk_session_schedule() - there may be a phase to do. */
void hbk_session_schedule(struct hbk_session *session);
/** hbk_session_update_pause() - stop or go on reading, by what waits in both directions. */
void hbk_session_update_pause(struct hbk_session *session);
/** hbk_session_phase() - do one phase of one request. */
void hbk_session_phase(struct hbk_session *session);
/** hbk_session_end() - read no more, undo what hangs on it, write what is queued, close. @error: NULL, or
 * told to the client first, with no id. */
void hbk_session_end(struct hbk_session *session, int32_t gone_code, const struct hbk_error *error);
/** hbk_session_hang_up() - as above, but close at once. */
void hbk_session_hang_up(struct hbk_session *session, int32_t gone_code);
/** hbk_session_settle_later() - nothing is freed in the middle of a phase, only by settle() after it. */
void hbk_session_settle_later(struct hbk_session *session);
/** hbk_session_settle() - close or free it if nothing holds it any more. */
void hbk_session_settle(struct hbk_session *session);
void hbk_session_expire(struct hbk_session *session, uint64_t now_ms);
/** hbk_session_arm() - set the timer to the earliest of its deadlines. */
void hbk_session_arm(struct hbk_session *session);
bool hbk_session_alive(const struct hbk_session *session); /* not ending, not closed */

/* ---- output.c ---- */

/* Begin and end a line to @session: what `end` finds failed (out of memory) is taken back, and the session
 * is ended; then it returns false. */
size_t hbk_output_begin(const struct hbk_session *session);
bool hbk_output_end(struct hbk_session *session, size_t begin);
/** hbk_output_error() - refuse the request at work, and record that. */
void hbk_output_error(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_error *error);
/** hbk_output_failure() - the line alone, of a request whose record is left elsewhere. */
void hbk_output_failure(struct hbk_session *session, const struct hbk_id *id,
                        const struct hbk_error *error);
/** hbk_output_event() - one ready line to who watches. Return: false: its queue has no room, or memory is out;
 * nothing was added. */
bool hbk_output_event(struct hbk_session *session, const struct hbk_buffer *line);
void hbk_output_result(struct hbk_session *session, const struct hbk_id *id, enum hbk_method method,
                       const void *result);
/** hbk_output_gone() - tell @session once that session @gone has ended. */
void hbk_output_gone(struct hbk_session *session, uint64_t gone);
/** hbk_output_free() - nothing is being written, so handles may be placed for the next write. */
bool hbk_output_free(struct hbk_session *session);
void hbk_output_flush(struct hbk_session *session);
void hbk_output_written(struct hbk_session *session, bool told);
/** hbk_output_full() - the client reads too slowly: take no more requests from it. */
bool hbk_output_full(const struct hbk_session *session);

/* ---- request.c ---- */

#define HBK_SERVER_NAME "Handle Broker"

struct hbk_peer_info hbk_session_peer_info(const struct hbk_peer *peer);
struct hbk_sender hbk_session_as_sender(const struct hbk_session *session);

/** hbk_request_hello_go_on() - answer a hello that waited for a pending write, if there is one. */
void hbk_request_hello_go_on(struct hbk_session *session);
/** hbk_request_prove_go_on() - the proof is closed: answer the prove, if it still waits. */
void hbk_request_prove_go_on(struct hbk_session *session);
/** hbk_request_line() - act on one line. */
void hbk_request_line(struct hbk_session *session, struct hbk_text line);

/* ---- operate.c: how an operator looks at the broker ---- */

void hbk_operate_status(struct hbk_session *session, const struct hbk_id *id);
void hbk_operate_sessions(struct hbk_session *session, const struct hbk_id *id,
                          const struct hbk_paging *params);
void hbk_operate_watch(struct hbk_session *session, const struct hbk_id *id);

/* ---- grant.c ---- */

/** hbk_grant_configure() - other rules from now on; takes @policy over, NULL: built in. */
void hbk_grant_configure(struct hbk_core *core, struct hbk_policy *policy);
/** hbk_grant_verb() - may @session do what is about no name (transfer, inspect, revoke)? */
bool hbk_grant_verb(struct hbk_session *session, enum hbk_verb verb);

/* ---- endpoint.c ---- */

void hbk_endpoint_request_open(struct hbk_session *session, const struct hbk_id *id,
                               const struct hbk_endpoint_open *params);
void hbk_endpoint_request_close(struct hbk_session *session, const struct hbk_id *id,
                                const struct hbk_endpoint_close *params);
void hbk_endpoint_request_list(struct hbk_session *session, const struct hbk_id *id,
                               const struct hbk_paging *params);
/** hbk_endpoint_free() - close it: what is pending there ends with its owner's gone_code. */
void hbk_endpoint_free(struct hbk_endpoint *endpoint);
uint64_t hbk_endpoint_hash(struct hbk_core *core, const struct hbk_scope *scope,
                           struct hbk_text name);
/** hbk_endpoint_find() - that of @name in @scope, NULL if none. */
struct hbk_endpoint *hbk_endpoint_find(struct hbk_core *core, const struct hbk_scope *scope,
                                       struct hbk_text name, uint64_t hash);
/** hbk_endpoint_scope_check() - may this caller use @name's scope at all? 0, or filled @ret_error. */
int hbk_endpoint_scope_check(struct hbk_text name, struct hbk_error *ret_error);

enum { HBK_ENDPOINT_E_DENIED = 1 };

/* ---- send.c: the first phase ---- */

/** hbk_send_request() - check, pin and inspect; answer at once what fails. */
void hbk_send_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_send *params);
/** hbk_send_check_requests() - may this session have one more request in flight? 0, or filled @ret_error. */
int hbk_send_check_requests(const struct hbk_session *session, struct hbk_error *ret_error);
/** hbk_send_accepted_by() - does @endpoint take what @delivery has? 0, or filled @ret_error. */
int hbk_send_accepted_by(const struct hbk_delivery *delivery, const struct hbk_endpoint *endpoint,
                         struct hbk_error *ret_error);

enum { HBK_SEND_E_REFUSED = 1 };

/* ---- lane.c ---- */

/** hbk_lane_enter() - behind this session's other sends to the same name that are not placed yet. */
void hbk_lane_enter(struct hbk_delivery *delivery);
/** hbk_lane_leave() - placed, offered or over: the next one is ready. May be repeated. */
void hbk_lane_leave(struct hbk_delivery *delivery);

/* ---- delivery.c: from there on ---- */

/** hbk_delivery_expects() - is @owner the process that the sender expects (absent, 0: anyone)? */
bool hbk_delivery_expects(struct hbk_text user, uint32_t pid, const struct hbk_session *owner);
/** hbk_delivery_start() - all checks of the first phase are passed: take its place among the sends. */
void hbk_delivery_start(struct hbk_delivery *delivery);
/** hbk_delivery_unbind() - its endpoint closes while its line is being written. */
void hbk_delivery_unbind(struct hbk_delivery *delivery);
/** hbk_delivery_phase() - find the endpoint, then wait, offer, or place and tell. */
void hbk_delivery_phase(struct hbk_delivery *delivery);
void hbk_delivery_make_ready(struct hbk_delivery *delivery);
/** hbk_delivery_told() - its line was handed over, or never will be. */
void hbk_delivery_told(struct hbk_delivery *delivery, bool told);
/** hbk_delivery_fail() - undo what was placed, answer the sender if it is still there, let the pins go. */
void hbk_delivery_fail(struct hbk_delivery *delivery, const struct hbk_error *error);
void hbk_delivery_fail_code(struct hbk_delivery *delivery, int32_t code, const char *detail);
/** hbk_delivery_close() - close the pins; frees the delivery when the last close has returned. */
void hbk_delivery_close(struct hbk_delivery *delivery);
void hbk_delivery_unpinned(struct hbk_delivery *delivery);
void hbk_delivery_expire(struct hbk_delivery *delivery);
void hbk_delivery_request_accept(struct hbk_session *session, const struct hbk_id *id,
                                 const struct hbk_delivery_answer *params);
void hbk_delivery_request_reject(struct hbk_session *session, const struct hbk_id *id,
                                 const struct hbk_delivery_answer *params);
/** hbk_delivery_unlock() - the target's write has ended: go on with what waited for it. */
void hbk_delivery_unlock(struct hbk_session *target);
/** hbk_delivery_drop_sends() - the sender has ended: drop what is not placed, withdraw its offers. */
void hbk_delivery_drop_sends(struct hbk_session *sender);
/** hbk_delivery_stop_sends() - the service stops: answer `stopping` to what is not placed. */
void hbk_delivery_stop_sends(struct hbk_session *sender);

#endif
