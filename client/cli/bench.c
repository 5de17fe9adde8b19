/* hbctl bench: how long a hand-off takes here, beside what it costs at least.
 *
 * hbctl is the source, and starts itself three times: as the target that receives from the service, and as
 * relay and target of the floor, which do the same hops with bare pipes and DuplicateHandle. Whatever is
 * handed over is one of many events, and the hand-off ends when the source sees that very event set. Passes
 * of the two alternate, so that what slows the machine for a while slows both. */
#include "bench_child.h"

#include <stdlib.h>

enum {
    EVENTS = 32,          /* handed over in turn; no more than can be waited for at once */
    PASS = 100,           /* hand-offs before the other has its turn */
    WARM_UP = 10,         /* hand-offs of each pass that are not measured */
    HAND_OFF_MS = 5000,   /* one that takes longer has gone wrong */
    OPEN_MS = 10000,      /* for the target to open its endpoint */
    RUN_MS = 60000,       /* for all of it */
    COUNT_DEFAULT = 2000, /* of each */
    COUNT_MAX = 100000,
    CHILDREN = 3,
    LINE_CHARS = 1024,
};

struct samples {
    double *us;
    size_t count;
};

struct bench {
    struct talk talk;
    char name[64]; /* of the target's endpoint */
    HANDLE job;    /* its processes end with it */
    HANDLE children[CHILDREN];
    HANDLE request, answer; /* of the relay, our ends */
    HANDLE events[EVENTS];
    struct samples service, floor;
};

/* ---- what went wrong ---- */

static bool wrong(struct bench *bench, hbk_result result, DWORD error, const char *what)
{
    bench->talk.error = (hbk_error_info){.result = result, .item = -1, .win32 = error};
    snprintf(bench->talk.error.detail, sizeof bench->talk.error.detail, "%s", what);
    return talk_good(&bench->talk, result, NULL);
}

static bool wrong_windows(struct bench *bench, const char *what)
{
    return wrong(bench, HBK_OS_ERROR, GetLastError(), what);
}

/* ---- the children ---- */

/* Lets a child run that ends with us; one that could be left behind ends at once, and is NULL. */
static void adopt(const struct bench *bench, PROCESS_INFORMATION *process)
{
    if (AssignProcessToJobObject(bench->job, process->hProcess)) {
        ResumeThread(process->hThread);
    } else {
        TerminateProcess(process->hProcess, EXIT_REFUSED);
        CloseHandle(process->hProcess);
        process->hProcess = NULL;
    }
    CloseHandle(process->hThread);
}

/* False, with an error: it would not fit, or is no Unicode. */
static bool write_line(const struct globals *globals, const wchar_t *self, const char *role,
                       wchar_t line[LINE_CHARS])
{
    wchar_t *pipe = globals->pipe != NULL ? to_wide(globals->pipe) : NULL;
    int written = -1;

    if (pipe != NULL)
        written =
            _snwprintf(line, LINE_CHARS, L"\"%ls\" bench --child %hs --unverified --pipe \"%ls\"",
                       self, role, pipe);
    else if (globals->pipe == NULL)
        written = _snwprintf(line, LINE_CHARS, L"\"%ls\" bench --child %hs", self, role);
    free(pipe);
    SetLastError(ERROR_FILENAME_EXCED_RANGE);
    return written > 0 && written < LINE_CHARS;
}

/* Starts hbctl again as @role, with the handles @heirs and no others. Return: NULL with an error. */
static HANDLE start(struct bench *bench, const char *role, HANDLE *heirs, size_t count)
{
    wchar_t self[MAX_PATH], line[LINE_CHARS];
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup}};
    PROCESS_INFORMATION process = {0};
    SIZE_T size = 0;

    /* A path that was cut off would name another program. */
    DWORD self_size = GetModuleFileNameW(NULL, self, MAX_PATH);
    if (self_size == 0 || self_size == MAX_PATH ||
        !write_line(&bench->talk.arguments->globals, self, role, line))
        return NULL;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (startup.lpAttributeList != NULL &&
        InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size)) {
        bool heir = count > 0 && UpdateProcThreadAttribute(startup.lpAttributeList, 0,
                                                           PROC_THREAD_ATTRIBUTE_HANDLE_LIST, heirs,
                                                           count * sizeof heirs[0], NULL, NULL);
        DWORD flags = DETACHED_PROCESS | CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT;
        if ((heir || count == 0) && CreateProcessW(self, line, NULL, NULL, heir, flags, NULL, NULL,
                                                   &startup.StartupInfo, &process))
            adopt(bench, &process);
        DeleteProcThreadAttributeList(startup.lpAttributeList);
    }
    free(startup.lpAttributeList);
    return process.hProcess;
}

/* A copy of @process that can be inherited, to duplicate handles in it. */
static HANDLE lent(HANDLE process)
{
    HANDLE copy = NULL, self = GetCurrentProcess();
    DuplicateHandle(self, process, self, &copy, PROCESS_DUP_HANDLE, TRUE, 0);
    return copy;
}

/* Both ends can be inherited; a child gets those that it is named. */
static bool make_pipe(HANDLE *ret_read, HANDLE *ret_write)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .bInheritHandle = TRUE};
    return CreatePipe(ret_read, ret_write, &attributes, 65536) != 0;
}

static void close_handle(HANDLE handle)
{
    if (handle != NULL)
        CloseHandle(handle);
}

static bool start_floor(struct bench *bench)
{
    HANDLE in = NULL, to_source = NULL, to_target = NULL, from_relay = NULL;
    char role[128];
    bool good = make_pipe(&in, &bench->request) && make_pipe(&bench->answer, &to_source) &&
                make_pipe(&from_relay, &to_target);

    if (good) {
        snprintf(role, sizeof role, "floor,%lu", (unsigned long)(uintptr_t)from_relay);
        bench->children[1] = start(bench, role, &from_relay, 1);
    }
    if (good && bench->children[1] != NULL) {
        HANDLE heirs[] = {in, to_source, to_target, lent(GetCurrentProcess()),
                          lent(bench->children[1])};
        snprintf(role, sizeof role, "relay,%lu,%lu,%lu,%lu,%lu", (unsigned long)(uintptr_t)heirs[0],
                 (unsigned long)(uintptr_t)heirs[1], (unsigned long)(uintptr_t)heirs[2],
                 (unsigned long)(uintptr_t)heirs[3], (unsigned long)(uintptr_t)heirs[4]);
        bench->children[2] = start(bench, role, heirs, sizeof heirs / sizeof heirs[0]);
        close_handle(heirs[3]);
        close_handle(heirs[4]);
    }
    good = good && bench->children[2] != NULL;
    if (!good)
        wrong_windows(bench, "the processes that do without the service cannot be started");
    close_handle(in);
    close_handle(to_source);
    close_handle(to_target);
    close_handle(from_relay);
    return good;
}

static bool prepare(struct bench *bench, size_t count)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    char role[96];

    bench->service.us = malloc(count * sizeof bench->service.us[0]);
    bench->floor.us = malloc(count * sizeof bench->floor.us[0]);
    if (bench->service.us == NULL || bench->floor.us == NULL)
        return wrong(bench, HBK_NO_MEMORY, 0, "out of memory for what is measured");
    for (size_t i = 0; i < EVENTS; i++) {
        bench->events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
        if (bench->events[i] == NULL)
            return wrong_windows(bench, "no event can be made");
    }
    bench->job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (bench->job == NULL ||
        !SetInformationJobObject(bench->job, JobObjectExtendedLimitInformation, &limits,
                                 sizeof limits))
        return wrong_windows(bench, "no job can be made");
    snprintf(bench->name, sizeof bench->name, "user/hbctl/bench-%lu", GetCurrentProcessId());
    snprintf(role, sizeof role, "target,%s", bench->name);
    bench->children[0] = start(bench, role, NULL, 0);
    if (bench->children[0] == NULL)
        return wrong_windows(bench, "the process that receives cannot be started");
    return start_floor(bench);
}

/* ---- hand-offs ---- */

static bool arrived(struct bench *bench, HANDLE event, const char *how)
{
    char what[160];

    if (WaitForSingleObject(event, HAND_OFF_MS) == WAIT_OBJECT_0)
        return true;
    snprintf(what, sizeof what,
             "an event that was handed over %s was not set: it did not arrive, "
             "or another object did",
             how);
    return wrong(bench, HBK_TIMEOUT, 0, what);
}

static bool by_service(struct bench *bench, HANDLE event, const char *data, uint32_t wait_ms)
{
    const hbk_send_item item = {.handle = event};
    const hbk_send_options options = {.size = sizeof options,
                                      .to = bench->name,
                                      .items = &item,
                                      .count = 1,
                                      .data = data,
                                      .wait_ms = wait_ms};
    struct talk *talk = &bench->talk;

    hbk_result result = hbk_send(talk->client, &options, NULL, &talk->error);
    return result == HBK_OK ? arrived(bench, event, "by the service")
                            : talk_good(talk, result, NULL);
}

static bool by_floor(struct bench *bench, HANDLE event)
{
    struct bench_request request = {.handle = (uintptr_t)event};
    struct bench_answer answer;

    if (!bench_write(bench->request, &request, sizeof request))
        return wrong_windows(bench, "the process that stands for the service has ended");
    /* By then the answer is there, and reading it does not wait. */
    return arrived(bench, event, "without the service") &&
           (bench_read(bench->answer, &answer, sizeof answer) ||
            wrong_windows(bench, "the process that stands for the service has ended"));
}

static double now_us(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static bool run_pass(struct bench *bench, struct samples *samples, size_t count)
{
    for (size_t i = 0; i < WARM_UP + count; i++) {
        HANDLE event = bench->events[i % EVENTS];
        double start_us = now_us();
        if (samples == &bench->service ? !by_service(bench, event, NULL, 0)
                                       : !by_floor(bench, event))
            return false;
        if (i >= WARM_UP)
            samples->us[samples->count++] = now_us() - start_us;
    }
    return true;
}

static bool run_passes(struct bench *bench, size_t count)
{
    ULONGLONG end = GetTickCount64() + RUN_MS;

    /* The first finds the endpoint, once the target has opened it. */
    if (!by_service(bench, bench->events[0], NULL, OPEN_MS))
        return false;
    progress_begin(&bench->talk.arguments->globals, "handing over", NULL);
    progress_count(0, (uint32_t)count);
    while (bench->service.count < count && GetTickCount64() < end) {
        size_t left = count - bench->service.count, pass = left < PASS ? left : PASS;
        if (!run_pass(bench, &bench->service, pass) || !run_pass(bench, &bench->floor, pass))
            return false;
        progress_count((uint32_t)bench->service.count, (uint32_t)count);
    }
    progress_end();
    /* Each was set once and its signal was taken: what is set now is what nobody has handed over. */
    if (WaitForMultipleObjects(EVENTS, bench->events, FALSE, 0) != WAIT_TIMEOUT)
        return wrong(bench, HBK_INTERNAL_ERROR, 0, "an event was set that was not handed over");
    return true;
}

/* Has the children leave, and looks how they did. */
static bool finish(struct bench *bench)
{
    bool good = by_service(bench, bench->events[0], BENCH_END, 0);

    close_handle(bench->request);
    bench->request = NULL;
    for (size_t i = 0; good && i < CHILDREN; i++) {
        DWORD code = 0;
        if (WaitForSingleObject(bench->children[i], HAND_OFF_MS) != WAIT_OBJECT_0)
            good = wrong(bench, HBK_TIMEOUT, 0, "a process of the measurement does not end");
        else if (!GetExitCodeProcess(bench->children[i], &code) || code != EXIT_DONE)
            good = wrong(bench, HBK_INTERNAL_ERROR, 0,
                         "a process of the measurement was given what it could not use");
    }
    return good;
}

static void bench_deinit(struct bench *bench)
{
    close_handle(bench->request);
    close_handle(bench->answer);
    close_handle(bench->job); /* ends what still runs */
    for (size_t i = 0; i < CHILDREN; i++) {
        if (bench->children[i] != NULL)
            WaitForSingleObject(bench->children[i], HAND_OFF_MS);
        close_handle(bench->children[i]);
    }
    for (size_t i = 0; i < EVENTS; i++)
        close_handle(bench->events[i]);
    free(bench->service.us);
    free(bench->floor.us);
}

/* ---- what it was ---- */

struct figures {
    double p50_us, p99_us, per_second;
};

static int compare(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;
    return (l > r) - (l < r);
}

static struct figures figures_of(struct samples *samples)
{
    double sum = 0;

    qsort(samples->us, samples->count, sizeof samples->us[0], compare);
    for (size_t i = 0; i < samples->count; i++)
        sum += samples->us[i];
    return (struct figures){
        .p50_us = samples->us[(samples->count - 1) / 2],
        .p99_us = samples->us[(samples->count - 1) * 99 / 100],
        .per_second = (double)samples->count * 1e6 / sum,
    };
}

static void add_row(struct table *table, const char *name, const struct figures *figures,
                    int places)
{
    char p50[32], p99[32], rate[32];

    snprintf(p50, sizeof p50, "%.*f", places, figures->p50_us);
    snprintf(p99, sizeof p99, "%.*f", places, figures->p99_us);
    snprintf(rate, sizeof rate, "%.*f", places == 1 ? 0 : places, figures->per_second);
    const char *cells[] = {name, p50, p99, rate};
    table_row(table, cells);
}

static void print_figures(size_t count, const struct figures *service, const struct figures *least)
{
    static const char *const headings[] = {"", "P50 US", "P99 US", "A SECOND"};
    const struct figures ratio = {service->p50_us / least->p50_us, service->p99_us / least->p99_us,
                                  service->per_second / least->per_second};
    struct table table;

    printf("%lu hand-offs of each kind, one at a time; each handle was the right object\n\n",
           (unsigned long)count);
    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    add_row(&table, "by the service", service, 1);
    add_row(&table, "the floor", least, 1);
    add_row(&table, "ratio", &ratio, 2);
    table_print(&table, stdout);
}

static void json_side(struct json *json, const char *key, const struct figures *figures)
{
    json_open(json, key, '{');
    json_decimal(json, "p50_us", figures->p50_us);
    json_decimal(json, "p99_us", figures->p99_us);
    json_decimal(json, "per_second", figures->per_second);
    json_close(json, '}');
}

static void json_figures(size_t count, const struct figures *service, const struct figures *least)
{
    struct json json;

    json_begin(&json, stdout);
    json_number(&json, "count", count);
    json_side(&json, "service", service);
    json_side(&json, "floor", least);
    json_decimal(&json, "ratio_p50", service->p50_us / least->p50_us);
    json_decimal(&json, "ratio_p99", service->p99_us / least->p99_us);
    json_end(&json);
}

enum exit_code run_bench(struct arguments *arguments)
{
    const char *role = NULL;
    uint32_t count = COUNT_DEFAULT;
    const struct option options[] = {
        {"--count", OPTION_NUMBER, COUNT_MAX, &count, NULL},
        {"--child", OPTION_TEXT, 0, &role, NULL},
    };
    struct bench bench = {.job = NULL};
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], NULL, 0, &code))
        return code;
    if (role != NULL)
        return bench_child(arguments, role);
    if (count == 0)
        return usage_error(arguments, "at least one: --count 1", NULL);
    if (talk_begin(&bench.talk, arguments) && prepare(&bench, count) && run_passes(&bench, count) &&
        finish(&bench)) {
        const struct figures service = figures_of(&bench.service);
        const struct figures least = figures_of(&bench.floor);
        (arguments->globals.json ? json_figures : print_figures)(bench.service.count, &service,
                                                                 &least);
    }
    code = talk_end(&bench.talk);
    bench_deinit(&bench);
    return code;
}
