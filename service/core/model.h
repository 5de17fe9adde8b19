/* What the broker's state is made of. Who owns what:
 * - core owns all users, scopes, sessions, entries; a session its endpoints and the deliveries that it asked for; a
 *   delivery its pins, and the processes that it opened; an entry its pin.
 * - A session stays until its pipe is closed, its last write has ended, and the last close of a pin that was
 *   charged to it has returned.
 * - A delivery is at most in one list of its target: `blocked`, `offered`, `accepted`, `carried`, `in_flight`,
 *   `untold` or `holds`, by its state.
 * - An entry stays until it has gone from the store, no delivery takes it, and the close of its pin has returned.
 * - A process stays as long as it has a session, or something to do; a user as long as it has a process, or an entry.
 * - Whatever calls the platform for a session is a task of its process's (work.c), and counted in core.spent. */
#ifndef HBK_MODEL_H
#define HBK_MODEL_H

#include "audit.h"
#include "core.h"
#include "frame.h"
#include "list.h"
#include "message.h"
#include "metrics.h"
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
    uint32_t looks;     /* that workers have not returned */
    uint64_t used[HBK_QUOTA_COUNT];
    struct hbk_link
        throttled; /* struct hbk_session.throttle_link: not read until it has fewer queued bytes */
    struct hbk_closer *closer; /* of its pins; NULL: none of its sessions was kept yet */
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
    uint32_t references;       /* sessions and entries that keep it */
    struct hbk_roll endpoints; /* struct hbk_endpoint by serial */
    struct hbk_roll entries;   /* struct hbk_entry by serial */
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

/* A look at handle tables that a session has asked for: one at a time. */
struct hbk_looking {
    struct hbk_id id; /* of the request; kind NONE: it is answered, or there is none */
    bool pending;     /* the worker has not returned: then the session stays, and its user pays */
    enum hbk_method method;
    uint32_t pid; /* whose table, or handle */
    uint64_t due;
    uint64_t correlation;
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
    struct hbk_looking look;
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
    struct hbk_link sends;   /* struct hbk_delivery.send_link, oldest first */
    struct hbk_link given;   /* struct hbk_delivery.send_link: told, and revocable */
    struct hbk_link entries; /* struct hbk_entry.session_link: end with it */
    struct hbk_link ready;   /* struct hbk_delivery.ready_link: those with a phase to do */
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
    struct hbk_link holds;     /* … told, and revocable */
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
    bool revocable;
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
    HBK_DELIVERY_MAKING,   /* its sockets are being made */
    HBK_DELIVERY_WRITING,  /* placed; told or not is open */
    HBK_DELIVERY_GIVEN,    /* told; its pins stay, as it is revocable */
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
    bool made; /* a socket's: it is in the target, and not told */

    /* as it was asked for; of no use once it is pinned */
    uint8_t asked; /* enum hbk_access_kind */
    uint8_t said;  /* enum hbk_type, or as in item.c */
    uint32_t asked_mask;
    uint32_t handle; /* in the sender's table */
};

#define HBK_DELIVERY_INLINE_ITEMS 2

enum hbk_delivery_kind {
    HBK_DELIVERY_SEND,     /* handle.send */
    HBK_DELIVERY_TRANSFER, /* handle.transfer: to an endpoint, to a process, or to who asks */
    HBK_DELIVERY_TAKE,     /* store.get */
};

/* Handles on their way from one process to another, and the request that asked for it. */
struct hbk_delivery {
    struct hbk_slot slot;
    enum hbk_delivery_kind kind;
    struct hbk_session *sender; /* who asked */
    struct hbk_session *
        target; /* whose next line tells of them; NULL: not known yet. Where it is the sender itself and
                                   there is no endpoint, the answer tells */
    struct hbk_endpoint *endpoint; /* NULL: not bound, or over */
    enum hbk_delivery_state state;
    bool answered;
    bool revocable;
    bool making;                      /* a worker is at its sockets: their pins stay */
    bool unnoticed;                   /* its process could not be notified: the answer tells */
    uint32_t source_pid, process_pid; /* of `source`, also when that is over; of `process` */
    void *source;  /* a process that was opened: whose handle it is; NULL: the sender's own */
    void *process; /* a process that was opened: where it is placed; NULL: the target's own */
    struct hbk_entry *entry;     /* that is taken, and has the pin; NULL: not found yet, or none */
    struct hbk_sockets *sockets; /* made, or being made; NULL: none */
    uint8_t ticket[HBK_TICKET_BYTES / 2]; /* by which it is taken, if it has no name */
    uint64_t begun_ms;
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
    struct hbk_node name_node; /* in core.waiting, or core.takers */
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

/* A handle in the store. */
struct hbk_entry {
    struct hbk_slot slot;
    struct hbk_core *core;
    struct hbk_node
        node; /* in core.entries by scope and name, or core.tickets by ticket; while `stored` */
    struct hbk_user *user;       /* whom it is charged to */
    struct hbk_scope *owner;     /* the identity that put it */
    struct hbk_scope *scope;     /* of its name; of a ticket: its owner's */
    struct hbk_session *session; /* with which it ends; NULL: it stays, or has gone */
    struct hbk_link session_link;
    struct hbk_timer timer;
    struct hbk_pinned item;       /* item.access: the most that is given of it */
    struct hbk_descriptor *allow; /* who may take it; NULL: its owner's identity alone */
    struct hbk_delivery *taker;   /* of a `once` entry: the one that it is on its way to */
    bool stored;                  /* it can be found */
    bool once, by_ticket, closing;
    uint8_t lifetime; /* enum hbk_lifetime */
    uint8_t ticket[HBK_TICKET_BYTES / 2];
    uint32_t takes;          /* deliveries that have it */
    uint32_t pid, integrity; /* of who put it, as the next two */
    uint64_t session_id, logon_session;
    uint64_t serial, put_ms, taken;
    uint32_t charged;           /* bytes */
    struct hbk_text name, data; /* in `text` */
    char *text;
};

/* What hbk_core_unpinned() is told: an id, and in the lowest bit of what. */
enum { HBK_TICKET_DELIVERY = 0, HBK_TICKET_ENTRY = 1 };

struct hbk_core {
    struct hbk_platform platform;
    struct hbk_config config;
    struct hbk_hash_key hash_key;
    struct hbk_pool session_pool, delivery_pool, entry_pool;
    struct hbk_table users, scopes, endpoints, waiting;
    struct hbk_table processes;         /* proven sessions by pid */
    struct hbk_table callers;           /* struct hbk_process by pid */
    struct hbk_table process_endpoints; /* endpoints by pid and name */
    struct hbk_table entries, tickets;  /* of the store */
    struct hbk_table takers; /* deliveries that wait for an entry, by its scope and name */
    struct hbk_roll all_endpoints, all_entries;
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
    bool stopping, paused;
    uint32_t proven;
    uint64_t delivered, failed;
    struct hbk_metrics metrics;
    uint32_t given;                                          /* deliveries that can be taken back */
    uint32_t closes_pending, sockets_pending, looks_pending; /* that workers have not returned */
    uint64_t sockets_lost; /* that were made, not told, and not found again */
};

enum { HBK_TIMER_SESSION, HBK_TIMER_DELIVERY, HBK_TIMER_ENTRY, HBK_TIMER_AUDIT };

#endif
