/* The simulator: the whole core and codec over the fake kernel, with clients that speak real lines, under
 * everything that a machine may do to them. One generator decides all, drawn anew for each step from seed and
 * step: so the same seed gives the same run, and a run with some steps left out is still a run.
 *
 * Each client keeps what it asked and was told, and each send what became of its handles; what the core does
 * is held against that (agree.c, told.c), and against the kernel's books (check.c). */
#ifndef SIM_H
#define SIM_H

#include "known.h"

#include <setjmp.h>
#include <stdio.h>

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
    SIM_ACT_PAUSE,
    SIM_ACT_LOOK_END,
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
    SIM_SAY_PUT,
    SIM_SAY_GET,
    SIM_SAY_REMOVE,
    SIM_SAY_STORED,
    SIM_SAY_TRANSFER,
    SIM_SAY_REVOKE,
    SIM_SAY_DELIVERIES,
    SIM_SAY_METRICS,
    SIM_SAY_ONCE_MORE, /* what the target of a delivery that can be revoked has closed */
    SIM_SAY_LOOK,
    SIM_SAY_COUNT
};

struct sim_swarm {
    uint32_t clients, identities, names, handles_max;
    bool types, sockets, revocable, from, expect, by_pid, wait, ask, big, shared, fragments, rules,
        liars;
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
    SIM_EV_LOOK_ENDS,
    SIM_EV_PROOF_ENDS,
    SIM_EV_EXITS,
    SIM_EV_HANGS_UP,
    SIM_EV_HEARD,
    SIM_EV_CLOCK,
    SIM_EV_RULES,
    SIM_EV_STOPS,
    SIM_EV_PAUSES,
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

/* ---- how hand-offs of one broker ended, as far as anybody was told ---- */

struct sim_tally {
    uint64_t done, failed[SIM_ERRORS_MAX]; /* in the order of results.def */
    uint64_t unheard;                      /* whose session ended before its answer */
    uint64_t policies;
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
    uint32_t pauses;     /* how often it was paused, or told to go on: odd: it is paused */
    uint32_t brokers;    /* that were started */
    uint32_t generation;
    uint8_t rules_of[SIM_GENERATIONS_MAX]; /* index into sim_rule_sets */
    uint64_t sent_done_base; /* records of the audit file, of brokers before this one */
    uint64_t told_sends;
    struct sim_tally tally;
    char *metered; /* what its metrics were last; NULL: not asked yet */
    uint64_t sockets_lost;
    bool ticking; /* deadlines that have passed are being acted on */
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
    struct sim_entry entries[SIM_ENTRIES_MAX];
    uint64_t entry_tags;
    struct sim_removal removals[SIM_REMOVALS_MAX];
    uint64_t removals_count;
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
void sim_look_end(struct sim *sim, uint32_t index);
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
/** sim_say_same() - one handle, some times in one send. Return: as sim_say_send(). */
uint64_t sim_say_same(struct sim *sim, struct sim_client *client, uint32_t name, uint32_t handle);
/** sim_data() - what a send of @tag carries: as it stands on the wire, and as it is meant. Return: size of the
 * latter. */
size_t sim_data(uint64_t tag, char *ret_wire, size_t wire_room, char *ret_plain, size_t plain_room);
/** sim_send_of() - that of @tag, NULL: not remembered. */
struct sim_send *sim_send_of(struct sim *sim, uint64_t tag);

/** sim_send_begin() - a request of @kind; NULL: no more fit. Its request is *ret_request. */
struct sim_send *sim_send_begin(struct sim *sim, struct sim_client *client, enum hbk_method method,
                                struct sim_request **ret_request);
/** sim_draw_item() - @plain: nothing is wrong with it. */
void sim_draw_item(struct sim *sim, struct fake_process *process, struct sim_item *item,
                   bool plain);

struct sim_text {
    char bytes[SIM_LINE_MAX / 2];
    size_t size;
};

HBK_PRINTF(2, 3) void sim_add(struct sim_text *text, const char *format, ...);
/** sim_add_item() - what was asked of it, with a comma before. */
void sim_add_item(struct sim_text *text, const struct sim_item *item);

/* ---- store.c: what clients say to the store, and are told by it ---- */

#define SIM_NOTE_ENTRY (UINT64_C(1) << 63) /* of an entry's pin, with its tag */

struct sim_entry *sim_entry_of(struct sim *sim, uint64_t tag);
/** sim_entry_bytes() - that its user is charged for. */
uint64_t sim_entry_bytes(const struct sim_entry *entry);
void sim_say_put(struct sim *sim, struct sim_client *client);
uint64_t sim_say_get(struct sim *sim, struct sim_client *client, const struct sim_entry *entry,
                     bool plain);
void sim_say_remove(struct sim *sim, struct sim_client *client);
void sim_told_put(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                  const struct hbk_store_put_result *result);
void sim_told_got(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                  const struct hbk_store_get_result *result);
void sim_told_removed(struct sim *sim, struct sim_client *client,
                      const struct sim_request *request);
void sim_remove_refused(struct sim *sim, const struct sim_request *request);
void sim_put_refused(struct sim *sim, const struct sim_client *client,
                     const struct sim_request *request, const struct hbk_error *error);

/* ---- kept.c: what must be in the store ---- */

/** sim_entry_over() - why it is over; NULL: as far as anybody was told it is not. */
const char *sim_entry_over(const struct sim *sim, const struct sim_entry *entry);
/** sim_entry_maybe_over() - or it may be. */
bool sim_entry_maybe_over(struct sim *sim, const struct sim_entry *entry);
/** sim_entry_forget() - @other is about to be forgotten, and what it may have replaced is not. */
void sim_entry_forget(struct sim *sim, const struct sim_entry *other);
/** sim_removal_forget() - the same of a removal. */
void sim_removal_forget(struct sim *sim, const struct sim_removal *removal);
bool sim_entry_same_place(const struct sim_entry *entry, const struct sim_entry *other);
/** sim_entry_for() - is it what @send asks for? */
bool sim_entry_for(const struct sim_entry *entry, const struct sim_send *send);
/** sim_entry_lets() - @send may have it, by the rules @rules. */
bool sim_entry_lets(uint32_t rules, const struct sim_entry *entry, const struct sim_send *send);
/** sim_take_agreed() - @send may be given @entry at this moment. */
void sim_take_agreed(struct sim *sim, const struct sim_send *send, const struct sim_entry *entry);
/** sim_take_is_no_socket() - the entry was put as one, and is none. */
bool sim_take_is_no_socket(struct sim *sim, const struct sim_send *send);
/** sim_take_founded() - there is nothing for @send, as it is told. */
void sim_take_founded(struct sim *sim, const struct sim_send *send, const struct hbk_error *error);
/** sim_check_stored() - nothing is under way: what is kept is what must be. */
void sim_check_stored(struct sim *sim);
void sim_told_entries(struct sim *sim, const struct sim_client *client,
                      const struct sim_request *request, const struct hbk_store_list_result *list);
/** sim_entries_end() - the broker has. */
void sim_entries_end(struct sim *sim);

/* ---- share.c: handle.transfer, delivery.revoke, delivery.list ---- */

void sim_say_transfer(struct sim *sim, struct sim_client *client);
void sim_transfer_refused(struct sim *sim, const struct sim_send *send,
                          const struct hbk_error *error);
void sim_say_revoke(struct sim *sim, struct sim_client *client);
void sim_say_once_more(struct sim *sim, struct sim_client *client);
void sim_told_transferred(struct sim *sim, struct sim_client *client,
                          const struct sim_request *request,
                          const struct hbk_transfer_result *result);
void sim_told_revoked(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                      const struct hbk_revoke_result *result);
/** sim_notified_revoked() - the target was. */
void sim_notified_revoked(struct sim *sim, struct sim_client *client,
                          const struct hbk_revoked *params);
void sim_revoke_refused(struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request, const struct hbk_error *error);
void sim_told_deliveries(struct sim *sim, const struct sim_client *client,
                         const struct sim_request *request,
                         const struct hbk_delivery_list_result *list);
/** sim_given() - it was told, and can be revoked. */
bool sim_given(struct sim *sim, const struct sim_send *send);
/** sim_check_given() - nothing is under way: what is kept for revocation is what must be. */
void sim_check_given(struct sim *sim);
/** sim_send_of_delivery() - by what was told, or the core's own books; NULL: it is over. */
struct sim_send *sim_send_of_delivery(struct sim *sim, uint64_t delivery);

/* ---- paused.c: nothing new is begun, and all else is as ever ---- */

void sim_pause(struct sim *sim, bool paused);
bool sim_paused(const struct sim *sim);
/** sim_pause_holds() - @request, which is begun or has succeeded, was not asked for in the pause that is on. */
void sim_pause_holds(struct sim *sim, const struct sim_client *client,
                     const struct sim_request *request);
/** sim_pause_refuses() - Return: it was refused for a pause, rightly. */
bool sim_pause_refuses(struct sim *sim, struct sim_client *client,
                       const struct sim_request *request, const struct hbk_error *error);

/* ---- metered.c: broker.metrics ---- */

/** sim_is_hand_off() - one that is counted. */
bool sim_is_hand_off(enum hbk_method method);
void sim_told_metrics(struct sim *sim, struct sim_client *client,
                      const struct hbk_metrics_result *result);
/** sim_meter() - ask the core itself, as what writes the file of metrics does. */
void sim_meter(struct sim *sim);

/* ---- seam.c: what the core does to the world ---- */

/** sim_seen() - an operation of the seam. */
void sim_seen(struct fake_kernel *kernel, const struct fake_seen *seen);
void sim_untold_gone(const struct fake_process *process, const struct fake_slot *slot);

/* ---- told.c: what clients are told ---- */

void sim_told(struct fake_connection *connection, const uint8_t *bytes, size_t size);
struct sim_request *sim_find_request(struct sim_client *client, uint64_t id, bool text);
struct sim_request *sim_request_of(struct sim_client *client, const struct hbk_id *id);
struct sim_client *sim_client_numbered(struct sim *sim, uint32_t number);
/** sim_client_keyed() - of the session that the core knows by @key; NULL: it is gone. */
struct sim_client *sim_client_keyed(struct sim *sim, uint64_t key);
/** sim_client_lives() - its session has not ended, as far as anybody can tell. */
bool sim_client_lives(const struct sim_client *client);

/* ---- notified.c: deliveries and other notifications ---- */

void sim_notified(struct sim *sim, struct sim_client *client, const struct hbk_message *message);
/** sim_told_items() - these values are the client's from now on. */
void sim_told_items(struct sim *sim, struct sim_client *client, struct sim_send *send,
                    const struct hbk_delivered_item *items, size_t count);
/** sim_new_id() - @what: 0: a session, 1: a delivery, 2: an entry */
void sim_new_id(struct sim *sim, uint64_t id, uint32_t what);
/** sim_own_value() - @told is the process's from now on. */
void sim_own_value(struct sim *sim, struct fake_process *process, struct sim_send *send, uint32_t k,
                   const struct hbk_delivered_item *told);
/** sim_check_item() - what is said of it is true. */
void sim_check_item(struct sim *sim, const struct sim_send *send, const struct sim_item *item,
                    const struct hbk_delivered_item *told);
void sim_check_from(struct sim *sim, const char *what, uint64_t session, uint32_t pid,
                    uint32_t identity, const struct hbk_sender *from);

/* ---- agree.c: what may be ---- */

/** sim_agreed() - @send may be placed in the process of @target at this moment. */
void sim_agreed(struct sim *sim, const struct sim_client *target, const struct sim_send *send,
                const struct sim_item *item);
/** sim_may() - @verb: one that is about names */
bool sim_may(uint32_t rules, uint32_t identity, enum hbk_verb verb, uint32_t name);
/** sim_may_ever() - by any rules from @generation on. */
bool sim_may_ever(const struct sim *sim, uint32_t generation, uint32_t identity, enum hbk_verb verb,
                  uint32_t name);
bool sim_may_open(uint32_t rules, uint32_t identity, uint32_t name);
/** sim_may_send() - by name alone. */
bool sim_may_send(uint32_t rules, uint32_t identity, uint32_t name);
bool sim_may_inspect(uint32_t rules, uint32_t identity);
/** sim_may_verb() - one that is about none. */
bool sim_may_verb(uint32_t rules, uint32_t identity, enum hbk_verb verb);
bool sim_same_scope(uint32_t identity, uint32_t other, uint32_t name);
uint32_t sim_cap(uint32_t rules, uint32_t name, enum hbk_type type);
uint32_t sim_rules_at(const struct sim *sim, uint32_t generation);
/** sim_refusal_founded() - is there what the sender of @send is told? */
void sim_refusal_founded(struct sim *sim, const struct sim_send *send,
                         const struct hbk_error *error);

/* ---- check.c: the books ---- */

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
