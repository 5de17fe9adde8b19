/* One handle: what was asked of it, its pin, and what is given. From the pin on the table that it came from is never
 * read again. */
#include "internal.h"

/* What is said of an item's type, if not one of enum hbk_type. */
enum { SAID_NOTHING = HBK_TYPE_COUNT + 1 };

void hbk_item_keep(struct hbk_pinned *item, const struct hbk_item *wanted)
{
    item->handle = wanted->handle;
    item->asked = wanted->access.kind;
    item->asked_mask = wanted->access.mask;
    item->inherit = wanted->inherit;
    item->protect = wanted->protect;
    item->said = SAID_NOTHING;
    if (wanted->type.data != NULL) {
        item->said = (uint8_t)hbk_type_find(wanted->type); /* HBK_TYPE_COUNT: something else */
    }
}

int hbk_item_check_cap(const struct hbk_core *core, int limit_rule, enum hbk_type type,
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
    return HBK_ITEM_E_REFUSED;
}

/* That it is a socket is what its sender says; whether that is so, Winsock says when it is asked for the target's. */
static int check_socket(const struct hbk_pinned *item, const struct hbk_object *object,
                        struct hbk_error *ret_error)
{
    if (!hbk_text_is(hbk_text_from(object->type), "File")) {
        hbk_error_set(ret_error, HBK_R_TYPE_MISMATCH, "this is a %s, not a socket",
                      object->type[0] != '\0' ? object->type : "nameless kind of object");
        return HBK_ITEM_E_REFUSED;
    }
    if (item->asked != HBK_ACCESS_KIND_SAME || item->protect) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "a socket keeps all its rights and cannot be protected: leave access and "
                      "protect out");
        return HBK_ITEM_E_REFUSED;
    }
    return 0;
}

static int check_type(const struct hbk_pinned *item, const struct hbk_object *object,
                      enum hbk_type *ret_type, struct hbk_error *ret_error)
{
    struct hbk_text name = hbk_text_from(object->type);
    enum hbk_type type = hbk_type_of_kernel(name);

    if (item->said == HBK_TYPE_SOCKET) {
        *ret_type = HBK_TYPE_SOCKET;
        return check_socket(item, object, ret_error);
    }
    if (type == HBK_TYPE_COUNT) {
        const char *advice = hbk_type_advice(name);

        hbk_error_set(ret_error, HBK_R_TYPE_NOT_ALLOWED, "this is a %s: %s",
                      object->type[0] != '\0' ? object->type : "nameless kind of object",
                      advice != NULL ? advice : "objects of this type are never brokered");
        return HBK_ITEM_E_REFUSED;
    }
    if (item->said != SAID_NOTHING && item->said != (uint8_t)type) {
        hbk_error_set(ret_error, HBK_R_TYPE_MISMATCH, "this is a %s, not what `type` says",
                      object->type);
        return HBK_ITEM_E_REFUSED;
    }
    *ret_type = type;
    return 0;
}

/* Rights only shrink: what the target gets is within what the pin was granted. */
int hbk_item_reduce(struct hbk_pinned *item, uint32_t most, struct hbk_error *ret_error)
{
    const struct hbk_type_info *info = hbk_type_info((enum hbk_type)item->type);
    uint32_t access = most;

    HBK_ASSERT((most & ~item->granted) == 0);
    if (item->type == HBK_TYPE_SOCKET && item->asked != HBK_ACCESS_KIND_SAME) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "a socket keeps all its rights: leave access out");
        return HBK_ITEM_E_REFUSED;
    }
    if (item->asked == HBK_ACCESS_KIND_READ) {
        access = most & info->read;
        if ((most & info->essential) != info->essential) {
            hbk_error_set(ret_error, HBK_R_ACCESS_EXCEEDS_SOURCE,
                          "the handle has access 0x%x, and \"read\" of a %s needs 0x%x",
                          (unsigned)most, info->name, (unsigned)info->essential);
            return HBK_ITEM_E_REFUSED;
        }
    } else if (item->asked == HBK_ACCESS_KIND_MASK) {
        access = item->asked_mask;
        if ((access & ~most) != 0) {
            hbk_error_set(ret_error, HBK_R_ACCESS_EXCEEDS_SOURCE,
                          "the handle has access 0x%x and lacks 0x%x of what was asked",
                          (unsigned)most, (unsigned)(access & ~most));
            return HBK_ITEM_E_REFUSED;
        }
    }
    HBK_ASSERT((access & ~most) == 0);
    item->access = access;
    item->same = access == item->granted;
    return 0;
}

int hbk_item_pin(struct hbk_core *core, void *party, struct hbk_pinned *item, int limit_rule,
                 struct hbk_error *ret_error)
{
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};
    enum hbk_type type = HBK_TYPE_COUNT;
    struct hbk_object object;

    HBK_ASSERT(item->handle >= HBK_HANDLE_MIN && item->handle <= HBK_HANDLE_MAX &&
               item->handle % 4 == 0 && item->pin == 0);
    core->spent += HBK_WORK_PIN;
    if (core->platform.pin(party, item->handle, &item->pin, &failure) != 0) {
        item->pin = 0;
        hbk_output_set_failure(ret_error, &failure);
        return HBK_ITEM_E_REFUSED;
    }
    HBK_ASSERT(item->pin != 0);
    item->type = HBK_TYPE_FILE; /* until it is known: its close may block */
    if (core->platform.inspect(core->platform.context, item->pin, &object, &failure) != 0) {
        hbk_output_set_failure(ret_error, &failure);
        return HBK_ITEM_E_REFUSED;
    }
    if (check_type(item, &object, &type, ret_error) != 0) {
        return HBK_ITEM_E_REFUSED;
    }
    item->type = (uint8_t)type;
    item->granted = object.access;
    if (hbk_item_reduce(item, object.access, ret_error) != 0 ||
        hbk_item_check_cap(core, limit_rule, type, item->access, ret_error) != 0) {
        return HBK_ITEM_E_REFUSED;
    }
    return 0;
}
