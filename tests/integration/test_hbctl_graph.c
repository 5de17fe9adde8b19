/* hbctl graph: what it draws of real hand-offs, live and out of the audit file, and what it does about files that are not
 * what they should be. */
#include "script.h"
#include "store.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_MS 30000u
#define TEXT_MAX (1u << 20)

enum { DONE = 0, REFUSED = 1, USAGE = 2, UNAVAILABLE = 3 };

static struct kit_output output;
static char text[TEXT_MAX];
static wchar_t folder[MAX_PATH], audit[MAX_PATH], page[MAX_PATH];

/* ---- running it ---- */

/* @format: what stands after "graph". */
static void graph(int expected, const wchar_t *format, ...)
{
    wchar_t line[1024];
    va_list values;
    va_start(values, format);
    (void)vswprintf(line, 1024, format, values);
    va_end(values);
    kit_run(&output, RUN_MS, L"\"%ls\" graph %ls", kit_tool(L"hbctl.exe"), line);
    if ((int)output.code != expected)
        fail_msg("hbctl graph %ls: exit code %lu, not %d\n%s\n%s", line, output.code, expected,
                 output.out, output.err);
}

/* Of the broker under test. */
static void graph_live(int expected, const wchar_t *options)
{
    graph(expected, L"%ls --pipe %ls --unverified", options, kit_broker()->pipe);
}

static void says(const char *where, const char *what)
{
    if (strstr(where, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, where);
}

static void says_not(const char *where, const char *what)
{
    if (strstr(where, what) != NULL)
        fail_msg("\"%s\" stands in: %s", what, where);
}

static void is_json(const char *document)
{
    struct hbk_error error;
    size_t size = strcspn(document, "\r\n");
    if (size == 0 || hbk_json_check((struct hbk_text){document, size}, &error) != 0)
        fail_msg("no JSON: %s", document);
}

static void number_is(const char *key, int64_t expected)
{
    int64_t value = -1;
    if (!kit_json_number(output.out, key, &value) || value != expected)
        fail_msg("%s is %lld, not %lld: %s", key, (long long)value, (long long)expected,
                 output.out);
}

/* The page at `page`, in `text`. */
static void read_page(void)
{
    assert_true(kit_file_read(page, text, sizeof text) > 0);
    says(text, "<!DOCTYPE html>");
    says(text, "</html>");
    says_not(text, "://");
    says_not(text, "<script");
}

/* Nothing of ours is in the folder but @count files. */
static void folder_has(unsigned count)
{
    wchar_t pattern[MAX_PATH];
    WIN32_FIND_DATAW found;
    unsigned there = 0;
    (void)swprintf(pattern, MAX_PATH, L"%ls\\*", folder);
    HANDLE search = FindFirstFileW(pattern, &found);
    assert_true(search != INVALID_HANDLE_VALUE);
    do {
        there += (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
    } while (FindNextFileW(search, &found));
    FindClose(search);
    assert_int_equal(there, count);
}

/* Waits until the audit file says @what. */
static void recorded(const char *what)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS;; Sleep(20)) {
        HANDLE file =
            CreateFileW(audit, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        NULL, OPEN_EXISTING, 0, NULL);
        DWORD got = 0;
        if (file != INVALID_HANDLE_VALUE) {
            assert_true(ReadFile(file, text, sizeof text - 1, &got, NULL));
            CloseHandle(file);
        }
        text[got] = '\0';
        if (strstr(text, what) != NULL)
            return;
        if (kit_now_ms() > end)
            fail_msg("no record says %s: %s", what, text);
    }
}

/* ---- real hand-offs ---- */

static void of_the_audit_file(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name(), *entry = kit_endpoint_name();
    struct kit_peer target;
    char expected[256];
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = kit_client();
    hbk_transferred moved;
    kit_peer_open(&target);
    kit_peer_listen(&target, name, 0);
    const unsigned us = (unsigned)GetCurrentProcessId(), them = (unsigned)target.pid;
    for (int i = 0; i < 3; i++)
        assert_int_equal(kit_send(client, name, event, EVENT_MODIFY_STATE, 0, NULL), HBK_OK);
    assert_int_equal(kit_put(client, entry, event, 0, 0), HBK_OK);
    assert_int_equal(kit_peer_get(&target, entry, SYNCHRONIZE, 0), 0);
    kit_peer_closes(&target, target.reply.value);
    assert_int_equal(kit_send(client, "global/nobody", event, 0, 0, NULL), HBK_DENIED);
    const hbk_transfer_options transfer = {.size = sizeof transfer,
                                           .source_pid = us,
                                           .target_pid = them,
                                           .handle = event,
                                           .access = SYNCHRONIZE};
    assert_int_equal(hbk_transfer(client, &transfer, &moved, NULL), HBK_OK);
    recorded("\"event\":\"handle.transfer\"");

    graph(DONE, L"--records \"%ls\" --json", audit);
    is_json(output.out);
    assert_string_equal(output.err, "");
    snprintf(expected, sizeof expected, "\"kind\":\"process\",\"pid\":%u,\"user\":\"%s\"", us,
             kit_user());
    says(output.out, expected);
    snprintf(expected, sizeof expected, "\"kind\":\"process\",\"pid\":%u,\"user\":\"%s\"", them,
             kit_user());
    says(output.out, expected);
    snprintf(expected, sizeof expected,
             "\"how\":\"send\",\"outcome\":\"done\",\"state\":null,\"name\":\"%s\",\"count\":3,"
             "\"handles\":3,\"items\":[{\"type\":\"Event\",\"access\":2,\"count\":3}]",
             name);
    says(output.out, expected);
    snprintf(expected, sizeof expected,
             "\"how\":\"get\",\"outcome\":\"done\",\"state\":null,\"name\":\"%s\",\"count\":1,"
             "\"handles\":1,\"items\":[{\"type\":\"Event\",\"access\":1048576,",
             entry);
    says(output.out, expected);
    says(output.out, "\"how\":\"put\"");
    says(output.out, "\"how\":\"transfer\"");
    says(output.out, "\"outcome\":\"refused\",\"error\":\"denied\",\"name\":\"global/nobody\"");
    says(output.out, "\"live\":false");
    number_is("malformed", 0);

    graph(DONE, L"--records \"%ls\" --html --output \"%ls\"", audit, page);
    assert_string_equal(output.out, "");
    read_page();
    says(text, name);
    says(text, "global/nobody");
    graph(DONE, L"--records \"%ls\"", audit);
    says(output.out, "digraph handlebroker {");
    says(output.out, "send \xC3\x97"
                     "3: ");
    DeleteFileW(page);
    assert_int_equal(hbk_store_remove(client, entry, NULL), HBK_OK);
    kit_peer_stop(&target);
    kit_close(client);
    CloseHandle(event);
}

static void of_what_there_is(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name(), *entry = kit_endpoint_name();
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    HANDLE event = kit_make(KIT_EVENT);
    char expected[256];
    graph_live(DONE, L"--json");
    is_json(output.out);
    says_not(output.out, name);
    hbk_client *client = kit_client();
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    assert_int_equal(kit_put(client, entry, event, 0, 0), HBK_OK);
    graph_live(DONE, L"--json");
    is_json(output.out);
    says(output.out, "\"live\":true,\"own\":false");
    snprintf(expected, sizeof expected, "\"%s\"],\"endpoints_count\":2", name); /* and the kit's */
    says(output.out, expected);
    snprintf(expected, sizeof expected, "\"kind\":\"entry\",\"name\":\"%s\"", entry);
    says(output.out, expected);
    says(output.out, "\"how\":\"put\"");
    says_not(output.out, "\"client\":\"hbctl"); /* who looks */
    assert_int_equal(hbk_store_remove(client, entry, NULL), HBK_OK);
    kit_close(client);
    CloseHandle(event);
}

static void a_pending_delivery(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    kit_peer_open(&source);
    kit_mark(&mark, 0);
    assert_int_equal(kit_peer_do(&source, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    source.call.items[0] = (struct kit_item){.handle = source.reply.value};
    kit_peer_send_begin(&source, name, 1, 20000, 0);
    kit_wait_pending(&mark, 1);
    graph_live(DONE, L"--json");
    says(output.out, "\"kind\":\"endpoint\",\"name\":");
    says(output.out, "\"outcome\":\"pending\",\"state\":\"waiting\"");
    graph_live(DONE, L"");
    says(output.out, "waiting");
    kit_peer_kill(&source);
}

static void of_what_is_recorded_meanwhile(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    struct kit_peer target;
    wchar_t line[1024], out[MAX_PATH], err[MAX_PATH];
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    DWORD pid = 0, sent = 0;
    int64_t count = 0;
    char expected[128];
    kit_peer_open(&target);
    kit_peer_listen(&target, name, 0);
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    (void)swprintf(line, 1024, L"\"%ls\" graph --watch 3000 --json --pipe %ls --unverified",
                   kit_tool(L"hbctl.exe"), kit_broker()->pipe);
    HANDLE hbctl = kit_spawn_log(line, 0, out, err, &pid);
    while (WaitForSingleObject(hbctl, 100) == WAIT_TIMEOUT) {
        assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_OK);
        assert_true(++sent < 1000);
    }
    assert_int_equal(kit_wait_exit(hbctl, RUN_MS), DONE);
    kit_forget(hbctl);
    kit_file_read(out, text, sizeof text);
    is_json(text);
    snprintf(expected, sizeof expected,
             "\"how\":\"send\",\"outcome\":\"done\",\"state\":null,"
             "\"name\":\"%s\"",
             name);
    const char *edge = strstr(text, expected);
    assert_non_null(edge);
    assert_true(kit_json_number(edge, "count", &count));
    assert_in_range(count, 1, sent);
    /* Who has a session is called by its name. */
    snprintf(expected, sizeof expected, "\"pid\":%lu,", target.pid);
    edge = strstr(text, expected);
    assert_non_null(edge);
    says(edge, "\"client\":\"");
    kit_peer_stop(&target);
    kit_close(client);
    CloseHandle(event);
}

#define NOT_YOU "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"not you\"}}"
#define STATUS                                                                             \
    "{\"server\":{\"name\":\"s\",\"version\":\"9\"},\"protocol\":1,\"state\":\"running\"," \
    "\"pid\":8,\"uptime_ms\":1,\"sessions\":2,\"sessions_proven\":1,\"endpoints\":3,"      \
    "\"deliveries_pending\":4,\"pins\":5,\"stored\":8,\"delivered\":6,\"failed\":7,"       \
    "\"policy\":2,\"events_dropped\":11,\"quotas\":[]}"

static void a_hostile_name(void **state)
{
    (void)state;
    struct kit_script script;
    static const struct kit_step steps[] = {
        {.method = "broker.status", .result = STATUS},
        {.method = "broker.sessions",
         .result =
             "{\"sessions\":[{\"session\":3,\"pid\":4,\"user\":\"S-1-5-19\",\"integrity\":8192,"
             "\"logon_session\":\"00000000000003e5\",\"terminal_session\":0,"
             "\"client\":{\"name\":\"<script>\\\"\\\\&'\\n\\u001b[2J\\u202e gr\\u202c\\u00fc\","
             "\"version\":\"1\"},\"state\":\"proven\",\"since_ms\":1,\"endpoints\":0,"
             "\"requests\":0,\"pins\":0,\"queued_bytes\":0,\"sent\":7,\"received\":8}]}"},
        {.method = "endpoint.list", .result = "{\"endpoints\":[]}"},
        {.method = "delivery.list", .result = "{\"deliveries\":[]}"},
        {.method = "store.list", .result = "{\"entries\":[]}"},
    };
    static const struct {
        const wchar_t *options;
        const char *name;
    } cases[] = {
        {L"--json",
         "\"client\":\"<script>\\\"\\\\&'\\u000a\\u001b[2J\xE2\x80\xAE gr\xE2\x80\xAC\xC3\xBC\""},
        {L"--html", "&lt;script&gt;&quot;\\&amp;&#39;\xEF\xBF\xBD\xEF\xBF\xBD[2J\xEF\xBF\xBD "
                    "gr\xEF\xBF\xBD\xC3\xBC"},
        {L"--dot", "&lt;script&gt;&quot;\\\\&amp;&#39;\xEF\xBF\xBD\xEF\xBF\xBD[2J\xEF\xBF\xBD "
                   "gr\xEF\xBF\xBD\xC3\xBC"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit_script_begin(&script, steps, sizeof steps / sizeof steps[0]);
        graph(DONE, L"%ls --pipe %ls --unverified --output \"%ls\"", cases[i].options, script.pipe,
              page);
        kit_script_end(&script);
        assert_true(kit_file_read(page, text, sizeof text) > 0);
        says(text, cases[i].name);
        if (i == 0)
            is_json(text);
        else
            says_not(text, "<script");
    }
    DeleteFileW(page);
}

/* ---- who may not look ---- */

static void without_the_right_to_inspect(void **state)
{
    (void)state;
    struct kit_script script;
    static const struct kit_step steps[] = {
        {.method = "broker.status", .result = STATUS},
        {.method = "broker.sessions", .error = NOT_YOU},
        {.method = "broker.watch", .error = NOT_YOU},
        {.method = "endpoint.list",
         .result =
             "{\"endpoints\":[{\"name\":\"user/mine\",\"session\":7,\"pid\":42,\"mode\":"
             "\"auto\",\"revocable\":false,\"user\":\"S-1-5-19\",\"since_ms\":5,\"types\":{}}]}"},
        {.method = "delivery.list", .result = "{\"deliveries\":[]}"},
        {.method = "store.list", .result = "{\"entries\":[]}"},
    };
    const size_t count = sizeof steps / sizeof steps[0];
    /* What is his own is shown, and said to be that. */
    kit_script_begin(&script, steps, count);
    graph(DONE, L"--json --pipe %ls --unverified", script.pipe);
    kit_script_end(&script);
    says(output.out, "\"own\":true");
    says(output.out, "user/mine");
    says(output.err, "right to inspect");
    /* Watching takes the right, and nothing is written without it. */
    kit_script_begin(&script, steps, count);
    graph(REFUSED, L"--watch 100 --pipe %ls --unverified --output \"%ls\"", script.pipe, page);
    kit_script_end(&script);
    says(output.err, "denied");
    says(output.err, "administrator");
    assert_string_equal(output.out, "");
    folder_has(1); /* the audit file */
    /* Any other refusal ends it. */
    static const struct kit_step busy[] = {
        {.method = "broker.status", .result = STATUS},
        {.method = "store.list",
         .error = "{\"code\":14,\"message\":\"busy\",\"data\":{\"detail\":\"later\"}}"},
    };
    kit_script_begin(&script, busy, 2);
    graph(REFUSED, L"--pipe %ls --unverified", script.pipe);
    kit_script_end(&script);
    says(output.err, "busy");
    assert_string_equal(output.out, "");
}

/* ---- files ---- */

#define RECORD(SERIAL, FROM, TO, NAME)                                                          \
    "{\"serial\":" SERIAL ",\"time_ms\":1700000000000,\"event\":\"handle.send\",\"outcome\":"   \
    "\"done\",\"caller\":{\"session\":1,\"pid\":" FROM ",\"user\":\"S-1-5-19\"},\"target\":"    \
    "{\"session\":2,\"pid\":" TO ",\"user\":\"S-1-5-18\"},\"endpoint\":\"" NAME "\",\"items\":" \
    "[{\"type\":\"Event\",\"access\":2}]}"

static void append(size_t *size, const void *bytes, size_t count)
{
    assert_true(*size + count <= sizeof text);
    memcpy(text + *size, bytes, count);
    *size += count;
}

static void lines_that_are_no_records(void **state)
{
    (void)state;
    static const char good[] = RECORD("1", "4", "8", "user/a") "\n";
    static const char *const bad[] = {
        "garbage\n",
        "{}\n",
        "[]\n",
        "{\"serial\":1\n",
        "{\"serial\":0,\"time_ms\":1,\"event\":\"handle.send\",\"outcome\":\"done\"}\n",
        "{\"serial\":1,\"time_ms\":1,\"event\":\"handle.send\",\"outcome\":\"\xFF\"}\n",
        "{\"serial\":1,\"time_ms\":1,\"event\":\"x\",\"outcome\":\"done\"},\"id\":1\n",
        "{\"serial\":1,\"time_ms\":1,\"event\":\"x\",\"outcome\":\"done\"} {}\n",
        "{\"serial\":1,\"time_ms\":1,\"event\":\"x\",\"outcome\":\"done\",\"serial\":2}\n",
    };
    const size_t count = sizeof bad / sizeof bad[0];
    wchar_t file[MAX_PATH];
    size_t size = 0;
    kit_temp(file, MAX_PATH);
    append(&size, good, sizeof good - 1);
    for (size_t i = 0; i < count; i++) {
        append(&size, bad[i], strlen(bad[i]));
        append(&size, good, sizeof good - 1);
    }
    append(&size, "\0\n", 2);
    append(&size, good, sizeof good - 2); /* of an editor that ends lines its own way */
    append(&size, "\r\n\n", 3);
    memset(text + size, '{', 200000);
    size += 200000;
    append(&size, "\n", 1);
    append(&size, good, sizeof good - 2); /* without an end */
    kit_file_write(file, text, size);
    graph(DONE, L"--records \"%ls\" --json", file);
    is_json(output.out);
    number_is("records", (int64_t)count + 3);
    number_is("malformed", (int64_t)count + 2);
    says(output.out, "\"count\":12,\"handles\":12");
    says(output.err, "no records: 11, the first of them line 2 of its file");
    graph(DONE, L"--records \"%ls\" --html --output \"%ls\"", file, page);
    read_page();
    says(text, "no records: 11");
    DeleteFileW(page);
    /* A file of nothing else, and an empty one, make an empty graph; two files are one. */
    kit_file_write(file, "garbage", 7);
    graph(DONE, L"--records \"%ls\"", file);
    says(output.out, "digraph handlebroker {");
    says(output.err, "no records: 1");
    kit_file_write(file, good, sizeof good - 1);
    graph(DONE, L"--records \"%ls\" --records \"%ls\" --json", file, file);
    says(output.out, "\"count\":2,\"handles\":2");
    kit_file_write(file, "", 0);
    graph(DONE, L"--records \"%ls\" --json", file);
    says(output.out, "\"nodes\":[],\"edges\":[]}");
}

static void a_long_file(void **state)
{
    (void)state;
    enum { RECORDS = 60000, PROCESSES = 200 };
    wchar_t file[MAX_PATH];
    char line[512];
    kit_temp(file, MAX_PATH);
    HANDLE handle = CreateFileW(file, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(handle != INVALID_HANDLE_VALUE);
    size_t size = 0;
    for (int i = 0; i < RECORDS; i++) {
        int length = snprintf(line, sizeof line, RECORD("%d", "4", "%d", "user/a") "\n", i + 1,
                              8 + 4 * (i % PROCESSES));
        append(&size, line, (size_t)length);
        if (size > sizeof text - sizeof line || i + 1 == RECORDS) {
            DWORD done = 0;
            assert_true(WriteFile(handle, text, (DWORD)size, &done, NULL) && done == size);
            size = 0;
        }
    }
    CloseHandle(handle);
    graph(DONE, L"--records \"%ls\" --json --nodes 5", file);
    is_json(output.out);
    number_is("records", RECORDS);
    number_is("malformed", 0);
    number_is("nodes_left_out", PROCESSES + 1 - 5);
    number_is("edges_left_out", PROCESSES - 4);
    number_is("count", RECORDS);
    number_is("count_left_out", RECORDS - 4 * (RECORDS / PROCESSES));
    says(output.err, "5 of 201 nodes are shown");
    graph(DONE, L"--records \"%ls\" --html --output \"%ls\"", file, page);
    says(output.err, "60 of 201 nodes are shown");
    read_page();
    says(text, "60 of 201 nodes are shown");
    DeleteFileW(page);
}

static void records_that_are_missing(void **state)
{
    (void)state;
    static const char lines[] = "{\"serial\":1,\"time_ms\":1700000000000,\"event\":\"records."
                                "dropped\",\"outcome\":\"failed\","
                                "\"count\":17}\n";
    wchar_t file[MAX_PATH];
    kit_temp(file, MAX_PATH);
    kit_file_write(file, lines, sizeof lines - 1);
    graph(DONE, L"--records \"%ls\" --json", file);
    number_is("missed", 17);
    says(output.err, "missing, as they came too fast: 17");
}

static void files_that_cannot_be_used(void **state)
{
    (void)state;
    wchar_t file[MAX_PATH], missing[MAX_PATH];
    static const char old[] = "what was there before";
    kit_temp(file, MAX_PATH);
    (void)swprintf(missing, MAX_PATH, L"%ls\\no\\such", folder);
    kit_file_write(page, old, sizeof old - 1);
    graph(USAGE, L"--records \"%ls\" --output \"%ls\"", missing, page);
    says(output.err, "cannot read this file of records");
    assert_string_equal(output.out, "");
    graph(USAGE, L"--records \"%ls\" --output \"%ls\"", folder, page);
    /* What could not be written anyway is told before anything is read, or waited for. */
    kit_file_write(file, "garbage", 7);
    graph(USAGE, L"--records \"%ls\" --html --output \"%ls\"", file, missing);
    says(output.err, "cannot write this file");
    says_not(output.err, "no records");
    graph(USAGE, L"--records \"%ls\" --html --output \"%ls\"", file, folder);
    says(output.err, "cannot write this file");
    says_not(output.err, "no records");
    graph(UNAVAILABLE, L"--pipe \\\\.\\pipe\\hbk-nobody --unverified --output \"%ls\"", page);
    /* One that cannot be replaced stays, and nothing beside it. */
    HANDLE held = CreateFileW(page, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(held != INVALID_HANDLE_VALUE);
    graph(USAGE, L"--records \"%ls\" --html --output \"%ls\"", file, page);
    says(output.err, "cannot write this file");
    CloseHandle(held);
    kit_file_read(page, text, sizeof text);
    assert_string_equal(text, old);
    folder_has(2); /* and the audit file */
    graph(DONE, L"--records \"%ls\" --html --output \"%ls\"", file, page);
    read_page();
    folder_has(2);
    DeleteFileW(page);
}

static void command_lines(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"--dot --html", L"--html --json", L"--dot --json", L"--nodes 0",
        L"--nodes 501",  L"--nodes x",     L"--watch x",    L"--watch 86400001",
        L"--records",    L"--output",      L"user/x",       L"--records x --nodes",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        graph(USAGE, L"%ls", lines[i]);
        assert_string_equal(output.out, "");
        says(output.err, wcsstr(lines[i], L"json") ? "invalid_argument" : "Try: hbctl graph");
    }
    graph(DONE, L"--help");
    says(output.out, "Examples:");
}

/* ---- the program ---- */

/* A folder with the audit file, and a configuration that names it. */
static void make_folder(char *ret_config, size_t size)
{
    wchar_t temp[MAX_PATH];
    char path[2 * MAX_PATH];
    size_t used = 0;
    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    temp[wcslen(temp) - 1] = L'\0';
    (void)swprintf(folder, MAX_PATH, L"%ls\\hbk-test-%lu-%lu", temp,
                   (unsigned long)GetCurrentProcessId(), (unsigned long)kit_unique());
    (void)swprintf(audit, MAX_PATH, L"%ls\\audit.jsonl", folder);
    (void)swprintf(page, MAX_PATH, L"%ls\\page.html", folder);
    assert_true(CreateDirectoryW(folder, NULL));
    for (const wchar_t *at = audit; *at != L'\0'; at++) {
        if (*at == L'\\')
            path[used++] = '\\';
        path[used++] = (char)*at;
    }
    path[used] = '\0';
    (void)snprintf(ret_config, size, "{\"audit\": {\"file\": \"%s\"}}", path);
}

static int group(void)
{
    static char config[1024];
    const struct CMUnitTest tests[] = {
        KIT_TEST(of_the_audit_file),
        KIT_TEST(of_what_there_is),
        KIT_TEST(a_pending_delivery),
        KIT_TEST(of_what_is_recorded_meanwhile),
        KIT_TEST(a_hostile_name),
        KIT_TEST(without_the_right_to_inspect),
        KIT_TEST(lines_that_are_no_records),
        KIT_TEST(a_long_file),
        KIT_TEST(records_that_are_missing),
        KIT_TEST(files_that_cannot_be_used),
        KIT_TEST(command_lines),
    };
    make_folder(config, sizeof config);
    kit_config = config;
    int failures =
        cmocka_run_group_tests_name("hbctl graph", tests, kit_group_console, kit_group_end);
    DeleteFileW(audit);
    DeleteFileW(page);
    RemoveDirectoryW(folder);
    return failures;
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
