/* What the examples share: see example.h. */
#include "example.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMAND_MAX (MAX_PATH + 256)

static const char *speaker = "example";
static HANDLE children; /* a job, whose processes end with its last handle: ours */

void example_begin(const char *who)
{
    speaker = who;
}

void example_say(const char *format, ...)
{
    va_list values;

    printf("%s: ", speaker);
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    printf("\n");
    fflush(stdout);
}

bool example_check(bool happened, const char *what)
{
    example_say("%-6s %s", happened ? "ok" : "FAILED", what);
    return happened;
}

bool example_failed(const char *what, DWORD error)
{
    example_say("FAILED %s: Windows error %lu", what, (unsigned long)error);
    return false;
}

bool example_refused(const char *what, const hbk_error_info *error)
{
    example_say("FAILED %s: %s: %s (item %d, Windows error %lu)", what,
                hbk_result_word(error->result), error->detail, error->item,
                (unsigned long)error->win32);
    return false;
}

bool example_is_wine(void)
{
    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    return module != NULL && GetProcAddress(module, "wine_get_version") != NULL;
}

static bool make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};

    if (children == NULL)
        children = CreateJobObjectW(NULL, NULL);
    return children != NULL && SetInformationJobObject(children, JobObjectExtendedLimitInformation,
                                                       &limits, sizeof limits);
}

/* Started while it is not in the job yet, a child could outlive us: so it is suspended until it is. */
static bool create(const char *role, HANDLE token, STARTUPINFOEXW *startup,
                   PROCESS_INFORMATION *ret_process)
{
    const DWORD flags = CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT;
    wchar_t path[MAX_PATH + 1] = L"", command[COMMAND_MAX], wide_role[128];

    if (GetModuleFileNameW(NULL, path, MAX_PATH) == 0 ||
        MultiByteToWideChar(CP_UTF8, 0, role, -1, wide_role, 128) == 0)
        return example_failed("GetModuleFileName", GetLastError());
    swprintf(command, COMMAND_MAX, L"\"%ls\" %ls", path, wide_role);
    if (!(token != NULL ? CreateProcessAsUserW(token, path, command, NULL, NULL, TRUE, flags, NULL,
                                               NULL, &startup->StartupInfo, ret_process)
                        : CreateProcessW(path, command, NULL, NULL, TRUE, flags, NULL, NULL,
                                         &startup->StartupInfo, ret_process)))
        return example_failed("CreateProcess", GetLastError());
    if (!AssignProcessToJobObject(children, ret_process->hProcess) ||
        ResumeThread(ret_process->hThread) == (DWORD)-1) {
        DWORD error = GetLastError();
        TerminateProcess(ret_process->hProcess, 1);
        CloseHandle(ret_process->hThread);
        CloseHandle(ret_process->hProcess);
        return example_failed("AssignProcessToJobObject", error);
    }
    CloseHandle(ret_process->hThread);
    return true;
}

/* "Inherit handles" means all that are inheritable, whoever made them so; the list names the one. */
static bool create_with_output(const char *role, HANDLE token, HANDLE output,
                               PROCESS_INFORMATION *ret_process)
{
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup,
                                              .dwFlags = STARTF_USESTDHANDLES,
                                              .hStdOutput = output,
                                              .hStdError = output}};
    SIZE_T size = 0;
    bool good = false;

    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (startup.lpAttributeList == NULL)
        return example_failed("malloc", ERROR_NOT_ENOUGH_MEMORY);
    if (!InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size)) {
        example_failed("InitializeProcThreadAttributeList", GetLastError());
        goto out;
    }
    if (!UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                   &output, sizeof output, NULL, NULL))
        example_failed("UpdateProcThreadAttribute", GetLastError());
    else
        good = create(role, token, &startup, ret_process);
    DeleteProcThreadAttributeList(startup.lpAttributeList);
out:
    free(startup.lpAttributeList);
    return good;
}

bool example_start(struct example_child *ret_child, const char *role, HANDLE token, bool piped)
{
    PROCESS_INFORMATION process = {0};
    HANDLE reading = NULL, writing = GetStdHandle(STD_OUTPUT_HANDLE), output = NULL;
    bool good = false;

    if (piped && !CreatePipe(&reading, &writing, NULL, 0))
        return example_failed("CreatePipe", GetLastError());
    if (!DuplicateHandle(GetCurrentProcess(), writing, GetCurrentProcess(), &output, 0, TRUE,
                         DUPLICATE_SAME_ACCESS))
        example_failed("DuplicateHandle", GetLastError());
    else if (!make_job())
        example_failed("CreateJobObject", GetLastError());
    else
        good = create_with_output(role, token, output, &process);
    if (output != NULL)
        CloseHandle(output);
    if (piped)
        CloseHandle(writing);
    if (!good) {
        if (reading != NULL)
            CloseHandle(reading);
        return false;
    }
    ret_child->process = process.hProcess;
    ret_child->pid = process.dwProcessId;
    ret_child->output = reading;
    return true;
}

bool example_next_line(const struct example_child *child, char *ret_line, size_t size)
{
    size_t used = 0;
    char byte = '\0';
    DWORD got = 0;

    while (ReadFile(child->output, &byte, 1, &got, NULL) && got == 1 && byte != '\n') {
        if (byte != '\r' && used + 1 < size)
            ret_line[used++] = byte;
    }
    ret_line[used] = '\0';
    if (byte != '\n')
        return false;
    printf("%s\n", ret_line);
    fflush(stdout);
    return true;
}

static void forget(struct example_child *child)
{
    CloseHandle(child->process);
    if (child->output != NULL)
        CloseHandle(child->output);
    child->process = child->output = NULL;
}

bool example_ended_well(struct example_child *child)
{
    char line[256];
    DWORD code = 1;

    if (child->process == NULL)
        return false;
    for (bool more = child->output != NULL; more;)
        more = example_next_line(child, line, sizeof line);
    if (WaitForSingleObject(child->process, 2 * EXAMPLE_WAIT_MS) != WAIT_OBJECT_0) {
        example_say("FAILED process %lu does not end", (unsigned long)child->pid);
        example_kill(child);
        return false;
    }
    GetExitCodeProcess(child->process, &code);
    if (code != 0)
        example_say("FAILED process %lu ended with %lu", (unsigned long)child->pid,
                    (unsigned long)code);
    forget(child);
    return code == 0;
}

void example_kill(struct example_child *child)
{
    if (child->process == NULL)
        return;
    TerminateProcess(child->process, 1);
    WaitForSingleObject(child->process, EXAMPLE_WAIT_MS);
    forget(child);
}
