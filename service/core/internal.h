/* What the files of service/core do for each other, in the order of the files. model.h has what it is done with. */
#ifndef HBK_INTERNAL_H
#define HBK_INTERNAL_H

#include "model.h"

static inline uint64_t hbk_now(struct hbk_core *core)
{
    return core->platform.now_ms(core->platform.context);
}

/* ---- core.c ---- */

/** hbk_core_process() - process @pid of user @sid. NULL out of memory. */
struct hbk_process *hbk_core_process(struct hbk_core *core, const char *sid, uint32_t pid);
/** hbk_core_user_release() - free it if nothing keeps it any more. */
void hbk_core_user_release(struct hbk_core *core, struct hbk_user *user);
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

/* ---- metrics.c ---- */

/** hbk_metrics_done() - @delivery was told just now. */
void hbk_metrics_done(struct hbk_core *core, const struct hbk_delivery *delivery);
/** hbk_metrics_failed() - a hand-off ended with @code, before it was one or later. */
void hbk_metrics_failed(struct hbk_core *core, int32_t code);

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
/** hbk_output_notification() - @session must be alive. Return: false: it has ended over it. */
bool hbk_output_notification(struct hbk_session *session, enum hbk_method method,
                             const void *params);
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

/** hbk_operate_may_inspect() - if not, request @id was refused. */
bool hbk_operate_may_inspect(struct hbk_session *session, const struct hbk_id *id);
void hbk_operate_status(struct hbk_session *session, const struct hbk_id *id);
void hbk_operate_metrics(struct hbk_session *session, const struct hbk_id *id);
void hbk_operate_sessions(struct hbk_session *session, const struct hbk_id *id,
                          const struct hbk_paging *params);
void hbk_operate_watch(struct hbk_session *session, const struct hbk_id *id);

/* ---- look.c: what is in handle tables ---- */

void hbk_look_request_handles(struct hbk_session *session, const struct hbk_id *id,
                              const struct hbk_process_handles *params);
void hbk_look_request_holders(struct hbk_session *session, const struct hbk_id *id,
                              const struct hbk_object_holders *params);
/** hbk_look_ended() - the worker has returned: answer, if somebody still waits. */
void hbk_look_ended(struct hbk_session *session, const struct hbk_looked *looked,
                    const struct hbk_failure *failure);
/** hbk_look_expire() - it has taken too long. */
void hbk_look_expire(struct hbk_session *session);
/** hbk_look_stop() - answer `stopping`. */
void hbk_look_stop(struct hbk_session *session);
/** hbk_look_drop() - nobody waits any more. */
void hbk_look_drop(struct hbk_session *session);

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

/** hbk_cursor_read() - of a page before; absent: 0. Return: 0; -1: it is none of ours. */
int hbk_cursor_read(struct hbk_text cursor, uint64_t *ret_place);
/** hbk_cursor_write() - into @ret_text, which it borrows. */
struct hbk_text hbk_cursor_write(uint64_t place, char ret_text[HBK_CURSOR_BYTES_MAX]);

void hbk_listing_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_paging *params);

/* ---- item.c: one handle, from what was asked to a pin that was looked at ---- */

enum { HBK_ITEM_E_REFUSED = 1 };

/** hbk_item_keep() - @item, zeroed, as it is asked for. */
void hbk_item_keep(struct hbk_pinned *item, const struct hbk_item *wanted);
/** hbk_item_pin() - pin and inspect it, and check type, rights and rules. *@item has a pin if that much was done.
 * @limit_rule: of hbk_policy_limits(). Return: 0, or filled @ret_error. */
int hbk_item_pin(struct hbk_core *core, void *party, struct hbk_pinned *item, int limit_rule,
                 struct hbk_error *ret_error);
/** hbk_item_check_cap() - what policy lets pass by @limit_rule. 0, or filled @ret_error. */
int hbk_item_check_cap(const struct hbk_core *core, int limit_rule, enum hbk_type type,
                       uint32_t access, struct hbk_error *ret_error);
/** hbk_item_reduce() - what is given of @item, which has a pin, if `asked` is of rights within @most. 0, or filled
 * @ret_error. */
int hbk_item_reduce(struct hbk_pinned *item, uint32_t most, struct hbk_error *ret_error);

/* ---- send.c: the first phase ---- */

/** hbk_send_request() - check, then pin and inspect, at least some; answer at once what fails. */
void hbk_send_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_send *params);

/* What a request wants to be moved, and whence and whereto. */
struct hbk_send_start {
    enum hbk_delivery_kind kind;
    const struct hbk_send *params; /* without a name: to a process, or to who asks */
    void *source, *process;        /* as in struct hbk_delivery; taken over */
    uint32_t source_pid, process_pid;
};

/** hbk_send_start() - the same for a transfer. */
void hbk_send_start(struct hbk_session *session, const struct hbk_id *id,
                    const struct hbk_send_start *start);
/** hbk_send_new() - a delivery that is charged to @session. @pins: to be charged with it. NULL out of memory. */
struct hbk_delivery *hbk_send_new(struct hbk_session *session, const struct hbk_id *id,
                                  enum hbk_delivery_kind kind, uint32_t pins);
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

/* ---- socket.c ---- */

/** hbk_socket_ready() - are the sockets of @delivery made, or has it none? If not, a worker is told to, and it goes on
 * later, as a phase of @at_work, or has failed. */
bool hbk_socket_ready(struct hbk_delivery *delivery, struct hbk_session *at_work);
/** hbk_socket_made() - the worker has returned. */
void hbk_socket_made(struct hbk_delivery *delivery, const struct hbk_failure *failure, size_t item);
/** hbk_socket_info() - what the target makes item @index of. */
struct hbk_text hbk_socket_info(const struct hbk_delivery *delivery, size_t index);
/** hbk_socket_undo() - take item @index back, which was made and not told. */
void hbk_socket_undo(struct hbk_delivery *delivery, size_t index);
/** hbk_socket_release() - all of them are told, or taken back. */
void hbk_socket_release(struct hbk_delivery *delivery);

/* ---- transfer.c ---- */

/**
 * hbk_transfer_open() - process @pid, if Windows lets who asks duplicate handles there
 * @which:     what the error calls it
 * @ret_party: for process_close(); NULL for the caller's own process, or none: its session has it
 *
 * Return: 0, or filled @ret_error.
 */
int hbk_transfer_open(struct hbk_session *session, uint32_t pid, const char *which,
                      void **ret_party, struct hbk_error *ret_error);
void hbk_transfer_request(struct hbk_session *session, const struct hbk_id *id,
                          const struct hbk_transfer *params);
/** hbk_transfer_find() - whose line tells of what goes to a process: a session of it, or who asks. */
void hbk_transfer_find(struct hbk_delivery *delivery);
/** hbk_transfer_answer() - @value is where it was placed. Return: false: the sender ended over it. */
bool hbk_transfer_answer(struct hbk_delivery *delivery, uint32_t value, bool notified);

/* ---- revoke.c: what can be taken back after it was told ---- */

/** hbk_revoke_keep() - @delivery was told, and its pins stay. */
void hbk_revoke_keep(struct hbk_delivery *delivery);
/** hbk_revoke_end_all() - @session, which has ended, gave or holds: what it shares with others is over, and they hear
 * of it. */
void hbk_revoke_end_all(struct hbk_session *session);
void hbk_revoke_request(struct hbk_session *session, const struct hbk_id *id,
                        const struct hbk_delivery_answer *params);

/* ---- deliveries.c ---- */

void hbk_deliveries_request(struct hbk_session *session, const struct hbk_id *id,
                            const struct hbk_paging *params);

/* ---- store.c: what is in the store ---- */

void hbk_store_request_put(struct hbk_session *session, const struct hbk_id *id,
                           const struct hbk_store_put *params);
void hbk_store_request_remove(struct hbk_session *session, const struct hbk_id *id,
                              const struct hbk_store_remove *params);
/** hbk_store_find() - the entry of that name in @scope; NULL if none. */
struct hbk_entry *hbk_store_find(struct hbk_core *core, const struct hbk_scope *scope,
                                 struct hbk_text name, uint64_t hash);
/** hbk_store_find_ticket() - the entry of that ticket; NULL if none. */
struct hbk_entry *hbk_store_find_ticket(struct hbk_core *core,
                                        const uint8_t ticket[HBK_TICKET_BYTES / 2]);
/** hbk_store_has() - is @entry there, and not about to go with a session that has ended? */
bool hbk_store_has(const struct hbk_entry *entry);
/** hbk_store_ticket() - of @text, which the decoder has passed. */
void hbk_store_ticket(struct hbk_text text, uint8_t ret_ticket[HBK_TICKET_BYTES / 2]);
/** hbk_store_ticket_name() - where rules are asked about a ticket, this is its name. */
struct hbk_text hbk_store_ticket_name(void);
/** hbk_store_drop() - @entry is in the store no more; it stays while it is taken. May be repeated. */
void hbk_store_drop(struct hbk_entry *entry);
/** hbk_store_put_back() - one that takes @entry no more. */
void hbk_store_put_back(struct hbk_entry *entry);
/** hbk_store_drop_some() - of a session that has ended, at most @max. Return: how many. */
uint32_t hbk_store_drop_some(struct hbk_session *session, uint32_t max);
/** hbk_store_expire() - its time, or its session, has ended. */
void hbk_store_expire(struct hbk_entry *entry);
void hbk_store_unpinned(struct hbk_entry *entry);
/** hbk_store_stop() - nothing is in the store any more. */
void hbk_store_stop(struct hbk_core *core);

/* ---- take.c: store.get ---- */

void hbk_take_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_store_get *params);
/** hbk_take_find() - the entry that @delivery takes, under the rules of now. Return: false: there is none, and it waits
 * or has failed. */
bool hbk_take_find(struct hbk_delivery *delivery);
/** hbk_take_answer() - Return: false: who asked ended over it. */
bool hbk_take_answer(struct hbk_delivery *delivery);
/** hbk_take_end() - it was @told, or never will be: then the entry is as before. */
void hbk_take_end(struct hbk_delivery *delivery, bool told);
/** hbk_take_wake() - who waits for @entry looks again, in the order in which they came. */
void hbk_take_wake(struct hbk_entry *entry);

/** hbk_take_allowed() - does @entry's `allow`, or its owner's identity where it has none, let @session take it? */
bool hbk_take_allowed(struct hbk_session *session, const struct hbk_entry *entry);

/* ---- entries.c ---- */

void hbk_entries_request(struct hbk_session *session, const struct hbk_id *id,
                         const struct hbk_paging *params);

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
/** hbk_delivery_again() - a phase of @at_work goes on with it. */
void hbk_delivery_again(struct hbk_delivery *delivery, struct hbk_session *at_work);
/** hbk_delivery_leave() - out of every list that its state has it in, to be in another. */
void hbk_delivery_leave(struct hbk_delivery *delivery);
void hbk_delivery_set_timer(struct hbk_delivery *delivery, uint64_t due_ms);
/** hbk_delivery_wait() - for what it was sent to, or is to take, until its deadline; where it may not, it fails. */
void hbk_delivery_wait(struct hbk_delivery *delivery, const struct hbk_error *error);
/** hbk_delivery_claim_answer() - true once: the sender is to be answered, and this is the answer. */
bool hbk_delivery_claim_answer(struct hbk_delivery *delivery);
/** hbk_delivery_close_later() - it is over, and no worker is at its pins. */
void hbk_delivery_close_later(struct hbk_delivery *delivery);
/** hbk_delivery_finish() - it is over: its pins are to be closed. */
void hbk_delivery_finish(struct hbk_delivery *delivery);
/** hbk_delivery_party() - the process that it is placed in. */
void *hbk_delivery_party(const struct hbk_delivery *delivery);
/** hbk_delivery_event() - what records call the request. */
const char *hbk_delivery_event(const struct hbk_delivery *delivery);
/** hbk_delivery_retell() - the process was not notified: nothing is left there, and the answer is to tell. */
void hbk_delivery_retell(struct hbk_delivery *delivery);
/** hbk_delivery_unhold() - @target ends: what goes to its process, and not to an endpoint, finds another way. */
void hbk_delivery_unhold(struct hbk_session *target);
/** hbk_delivery_cancel() - it is taken back before it is told. */
void hbk_delivery_cancel(struct hbk_delivery *delivery);
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
