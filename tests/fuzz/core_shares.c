/* What clients do with the store, with tickets, sockets, transfers and revocations. */
#include "core_client.h"
#include "core_moves.h"

#include <stdio.h>
#include <string.h>

/* ---- what was told is used again ---- */

void play_note_shared(struct play *play, enum hbk_method method, const struct hbk_message *message)
{
    if (message->kind != HBK_MESSAGE_RESULT)
        return;
    if (method == HBK_METHOD_STORE_PUT) {
        const struct hbk_store_put_result *told = &message->u.result.store_put;
        const uint32_t at = play->stored_count++ % PLAY_STORED_MAX;
        play->stored[at].entry = told->entry;
        play->stored[at].ticket[0] = 0;
        if (told->ticket.data)
            memcpy(play->stored[at].ticket, told->ticket.data, HBK_TICKET_BYTES);
    } else if (method == HBK_METHOD_DELIVERY_LIST) {
        const struct hbk_delivery_list_result *list = &message->u.result.deliveries;
        for (size_t i = 0; i < list->deliveries_count; ++i)
            play->given[play->given_count++ % PLAY_GIVEN_MAX] = list->deliveries[i].delivery;
    } else if (method == HBK_METHOD_HANDLE_SEND) {
        play->given[play->given_count++ % PLAY_GIVEN_MAX] = message->u.result.send.delivery;
    }
}

static uint32_t any_of(uint8_t which, uint32_t count, uint32_t most)
{
    return which % (count < most ? count : most);
}

/* ---- the store ---- */

static void put(struct play *play, struct client *client)
{
    static const char *const more[] = {"",
                                       ",'once':true",
                                       ",'lifetime':'broker','ttl_ms':400",
                                       ",'allow':'D:(A;;GA;;;S-1-5-21-1)','data':'x'",
                                       ",'replace':true",
                                       ",'access':'read'",
                                       ",'lifetime':'broker','once':true,'allow':'D:(A;;0x8;;;WD)'",
                                       ",'ttl_ms':90,'type':'Event'"};
    const uint8_t how = play_byte(play);
    char name[32] = "null";
    if (how & 3)
        snprintf(name, sizeof name, "'%s'", play_name(how));
    client_request(client, HBK_METHOD_STORE_PUT, "{'name':%s,'handle':%u%s%s}", name,
                   play_handle(play, client), more[how >> 2 & 7],
                   how & 0x80 && (how >> 2 & 7) != 7 ? ",'type':'Socket'" : "");
}

static void get(struct play *play, struct client *client)
{
    static const char *const more[] = {"", ",'access':'read'", ",'inherit':true", ",'access':2"};
    const uint8_t how = play_byte(play), which = play_byte(play);
    char wait[32] = "", what[64];
    snprintf(what, sizeof what, "'name':'%s'", play_name(how));
    if (how & 0x80 && play->stored_count) {
        const uint32_t at = any_of(which, play->stored_count, PLAY_STORED_MAX);
        if (play->stored[at].ticket[0])
            snprintf(what, sizeof what, "'ticket':'%s'", play->stored[at].ticket);
    } else if (how & 0x10) {
        snprintf(wait, sizeof wait, ",'wait_ms':%u", 1 + 10u * which);
    }
    client_request(client, HBK_METHOD_STORE_GET, "{%s%s%s}", what, more[how >> 2 & 3], wait);
}

static void take_out(struct play *play, struct client *client)
{
    const uint8_t how = play_byte(play);
    if (how & 0x80 && play->stored_count) {
        const uint32_t at = any_of(how, play->stored_count, PLAY_STORED_MAX);
        client_request(client, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}",
                       (unsigned long long)play->stored[at].entry);
        return;
    }
    client_request(client, HBK_METHOD_STORE_REMOVE, "{'name':'%s'}", play_name(how));
}

/* ---- between processes ---- */

static void transfer(struct play *play, struct client *client)
{
    const uint8_t how = play_byte(play), where = play_byte(play);
    uint32_t source = how & 1 ? client->process->pid : 100u + (how >> 1) % (PLAY_PIDS + 1u);
    char target[64] = "";
    if (how & 0x80)
        source = how & 0x40 ? 4 : client->process->pid;
    if (where & 0x80)
        snprintf(target, sizeof target, ",'target':'%s'", play_name(where));
    else if (where & 0x40)
        snprintf(target, sizeof target, ",'target':{'pid':%u}",
                 where & 0x20 ? client->process->pid : 100u + where % (PLAY_PIDS + 1u));
    client_request(client, HBK_METHOD_HANDLE_TRANSFER, "{'source':{'pid':%u},'handle':%u%s%s%s}",
                   source, play_handle(play, client), how & 0x20 ? ",'access':1" : "",
                   how & 0x10 ? ",'inherit':true" : "", target);
}

static void revoke(struct play *play, struct client *client)
{
    const uint8_t which = play_byte(play);
    uint64_t delivery = 1u + which;
    if (play->given_count)
        delivery = play->given[any_of(which, play->given_count, PLAY_GIVEN_MAX)];
    else if (play->offers_count)
        delivery = play->offers[any_of(which, play->offers_count, PLAY_OFFERS_MAX)].delivery;
    client_request(client, HBK_METHOD_DELIVERY_REVOKE, "{'delivery':%llu}",
                   (unsigned long long)delivery);
}

/* ---- sends of their kinds ---- */

static void open_endpoint(struct play *play, struct client *client)
{
    static const char *const more[] = {"", ",'mode':'ask'", ",'types':{'Socket':'any'}",
                                       ",'mode':'ask','types':{'Socket':'any','Event':'any'}"};
    const uint8_t how = play_byte(play);
    client_request(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'%s'%s%s}", play_name(how),
                   more[how >> 2 & 3], how & 0x10 ? "" : ",'revocable':true");
}

static void send(struct play *play, struct client *client)
{
    char items[512];
    int size = 0;
    const uint8_t how = play_byte(play);
    const bool revocable = how & 4;
    if (play->sends == PLAY_SENDS_MAX)
        return;
    for (uint32_t i = 0; i <= (how >> 4 & 3u); ++i)
        size += snprintf(items + size, sizeof items - (size_t)size, "%s{'handle':%u%s}",
                         i ? "," : "", play_handle(play, client),
                         how & 8 && (i == 0 || how & 0x80) ? ",'type':'Socket'" : "");
    const uint32_t tag = play->sends++;
    const uint32_t id = client_request(
        client, HBK_METHOD_HANDLE_SEND, "{'to':'%s','items':[%s],'data':'%u','wait_ms':%u%s}",
        play_name(how), items, tag, how & 0x40 ? 300 : 0, revocable ? ",'revocable':true" : "");
    client->requests[id - 1].tag = tag;
}

static void make_socket(struct play *play, struct client *client)
{
    const uint32_t max =
        client->process->handles_max ? client->process->handles_max : FAKE_HANDLES_MAX;
    if (fake_handles_count(client->process) < max)
        (void)fake_socket_make(play->rig->kernel, client->process, 0x1FFFFF);
}

void play_share(struct play *play, struct client *client)
{
    const uint8_t what = play_byte(play);
    switch (what % 12) {
    case 0:
    case 1:
        put(play, client);
        break;
    case 2:
    case 3:
        get(play, client);
        break;
    case 4:
        take_out(play, client);
        break;
    case 5:
        client_request(client, HBK_METHOD_STORE_LIST, "{'limit':%u}", 1 + what / 64);
        break;
    case 6:
        transfer(play, client);
        break;
    case 7:
        revoke(play, client);
        break;
    case 8:
        client_request(client, HBK_METHOD_DELIVERY_LIST, "{'limit':%u}", 1 + what / 16);
        break;
    case 9:
        open_endpoint(play, client);
        break;
    case 10:
        send(play, client);
        break;
    default:
        make_socket(play, client);
        break;
    }
}
