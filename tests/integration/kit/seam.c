#include "seam.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wincrypt.h>

/* ---- in the place of the core ---- */

void hbk_core_sockets_made(struct hbk_core *core, uint64_t ticket,
                           const struct hbk_failure *failure, size_t item)
{
    (void)core;
    assert_false(seam_told.made);
    seam_told.made = true;
    seam_told.ticket = ticket;
    seam_told.failed = failure != NULL;
    if (failure != NULL) {
        seam_told.failure = *failure;
        seam_told.item = item;
    }
}

void hbk_core_looked(struct hbk_core *core, uint64_t ticket, const struct hbk_looked *looked,
                     const struct hbk_failure *failure)
{
    (void)core;
    assert_false(seam_told.looked);
    seam_told.looked = true;
    seam_told.ticket = ticket;
    seam_told.failed = looked == NULL;
    if (looked == NULL) {
        seam_told.failure = *failure;
        return;
    }
    seam_told.found = *looked;
    seam_told.found.handles = NULL;
    for (size_t i = 0; i < looked->count; i++)
        seam_told.handles[i] = looked->handles[i];
}

void hbk_core_unpinned(struct hbk_core *core, uint64_t ticket)
{
    (void)core;
    seam_told.unpinned = ticket;
}

int hbk_core_session_opened(struct hbk_core *core, const struct hbk_peer *peer, void *connection,
                            uint64_t *ret_session)
{
    (void)core;
    (void)peer;
    (void)connection;
    *ret_session = 0;
    return HBK_CORE_E_REFUSED;
}

void hbk_core_bytes(struct hbk_core *core, uint64_t session, const void *bytes, size_t size)
{
    (void)core;
    (void)session;
    (void)bytes;
    (void)size;
}

void hbk_core_session_closed(struct hbk_core *core, uint64_t session)
{
    (void)core;
    (void)session;
}

void hbk_core_written(struct hbk_core *core, uint64_t session, bool told)
{
    (void)core;
    (void)session;
    (void)told;
}

void hbk_core_proof_closed(struct hbk_core *core, uint64_t session)
{
    (void)core;
    (void)session;
}

/* ---- the child ---- */

static void talk_open(struct seam_child *child, const char *name, bool make)
{
    char names[3][64];
    for (int i = 0; i < 3; i++)
        (void)snprintf(names[i], sizeof names[i], "hbk-seam-%s-%d", name, i);
    if (make) {
        child->mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                            sizeof(struct seam_talk), names[0]);
        child->go = CreateEventA(NULL, FALSE, FALSE, names[1]);
        child->done = CreateEventA(NULL, FALSE, FALSE, names[2]);
    } else {
        child->mapping = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, names[0]);
        child->go = OpenEventA(EVENT_ALL_ACCESS, FALSE, names[1]);
        child->done = OpenEventA(EVENT_ALL_ACCESS, FALSE, names[2]);
    }
    child->talk = MapViewOfFile(child->mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
}

static uint32_t socket_from(struct seam_talk *talk)
{
    WSAPROTOCOL_INFOW info;
    DWORD size = sizeof info;
    if (!CryptStringToBinaryA(talk->text, 0, CRYPT_STRING_BASE64, (BYTE *)&info, &size, NULL,
                              NULL) ||
        size != sizeof info)
        return ERROR_INVALID_DATA;
    SOCKET made = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                             WSA_FLAG_OVERLAPPED);
    talk->value = (uint32_t)made;
    return made != INVALID_SOCKET ? 0 : (uint32_t)WSAGetLastError();
}

static uint32_t send_text(SOCKET to)
{
    return send(to, SEAM_TEXT, sizeof SEAM_TEXT, 0) == sizeof SEAM_TEXT
               ? 0
               : (uint32_t)WSAGetLastError();
}

static uint32_t obey(struct seam_talk *talk)
{
    HANDLE handle = (HANDLE)(uintptr_t)talk->value;
    DWORD flags = 0;
    switch (talk->order) {
    case SEAM_SOCKET_FROM:
        return socket_from(talk);
    case SEAM_SEND:
        return send_text(talk->value);
    case SEAM_ACCEPT_AND_SEND: {
        SOCKET accepted = accept(talk->value, NULL, NULL);
        uint32_t error = send_text(accepted);
        closesocket(accepted);
        return error;
    }
    case SEAM_CLOSE_SOCKET:
        return closesocket(talk->value) == 0 ? 0 : (uint32_t)WSAGetLastError();
    case SEAM_FLAGS:
        if (!GetHandleInformation(handle, &flags))
            return GetLastError();
        talk->value = flags;
        return 0;
    case SEAM_PROTECT:
        return SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE,
                                    HANDLE_FLAG_PROTECT_FROM_CLOSE)
                   ? 0
                   : GetLastError();
    case SEAM_MAKE_EVENT:
        talk->value = (uint32_t)(uintptr_t)CreateEventW(NULL, TRUE, FALSE, NULL);
        return 0;
    default:
        return ERROR_INVALID_FUNCTION;
    }
}

static int child_main(const char *name)
{
    WSADATA data;
    struct seam_child self = {.pid = 0};
    talk_open(&self, name, false);
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0 || self.talk == NULL)
        return 1;
    /* What Winsock makes once a process is made now: handles are counted. */
    closesocket(socket(AF_INET, SOCK_STREAM, 0));
    SetEvent(self.done);
    while (WaitForSingleObject(self.go, 4 * KIT_WAIT_MS) == WAIT_OBJECT_0) {
        self.talk->error = obey(self.talk);
        SetEvent(self.done);
    }
    return 1;
}

static void child_start(struct seam_child *child)
{
    wchar_t self[MAX_PATH], line[MAX_PATH + 40];
    char name[32];
    (void)snprintf(name, sizeof name, "%lu-%lu", (unsigned long)GetCurrentProcessId(),
                   (unsigned long)kit_unique());
    talk_open(child, name, true);
    assert_non_null(child->talk);
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    (void)swprintf(line, MAX_PATH + 40, L"\"%ls\" --seam %hs", self, name);
    child->process = kit_spawn(line, 0, &child->pid);
    assert_int_equal(WaitForSingleObject(child->done, KIT_WAIT_MS), WAIT_OBJECT_0);
}

uint32_t seam_child_do(enum seam_order order, uint32_t value)
{
    seam_child.talk->order = order;
    seam_child.talk->value = value;
    SetEvent(seam_child.go);
    assert_int_equal(WaitForSingleObject(seam_child.done, KIT_WAIT_MS), WAIT_OBJECT_0);
    return seam_child.talk->error;
}

void seam_child_end(void)
{
    assert_true(TerminateProcess(seam_child.process, 0));
    assert_int_equal(WaitForSingleObject(seam_child.process, KIT_WAIT_MS), WAIT_OBJECT_0);
}

static void child_forget(struct seam_child *child)
{
    kit_forget(child->process);
    UnmapViewOfFile(child->talk);
    CloseHandle(child->mapping);
    CloseHandle(child->go);
    CloseHandle(child->done);
}

/* ---- the broker ---- */

struct seam_told seam_told;
struct hbk_win *seam_win;
struct hbk_platform seam;
struct hbk_connection seam_caller;
struct hbk_win_party seam_source;
struct seam_child seam_child;
void *seam_party;

static void noted(void *context)
{
    (void)context;
}

HANDLE seam_asked_of(uint32_t less)
{
    HANDLE token = kit_token(less);
    HANDLE asked = kit_token_asked(token);
    CloseHandle(token);
    return asked;
}

int seam_group_begin(void **state)
{
    struct hbk_win_failure failure;
    (void)state;
    assert_int_equal(hbk_win_new(noted, NULL, &seam_win, &failure), 0);
    hbk_win_platform(seam_win, &seam);
    seam_caller.party.win = seam_win;
    seam_caller.party.token = seam_asked_of(0);
    seam_caller.party.closer = hbk_workers_closer(seam_win->workers, kit_user());
    seam_source.win = seam_win;
    seam_source.pid = GetCurrentProcessId();
    seam_source.process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, seam_source.pid);
    seam_source.closer = seam.closer_ref(&seam_caller);
    assert_non_null(seam_source.process);
    return 0;
}

int seam_group_end(void **state)
{
    (void)state;
    seam.closer_unref(seam.context, seam_source.closer);
    seam.closer_unref(seam.context, seam_caller.party.closer);
    CloseHandle(seam_source.process);
    CloseHandle(seam_caller.party.token);
    hbk_win_close(seam_win);
    hbk_win_free(seam_win);
    return 0;
}

int seam_test_begin(void **state)
{
    struct hbk_failure failure;
    (void)state;
    memset(&seam_told, 0, sizeof seam_told);
    child_start(&seam_child);
    assert_int_equal(seam.process_open(&seam_caller, seam_child.pid, &seam_party, &failure), 0);
    return 0;
}

int seam_test_end(void **state)
{
    (void)state;
    seam.process_close(seam_party);
    child_forget(&seam_child);
    kit_forget_all();
    return 0;
}

hbk_pin seam_pin(HANDLE handle)
{
    struct hbk_failure failure;
    hbk_pin pin = 0;
    assert_int_equal(seam.pin(&seam_source, (uint32_t)(uintptr_t)handle, &pin, &failure), 0);
    return pin;
}

void seam_unpin(hbk_pin pin)
{
    assert_int_equal(seam.unpin(seam.context, seam_caller.party.closer, pin, false, 0), 0);
}

hbk_pin seam_pin_event(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    hbk_pin pin = seam_pin(event);
    CloseHandle(event);
    return pin;
}

uint32_t seam_place(hbk_pin pin, bool inherit)
{
    struct hbk_failure failure;
    uint32_t value = 0;
    assert_int_equal(seam.place(seam_party, pin, true, 0, inherit, &value, &failure), 0);
    return value;
}

int seam_main(int argc, char **argv, int (*group)(void))
{
    if (argc == 3 && strcmp(argv[1], "--seam") == 0)
        return child_main(argv[2]);
    return kit_main(argc, argv, group);
}
