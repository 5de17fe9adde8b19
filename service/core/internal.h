/* What the files of service/core share. Who owns what:
 * - core owns all users, scopes, sessions; a session its endpoints and the deliveries that it sends; a
 *   delivery its pins.
 * - A session stays until its pipe is closed, its last write has ended, and the last close of a pin that was
 *   charged to it has returned.
 * - A delivery is at most in one list of its target: `blocked`, `offered`, `accepted`, `carried`, `in_flight` or
 *   `untold`, by its state.
 * - A process stays as long as it has a session, or something to do; a user as long as it has a process.
 * - Whatever calls the platform for a session is a task of its process's (work.c), and counted in core.spent. */
#ifndef HBK_INTERNAL_H
#define HBK_INTERNAL_H

#include "audit.h"
#include "core.h"
#include "frame.h"
#include "list.h"
#include "message.h"
#include "pool.h"
#include "quota.h"
#include "roll.h"
#include "table.h"
#include "timer.h"
#include "turn.h"
#include "type.h"

enum hbk_work {
    HBK_WORK_PHASE, /* one phase of a request, or a part of one */
    HBK_WORK_WRITE, /* what is queued, in one write */
    HBK_WORK_CLOSE, /* what was placed and not told, and pins of deliveries that are over */
    HBK_WORK_READ,  /* on, from who has had all acted on that came before */
    HBK_WORK_END,   /* a session may be closed, or freed */
    HBK_WORK_KINDS
};

/* Something to do for one session. */
struct hbk_task {
    struct hbk_link link;        /* in one of the lists of `process` */
    struct hbk_process *process; /* at whose cost */
    struct hbk_session *session;
    enum hbk_work work;
};

/* One user SID: whom limits are counted against. */
struct hbk_user {
    struct hbk_node node; /* in core.users */
    struct hbk_turn turn;
    uint32_t processes; /* that keep it */
    uint32_t refused;   /* sessions that are told so and end */
    uint64_t used[HBK_QUOTA_COUNT];
    struct hbk_link
        throttled; /* struct hbk_session.throttle_link: not read until it has fewer queued bytes */
    char sid[HBK_SID_BYTES_MAX + 1];
};

/* A process of one user. */
struct hbk_process {
    struct hbk_node node; /* in core.callers, by pid */
    struct hbk_turn turn;
    struct hbk_link phases, writes, others; /* struct hbk_task.link */
    uint64_t unwritten;                     /* `spent` on phases since it last had no `writes` */
    struct hbk_user *user;
    uint32_t pid;
    uint32_t sessions;
};

enum hbk_scope_kind {
    HBK_SCOPE_USER,    /* user/: one namespace per identity */
    HBK_SCOPE_SESSION, /* session/: one per Terminal Services session */
    HBK_SCOPE_GLOBAL,  /* global/: one */
    HBK_SCOPE_KIND_COUNT
};

/* One namespace. */
struct hbk_scope {
    struct hbk_node node;      /* in core.scopes */
    uint32_t sessions;         /* that keep it */
    struct hbk_roll endpoints; /* struct hbk_endpoint by serial */
    uint8_t digest[32];
};

/* What was granted, and need not be asked again: to one session, at one endpoint, under one set of rules.
 * Refusals are not kept, so that a refusal costs the same whether the endpoint exists or not. */
struct hbk_grant {
    uint64_t serial;     /* of the endpoint; 0: empty */
    uint64_t generation; /* of the rules */
    uint8_t grounds;     /* enum hbk_ground, or'ed */
};

enum hbk_ground {
    HBK_GROUND_RULE = 0x1,      /* a rule lets it send to the name */
    HBK_GROUND_FROM = 0x2,      /* the endpoint's `from` lets it */
    HBK_GROUND_DUPLICATE = 0x4, /* Windows would let it place the handle there by itself */
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
    struct hbk_link all_link; /* in core.sessions */
    struct hbk_task tasks[HBK_WORK_KINDS];
    struct hbk_user *user;
    struct hbk_process *process;
    struct hbk_scope *scopes[HBK_SCOPE_KIND_COUNT];
    struct hbk_node process_node; /* in core.processes, by pid, while PROVEN */
    struct hbk_timer timer;
    uint64_t hello_due, line_due, write_due, end_due; /* HBK_NEVER: none */

    struct hbk_id hello_id; /* of a hello that waits for a pending write; kind NONE: none does */
    struct hbk_id prove_id; /* of a prove whose proof is being closed; no line is taken meanwhile */
    struct hbk_framer input;
    bool input_ready; /* the framer may hold a whole line */
    bool fed;         /* the platform waits for read_on() */
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
    struct hbk_link
        closing; /* struct hbk_delivery.close_link: over, with pins that nobody closes yet */
    struct hbk_delivery *pinning; /* the one whose items are being pinned, NULL: none */
    uint32_t requests;            /* in flight */
    uint32_t pins;                /* charged: made, or to be made for `pinning` */
    struct hbk_grant grants[HBK_GRANTS_CACHED];
    size_t grants_next; /* the one to be forgotten next */
    /* as a target */
    struct hbk_link endpoints; /* struct hbk_endpoint.session_link */
    uint32_t endpoint_count;
    struct hbk_link blocked;   /* struct hbk_delivery.target_link: wait for the pending write */
    struct hbk_link offered;   /* … for accept or reject */
    struct hbk_link accepted;  /* … accepted, not placed yet */
    struct hbk_link carried;   /* … placed, named in `queued` */
    struct hbk_link in_flight; /* … placed, named in `writing` */
    struct hbk_link untold;    /* … placed, and never to be told of: taken back, then answered */
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
    struct hbk_node node;         /* in core.endpoints, by scope and name */
    struct hbk_node process_node; /* in core.process_endpoints, by its owner's pid and name */
    struct hbk_session *owner;
    struct hbk_scope *scope;
    struct hbk_link session_link;
    struct hbk_link pending; /* struct hbk_delivery.endpoint_link: not told yet */
    uint32_t pending_count;
    uint64_t serial; /* ever rising: the cursor of a listing */
    uint64_t opened_ms;
    uint8_t mode; /* enum hbk_mode */
    uint32_t items_max;
    uint32_t accepts[HBK_TYPE_COUNT];   /* rights taken of each type; 0: none of it */
    bool any[HBK_TYPE_COUNT];           /* all rights of it */
    uint8_t rule_kinds[HBK_TYPE_COUNT]; /* enum hbk_type_rule_kind, as it was said */
    struct hbk_descriptor *from;        /* who may send; NULL: whoever else may */
    /* What the rules of `generation` say about its name; hbk_grant_refresh() keeps it true. */
    uint64_t generation;
    int open_rule, send_rule, limit_rule; /* or HBK_POLICY_NO_RULE */
    bool may_listen;                      /* its owner may (still) open it */
    size_t name_size;
    char name[HBK_NAME_BYTES_MAX];
};

enum hbk_delivery_state {
    HBK_DELIVERY_PINNING,  /* its sender's `pinning` */
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
    uint32_t access;   /* that the target gets */
    uint32_t value;    /* in the target; 0: not placed */
    uint32_t granted;  /* to the pin */
    uint8_t type;      /* enum hbk_type */
    uint8_t widenable; /* enum hbk_widenable, once `widenable_known` */
    bool widenable_known;
    bool same; /* access is what the pin has */
    bool inherit, protect;

    /* as it was asked for; of no use once it is pinned */
    uint8_t asked; /* enum hbk_access_kind */
    uint8_t said;  /* enum hbk_type, or as in send.c */
    uint32_t asked_mask;
    uint32_t handle; /* in the sender's table */
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
    uint32_t to_pid;           /* 0: to the name alone */
    struct hbk_scope *scope;   /* where that is looked for; NULL: to a process */
    uint64_t name_hash;        /* of name and scope, or of name and pid */
    uint64_t generation;       /* of the rules that let it to `endpoint` */
    struct hbk_node name_node; /* in core.waiting */
    struct hbk_link send_link, ready_link, target_link, endpoint_link, close_link;
    struct hbk_delivery *ahead, *behind;     /* this session's sends to the same name, in order */
    bool in_lane;                            /* holds back those behind it */
    struct hbk_text name, data, expect_user; /* in `text` */
    char *text;
    uint32_t closes_begun, closes_pending;
    uint32_t
        items_charged; /* as pins of its sender's; more than item_count while they are being pinned */
    size_t item_count;        /* pinned */
    size_t placed_count;      /* of those */
    struct hbk_pinned *items; /* `few` or allocated */
    struct hbk_pinned few[HBK_DELIVERY_INLINE_ITEMS];
};

struct hbk_core {
    struct hbk_platform platform;
    struct hbk_config config;
    struct hbk_hash_key hash_key;
    struct hbk_pool session_pool, delivery_pool;
    struct hbk_table users, scopes, endpoints, waiting;
    struct hbk_table processes;         /* proven sessions by pid */
    struct hbk_table callers;           /* struct hbk_process by pid */
    struct hbk_table process_endpoints; /* endpoints by pid and name */
    struct hbk_roll all_endpoints;
    struct hbk_policy *policy; /* NULL: the built-in rules, and `inspect` for nobody */
    uint64_t generation;       /* how often rules were loaded */
    struct hbk_timers timers;
    struct hbk_link sessions;
    struct hbk_turn turn;        /* the root */
    struct hbk_process *at_work; /* whose task is being done; NULL: an event */
    uint64_t spent;              /* ever: one a handle placed or closed, and what costs as much */
    struct hbk_message message;  /* the request at work */
    uint32_t policies_loaded;    /* from a file */
    struct hbk_audit audit;
    uint64_t used[HBK_QUOTA_COUNT]; /* by all users */
    uint32_t pins_ahead;            /* charged, and not made yet */
    uint64_t started_ms;
    uint64_t next_serial;
    uint64_t stop_due;
    bool stopping;
    uint32_t proven;
    uint64_t delivered, failed;
};

enum { HBK_TIMER_SESSION, HBK_TIMER_DELIVERY, HBK_TIMER_AUDIT };

static inline uint64_t hbk_now(struct hbk_core *core)
{
    return core->platform.now_ms(core->platform.context);
}

/* ---- core.c ---- */

/** hbk_core_process() - process @pid of user @sid. NULL out of memory. */
struct hbk_process *hbk_core_process(struct hbk_core *core, const char *sid, uint32_t pid);
/** hbk_core_process_release() - free it, and its user, if nothing keeps it any more. */
void hbk_core_process_release(struct hbk_core *core, struct hbk_process *process);
struct hbk_scope *hbk_core_scope(struct hbk_core *core, const uint8_t digest[32]);
void hbk_core_scope_release(struct hbk_core *core, struct hbk_scope *scope);

/* ---- work.c ---- */

void hbk_work_init(struct hbk_session *session);
/** hbk_work_add() - there may be something to do for @session. May be repeated. */
void hbk_work_add(struct hbk_session *session, enum hbk_work work);
/** hbk_work_drop() - @session is about to be freed. */
void hbk_work_drop(struct hbk_session *session);

/* ---- scope.c ---- */

/** hbk_scope_kind_of() - which namespace a well-formed @name is in. */
enum hbk_scope_kind hbk_scope_kind_of(struct hbk_text name);
/** hbk_scopes_keep() - the three of @peer, held until released. Return: 0; -1 out of memory. */
int hbk_scopes_keep(struct hbk_core *core, const struct hbk_peer *peer,
                    struct hbk_scope *ret_scopes[HBK_SCOPE_KIND_COUNT]);
/** hbk_scopes_release() - those that are NULL are passed over. */
void hbk_scopes_release(struct hbk_core *core, struct hbk_scope *scopes[HBK_SCOPE_KIND_COUNT]);

/* ---- grant.c: who may do what ---- */

enum hbk_decision { HBK_DECISION_NO_RULE, HBK_DECISION_GRANTED, HBK_DECISION_REFUSED };

/** hbk_grant_configure() - other rules from now on; takes @policy over, NULL: built in. What was granted is
 * asked again, and sends that wait look again. */
void hbk_grant_configure(struct hbk_core *core, struct hbk_policy *policy);
/** hbk_grant_verb() - may @session do what is about no name (transfer, inspect, revoke)? */
bool hbk_grant_verb(struct hbk_session *session, enum hbk_verb verb);
/** hbk_grant_rule() - what rule @rule (or HBK_POLICY_NO_RULE) says to @session about @verb. */
enum hbk_decision hbk_grant_rule(struct hbk_session *session, int rule, enum hbk_verb verb);
/** hbk_grant_name() - may @session do @verb under @name, by the rules or built in? */
bool hbk_grant_name(struct hbk_session *session, enum hbk_verb verb, struct hbk_text name);
/** hbk_grant_refresh() - after other rules were loaded: what they say about @endpoint. */
void hbk_grant_refresh(struct hbk_endpoint *endpoint);
/** hbk_grant_opened() - @endpoint was just opened, and its owner may. */
void hbk_grant_opened(struct hbk_endpoint *endpoint);
/** hbk_grant_send() - may @session send to @name, which is that of @endpoint (NULL: none is open)? */
bool hbk_grant_send(struct hbk_session *session, struct hbk_text name,
                    struct hbk_endpoint *endpoint);
/** hbk_grant_known() - may @session send to @endpoint, wherever that is, without anybody being asked? */
bool hbk_grant_known(const struct hbk_session *session, struct hbk_endpoint *endpoint);
/** hbk_grant_remember() - not to be asked again under these rules. */
void hbk_grant_remember(struct hbk_session *session, const struct hbk_endpoint *endpoint,
                        enum hbk_ground ground);
/** hbk_grant_from() - does the `from` of @endpoint, if it has one, let @session send? */
bool hbk_grant_from(struct hbk_session *session, const struct hbk_endpoint *endpoint);

/* ---- target.c: where a send goes ---- */

struct hbk_address {
    struct hbk_text name;
    uint32_t pid;            /* 0: to the name alone … */
    struct hbk_scope *scope; /* … in here; NULL: to a process */
    uint64_t hash;
    struct hbk_text expect_user; /* absent: anyone */
    uint32_t expect_pid;         /* 0: anyone */
};

enum {
    HBK_TARGET_E_NONE = 1,   /* nothing is open there for this session */
    HBK_TARGET_E_DENIED = 2, /* and it is not told whether it would find something */
};

/** hbk_target_address() - of name, or of {name, pid}. */
struct hbk_address hbk_target_address(struct hbk_session *session, const struct hbk_send *params);
struct hbk_address hbk_target_address_of(const struct hbk_delivery *delivery);
/** hbk_target_find() - the endpoint that @session may send to there, under the rules of now. */
int hbk_target_find(struct hbk_session *session, const struct hbk_address *address,
                    struct hbk_endpoint **ret_endpoint);
/** hbk_target_set_error() - what a sender is told that finds no @result at @address. */
void hbk_target_set_error(const struct hbk_address *address, int result,
                          struct hbk_error *ret_error);
/** hbk_target_wake() - sends that wait for such an endpoint look again, in the order in which they came. */
void hbk_target_wake(struct hbk_endpoint *endpoint);
/** hbk_target_insert() - @endpoint can be found. */
void hbk_target_insert(struct hbk_endpoint *endpoint);
void hbk_target_remove(struct hbk_endpoint *endpoint);
/** hbk_target_proven() - @session can be found by its pid, until … */
void hbk_target_proven(struct hbk_session *session);
/** hbk_target_unproven() - … it ends. */
void hbk_target_unproven(struct hbk_session *session);
/** hbk_target_session_at() - a proven session of process @pid; NULL if there is none. */
struct hbk_session *hbk_target_session_at(struct hbk_core *core, uint32_t pid);
/** hbk_target_endpoint_at() - of that name in process @pid, the one after @after (NULL: the first); NULL if
 * there is none. */
struct hbk_endpoint *hbk_target_endpoint_at(struct hbk_core *core, uint32_t pid,
                                            struct hbk_text name, struct hbk_endpoint *after);

/* ---- explain.c ---- */

void hbk_explain_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_explain *params);

/* ---- session.c ---- */

void hbk_session_bytes(struct hbk_session *session, const void *bytes, size_t size);
/** hbk_session_schedule() - there may be a phase to do. */
void hbk_session_schedule(struct hbk_session *session);
/** hbk_session_update_pause() - stop or go on reading, by what waits in both directions. */
void hbk_session_update_pause(struct hbk_session *session);
/** hbk_session_read_on() - let the platform read again. */
void hbk_session_read_on(struct hbk_session *session);
/** hbk_session_phase() - do one phase of one request, or a part of it. */
void hbk_session_phase(struct hbk_session *session);
/** hbk_session_close_some() - of what was placed in its process and never told, and of its deliveries' pins. */
void hbk_session_close_some(struct hbk_session *session);
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
/** hbk_output_refuse() - as above, with nothing more to say than @detail. */
void hbk_output_refuse(struct hbk_session *session, const struct hbk_id *id, int32_t code,
                       const char *detail);
/** hbk_output_set_failure() - what a client is told of an operation of the platform that failed. */
void hbk_output_set_failure(struct hbk_error *ret_error, const struct hbk_failure *failure);
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
/** hbk_request_stop() - answer `stopping` to a hello or a prove that waits. */
void hbk_request_stop(struct hbk_session *session);
/** hbk_request_line() - act on one line. */
void hbk_request_line(struct hbk_session *session, struct hbk_text line);

/* ---- operate.c: how an operator looks at the broker ---- */

void hbk_operate_status(struct hbk_session *session, const struct hbk_id *id);
void hbk_operate_sessions(struct hbk_session *session, const struct hbk_id *id,
                          const struct hbk_paging *params);
void hbk_operate_watch(struct hbk_session *session, const struct hbk_id *id);

/* ---- endpoint.c ---- */

void hbk_endpoint_request_open(struct hbk_session *session, const struct hbk_id *id,
                               const struct hbk_endpoint_open *params);
void hbk_endpoint_request_close(struct hbk_session *session, const struct hbk_id *id,
                                const struct hbk_endpoint_close *params);
/** hbk_endpoint_free() - close it: what is pending there ends with its owner's gone_code. */
void hbk_endpoint_free(struct hbk_endpoint *endpoint);
uint64_t hbk_endpoint_hash(struct hbk_core *core, const struct hbk_scope *scope,
                           struct hbk_text name);
/** hbk_endpoint_find() - that of @name in @scope, NULL if none. */
struct hbk_endpoint *hbk_endpoint_find(struct hbk_core *core, const struct hbk_scope *scope,
                                       struct hbk_text name, uint64_t hash);
struct hbk_text hbk_endpoint_name(const struct hbk_endpoint *endpoint);

enum { HBK_ENDPOINT_E_REFUSED = 1 };

/* ---- listing.c ---- */

void hbk_listing_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_paging *params);

/* ---- send.c: the first phase ---- */

/** hbk_send_request() - check, then pin and inspect, at least some; answer at once what fails. */
void hbk_send_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_send *params);
/** hbk_send_go_on() - pin and inspect more of what @session is at. */
void hbk_send_go_on(struct hbk_session *session);
/** hbk_send_end_pinning() - all of @delivery are pinned, or no more will be: give back what was charged for the
 * others, and let its sender go on. */
void hbk_send_end_pinning(struct hbk_delivery *delivery);
/** hbk_send_check_requests() - may this session have one more request in flight? 0, or filled @ret_error. */
int hbk_send_check_requests(const struct hbk_session *session, struct hbk_error *ret_error);
/** hbk_send_accepted_by() - does @endpoint, under the rules of now, take what @delivery has? 0, or filled
 * @ret_error. */
int hbk_send_accepted_by(const struct hbk_delivery *delivery, const struct hbk_endpoint *endpoint,
                         struct hbk_error *ret_error);

enum { HBK_SEND_E_REFUSED = 1 };

/* ---- place.c ---- */

/** hbk_place() - place what is not placed yet in the target's table, where nothing is being written now: of many
 * items a few, with turns of others before the next; that is a phase of @at_work then. Return: true when all are
 * placed; else it goes on later, or has failed. */
bool hbk_place(struct hbk_delivery *delivery, struct hbk_session *at_work);
/** hbk_place_undo() - close there what was placed and not told, at most @max items. Return: how many. */
uint32_t hbk_place_undo(struct hbk_delivery *delivery, uint32_t max);
/** hbk_place_untold() - the lines of @deliveries, a list of @target that is emptied, never will be told: take back what
 * they placed, then answer their senders. Of many items only some at once. */
void hbk_place_untold(struct hbk_session *target, struct hbk_link *deliveries);
/** hbk_place_take_back() - go on with that, at most @max items. Return: how many. */
uint32_t hbk_place_take_back(struct hbk_session *target, uint32_t max);
/** hbk_place_describe() - what the target is told of the items; those that are not placed have no value.
 * @ret_items: room for HBK_ITEMS_MAX */
void hbk_place_describe(struct hbk_delivery *delivery, struct hbk_delivered_item *ret_items);

/* ---- lane.c ---- */

/** hbk_lane_enter() - behind this session's other sends to the same name that are not placed yet. */
void hbk_lane_enter(struct hbk_delivery *delivery);
/** hbk_lane_leave() - placed, offered or over: the next one is ready. May be repeated. */
void hbk_lane_leave(struct hbk_delivery *delivery);

/* ---- delivery.c: from there on ---- */

/** hbk_delivery_start() - all checks of the first phase are passed: take its place among the sends. */
void hbk_delivery_start(struct hbk_delivery *delivery);
/** hbk_delivery_unbind() - its endpoint closes while its line is being written. */
void hbk_delivery_unbind(struct hbk_delivery *delivery);
/** hbk_delivery_phase() - find the endpoint, then wait, offer, or place and tell. */
void hbk_delivery_phase(struct hbk_delivery *delivery);
void hbk_delivery_make_ready(struct hbk_delivery *delivery);
/** hbk_delivery_told() - its line was handed over. */
void hbk_delivery_told(struct hbk_delivery *delivery);
/** hbk_delivery_fail() - undo what was placed, answer the sender if it is still there, let the pins go. */
void hbk_delivery_fail(struct hbk_delivery *delivery, const struct hbk_error *error);
void hbk_delivery_fail_code(struct hbk_delivery *delivery, int32_t code, const char *detail);
/** hbk_delivery_close() - close at most @max of its pins; with the last one it leaves its sender's `closing`, and
 * is freed when every close has returned. Return: how many. */
uint32_t hbk_delivery_close(struct hbk_delivery *delivery, uint32_t max);
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
