/* Sockets for another process, made on Windows as the core asks for them, and used there. */
#include "seam.h"

#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>

static struct hbk_sockets *sockets;

/* ---- sockets of this process, on the loopback ---- */

static void any_port(int family, struct sockaddr_storage *address, int *size)
{
    memset(address, 0, sizeof *address);
    if (family == AF_INET) {
        ((struct sockaddr_in *)address)->sin_family = AF_INET;
        ((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *size = sizeof(struct sockaddr_in);
    } else {
        ((struct sockaddr_in6 *)address)->sin6_family = AF_INET6;
        ((struct sockaddr_in6 *)address)->sin6_addr.s6_addr[15] = 1; /* ::1 */
        *size = sizeof(struct sockaddr_in6);
    }
}

/* Bound, and where it is a stream also listening. */
static SOCKET server(int family, int type, struct sockaddr_storage *address, int *size)
{
    SOCKET own = socket(family, type, 0);
    DWORD patience = KIT_WAIT_MS;
    any_port(family, address, size);
    if (own == INVALID_SOCKET || bind(own, (struct sockaddr *)address, *size) != 0)
        kit_skip("this machine has no such loopback");
    assert_int_equal(setsockopt(own, SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof patience),
                     0);
    assert_int_equal(getsockname(own, (struct sockaddr *)address, size), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(own, 1), 0);
    return own;
}

static SOCKET client(int family, int type, const struct sockaddr_storage *address, int size)
{
    SOCKET own = socket(family, type, 0);
    DWORD patience = KIT_WAIT_MS;
    assert_true(own != INVALID_SOCKET);
    assert_int_equal(setsockopt(own, SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof patience),
                     0);
    assert_int_equal(connect(own, (const struct sockaddr *)address, size), 0);
    return own;
}

/* One to be handed over, and one that hears what is said there. */
static void pair(int family, int type, SOCKET *ret_given, SOCKET *ret_hears)
{
    struct sockaddr_storage address;
    int size = 0;
    SOCKET listening = server(family, type, &address, &size);
    *ret_given = client(family, type, &address, size);
    *ret_hears = listening;
    if (type == SOCK_STREAM) {
        *ret_hears = accept(listening, NULL, NULL);
        assert_true(*ret_hears != INVALID_SOCKET);
        closesocket(listening);
    }
}

static void hears(SOCKET at)
{
    char text[64] = "";
    assert_int_equal(recv(at, text, sizeof text, 0), sizeof SEAM_TEXT);
    assert_string_equal(text, SEAM_TEXT);
}

/* ---- the seam ---- */

static struct hbk_sockets *begin(struct hbk_closer *closer, const hbk_pin *pins, size_t count,
                                 uint64_t ticket)
{
    struct hbk_failure failure;
    struct hbk_sockets *begun = NULL;
    memset(&seam_told, 0, sizeof seam_told);
    assert_int_equal(seam.sockets_make(seam_party, closer, pins, count, ticket, &begun, &failure),
                     HBK_PLATFORM_PENDING);
    assert_non_null(begun);
    assert_false(seam_told.made);
    return begun;
}

/* Return: 0, or the code of the failure. */
static int32_t made(uint64_t ticket)
{
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS; !seam_told.made;) {
        assert_true(kit_now_ms() < due);
        hbk_win_wait(seam_win, hbk_win_now_ms(seam_win) + KIT_WAIT_MS);
    }
    assert_int_equal(seam_told.ticket, ticket);
    return seam_told.failed ? seam_told.failure.code : 0;
}

static int32_t make(const hbk_pin *pins, size_t count)
{
    sockets = begin(seam_caller.party.closer, pins, count, SEAM_TICKET);
    return made(SEAM_TICKET);
}

/* The child makes its socket of what was made for it. Return: its value. */
static uint32_t open_there(size_t index)
{
    const char *info = seam.sockets_info(sockets, index);
    assert_true(strlen(info) <= HBK_PROTOCOL_INFO_BYTES_MAX);
    (void)snprintf(seam_child.talk->text, sizeof seam_child.talk->text, "%s", info);
    assert_int_equal(seam_child_do(SEAM_SOCKET_FROM, 0), 0);
    return seam_child.talk->value;
}

static hbk_pin pin_of(SOCKET given)
{
    return seam_pin((HANDLE)(uintptr_t)given);
}

static void used_there(int family, int type)
{
    SOCKET given, at;
    pair(family, type, &given, &at);
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    hbk_pin pin = pin_of(given);
    assert_int_equal(make(&pin, 1), 0);
    uint32_t value = open_there(0);
    seam.sockets_free(sockets);
    seam_unpin(pin);
    closesocket(given); /* the sender's own, which is the last but the target's */
    assert_int_equal(seam_child_do(SEAM_SEND, value), 0);
    hears(at);
    assert_int_equal(seam_child_do(SEAM_CLOSE_SOCKET, value), 0);
    /* `given` is gone, a worker may have come. */
    kit_handles_at_most(GetCurrentProcessId(), handles + 1);
    closesocket(at);
}

static void a_stream(void **state)
{
    (void)state;
    used_there(AF_INET, SOCK_STREAM);
}

static void datagrams(void **state)
{
    (void)state;
    used_there(AF_INET, SOCK_DGRAM);
}

static void a_stream_of_version_6(void **state)
{
    (void)state;
    used_there(AF_INET6, SOCK_STREAM);
}

static void datagrams_of_version_6(void **state)
{
    (void)state;
    used_there(AF_INET6, SOCK_DGRAM);
}

static void one_that_listens(void **state)
{
    (void)state;
    struct sockaddr_storage address;
    int size = 0;
    SOCKET listening = server(AF_INET, SOCK_STREAM, &address, &size);
    hbk_pin pin = pin_of(listening);
    assert_int_equal(make(&pin, 1), 0);
    uint32_t value = open_there(0);
    seam.sockets_free(sockets);
    seam_unpin(pin);
    closesocket(listening);
    SOCKET at = client(AF_INET, SOCK_STREAM, &address, size);
    assert_int_equal(seam_child_do(SEAM_ACCEPT_AND_SEND, value), 0);
    hears(at);
    closesocket(at);
}

static void as_many_as_there_may_be(void **state)
{
    (void)state;
    SOCKET given[HBK_SOCKETS_MAX], at[HBK_SOCKETS_MAX];
    hbk_pin pins[HBK_SOCKETS_MAX];
    uint32_t values[HBK_SOCKETS_MAX], handles = kit_handles_at_rest(seam_child.pid);
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++) {
        pair(AF_INET, SOCK_STREAM, &given[i], &at[i]);
        pins[i] = pin_of(given[i]);
    }
    assert_int_equal(make(pins, HBK_SOCKETS_MAX), 0);
    /* To make one puts one handle there, and to open it no other. */
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles + HBK_SOCKETS_MAX);
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++)
        values[i] = open_there(i);
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles + HBK_SOCKETS_MAX);
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++) {
        assert_int_equal(seam_child_do(SEAM_SEND, values[i]), 0);
        hears(at[i]);
        seam_unpin(pins[i]);
        closesocket(given[i]);
        closesocket(at[i]);
    }
    seam.sockets_free(sockets);
}

/* ---- taken back ---- */

static void nothing_is_left_of_what_is_undone(void **state)
{
    (void)state;
    SOCKET given[2], at[2];
    hbk_pin pins[2];
    for (size_t i = 0; i < 2; i++) {
        pair(AF_INET, SOCK_STREAM, &given[i], &at[i]);
        pins[i] = pin_of(given[i]);
    }
    uint32_t handles = kit_handles_at_rest(seam_child.pid);
    assert_int_equal(make(pins, 2), 0);
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles + 2);
    /* Not by another's pin. */
    assert_false(seam.sockets_undo(sockets, 0, pins[1]));
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles + 2);
    assert_true(seam.sockets_undo(sockets, 0, pins[0]));
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles + 1);
    assert_false(seam.sockets_undo(sockets, 0, pins[0]));
    assert_true(seam.sockets_undo(sockets, 1, pins[1]));
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles);
    seam.sockets_free(sockets);
    /* The sender's own still work. */
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(send(given[i], SEAM_TEXT, sizeof SEAM_TEXT, 0), sizeof SEAM_TEXT);
        hears(at[i]);
        seam_unpin(pins[i]);
        closesocket(given[i]);
        closesocket(at[i]);
    }
}

static void what_the_target_protects_cannot_be_undone(void **state)
{
    (void)state;
    SOCKET given, at;
    pair(AF_INET, SOCK_STREAM, &given, &at);
    hbk_pin pin = pin_of(given);
    assert_int_equal(make(&pin, 1), 0);
    uint32_t value = open_there(0);
    assert_int_equal(seam_child_do(SEAM_PROTECT, value), 0);
    assert_false(seam.sockets_undo(sockets, 0, pin));
    assert_true(kit_holds(seam_child.pid, value));
    /* With its process it goes all the same. */
    seam_child_end();
    assert_true(seam.sockets_undo(sockets, 0, pin));
    seam.sockets_free(sockets);
    seam_unpin(pin);
    closesocket(given);
    closesocket(at);
}

/* ---- refused ---- */

/* All of them, or none: @what comes after one socket and before another. */
static void refused_among_sockets(HANDLE what, int32_t code)
{
    SOCKET given, at;
    pair(AF_INET, SOCK_STREAM, &given, &at);
    uint32_t there = kit_handles_at_rest(seam_child.pid);
    const hbk_pin pins[3] = {pin_of(given), seam_pin(what), pin_of(given)};
    assert_int_equal(make(pins, 3), code);
    assert_int_equal(seam_told.item, 1);
    assert_non_null(seam_told.failure.detail);
    assert_int_equal(kit_handles_at_rest(seam_child.pid), there);
    seam.sockets_free(sockets);
    assert_false(hbk_win_take_note(seam_win, HBK_WIN_NOTE_SOCKET, &(struct hbk_win_note){0}));
    for (int i = 0; i < 3; i++)
        seam_unpin(pins[i]);
    assert_int_equal(send(given, SEAM_TEXT, sizeof SEAM_TEXT, 0), sizeof SEAM_TEXT);
    hears(at);
    closesocket(given);
    closesocket(at);
}

static void what_is_no_socket(void **state)
{
    (void)state;
    static const enum kit_kind kinds[] = {KIT_FILE, KIT_PIPE, KIT_EVENT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        HANDLE what = kit_make(kinds[i]);
        refused_among_sockets(what, HBK_R_TYPE_MISMATCH);
        kit_unmake(kinds[i], what);
    }
}

/* What Winsock remembers of a socket must not stick to the value that the broker had for it. */
static void a_file_where_a_socket_was(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        SOCKET given, at;
        pair(AF_INET, SOCK_STREAM, &given, &at);
        hbk_pin pin = pin_of(given);
        assert_int_equal(make(&pin, 1), 0);
        assert_true(seam.sockets_undo(sockets, 0, pin));
        seam.sockets_free(sockets);
        seam_unpin(pin);
        closesocket(given);
        closesocket(at);
        HANDLE file = kit_make(KIT_FILE);
        pin = seam_pin(file);
        assert_int_equal(make(&pin, 1), HBK_R_TYPE_MISMATCH);
        seam.sockets_free(sockets);
        seam_unpin(pin);
        kit_unmake(KIT_FILE, file);
    }
}

static void nobody_is_there_any_more(void **state)
{
    (void)state;
    SOCKET given, at;
    pair(AF_INET, SOCK_STREAM, &given, &at);
    hbk_pin pin = pin_of(given);
    seam_child_end();
    assert_int_equal(make(&pin, 1), HBK_R_TARGET_GONE);
    assert_int_equal(seam_told.item, 0);
    seam.sockets_free(sockets);
    seam_unpin(pin);
    closesocket(given);
    closesocket(at);
}

/* It has a reference of its own to the process. */
static void the_party_may_go_first(void **state)
{
    (void)state;
    struct hbk_failure failure;
    void *other = NULL;
    SOCKET given, at;
    pair(AF_INET, SOCK_STREAM, &given, &at);
    hbk_pin pin = pin_of(given);
    uint32_t handles = kit_handles_at_rest(seam_child.pid);
    assert_int_equal(seam.process_open(&seam_caller, seam_child.pid, &other, &failure), 0);
    void *kept = seam_party;
    seam_party = other;
    assert_int_equal(make(&pin, 1), 0);
    seam_party = kept;
    seam.process_close(other);
    assert_true(seam.sockets_undo(sockets, 0, pin));
    assert_int_equal(kit_handles_at_rest(seam_child.pid), handles);
    seam.sockets_free(sockets);
    seam.sockets_free(NULL);
    seam_unpin(pin);
    closesocket(given);
    closesocket(at);
}

static void stuck(void *event)
{
    WaitForSingleObject(event, KIT_WAIT_MS);
}

/* What a user's driver keeps waiting delays that user, and nobody else. */
static void a_user_waits_for_its_own_calls_alone(void **state)
{
    (void)state;
    SOCKET given, at;
    pair(AF_INET, SOCK_STREAM, &given, &at);
    const hbk_pin pins[2] = {pin_of(given), pin_of(given)};
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct hbk_closer *other = hbk_workers_closer(seam_win->workers, "S-1-5-21-1-2-3-4");
    const struct hbk_worker_call call = {stuck, NULL, event, 0};
    assert_int_equal(hbk_workers_call(seam_win->workers, seam_caller.party.closer, &call), 0);
    struct hbk_sockets *late = begin(seam_caller.party.closer, &pins[0], 1, SEAM_TICKET),
                       *early = NULL;
    for (uint64_t due = kit_now_ms() + KIT_QUIET_MS; kit_now_ms() < due;)
        hbk_win_wait(seam_win, hbk_win_now_ms(seam_win) + 20);
    assert_false(seam_told.made);
    early = begin(other, &pins[1], 1, SEAM_TICKET + 1);
    assert_int_equal(made(SEAM_TICKET + 1), 0);
    memset(&seam_told, 0, sizeof seam_told);
    SetEvent(event);
    assert_int_equal(made(SEAM_TICKET), 0);
    assert_true(seam.sockets_undo(early, 0, pins[1]));
    assert_true(seam.sockets_undo(late, 0, pins[0]));
    seam.sockets_free(early);
    seam.sockets_free(late);
    seam.closer_unref(seam.context, other);
    seam_unpin(pins[0]);
    seam_unpin(pins[1]);
    CloseHandle(event);
    closesocket(given);
    closesocket(at);
}

static void nothing_is_left_behind_here(void **state)
{
    (void)state;
    SOCKET given, at;
    pair(AF_INET, SOCK_STREAM, &given, &at);
    uint32_t handles = 0;
    for (int i = 0; i < 101; i++) {
        hbk_pin pin = pin_of(given);
        assert_int_equal(make(&pin, 1), 0);
        assert_true(seam.sockets_undo(sockets, 0, pin));
        seam.sockets_free(sockets);
        seam_unpin(pin);
        if (i == 0)
            handles = kit_handles_at_rest(GetCurrentProcessId());
    }
    assert_int_equal(kit_handles_at_rest(GetCurrentProcessId()), handles);
    closesocket(given);
    closesocket(at);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        SEAM_TEST(a_stream),
        SEAM_TEST(datagrams),
        SEAM_TEST(a_stream_of_version_6),
        SEAM_TEST(datagrams_of_version_6),
        SEAM_TEST(one_that_listens),
        SEAM_TEST(as_many_as_there_may_be),
        SEAM_TEST(nothing_is_left_of_what_is_undone),
        SEAM_TEST(what_the_target_protects_cannot_be_undone),
        SEAM_TEST(what_is_no_socket),
        SEAM_TEST(a_file_where_a_socket_was),
        SEAM_TEST(nobody_is_there_any_more),
        SEAM_TEST(the_party_may_go_first),
        SEAM_TEST(a_user_waits_for_its_own_calls_alone),
        SEAM_TEST(nothing_is_left_behind_here),
    };
    return cmocka_run_group_tests_name("seam_sockets", tests, seam_group_begin, seam_group_end);
}

int main(int argc, char **argv)
{
    return seam_main(argc, argv, group);
}
