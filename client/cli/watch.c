/* hbctl watch. */
#include "hbctl.h"

#include <string.h>

/* How long to look for a service that is away, before the next look at Ctrl+C. */
#define AWAY_MS 500u

struct watch_request {
    bool reopen;
    uint32_t count, timeout_ms; /* count 0: no end */
};

/* Set by Ctrl+C and its like, on a thread of Windows' own. */
static HANDLE stop;

static BOOL WINAPI control(DWORD type)
{
    (void)type;
    return SetEvent(stop);
}

static void print_time(uint64_t unix_ms)
{
    const uint64_t unix_epoch = 116444736000000000u; /* 1970 in 100 ns since 1601 */
    uint64_t ticks = unix_epoch + unix_ms * 10000u;
    FILETIME universal = {(DWORD)ticks, (DWORD)(ticks >> 32)};
    SYSTEMTIME time, local;

    if (!FileTimeToSystemTime(&universal, &time) ||
        !SystemTimeToTzSpecificLocalTime(NULL, &time, &local)) {
        printf("%llu ms", (unsigned long long)unix_ms);
        return;
    }
    printf("%04u-%02u-%02u %02u:%02u:%02u.%03u", local.wYear, local.wMonth, local.wDay, local.wHour,
           local.wMinute, local.wSecond, local.wMilliseconds);
}

static void print_party(const char *word, const hbk_party *party)
{
    if (party->pid == 0 && party->user == NULL)
        return;
    printf("  %s", word);
    if (party->pid != 0)
        printf(" process %lu", (unsigned long)party->pid);
    if (party->user != NULL) {
        fputs(party->pid != 0 ? " of " : " ", stdout);
        print_text(stdout, party->user);
    }
}

static void print_items(const hbk_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        fputs(i == 0 ? "  " : " ", stdout);
        print_text(stdout, record->items[i].type);
        printf(":0x%lx", (unsigned long)record->items[i].access);
    }
}

/* One record, one line. */
static void print_record(const hbk_record *record)
{
    print_time(record->time_ms);
    printf("  ");
    print_text(stdout, record->event);
    printf("  ");
    print_text(stdout, record->outcome);
    if (record->endpoint != NULL) {
        printf("  ");
        print_text(stdout, record->endpoint);
    }
    print_party("by", &record->caller);
    print_party("from", &record->source);
    print_party("to", &record->target);
    print_items(record);
    if (record->error != NULL) {
        printf("  ");
        print_text(stdout, record->error);
    }
    if (record->win32 != 0)
        printf("  Windows error %lu", (unsigned long)record->win32);
    if (record->stands_for > 1)
        printf("  %llu times", (unsigned long long)record->stands_for);
    if (record->detail != NULL) {
        printf("  ");
        print_text(stdout, record->detail);
    }
    fputc('\n', stdout);
}

static void show(const struct arguments *arguments, const hbk_record *record)
{
    if (record->missed != 0 && arguments->globals.json)
        json_notice("records_missed", "count", record->missed, NULL);
    else if (record->missed != 0)
        fprintf(stderr, "hbctl watch: %llu records are missing here: they came too fast\n",
                (unsigned long long)record->missed);
    if (arguments->globals.json)
        printf("%s\n", record->json);
    else
        print_record(record);
    fflush(stdout);
}

/* Sleeps until there may be a record. Return: HBK_OK; HBK_TIMEOUT; HBK_DISCONNECTED: stop it. */
static hbk_result wait_for_record(hbk_client *client, uint32_t timeout_ms)
{
    const HANDLE events[] = {stop, hbk_wait_handle(client)};

    switch (WaitForMultipleObjects(2, events, FALSE, timeout_ms)) {
    case WAIT_OBJECT_0:
        return HBK_DISCONNECTED;
    case WAIT_TIMEOUT:
        return HBK_TIMEOUT;
    default:
        return HBK_OK;
    }
}

/* The connection is gone. Return: HBK_OK, there is another; HBK_TIMEOUT, not yet. */
static hbk_result come_back(struct talk *talk)
{
    static const char away[] = "the service was away; some records may be missing here";
    hbk_result result = hbk_reopen(talk->client, AWAY_MS, &talk->error);

    switch (result) {
    case HBK_OK:
        progress_end();
        if (talk->arguments->globals.json)
            json_notice("reopened", NULL, 0, away);
        else
            fprintf(stderr, "hbctl watch: %s\n", away);
        fflush(stderr);
        return HBK_OK;
    case HBK_UNAVAILABLE:
    case HBK_UNTRUSTED:
    case HBK_BUSY:
    case HBK_STOPPING:
    case HBK_TIMEOUT:
    case HBK_DISCONNECTED:
        return HBK_TIMEOUT;
    default:
        return result;
    }
}

static void watch(struct talk *talk, const struct watch_request *request)
{
    hbk_record *record = NULL;
    uint32_t shown = 0;
    ULONGLONG last = GetTickCount64();

    while (request->count == 0 || shown < request->count) {
        hbk_result result = hbk_watch_receive(talk->client, 0, &record, &talk->error);
        if (result == HBK_DISCONNECTED && request->reopen) {
            result = come_back(talk);
            if (result == HBK_OK)
                continue;
        }
        ULONGLONG quiet = GetTickCount64() - last;
        bool patient = request->timeout_ms == INFINITE;
        if (result == HBK_TIMEOUT && (patient || quiet < request->timeout_ms)) {
            uint32_t left = patient ? INFINITE : request->timeout_ms - (uint32_t)quiet;
            if (wait_for_record(talk->client, left) == HBK_DISCONNECTED)
                return;
            continue;
        }
        if (!talk_good(talk, result, NULL))
            return;
        show(talk->arguments, record);
        hbk_record_free(record);
        shown++;
        last = GetTickCount64();
        if (WaitForSingleObject(stop, 0) == WAIT_OBJECT_0)
            return;
    }
}

static const char *advice(hbk_result result)
{
    return result == HBK_QUOTA ? "Too many watch already; end one of them."
                               : inspect_advice(result);
}

enum exit_code run_watch(struct arguments *arguments)
{
    struct watch_request request = {.timeout_ms = INFINITE};
    const struct option options[] = {
        {"--count", OPTION_NUMBER, UINT32_MAX, &request.count, NULL},
        {"--timeout", OPTION_NUMBER, INFINITE - 1, &request.timeout_ms, NULL},
        {"--reopen", OPTION_FLAG, 0, &request.reopen, NULL},
    };
    enum exit_code code = EXIT_USAGE;
    struct talk talk;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], NULL, 0, &code))
        return code;
    stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (stop == NULL || !SetConsoleCtrlHandler(control, TRUE)) {
        const hbk_error_info error = {.result = HBK_OS_ERROR,
                                      .item = -1,
                                      .win32 = GetLastError(),
                                      .detail = "Ctrl+C cannot be waited for"};
        return failed(&arguments->globals, &error, NULL);
    }
    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_watch(talk.client, &talk.error), advice)) {
        if (!arguments->globals.json)
            fputs("watching; Ctrl+C ends it\n", stderr);
        fflush(stderr);
        progress_begin(&arguments->globals, "waiting for the first record", NULL);
        watch(&talk, &request);
    }
    return talk_end(&talk);
}
