/* The first phase of a send, or a transfer: what was asked is checked, pinned and inspected, before any waiting: of
 * many handles one at a time, with turns of others in between, while the sender's next line waits. From there on
 * the source's table is never read again. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void set_item_error(struct hbk_error *error, size_t item)
{
    error->item = (int32_t)item;
}

/* ---- before a delivery exists ---- */

int hbk_send_check_requests(const struct hbk_session *session, struct hbk_error *ret_error)
{
    if (session->requests < session->core->config.requests_per_session) {
        return hbk_quota_check(session, HBK_QUOTA_REQUESTS, 1, ret_error) == 0 ? 0
                                                                               : HBK_SEND_E_REFUSED;
    }
    hbk_error_set(ret_error, HBK_R_QUOTA,
                  "%u requests of this session are in flight: wait for an answer",
                  (unsigned)session->requests);
    hbk_error_set_limit(ret_error, "requests");
    return HBK_SEND_E_REFUSED;
}

static int check_quota(const struct hbk_session *session, const struct hbk_send *params,
                       struct hbk_error *ret_error)
{
    const struct hbk_config *config = &session->core->config;
    uint32_t pins;

    if (hbk_send_check_requests(session, ret_error) != 0) {
        return HBK_SEND_E_REFUSED;
    }
    if (!hbk_add_u32(session->pins, (uint32_t)params->items_count, &pins) ||
        pins > config->pins_per_session) {
        hbk_error_set(ret_error, HBK_R_QUOTA,
                      "this session may have %u handles under way and has %u: wait for an answer",
                      (unsigned)config->pins_per_session, (unsigned)session->pins);
        hbk_error_set_limit(ret_error, "pins");
        return HBK_SEND_E_REFUSED;
    }
    if (hbk_quota_check(session, HBK_QUOTA_PINS, params->items_count, ret_error) != 0 ||
        hbk_quota_check(session, HBK_QUOTA_PENDING, 1, ret_error) != 0) {
        return HBK_SEND_E_REFUSED;
    }
    return 0;
}

/* Is there an endpoint for it, or may it wait for one? */
static int check_target(struct hbk_session *session, const struct hbk_address *address,
                        uint32_t wait_ms, struct hbk_endpoint **ret_endpoint,
                        struct hbk_error *ret_error)
{
    int result = hbk_target_find(session, address, ret_endpoint);

    if (result == 0 || (wait_ms != 0 && (result == HBK_TARGET_E_NONE || address->pid != 0))) {
        return 0;
    }
    hbk_target_set_error(address, result, ret_error);
    return HBK_SEND_E_REFUSED;
}

/* ---- the delivery ---- */

static struct hbk_text keep_text(char **place, struct hbk_text text)
{
    struct hbk_text kept = {.data = NULL, .size = 0};

    if (text.data != NULL) {
        memcpy(*place, text.data, text.size);
        kept = (struct hbk_text){.data = *place, .size = text.size};
        *place += text.size;
    }
    return kept;
}

static int keep_params(struct hbk_delivery *delivery, const struct hbk_send *params,
                       struct hbk_text name)
{
    char *place;

    /* One byte more, as an empty text needs a place too. */
    delivery->text = malloc(name.size + params->data.size + params->expect_user.size + 1);
    if (delivery->text == NULL) {
        return -1;
    }
    place = delivery->text;
    delivery->name = keep_text(&place, name);
    delivery->data = keep_text(&place, params->data);
    delivery->expect_user = keep_text(&place, params->expect_user);
    delivery->expect_pid = params->expect_pid;
    delivery->timeout_ms = params->timeout_ms;
    if (params->items_count > HBK_DELIVERY_INLINE_ITEMS) {
        delivery->items = calloc(params->items_count, sizeof *delivery->items);
        if (delivery->items == NULL) {
            return -1;
        }
    }
    for (size_t i = 0; i < params->items_count; i++) {
        hbk_item_keep(&delivery->items[i], &params->items[i]);
    }
    return 0;
}

struct hbk_delivery *hbk_send_new(struct hbk_session *session, const struct hbk_id *id,
                                  enum hbk_delivery_kind kind, uint32_t pins)
{
    struct hbk_core *core = session->core;
    struct hbk_delivery *delivery;

    if (hbk_timers_reserve(&core->timers) != 0) {
        return NULL;
    }
    delivery = hbk_pool_new(&core->delivery_pool);
    if (delivery == NULL) {
        hbk_timers_unreserve(&core->timers);
        return NULL;
    }
    hbk_list_init(&delivery->send_link);
    hbk_list_init(&delivery->ready_link);
    hbk_list_init(&delivery->target_link);
    hbk_list_init(&delivery->endpoint_link);
    hbk_list_init(&delivery->close_link);
    delivery->kind = kind;
    delivery->sender = session;
    delivery->state = HBK_DELIVERY_BEHIND;
    delivery->items = delivery->few;
    delivery->items_charged = pins;
    delivery->id = *id;
    delivery->begun_ms = hbk_now(core);
    delivery->correlation = core->audit.correlation;
    delivery->timer.kind = HBK_TIMER_DELIVERY;
    delivery->wait_due = HBK_NEVER;
    hbk_list_append(&session->sends, &delivery->send_link);
    session->requests++;
    hbk_quota_take(session, HBK_QUOTA_REQUESTS, 1);
    hbk_quota_take(session, HBK_QUOTA_PENDING, 1);
    session->pins += pins;
    hbk_quota_take(session, HBK_QUOTA_PINS, pins);
    core->pins_ahead += pins;
    if (pins > 0) {
        delivery->state = HBK_DELIVERY_PINNING;
        HBK_ASSERT(session->pinning == NULL);
        session->pinning = delivery;
    }
    return delivery;
}

/* ---- pin and inspect ---- */

static int pin_item(struct hbk_delivery *delivery, int limit_rule, struct hbk_error *ret_error)
{
    struct hbk_core *core = delivery->sender->core;
    size_t index = delivery->item_count;
    struct hbk_pinned *item = &delivery->items[index];
    void *party = delivery->source != NULL ? delivery->source : delivery->sender->connection;
    int result = hbk_item_pin(core, party, item, limit_rule, ret_error);

    if (item->pin != 0) {
        delivery->item_count++;
        HBK_ASSERT(core->pins_ahead > 0);
        core->pins_ahead--;
    }
    if (result != 0) {
        set_item_error(ret_error, index);
        return HBK_SEND_E_REFUSED;
    }
    return 0;
}

int hbk_send_accepted_by(const struct hbk_delivery *delivery, const struct hbk_endpoint *endpoint,
                         struct hbk_error *ret_error)
{
    const struct hbk_core *core = endpoint->owner->core;

    HBK_ASSERT(endpoint->generation == core->generation);
    if (delivery->revocable && !endpoint->revocable) {
        hbk_error_set(ret_error, HBK_R_ACCESS_NOT_ACCEPTED,
                      "the endpoint did not agree to what can be revoked: send without revocable");
        return HBK_SEND_E_REFUSED;
    }
    if (delivery->item_count > endpoint->items_max) {
        hbk_error_set(ret_error, HBK_R_ACCESS_NOT_ACCEPTED,
                      "the endpoint takes at most %u items in one send",
                      (unsigned)endpoint->items_max);
        return HBK_SEND_E_REFUSED;
    }
    for (size_t i = 0; i < delivery->item_count; i++) {
        const struct hbk_pinned *item = &delivery->items[i];
        uint32_t accepts = endpoint->any[item->type] ? UINT32_MAX : endpoint->accepts[item->type];

        if (hbk_item_check_cap(core, endpoint->limit_rule, (enum hbk_type)item->type, item->access,
                               ret_error) != 0) {
            /* said already */
        } else if (accepts == 0) {
            hbk_error_set(ret_error, HBK_R_ACCESS_NOT_ACCEPTED, "the endpoint takes no %s",
                          hbk_type_info((enum hbk_type)item->type)->name);
        } else if ((item->access & ~accepts) != 0) {
            hbk_error_set(ret_error, HBK_R_ACCESS_NOT_ACCEPTED,
                          "the endpoint takes a %s with access within 0x%x, not 0x%x: ask for less",
                          hbk_type_info((enum hbk_type)item->type)->name, (unsigned)accepts,
                          (unsigned)item->access);
        } else {
            continue;
        }
        set_item_error(ret_error, i);
        return HBK_SEND_E_REFUSED;
    }
    return 0;
}

void hbk_send_end_pinning(struct hbk_delivery *delivery)
{
    struct hbk_session *session = delivery->sender;
    uint32_t unpinned = delivery->items_charged - (uint32_t)delivery->item_count;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_PINNING && session->pinning == delivery);
    HBK_ASSERT(session->core->pins_ahead >= unpinned && session->pins >= unpinned);
    session->core->platform.process_close(delivery->source);
    delivery->source = NULL;
    session->pinning = NULL;
    delivery->items_charged -= unpinned;
    session->pins -= unpinned;
    session->core->pins_ahead -= unpinned;
    hbk_quota_give(session, HBK_QUOTA_PINS, unpinned);
}

/* One at a time. Nobody is waited for in between, but others have a turn: many handles of one are no reason to be
 * served late. @endpoint: NULL: none is open, or it is not known any more. */
static int pin_next(struct hbk_delivery *delivery, const struct hbk_endpoint *endpoint,
                    struct hbk_error *ret_error)
{
    const struct hbk_policy *policy = delivery->sender->core->policy;
    int limit_rule = endpoint != NULL              ? endpoint->limit_rule
                     : delivery->name.data != NULL ? hbk_policy_limits(policy, delivery->name)
                                                   : HBK_POLICY_NO_RULE;

    HBK_ASSERT(delivery->item_count < delivery->items_charged);
    return pin_item(delivery, limit_rule, ret_error);
}

static void end_pinning(struct hbk_delivery *delivery, const struct hbk_endpoint *endpoint)
{
    struct hbk_error error;

    if (endpoint != NULL && hbk_send_accepted_by(delivery, endpoint, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
        return;
    }
    hbk_send_end_pinning(delivery);
    delivery->state = HBK_DELIVERY_BEHIND;
    hbk_delivery_start(delivery);
}

/* The endpoint may be another one by now, and the rules may be others: what they say is asked once more when it is
 * bound, as of every send. */
void hbk_send_go_on(struct hbk_session *session)
{
    struct hbk_delivery *delivery = session->pinning;
    struct hbk_endpoint *endpoint = NULL;
    struct hbk_address address;
    struct hbk_error error;

    HBK_ASSERT(delivery->state == HBK_DELIVERY_PINNING && delivery->name.data != NULL);
    if (pin_next(delivery, NULL, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
    } else if (delivery->item_count == delivery->items_charged) {
        address = hbk_target_address_of(delivery);
        (void)hbk_target_find(session, &address, &endpoint);
        end_pinning(delivery, endpoint);
    }
}

/* What the decoder cannot see. */
static int check_items(const struct hbk_send *params, struct hbk_error *ret_error)
{
    size_t sockets = 0;

    for (size_t i = 0; i < params->items_count; i++) {
        const struct hbk_item *item = &params->items[i];
        bool socket = hbk_text_is(item->type, "Socket");

        sockets += socket;
        if (params->revocable && (socket || item->protect)) {
            hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "items[%u]: %s cannot be revoked",
                          (unsigned)i, socket ? "a socket" : "what is protected from close");
            set_item_error(ret_error, i);
            return HBK_SEND_E_REFUSED;
        }
    }
    if (sockets > HBK_SOCKETS_MAX) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "items: %u sockets, at most %d may go in one send", (unsigned)sockets,
                      HBK_SOCKETS_MAX);
        hbk_error_set_limit(ret_error, "sockets");
        return HBK_SEND_E_REFUSED;
    }
    return 0;
}

static bool to_name(const struct hbk_send *params)
{
    return params->to_name.data != NULL || params->to_process_name.data != NULL;
}

static int check_start(struct hbk_session *session, const struct hbk_send *params,
                       struct hbk_address *ret_address, struct hbk_endpoint **ret_endpoint,
                       struct hbk_error *ret_error)
{
    if (check_items(params, ret_error) != 0 || check_quota(session, params, ret_error) != 0) {
        return HBK_SEND_E_REFUSED;
    }
    if (!to_name(params)) {
        return 0;
    }
    *ret_address = hbk_target_address(session, params);
    return check_target(session, ret_address, params->wait_ms, ret_endpoint, ret_error);
}

void hbk_send_start(struct hbk_session *session, const struct hbk_id *id,
                    const struct hbk_send_start *start)
{
    struct hbk_core *core = session->core;
    const struct hbk_send *params = start->params;
    struct hbk_address address = {0};
    struct hbk_endpoint *endpoint = NULL;
    struct hbk_delivery *delivery = NULL;
    struct hbk_error error;

    if (check_start(session, params, &address, &endpoint, &error) == 0) {
        delivery = hbk_send_new(session, id, start->kind, (uint32_t)params->items_count);
        if (delivery == NULL) {
            hbk_error_set(&error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        }
    }
    if (delivery == NULL) {
        core->platform.process_close(start->source);
        core->platform.process_close(start->process);
        hbk_metrics_failed(core, error.code);
        hbk_output_error(session, id, &error);
        return;
    }
    delivery->source = start->source;
    delivery->process = start->process;
    delivery->source_pid = start->source != NULL ? start->source_pid : 0;
    delivery->process_pid = start->process_pid;
    delivery->revocable = params->revocable;
    delivery->wait_due = params->wait_ms == 0 ? HBK_NEVER : delivery->begun_ms + params->wait_ms;
    delivery->to_pid = address.pid;
    delivery->scope = address.scope;
    delivery->name_hash = address.hash;
    if (keep_params(delivery, params, address.name) != 0) {
        hbk_delivery_fail_code(delivery, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        return;
    }
    if (pin_next(delivery, endpoint, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
    } else if (delivery->item_count == delivery->items_charged) {
        end_pinning(delivery, endpoint);
    }
}

void hbk_send_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_send *params)
{
    const struct hbk_send_start start = {.kind = HBK_DELIVERY_SEND, .params = params};

    hbk_send_start(session, id, &start);
}
