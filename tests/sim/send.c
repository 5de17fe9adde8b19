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

/* @plain: nothing is wrong with it. */
static void draw_item(struct sim *sim, struct fake_process *process, struct sim_item *item,
                      bool plain)
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

struct text {
    char bytes[SIM_LINE_MAX / 2];
    size_t size;
};

HBK_PRINTF(2, 3)
static void add(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int size = vsnprintf(text->bytes + text->size, sizeof text->bytes - text->size, format, values);
    va_end(values);
    HBK_ASSERT(size >= 0 && text->size + (size_t)size < sizeof text->bytes);
    text->size += (size_t)size;
}

static void add_items(struct text *text, const struct sim_send *send)
{
    for (uint32_t i = 0; i < send->count; ++i) {
        const struct sim_item *item = &send->items[i];
        add(text, "%s{\"handle\":%u", i ? "," : "", item->handle);
        if (item->said)
            add(text, ",\"type\":\"%s\"", item->said);
        if (item->asked == HBK_ACCESS_KIND_READ)
            add(text, ",\"access\":\"read\"");
        else if (item->asked == HBK_ACCESS_KIND_MASK)
            add(text, ",\"access\":%u", item->mask);
        else if (item->handle % 3 == 0)
            add(text, ",\"access\":\"same\"");
        if (item->inherit)
            add(text, ",\"inherit\":true");
        if (item->protect)
            add(text, ",\"protect\":true");
        add(text, "}");
    }
}

static void write_params(struct text *text, const struct sim_send *send)
{
    static char wire[SIM_LINE_MAX / 4], plain[SIM_LINE_MAX / 4];
    text->size = 0;
    if (send->to_pid)
        add(text, "{\"to\":{\"name\":\"%s\",\"pid\":%u}", sim_names[send->name], send->to_pid);
    else
        add(text, "{\"to\":\"%s\"", sim_names[send->name]);
    if (send->expect_user && send->expect_pid)
        add(text, ",\"expect\":{\"user\":\"%s\",\"pid\":%u}", send->expect_user, send->expect_pid);
    else if (send->expect_user)
        add(text, ",\"expect\":{\"user\":\"%s\"}", send->expect_user);
    else if (send->expect_pid)
        add(text, ",\"expect\":{\"pid\":%u}", send->expect_pid);
    add(text, ",\"items\":[");
    add_items(text, send);
    add(text, "]");
    if (send->has_data) {
        sim_data(send->tag, wire, sizeof wire, plain, sizeof plain);
        add(text, ",\"data\":\"%s\"", wire);
    }
    if (send->wait_ms)
        add(text, ",\"wait_ms\":%u", send->wait_ms);
    if (send->timeout_ms != HBK_TIMEOUT_MS_DEFAULT)
        add(text, ",\"timeout_ms\":%u", send->timeout_ms);
    add(text, "}");
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
    send->count = draw_count(sim);
}

/* The place of a send that is over and has nothing left anywhere. */
static struct sim_send *send_new(struct sim *sim, const struct sim_client *client)
{
    struct sim_send *send = &sim->sends[(sim->tags + 1) % SIM_SENDS_MAX];
    if (send->tag &&
        (send->pins || send->placed || (!send->answered && sim_client_numbered(sim, send->client))))
        return NULL;
    memset(send, 0, offsetof(struct sim_send, items));
    send->tag = ++sim->tags;
    send->client = client->number;
    send->session = client->session;
    send->identity = client->identity;
    send->pid = client->process->pid;
    send->timeout_ms = HBK_TIMEOUT_MS_DEFAULT;
    send->sent_ms = sim->kernel->now_ms;
    send->generation = sim->generation;
    return send;
}

/* Who sends without data is known by its session alone: so one at a time. */
static bool may_be_nameless(struct sim *sim, const struct sim_client *client)
{
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i) {
        const struct sim_send *send = &sim->sends[i];
        if (send->tag && !send->has_data && send->client == client->number &&
            (!send->answered || send->pins))
            return false;
    }
    return true;
}

uint64_t sim_say_send(struct sim *sim, struct sim_client *client, const struct sim_client *target,
                      uint32_t name)
{
    static struct text text;
    struct sim_request *request = sim_request_begin(sim, client, HBK_METHOD_HANDLE_SEND);
    struct sim_send *send = request ? send_new(sim, client) : NULL;
    if (!send) {
        if (request) {
            request->id = 0;
            --client->requests_count;
        }
        return 0;
    }
    send->name = name;
    send->has_data = sim_below(sim, 40) != 0 || !may_be_nameless(sim, client);
    request->tag = send->tag;
    if (name == SIM_NAME_PROBE) {
        send->count = 1;
        send->items[0] = (struct sim_item){.type = HBK_TYPE_COUNT};
        send->items[0].handle = fake_handle_make(sim->kernel, client->process, "Event", 0x1F0003);
    } else {
        bool plain = sim_below(sim, 3) != 0;
        draw_options(sim, send, target);
        for (uint32_t i = 0; i < send->count; ++i)
            draw_item(sim, client->process, &send->items[i], plain);
    }
    write_params(&text, send);
    sim_request_end(sim, client, request, text.bytes);
    return send->tag;
}
