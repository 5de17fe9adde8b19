/* What the simulator knows of a world: who there is, what they asked for, what became of it. */
#ifndef SIM_KNOWN_H
#define SIM_KNOWN_H

#include "core.h"
#include "fake_platform.h"
#include "message.h"
#include "policy.h"
#include "type.h"

enum {
    SIM_CLIENTS_MAX = 24,
    SIM_PROCESSES_MAX = 16, /* running at one time */
    SIM_PIDS = 24,          /* few, so that they are used again */
    SIM_SENDS_MAX = 2048,   /* remembered; a power of two */
    SIM_ENTRIES_MAX = 256,  /* of the store, remembered; a power of two */
    SIM_REMOVALS_MAX = 128, /* the latest ones */
    SIM_REQUESTS_MAX = 72,  /* of one client, not yet answered */
    SIM_ENDPOINTS_MAX = 24, /* of one client, open or about to be */
    SIM_OFFERS_MAX = 24,    /* the latest ones of a client */
    SIM_LANES_MAX = 64,     /* of a target, the latest ones */
    SIM_GONE_MAX = 16,
    SIM_GENERATIONS_MAX = 1024, /* of rules that are remembered; a power of two */
    SIM_EVENTS_KEPT = 50,
    SIM_EVENT_TEXT = 180,
    SIM_IDS_MAX = 1 << 16, /* session and delivery ids seen of one broker; a power of two */
    SIM_STATES_BITS = 1 << 20,
    SIM_ERRORS_MAX = 32,
    SIM_LINE_MAX = 80000,
    SIM_FULL_CHECK_EVERY = 16, /* steps; what counts everything is not done at each */
};

/* ---- who processes are ---- */

enum { SIM_IDENTITIES = 6 };

struct sim_identity {
    struct fake_token token;
    uint64_t logon_session;
};

extern const struct sim_identity sim_identities[SIM_IDENTITIES];

/* ---- what the operator's rules say ---- */

enum { SIM_RULES_MAX = 5 };

struct sim_rule {
    const char *pattern;
    const char *open, *send, *put, *get; /* NULL: the rule says nothing about it */
    const char *types;                   /* names with blanks between; NULL: the default list */
    uint32_t access_max;                 /* 0: anything */
};

struct sim_rules {
    struct sim_rule rules[SIM_RULES_MAX];
    const char *inspect;           /* NULL: these are the built-in rules */
    const char *transfer, *revoke; /* NULL: nobody may */
};

enum { SIM_RULE_SETS = 5 };
extern const struct sim_rules sim_rule_sets[SIM_RULE_SETS];

enum { SIM_NAMES = 8 };
extern const char *const sim_names[SIM_NAMES + 3];
#define SIM_NAME_PROBE SIM_NAMES        /* for sim_settle() alone */
#define SIM_NAME_TICKET (SIM_NAMES + 1) /* by which rules are asked about tickets */
#define SIM_NAME_NONE (SIM_NAMES + 2)   /* no rule is about it */

/* ---- sends, transfers and takes: what brings handles from one process to another ---- */

enum sim_kind {
    SIM_SEND,
    SIM_TRANSFER, /* to an endpoint, to a process, or to who asks */
    SIM_TAKE,     /* store.get */
};

enum sim_fate { SIM_FATE_OPEN, SIM_FATE_TOLD, SIM_FATE_FAILED };

struct sim_item {
    uint32_t handle;
    uint8_t asked; /* enum hbk_access_kind */
    uint32_t mask;
    const char *said;                 /* type; NULL: nothing */
    bool inherit, protect, as_socket; /* as_socket: that is what was said */
    /* once it is pinned */
    uint32_t object, granted, access;
    bool is_socket;
    enum hbk_type type; /* HBK_TYPE_COUNT: none that is brokered */
};

struct sim_send {
    uint64_t tag; /* 0: unused */
    enum sim_kind kind;
    enum sim_fate fate;
    uint64_t session; /* of the sender, as the next three */
    uint32_t client;  /* number of its connection */
    uint32_t identity, pid;
    uint32_t generation;        /* of the rules when it was sent */
    uint64_t sent_ms, asked_at; /* asked_at: the same, counted in events */
    /* what was asked */
    const char *expect_user;
    uint32_t name, to_pid, expect_pid; /* name: SIM_NAME_NONE: to a process, or by a ticket */
    uint32_t source_pid, target_pid;   /* of a transfer */
    uint32_t count, wait_ms, timeout_ms;
    bool has_data, malformed, duplicated, revocable;
    char by_ticket[HBK_TICKET_BYTES + 1];
    /* what came of it */
    bool offered, reject_asked, bad_handle, seam_failed, answered;
    bool again;     /* a transfer is placed once more, as its target was not told */
    bool notified;  /* a transfer's target was told */
    bool cancelled; /* revoked before it was told */
    bool revoked, revoked_told, gone_told;
    uint32_t revoke_asked; /* how often */
    uint32_t target;       /* number of its connection; 0: not known yet */
    uint32_t value;        /* of the first item, as it was told */
    uint64_t target_session, delivery;
    uint64_t entry;               /* that is taken; 0: not known yet */
    struct fake_process *process; /* where it was placed last */
    uint64_t made_ms;             /* when its sockets began to be made; 0: they did not */
    uint64_t sockets;             /* ticket of what a worker is at */
    uint64_t closed;              /* a bit for each item that was closed in the target */
    uint32_t pin_tries, pinned;   /* items that were tried, and that were */
    uint32_t pins, placed;        /* held by the broker; in the target and not told */
    struct sim_item items[HBK_ITEMS_MAX];
};

/* ---- entries of the store ---- */

struct sim_entry {
    uint64_t tag;     /* 0: unused */
    uint64_t session; /* of who put it, as the next three */
    uint32_t client, identity, pid;
    uint32_t generation; /* of the rules when it was asked for */
    /* what was asked */
    const char *allow;
    uint32_t name; /* SIM_NAME_TICKET: it has none */
    uint32_t ttl_ms;
    bool stays; /* as long as the broker */
    bool once, replace, has_data;
    /* what came of it */
    bool refused, removed; /* that was told */
    bool replaced, counted;
    bool forgotten;       /* what may have ended it is not remembered any more */
    bool came_back;       /* its taker was not told, and it is as before */
    struct sim_item item; /* item.access: the most that is given of it */
    char ticket[HBK_TICKET_BYTES + 1];
    uint32_t pins;
    uint64_t entry;          /* its id; 0: not told yet */
    uint64_t put_ms, put_at; /* when it was pinned; in events: 0: it was not */
    uint64_t told_at;        /* in events; 0: not told */
    uint64_t over_at;        /* when it was told that it was taken or replaced, in events */
    uint64_t taken;          /* told */
};

/* A store.remove: as long as nobody knows what came of it, it may have removed what it names. */
struct sim_removal {
    uint64_t entry; /* 0: by name */
    uint32_t name, identity, client;
    uint64_t asked_at;
    bool over;        /* it was told what came of it, and that is known */
    bool forgotten;   /* what it may have removed is not remembered any more */
    uint64_t over_at; /* in events; from then on it removes nothing more; 0: it may still */
};

/* ---- clients ---- */

struct sim_request {
    uint64_t id; /* 0: unused */
    bool text;   /* the id is a string */
    enum hbk_method method;
    uint64_t tag, delivery; /* delivery: of a look, the pid */
    uint32_t endpoint;      /* index, for open and close */
    uint32_t generation, pauses;
    uint32_t name, extra; /* requests that were sent with the same id */
};

enum sim_endpoint_state {
    SIM_ENDPOINT_NONE,
    SIM_ENDPOINT_OPENING,
    SIM_ENDPOINT_OPEN,
    SIM_ENDPOINT_CLOSING
};

struct sim_endpoint {
    enum sim_endpoint_state state;
    uint32_t name;
    bool ask;
    uint32_t items_max;
    uint32_t accepts[HBK_TYPE_COUNT];
    const char *from; /* NULL: none */
    bool revocable;
};

struct sim_offer {
    uint64_t delivery, tag;
};

/* What is told to one target of one sender under one address comes in its order. */
struct sim_lane {
    uint64_t session, tag;
    uint32_t address;
};

struct sim_client {
    uint32_t number; /* of its connection; 0: unused */
    struct fake_connection *connection;
    struct fake_process *process;
    uint32_t identity;
    uint64_t key, session; /* as the core knows it; as the wire does, 0: not told yet */
    uint64_t since_ms, pending_ms, paused_ms;
    uint32_t proof;
    bool never_reads, hung_up, heard;
    bool hello_said, prove_said, proven; /* proven: it was told so */
    bool excused;                        /* the broker has a reason to end it */
    bool must_answer;                    /* it listened when the broker was told to stop */
    bool said_gone;                      /* others were told that it has ended */
    bool watching;
    uint64_t watched_serial;
    uint32_t broken_lines; /* not answered yet */
    uint64_t next_id;

    struct hbk_buffer outbound, inbound;
    size_t held_back; /* bytes at the end of outbound that it does not write yet */
    struct sim_request requests[SIM_REQUESTS_MAX];
    uint32_t requests_count;
    struct sim_endpoint endpoints[SIM_ENDPOINTS_MAX];
    struct sim_offer offers[SIM_OFFERS_MAX];
    uint32_t offers_count;
    struct sim_lane lanes[SIM_LANES_MAX];
    uint32_t lanes_count;
    char *metered; /* what it was told of metrics last; NULL: nothing */
    uint64_t gone[SIM_GONE_MAX];
    uint32_t gone_count;
};

#endif
