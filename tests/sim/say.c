/* What clients say: real lines, good and bad, whole and in pieces. */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OUTBOUND_MAX = 200000 };

bool sim_can_say(const struct sim_client *client)
{
    return client->process->running && !client->hung_up && !client->connection->closed &&
           client->outbound.size < OUTBOUND_MAX && client->requests_count < SIM_REQUESTS_MAX - 1;
}

void sim_bytes(struct sim *sim, struct sim_client *client, const char *bytes, size_t size)
{
    sim_event(sim, SIM_EV_SAYS, client->number, 0, 0, bytes, size);
    ++sim->counts->lines_said;
    client->must_answer = false; /* what it says when the broker stops need not be heard */
    hbk_buffer_append(&client->outbound, bytes, size);
    HBK_ASSERT(!(client->outbound.failed));
    client->held_back = 0;
    sim_feed(sim, client);
}

/* ---- requests ---- */

struct sim_request *sim_request_begin(struct sim *sim, struct sim_client *client,
                                      enum hbk_method method)
{
    uint32_t i = 0;
    while (i < SIM_REQUESTS_MAX && client->requests[i].id)
        ++i;
    if (i == SIM_REQUESTS_MAX)
        return NULL;
    struct sim_request *request = &client->requests[i];
    ++client->next_id;
    *request = (struct sim_request){.id = client->next_id,
                                    .text = client->next_id % 7 == 0,
                                    .method = method,
                                    .generation = sim->generation,
                                    .pauses = sim->pauses};
    ++client->requests_count;
    return request;
}

static char line[SIM_LINE_MAX];

static size_t write_line(uint64_t id, bool text, const char *method, const char *params)
{
    int size = snprintf(line, sizeof line,
                        "{\"jsonrpc\":\"2.0\",\"id\":%s%" PRIu64 "%s,\"method\":\"%s\"%s%s}\n",
                        text ? "\"x" : "", id, text ? "\"" : "", method,
                        params ? ",\"params\":" : "", params ? params : "");
    HBK_ASSERT(size > 0 && (size_t)size < sizeof line);
    return (size_t)size;
}

void sim_request_end(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                     const char *params)
{
    size_t size = write_line(request->id, request->text, hbk_method_name(request->method), params);
    sim_bytes(sim, client, line, size);
}

struct sim_request *sim_request(struct sim *sim, struct sim_client *client, enum hbk_method method,
                                const char *params, ...)
{
    static char text[4096];
    struct sim_request *request = sim_request_begin(sim, client, method);
    if (!request)
        return NULL;
    if (params) {
        va_list values;
        va_start(values, params);
        int size = vsnprintf(text, sizeof text, params, values);
        va_end(values);
        HBK_ASSERT(size >= 0 && (size_t)size < sizeof text);
        for (char *at = strchr(text, '\''); at; at = strchr(at, '\''))
            *at = '"';
    }
    sim_request_end(sim, client, request, params ? text : NULL);
    return request;
}

uint64_t sim_say_simple(struct sim *sim, struct sim_client *client, enum hbk_method method)
{
    const struct sim_request *request = sim_request(sim, client, method, NULL);
    return request ? request->id : 0;
}

/* ---- hello and prove ---- */

static bool set_event(struct sim *sim, struct sim_client *client)
{
    const struct fake_slot *slot = fake_handle_find(client->process, client->proof);
    if (!slot)
        return false;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->connection->proof_object == slot->object)
            sim->clients[i]->connection->proof_set = true;
    return true;
}

static void say_hello(struct sim *sim, struct sim_client *client)
{
    client->hello_said = true;
    sim_request(sim, client, HBK_METHOD_SESSION_HELLO,
                "{'protocol':[%s1],'client':{'name':'sim','version':'%u'}}",
                sim_below(sim, 8) ? "" : "2,", client->number % 100);
}

static void say_prove(struct sim *sim, struct sim_client *client)
{
    client->prove_said = true;
    bool lies = sim->swarm.liars && sim_below(sim, 6) == 0;
    if (lies || !set_event(sim, client)) {
        client->excused = true;
        sim_outcome(sim, SIM_OUT_NO_PROOF);
    }
    sim_say_simple(sim, client, HBK_METHOD_SESSION_PROVE);
}

static void greet_again(struct sim *sim, struct sim_client *client)
{
    if (!client->proven)
        client->excused = true; /* a prove that comes too early is not tried twice */
    if (sim_below(sim, 2))
        say_hello(sim, client);
    else
        sim_say_simple(sim, client, HBK_METHOD_SESSION_PROVE);
}

/* ---- endpoints ---- */

static const struct {
    const char *text;
    const char *types; /* NAME=a any, r read, or a mask in hex; … */
} types_variants[] = {
    {NULL, "Event=a Semaphore=a Mutant=a Timer=a Section=a File=a"},
    {"{'Event':'any','File':'read'}", "Event=a File=r"},
    {"{'Section':'read','Mutant':'any','Event':2031619}", "Section=r Mutant=a Event=1f0003"},
    {"{'Event':'any','Section':'any','Process':'any'}", "Event=a Section=a Process=a"},
    {"{'Event':2,'File':1179785}", "Event=2 File=120089"},
    {"{'Socket':'any','Event':'any','Section':'any','File':'any'}",
     "Socket=a Event=a Section=a File=a"},
    {"{'Socket':'any','Event':'read','File':'read'}", "Socket=a Event=r File=r"},
    {"{'Nonsense':'any'}", ""},
    {"{}", ""},
};

enum { SIM_TYPES_SOCKET = 5 }; /* the one of them that takes sockets, and most else */

static const char *const from_variants[] = {
    "D:(A;;GA;;;WD)",
    "D:(A;;0x2;;;S-1-5-21-7-1001)",
    "D:(D;;0x2;;;S-1-5-21-7-1002)(A;;GA;;;AU)",
    "D:(A;;0x2;;;BA)(A;;0x2;;;SY)",
    "D:(A;;0x10000;;;WD)",
    "O:SY",
};

static void set_accepts(struct sim_endpoint *endpoint, const char *types)
{
    while (*types) {
        size_t size = strcspn(types, "=");
        enum hbk_type type = hbk_type_find((struct hbk_text){.data = types, .size = size});
        const char *value = types + size + 1;
        endpoint->accepts[type] = *value == 'a'   ? UINT32_MAX
                                  : *value == 'r' ? hbk_type_info(type)->read
                                                  : (uint32_t)strtoul(value, NULL, 16);
        types = value + strcspn(value, " ");
        types += *types == ' ';
    }
}

static struct sim_endpoint *endpoint_new(struct sim_client *client)
{
    for (uint32_t i = 0; i < SIM_ENDPOINTS_MAX; ++i)
        if (client->endpoints[i].state == SIM_ENDPOINT_NONE)
            return &client->endpoints[i];
    return NULL;
}

uint64_t sim_say_open(struct sim *sim, struct sim_client *client, uint32_t name, bool plain)
{
    const struct sim_swarm *swarm = &sim->swarm;
    struct sim_endpoint *endpoint = endpoint_new(client);
    if (!endpoint)
        return 0;
    uint32_t types = !plain && swarm->types && sim_below(sim, 2) ? sim_below(sim, 9) : 0;
    if (!plain && swarm->sockets && sim_below(sim, 2))
        types = SIM_TYPES_SOCKET;
    uint32_t from = !plain && swarm->from && sim_below(sim, 2) ? 1 + sim_below(sim, 6) : 0;
    *endpoint = (struct sim_endpoint){.state = SIM_ENDPOINT_OPENING,
                                      .name = name,
                                      .ask = !plain && swarm->ask && sim_below(sim, 2),
                                      .items_max = HBK_ITEMS_MAX};
    set_accepts(endpoint, types_variants[types].types);
    endpoint->revocable = !plain && swarm->revocable && sim_below(sim, 4);
    endpoint->from = from ? from_variants[from - 1] : NULL;
    char max[32] = "";
    if (!plain && sim_below(sim, 6) == 0) {
        endpoint->items_max = 1 + sim_below(sim, 4);
        snprintf(max, sizeof max, ",'items_max':%u", endpoint->items_max);
    }
    struct sim_request *request =
        sim_request(sim, client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'%s'%s%s%s%s%s%s%s%s}",
                    sim_names[name], endpoint->ask ? ",'mode':'ask'" : "", types ? ",'types':" : "",
                    types ? types_variants[types].text : "", from ? ",'from':'" : "",
                    from ? endpoint->from : "", from ? "'" : "", max,
                    endpoint->revocable ? ",'revocable':true" : "");
    if (!request) {
        endpoint->state = SIM_ENDPOINT_NONE;
        return 0;
    }
    request->endpoint = (uint32_t)(endpoint - client->endpoints);
    request->name = name;
    return request->id;
}

uint64_t sim_say_close(struct sim *sim, struct sim_client *client, uint32_t name)
{
    struct sim_request *request =
        sim_request(sim, client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'%s'}", sim_names[name]);
    if (!request)
        return 0;
    request->name = name;
    return request->id;
}

/* ---- answers to offers ---- */

static const struct sim_offer *any_offer(struct sim *sim, const struct sim_client *client)
{
    uint32_t kept = client->offers_count < SIM_OFFERS_MAX ? client->offers_count : SIM_OFFERS_MAX;
    return kept ? &client->offers[sim_below(sim, kept)] : NULL;
}

static void say_answer(struct sim *sim, struct sim_client *client)
{
    const struct sim_offer *offer = any_offer(sim, client);
    bool accept = sim_below(sim, 4) != 0;
    if (!offer || sim_below(sim, 20) == 0) {
        const struct sim_client *other = sim->clients[sim_below(sim, SIM_CLIENTS_MAX)];
        offer = other ? any_offer(sim, other) : NULL;
    }
    struct sim_send *send = offer ? sim_send_of(sim, offer->tag) : NULL;
    if (!offer || !send)
        return;
    struct sim_request *request =
        sim_request(sim, client, accept ? HBK_METHOD_DELIVERY_ACCEPT : HBK_METHOD_DELIVERY_REJECT,
                    "{'delivery':%" PRIu64 "%s}", offer->delivery,
                    accept || sim_below(sim, 2) ? "" : ",'reason':'no, thanks'");
    if (!request)
        return;
    request->tag = offer->tag;
    request->delivery = offer->delivery;
    if (!accept && send->target == client->number)
        send->reject_asked = true;
}

/* ---- looking ---- */

static void say_explain(struct sim *sim, struct sim_client *client)
{
    static const char *const verbs[] = {"open", "send",     "inspect", "put",
                                        "get",  "transfer", "revoke",  "nonsense"};
    uint32_t name = sim_below(sim, SIM_NAMES), verb = sim_below(sim, 16);
    const char *word = verbs[verb < 8 ? verb : verb % 2];
    char more[64] = "";
    if (strcmp(word, "inspect") != 0 && strcmp(word, "transfer") != 0 &&
        strcmp(word, "revoke") != 0)
        snprintf(more, sizeof more, ",'name':'%s'", sim_names[name]);
    if (strcmp(word, "send") == 0 && sim_below(sim, 3) == 0)
        snprintf(more, sizeof more, ",'name':'%s','pid':%u", sim_names[name], client->process->pid);
    struct sim_request *request =
        sim_request(sim, client, HBK_METHOD_POLICY_EXPLAIN, "{'verb':'%s'%s}", word, more);
    if (request) {
        request->name = name;
        request->tag = strcmp(word, "open") == 0;
    }
}

/* At its own table or another client's, or at that of nobody. */
static void say_look(struct sim *sim, struct sim_client *client)
{
    const struct sim_client *other = sim->clients[sim_below(sim, SIM_CLIENTS_MAX)];
    const uint32_t pid = other ? other->process->pid : 4, value = 4 + 4 * sim_below(sim, 12);
    struct sim_request *request;
    if (sim_below(sim, 2))
        request = sim_request(sim, client, HBK_METHOD_PROCESS_HANDLES,
                              "{'pid':%u,'limit':%u,'cursor':'%u'}", pid, 1 + sim_below(sim, 8),
                              sim_below(sim, 2) ? value : 0);
    else
        request = sim_request(sim, client, HBK_METHOD_OBJECT_HOLDERS, "{'pid':%u,'handle':%u}", pid,
                              value);
    if (request)
        request->delivery = pid;
}

static void say_list(struct sim *sim, struct sim_client *client, enum hbk_method method)
{
    if (sim_below(sim, 2))
        sim_say_simple(sim, client, method);
    else
        sim_request(sim, client, method, "{'limit':%u,'cursor':'%u'}", 1 + sim_below(sim, 4),
                    sim_below(sim, 20));
}

/* ---- what is not right ---- */

/* With the answer that is due: under the id that the line has, or under none. */
static const struct {
    const char *text;
    bool has_id;
} broken_lines[] = {
    {"{\"jsonrpc\":\"2.0\"}", false},
    {"", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,", false},
    {"[]", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"broker.status\"}", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":9,\"id\":9,\"method\":\"broker.status\"}", false},
    {"\xC3\x28", false},
    {"{\"a\":[[[[[[[[1]]]]]]]]}", false},
    {"{\"jsonrpc\":\"1.0\",\"id\":%ID%,\"method\":\"broker.status\"}", true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"method\":\"handle.steal\",\"params\":{}}", true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"method\":\"endpoint.close\",\"params\":{}}", true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"method\":\"endpoint.close\","
     "\"params\":{\"name\":\"user/n0\",\"force\":true}}",
     true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"method\":\"endpoint.open\","
     "\"params\":{\"name\":\"everywhere/n0\"}}",
     true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"method\":\"handle.send\",\"params\":{\"to\":\"user/n0\","
     "\"items\":[{\"handle\":4294967295}]}}",
     true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"method\":\"handle.send\",\"params\":{\"to\":\"user/n0\","
     "\"items\":[{\"handle\":4,\"access\":2147483648}]}}",
     true},
    {"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{}}", true},
};

static void say_broken(struct sim *sim, struct sim_client *client)
{
    uint32_t which = sim_below(sim, sizeof broken_lines / sizeof broken_lines[0]);
    const char *text = broken_lines[which].text;
    const char *place = strstr(text, "%ID%");
    if (!client->proven)
        client->excused = true;
    if (place) {
        const struct sim_request *request = sim_request_begin(sim, client, HBK_METHOD_NONE);
        if (!request)
            return;
        int size =
            snprintf(line, sizeof line, "%.*s%s%" PRIu64 "%s%s\n", (int)(place - text), text,
                     request->text ? "\"x" : "", request->id, request->text ? "\"" : "", place + 4);
        sim_bytes(sim, client, line, (size_t)size);
        return;
    }
    ++client->broken_lines;
    int size = snprintf(line, sizeof line, "%s\n", text);
    sim_bytes(sim, client, line, (size_t)size);
}

/* An id whose request may still be in flight. */
static void say_again(struct sim *sim, struct sim_client *client)
{
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; ++i) {
        struct sim_request *request = &client->requests[i];
        if (!request->id || (request->method != HBK_METHOD_HANDLE_SEND &&
                             request->method != HBK_METHOD_DELIVERY_ACCEPT))
            continue;
        ++request->extra;
        if (sim_send_of(sim, request->tag) && request->method == HBK_METHOD_HANDLE_SEND)
            sim_send_of(sim, request->tag)->duplicated = true;
        size_t size = write_line(request->id, request->text, "broker.status", NULL);
        sim_bytes(sim, client, line, size);
        return;
    }
}

/* ---- what is said ---- */

static enum sim_word draw_word(struct sim *sim)
{
    uint32_t drawn = sim_below(sim, sim->swarm.words_sum);
    for (uint32_t i = 0; i < SIM_SAY_COUNT; ++i) {
        if (drawn < sim->swarm.words[i])
            return (enum sim_word)i;
        drawn -= sim->swarm.words[i];
    }
    return SIM_SAY_SEND;
}

/* Mostly to what somebody has open. */
static void say_send(struct sim *sim, struct sim_client *client)
{
    const struct sim_client *target = sim->clients[sim_below(sim, SIM_CLIENTS_MAX)];
    uint32_t name = sim_below(sim, sim->swarm.names);
    for (uint32_t i = 0; target && i < SIM_ENDPOINTS_MAX && sim_below(sim, 4); ++i)
        if (target->endpoints[i].state == SIM_ENDPOINT_OPEN) {
            name = target->endpoints[i].name;
            break;
        }
    sim_say_send(sim, client, target, name);
    for (uint32_t more = sim_below(sim, 12); more < 3 && sim_can_say(client); ++more)
        sim_say_send(sim, client, target, name);
}

static void burst(struct sim *sim, struct sim_client *client)
{
    for (uint32_t i = 4 + sim_below(sim, 30); i > 0 && sim_can_say(client); --i)
        if (sim_below(sim, 2))
            say_send(sim, client);
        else
            sim_say_simple(sim, client, HBK_METHOD_BROKER_STATUS);
}

/* Of the store, of transfers and revocations. */
static void say_shared(struct sim *sim, struct sim_client *client, enum sim_word word)
{
    switch (word) {
    case SIM_SAY_PUT:
        sim_say_put(sim, client);
        break;
    case SIM_SAY_GET:
        sim_say_get(sim, client, NULL, false);
        break;
    case SIM_SAY_REMOVE:
        sim_say_remove(sim, client);
        break;
    case SIM_SAY_STORED:
        say_list(sim, client, HBK_METHOD_STORE_LIST);
        break;
    case SIM_SAY_TRANSFER:
        sim_say_transfer(sim, client);
        break;
    case SIM_SAY_REVOKE:
        sim_say_revoke(sim, client);
        break;
    case SIM_SAY_ONCE_MORE:
        sim_say_once_more(sim, client);
        break;
    case SIM_SAY_DELIVERIES:
        say_list(sim, client, HBK_METHOD_DELIVERY_LIST);
        break;
    default:
        break;
    }
}

static void say_word(struct sim *sim, struct sim_client *client, enum sim_word word)
{
    uint32_t name = sim_below(sim, sim->swarm.names);
    switch (word) {
    case SIM_SAY_SEND:
    case SIM_SAY_HALF:
    case SIM_SAY_COUNT:
        say_send(sim, client);
        break;
    case SIM_SAY_OPEN:
        sim_say_open(sim, client, name, false);
        break;
    case SIM_SAY_CLOSE:
        sim_say_close(sim, client, name);
        break;
    case SIM_SAY_ANSWER:
        say_answer(sim, client);
        break;
    case SIM_SAY_LIST:
        say_list(sim, client, HBK_METHOD_ENDPOINT_LIST);
        break;
    case SIM_SAY_STATUS:
        sim_say_simple(sim, client, HBK_METHOD_BROKER_STATUS);
        break;
    case SIM_SAY_METRICS:
        sim_say_simple(sim, client, HBK_METHOD_BROKER_METRICS);
        break;
    case SIM_SAY_SESSIONS:
        say_list(sim, client, HBK_METHOD_BROKER_SESSIONS);
        break;
    case SIM_SAY_WATCH:
        sim_say_simple(sim, client, HBK_METHOD_BROKER_WATCH);
        break;
    case SIM_SAY_EXPLAIN:
        say_explain(sim, client);
        break;
    case SIM_SAY_BROKEN:
        say_broken(sim, client);
        break;
    case SIM_SAY_AGAIN:
        say_again(sim, client);
        break;
    case SIM_SAY_BURST:
        burst(sim, client);
        break;
    case SIM_SAY_GREET:
        greet_again(sim, client);
        break;
    case SIM_SAY_LOOK:
        say_look(sim, client);
        break;
    default:
        say_shared(sim, client, word);
        break;
    }
}

void sim_say(struct sim *sim, struct sim_client *client)
{
    if (client->held_back) {
        client->held_back = sim_below(sim, 4) ? 0 : client->held_back / 2;
        sim_feed(sim, client);
        return;
    }
    enum sim_word word = draw_word(sim);
    if (!client->proven && sim_below(sim, 12)) {
        if (!client->hello_said)
            say_hello(sim, client);
        else if (client->proof && !client->prove_said)
            say_prove(sim, client);
        return;
    }
    if (!client->proven && word == SIM_SAY_GREET && client->hello_said && !client->proof)
        return; /* its first hello may still be answered */
    if (word == SIM_SAY_HALF) {
        size_t before = client->outbound.size;
        bool paused = client->connection->paused;
        client->connection->paused = true; /* so that nothing of the line goes out at once */
        say_word(sim, client, word);
        client->connection->paused = paused;
        if (client->outbound.size > before)
            client->held_back = 1 + sim_below(sim, (uint32_t)(client->outbound.size - before));
        sim_feed(sim, client);
        return;
    }
    say_word(sim, client, word);
}
