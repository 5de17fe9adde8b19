/* The simulator: the whole core and codec over the fake kernel, with clients that speak real lines, under
 * everything that a machine may do to them. One generator decides all, drawn anew for each step from seed and
 * step: so the same seed gives the same run, and a run with some steps left out is still a run.
 *
 * Each client keeps what it asked and was told, and each send what became of its handles; what the core does
 * is held against that (agree.c, told.c), and against the kernel's books (check.c). */
#ifndef SIM_H
#define SIM_H

#include "core.h"
#include "fake_platform.h"
#include "message.h"
#include "type.h"

#include <setjmp.h>
#include <stdio.h>

enum {
    SIM_CLIENTS_MAX = 24,
    SIM_PROCESSES_MAX = 16, /* running at one time */
    SIM_PIDS = 24,          /* few, so that they are used again */
    SIM_SENDS_MAX = 2048,   /* remembered; a power of two */
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

enum { SIM_RULES_MAX = 4 };

struct sim_rule {
    const char *pattern;
    const char *open, *send; /* NULL: the rule says nothing about it */
    const char *types;       /* names with blanks between; NULL: the default list */
    uint32_t access_max;     /* 0: anything */
};

struct sim_rules {
    struct sim_rule rules[SIM_RULES_MAX];
    const char *inspect; /* NULL: these are the built-in rules */
};

enum { SIM_RULE_SETS = 5 };
extern const struct sim_rules sim_rule_sets[SIM_RULE_SETS];

enum { SIM_NAMES = 8 };
extern const char *const sim_names[SIM_NAMES + 1]; /* the last is for sim_settle() alone */
#define SIM_NAME_PROBE SIM_NAMES

/* ---- sends ---- */

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
    uint64_t tag;            /* 0: unused */
    uint32_t client, target; /* numbers of connections; target 0: not known yet */
    uint64_t session;        /* of the sender */
    uint32_t identity, pid;  /* of the sender */
    uint32_t name, to_pid, expect_pid;
    const char *expect_user;
    uint32_t count, wait_ms, timeout_ms;
    uint64_t sent_ms, delivery;
    uint64_t made_ms;    /* when its sockets began to be made; 0: they did not */
    uint32_t generation; /* of the rules when it was sent */
    bool has_data, malformed, duplicated;
    bool offered, reject_asked, bad_handle, seam_failed;
    enum sim_fate fate;
    bool answered;
    uint32_t pin_tries, pinned; /* items that were tried, and that were */
    uint32_t pins, placed;      /* held by the broker; in the target and not told */
    struct sim_item items[HBK_ITEMS_MAX];
};

/* ---- clients ---- */

struct sim_request {
    uint64_t id; /* 0: unused */
    bool text;   /* the id is a string */
    enum hbk_method method;
    uint64_t tag, delivery;
    uint32_t endpoint; /* index, for open and close */
    uint32_t generation;
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
    uint64_t gone[SIM_GONE_MAX];
    uint32_t gone_count;
};

/* ---- a seed's own world ---- */

enum sim_action {
    SIM_ACT_SAY,
    SIM_ACT_CONNECT,
    SIM_ACT_WRITE_END,
    SIM_ACT_UNPIN_END,
    SIM_ACT_PROOF_END,
    SIM_ACT_HEAR,
    SIM_ACT_TICK,
    SIM_ACT_JUMP,
    SIM_ACT_EXIT,
    SIM_ACT_HANG_UP,
    SIM_ACT_RELOAD,
    SIM_ACT_STOP,
    SIM_ACT_SETTLE,
    SIM_ACT_HANDLES,
    SIM_ACT_NOTE,
    SIM_ACT_SOCKETS_END,
    SIM_ACT_COUNT
};

enum sim_word {
    SIM_SAY_SEND,
    SIM_SAY_OPEN,
    SIM_SAY_CLOSE,
    SIM_SAY_ANSWER,
    SIM_SAY_LIST,
    SIM_SAY_STATUS,
    SIM_SAY_SESSIONS,
    SIM_SAY_WATCH,
    SIM_SAY_EXPLAIN,
    SIM_SAY_BROKEN,
    SIM_SAY_AGAIN, /* an id that may be in flight */
    SIM_SAY_HALF,
    SIM_SAY_BURST,
    SIM_SAY_GREET, /* hello or prove once more */
    SIM_SAY_COUNT
};

struct sim_swarm {
    uint32_t clients, identities, names, handles_max;
    bool types, sockets, from, expect, by_pid, wait, ask, big, shared, fragments, rules, liars;
    uint32_t never_reads; /* per mille of clients */
    uint32_t alloc_fails; /* per mille of calls into the core */
    uint32_t run_all;     /* percent of steps after which the core does all that it has to do */
    struct fake_chaos chaos;
    uint32_t actions[SIM_ACT_COUNT], words[SIM_SAY_COUNT];
    uint32_t actions_sum, words_sum;
};

/* ---- what is counted over all seeds ---- */

enum sim_outcome {
#define SIM_OUTCOME(name, text) SIM_OUT_##name,
#include "outcomes.def"
#undef SIM_OUTCOME
    SIM_OUTCOMES
};

struct sim_counts {
    uint64_t seeds, steps, lines_said, lines_told;
    uint64_t errors[SIM_ERRORS_MAX]; /* in the order of results.def */
    uint64_t results[HBK_METHOD_COUNT];
    uint64_t outcomes[SIM_OUTCOMES];
    uint8_t states[SIM_STATES_BITS / 8];
};

/* ---- the last events ---- */

enum sim_event_kind {
    SIM_EV_SAYS,
    SIM_EV_TOLD,
    SIM_EV_SEAM,
    SIM_EV_CONNECTS,
    SIM_EV_WRITE_ENDS,
    SIM_EV_UNPIN_ENDS,
    SIM_EV_SOCKETS_END,
    SIM_EV_PROOF_ENDS,
    SIM_EV_EXITS,
    SIM_EV_HANGS_UP,
    SIM_EV_HEARD,
    SIM_EV_CLOCK,
    SIM_EV_RULES,
    SIM_EV_STOPS,
    SIM_EV_STARTS,
    SIM_EV_SETTLES,
    SIM_EV_HANDLE,
    SIM_EV_ALLOC,
    SIM_EV_COUNT
};

struct sim_event {
    uint64_t step, a, b, c;
    enum sim_event_kind kind;
    uint32_t size;
    char text[SIM_EVENT_TEXT];
};

/* ---- the run ---- */

struct sim_options {
    uint64_t seed, seeds, stride, steps;
    uint32_t faults; /* percent of the rates that a seed draws */
    uint32_t seconds;
    const uint8_t *left_out; /* a bit for each step; NULL: none is left out */
    bool digest, minimise, verbose, every_step;
    const char *report, *bug;
};

struct sim {
    const struct sim_options *options;
    struct sim_counts *counts;
    struct fake_kernel *kernel;
    struct hbk_core *core;
    struct hbk_config config;
    struct sim_swarm swarm;
    uint64_t seed, step, digest;
    bool at_rest; /* nothing is under way */
    bool quiet;   /* no faults, whatever the swarm says */
    bool stopping, calm_stop;
    uint64_t stopped_ms; /* when the broker was told to */
    uint32_t brokers;    /* that were started */
    uint32_t generation;
    uint8_t rules_of[SIM_GENERATIONS_MAX]; /* index into sim_rule_sets */
    uint64_t sent_done_base; /* records of the audit file, of brokers before this one */
    uint64_t told_sends;
    bool records_exact;
    bool allocs_failed;  /* of this broker's */
    bool alloc_may_fail; /* in the call into the core that is at work: */
    size_t alloc_fails_at;

    struct sim_client *clients[SIM_CLIENTS_MAX];
    uint32_t clients_count;
    struct {
        uint32_t identity, untold;
    } processes[FAKE_PROCESSES_MAX];
    struct sim_send sends[SIM_SENDS_MAX];
    uint64_t tags;
    uint64_t ids[SIM_IDS_MAX]; /* a set; 0: empty */
    uint32_t ids_count;

    struct sim_event events[SIM_EVENTS_KEPT];
    uint64_t events_count;
    const char *invariant;
    char what[512];
    jmp_buf violated;
};

/* ---- sim.c: one run ---- */

/** sim_run() - one seed. Return: true: all held; false: sim->invariant and sim->what say what did not. */
bool sim_run(struct sim *sim);
void sim_free(struct sim *sim);
/** sim_now() - the run that is at work; NULL: none is. */
struct sim *sim_now(void);
/** sim_violation() - leaves the run. */
HBK_NORETURN void sim_violation(struct sim *sim, const char *invariant, const char *format, ...)
    HBK_PRINTF(3, 4);
uint32_t sim_below(struct sim *sim, uint32_t limit);
/** sim_chance() - true @per_mille times of a thousand. */
bool sim_chance(struct sim *sim, uint32_t per_mille);
void sim_enter_core(struct sim *sim);
void sim_leave_core(struct sim *sim);
/** sim_turns() - let the core go on, at most @max turns. Return: it has nothing more to do. */
bool sim_turns(struct sim *sim, uint32_t max);
/** sim_tick() - act on every deadline that has passed. */
void sim_tick(struct sim *sim);

/* ---- swarm.c: what is on in a seed's world ---- */

void sim_swarm_draw(struct sim *sim);
void sim_config_draw(struct sim *sim);

/* ---- world.c: what the world does ---- */

void sim_act(struct sim *sim);
void sim_broker_start(struct sim *sim);
/** sim_broker_end() - after it has stopped. */
void sim_broker_end(struct sim *sim);
void sim_broker_stop(struct sim *sim, bool calm);
bool sim_feed(struct sim *sim, struct sim_client *client);
bool sim_feed_all(struct sim *sim);
void sim_write_end(struct sim *sim, struct sim_client *client, bool told);
void sim_unpin_end(struct sim *sim, uint32_t index);
void sim_sockets_end(struct sim *sim, uint32_t index);
void sim_proof_end(struct sim *sim, struct sim_client *client);
void sim_hear(struct sim *sim, struct sim_client *client);
void sim_connect(struct sim *sim);
/** sim_forget() - clients whose connection is released. */
void sim_forget(struct sim *sim);
struct fake_process *sim_any_process(struct sim *sim);
/** sim_process_that_exits() - while an operation is about another one. */
struct fake_process *sim_process_that_exits(struct fake_kernel *kernel);
uint32_t sim_make_handle(struct sim *sim, struct fake_process *process);

/* ---- rules.c ---- */

/** sim_reload() - give the core the rules number @set. */
void sim_reload(struct sim *sim, uint32_t set);

/* ---- settle.c ---- */

/** sim_settle() - no more faults, all that is under way comes to its end, and then everything must agree. */
void sim_settle(struct sim *sim);
/** sim_drain() - let writes, closes and lines under way end, until nothing moves. */
void sim_drain(struct sim *sim);

/* ---- say.c: what clients say ---- */

void sim_say(struct sim *sim, struct sim_client *client);
bool sim_can_say(const struct sim_client *client);
/** sim_say_open(), … - one request of that kind. Return: its id, 0: it was not said. */
uint64_t sim_say_open(struct sim *sim, struct sim_client *client, uint32_t name, bool plain);
uint64_t sim_say_close(struct sim *sim, struct sim_client *client, uint32_t name);
uint64_t sim_say_simple(struct sim *sim, struct sim_client *client, enum hbk_method method);
/** sim_request() - @params as text in which ' stands for ", NULL: none. Return: NULL: no more fit. */
HBK_PRINTF(4, 5)
struct sim_request *sim_request(struct sim *sim, struct sim_client *client, enum hbk_method method,
                                const char *params, ...);
void sim_bytes(struct sim *sim, struct sim_client *client, const char *bytes, size_t size);
struct sim_request *sim_request_begin(struct sim *sim, struct sim_client *client,
                                      enum hbk_method method);
void sim_request_end(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                     const char *params);

/* ---- send.c: handle.send ---- */

uint64_t sim_say_send(struct sim *sim, struct sim_client *client, const struct sim_client *target,
                      uint32_t name);
/** sim_data() - what a send of @tag carries: as it stands on the wire, and as it is meant. Return: size of the
 * latter. */
size_t sim_data(uint64_t tag, char *ret_wire, size_t wire_room, char *ret_plain, size_t plain_room);
/** sim_send_of() - that of @tag, NULL: not remembered. */
struct sim_send *sim_send_of(struct sim *sim, uint64_t tag);

/* ---- told.c: what clients are told ---- */

void sim_told(struct fake_connection *connection, const uint8_t *bytes, size_t size);
struct sim_request *sim_find_request(struct sim_client *client, uint64_t id, bool text);
struct sim_client *sim_client_numbered(struct sim *sim, uint32_t number);

/* ---- notified.c: deliveries and other notifications ---- */

void sim_notified(struct sim *sim, struct sim_client *client, const struct hbk_message *message);
/** sim_told_items() - these values are the client's from now on. */
void sim_told_items(struct sim *sim, struct sim_client *client, struct sim_send *send,
                    const struct hbk_delivered_item *items, size_t count);
void sim_new_id(struct sim *sim, uint64_t id, bool delivery);

/* ---- agree.c: what may be ---- */

/** sim_agreed() - @send may be placed in the process of @target at this moment. */
void sim_agreed(struct sim *sim, const struct sim_client *target, const struct sim_send *send,
                const struct sim_item *item);
bool sim_may(uint32_t rules, const struct fake_token *token, const char *verb_rights,
             uint32_t right, uint32_t name);
bool sim_may_open(uint32_t rules, uint32_t identity, uint32_t name);
/** sim_may_send() - by name alone. */
bool sim_may_send(uint32_t rules, uint32_t identity, uint32_t name);
bool sim_may_inspect(uint32_t rules, uint32_t identity);
uint32_t sim_cap(uint32_t rules, uint32_t name, enum hbk_type type);
uint32_t sim_rules_at(const struct sim *sim, uint32_t generation);
/** sim_refusal_founded() - is there what the sender of @send is told? */
void sim_refusal_founded(struct sim *sim, const struct sim_send *send,
                         const struct hbk_error *error);

/* ---- check.c: the books ---- */

/** sim_seen() - an operation of the seam. */
void sim_seen(struct fake_kernel *kernel, const struct fake_seen *seen);
void sim_untold_gone(const struct fake_process *process, const struct fake_slot *slot);
/** sim_check() - after every turn; @idle: the core has nothing more to do. */
void sim_check(struct sim *sim, bool idle);
/** sim_check_deadlines() - after every deadline that has passed was acted on. */
void sim_check_deadlines(struct sim *sim);
/** sim_check_all() - everything is counted; only while the core is idle. */
void sim_check_all(struct sim *sim);

/* ---- events.c ---- */

void sim_event(struct sim *sim, enum sim_event_kind kind, uint64_t a, uint64_t b, uint64_t c,
               const char *text, size_t size);
void sim_events_print(const struct sim *sim, FILE *to);
void sim_outcome(struct sim *sim, enum sim_outcome outcome);
/** sim_error_index() - of @code in results.def. */
uint32_t sim_error_index(int32_t code);
uint64_t sim_mix(uint64_t hash, uint64_t value);
void sim_state(struct sim *sim, uint64_t state);
int sim_report(const struct sim_counts *counts, const char *path, double seconds);

/* ---- minimise.c ---- */

/** sim_minimise() - run @program again and again with fewer steps. Return: 0: printed what is left. */
int sim_minimise(const struct sim_options *options, const char *program, uint64_t steps,
                 const char *invariant);

/* ---- planted.c of each build: which bugs are in it ---- */

struct sim_bug {
    const char *name, *invariants; /* those that may catch it, with "|" between */
    uint32_t seeds;                /* within which it is caught */
    int number;
};

extern const struct sim_bug sim_bugs[];
extern const size_t sim_bugs_count;
/** sim_plant() - have bug @number from now on. */
void sim_plant(int number);

#endif
