#include "core_moves.h"

#include "core_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_PID = 200, TRACKED_PID = 100 };

uint8_t play_byte(struct play *play)
{
    return play->at < play->end ? *play->at++ : 0;
}

/* ---- what clients are told ---- */

static void note_told(struct play *play, uint32_t tag)
{
    if (tag == PLAY_SENDS_MAX || play->fates[tag] == FATE_UNKNOWN)
        return;
    if (play->fates[tag] != FATE_OPEN)
        fake_violation(play->rig->kernel, "send %u is told, and was %s", tag,
                       play->fates[tag] == FATE_TOLD ? "told before" : "answered as failed");
    play->fates[tag] = FATE_TOLD;
}

static uint32_t tag_of(const struct play *play, const struct hbk_delivered *delivered)
{
    char text[16] = "";
    if (delivered->from.peer.pid >= RAW_PID || !delivered->data.data)
        return PLAY_SENDS_MAX; /* or a transfer */
    assert_true(delivered->data.size < sizeof text);
    memcpy(text, delivered->data.data, delivered->data.size);
    const unsigned long tag = strtoul(text, NULL, 10);
    if (tag >= play->sends)
        fake_violation(play->rig->kernel, "send %lu is told, and was never asked for", tag);
    return (uint32_t)tag;
}

/* Nothing that was asked for since is begun. */
static void check_paused(const struct play *play, const struct client *client,
                         const struct hbk_message *message)
{
    const size_t index = message->id.number - 1;
    const enum hbk_method method = client->requests[index].method;
    const bool begins = method == HBK_METHOD_HANDLE_SEND || method == HBK_METHOD_HANDLE_TRANSFER ||
                        method == HBK_METHOD_STORE_PUT || method == HBK_METHOD_STORE_GET;
    if (play->paused && begins && message->kind == HBK_MESSAGE_RESULT &&
        index >= play->before_pause[client->connection->number])
        fake_violation(play->rig->kernel, "%s is begun while the broker is paused",
                       hbk_method_name(method));
}

static void note_answer(struct play *play, const struct request *request,
                        const struct hbk_message *message)
{
    const bool result = message->kind == HBK_MESSAGE_RESULT;
    if (request->method == HBK_METHOD_DELIVERY_ACCEPT && result) {
        note_told(play, request->tag);
    } else if (request->method == HBK_METHOD_HANDLE_SEND &&
               play->fates[request->tag] != FATE_UNKNOWN) {
        const enum fate due = result ? FATE_TOLD : FATE_OPEN;
        if (play->fates[request->tag] != due)
            fake_violation(play->rig->kernel, "send %u is answered %s", request->tag,
                           result ? "as told, which it was not"
                                  : hbk_result_name(message->error.code));
        play->fates[request->tag] = result ? FATE_TOLD : FATE_FAILED;
    }
}

/* Nobody knows which offer a raw client has accepted: a revocable one, if it was offered any. */
static uint64_t revocable_offer(const struct client *client)
{
    for (size_t i = 0; i < client->inbox_count; ++i) {
        const struct hbk_message *message = &client->inbox[i]->message;
        if (message->kind == HBK_MESSAGE_NOTIFICATION &&
            message->method == HBK_METHOD_HANDLE_OFFERED && message->u.params.delivered.revocable)
            return message->u.params.delivered.delivery;
    }
    return 0;
}

/* Nobody knows what a raw client asked for. Where what it is told can be the answer to an accept, with handles, it
 * owns them. */
static void own_raw(struct client *client)
{
    struct hbk_message *message = &client->inbox[client->inbox_count - 1]->message;
    if (message->kind != HBK_MESSAGE_RESULT ||
        hbk_message_read_result(message, HBK_METHOD_DELIVERY_ACCEPT) != 0 ||
        !client->process->running)
        return;
    const struct hbk_accept_result *accept = &message->u.result.accept;
    for (size_t i = 0; i < accept->items_count; ++i) {
        const struct hbk_delivered_item *item = &accept->items[i];
        struct fake_slot *slot = item->handle
                                     ? fake_handle_find(client->process, item->handle)
                                     : fake_socket_find(client->process, item->protocol_info);
        if (slot && slot->origin == FAKE_ORIGIN_UNTOLD && slot->access == item->access)
            fake_mark_told(client->rig->kernel, slot, revocable_offer(client), (uint32_t)i);
        else
            fake_violation(client->rig->kernel, "a raw client is told of what is not there");
    }
}

void play_line_told(struct client *client, const struct hbk_message *message)
{
    struct play *play = client->rig->context;
    struct raw *raw = &play->raws[client->connection->number];
    if (message->kind != HBK_MESSAGE_NOTIFICATION && raw->is) {
        if (++raw->answers > raw->lines + 1) /* a line without end has one too */
            fake_violation(client->rig->kernel, "more answers than lines");
        own_raw(client);
    } else if (message->kind != HBK_MESSAGE_NOTIFICATION) {
        if (message->id.kind != HBK_ID_NUMBER)
            return;
        const struct request *request = &client->requests[message->id.number - 1];
        check_paused(play, client, message);
        note_answer(play, request, message);
        play_note_shared(play, request->method, message);
    } else if (message->method == HBK_METHOD_HANDLE_DELIVERED) {
        note_told(play, tag_of(play, &message->u.params.delivered));
    } else if (message->method == HBK_METHOD_HANDLE_OFFERED) {
        const uint32_t tag = tag_of(play, &message->u.params.delivered);
        const uint32_t at = play->offers_count++ % PLAY_OFFERS_MAX;
        play->offers[at].delivery = message->u.params.delivered.delivery;
        play->offers[at].tag = tag;
        if (raw->is && tag != PLAY_SENDS_MAX)
            play->fates[tag] = FATE_UNKNOWN; /* its answer cannot be told from others */
    }
}

/* The endpoints that a raw client has opened, so that what comes there is no surprise. */
static void note_opened(struct client *client, const char *name, size_t size)
{
    assert_true(client->endpoints_count < CLIENT_ENDPOINTS_MAX);
    char *copy = calloc(1, size + 1);
    assert_non_null(copy);
    memcpy(copy, name, size);
    client->endpoints[client->endpoints_count++] = copy;
}

void play_bytes_told(struct fake_connection *connection, const uint8_t *bytes, size_t size)
{
    static const char opened[] = "\"result\":{\"endpoint\":\"";
    const size_t length = sizeof opened - 1;
    struct client *client = connection->owner;
    const struct play *play = client->rig->context;
    for (size_t i = 0; play->raws[connection->number].is && i + length < size; ++i) {
        if (memcmp(bytes + i, opened, length) != 0)
            continue;
        const char *name = (const char *)bytes + i + length;
        const char *end = memchr(name, '"', size - i - length);
        assert_non_null(end);
        note_opened(client, name, (size_t)(end - name));
    }
    client_told(connection, bytes, size);
}

void play_pause(struct play *play, bool paused)
{
    const struct rig *rig = play->rig;
    for (size_t i = 0; i < rig->clients_count && paused && !play->paused; ++i)
        play->before_pause[rig->clients[i]->connection->number] = rig->clients[i]->requests_count;
    play->paused = paused;
    rig_enter_core();
    hbk_core_pause(rig->core, paused);
    rig_leave_core();
}

/* ---- its life ---- */

static uint32_t free_pid(struct play *play, uint32_t first, uint32_t start)
{
    for (uint32_t i = 0; i < PLAY_PIDS; ++i) {
        uint32_t pid = first + (start + i) % PLAY_PIDS;
        for (size_t j = 0; j < FAKE_PROCESSES_MAX; ++j) {
            const struct fake_process *process = &play->rig->kernel->processes[j];
            if (process->pid == pid && (process->running || process->references))
                pid = 0;
        }
        if (pid)
            return pid;
    }
    return 0;
}

static uint32_t make_handle(struct play *play, struct fake_process *process, uint8_t what)
{
    static const char *const types[] = {"Event", "Section", "File", "Process", "Desktop"};
    return fake_handle_make(play->rig->kernel, process, types[what % 5],
                            what & 4 ? 0x1FFFFF : 1 + (uint32_t)what * 0x1001);
}

static bool prove_at_once(struct client *client)
{
    client_request(client, HBK_METHOD_SESSION_HELLO,
                   "{'protocol':[1],'client':{'name':'raw','version':'1'}}");
    rig_run(client->rig);
    if (client_ended(client) || !client->process->running || !client->connection->proof_object)
        return false;
    client_set_event(client, client->connection->proof_value);
    client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(client->rig);
    return !client_ended(client) && client->connection->proven && client_answered(client, 2);
}

/* Hello, proof, and the rest of its life is its own; without proof it leaves. */
static void make_raw(struct client *client)
{
    struct play *play = client->rig->context;
    if (!prove_at_once(client)) {
        client_hang_up(client);
        return;
    }
    play->raws[client->connection->number].is = true;
    client->raw = true;
    client->requests_count = 0;
}

void play_connect(struct play *play)
{
    struct rig *rig = play->rig;
    const uint8_t how = play_byte(play);
    const bool raw = how & 0x10;
    struct fake_process *process = NULL;
    if (rig->clients_count >= PLAY_CLIENTS_MAX ||
        rig->kernel->connections_made >= PLAY_CONNECTIONS_MAX)
        return;
    for (size_t i = 0; i < rig->clients_count && how & 0x20;
         ++i) /* a second session of a process */
        if (rig->clients[i]->process->running && raw == (rig->clients[i]->process->pid >= RAW_PID))
            process = rig->clients[i]->process;
    if (!process) {
        const uint32_t pid = free_pid(play, raw ? RAW_PID : TRACKED_PID, how & 7);
        if (!pid)
            return;
        process = fake_process_start(rig->kernel, pid);
        for (uint8_t i = 0; i < 5; ++i)
            make_handle(play, process, (uint8_t)(i + how));
    }
    struct client *client = client_connect(rig, process, process->pid % 2);
    if (!client && how & 0x40)
        fake_process_exit(rig->kernel, process);
    else if (client && raw)
        make_raw(client);
}

/* One step nearer to proof. */
static void prove_on(struct client *client)
{
    struct fake_connection *connection = client->connection;
    if (!connection->proof_object) {
        client_request(client, HBK_METHOD_SESSION_HELLO,
                       "{'protocol':[1],'client':{'name':'play','version':'1'}}");
        return;
    }
    if (client->process->running)
        client_set_event(client, connection->proof_value);
    client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
}

/* ---- what it asks for ---- */

uint32_t play_handle(struct play *play, struct client *client)
{
    const uint8_t which = play_byte(play);
    const uint32_t value = 4 * (1 + which % (client->process->slots_high + 1));
    const struct fake_slot *slot = fake_handle_find(client->process, value);
    return which < 0xF0 && slot && slot->origin != FAKE_ORIGIN_UNTOLD ? value : 4u * which + 4;
}

const char *play_name(uint8_t which)
{
    static const char *const names[] = {"user/a", "user/b", "session/c", "global/d"};
    return names[which % 4];
}

static void send_some(struct play *play, struct client *client)
{
    static const char *const accesses[] = {"", ",'access':'read'", ",'access':1",
                                           ",'access':'same','type':'Event'"};
    char items[1024], to[64], expect[64] = "";
    int size = 0;
    const uint8_t how = play_byte(play), more = play_byte(play);
    const uint32_t count = more & 0x80 ? 4 + more % 8 : 1 + more % 2;
    if (play->sends == PLAY_SENDS_MAX)
        return;
    for (uint32_t i = 0; i < count; ++i)
        size +=
            snprintf(items + size, sizeof items - (size_t)size, "%s{'handle':%u%s}", i ? "," : "",
                     play_handle(play, client), accesses[i == 1 ? 0 : more >> 3 & 3]);
    snprintf(to, sizeof to, how & 4 ? "{'name':'%s','pid':%u}" : "'%s'", play_name(how),
             100u + more % PLAY_PIDS);
    if (more & 0x40)
        snprintf(expect, sizeof expect, ",'expect':{'pid':%u}", 100u + (how >> 3) % PLAY_PIDS);
    const uint32_t tag = play->sends++;
    const uint32_t id = client_request(
        client, HBK_METHOD_HANDLE_SEND,
        "{'to':%s,'items':[%s],'data':'%u','wait_ms':%u,'timeout_ms':%u%s}", to, items, tag,
        how & 0x10 ? 100u * (how >> 5) : 0, how & 8 ? 300u * (how >> 5) : 10000, expect);
    client->requests[id - 1].tag = tag;
}

static void open_some(struct play *play, struct client *client)
{
    static const char *const more[] = {"",
                                       ",'mode':'ask'",
                                       ",'types':{'Event':'any','Process':'any','File':'read'}",
                                       ",'mode':'ask','from':'D:(A;;GA;;;S-1-5-21-1)'",
                                       ",'items_max':1",
                                       ",'types':{'Section':1048576}",
                                       ",'from':'D:(A;;0x2;;;WD)'",
                                       ",'mode':'auto'"};
    const uint8_t how = play_byte(play);
    client_request(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'%s'%s}", play_name(how),
                   more[how >> 2 & 7]);
}

static void explain_some(struct play *play, struct client *client)
{
    static const char *const verbs[] = {"open", "send", "put", "inspect", "revoke", "no-verb"};
    char name[64] = "", pid[32] = "", session[32] = "";
    const uint8_t how = play_byte(play);
    if (how & 0x20)
        snprintf(name, sizeof name, ",'name':'%s'", play_name(how / 64));
    if (how & 0x10)
        snprintf(pid, sizeof pid, ",'pid':%u", 100u + play_byte(play) % (PLAY_PIDS + 1u));
    if (how & 0x08) /* as they are numbered, or none */
        snprintf(session, sizeof session, ",'session':%llu",
                 play_byte(play) % 4 ? (unsigned long long)client->session_id : 7ULL);
    client_request(client, HBK_METHOD_POLICY_EXPLAIN, "{'verb':'%s'%s%s%s}", verbs[how % 8 % 6],
                   name, pid, session);
}

/* At a client's table, or that of nobody; by any handle. */
static void look_at_some(struct play *play, struct client *client)
{
    const uint8_t how = play_byte(play);
    const unsigned pid = 100u + how % (PLAY_PIDS + 1u), value = 4u + play_byte(play) % 32u * 4u;
    if (how & 0x80)
        client_request(client, HBK_METHOD_PROCESS_HANDLES, "{'pid':%u,'limit':%u,'cursor':'%u'}",
                       pid, 1u + (how >> 4 & 7), value);
    else
        client_request(client, HBK_METHOD_OBJECT_HOLDERS, "{'pid':%u,'handle':%u}", pid, value);
}

static void ask_some(struct play *play, struct client *client)
{
    const uint8_t how = play_byte(play);
    if (how == 0xF7) {
        look_at_some(play, client);
        return;
    }
    switch (how % 8) {
    case 0:
        client_request(client, HBK_METHOD_ENDPOINT_LIST, "{'limit':%u}", 1 + how / 64);
        break;
    case 1:
        client_request(client, HBK_METHOD_ENDPOINT_LIST, "{'cursor':'%u'}", how / 8);
        break;
    case 2:
        client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
        break;
    case 3:
        client_request(client, HBK_METHOD_BROKER_SESSIONS, "{'limit':%u}", 1 + how / 64);
        break;
    case 4:
        client_request(client, HBK_METHOD_BROKER_SESSIONS, "{'cursor':'%u'}", how / 8);
        break;
    case 5:
        client_request(client, HBK_METHOD_BROKER_WATCH, NULL);
        break;
    case 7:
        if (how & 0x80) {
            client_request(client, HBK_METHOD_BROKER_METRICS, NULL);
            break;
        }
        explain_some(play, client);
        break;
    default:
        explain_some(play, client);
        break;
    }
}

static void answer_offer(struct play *play, struct client *client, enum hbk_method method)
{
    const uint8_t which = play_byte(play);
    uint64_t delivery = 1u + which;
    uint32_t tag = PLAY_SENDS_MAX;
    if (play->offers_count) {
        const uint32_t most = PLAY_OFFERS_MAX;
        const uint32_t at = which % (play->offers_count < most ? play->offers_count : most);
        delivery = play->offers[at].delivery;
        tag = play->offers[at].tag;
    }
    const uint32_t id =
        client_request(client, method, "{'delivery':%llu}", (unsigned long long)delivery);
    client->requests[id - 1].tag = tag;
}

/* It knows what it holds: its own, and what it was told of. The value is used again at once. */
static void close_handle(struct play *play, struct client *client)
{
    const uint32_t value = play_handle(play, client);
    const struct fake_slot *slot = fake_handle_find(client->process, value);
    if (!slot || slot->origin == FAKE_ORIGIN_UNTOLD)
        return;
    fake_handle_close(play->rig->kernel, client->process, value);
    if (play_byte(play) & 1)
        make_handle(play, client->process, (uint8_t)value);
}

/* ---- what a raw client writes ---- */

/* Parts of lines, so that a byte or two make one. */
static const char *const parts[] = {
    "{'jsonrpc':'2.0','id':",
    ",'method':'handle.send','params':{'to':'user/a','items':[",
    "{'handle':4}",
    "{'handle':8,'access':'read'}",
    "]}}\n",
    "}}\n",
    "}\n",
    ",",
    "1",
    "7",
    "'x'",
    ",'method':'endpoint.open','params':{'name':'user/a'",
    ",'mode':'ask'",
    ",'method':'endpoint.close','params':{'name':'user/a'",
    ",'method':'delivery.accept','params':{'delivery':",
    ",'method':'broker.status'",
    ",'method':'delivery.reject','params':{'delivery':",
    ",'method':'endpoint.list'",
    ",'method':'session.hello','params':{'protocol':[1],'client':{'name':'a','version':'b'}",
    ",'method':'session.prove'",
    "\n",
    "{",
    "]",
    ",'data':'text'",
    ",'wait_ms':500",
    "{'handle':-1}",
    "user/b",
    ",'method':'policy.explain','params':{'verb':'send','name':'user/a'",
    ",'method':'broker.watch'",
    "2",
    "3",
    "\r",
    "", /* half of what a line may have */
    ",'from':'D:(A;;GA;;;XX)'",
    ",'types':{'Desktop':'any'}",
    ",'types':{'Nothing':'any'}",
    ",'revocable':true",
    ",'params':{'cursor':'x'}}\n",
    "{'handle':4,'type':'Socket'}",
    ",'method':'broker.sessions'",
    ",'params':{'verb':'inspect'}}\n",
    ",'method':'policy.explain'",
    ",'method':'broker.metrics'",
};

static void raw_bytes(struct play *play, struct client *client, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        play->raws[client->connection->number].lines += bytes[i] == '\n';
    client_bytes(client, bytes, size);
}

static void write_part(struct play *play, struct client *client)
{
    static const char zeros[HBK_LINE_BYTES_MAX / 2];
    const char *part = parts[play_byte(play) % (sizeof parts / sizeof parts[0])];
    char text[128];
    size_t size = strlen(part);
    if (size == 0) {
        raw_bytes(play, client, zeros, sizeof zeros);
        return;
    }
    assert_true(size < sizeof text);
    for (size_t i = 0; i < size; ++i) {
        text[i] = part[i];
        if (part[i] == '\'')
            text[i] = '"';
    }
    raw_bytes(play, client, text, size);
}

static void write_raw(struct play *play, struct client *client, unsigned what)
{
    const size_t left = (size_t)(play->end - play->at);
    if (what % 4 != 0) {
        for (unsigned i = 0; i < what; ++i)
            write_part(play, client);
        return;
    }
    size_t size = play_byte(play) % 64u;
    size = size < left ? size : left ? left - 1 : 0;
    raw_bytes(play, client, (const char *)play->at, size);
    play->at += size;
}

void play_client_move(struct play *play, struct client *client, unsigned what)
{
    if (play->raws[client->connection->number].is) {
        if (client->outbound.size < 200000)
            write_raw(play, client, what);
        return;
    }
    switch (what) {
    case 0:
        open_some(play, client);
        break;
    case 1:
        client_request(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'%s'}",
                       play_name(play_byte(play)));
        break;
    case 2:
        ask_some(play, client);
        break;
    case 3:
    case 4:
    case 5:
        answer_offer(play, client,
                     what == 3 ? HBK_METHOD_DELIVERY_REJECT : HBK_METHOD_DELIVERY_ACCEPT);
        break;
    case 6:
        client_bytes(client, "{\"jsonrpc\":\"2.0\"}\n", 18);
        break;
    case 7:
        close_handle(play, client);
        break;
    case 8:
        prove_on(client);
        break;
    case 9:
        prove_on(client);
        rig_run(play->rig);
        if (!client_ended(client))
            prove_on(client);
        break;
    case 10:
        client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
        break;
    case 14:
    case 15:
        play_share(play, client);
        break;
    default:
        send_some(play, client);
        break;
    }
}
