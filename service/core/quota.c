#include "internal.h"

struct resource {
    const char *name;  /* in broker.status */
    const char *limit; /* in a refusal */
    const char *what;
};

static const struct resource resources[HBK_QUOTA_COUNT] = {
    [HBK_QUOTA_SESSIONS] = {"sessions", "sessions_per_user", "sessions"},
    [HBK_QUOTA_REQUESTS] = {"requests", "requests_per_user", "requests in flight"},
    [HBK_QUOTA_PINS] = {"pins", "pins_per_user", "handles under way"},
    [HBK_QUOTA_PENDING] = {"pending", "pending_per_user", "deliveries that are not told yet"},
    [HBK_QUOTA_ENDPOINTS] = {"endpoints", "endpoints_per_user", "endpoints"},
    [HBK_QUOTA_QUEUED_BYTES] = {"queued_bytes", "queued_bytes_per_user", "bytes that are queued"},
    [HBK_QUOTA_STORED] = {"stored", "stored_per_user", "entries in the store"},
    [HBK_QUOTA_STORED_BYTES] = {"stored_bytes", "stored_bytes_per_user",
                                "bytes in the store (names, descriptors, data)"},
};

static uint64_t limit_of(const struct hbk_core *core, enum hbk_quota quota)
{
    const struct hbk_config *config = &core->config;
    const uint32_t limits[HBK_QUOTA_COUNT] = {
        [HBK_QUOTA_SESSIONS] = config->sessions,   [HBK_QUOTA_REQUESTS] = config->requests,
        [HBK_QUOTA_PINS] = config->pins,           [HBK_QUOTA_PENDING] = config->pending,
        [HBK_QUOTA_ENDPOINTS] = config->endpoints, [HBK_QUOTA_QUEUED_BYTES] = config->queued_bytes,
        [HBK_QUOTA_STORED] = config->stored,       [HBK_QUOTA_STORED_BYTES] = config->stored_bytes,
    };

    return limits[quota];
}

uint64_t hbk_quota_share(uint64_t limit, uint64_t used, uint64_t own)
{
    uint64_t others = used - own;

    HBK_ASSERT(own <= used);
    /* A reload may have set the limit below what is in use. */
    return limit > others ? (limit - others + 1) / 2 : 0;
}

static uint64_t share_of(const struct hbk_core *core, const struct hbk_user *user,
                         enum hbk_quota quota)
{
    uint64_t share = hbk_quota_share(limit_of(core, quota), core->used[quota], user->used[quota]);

    if (quota == HBK_QUOTA_SESSIONS && share > core->config.sessions_per_user) {
        share = core->config.sessions_per_user;
    }
    return share;
}

void hbk_quota_take(struct hbk_session *session, enum hbk_quota quota, uint64_t count)
{
    session->core->used[quota] += count;
    session->user->used[quota] += count;
    HBK_ASSERT(session->user->used[quota] <= session->core->used[quota]);
}

void hbk_quota_give(struct hbk_session *session, enum hbk_quota quota, uint64_t count)
{
    hbk_quota_give_user(session->core, session->user, quota, count);
}

void hbk_quota_give_user(struct hbk_core *core, struct hbk_user *user, enum hbk_quota quota,
                         uint64_t count)
{
    HBK_ASSERT(user->used[quota] >= count && core->used[quota] >= count);
    core->used[quota] -= count;
    user->used[quota] -= count;
}

int hbk_quota_check(const struct hbk_session *session, enum hbk_quota quota, uint64_t count,
                    struct hbk_error *ret_error)
{
    uint64_t used = session->user->used[quota];
    uint64_t share = share_of(session->core, session->user, quota);

    HBK_ASSERT(count <= HBK_INTEGER_MAX);
    if (used + count <= share) {
        return 0;
    }
    hbk_error_set(ret_error, HBK_R_QUOTA,
                  "this user has %llu %s, asks for %llu more, and may have %llu at this moment: "
                  "let some end, or try again later",
                  (unsigned long long)used, resources[quota].what, (unsigned long long)count,
                  (unsigned long long)share);
    hbk_error_set_limit(ret_error, resources[quota].limit);
    return HBK_QUOTA_E_REFUSED;
}

bool hbk_quota_check_endpoint(const struct hbk_endpoint *endpoint, const struct hbk_session *sender)
{
    uint64_t limit = sender->core->config.pending_per_endpoint;
    uint64_t own = 0;

    if (endpoint->pending_count >= limit) {
        return false;
    }
    /* Whoever has the smaller half or less of what is used is within its share: nobody need be counted. */
    if (endpoint->pending_count < limit / 2) {
        return true;
    }
    for (const struct hbk_link *link = endpoint->pending.next; link != &endpoint->pending;
         link = link->next) {
        const struct hbk_delivery *delivery =
            HBK_CONTAINER(link, struct hbk_delivery, endpoint_link);

        own += delivery->sender->user == sender->user;
    }
    return own + 1 <= hbk_quota_share(limit, endpoint->pending_count, own);
}

/* ---- queued bytes ---- */

bool hbk_quota_over_bytes(const struct hbk_core *core, const struct hbk_user *user)
{
    return user->used[HBK_QUOTA_QUEUED_BYTES] > share_of(core, user, HBK_QUOTA_QUEUED_BYTES);
}

void hbk_quota_count_bytes(struct hbk_session *session)
{
    struct hbk_user *user = session->user;
    uint64_t bytes =
        hbk_framer_size(&session->input) + session->queued.size + session->writing.size;
    uint64_t before = session->bytes;

    session->bytes = bytes;
    if (bytes >= before) {
        hbk_quota_take(session, HBK_QUOTA_QUEUED_BYTES, bytes - before);
        return;
    }
    hbk_quota_give(session, HBK_QUOTA_QUEUED_BYTES, before - bytes);
    /* Who goes on reading is not over its share by that: nothing arrives in here. */
    while (!hbk_list_empty(&user->throttled) && !hbk_quota_over_bytes(session->core, user)) {
        struct hbk_link *link = hbk_list_pop(&user->throttled);

        hbk_session_update_pause(HBK_CONTAINER(link, struct hbk_session, throttle_link));
    }
}

/* ---- broker.status ---- */

void hbk_quota_describe(const struct hbk_core *core, const struct hbk_user *user,
                        struct hbk_quota_info *ret_infos)
{
    for (size_t i = 0; i < HBK_QUOTA_COUNT; i++) {
        enum hbk_quota quota = (enum hbk_quota)i;

        ret_infos[i] = (struct hbk_quota_info){
            .name = hbk_text_from(resources[i].name),
            .limit = limit_of(core, quota),
            .used = core->used[i],
            .your_limit = share_of(core, user, quota),
            .yours = user->used[i],
        };
    }
}
