#include "script.h"

#include <stdio.h>
#include <string.h>

static bool say(const struct kit_script *script, const char *text)
{
    DWORD size = 0;
    size_t length = strlen(text);
    return WriteFile(script->server, text, (DWORD)length, &size, NULL) && size == length;
}

/* An event in the client's process, as the broker places its proof. Return: 0: it failed. */
static uint32_t place_proof(struct kit_script *script)
{
    ULONG pid = 0;
    HANDLE target = NULL;
    if (!GetNamedPipeClientProcessId(script->server, &pid))
        return 0;
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (process != NULL && event != NULL)
        DuplicateHandle(GetCurrentProcess(), event, process, &target, EVENT_MODIFY_STATE, FALSE, 0);
    CloseHandle(event);
    CloseHandle(process);
    if (pid == GetCurrentProcessId())
        script->proof = target;
    return (uint32_t)(uintptr_t)target;
}

static void hello_result(struct kit_script *script, char *ret_text, size_t size)
{
    (void)snprintf(
        ret_text, size,
        "{\"protocol\":1,\"server\":{\"name\":\"script\",\"version\":\"1\"},\"session\":7,"
        "\"peer\":{\"pid\":4,\"user\":\"S-1-5-18\",\"integrity\":8192,"
        "\"logon_session\":\"00000000000003e7\"},\"proof\":%lu,"
        "\"limits\":{\"line_bytes\":65536,\"items\":64,\"data_bytes\":8192,\"name_bytes\":260,"
        "\"requests\":64,\"sessions_per_user\":1500,\"endpoints\":64,\"pins\":1024,\"pending\":256,"
        "\"hello_ms\":10000,\"line_ms\":10000,\"write_ms\":10000,\"write_queue_bytes\":262144}}",
        (unsigned long)place_proof(script));
}

static bool answer(const struct kit_script *script, int64_t id, const struct kit_step *step)
{
    char head[64];
    (void)snprintf(head, sizeof head, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"%s\":", (long long)id,
                   step->result != NULL ? "result" : "error");
    return say(script, head) && say(script, step->result != NULL ? step->result : step->error) &&
           say(script, "}\n") && (step->after == NULL || say(script, step->after));
}

static size_t find_step(const struct kit_script *script, const char *method)
{
    size_t found = script->count;
    for (size_t i = 0; i < script->count; i++) {
        if (strcmp(script->steps[i].method, method) != 0)
            continue;
        found = i;
        if (!script->used[i])
            break;
    }
    return found;
}

static bool act(struct kit_script *script, const char *line)
{
    struct kit_step step = {.result = "{}"};
    char method[64] = "", hello[1024];
    int64_t id = 0;
    if (!kit_json_text(line, "method", method, sizeof method) || !kit_json_number(line, "id", &id))
        return false;
    size_t found = find_step(script, method);
    if (found < script->count) {
        step = script->steps[found];
        script->used[found] = true;
        (void)snprintf(script->asked[found], sizeof script->asked[found], "%s", line);
    } else if (strcmp(method, "session.hello") == 0) {
        hello_result(script, hello, sizeof hello);
        step.result = hello;
        script->said_hello = true;
    } else if (strcmp(method, "session.prove") != 0 && strcmp(method, "endpoint.close") != 0 &&
               strcmp(method, "delivery.reject") != 0) {
        step.result = NULL;
        step.error = "{\"code\":-32601,\"message\":\"method_not_found\","
                     "\"data\":{\"detail\":\"the script has no such step\"}}";
    }
    if (step.go != NULL)
        WaitForSingleObject(step.go, KIT_WAIT_MS);
    return answer(script, id, &step) && !step.last;
}

static DWORD WINAPI serve(void *context)
{
    struct kit_script *script = context;
    DWORD size = 0;
    if (!ConnectNamedPipe(script->server, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
        return 1;
    while (ReadFile(script->server, script->bytes + script->size,
                    (DWORD)(sizeof script->bytes - 1 - script->size), &size, NULL) &&
           size > 0) {
        char *end;
        script->size += size;
        script->bytes[script->size] = '\0';
        while ((end = strchr(script->bytes, '\n')) != NULL) {
            *end = '\0';
            if (!act(script, script->bytes)) {
                FlushFileBuffers(script->server);
                DisconnectNamedPipe(script->server);
                return 1;
            }
            script->size -= (size_t)(end + 1 - script->bytes);
            memmove(script->bytes, end + 1, script->size + 1);
        }
    }
    return 0;
}

static void begin(struct kit_script *script, const struct kit_step *steps, size_t count)
{
    assert_true(count <= KIT_SCRIPT_STEPS_MAX);
    script->steps = steps;
    script->count = count;
    script->thread = CreateThread(NULL, 0, serve, script, 0, NULL);
    assert_non_null(script->thread);
}

void kit_script_begin(struct kit_script *script, const struct kit_step *steps, size_t count)
{
    memset(script, 0, sizeof *script);
    script->pipe = kit_pipe_name();
    script->server = CreateNamedPipeW(script->pipe, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 65536,
                                      65536, 0, NULL);
    assert_true(script->server != INVALID_HANDLE_VALUE);
    begin(script, steps, count);
}

hbk_client *kit_script_client(const struct kit_script *script)
{
    hbk_open_options options = {
        .size = sizeof options, .pipe = script->pipe, .flags = HBK_OPEN_UNVERIFIED};
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    if (hbk_open(&options, &client, &error) != HBK_OK)
        fail_msg("hbk_open: %s: %s", hbk_result_word(error.result), error.detail);
    return client;
}

/* Its client has gone, or was sent away. */
static void join(struct kit_script *script)
{
    if (WaitForSingleObject(script->thread, KIT_WAIT_MS) != WAIT_OBJECT_0)
        fail_msg("%s", "the script has a client still, or never had one");
    CloseHandle(script->thread);
    if (script->proof != NULL)
        CloseHandle(script->proof); /* which a broker does */
    script->proof = NULL;
}

void kit_script_again(struct kit_script *script, const struct kit_step *steps, size_t count)
{
    join(script);
    memset(script->asked, 0, sizeof script->asked);
    memset(script->used, 0, sizeof script->used);
    script->size = 0;
    DisconnectNamedPipe(script->server); /* of a client that has gone by itself */
    begin(script, steps, count);
}

void kit_script_end(struct kit_script *script)
{
    join(script);
    CloseHandle(script->server);
}
