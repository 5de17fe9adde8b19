/* Clients at their worst, each within what a session may have: more would be refused, and be cheaper. Nothing in
 * here asserts: whatever the broker answers is fine, as long as it leaves the others alone. */
#include "flood.h"

#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.hello\",\"params\":" \
    "{\"protocol\":[1],\"client\":{\"name\":\"flood\",\"version\":\"1\"}}}\n"
#define PROVE "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\",\"params\":{}}\n"
#define STATUS "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"broker.status\",\"params\":{}}\n"

#define DEAF_SESSIONS 4
#define HALF_SESSIONS 32
#define REQUEST_SESSIONS 8
#define REQUESTS 64      /* a session */
#define REQUEST_ITEMS 16 /* a send: REQUESTS times as many are all that a session may have */
#define ASK_SENDERS 4
#define ENDPOINT_SESSIONS 32
#define ENDPOINTS 64 /* a session */
#define WRITE_MS 50u

static struct flood_board *board;
static wchar_t pipe_name[128];
static DWORD self_index; /* of what each thread keeps for itself: its kind */

static const char *const names[FLOOD_KINDS] = {
    [FLOOD_STORM] = "storm", [FLOOD_PROVE] = "prove",         [FLOOD_DEAF] = "deaf",
    [FLOOD_HALF] = "half",   [FLOOD_REQUESTS] = "requests",   [FLOOD_GARBAGE] = "garbage",
    [FLOOD_ASK] = "ask",     [FLOOD_ENDPOINTS] = "endpoints", [FLOOD_HANDOFFS] = "handoffs",
};

const char *flood_name(enum flood_kind kind)
{
    return names[kind];
}

bool flood_names(const char *kinds, enum flood_kind kind)
{
    size_t size = strlen(names[kind]);
    for (const char *at = kinds; at != NULL; at = strchr(at, ','), at += at != NULL)
        if (strncmp(at, names[kind], size) == 0 && (at[size] == ',' || at[size] == '\0'))
            return true;
    return false;
}

struct flood_board *flood_board_open(const char *name)
{
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                        sizeof(struct flood_board), name);
    return section != NULL ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0) : NULL;
}

static bool stopped(void)
{
    return board->stop != 0;
}

static enum flood_kind self(void)
{
    return (enum flood_kind)(uintptr_t)TlsGetValue(self_index);
}

static void did(void)
{
    InterlockedIncrement(&board->done[self()]);
}

static void did_not(void)
{
    InterlockedIncrement(&board->failed[self()]);
}

/* ---- connections that may fail ---- */

static struct kit_raw *raw_new(void)
{
    HANDLE pipe = kit_raw_open(pipe_name);
    if (pipe == INVALID_HANDLE_VALUE) {
        did_not();
        return NULL;
    }
    struct kit_raw *raw = calloc(1, sizeof *raw);
    if (raw == NULL) {
        CloseHandle(pipe);
        return NULL;
    }
    raw->pipe = pipe;
    raw->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    raw->written = CreateEventW(NULL, TRUE, FALSE, NULL);
    return raw;
}

static bool say(struct kit_raw *raw, const char *text)
{
    return kit_raw_write(raw, text, strlen(text), KIT_WAIT_MS);
}

static struct kit_raw *raw_proven(void)
{
    struct kit_raw *raw = raw_new();
    int64_t proof = 0;
    if (raw == NULL)
        return NULL;
    if (!say(raw, HELLO) || kit_raw_next(raw, KIT_WAIT_MS) != KIT_RAW_LINE ||
        !kit_json_number(raw->line, "proof", &proof) || !SetEvent((HANDLE)(uintptr_t)proof) ||
        !say(raw, PROVE) || kit_raw_next(raw, KIT_WAIT_MS) != KIT_RAW_LINE) {
        did_not();
        kit_raw_free(raw);
        return NULL;
    }
    return raw;
}

/* One that is gone is replaced. Return: false, there is none now. */
static bool renew(struct kit_raw **raw, bool alive, bool proven)
{
    if (!alive && *raw != NULL) {
        kit_raw_free(*raw);
        *raw = NULL;
    }
    if (*raw == NULL)
        *raw = proven ? raw_proven() : raw_new();
    return *raw != NULL;
}

/* ---- coming and going ---- */

static void storm(void)
{
    while (!stopped()) {
        HANDLE pipe = kit_raw_open(pipe_name);
        if (pipe == INVALID_HANDLE_VALUE) {
            did_not();
            continue;
        }
        CloseHandle(pipe);
        did();
    }
}

static void prove(void)
{
    while (!stopped()) {
        struct kit_raw *raw = raw_proven();
        if (raw != NULL)
            did();
        kit_raw_free(raw);
    }
}

/* ---- not reading, not ending ---- */

static void deaf(void)
{
    static char many[256 * (sizeof STATUS - 1)];
    struct kit_raw *raws[DEAF_SESSIONS] = {NULL};
    for (size_t i = 0; i < 256; i++)
        memcpy(many + i * (sizeof STATUS - 1), STATUS, sizeof STATUS - 1);
    for (size_t turn = 0; !stopped(); turn++) {
        struct kit_raw **raw = &raws[turn % DEAF_SESSIONS];
        if (!renew(raw, true, true))
            continue;
        if (kit_raw_write(*raw, many, sizeof many, WRITE_MS)) {
            did();
            continue;
        }
        /* It is full, or over: then a new one begins. */
        DWORD ignored = 0;
        if (!PeekNamedPipe((*raw)->pipe, NULL, 0, NULL, &ignored, NULL))
            renew(raw, false, true);
    }
}

static void half(void)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\",\"pa";
    struct kit_raw *raws[HALF_SESSIONS] = {NULL};
    size_t at[HALF_SESSIONS] = {0};
    while (!stopped()) {
        for (size_t i = 0; i < HALF_SESSIONS && !stopped(); i++) {
            if (raws[i] == NULL)
                at[i] = 0;
            if (!renew(&raws[i], true, i % 2 == 0))
                continue;
            const char *byte = at[i] < sizeof line - 1 ? &line[at[i]] : " ";
            at[i]++;
            if (kit_raw_write(raws[i], byte, 1, WRITE_MS)) {
                did();
            } else {
                kit_raw_free(raws[i]);
                raws[i] = NULL;
            }
        }
        Sleep(1);
    }
}

/* ---- requests ---- */

/* Where the sends of this kind go that nobody takes. */
static const char *nowhere(void)
{
    static char name[FLOOD_KINDS][64];
    (void)snprintf(name[self()], sizeof *name, "user/flood/%lu/%s",
                   (unsigned long)GetCurrentProcessId(), names[self()]);
    return name[self()];
}

static bool say_send(struct kit_raw *raw, unsigned id, const char *to, HANDLE event, int items,
                     unsigned wait_ms, unsigned timeout_ms)
{
    char line[1024];
    int size = snprintf(line, sizeof line,
                        "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"handle.send\",\"params\":{"
                        "\"to\":\"%s\",\"wait_ms\":%u,\"timeout_ms\":%u,\"items\":[",
                        id, to, wait_ms, timeout_ms);
    for (int i = 0; i < items; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, "%s{\"handle\":%llu}",
                         i > 0 ? "," : "", (unsigned long long)(uintptr_t)event);
    size += snprintf(line + size, sizeof line - (size_t)size, "]}}\n");
    bool said = kit_raw_write(raw, line, (size_t)size, KIT_WAIT_MS);
    if (said)
        did();
    return said;
}

static void requests(void)
{
    struct kit_raw *raws[REQUEST_SESSIONS] = {NULL};
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    while (!stopped()) {
        for (size_t i = 0; i < REQUEST_SESSIONS && !stopped(); i++) {
            bool alive = true, fresh = raws[i] == NULL;
            if (!renew(&raws[i], true, true))
                continue;
            for (unsigned id = 0; fresh && id < REQUESTS && alive && !stopped(); id++)
                alive = say_send(raws[i], 10 + id, nowhere(), event, REQUEST_ITEMS, 200 + id * 10,
                                 1000);
            /* For each that has ended, another. */
            while (alive && !stopped()) {
                int64_t id = 0;
                int result = kit_raw_next(raws[i], 1);
                if (result == KIT_RAW_TIMEOUT)
                    break;
                alive = result == KIT_RAW_LINE && kit_json_number(raws[i]->line, "id", &id) &&
                        say_send(raws[i], (unsigned)id, nowhere(), event, REQUEST_ITEMS, 500, 1000);
            }
            if (!alive)
                kit_raw_free(raws[i]);
            raws[i] = alive ? raws[i] : NULL;
        }
    }
}

static void garbage(void)
{
    static const char lines[] =
        "{\n{}\n[]\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"no.such\"}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":"
        "{\"to\":\"user/a\",\"items\":[{\"handle\":-1}]}}\n"
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}\n"
        "\xFF\xFE\n\"\\ud800\"\n";
    enum { LINES = 8, TIMES = 32, LONG = 60000 };
    static char many[TIMES * (sizeof lines - 1)], wide[LONG + 1];
    struct kit_raw *raw = NULL;
    for (size_t i = 0; i < TIMES; i++)
        memcpy(many + i * (sizeof lines - 1), lines, sizeof lines - 1);
    memset(wide, '[', LONG);
    wide[LONG] = '\n';
    for (size_t turn = 0; !stopped(); turn++) {
        bool big = turn % 8 == 7;
        if (!renew(&raw, true, true))
            continue;
        bool alive = big ? kit_raw_write(raw, wide, sizeof wide, KIT_WAIT_MS)
                         : kit_raw_write(raw, many, sizeof many, KIT_WAIT_MS);
        for (int i = 0; i < (big ? 1 : LINES * TIMES) && alive && !stopped(); i++) {
            alive = kit_raw_next(raw, KIT_WAIT_MS) == KIT_RAW_LINE;
            did();
        }
        if (!alive) {
            kit_raw_free(raw);
            raw = NULL;
        }
    }
}

/* ---- endpoints ---- */

static bool open_endpoint(struct kit_raw *raw, const char *name, const char *mode)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"endpoint.open\",\"params\":{"
                   "\"name\":\"%s\",\"mode\":\"%s\"}}\n",
                   name, mode);
    return say(raw, line) && kit_raw_next(raw, KIT_WAIT_MS) == KIT_RAW_LINE;
}

static void ask(void)
{
    struct kit_raw *target = NULL, *senders[ASK_SENDERS] = {NULL};
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    while (!stopped()) {
        bool fresh = target == NULL;
        if (!renew(&target, true, true))
            continue;
        if (fresh && !open_endpoint(target, nowhere(), "ask"))
            break;
        /* Its offers are read, so that it is not let go, and never answered. */
        int result = KIT_RAW_LINE;
        while (result == KIT_RAW_LINE && !stopped())
            result = kit_raw_next(target, 1);
        if (result == KIT_RAW_END)
            renew(&target, false, true);
        for (size_t i = 0; i < ASK_SENDERS && !stopped(); i++) {
            bool begun = senders[i] == NULL, alive = true;
            if (!renew(&senders[i], true, true))
                continue;
            for (unsigned id = 0; begun && id < REQUESTS && alive && !stopped(); id++)
                alive = say_send(senders[i], 10 + id, nowhere(), event, 4, 0, 300 + id * 10);
            while (alive && !stopped()) {
                int64_t id = 0;
                result = kit_raw_next(senders[i], 1);
                if (result == KIT_RAW_TIMEOUT)
                    break;
                alive = result == KIT_RAW_LINE && kit_json_number(senders[i]->line, "id", &id) &&
                        say_send(senders[i], (unsigned)id, nowhere(), event, 4, 0, 500);
            }
            if (!alive)
                kit_raw_free(senders[i]);
            senders[i] = alive ? senders[i] : NULL;
        }
    }
}

static void endpoint_name(char ret_name[64], size_t session, unsigned number)
{
    (void)snprintf(ret_name, 64, "user/flood/%lu/%lu/%u", (unsigned long)GetCurrentProcessId(),
                   (unsigned long)session, number);
}

static void endpoints(void)
{
    static const char list[] =
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"endpoint.list\",\"params\":{\"limit\":64}}\n";
    struct kit_raw *raws[ENDPOINT_SESSIONS] = {NULL};
    char name[64], line[256];
    for (unsigned turn = 0; !stopped(); turn++) {
        for (size_t i = 0; i < ENDPOINT_SESSIONS && !stopped(); i++) {
            bool fresh = raws[i] == NULL, alive = true;
            if (!renew(&raws[i], true, true))
                continue;
            for (unsigned n = 0; fresh && n < ENDPOINTS && alive && !stopped(); n++) {
                endpoint_name(name, i, n);
                alive = open_endpoint(raws[i], name, n % 2 == 0 ? "auto" : "ask");
                did();
            }
            endpoint_name(name, i, turn % ENDPOINTS);
            (void)snprintf(
                line, sizeof line,
                "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"endpoint.close\",\"params\":{"
                "\"name\":\"%s\"}}\n",
                name);
            alive = alive && say(raws[i], line) &&
                    kit_raw_next(raws[i], KIT_WAIT_MS) == KIT_RAW_LINE &&
                    open_endpoint(raws[i], name, "auto") && say(raws[i], list) &&
                    kit_raw_next(raws[i], KIT_WAIT_MS) == KIT_RAW_LINE;
            did();
            if (!alive)
                kit_raw_free(raws[i]);
            raws[i] = alive ? raws[i] : NULL;
        }
    }
}

/* ---- hand-offs ---- */

static void handoffs(void)
{
    hbk_open_options options = {
        .size = sizeof options, .pipe = pipe_name, .flags = HBK_OPEN_UNVERIFIED};
    hbk_client *client = NULL;
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = nowhere()};
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, KIT_SECTION_SIZE, NULL);
    hbk_send_item items[HBK_ITEMS_MAX] = {{.handle = NULL}};
    for (size_t i = 0; i < HBK_ITEMS_MAX; i++)
        items[i].handle = i % 2 == 0 ? event : section;
    hbk_send_options send = {
        .size = sizeof send, .to = nowhere(), .items = items, .count = HBK_ITEMS_MAX};
    while (!stopped() && hbk_open(&options, &client, NULL) != HBK_OK)
        did_not();
    if (client == NULL || hbk_endpoint_open(client, &endpoint, NULL) != HBK_OK)
        return;
    while (!stopped()) {
        hbk_delivery *delivery = NULL;
        if (hbk_send(client, &send, NULL, NULL) != HBK_OK)
            continue;
        if (hbk_receive(client, KIT_WAIT_MS, &delivery, NULL) == HBK_OK)
            did();
        hbk_delivery_free(delivery);
    }
    hbk_close(client);
}

static unsigned __stdcall flood_thread(void *argument)
{
    static void (*const functions[FLOOD_KINDS])(void) = {
        [FLOOD_STORM] = storm, [FLOOD_PROVE] = prove,         [FLOOD_DEAF] = deaf,
        [FLOOD_HALF] = half,   [FLOOD_REQUESTS] = requests,   [FLOOD_GARBAGE] = garbage,
        [FLOOD_ASK] = ask,     [FLOOD_ENDPOINTS] = endpoints, [FLOOD_HANDOFFS] = handoffs,
    };
    TlsSetValue(self_index, argument);
    functions[self()]();
    return 0;
}

int flood_main(const char *kinds, const char *pipe, const char *board_name)
{
    HANDLE threads[FLOOD_KINDS];
    DWORD count = 0;
    board = flood_board_open(board_name);
    self_index = TlsAlloc();
    (void)swprintf(pipe_name, sizeof pipe_name / sizeof *pipe_name, L"%hs", pipe);
    for (int i = 0; i < FLOOD_KINDS && board != NULL; i++) {
        if (!flood_names(kinds, (enum flood_kind)i))
            continue;
        HANDLE thread =
            (HANDLE)_beginthreadex(NULL, 0, flood_thread, (void *)(uintptr_t)i, 0, NULL);
        if (thread == NULL)
            return 1;
        threads[count++] = thread;
    }
    if (count == 0)
        return 1;
    /* No good-bye: what is in flight and what is open ends with the process. */
    return WaitForMultipleObjects(count, threads, TRUE, INFINITE) == WAIT_FAILED;
}
