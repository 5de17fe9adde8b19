#include "bench.h"

#include <wchar.h>

/* Ends the children when it is closed, and so when this process ends, however it ends. */
static HANDLE job;

static void make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    job = CreateJobObjectW(NULL, NULL);
    bench_check(job != NULL, "CreateJobObject");
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    bench_check(
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits),
        "SetInformationJobObject");
}

void bench_start(const wchar_t *program, const wchar_t *arguments)
{
    wchar_t path[1024] = {0};
    wchar_t command[1280];
    const size_t room = sizeof path / sizeof path[0];
    DWORD size = GetModuleFileNameW(NULL, path, (DWORD)room);
    bench_check(size > 0 && size < room, "GetModuleFileName");
    wchar_t *slash = wcsrchr(path, L'\\');
    wchar_t *name = slash != NULL ? slash + 1 : path;
    size_t length = wcslen(program);
    if (length >= room - (size_t)(name - path)) {
        bench_fail(0, "this program's path is too long");
    }
    wmemcpy(name, program, length + 1);
    if (swprintf(command, sizeof command / sizeof command[0], L"\"%ls\" %ls", path, arguments) <
        0) {
        bench_fail(0, "the command line is too long");
    }
    if (job == NULL) {
        make_job();
    }

    /* stderr and nothing else is handed down, so that a child can say what went wrong. */
    HANDLE errors = GetStdHandle(STD_ERROR_HANDLE);
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    startup.hStdError = errors;
    PROCESS_INFORMATION child;
    bench_check(SetHandleInformation(errors, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT),
                "SetHandleInformation of stderr");
    bench_check(CreateProcessW(path, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL,
                               &startup, &child),
                "CreateProcess");
    bench_check(AssignProcessToJobObject(job, child.hProcess), "AssignProcessToJobObject");
    bench_check(ResumeThread(child.hThread) != (DWORD)-1, "ResumeThread");
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
}
