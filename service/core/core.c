#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct hbk_core *hbk_core_new(const struct hbk_platform *platform, const struct hbk_config *config)
{
    struct hbk_core *core = calloc(1, sizeof *core);

    if (core == NULL) {
        return NULL;
    }
    core->platform = *platform;
    core->config = *config;
    hbk_pool_init(&core->session_pool, sizeof(struct hbk_session));
    hbk_pool_init(&core->delivery_pool, sizeof(struct hbk_delivery));
    hbk_pool_init(&core->entry_pool, sizeof(struct hbk_entry));
    hbk_list_init(&core->sessions);
    hbk_turn_init(&core->turn, NULL);
    core->stop_due = HBK_NEVER;
    if (hbk_audit_init(core) != 0 || hbk_table_init(&core->users) != 0 ||
        hbk_table_init(&core->scopes) != 0 || hbk_table_init(&core->endpoints) != 0 ||
        hbk_table_init(&core->waiting) != 0 || hbk_table_init(&core->processes) != 0 ||
        hbk_table_init(&core->callers) != 0 || hbk_table_init(&core->process_endpoints) != 0 ||
        hbk_table_init(&core->entries) != 0 || hbk_table_init(&core->tickets) != 0 ||
        hbk_table_init(&core->takers) != 0) {
        hbk_core_free(core);
        return NULL;
    }
    core->platform.random(core->platform.context, &core->hash_key, sizeof core->hash_key);
    core->started_ms = hbk_now(core);
    return core;
}

void hbk_core_free(struct hbk_core *core)
{
    if (core == NULL) {
        return;
    }
    HBK_ASSERT(hbk_list_empty(&core->sessions));
    hbk_audit_flush(core);
    hbk_audit_deinit(core);
    hbk_message_clear(&core->message);
    hbk_table_deinit(&core->users);
    hbk_table_deinit(&core->scopes);
    hbk_table_deinit(&core->endpoints);
    hbk_table_deinit(&core->waiting);
    hbk_table_deinit(&core->processes);
    hbk_table_deinit(&core->callers);
    hbk_table_deinit(&core->process_endpoints);
    hbk_table_deinit(&core->entries);
    hbk_table_deinit(&core->tickets);
    hbk_table_deinit(&core->takers);
    hbk_roll_deinit(&core->all_entries);
    hbk_roll_deinit(&core->all_endpoints);
    hbk_policy_free(core->policy, core->platform.descriptor_free, core->platform.context);
    hbk_timers_deinit(&core->timers);
    hbk_pool_deinit(&core->session_pool);
    hbk_pool_deinit(&core->delivery_pool);
    hbk_pool_deinit(&core->entry_pool);
    free(core);
}

static void note(struct hbk_core *core, enum hbk_notice_kind kind, const char *detail)
{
    const struct hbk_notice notice = {.kind = kind, .detail = detail};

    hbk_core_note(core, &notice);
}

void hbk_core_configure(struct hbk_core *core, const struct hbk_config *config,
                        struct hbk_policy *policy, const char *source)
{
    core->config = *config;
    core->policies_loaded += source != NULL;
    hbk_grant_configure(core, policy);
    hbk_audit_review(core);
    note(core, HBK_NOTICE_POLICY_LOADED, source != NULL ? source : "the built-in rules");
    for (struct hbk_link *link = core->sessions.next; link != &core->sessions; link = link->next) {
        hbk_session_update_pause(HBK_CONTAINER(link, struct hbk_session, all_link));
    }
}

/* ---- users and processes, scopes: kept as long as there is a session, or something to do, of them ---- */

static struct hbk_user *user_of(struct hbk_core *core, const char *sid)
{
    uint64_t hash = hbk_hash(&core->hash_key, sid, strlen(sid), NULL, 0);
    struct hbk_node *node = hbk_table_find(&core->users, hash);
    struct hbk_user *user;

    for (; node != NULL; node = hbk_table_find_next(node)) {
        user = HBK_CONTAINER(node, struct hbk_user, node);
        if (strcmp(user->sid, sid) == 0) {
            return user;
        }
    }
    user = calloc(1, sizeof *user);
    if (user == NULL) {
        return NULL;
    }
    HBK_ASSERT(strlen(sid) < sizeof user->sid);
    hbk_list_init(&user->throttled);
    hbk_turn_init(&user->turn, &core->turn);
    memcpy(user->sid, sid, strlen(sid) + 1);
    hbk_table_insert(&core->users, &user->node, hash);
    return user;
}

void hbk_core_user_release(struct hbk_core *core, struct hbk_user *user)
{
    if (user->processes == 0 && user->used[HBK_QUOTA_STORED] == 0) {
        for (size_t i = 0; i < HBK_QUOTA_COUNT; i++) {
            HBK_ASSERT(user->used[i] == 0);
        }
        HBK_ASSERT(hbk_list_empty(&user->throttled) && user->looks == 0);
        HBK_ASSERT(hbk_turn_idle(&user->turn));
        if (user->closer != NULL) {
            core->platform.closer_unref(core->platform.context, user->closer);
        }
        hbk_table_remove(&core->users, &user->node);
        free(user);
    }
}

struct hbk_process *hbk_core_process(struct hbk_core *core, const char *sid, uint32_t pid)
{
    uint64_t hash = hbk_hash(&core->hash_key, &pid, sizeof pid, NULL, 0);
    struct hbk_node *node = hbk_table_find(&core->callers, hash);
    struct hbk_user *user = user_of(core, sid);
    struct hbk_process *process;

    if (user == NULL) {
        return NULL;
    }
    for (; node != NULL; node = hbk_table_find_next(node)) {
        process = HBK_CONTAINER(node, struct hbk_process, node);
        if (process->pid == pid && process->user == user) {
            return process;
        }
    }
    process = calloc(1, sizeof *process);
    if (process == NULL) {
        hbk_core_user_release(core, user);
        return NULL;
    }
    process->user = user;
    process->pid = pid;
    hbk_turn_init(&process->turn, &user->turn);
    hbk_list_init(&process->phases);
    hbk_list_init(&process->writes);
    hbk_list_init(&process->others);
    user->processes++;
    hbk_table_insert(&core->callers, &process->node, hash);
    return process;
}

void hbk_core_process_release(struct hbk_core *core, struct hbk_process *process)
{
    if (process == NULL || process->sessions > 0 || !hbk_turn_idle(&process->turn) ||
        process == core->at_work) {
        return;
    }
    hbk_table_remove(&core->callers, &process->node);
    process->user->processes--;
    hbk_core_user_release(core, process->user);
    free(process);
}

struct hbk_scope *hbk_core_scope(struct hbk_core *core, const uint8_t digest[32])
{
    uint64_t hash = hbk_hash(&core->hash_key, digest, 32, NULL, 0);
    struct hbk_node *node = hbk_table_find(&core->scopes, hash);
    struct hbk_scope *scope;

    for (; node != NULL; node = hbk_table_find_next(node)) {
        scope = HBK_CONTAINER(node, struct hbk_scope, node);
        if (memcmp(scope->digest, digest, 32) == 0) {
            return scope;
        }
    }
    scope = calloc(1, sizeof *scope);
    if (scope == NULL) {
        return NULL;
    }
    memcpy(scope->digest, digest, 32);
    hbk_table_insert(&core->scopes, &scope->node, hash);
    return scope;
}

void hbk_core_scope_release(struct hbk_core *core, struct hbk_scope *scope)
{
    if (scope != NULL && scope->references == 0) {
        hbk_roll_deinit(&scope->endpoints);
        hbk_roll_deinit(&scope->entries);
        hbk_table_remove(&core->scopes, &scope->node);
        free(scope);
    }
}

/* ---- events ---- */

static struct hbk_session *session_of(struct hbk_core *core, uint64_t id)
{
    return hbk_pool_get(&core->session_pool, id);
}

void hbk_core_bytes(struct hbk_core *core, uint64_t session, const void *bytes, size_t size)
{
    struct hbk_session *s = session_of(core, session);

    if (s != NULL && hbk_session_alive(s)) {
        hbk_session_bytes(s, bytes, size);
    }
}

void hbk_core_session_closed(struct hbk_core *core, uint64_t session)
{
    struct hbk_session *s = session_of(core, session);

    if (s != NULL) {
        hbk_session_hang_up(s, HBK_R_TARGET_GONE);
    }
}

void hbk_core_written(struct hbk_core *core, uint64_t session, bool told)
{
    struct hbk_session *s = session_of(core, session);

    HBK_ASSERT(s != NULL && s->write_pending);
    hbk_output_written(s, told);
}

void hbk_core_unpinned(struct hbk_core *core, uint64_t ticket)
{
    uint64_t id = ticket >> 1;

    HBK_ASSERT(core->closes_pending > 0);
    core->closes_pending--;
    if ((ticket & 1) == HBK_TICKET_ENTRY) {
        struct hbk_entry *entry = hbk_pool_get(&core->entry_pool, id);

        HBK_ASSERT(entry != NULL);
        hbk_store_unpinned(entry);
    } else {
        struct hbk_delivery *delivery = hbk_pool_get(&core->delivery_pool, id);

        HBK_ASSERT(delivery != NULL);
        hbk_delivery_unpinned(delivery);
    }
}

void hbk_core_sockets_made(struct hbk_core *core, uint64_t ticket,
                           const struct hbk_failure *failure, size_t item)
{
    struct hbk_delivery *delivery = hbk_pool_get(&core->delivery_pool, ticket);

    HBK_ASSERT(delivery != NULL && core->sockets_pending > 0);
    core->sockets_pending--;
    hbk_socket_made(delivery, failure, item);
}

void hbk_core_looked(struct hbk_core *core, uint64_t ticket, const struct hbk_looked *looked,
                     const struct hbk_failure *failure)
{
    struct hbk_session *s = session_of(core, ticket);

    HBK_ASSERT(s != NULL && core->looks_pending > 0);
    core->looks_pending--;
    hbk_look_ended(s, looked, failure);
}

void hbk_core_proof_closed(struct hbk_core *core, uint64_t session)
{
    struct hbk_session *s = session_of(core, session);

    if (s != NULL) {
        hbk_request_prove_go_on(s);
    }
}

/* ---- time ---- */

uint64_t hbk_core_deadline_ms(const struct hbk_core *core)
{
    const struct hbk_timer *timer = hbk_timers_next(&core->timers);
    uint64_t due = timer == NULL ? HBK_NEVER : timer->due_ms;

    return due < core->stop_due ? due : core->stop_due;
}

void hbk_core_tick(struct hbk_core *core)
{
    uint64_t now = hbk_now(core);
    struct hbk_timer *timer;

    for (int i = 0; i < HBK_DEADLINES_PER_TURN &&
                    (timer = hbk_timers_next(&core->timers)) != NULL && timer->due_ms <= now;
         i++) {
        hbk_timer_set(&core->timers, timer, HBK_NEVER);
        if (timer->kind == HBK_TIMER_SESSION) {
            hbk_session_expire(HBK_CONTAINER(timer, struct hbk_session, timer), now);
        } else if (timer->kind == HBK_TIMER_DELIVERY) {
            hbk_delivery_expire(HBK_CONTAINER(timer, struct hbk_delivery, timer));
        } else if (timer->kind == HBK_TIMER_ENTRY) {
            hbk_store_expire(HBK_CONTAINER(timer, struct hbk_entry, timer));
        } else {
            hbk_audit_expire(core);
        }
    }
    if (core->stop_due <= now) {
        core->stop_due = HBK_NEVER;
        for (struct hbk_link *link = core->sessions.next; link != &core->sessions;
             link = link->next) {
            hbk_session_hang_up(HBK_CONTAINER(link, struct hbk_session, all_link), HBK_R_STOPPING);
        }
    }
}

void hbk_core_pause(struct hbk_core *core, bool paused)
{
    if (core->paused == paused || core->stopping) {
        return;
    }
    core->paused = paused;
    if (paused) {
        note(core, HBK_NOTICE_PAUSED,
             "it takes no new sessions, sends or entries, and finishes what is under way; to go "
             "on: sc continue HandleBroker");
    } else {
        note(core, HBK_NOTICE_CONTINUED, "new sessions, sends and entries are taken");
    }
}

void hbk_core_stop(struct hbk_core *core)
{
    if (core->stopping) {
        return;
    }
    core->stopping = true;
    core->stop_due = hbk_now(core) + core->config.stop_ms;
    /* Answers first: a sender must hear `stopping`, not that its target has gone for the same reason. */
    for (struct hbk_link *link = core->sessions.next; link != &core->sessions; link = link->next) {
        struct hbk_session *session = HBK_CONTAINER(link, struct hbk_session, all_link);

        hbk_delivery_stop_sends(session);
        hbk_request_stop(session);
        hbk_look_stop(session);
    }
    for (struct hbk_link *link = core->sessions.next; link != &core->sessions; link = link->next) {
        hbk_session_end(HBK_CONTAINER(link, struct hbk_session, all_link), HBK_R_STOPPING, NULL);
    }
    hbk_store_stop(core);
    hbk_audit_flush(core);
}

bool hbk_core_stopped(const struct hbk_core *core)
{
    return core->stopping && hbk_list_empty(&core->sessions) && core->entry_pool.used_count == 0;
}

uint32_t hbk_core_pins(const struct hbk_core *core)
{
    HBK_ASSERT(core->pins_ahead <= core->used[HBK_QUOTA_PINS]);
    /* Of an entry of the store one. */
    return (uint32_t)(core->used[HBK_QUOTA_PINS] + core->used[HBK_QUOTA_STORED]) - core->pins_ahead;
}
