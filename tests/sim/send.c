/* handle.send: what is asked for, in all its options. */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct sim_send *sim_send_of(struct sim *sim, uint64_t tag)
{
    struct sim_send *send = &sim->sends[tag % SIM_SENDS_MAX];
    return tag && send->tag == tag ? send : NULL;
}

/* ---- data: it says which send it is of ---- */

size_t sim_data(uint64_t tag, char *ret_wire, size_t wire_room, char *ret_plain, size_t plain_room)
{
    static const struct {
        const char *wire, *plain;
    } pieces[] = {{"", ""},
                  {"plain", "plain"},
                  {"\\n\\t\\\"\\\\", "\n\t\"\\"},
                  {"\\u00e9\\u20ac", "\xC3\xA9\xE2\x82\xAC"},
                  {"\\ud83d\\ude00\xE2\x82\xAC", "\xF0\x9F\x98\x80\xE2\x82\xAC"}};
    uint64_t drawn = sim_mix(0xDA7A, tag);
    const char *wire = pieces[drawn % 5].wire, *plain = pieces[drawn % 5].plain;
    size_t filler = drawn / 5 % 16 == 0 ? drawn / 80 % 7500 : drawn / 5 % 16 == 1 ? 300 : 0;
    int wire_size = snprintf(ret_wire, wire_room, "%" PRIu64 ".%s", tag, wire);
    int plain_size = snprintf(ret_plain, plain_room, "%" PRIu64 ".%s", tag, plain);
    HBK_ASSERT(wire_size > 0 && plain_size > 0 && (size_t)wire_size + filler < wire_room &&
               (size_t)plain_size + filler < plain_room);
    memset(ret_wire + wire_size, 'x', filler);
    memset(ret_plain + plain_size, 'x', filler);
    ret_wire[(size_t)wire_size + filler] = 0;
    return (size_t)plain_size + filler;
}

/* ---- items ---- */

static uint32_t any_handle(struct sim *sim, struct fake_process *process)
{
    uint32_t high = process->slots_high;
    uint32_t index = high ? sim_below(sim, high) : 0;
    for (uint32_t i = 0; i < high; ++i, index = (index + 1) % high)
        if (process->slots[index].object && process->slots[index].origin != FAKE_ORIGIN_UNTOLD)
            return (index + 1) * 4;
    return 4;
}

static void draw_access(struct sim *sim, const struct fake_process *process, struct sim_item *item,
                        bool plain)
{
    const struct fake_slot *slot =
        item->handle / 4 <= process->slots_high ? &process->slots[item->handle / 4 - 1] : NULL;
    uint32_t drawn = sim_below(sim, 10);
    if (drawn < 5 || (plain && (!slot || slot->access != 0x1FFFFF || drawn == 9)))
        return;
    item->asked = drawn < 7 ? HBK_ACCESS_KIND_READ : HBK_ACCESS_KIND_MASK;
    if (item->asked == HBK_ACCESS_KIND_READ)
        return;
    item->mask = 1 + sim_below(sim, 0x1FFFFE);
    if (slot && slot->object && drawn < 9 && (item->mask & slot->access))
        item->mask &= slot->access;
}

/* The same name, of which the object may be gone. */
static const char *type_named(const char *name)
{
    enum hbk_type type = hbk_type_of_kernel(hbk_text_from(name));
    return type == HBK_TYPE_COUNT ? NULL : hbk_type_info(type)->name;
}

/* Nothing is wrong with a socket that is handed on as it is. */
static void draw_socket(struct sim *sim, struct sim_item *item, const struct fake_slot *slot,
                        bool plain)
{
    if (slot && sim->kernel->objects[slot->object].socket && sim_below(sim, 4)) {
        item->said = "Socket";
        item->asked = plain || sim_below(sim, 6) ? HBK_ACCESS_KIND_SAME : item->asked;
        item->protect = item->protect && !plain && sim_below(sim, 4) == 0;
    }
    item->as_socket = item->said && strcmp(item->said, "Socket") == 0;
}

void sim_draw_item(struct sim *sim, struct fake_process *process, struct sim_item *item, bool plain)
{
    static const char *const types[] = {"Event", "Section", "File", "Mutant", "Socket", "Nonsense"};
    const struct fake_slot *slot;
    *item = (struct sim_item){.type = HBK_TYPE_COUNT};
    item->handle =
        plain || sim_below(sim, 60) ? any_handle(sim, process) : 4 * (1 + sim_below(sim, 3000));
    draw_access(sim, process, item, plain);
    slot = fake_handle_find(process, item->handle);
    if (!plain && sim_below(sim, 5) == 0)
        item->said = slot && slot->object && sim_below(sim, 8)
                         ? type_named(sim->kernel->objects[slot->object].type)
                         : types[sim_below(sim, 6)];
    item->inherit = sim_below(sim, 8) == 0;
    item->protect = sim_below(sim, 8) == 0;
    draw_socket(sim, item, slot, plain);
}

static uint32_t draw_count(struct sim *sim)
{
    uint32_t drawn = sim_below(sim, 100);
    if (sim->swarm.big && drawn < 10)
        return 1 + sim_below(sim, HBK_ITEMS_MAX);
    return drawn < 70 ? 1 : drawn < 90 ? 2 + sim_below(sim, 3) : 5 + sim_below(sim, 8);
}

/* ---- the line ---- */

void sim_add(struct sim_text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int size = vsnprintf(text->bytes + text->size, sizeof text->bytes - text->size, format, values);
    va_end(values);
    HBK_ASSERT(size >= 0 && text->size + (size_t)size < sizeof text->bytes);
    text->size += (size_t)size;
}

void sim_add_item(struct sim_text *text, const struct sim_item *item)
{
    sim_add(text, "\"handle\":%u", item->handle);
    if (item->said)
        sim_add(text, ",\"type\":\"%s\"", item->said);
    if (item->asked == HBK_ACCESS_KIND_READ)
        sim_add(text, ",\"access\":\"read\"");
    else if (item->asked == HBK_ACCESS_KIND_MASK)
        sim_add(text, ",\"access\":%u", item->mask);
    else if (item->handle % 3 == 0)
        sim_add(text, ",\"access\":\"same\"");
    if (item->inherit)
        sim_add(text, ",\"inherit\":true");
    if (item->protect)
        sim_add(text, ",\"protect\":true");
}

static void add_items(struct sim_text *text, const struct sim_send *send)
{
    for (uint32_t i = 0; i < send->count; ++i) {
        sim_add(text, i ? ",{" : "{");
        sim_add_item(text, &send->items[i]);
        sim_add(text, "}");
    }
}

static void write_params(struct sim_text *text, const struct sim_send *send)
{
    static char wire[SIM_LINE_MAX / 4], plain[SIM_LINE_MAX / 4];
    text->size = 0;
    if (send->to_pid)
        sim_add(text, "{\"to\":{\"name\":\"%s\",\"pid\":%u}", sim_names[send->name], send->to_pid);
    else
        sim_add(text, "{\"to\":\"%s\"", sim_names[send->name]);
    if (send->expect_user && send->expect_pid)
        sim_add(text, ",\"expect\":{\"user\":\"%s\",\"pid\":%u}", send->expect_user,
                send->expect_pid);
    else if (send->expect_user)
        sim_add(text, ",\"expect\":{\"user\":\"%s\"}", send->expect_user);
    else if (send->expect_pid)
        sim_add(text, ",\"expect\":{\"pid\":%u}", send->expect_pid);
    sim_add(text, ",\"items\":[");
    add_items(text, send);
    sim_add(text, "]");
    if (send->has_data) {
        sim_data(send->tag, wire, sizeof wire, plain, sizeof plain);
        sim_add(text, ",\"data\":\"%s\"", wire);
    }
    if (send->wait_ms)
        sim_add(text, ",\"wait_ms\":%u", send->wait_ms);
    if (send->revocable)
        sim_add(text, ",\"revocable\":true");
    if (send->timeout_ms != HBK_TIMEOUT_MS_DEFAULT)
        sim_add(text, ",\"timeout_ms\":%u", send->timeout_ms);
    sim_add(text, "}");
}

/* ---- what is drawn ---- */

static void draw_options(struct sim *sim, struct sim_send *send, const struct sim_client *target)
{
    const struct sim_swarm *swarm = &sim->swarm;
    if (target && swarm->by_pid && sim_below(sim, 3) == 0)
        send->to_pid = target->process->pid;
    if (target && swarm->expect && sim_below(sim, 4) == 0)
        send->expect_pid = target->process->pid;
    if (swarm->expect && sim_below(sim, 6) == 0)
        send->expect_user = sim_identities[sim_below(sim, swarm->identities)].token.user;
    if (swarm->wait && sim_below(sim, 2))
        send->wait_ms = sim_below(sim, 20) ? 1 + sim_below(sim, 3000) : HBK_WAIT_MS_MAX;
    if (sim_below(sim, 3))
        send->timeout_ms = sim_below(sim, 3000);
    send->revocable = swarm->revocable && sim_below(sim, 2);
    send->count = draw_count(sim);
}

static bool is_over(struct sim *sim, const struct sim_send *send)
{
    return !send->tag || (!send->pins && !send->placed && !send->sockets &&
                          (send->answered || !sim_client_numbered(sim, send->client)));
}

/* The place of a send that is over and has nothing left anywhere; what can be revoked may stay for long. */
static struct sim_send *send_new(struct sim *sim, const struct sim_client *client)
{
    struct sim_send *send;
    uint32_t tries = 0;
    do
        send = &sim->sends[++sim->tags % SIM_SENDS_MAX];
    while (!is_over(sim, send) && ++tries < 100);
    if (tries == 100)
        return NULL;
    memset(send, 0, offsetof(struct sim_send, items));
    send->tag = sim->tags;
    send->client = client->number;
    send->session = client->session;
    send->identity = client->identity;
    send->pid = client->process->pid;
    send->timeout_ms = HBK_TIMEOUT_MS_DEFAULT;
    send->sent_ms = sim->kernel->now_ms;
    send->asked_at = sim->events_count;
    send->generation = sim->generation;
    send->items[0] = (struct sim_item){.type = HBK_TYPE_COUNT};
    return send;
}

struct sim_send *sim_send_begin(struct sim *sim, struct sim_client *client, enum hbk_method method,
                                struct sim_request **ret_request)
{
    struct sim_request *request = sim_request_begin(sim, client, method);
    struct sim_send *send = request ? send_new(sim, client) : NULL;
    if (request && !send) {
        request->id = 0;
        --client->requests_count;
    }
    if (send)
        request->tag = send->tag;
    *ret_request = request;
    return send;
}

/* Where it is closed and comes again as a socket, revoking it may close that before it is told: PROTOCOL.md says so. */
static bool is_bare_socket(const struct sim *sim, struct fake_process *process,
                           const struct sim_item *item)
{
    const struct fake_slot *slot = fake_handle_find(process, item->handle);
    return slot && !item->as_socket && sim->kernel->objects[slot->object].socket;
}

uint64_t sim_say_send(struct sim *sim, struct sim_client *client, const struct sim_client *target,
                      uint32_t name)
{
    static struct sim_text text;
    struct sim_request *request;
    struct sim_send *send = sim_send_begin(sim, client, HBK_METHOD_HANDLE_SEND, &request);
    if (!send)
        return 0;
    send->name = name;
    send->has_data = sim_below(sim, 40) != 0;
    if (name == SIM_NAME_PROBE) {
        send->count = 1;
        send->items[0].handle = fake_handle_make(sim->kernel, client->process, "Event", 0x1F0003);
    } else {
        bool plain = sim_below(sim, 3) != 0;
        draw_options(sim, send, target);
        for (uint32_t i = 0; i < send->count; ++i) {
            sim_draw_item(sim, client->process, &send->items[i], plain);
            if (send->revocable && sim_below(sim, 30))
                send->items[i].protect = false;
            if (is_bare_socket(sim, client->process, &send->items[i]))
                send->revocable = false;
        }
    }
    write_params(&text, send);
    sim_request_end(sim, client, request, text.bytes);
    return send->tag;
}

uint64_t sim_say_same(struct sim *sim, struct sim_client *client, uint32_t name, uint32_t handle)
{
    static struct sim_text text;
    struct sim_request *request;
    struct sim_send *send = sim_send_begin(sim, client, HBK_METHOD_HANDLE_SEND, &request);
    if (!send)
        return 0;
    send->name = name;
    send->count = 1 + sim_below(sim, 12);
    for (uint32_t i = 0; i < send->count; ++i)
        send->items[i] = (struct sim_item){.type = HBK_TYPE_COUNT, .handle = handle};
    write_params(&text, send);
    sim_request_end(sim, client, request, text.bytes);
    return send->tag;
}
