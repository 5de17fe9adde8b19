/* The first phase of a send: what was asked is checked, pinned and inspected, before any waiting: of many
 * handles one at a time, with turns of others in between, while the sender's next line waits. From there on
 * the sender's table is never read again. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* What the sender says of an item's type, if not one of enum hbk_type. */
enum { SAID_SOCKET = HBK_TYPE_COUNT + 1, SAID_NOTHING };

static void set_item_error(struct hbk_error *error, size_t item)
{
    error->item = (int32_t)item;
}

static void set_failure(struct hbk_error *error, const struct hbk_failure *failure, size_t item)
{
    hbk_output_set_failure(error, failure);
    set_item_error(error, item);
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

static void keep_item(struct hbk_pinned *item, const struct hbk_item *wanted)
{
    item->handle = wanted->handle;
    item->asked = wanted->access.kind;
    item->asked_mask = wanted->access.mask;
    item->inherit = wanted->inherit;
    item->protect = wanted->protect;
    if (wanted->type.data == NULL) {
        item->said = SAID_NOTHING;
    } else if (hbk_text_is(wanted->type, "Socket")) {
        item->said = SAID_SOCKET;
    } else {
        item->said = (uint8_t)hbk_type_find(wanted->type); /* HBK_TYPE_COUNT: something else */
    }
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
    delivery->items = delivery->few;
    if (params->items_count > HBK_DELIVERY_INLINE_ITEMS) {
        delivery->items = calloc(params->items_count, sizeof *delivery->items);
        if (delivery->items == NULL) {
            return -1;
        }
    }
    for (size_t i = 0; i < params->items_count; i++) {
        keep_item(&delivery->items[i], &params->items[i]);
    }
    return 0;
}

static struct hbk_delivery *delivery_new(struct hbk_session *session, const struct hbk_id *id,
                                         const struct hbk_send *params,
                                         const struct hbk_address *address)
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
    delivery->sender = session;
    delivery->state = HBK_DELIVERY_PINNING;
    delivery->items_charged = (uint32_t)params->items_count;
    delivery->id = *id;
    delivery->correlation = core->audit.correlation;
    delivery->timer.kind = HBK_TIMER_DELIVERY;
    delivery->wait_due = params->wait_ms == 0 ? HBK_NEVER : hbk_now(core) + params->wait_ms;
    delivery->to_pid = address->pid;
    delivery->scope = address->scope;
    delivery->name_hash = address->hash;
    hbk_list_append(&session->sends, &delivery->send_link);
    session->requests++;
    hbk_quota_take(session, HBK_QUOTA_REQUESTS, 1);
    hbk_quota_take(session, HBK_QUOTA_PENDING, 1);
    session->pins += delivery->items_charged;
    hbk_quota_take(session, HBK_QUOTA_PINS, delivery->items_charged);
    core->pins_ahead += delivery->items_charged;
    HBK_ASSERT(session->pinning == NULL);
    session->pinning = delivery;
    return delivery;
}

/* ---- pin and inspect ---- */

/* What policy lets pass under a name: @limit_rule of the rules of now. */
static int check_cap(const struct hbk_core *core, int limit_rule, enum hbk_type type,
                     uint32_t access, struct hbk_error *ret_error)
{
    uint32_t cap = hbk_policy_cap(core->policy, limit_rule, type);
    const struct hbk_type_info *info = hbk_type_info(type);

    if (cap == 0 && info->by_rule) {
        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "this is a %s: %s", info->name,
                      hbk_type_advice(hbk_text_from(info->name)));
    } else if (cap == 0) {
        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED,
                      "this is a %s: policy lets none pass under this name", info->name);
    } else if ((access & ~cap) != 0) {
        hbk_error_set(ret_error, HBK_R_DENIED,
                      "policy lets a %s pass under this name with access within 0x%x, not 0x%x: "
                      "ask for less",
                      info->name, (unsigned)cap, (unsigned)access);
    } else {
        return 0;
    }
    return HBK_SEND_E_REFUSED;
}

static int check_type(const struct hbk_pinned *item, const struct hbk_object *object,
                      enum hbk_type *ret_type, struct hbk_error *ret_error)
{
    struct hbk_text name = hbk_text_from(object->type);
    enum hbk_type type = hbk_type_find(name);

    if (item->said == SAID_SOCKET) {
        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "%s",
                      hbk_type_advice(hbk_text_from("Socket")));
        return HBK_SEND_E_REFUSED;
    }
    if (type == HBK_TYPE_COUNT) {
        const char *advice = hbk_type_advice(name);

        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "this is a %s: %s",
                      object->type[0] != '\0' ? object->type : "nameless kind of object",
                      advice != NULL ? advice : "objects of this type are never brokered");
        return HBK_SEND_E_REFUSED;
    }
    if (item->said != SAID_NOTHING && item->said != (uint8_t)type) {
        hbk_error_set(ret_error, HBK_R_TYPE_MISMATCH, "this is a %s, not what `type` says",
                      object->type);
        return HBK_SEND_E_REFUSED;
    }
    *ret_type = type;
    return 0;
}

/* Rights only shrink: what the target gets is within what the pin was granted. */
static int check_access(struct hbk_pinned *item, enum hbk_type type, uint32_t granted,
                        struct hbk_error *ret_error)
{
    const struct hbk_type_info *info = hbk_type_info(type);
    uint32_t access = granted;

    if (item->asked == HBK_ACCESS_KIND_READ) {
        access = granted & info->read;
        if ((granted & info->essential) != info->essential) {
            hbk_error_set(ret_error, HBK_R_ACCESS_EXCEEDS_SOURCE,
                          "the handle has access 0x%x, and \"read\" of a %s needs 0x%x",
                          (unsigned)granted, info->name, (unsigned)info->essential);
            return HBK_SEND_E_REFUSED;
        }
    } else if (item->asked == HBK_ACCESS_KIND_MASK) {
        access = item->asked_mask;
        if ((access & ~granted) != 0) {
            hbk_error_set(ret_error, HBK_R_ACCESS_EXCEEDS_SOURCE,
                          "the handle has access 0x%x and lacks 0x%x of what was asked",
                          (unsigned)granted, (unsigned)(access & ~granted));
            return HBK_SEND_E_REFUSED;
        }
    }
    HBK_ASSERT((access & ~granted) == 0);
    item->access = access;
    item->granted = granted;
    item->same = access == granted;
    item->type = (uint8_t)type;
    return 0;
}

static int pin_item(struct hbk_delivery *delivery, int limit_rule, struct hbk_error *ret_error)
{
    struct hbk_session *session = delivery->sender;
    struct hbk_core *core = session->core;
    struct hbk_pinned *item = &delivery->items[delivery->item_count];
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};
    enum hbk_type type = HBK_TYPE_COUNT;
    struct hbk_object object;
    size_t index = delivery->item_count;

    HBK_ASSERT(item->handle >= HBK_HANDLE_MIN && item->handle <= HBK_HANDLE_MAX &&
               item->handle % 4 == 0);
    core->spent += HBK_WORK_PIN;
    if (core->platform.pin(session->connection, item->handle, &item->pin, &failure) != 0) {
        set_failure(ret_error, &failure, index);
        return HBK_SEND_E_REFUSED;
    }
    HBK_ASSERT(item->pin != 0);
    item->type = HBK_TYPE_FILE; /* until it is known: its close may block */
    delivery->item_count++;
    HBK_ASSERT(core->pins_ahead > 0);
    core->pins_ahead--;
    if (core->platform.inspect(core->platform.context, item->pin, &object, &failure) != 0) {
        set_failure(ret_error, &failure, index);
        return HBK_SEND_E_REFUSED;
    }
    if (check_type(item, &object, &type, ret_error) != 0 ||
        check_access(item, type, object.access, ret_error) != 0 ||
        check_cap(core, limit_rule, type, item->access, ret_error) != 0) {
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
    if (delivery->item_count > endpoint->items_max) {
        hbk_error_set(ret_error, HBK_R_ACCESS_NOT_ACCEPTED,
                      "the endpoint takes at most %u items in one send",
                      (unsigned)endpoint->items_max);
        return HBK_SEND_E_REFUSED;
    }
    for (size_t i = 0; i < delivery->item_count; i++) {
        const struct hbk_pinned *item = &delivery->items[i];
        uint32_t accepts = endpoint->any[item->type] ? UINT32_MAX : endpoint->accepts[item->type];

        if (check_cap(core, endpoint->limit_rule, (enum hbk_type)item->type, item->access,
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
    int limit_rule =
        endpoint != NULL ? endpoint->limit_rule : hbk_policy_limits(policy, delivery->name);

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

    HBK_ASSERT(delivery->state == HBK_DELIVERY_PINNING);
    if (pin_next(delivery, NULL, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
    } else if (delivery->item_count == delivery->items_charged) {
        address = hbk_target_address_of(delivery);
        (void)hbk_target_find(session, &address, &endpoint);
        end_pinning(delivery, endpoint);
    }
}

void hbk_send_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_send *params)
{
    struct hbk_core *core = session->core;
    struct hbk_address address = hbk_target_address(session, params);
    struct hbk_endpoint *endpoint = NULL;
    struct hbk_delivery *delivery;
    struct hbk_error error;

    if (params->revocable) {
        hbk_error_set(&error, HBK_R_DENIED,
                      "revocable is not supported by this version: leave it out");
        goto refused;
    }
    if (check_quota(session, params, &error) != 0 ||
        check_target(session, &address, params->wait_ms, &endpoint, &error) != 0) {
        goto refused;
    }
    delivery = delivery_new(session, id, params, &address);
    if (delivery == NULL) {
        hbk_error_set(&error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        goto refused;
    }
    if (keep_params(delivery, params, address.name) != 0) {
        hbk_delivery_fail_code(delivery, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        return;
    }
    if (pin_next(delivery, endpoint, &error) != 0) {
        hbk_delivery_fail(delivery, &error);
    } else if (delivery->item_count == delivery->items_charged) {
        end_pinning(delivery, endpoint);
    }
    return;
refused:
    core->failed++;
    hbk_output_error(session, id, &error);
}
