/* Being told: a message to a window, a call on a thread of the library's; once for all that is there, again
 * when it was received and more has come, and never for nothing. */
#include "kit.h"

#include <string.h>

#define MESSAGE (WM_APP + 7)

struct party {
    hbk_client *target, *source;
    const char *name;
    HANDLE event;
};

static void begin(struct party *party)
{
    party->target = kit_client();
    party->source = kit_client();
    party->name = kit_endpoint_name();
    party->event = kit_make(KIT_EVENT);
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = party->name};
    assert_int_equal(hbk_endpoint_open(party->target, &endpoint, NULL), HBK_OK);
}

static void end(struct party *party)
{
    kit_close(party->target);
    kit_close(party->source);
    CloseHandle(party->event);
}

static void send(const struct party *party)
{
    assert_int_equal(kit_send(party->source, party->name, party->event, 0, 0, NULL), HBK_OK);
}

/* Return: how many there were. */
static int receive_all(hbk_client *client)
{
    hbk_delivery *delivery = NULL;
    int count = 0;

    while (hbk_receive(client, 0, &delivery, NULL) == HBK_OK) {
        hbk_delivery_free(delivery);
        count++;
    }
    return count;
}

/* ---- windows ---- */

static HWND make_window(void)
{
    HWND window = CreateWindowExW(0, L"STATIC", L"", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
    assert_non_null(window);
    return window;
}

/* The next message of ours within @timeout_ms. */
static bool next_message(HWND window, uint32_t timeout_ms, MSG *ret_message)
{
    uint64_t deadline = kit_now_ms() + timeout_ms;

    for (;;) {
        if (PeekMessageW(ret_message, window, MESSAGE, MESSAGE, PM_REMOVE))
            return true;
        uint64_t now = kit_now_ms();
        if (now >= deadline)
            return false;
        MsgWaitForMultipleObjects(0, NULL, FALSE, (DWORD)(deadline - now), QS_ALLINPUT);
    }
}

static void told(HWND window)
{
    MSG message;
    assert_true(next_message(window, KIT_WAIT_MS, &message));
    assert_int_equal(message.wParam, 11);
    assert_int_equal(message.lParam, 22);
}

static void not_told(HWND window)
{
    MSG message;
    assert_false(next_message(window, KIT_QUIET_MS, &message));
}

static void one_message_for_all_that_is_there(void **state)
{
    (void)state;
    struct party party;
    HWND window = make_window();
    begin(&party);
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    not_told(window);
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < round; i++)
            send(&party);
        told(window);
        not_told(window);
        assert_int_equal(receive_all(party.target), round);
        not_told(window);
    }
    end(&party);
    DestroyWindow(window);
}

static void not_again_before_all_was_received(void **state)
{
    (void)state;
    struct party party;
    hbk_delivery *delivery = NULL;
    HWND window = make_window();
    begin(&party);
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    send(&party);
    send(&party);
    told(window);
    assert_int_equal(hbk_receive(party.target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    hbk_delivery_free(delivery);
    send(&party);
    not_told(window);
    assert_int_equal(receive_all(party.target), 2);
    send(&party);
    told(window);
    end(&party);
    DestroyWindow(window);
}

static void what_was_there_before_is_told_too(void **state)
{
    (void)state;
    struct party party;
    HWND window = make_window(), other = make_window();
    begin(&party);
    send(&party);
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    told(window);
    /* A window that takes its place is told what nobody has received. */
    assert_int_equal(hbk_notify_window(party.target, other, MESSAGE, 11, 22, NULL), HBK_OK);
    told(other);
    assert_int_equal(receive_all(party.target), 1);
    send(&party);
    told(other);
    not_told(window);
    end(&party);
    DestroyWindow(window);
    DestroyWindow(other);
}

static void no_window_no_message(void **state)
{
    (void)state;
    struct party party;
    HWND window = make_window();
    begin(&party);
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    assert_int_equal(hbk_notify_window(party.target, NULL, 0, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_notify_window(party.target, NULL, 0, 0, 0, NULL), HBK_OK);
    send(&party);
    not_told(window);
    assert_int_equal(receive_all(party.target), 1);
    end(&party);
    DestroyWindow(window);
}

static void answers_are_no_news(void **state)
{
    (void)state;
    struct party party;
    hbk_status_info status;
    HWND window = make_window();
    begin(&party);
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(hbk_status(party.target, &status, NULL), HBK_OK);
    not_told(window);
    send(&party);
    told(window);
    end(&party);
    DestroyWindow(window);
}

static void the_end_is_told(void **state)
{
    (void)state;
    struct kit_broker broker;
    hbk_delivery *delivery = NULL;
    HWND window = make_window();
    kit_console_start(&broker, NULL);
    hbk_client *client = kit_client_with(&broker);
    assert_int_equal(hbk_notify_window(client, window, MESSAGE, 11, 22, NULL), HBK_OK);
    not_told(window);
    kit_console_stop(&broker);
    told(window);
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_DISCONNECTED);
    not_told(window);
    kit_close(client);
    DestroyWindow(window);
}

static void a_window_that_has_gone(void **state)
{
    (void)state;
    struct party party;
    HWND window = make_window();
    begin(&party);
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    DestroyWindow(window);
    send(&party);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(receive_all(party.target), 1);
    /* Another is told all the same. */
    window = make_window();
    assert_int_equal(hbk_notify_window(party.target, window, MESSAGE, 11, 22, NULL), HBK_OK);
    send(&party);
    told(window);
    end(&party);
    DestroyWindow(window);
}

/* ---- functions ---- */

struct listener {
    struct party party;
    HANDLE called; /* auto-reset */
    HANDLE hold;   /* to be waited for in the call; NULL: nothing */
    HANDLE thread; /* that it was called on */
    bool receives, stops;
    volatile LONG calls, received, inside;
    hbk_result stopped;
};

static void HBK_CALLBACK on_arrival(hbk_client *client, void *context)
{
    struct listener *listener = context;

    InterlockedIncrement(&listener->inside);
    if (listener->thread == NULL)
        listener->thread =
            OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentThreadId());
    if (listener->receives)
        InterlockedExchangeAdd(&listener->received, receive_all(client));
    if (listener->stops)
        listener->stopped = hbk_notify_call(client, NULL, NULL, NULL);
    InterlockedIncrement(&listener->calls);
    SetEvent(listener->called);
    if (listener->hold != NULL)
        WaitForSingleObject(listener->hold, KIT_WAIT_MS);
    InterlockedDecrement(&listener->inside);
}

static void listen(struct listener *listener)
{
    begin(&listener->party);
    listener->called = CreateEventW(NULL, FALSE, FALSE, NULL);
    assert_non_null(listener->called);
    assert_int_equal(hbk_notify_call(listener->party.target, on_arrival, listener, NULL), HBK_OK);
}

static void called(struct listener *listener)
{
    assert_int_equal(WaitForSingleObject(listener->called, KIT_WAIT_MS), WAIT_OBJECT_0);
}

static void not_called(struct listener *listener)
{
    assert_int_equal(WaitForSingleObject(listener->called, KIT_QUIET_MS), WAIT_TIMEOUT);
}

static void leave(struct listener *listener)
{
    end(&listener->party);
    CloseHandle(listener->called);
    if (listener->thread != NULL)
        CloseHandle(listener->thread);
}

static void called_on_another_thread(void **state)
{
    (void)state;
    struct listener listener = {.receives = true};
    listen(&listener);
    not_called(&listener);
    for (int i = 1; i <= 5; i++) {
        send(&listener.party);
        do
            called(&listener);
        while (listener.received < i);
        assert_int_equal(listener.received, i);
    }
    not_called(&listener);
    assert_in_range(listener.calls, 1, 5);
    assert_int_not_equal(GetThreadId(listener.thread), GetCurrentThreadId());
    leave(&listener);
}

/* Milliseconds that the thread has worked. */
static uint64_t worked_ms(HANDLE thread)
{
    FILETIME created, exited, kernel, user;
    assert_true(GetThreadTimes(thread, &created, &exited, &kernel, &user));
    return ((((uint64_t)kernel.dwHighDateTime << 32) + kernel.dwLowDateTime) +
            (((uint64_t)user.dwHighDateTime << 32) + user.dwLowDateTime)) /
           10000;
}

static void called_once_where_nobody_receives(void **state)
{
    (void)state;
    struct listener listener = {.receives = false};
    listen(&listener);
    send(&listener.party);
    called(&listener);
    send(&listener.party);
    uint64_t before = worked_ms(listener.thread);
    not_called(&listener);
    not_called(&listener);
    assert_int_equal(listener.calls, 1);
    /* It sleeps, though the wait handle stays set. */
    assert_int_equal(WaitForSingleObject(hbk_wait_handle(listener.party.target), 0), WAIT_OBJECT_0);
    assert_in_range(worked_ms(listener.thread) - before, 0, KIT_QUIET_MS / 2);
    assert_int_equal(receive_all(listener.party.target), 2);
    not_called(&listener);
    send(&listener.party);
    called(&listener);
    leave(&listener);
}

static DWORD WINAPI end_call(void *context)
{
    struct listener *listener = context;
    listener->stopped = hbk_notify_call(listener->party.target, NULL, NULL, NULL);
    return (DWORD)listener->inside;
}

static void the_end_waits_for_the_function(void **state)
{
    (void)state;
    struct listener listener = {.receives = true, .stopped = HBK_INTERNAL_ERROR};
    DWORD inside = 1;
    listener.hold = CreateEventW(NULL, TRUE, FALSE, NULL);
    assert_non_null(listener.hold);
    listen(&listener);
    send(&listener.party);
    called(&listener);
    HANDLE thread = CreateThread(NULL, 0, end_call, &listener, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(thread, KIT_QUIET_MS), WAIT_TIMEOUT);
    assert_true(SetEvent(listener.hold));
    assert_int_equal(WaitForSingleObject(thread, KIT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &inside));
    assert_int_equal(inside, 0);
    assert_int_equal(listener.stopped, HBK_OK);
    send(&listener.party);
    not_called(&listener);
    assert_int_equal(receive_all(listener.party.target), 1);
    CloseHandle(thread);
    CloseHandle(listener.hold);
    leave(&listener);
}

static void ended_from_within(void **state)
{
    (void)state;
    struct listener listener = {.receives = true, .stops = true, .stopped = HBK_INTERNAL_ERROR};
    listen(&listener);
    send(&listener.party);
    called(&listener);
    assert_int_equal(listener.stopped, HBK_OK);
    send(&listener.party);
    not_called(&listener);
    /* And begun again. */
    listener.stops = false;
    assert_int_equal(hbk_notify_call(listener.party.target, on_arrival, &listener, NULL), HBK_OK);
    called(&listener);
    assert_int_equal(listener.received, 2);
    leave(&listener);
}

static DWORD WINAPI receive_blocking(void *context)
{
    struct listener *listener = context;
    hbk_delivery *delivery = NULL;

    while (hbk_receive(listener->party.target, 2 * KIT_QUIET_MS, &delivery, NULL) == HBK_OK) {
        hbk_delivery_free(delivery);
        InterlockedIncrement(&listener->received);
    }
    return 0;
}

static void beside_who_waits_in_a_call(void **state)
{
    (void)state;
    struct listener listener = {.receives = true};
    HWND window = make_window();
    hbk_status_info status;
    listen(&listener);
    assert_int_equal(hbk_notify_window(listener.party.target, window, MESSAGE, 11, 22, NULL),
                     HBK_OK);
    HANDLE thread = CreateThread(NULL, 0, receive_blocking, &listener, 0, NULL);
    assert_non_null(thread);
    for (int i = 0; i < 100; i++) {
        send(&listener.party);
        assert_int_equal(hbk_status(listener.party.target, &status, NULL), HBK_OK);
    }
    assert_int_equal(WaitForSingleObject(thread, KIT_WAIT_MS), WAIT_OBJECT_0);
    InterlockedExchangeAdd(&listener.received, receive_all(listener.party.target));
    assert_int_equal(listener.received, 100);
    LONG calls = listener.calls;
    MSG message;
    while (next_message(window, 0, &message))
        ;
    /* Both are told of the next. */
    send(&listener.party);
    told(window);
    for (uint64_t until = kit_now_ms() + KIT_WAIT_MS; listener.received < 101;) {
        assert_true(kit_now_ms() < until);
        Sleep(1);
    }
    assert_true(listener.calls >= calls);
    CloseHandle(thread);
    leave(&listener);
    DestroyWindow(window);
}

static void closing_ends_the_thread(void **state)
{
    (void)state;
    struct kit_mark mark;
    HWND window = make_window();
    for (int round = 0; round < 3; round++) {
        if (round == 1) /* the first has loaded what it needs */
            kit_mark(&mark, GetCurrentProcessId());
        struct listener listener = {.receives = false};
        listen(&listener);
        assert_int_equal(hbk_notify_window(listener.party.target, window, MESSAGE, 11, 22, NULL),
                         HBK_OK);
        send(&listener.party);
        told(window);
        HANDLE thread = NULL;
        called(&listener);
        thread = listener.thread;
        listener.thread = NULL;
        kit_close(listener.party.target);
        assert_int_equal(WaitForSingleObject(thread, 0), WAIT_FAILED); /* no right to wait */
        DWORD code = STILL_ACTIVE;
        assert_true(GetExitCodeThread(thread, &code));
        assert_int_equal(code, 0);
        CloseHandle(thread);
        kit_close(listener.party.source);
        CloseHandle(listener.party.event);
        CloseHandle(listener.called);
    }
    kit_unchanged(&mark);
    DestroyWindow(window);
}

static void arguments(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_error_info error = {.result = HBK_OK};
    hbk_client *client = kit_client();
    HWND window = make_window();
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_notify_call(NULL, on_arrival, NULL, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_notify_window(NULL, window, MESSAGE, 0, 0, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT,
                hbk_notify_window(client, HWND_BROADCAST, MESSAGE, 0, 0, NULL));
    DestroyWindow(window);
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT,
                hbk_notify_window(client, window, MESSAGE, 0, 0, &error));
    assert_true(error.detail[0] != '\0');
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(one_message_for_all_that_is_there),
        KIT_TEST(not_again_before_all_was_received),
        KIT_TEST(what_was_there_before_is_told_too),
        KIT_TEST(no_window_no_message),
        KIT_TEST(answers_are_no_news),
        KIT_TEST(the_end_is_told),
        KIT_TEST(a_window_that_has_gone),
        KIT_TEST(called_on_another_thread),
        KIT_TEST(called_once_where_nobody_receives),
        KIT_TEST(the_end_waits_for_the_function),
        KIT_TEST(ended_from_within),
        KIT_TEST(beside_who_waits_in_a_call),
        KIT_TEST(closing_ends_the_thread),
        KIT_TEST(arguments),
    };
    return cmocka_run_group_tests_name("notify", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
