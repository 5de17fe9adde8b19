#include "core_books.h"

#include "internal.h"

#include <string.h>

static const char *const names[HBK_QUOTA_COUNT] = {
    "sessions",  "requests",     "pins",   "pending",
    "endpoints", "queued bytes", "stored", "stored bytes",
};

enum { BOOK_USERS_MAX = 512 };

struct count {
    const struct hbk_user *user;
    uint32_t sessions, refused, looks;
    uint64_t used[HBK_QUOTA_COUNT];
};

static struct count *find(const struct fake_kernel *kernel, struct count *counts, size_t *count,
                          const struct hbk_user *user)
{
    for (size_t i = 0; i < *count; ++i)
        if (counts[i].user == user)
            return &counts[i];
    if (*count == BOOK_USERS_MAX)
        fake_broken(kernel, "counters of users", "too many users for the books");
    counts[*count] = (struct count){.user = user};
    return &counts[(*count)++];
}

/* Only what is reached from the session itself. */
/* Charged before they are made, and until their closes have returned. */
static uint64_t pins_of(const struct hbk_delivery *delivery)
{
    if (delivery->kind == HBK_DELIVERY_TAKE)
        return 0; /* its pin is the entry's */
    if (delivery->state == HBK_DELIVERY_PINNING)
        return delivery->items_charged;
    return delivery->item_count - delivery->closes_begun + delivery->closes_pending;
}

static void count_session(const struct fake_kernel *kernel, struct count *count,
                          const struct hbk_session *session)
{
    uint64_t bytes =
        hbk_framer_size(&session->input) + session->queued.size + session->writing.size;
    if (bytes != session->bytes)
        fake_broken(kernel, "counters of users",
                    "a session holds %llu bytes and is charged for %llu", (unsigned long long)bytes,
                    (unsigned long long)session->bytes);
    ++count->sessions;
    count->refused += !session->counted;
    count->used[HBK_QUOTA_SESSIONS] += session->counted;
    count->used[HBK_QUOTA_QUEUED_BYTES] += bytes;
    for (const struct hbk_link *link = session->endpoints.next; link != &session->endpoints;
         link = link->next)
        ++count->used[HBK_QUOTA_ENDPOINTS];
    for (const struct hbk_link *link = session->sends.next; link != &session->sends;
         link = link->next) {
        const struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, send_link);
        bool over = delivery->state == HBK_DELIVERY_CLOSING;
        count->used[HBK_QUOTA_REQUESTS] += !delivery->answered;
        count->used[HBK_QUOTA_PENDING] += !over;
        count->used[HBK_QUOTA_PINS] += pins_of(delivery);
    }
    for (const struct hbk_link *link = session->given.next; link != &session->given;
         link = link->next)
        count->used[HBK_QUOTA_PINS] += pins_of(HBK_CONTAINER(link, struct hbk_delivery, send_link));
    for (const struct hbk_link *link = session->accepted.next; link != &session->accepted;
         link = link->next)
        ++count->used[HBK_QUOTA_REQUESTS];
    count->used[HBK_QUOTA_REQUESTS] += session->look.id.kind != HBK_ID_NONE;
    count->looks += session->look.pending;
}

static void compare(const struct fake_kernel *kernel, const struct count *count,
                    const uint64_t *used)
{
    for (size_t i = 0; i < HBK_QUOTA_COUNT; ++i)
        if (count->used[i] != used[i])
            fake_broken(kernel, "counters of users", "%s: %llu are charged, %llu are there",
                        names[i], (unsigned long long)used[i], (unsigned long long)count->used[i]);
}

/* Deliveries that have an entry. */
static uint32_t count_takes(const struct hbk_session *session)
{
    uint32_t takes = 0;
    for (const struct hbk_link *link = session->sends.next; link != &session->sends;
         link = link->next)
        takes += HBK_CONTAINER(link, struct hbk_delivery, send_link)->entry != NULL;
    return takes;
}

/* Entries are their user's as long as there is a pin of them. @takes: deliveries that have one */
static size_t count_entries(const struct hbk_core *core, const struct fake_kernel *kernel,
                            struct count *counts, size_t count, uint32_t takes)
{
    uint32_t stored = 0;
    for (uint32_t i = 0; i < hbk_pool_size(&core->entry_pool); ++i) {
        const struct hbk_entry *entry = hbk_pool_at(&core->entry_pool, i);
        if (!entry)
            continue;
        struct count *of = find(kernel, counts, &count, entry->user);
        ++of->used[HBK_QUOTA_STORED];
        of->used[HBK_QUOTA_STORED_BYTES] += entry->charged;
        stored += entry->stored;
        takes -= entry->takes;
        if (!entry->stored && ((!entry->takes && !entry->closing) || entry->session))
            fake_broken(kernel, "counters of users", "an entry is kept for nothing");
        if (entry->taker && (!entry->once || entry->taker->entry != entry))
            fake_broken(kernel, "counters of users", "an entry is held back for nobody");
    }
    if (takes != 0)
        fake_broken(kernel, "counters of users", "takes of entries do not agree");
    if (core->entries.count + core->tickets.count != stored ||
        core->all_entries.count - core->all_entries.gone != stored)
        fake_broken(kernel, "counters of users", "%u entries are stored, others are found", stored);
    return count;
}

void books_check(const struct hbk_core *core, const struct fake_kernel *kernel)
{
    static struct count counts[BOOK_USERS_MAX];
    struct count all = {0};
    size_t count = 0, watchers = 0, processes = 0;
    uint32_t takes = 0, looks = 0;
    for (const struct hbk_link *link = core->sessions.next; link != &core->sessions;
         link = link->next) {
        const struct hbk_session *session = HBK_CONTAINER(link, struct hbk_session, all_link);
        count_session(kernel, find(kernel, counts, &count, session->user), session);
        watchers += !hbk_list_empty(&session->watch_link);
        takes += count_takes(session);
        if (!hbk_list_empty(&session->throttle_link) && !session->read_paused)
            fake_broken(kernel, "counters of users",
                        "a session is held back and read all the same");
    }
    count = count_entries(core, kernel, counts, count, takes);
    for (size_t i = 0; i < count; ++i) {
        const struct hbk_user *user = counts[i].user;
        compare(kernel, &counts[i], user->used);
        processes += user->processes;
        looks += user->looks;
        if (user->looks != counts[i].looks)
            fake_broken(kernel, "counters of users", "a user's looks do not agree");
        if (user->refused != counts[i].refused)
            fake_broken(kernel, "counters of users", "a user's sessions do not agree");
        if (!hbk_list_empty(&user->throttled) && !hbk_quota_over_bytes(core, user))
            fake_broken(kernel, "counters of users", "a session is held back for no reason");
        for (size_t j = 0; j < HBK_QUOTA_COUNT; ++j)
            all.used[j] += counts[i].used[j];
    }
    compare(kernel, &all, core->used);
    if (core->looks_pending != looks || looks != fake_looks_pending(kernel))
        fake_broken(kernel, "counters of users", "looks at tables do not agree");
    if (core->callers.count != processes)
        fake_broken(kernel, "counters of users", "users' processes do not agree");
    if (core->users.count != count)
        fake_broken(kernel, "counters of users", "a user with neither session nor entry is kept");
    if (core->audit.watchers_count != watchers || core->audit.line.size != 0)
        fake_broken(kernel, "counters of users", "the audit's books do not agree");
}

void books_check_empty(const struct hbk_core *core, const struct fake_kernel *kernel)
{
    static const uint64_t nothing[HBK_QUOTA_COUNT];
    if (memcmp(core->used, nothing, sizeof nothing) != 0 || core->users.count != 0)
        fake_broken(kernel, "counters of users", "something is still charged to somebody");
    if (core->scopes.count != 0 || core->takers.count != 0 || core->timers.reserved != 1)
        fake_broken(kernel, "counters of users", "a scope, a taker or a timer is kept for nobody");
}

bool books_pinning(const struct hbk_core *core, uint64_t session, struct hbk_id *ret_id)
{
    const struct hbk_session *found = hbk_pool_get(&core->session_pool, session);
    if (!found || !found->pinning)
        return false;
    *ret_id = found->pinning->id;
    return true;
}

bool books_transferring(const struct hbk_core *core, uint64_t *ret_session, struct hbk_id *ret_id)
{
    for (const struct hbk_link *link = core->sessions.next; link != &core->sessions;
         link = link->next) {
        const struct hbk_session *session = HBK_CONTAINER(link, struct hbk_session, all_link);
        if (!session->pinning || !session->pinning->source)
            continue;
        *ret_session = session->slot.id;
        *ret_id = session->pinning->id;
        return true;
    }
    return false;
}

/* The one that is ready, and not in the queue any more. */
bool books_taking(const struct hbk_core *core, uint64_t session, struct hbk_id *ret_id)
{
    const struct hbk_session *found = hbk_pool_get(&core->session_pool, session);
    if (!found)
        return false;
    for (const struct hbk_link *link = found->sends.next; link != &found->sends;
         link = link->next) {
        const struct hbk_delivery *delivery = HBK_CONTAINER(link, struct hbk_delivery, send_link);
        if (delivery->kind != HBK_DELIVERY_TAKE || delivery->state != HBK_DELIVERY_READY ||
            !hbk_list_empty(&delivery->ready_link))
            continue;
        *ret_id = delivery->id;
        return true;
    }
    return false;
}

const struct hbk_message *books_request(const struct hbk_core *core)
{
    return &core->message;
}

bool books_delivery(const struct hbk_core *core, uint64_t delivery, uint64_t *ret_session,
                    struct hbk_id *ret_id)
{
    const struct hbk_delivery *found = hbk_pool_get(&core->delivery_pool, delivery);
    if (!found)
        return false;
    *ret_session = found->sender->slot.id;
    *ret_id = found->id;
    return true;
}

uint32_t books_under_way(const struct hbk_core *core, uint64_t session)
{
    const struct hbk_session *found = hbk_pool_get(&core->session_pool, session);
    uint32_t count = 0;
    for (const struct hbk_link *link = found->sends.next; link != &found->sends; link = link->next)
        ++count;
    return count;
}

uint64_t books_spent(const struct hbk_core *core)
{
    return core->spent;
}

uint64_t books_sockets_lost(const struct hbk_core *core)
{
    return core->sockets_lost;
}

uint32_t books_descriptors(const struct hbk_core *core)
{
    uint32_t count = 0;
    for (const struct hbk_link *link = core->sessions.next; link != &core->sessions;
         link = link->next) {
        const struct hbk_session *session = HBK_CONTAINER(link, struct hbk_session, all_link);
        for (const struct hbk_link *at = session->endpoints.next; at != &session->endpoints;
             at = at->next)
            count += HBK_CONTAINER(at, struct hbk_endpoint, session_link)->from != NULL;
    }
    for (uint32_t i = 0; i < hbk_pool_size(&core->entry_pool); ++i) {
        const struct hbk_entry *entry = hbk_pool_at(&core->entry_pool, i);
        count += entry && entry->allow;
    }
    for (size_t i = 0; core->policy && i < core->policy->rules_count; ++i)
        for (size_t j = 0; j < HBK_VERB_NAMED_COUNT; ++j)
            count += core->policy->rules[i].verbs[j] != NULL;
    for (size_t i = 0; core->policy && i < HBK_VERB_COUNT; ++i)
        count += core->policy->verbs[i] != NULL;
    return count;
}

/* Few of each are told apart, so that states are of the machine and not of how many are in it. */
static uint64_t few(uint32_t count)
{
    return count < 3 ? count : 3;
}

uint64_t books_state(const struct hbk_core *core)
{
    uint32_t sessions[HBK_SESSION_CLOSED + 1] = {0}, deliveries[HBK_DELIVERY_CLOSING + 1] = {0};
    uint64_t state = 0;
    for (const struct hbk_link *link = core->sessions.next; link != &core->sessions;
         link = link->next) {
        const struct hbk_session *session = HBK_CONTAINER(link, struct hbk_session, all_link);
        ++sessions[session->state];
        deliveries[HBK_DELIVERY_GIVEN] += !hbk_list_empty(&session->given);
        for (const struct hbk_link *at = session->sends.next; at != &session->sends; at = at->next)
            ++deliveries[HBK_CONTAINER(at, struct hbk_delivery, send_link)->state];
    }
    for (size_t i = 0; i <= HBK_SESSION_CLOSED; ++i)
        state = state << 2 | few(sessions[i]);
    for (size_t i = 0; i <= HBK_DELIVERY_CLOSING; ++i)
        state = state << 2 | few(deliveries[i]);
    state = state << 6 | few((uint32_t)core->entries.count) << 4 |
            few((uint32_t)core->tickets.count) << 2 | few((uint32_t)core->takers.count);
    return state << 3 | few(core->audit.watchers_count) << 1 | (core->policy != NULL);
}
