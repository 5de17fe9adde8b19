/* A program of 32 bits and one of 64 hand handles to each other through the service, which is of 64: what each does to
 * an object is seen by the other. Run as the program of 32 bits, with peers of 64 (see CMakeLists.txt here). */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define RUN_MS 20000u
#define NOT_HELD \
    (DELETE |    \
     FILE_READ_DATA) /* a right that the kit's files are not opened with, and one that is */

static const enum kit_kind kinds[] = {KIT_EVENT, KIT_SECTION, KIT_FILE};

#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- who is who ---- */

static void of_32_and_64_bits(void **state)
{
    (void)state;
    struct kit_peer peer;
    assert_int_equal(sizeof(void *), 4);
    assert_true(kit_is_wow64(GetCurrentProcess()));
    kit_peer_start(&peer);
    assert_false(kit_is_wow64(peer.process));
    HANDLE service = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, kit_service_pid());
    assert_non_null(service);
    assert_false(kit_is_wow64(service));
    CloseHandle(service);
    kit_peer_stop(&peer);
}

/* ---- the effect in the other process ---- */

/* Of the peer on our object @mine, which it has as @theirs. */
static void peer_uses(struct kit_peer *peer, enum kit_kind kind, HANDLE mine, uint64_t theirs)
{
    char text[64] = "";
    DWORD size = 0;
    if (kind == KIT_EVENT) {
        assert_false(kit_is_set(mine));
        assert_int_equal(kit_peer_do(peer, KIT_OP_SET_EVENT, theirs, 0, NULL), 0);
        assert_true(kit_is_set(mine));
    } else if (kind == KIT_SECTION) {
        assert_int_equal(kit_peer_do(peer, KIT_OP_MAP_READ, theirs, 0, NULL), 0);
        assert_string_equal(peer->reply.text, KIT_BYTES);
        assert_int_equal(kit_peer_do(peer, KIT_OP_MAP_WRITE, theirs, 0, "by 64 bits"), 0);
        const char *view = MapViewOfFile(mine, FILE_MAP_READ, 0, 0, 0);
        assert_non_null(view);
        assert_string_equal(view, "by 64 bits");
        UnmapViewOfFile(view);
    } else {
        assert_int_equal(kit_peer_do(peer, KIT_OP_READ, theirs, KIT_BYTES_SIZE, NULL), 0);
        assert_string_equal(peer->reply.text, KIT_BYTES);
        assert_int_equal(kit_peer_do(peer, KIT_OP_WRITE, theirs, 0, ", and 64 bits"), 0);
        assert_int_equal(SetFilePointer(mine, 0, NULL, FILE_BEGIN), 0);
        assert_true(ReadFile(mine, text, sizeof text - 1, &size, NULL));
        assert_string_equal(text, KIT_BYTES ", and 64 bits");
    }
}

/* Ours on the peer's object @theirs, which came to us as @mine. */
static void we_use(struct kit_peer *peer, enum kit_kind kind, HANDLE mine, uint64_t theirs)
{
    char text[64] = "";
    DWORD size = 0;
    if (kind == KIT_EVENT) {
        assert_int_equal(kit_peer_do(peer, KIT_OP_WAIT, theirs, 0, NULL), WAIT_TIMEOUT);
        assert_true(SetEvent(mine));
        assert_int_equal(kit_peer_do(peer, KIT_OP_WAIT, theirs, 0, NULL), WAIT_OBJECT_0);
    } else if (kind == KIT_SECTION) {
        char *view = MapViewOfFile(mine, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
        assert_non_null(view);
        assert_memory_equal(view, KIT_BYTES, KIT_BYTES_SIZE);
        memset(view, '3', KIT_BYTES_SIZE);
        UnmapViewOfFile(view);
        assert_int_equal(kit_peer_do(peer, KIT_OP_MAP_READ, theirs, 0, NULL), 0);
        assert_int_equal(strlen(peer->reply.text), KIT_BYTES_SIZE);
        assert_int_equal(strspn(peer->reply.text, "3"), KIT_BYTES_SIZE);
    } else {
        assert_true(ReadFile(mine, text, KIT_BYTES_SIZE, &size, NULL));
        assert_string_equal(text, KIT_BYTES);
        assert_true(WriteFile(mine, "32 bits", 7, &size, NULL));
        /* One file object, one position. */
        assert_int_equal(SetFilePointer(mine, -7, NULL, FILE_CURRENT), KIT_BYTES_SIZE);
        assert_int_equal(kit_peer_do(peer, KIT_OP_READ, theirs, 7, NULL), 0);
        assert_string_equal(peer->reply.text, "32 bits");
    }
}

static void to_64_bits(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    kit_peer_listen(&peer, name, 0);
    kit_mark(&mark, peer.pid);
    for (size_t i = 0; i < KINDS; i++) {
        HANDLE mine = kit_make(kinds[i]);
        assert_int_equal(kit_send(client, name, mine, HBK_ACCESS_SAME, 0, NULL), HBK_OK);
        assert_int_equal(kit_peer_do(&peer, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
        assert_int_equal(peer.reply.count, 1);
        assert_string_equal(peer.reply.items[0].type, kit_type(kinds[i]));
        assert_int_equal(peer.reply.items[0].access, kit_access(mine));
        peer_uses(&peer, kinds[i], mine, peer.reply.items[0].handle);
        assert_int_equal(kit_peer_do(&peer, KIT_OP_FREE, 0, 0, NULL), 0);
        kit_unmake(kinds[i], mine);
    }
    kit_unchanged(&mark);
}

/* Return: what the peer's hbk_send() of its handle @value gave. */
static int peer_sends(struct kit_peer *peer, const char *name, uint64_t value, uint32_t access,
                      const char *type)
{
    peer->call.items[0].handle = value;
    peer->call.items[0].access = access;
    (void)snprintf(peer->call.items[0].type, sizeof peer->call.items[0].type, "%s", type);
    kit_peer_send_begin(peer, name, 1, 0, KIT_WAIT_MS);
    assert_true(kit_peer_end(peer, KIT_WAIT_MS));
    return peer->reply.result;
}

static hbk_client *listen_here(const char *name)
{
    hbk_client *client = kit_client();
    hbk_endpoint_options options = {.size = sizeof options, .name = name};
    assert_int_equal(hbk_endpoint_open(client, &options, NULL), HBK_OK);
    return client;
}

static uint64_t peer_makes(struct kit_peer *peer, enum kit_kind kind)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_MAKE, kind, 0, NULL), 0);
    assert_true(peer->reply.value != 0);
    return peer->reply.value;
}

static void from_64_bits(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *client = listen_here(name);
    kit_peer_open(&peer);
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < KINDS; i++) {
        hbk_delivery *delivery = NULL;
        uint64_t theirs = peer_makes(&peer, kinds[i]);
        assert_int_equal(peer_sends(&peer, name, theirs, HBK_ACCESS_SAME, ""), HBK_OK);
        assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        assert_int_equal(delivery->count, 1);
        assert_int_equal(delivery->from_pid, peer.pid);
        assert_string_equal(delivery->items[0].type, kit_type(kinds[i]));
        assert_int_equal(delivery->items[0].access, kit_access(delivery->items[0].handle));
        we_use(&peer, kinds[i], delivery->items[0].handle, theirs);
        hbk_delivery_free(delivery);
        assert_int_equal(kit_peer_do(&peer, KIT_OP_CLOSE_HANDLE, theirs, 0, NULL), 0);
    }
    kit_unchanged(&mark);
}

/* ---- what is refused ---- */

static hbk_result we_send(hbk_client *client, const char *name, HANDLE handle, uint32_t access,
                          const char *type)
{
    hbk_send_item item = {.handle = handle, .type = type, .access = access};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    return hbk_send(client, &send, NULL, NULL);
}

static void refused_to_64_bits(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    HANDLE file = kit_make(KIT_FILE), process = GetCurrentProcess();
    assert_int_equal(kit_access(file) & NOT_HELD, FILE_READ_DATA);
    kit_peer_listen(&peer, name, 0);
    kit_mark(&mark, peer.pid);
    uint32_t ours = kit_handles_at_rest(GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE, we_send(client, name, file, NOT_HELD, "File"));
    KIT_REFUSED(&mark, HBK_TYPE_MISMATCH, we_send(client, name, file, HBK_ACCESS_SAME, "Section"));
    /* -1, of 32 bits. */
    KIT_REFUSED(&mark, HBK_BAD_HANDLE, we_send(client, name, process, HBK_ACCESS_SAME, NULL));
    kit_peer_quiet(&peer);
    kit_handles_at_most(GetCurrentProcessId(), ours);
    /* The same file goes through with a right that it has. */
    assert_int_equal(we_send(client, name, file, FILE_READ_DATA, "File"), HBK_OK);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    uint64_t theirs = peer.reply.items[0].handle;
    assert_int_equal(kit_peer_do(&peer, KIT_OP_WRITE, theirs, 0, "no"), ERROR_ACCESS_DENIED);
    kit_unmake(KIT_FILE, file);
}

static void refused_from_64_bits(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    hbk_delivery *delivery = NULL;
    const char *name = kit_endpoint_name();
    hbk_client *client = listen_here(name);
    kit_peer_open(&peer);
    uint64_t file = peer_makes(&peer, KIT_FILE);
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE, peer_sends(&peer, name, file, NOT_HELD, "File"));
    KIT_REFUSED(&mark, HBK_TYPE_MISMATCH, peer_sends(&peer, name, file, HBK_ACCESS_SAME, "Event"));
    /* The value of a handle, with more above its 32 bits. */
    KIT_REFUSED(&mark, HBK_BAD_HANDLE,
                peer_sends(&peer, name, file | (1ull << 32), HBK_ACCESS_SAME, "File"));
    assert_int_equal(hbk_receive(client, KIT_QUIET_MS, &delivery, NULL), HBK_TIMEOUT);
    assert_null(delivery);
    assert_int_equal(peer_sends(&peer, name, file, FILE_READ_DATA, "File"), HBK_OK);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    DWORD size = 0;
    assert_false(WriteFile(delivery->items[0].handle, "no", 2, &size, NULL));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    hbk_delivery_free(delivery);
}

/* ---- hbctl ---- */

static const wchar_t *hbctl(bool wow64)
{
    const wchar_t *path = kit_tool(wow64 ? L"hbctl.exe" : L"x64\\hbctl.exe");
    DWORD kind = 0;
    assert_true(GetBinaryTypeW(path, &kind));
    assert_int_equal(kind, wow64 ? SCS_32BIT_BINARY : SCS_64BIT_BINARY);
    return path;
}

/* One of one kind sends a file, one of the other prints what is in it. */
static void hbctl_hands_over(bool wow64_sends)
{
    struct kit_output output;
    wchar_t line[1024], file[MAX_PATH], out[MAX_PATH], err[MAX_PATH];
    char text[256];
    const char *name = kit_endpoint_name();
    kit_temp(file, MAX_PATH);
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    kit_file_write(file, KIT_BYTES, KIT_BYTES_SIZE);
    (void)swprintf(line, 1024, L"\"%ls\" receive %hs --print", hbctl(!wow64_sends), name);
    HANDLE receiver = kit_spawn_log(line, 0, out, err, NULL);
    /* Nothing arrives of what is refused: the receiver ends with the first that does. */
    kit_run(&output, RUN_MS, L"\"%ls\" send %hs --file \"%ls\" --access 0x10001 --wait 10000",
            hbctl(wow64_sends), name, file);
    assert_int_equal(output.code, 1);
    assert_non_null(strstr(output.err, "access_exceeds_source"));
    assert_int_equal(WaitForSingleObject(receiver, KIT_QUIET_MS), WAIT_TIMEOUT);
    kit_run(&output, RUN_MS, L"\"%ls\" send %hs --file \"%ls\"", hbctl(wow64_sends), name, file);
    assert_int_equal(output.code, 0);
    assert_int_equal(kit_wait_exit(receiver, RUN_MS), 0);
    kit_file_read(out, text, sizeof text);
    assert_string_equal(text, KIT_BYTES);
    kit_temp_remove(file);
    kit_temp_remove(out);
    kit_temp_remove(err);
}

static void hbctl_to_64_bits(void **state)
{
    (void)state;
    hbctl_hands_over(true);
}

static void hbctl_from_64_bits(void **state)
{
    (void)state;
    hbctl_hands_over(false);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(of_32_and_64_bits),  KIT_TEST(to_64_bits),           KIT_TEST(from_64_bits),
        KIT_TEST(refused_to_64_bits), KIT_TEST(refused_from_64_bits), KIT_TEST(hbctl_to_64_bits),
        KIT_TEST(hbctl_from_64_bits),
    };
    return cmocka_run_group_tests_name("wow64", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
