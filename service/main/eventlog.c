#include "eventlog.h"

#include "handlebroker_messages.h"
#include "log.h"
#include "modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { TEXT_BYTES_MAX = 2048 }; /* of one text of a notice, with its NUL */

/* What waits to be said: a notice, with its texts behind it in the same memory. */
struct item {
    struct item *next;
    uint32_t id; /* a message that is no notice: `name` is its number, `detail` its text */
    struct hbk_notice notice;
    char texts[];
};

struct hbk_event_log {
    bool console;
    HANDLE thread;
    SRWLOCK lock;
    CONDITION_VARIABLE changed;
    struct item *first, **end; /* under lock, as is what follows */
    size_t count;
    uint64_t dropped;
    bool ending;
};

/* ---- messages ---- */

/* The viewer looks for %1 and %%1 in inserts too, and would put in another's text; and nothing but printable
 * ASCII was promised to it. */
static void insert(struct hbk_event_message *message, const char *text)
{
    HBK_ASSERT(message->count < HBK_EVENT_INSERTS_MAX);
    wchar_t *to = message->inserts[message->count++];
    static const char hex[] = "0123456789ABCDEF";
    size_t size = 0;
    for (; *text != '\0' && size + 5 < HBK_EVENT_INSERT_CHARS; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte < 0x7F && byte != '%') {
            to[size++] = byte;
        } else {
            to[size++] = L'\\';
            to[size++] = L'x';
            to[size++] = (wchar_t)hex[byte >> 4];
            to[size++] = (wchar_t)hex[byte & 15];
        }
    }
    if (size == 0) {
        to[size++] = L'-'; /* an empty insert looks like a mistake of ours */
    }
    to[size] = L'\0';
}

static void insert_number(struct hbk_event_message *message, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    insert(message, number == 0 ? "" : text);
}

void hbk_event_message_text(uint32_t id, const char *number, const char *text,
                            struct hbk_event_message *ret_message)
{
    ret_message->id = id;
    ret_message->count = 0;
    if (number != NULL) {
        insert(ret_message, number);
    }
    insert(ret_message, text);
}

void hbk_event_message(const struct hbk_notice *notice, struct hbk_event_message *ret_message)
{
    static const uint32_t ids[HBK_NOTICE_KIND_COUNT] = {
        [HBK_NOTICE_REFUSED] = HBK_MESSAGE_REFUSED,
        [HBK_NOTICE_REFUSED_MORE] = HBK_MESSAGE_REFUSED_MORE,
        [HBK_NOTICE_POLICY_LOADED] = HBK_MESSAGE_POLICY_LOADED,
        [HBK_NOTICE_POLICY_KEPT] = HBK_MESSAGE_POLICY_KEPT,
        [HBK_NOTICE_DROPPED] = HBK_MESSAGE_DROPPED,
        [HBK_NOTICE_WARNING] = HBK_MESSAGE_WARNING,
        [HBK_NOTICE_PAUSED] = HBK_MESSAGE_PAUSED,
        [HBK_NOTICE_CONTINUED] = HBK_MESSAGE_CONTINUED,
    };
    HBK_ASSERT(notice->kind < HBK_NOTICE_KIND_COUNT);
    ret_message->id = ids[notice->kind];
    ret_message->count = 0;
    if (notice->kind == HBK_NOTICE_REFUSED_MORE || notice->kind == HBK_NOTICE_DROPPED) {
        insert_number(ret_message, notice->count);
    }
    if (notice->kind == HBK_NOTICE_REFUSED || notice->kind == HBK_NOTICE_REFUSED_MORE) {
        insert(ret_message, notice->user);
        insert_number(ret_message, notice->pid);
        insert(ret_message, notice->event);
        insert(ret_message, notice->name);
        insert(ret_message, notice->error);
    }
    if (notice->kind == HBK_NOTICE_REFUSED) {
        insert_number(ret_message, notice->win32);
        insert_number(ret_message, notice->correlation);
    }
    insert(ret_message, notice->detail);
    if (notice->kind == HBK_NOTICE_WARNING) {
        insert_number(ret_message, notice->win32);
    }
}

/* ---- the console ---- */

static void log_line(const struct hbk_notice *notice)
{
    const char *detail = notice->detail;
    switch (notice->kind) {
    case HBK_NOTICE_REFUSED:
        hbk_log("refused: %s%s%s of process %lu (user %s): %s (%s, error %lu)", notice->event,
                notice->name[0] != '\0' ? " " : "", notice->name, (unsigned long)notice->pid,
                notice->user, detail, notice->error, (unsigned long)notice->win32);
        break;
    case HBK_NOTICE_REFUSED_MORE:
        hbk_log("refused: %llu more within a minute of user %s, the last of process %lu: %s (%s)",
                (unsigned long long)notice->count, notice->user, (unsigned long)notice->pid,
                notice->event, notice->error);
        break;
    case HBK_NOTICE_POLICY_LOADED:
        hbk_log("new rules are in force: %s", detail);
        break;
    case HBK_NOTICE_POLICY_KEPT:
        hbk_log("the rules from before stay in force: %s", detail);
        break;
    case HBK_NOTICE_DROPPED:
        hbk_log("%llu audit records found a queue full and were dropped. %s",
                (unsigned long long)notice->count, detail);
        break;
    case HBK_NOTICE_PAUSED:
        hbk_log("paused: %s", detail);
        break;
    case HBK_NOTICE_CONTINUED:
        hbk_log("no longer paused: %s", detail);
        break;
    case HBK_NOTICE_WARNING:
    case HBK_NOTICE_KIND_COUNT:
        hbk_log("warning: %s (error %lu)", detail, (unsigned long)notice->win32);
    }
}

/* ---- the event log ---- */

static WORD type_of(uint32_t id)
{
    static const WORD types[4] = {EVENTLOG_SUCCESS, EVENTLOG_INFORMATION_TYPE,
                                  EVENTLOG_WARNING_TYPE, EVENTLOG_ERROR_TYPE};
    return types[id >> 30];
}

static void report(HANDLE source, const struct hbk_event_message *message)
{
    const wchar_t *texts[HBK_EVENT_INSERTS_MAX];
    for (size_t i = 0; i < message->count; i++) {
        texts[i] = message->inserts[i];
    }
    /* A log that is full or gone is told nobody else: the debugger has the line. */
    ReportEventW(source, type_of(message->id), 0, message->id, NULL, (WORD)message->count, 0, texts,
                 NULL);
}

/* Waits for the next item. Return: NULL: there is none, and the end was asked for. */
static struct item *take(struct hbk_event_log *log, uint64_t *ret_dropped)
{
    AcquireSRWLockExclusive(&log->lock);
    while (log->first == NULL && !log->ending) {
        SleepConditionVariableSRW(&log->changed, &log->lock, INFINITE, 0);
    }
    struct item *item = log->first;
    if (item != NULL) {
        log->first = item->next;
        log->end = log->first == NULL ? &log->first : log->end;
        log->count--;
    }
    *ret_dropped = log->dropped;
    log->dropped = 0;
    ReleaseSRWLockExclusive(&log->lock);
    return item;
}

static void say(HANDLE source, const struct item *item)
{
    struct hbk_event_message message;
    const struct hbk_notice *notice = &item->notice;
    if (item->id == 0) {
        log_line(notice);
        hbk_event_message(notice, &message);
    } else {
        hbk_event_message_text(item->id, notice->name[0] != '\0' ? notice->name : NULL,
                               notice->detail, &message);
    }
    if (source != NULL) {
        report(source, &message);
    }
}

static void say_dropped(HANDLE source, uint64_t dropped)
{
    struct item item = {.notice = {.kind = HBK_NOTICE_DROPPED,
                                   .count = dropped,
                                   .user = "",
                                   .event = "",
                                   .name = "",
                                   .error = "",
                                   .detail = "They were meant for this log alone, which took none "
                                             "for a while."}};
    if (dropped > 0) {
        say(source, &item);
    }
}

static DWORD WINAPI thread_main(void *context)
{
    struct hbk_event_log *log = context;
    HANDLE source = NULL;
    uint64_t dropped = 0;
    struct item *item;
    while ((item = take(log, &dropped)) != NULL) {
        if (source == NULL && !log->console) {
            /* Tried again each time: the event log's service may start after this one. */
            source = RegisterEventSourceW(NULL, HBK_SERVICE_NAME);
        }
        say(source, item);
        say_dropped(source, dropped);
        free(item);
    }
    if (source != NULL) {
        DeregisterEventSource(source);
    }
    return 0;
}

/* Appends @text to the texts behind @item. Return: the copy. */
static const char *copy(char **to, const char *text, size_t size)
{
    char *start = *to;
    if (size > 0) {
        memcpy(start, text, size);
    }
    start[size] = '\0';
    *to += size + 1;
    return start;
}

static size_t capped(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    return size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX - 1;
}

static void queue(struct hbk_event_log *log, uint32_t id, const struct hbk_notice *notice)
{
    const char *texts[] = {notice->user, notice->event, notice->name, notice->error,
                           notice->detail};
    const char *copies[5];
    size_t bytes = 0;
    for (size_t i = 0; i < 5; i++) {
        bytes += capped(texts[i]) + 1;
    }
    struct item *item = malloc(sizeof(*item) + bytes);
    if (item != NULL) {
        char *to = item->texts;
        *item = (struct item){.id = id, .notice = *notice};
        for (size_t i = 0; i < 5; i++) {
            copies[i] = copy(&to, texts[i], capped(texts[i]));
        }
        item->notice.user = copies[0];
        item->notice.event = copies[1];
        item->notice.name = copies[2];
        item->notice.error = copies[3];
        item->notice.detail = copies[4];
    }
    AcquireSRWLockExclusive(&log->lock);
    if (item != NULL && log->count < HBK_EVENTS_WAITING_MAX && !log->ending) {
        *log->end = item;
        log->end = &item->next;
        log->count++;
        item = NULL;
    } else {
        log->dropped++;
    }
    ReleaseSRWLockExclusive(&log->lock);
    free(item);
    WakeConditionVariable(&log->changed);
}

void hbk_event_log_notice(struct hbk_event_log *log, const struct hbk_notice *notice)
{
    queue(log, 0, notice);
}

void hbk_event_log_text(struct hbk_event_log *log, uint32_t id, const char *number,
                        const char *text)
{
    const struct hbk_notice notice = {
        .user = "", .event = "", .name = number == NULL ? "" : number, .error = "", .detail = text};
    HBK_ASSERT(id != 0);
    if (!log->console) {
        queue(log, id, &notice);
    }
}

struct hbk_event_log *hbk_event_log_new(bool console)
{
    struct hbk_event_log *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        return NULL;
    }
    log->console = console;
    log->end = &log->first;
    InitializeSRWLock(&log->lock);
    InitializeConditionVariable(&log->changed);
    log->thread = CreateThread(NULL, 0, thread_main, log, 0, NULL);
    if (log->thread == NULL) {
        free(log);
        return NULL;
    }
    return log;
}

bool hbk_event_log_free(struct hbk_event_log *log, uint32_t bound_ms)
{
    if (log == NULL) {
        return true;
    }
    AcquireSRWLockExclusive(&log->lock);
    log->ending = true;
    ReleaseSRWLockExclusive(&log->lock);
    WakeConditionVariable(&log->changed);
    if (WaitForSingleObject(log->thread, bound_ms) != WAIT_OBJECT_0) {
        return false;
    }
    CloseHandle(log->thread);
    free(log);
    return true;
}
