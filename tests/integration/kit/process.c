/* Processes that a test starts, what they print, and brokers in the console. */
#include "kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define PROCESSES_MAX 512
#define TEMPS_MAX 64
#define START_TRIES 3
#define COMMAND_CHARS_MAX 2048

const wchar_t *kit_broker_program = L"handlebroker.exe";
static HANDLE processes[PROCESSES_MAX];
static wchar_t temps[TEMPS_MAX][MAX_PATH]; /* empty: free */

const wchar_t *kit_tool(const wchar_t *name)
{
    static wchar_t paths[4][MAX_PATH];
    static unsigned next;
    wchar_t *path = paths[next++ % 4];
    DWORD size = GetModuleFileNameW(NULL, path, MAX_PATH);
    assert_true(size > 0 && size < MAX_PATH);
    wchar_t *file = wcsrchr(path, L'\\') + 1;
    size_t room = MAX_PATH - (size_t)(file - path);
    assert_true(wcslen(name) < room);
    (void)swprintf(file, room, L"%ls", name);
    return path;
}

/* ---- starting and ending ---- */

static void remember(HANDLE process)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (processes[i] == NULL) {
            processes[i] = process;
            return;
        }
    }
    TerminateProcess(process, 1);
    fail_msg("%s", "too many processes at once");
}

void kit_keep(HANDLE process)
{
    uintptr_t value = (uintptr_t)process;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if ((uintptr_t)processes[i] == value)
            processes[i] = NULL;
    }
}

void kit_forget(HANDLE process)
{
    if (process == NULL)
        return;
    kit_keep(process);
    if (WaitForSingleObject(process, 0) != WAIT_OBJECT_0) {
        TerminateProcess(process, 1);
        WaitForSingleObject(process, KIT_WAIT_MS);
    }
    CloseHandle(process);
}

void kit_forget_all(void)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        kit_forget(processes[i]);
}

static HANDLE spawn(HANDLE token, const wchar_t *command_line, DWORD flags, BOOL inherit,
                    STARTUPINFOEXW *startup, DWORD *ret_pid)
{
    wchar_t line[COMMAND_CHARS_MAX]; /* CreateProcess may write into it */
    assert_true(wcslen(command_line) < COMMAND_CHARS_MAX);
    (void)swprintf(line, COMMAND_CHARS_MAX, L"%ls", command_line);
    PROCESS_INFORMATION made;
    bool good = false;
    for (int tries = 0; !good && tries < START_TRIES; tries++) {
        good = token == NULL ? CreateProcessW(NULL, line, NULL, NULL, inherit, flags, NULL, NULL,
                                              &startup->StartupInfo, &made) != 0
                             : CreateProcessAsUserW(token, NULL, line, NULL, NULL, inherit, flags,
                                                    NULL, NULL, &startup->StartupInfo, &made) != 0;
        /* Seen once in thousands of starts under Wine 8; it is no matter of the product's. */
        if (!good && GetLastError() != ERROR_INTERNAL_ERROR)
            break;
    }
    if (!good)
        fail_msg("CreateProcess(%ls): error %lu", command_line, GetLastError());
    CloseHandle(made.hThread);
    remember(made.hProcess);
    if (ret_pid != NULL)
        *ret_pid = made.dwProcessId;
    return made.hProcess;
}

HANDLE kit_spawn(const wchar_t *command_line, DWORD flags, DWORD *ret_pid)
{
    STARTUPINFOEXW startup = {.StartupInfo.cb = sizeof startup.StartupInfo};
    return spawn(NULL, command_line, flags, FALSE, &startup, ret_pid);
}

HANDLE kit_spawn_as(HANDLE token, const wchar_t *command_line, DWORD flags, DWORD *ret_pid)
{
    STARTUPINFOEXW startup = {.StartupInfo.cb = sizeof startup.StartupInfo};
    return spawn(token, command_line, flags, FALSE, &startup, ret_pid);
}

HANDLE kit_spawn_heir(const wchar_t *command_line, DWORD flags, DWORD *ret_pid)
{
    STARTUPINFOEXW startup = {.StartupInfo.cb = sizeof startup.StartupInfo};
    return spawn(NULL, command_line, flags, TRUE, &startup, ret_pid);
}

static HANDLE open_log(const wchar_t *path)
{
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &inheritable,
                              OPEN_ALWAYS, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    return file;
}

HANDLE kit_spawn_log(const wchar_t *command_line, DWORD flags, const wchar_t *out,
                     const wchar_t *err, DWORD *ret_pid)
{
    HANDLE std[3] = {open_log(L"NUL"), open_log(out), open_log(err)};
    STARTUPINFOEXW startup = {.StartupInfo.cb = sizeof startup};
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = std[0];
    startup.StartupInfo.hStdOutput = std[1];
    startup.StartupInfo.hStdError = std[2];
    /* Those three and nothing else: what a test holds must not be held by a tool it runs. */
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    assert_non_null(startup.lpAttributeList);
    assert_true(InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size));
    assert_true(UpdateProcThreadAttribute(startup.lpAttributeList, 0,
                                          PROC_THREAD_ATTRIBUTE_HANDLE_LIST, std, sizeof std, NULL,
                                          NULL));
    HANDLE process =
        spawn(NULL, command_line, flags | EXTENDED_STARTUPINFO_PRESENT, TRUE, &startup, ret_pid);
    DeleteProcThreadAttributeList(startup.lpAttributeList);
    free(startup.lpAttributeList);
    for (int i = 0; i < 3; i++)
        CloseHandle(std[i]);
    return process;
}

DWORD kit_wait_exit(HANDLE process, uint32_t timeout_ms)
{
    if (WaitForSingleObject(process, timeout_ms) != WAIT_OBJECT_0)
        fail_msg("a process has not ended after %lu ms", (unsigned long)timeout_ms);
    DWORD code = 0;
    assert_true(GetExitCodeProcess(process, &code));
    return code;
}

void kit_run(struct kit_output *ret_output, uint32_t timeout_ms, const wchar_t *format, ...)
{
    wchar_t line[COMMAND_CHARS_MAX], out[MAX_PATH], err[MAX_PATH];
    va_list values;
    va_start(values, format);
    int length = vswprintf(line, COMMAND_CHARS_MAX, format, values);
    va_end(values);
    assert_true(length > 0 && length < COMMAND_CHARS_MAX);
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    HANDLE process = kit_spawn_log(line, 0, out, err, NULL);
    bool ended = WaitForSingleObject(process, timeout_ms) == WAIT_OBJECT_0;
    ret_output->code = ended ? kit_wait_exit(process, 0) : 0;
    kit_forget(process);
    kit_file_read(out, ret_output->out, sizeof ret_output->out);
    kit_file_read(err, ret_output->err, sizeof ret_output->err);
    kit_temp_remove(out);
    kit_temp_remove(err);
    if (!ended)
        fail_msg("%ls: not ended after %lu ms\n%s\n%s", line, (unsigned long)timeout_ms,
                 ret_output->out, ret_output->err);
}

/* ---- files ---- */

void kit_temp(wchar_t *ret_path, size_t size)
{
    wchar_t folder[MAX_PATH];
    DWORD length = GetTempPathW(MAX_PATH, folder);
    assert_true(length > 0 && length < MAX_PATH && size >= MAX_PATH);
    (void)swprintf(ret_path, size, L"%lshbk-test-%lu-%lu.tmp", folder,
                   (unsigned long)GetCurrentProcessId(), (unsigned long)kit_unique());
    kit_file_write(ret_path, "", 0);
    for (size_t i = 0; i < TEMPS_MAX; i++) {
        if (temps[i][0] == L'\0') {
            (void)swprintf(temps[i], MAX_PATH, L"%ls", ret_path);
            return;
        }
    }
    fail_msg("%s", "too many temporary files at once");
}

void kit_temp_remove(const wchar_t *path)
{
    for (size_t i = 0; i < TEMPS_MAX; i++) {
        if (wcscmp(temps[i], path) == 0) {
            DeleteFileW(path);
            temps[i][0] = L'\0';
        }
    }
}

void kit_temp_end(void)
{
    for (size_t i = 0; i < TEMPS_MAX; i++)
        kit_temp_remove(temps[i]);
}

void kit_file_write(const wchar_t *path, const void *bytes, size_t size)
{
    HANDLE file = INVALID_HANDLE_VALUE;
    /* The service lets nobody write to its configuration while it reads it. */
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; file == INVALID_HANDLE_VALUE;) {
        file = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                           CREATE_ALWAYS, 0, NULL);
        if (file == INVALID_HANDLE_VALUE) {
            assert_int_equal(GetLastError(), ERROR_SHARING_VIOLATION);
            assert_true(kit_now_ms() < end);
            Sleep(1);
        }
    }
    DWORD written = 0;
    assert_true(WriteFile(file, bytes, (DWORD)size, &written, NULL) && written == size);
    CloseHandle(file);
}

size_t kit_file_read(const wchar_t *path, char *ret_text, size_t size)
{
    HANDLE file =
        CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    DWORD got = 0;
    assert_true(ReadFile(file, ret_text, (DWORD)(size - 1), &got, NULL));
    CloseHandle(file);
    ret_text[got] = '\0';
    return got;
}

/* ---- brokers in the console ---- */

const wchar_t *kit_pipe_name(void)
{
    static wchar_t names[8][64];
    uint32_t number = kit_unique();
    wchar_t *name = names[number % 8];
    (void)swprintf(name, 64, L"\\\\.\\pipe\\hbk-test-%lu-%lu", (unsigned long)GetCurrentProcessId(),
                   (unsigned long)number);
    return name;
}

void kit_pipe_wait(const wchar_t *pipe)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; kit_now_ms() <= end; Sleep(10)) {
        if (WaitNamedPipeW(pipe, 100))
            return;
    }
    fail_msg("nobody listens at %ls (error %lu)", pipe, GetLastError());
}

void kit_console_show(const struct kit_broker *broker)
{
    char text[4096];
    kit_file_read(broker->log, text, sizeof text);
    print_message("the broker says:\n%s\n", text);
}

void kit_broker_by_process(void)
{
    if (kit_is_wine()) {
        print_message(
            "Wine gives out a broker's own token for every pipe: this broker takes the one of "
            "the process twice\n");
        kit_broker_program = L"handlebroker_process_token.exe";
    }
}

void kit_console_start(struct kit_broker *ret_broker, const char *config)
{
    static wchar_t pipes[4][64];
    static unsigned next;
    wchar_t *pipe = pipes[next++ % 4];
    wchar_t line[COMMAND_CHARS_MAX], option[MAX_PATH + 16] = L"";
    (void)swprintf(pipe, 64, L"%ls", kit_pipe_name());
    kit_temp(ret_broker->log, MAX_PATH);
    if (config != NULL) {
        wchar_t file[MAX_PATH];
        kit_temp(file, MAX_PATH);
        kit_file_write(file, config, strlen(config));
        (void)swprintf(option, MAX_PATH + 16, L" --config \"%ls\"", file);
    }
    int length = swprintf(line, COMMAND_CHARS_MAX, L"\"%ls\" run --pipe %ls%ls",
                          kit_tool(kit_broker_program), pipe, option);
    assert_true(length > 0);
    ret_broker->pipe = pipe;
    ret_broker->process =
        kit_spawn_log(line, 0, ret_broker->log, ret_broker->log, &ret_broker->pid);
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; !WaitNamedPipeW(pipe, 100); Sleep(10)) {
        if (kit_now_ms() > end || WaitForSingleObject(ret_broker->process, 0) == WAIT_OBJECT_0) {
            kit_console_show(ret_broker);
            fail_msg("%s", "no broker came up in the console");
        }
    }
}

void kit_console_stop(struct kit_broker *broker)
{
    kit_forget(broker->process);
    kit_temp_remove(broker->log);
    broker->process = NULL;
    broker->pid = 0;
}
