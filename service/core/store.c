/* The store: handles that may outlive the process that had them, under a name or a ticket. An entry has a pin of its
 * own; what takes it (take.c) places from that pin, and keeps the entry, gone from the store or not, until it is over. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { STORE_E_REFUSED = 1 };

/* ---- finding ---- */

struct hbk_entry *hbk_store_find(struct hbk_core *core, const struct hbk_scope *scope,
                                 struct hbk_text name, uint64_t hash)
{
    struct hbk_node *node = hbk_table_find(&core->entries, hash);

    for (; node != NULL; node = hbk_table_find_next(node)) {
        struct hbk_entry *entry = HBK_CONTAINER(node, struct hbk_entry, node);

        if (entry->scope == scope && hbk_text_equal(entry->name, name)) {
            HBK_ASSERT(entry->stored);
            return entry;
        }
    }
    return NULL;
}

bool hbk_store_has(const struct hbk_entry *entry)
{
    return entry->stored && (entry->session == NULL || hbk_session_alive(entry->session));
}

static uint64_t ticket_hash(const struct hbk_core *core, const uint8_t ticket[HBK_TICKET_BYTES / 2])
{
    return hbk_hash(&core->hash_key, ticket, HBK_TICKET_BYTES / 2, NULL, 0);
}

/* In a time that does not tell how much of it is right. */
static bool ticket_equal(const uint8_t *a, const uint8_t *b)
{
    unsigned different = 0;

    for (size_t i = 0; i < HBK_TICKET_BYTES / 2; i++) {
        different |= (unsigned)(a[i] ^ b[i]);
    }
    return different == 0;
}

struct hbk_entry *hbk_store_find_ticket(struct hbk_core *core,
                                        const uint8_t ticket[HBK_TICKET_BYTES / 2])
{
    struct hbk_node *node = hbk_table_find(&core->tickets, ticket_hash(core, ticket));

    for (; node != NULL; node = hbk_table_find_next(node)) {
        struct hbk_entry *entry = HBK_CONTAINER(node, struct hbk_entry, node);

        if (ticket_equal(entry->ticket, ticket)) {
            HBK_ASSERT(entry->stored);
            return entry;
        }
    }
    return NULL;
}

void hbk_store_ticket(struct hbk_text text, uint8_t ret_ticket[HBK_TICKET_BYTES / 2])
{
    HBK_ASSERT(text.size == HBK_TICKET_BYTES);
    for (size_t i = 0; i < HBK_TICKET_BYTES; i++) {
        char digit = text.data[i];
        unsigned value = (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);

        HBK_ASSERT(value < 16);
        ret_ticket[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : ret_ticket[i / 2] | value);
    }
}

struct hbk_text hbk_store_ticket_name(void)
{
    return hbk_text_from("global/ticket");
}

/* ---- the end of an entry ---- */

static void entry_free(struct hbk_entry *entry, struct hbk_core *core)
{
    struct hbk_user *user = entry->user;

    HBK_ASSERT(!entry->stored && entry->takes == 0 && hbk_list_empty(&entry->session_link));
    hbk_quota_give_user(core, user, HBK_QUOTA_STORED, 1);
    hbk_quota_give_user(core, user, HBK_QUOTA_STORED_BYTES, entry->charged);
    core->platform.descriptor_free(core->platform.context, entry->allow);
    hbk_timers_unreserve(&core->timers);
    entry->owner->references--;
    hbk_core_scope_release(core, entry->owner);
    entry->scope->references--;
    hbk_core_scope_release(core, entry->scope);
    free(entry->text);
    hbk_pool_free(&core->entry_pool, entry);
    hbk_core_user_release(core, user);
}

/* Close its pin, if nobody needs it any more, and free it when that has returned. */
static void settle(struct hbk_entry *entry)
{
    struct hbk_core *core = entry->core;
    bool may_block = hbk_type_info((enum hbk_type)entry->item.type)->close_may_block;

    if (entry->stored || entry->takes > 0) {
        return;
    }
    HBK_ASSERT(!entry->closing);
    entry->closing = true;
    core->spent++;
    if (entry->item.pin == 0 ||
        core->platform.unpin(core->platform.context, entry->user->closer, entry->item.pin,
                             may_block,
                             entry->slot.id << 1 | HBK_TICKET_ENTRY) != HBK_PLATFORM_PENDING) {
        entry_free(entry, core);
    } else {
        core->closes_pending++;
    }
}

void hbk_store_unpinned(struct hbk_entry *entry)
{
    HBK_ASSERT(entry->closing);
    entry_free(entry, entry->core);
}

void hbk_store_drop(struct hbk_entry *entry)
{
    struct hbk_core *core = entry->core;

    if (!entry->stored) {
        return;
    }
    entry->stored = false;
    hbk_table_remove(entry->by_ticket ? &core->tickets : &core->entries, &entry->node);
    hbk_roll_remove(&core->all_entries, entry->serial);
    hbk_roll_remove(&entry->scope->entries, entry->serial);
    hbk_list_remove(&entry->session_link);
    hbk_timer_set(&core->timers, &entry->timer, HBK_NEVER);
    if (entry->session != NULL && !hbk_session_alive(entry->session)) {
        hbk_session_settle_later(entry->session); /* it may have been the last */
    }
    entry->session = NULL;
    settle(entry);
}

void hbk_store_put_back(struct hbk_entry *entry)
{
    HBK_ASSERT(entry->takes > 0);
    entry->takes--;
    settle(entry);
}

void hbk_store_expire(struct hbk_entry *entry)
{
    hbk_audit_entry(entry, NULL, "store.expired");
    hbk_store_drop(entry);
}

uint32_t hbk_store_drop_some(struct hbk_session *session, uint32_t max)
{
    uint32_t count = 0;

    HBK_ASSERT(!hbk_session_alive(session));
    for (; count < max && !hbk_list_empty(&session->entries); count++) {
        struct hbk_entry *entry =
            HBK_CONTAINER(session->entries.next, struct hbk_entry, session_link);

        hbk_store_expire(entry);
    }
    return count;
}

void hbk_store_stop(struct hbk_core *core)
{
    for (uint32_t i = 0; i < hbk_pool_size(&core->entry_pool); i++) {
        struct hbk_entry *entry = hbk_pool_at(&core->entry_pool, i);

        if (entry != NULL) {
            hbk_store_drop(entry);
        }
    }
}

/* ---- store.put ---- */

static int check_put_params(const struct hbk_store_put *params, struct hbk_error *ret_error)
{
    size_t offset = 0;
    const char *fault = params->allow.data == NULL ? NULL : hbk_sddl_check(params->allow, &offset);

    if (fault != NULL) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "allow, at byte %u: %s", (unsigned)offset,
                      fault);
    } else if (params->name.data == NULL && params->replace) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "replace: a ticket replaces nothing");
    } else if (params->name.data == NULL && params->lifetime == HBK_LIFETIME_BROKER &&
               params->ttl_ms == 0) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "ttl_ms: a ticket that is to outlive its session needs one, as nobody may "
                      "ever claim it");
    } else {
        return 0;
    }
    return STORE_E_REFUSED;
}

/* By whose rules it is put; absent: by none, as it stays within one identity. */
static struct hbk_text ruled_by(const struct hbk_store_put *params)
{
    if (params->name.data != NULL) {
        return params->name;
    }
    return params->allow.data != NULL ? hbk_store_ticket_name() : (struct hbk_text){0};
}

static uint32_t bytes_of(const struct hbk_store_put *params)
{
    return (uint32_t)(params->name.size + params->data.size + params->allow.size);
}

static int check_put_quota(const struct hbk_session *session, const struct hbk_store_put *params,
                           struct hbk_error *ret_error)
{
    return hbk_quota_check(session, HBK_QUOTA_STORED, 1, ret_error) == 0 &&
                   hbk_quota_check(session, HBK_QUOTA_STORED_BYTES, bytes_of(params), ret_error) ==
                       0
               ? 0
               : STORE_E_REFUSED;
}

/* @ret_before: the entry of this name that gives way, or NULL. */
static int check_put(struct hbk_session *session, const struct hbk_store_put *params,
                     struct hbk_entry **ret_before, struct hbk_error *ret_error)
{
    struct hbk_core *core = session->core;
    struct hbk_text ruled = ruled_by(params);
    struct hbk_entry *before = NULL;

    if (check_put_params(params, ret_error) != 0) {
        return STORE_E_REFUSED;
    }
    /* Before anything that would tell whether the name is taken. */
    if (ruled.data != NULL && !hbk_grant_name(session, HBK_VERB_PUT, ruled)) {
        hbk_error_set(ret_error, HBK_R_DENIED,
                      params->name.data != NULL
                          ? "policy does not let you put under this name: use one in user/, or ask "
                            "an administrator for a rule with `put`"
                          : "policy does not let you give a ticket to others: leave allow out, or "
                            "ask an administrator for a rule with `put` for global/ticket");
        return STORE_E_REFUSED;
    }
    if (params->name.data != NULL) {
        struct hbk_scope *scope = session->scopes[hbk_scope_kind_of(params->name)];

        before =
            hbk_store_find(core, scope, params->name, hbk_endpoint_hash(core, scope, params->name));
    }
    if (before != NULL && hbk_store_has(before) &&
        (!params->replace || before->owner != session->scopes[HBK_SCOPE_USER])) {
        hbk_error_set(ret_error, HBK_R_EXISTS, "%s",
                      params->replace ? "an entry of this name is another identity's, which alone "
                                        "may replace it: use another name"
                                      : "an entry of this name is stored: replace it, remove it, "
                                        "or use another name");
        return STORE_E_REFUSED;
    }
    *ret_before = before;
    return check_put_quota(session, params, ret_error);
}

static struct hbk_entry *entry_new(struct hbk_session *session, const struct hbk_store_put *params)
{
    struct hbk_core *core = session->core;
    struct hbk_entry *entry;

    if (hbk_timers_reserve(&core->timers) != 0) {
        return NULL;
    }
    entry = hbk_pool_new(&core->entry_pool);
    if (entry == NULL) {
        hbk_timers_unreserve(&core->timers);
        return NULL;
    }
    hbk_list_init(&entry->session_link);
    entry->core = core;
    entry->timer.kind = HBK_TIMER_ENTRY;
    entry->user = session->user;
    entry->owner = session->scopes[HBK_SCOPE_USER];
    entry->by_ticket = params->name.data == NULL;
    entry->scope =
        entry->by_ticket ? entry->owner : session->scopes[hbk_scope_kind_of(params->name)];
    entry->owner->references++;
    entry->scope->references++;
    entry->once = params->once || entry->by_ticket;
    entry->lifetime = params->lifetime;
    entry->session_id = session->slot.id;
    entry->pid = session->peer.pid;
    entry->integrity = session->peer.integrity;
    entry->logon_session = session->peer.logon_session;
    entry->charged = bytes_of(params);
    hbk_quota_take(session, HBK_QUOTA_STORED, 1);
    hbk_quota_take(session, HBK_QUOTA_STORED_BYTES, entry->charged);
    return entry;
}

static int keep_texts(struct hbk_entry *entry, const struct hbk_store_put *params)
{
    char *text = malloc(params->name.size + params->data.size + 1);

    if (text == NULL) {
        return -1;
    }
    entry->text = text;
    if (params->name.data != NULL) {
        memcpy(text, params->name.data, params->name.size);
        entry->name = (struct hbk_text){.data = text, .size = params->name.size};
        text += params->name.size;
    }
    if (params->data.data != NULL) {
        memcpy(text, params->data.data, params->data.size);
        entry->data = (struct hbk_text){.data = text, .size = params->data.size};
    }
    return 0;
}

/* All that can fail. */
static int prepare(struct hbk_entry *entry, struct hbk_session *session,
                   const struct hbk_store_put *params, struct hbk_error *ret_error)
{
    struct hbk_core *core = session->core;
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};
    const struct hbk_item item = {
        .handle = params->handle, .type = params->type, .access = params->access};
    struct hbk_text ruled = ruled_by(params);
    int limit_rule =
        ruled.data != NULL ? hbk_policy_limits(core->policy, ruled) : HBK_POLICY_NO_RULE;

    if (keep_texts(entry, params) != 0 || hbk_roll_reserve(&core->all_entries) != 0 ||
        hbk_roll_reserve(&entry->scope->entries) != 0) {
        hbk_error_set(ret_error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        return STORE_E_REFUSED;
    }
    core->spent += params->allow.data != NULL;
    if (params->allow.data != NULL &&
        core->platform.descriptor_new(session->connection, params->allow, &entry->allow,
                                      &failure) != 0) {
        hbk_error_set(ret_error, failure.code, "allow: %s",
                      failure.detail != NULL ? failure.detail : hbk_result_meaning(failure.code));
        ret_error->win32 = failure.win32;
        return STORE_E_REFUSED;
    }
    hbk_item_keep(&entry->item, &item);
    return hbk_item_pin(core, session->connection, &entry->item, limit_rule, ret_error);
}

static void publish(struct hbk_entry *entry, struct hbk_session *session, uint32_t ttl_ms)
{
    struct hbk_core *core = entry->core;

    entry->stored = true;
    entry->serial = ++core->next_serial;
    entry->put_ms = hbk_now(core);
    if (entry->by_ticket) {
        core->platform.random(core->platform.context, entry->ticket, sizeof entry->ticket);
        hbk_table_insert(&core->tickets, &entry->node, ticket_hash(core, entry->ticket));
    } else {
        hbk_table_insert(&core->entries, &entry->node,
                         hbk_endpoint_hash(core, entry->scope, entry->name));
    }
    hbk_roll_append(&core->all_entries, entry->serial, entry);
    hbk_roll_append(&entry->scope->entries, entry->serial, entry);
    if (entry->lifetime == HBK_LIFETIME_SESSION) {
        entry->session = session;
        hbk_list_append(&session->entries, &entry->session_link);
    }
    hbk_timer_set(&core->timers, &entry->timer, ttl_ms != 0 ? entry->put_ms + ttl_ms : HBK_NEVER);
    hbk_audit_entry(entry, session, "store.put");
}

static void write_ticket(const struct hbk_entry *entry, char ret_text[HBK_TICKET_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < HBK_TICKET_BYTES; i++) {
        unsigned byte = entry->ticket[i / 2];

        ret_text[i] = digits[i % 2 == 0 ? byte >> 4 : byte & 15];
    }
}

void hbk_store_request_put(struct hbk_session *session, const struct hbk_id *id,
                           const struct hbk_store_put *params)
{
    struct hbk_store_put_result result = {0};
    struct hbk_entry *entry, *before = NULL;
    char ticket[HBK_TICKET_BYTES];
    struct hbk_error error;

    if (check_put(session, params, &before, &error) != 0) {
        hbk_output_error(session, id, &error);
        return;
    }
    entry = entry_new(session, params);
    if (entry == NULL) {
        hbk_output_refuse(session, id, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        return;
    }
    if (prepare(entry, session, params, &error) != 0) {
        settle(entry);
        hbk_output_error(session, id, &error);
        return;
    }
    if (before != NULL && !hbk_store_has(before)) {
        hbk_store_expire(before);
    } else if (before != NULL) {
        hbk_store_drop(before);
    }
    publish(entry, session, params->ttl_ms);
    result.entry = entry->slot.id;
    if (entry->by_ticket) {
        write_ticket(entry, ticket);
        result.ticket = (struct hbk_text){.data = ticket, .size = sizeof ticket};
    }
    hbk_output_result(session, id, HBK_METHOD_STORE_PUT, &result);
    hbk_take_wake(entry); /* there, also where answering has ended the session */
}

/* ---- store.remove ---- */

static struct hbk_entry *find_own(struct hbk_session *session,
                                  const struct hbk_store_remove *params)
{
    struct hbk_core *core = session->core;
    struct hbk_entry *entry = hbk_pool_get(&core->entry_pool, params->entry);

    if (params->name.data != NULL) {
        struct hbk_scope *scope = session->scopes[hbk_scope_kind_of(params->name)];

        entry =
            hbk_store_find(core, scope, params->name, hbk_endpoint_hash(core, scope, params->name));
    }
    if (entry == NULL || !hbk_store_has(entry)) {
        return NULL;
    }
    return entry->owner == session->scopes[HBK_SCOPE_USER] ||
                   (params->name.data == NULL && hbk_grant_verb(session, HBK_VERB_REVOKE))
               ? entry
               : NULL;
}

void hbk_store_request_remove(struct hbk_session *session, const struct hbk_id *id,
                              const struct hbk_store_remove *params)
{
    bool named = params->name.data != NULL;
    struct hbk_entry *entry;

    if (named == (params->entry != 0)) {
        hbk_output_refuse(session, id, HBK_R_INVALID_PARAMS,
                          "one of name and entry says what is to be removed");
        return;
    }
    entry = find_own(session, params);
    if (entry == NULL) {
        hbk_output_refuse(session, id,
                          named && hbk_scope_kind_of(params->name) != HBK_SCOPE_USER
                              ? HBK_R_DENIED
                              : HBK_R_NOT_FOUND,
                          "no such entry is yours: it was removed, taken or has expired, or is "
                          "another identity's");
        return;
    }
    hbk_audit_entry(entry, session, "store.remove");
    hbk_store_drop(entry);
    hbk_output_result(session, id, HBK_METHOD_STORE_REMOVE, NULL);
}
