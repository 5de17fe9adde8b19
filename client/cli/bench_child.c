#include "bench_child.h"

#include <stdlib.h>
#include <string.h>

enum { HANDLES_MAX = 5 };

bool bench_read(HANDLE pipe, void *bytes, DWORD size)
{
    DWORD done = 0;

    for (char *at = bytes; size > 0; at += done, size -= done) {
        if (!ReadFile(pipe, at, size, &done, NULL) || done == 0)
            return false;
    }
    return true;
}

bool bench_write(HANDLE pipe, const void *bytes, DWORD size)
{
    DWORD done = 0;
    return WriteFile(pipe, bytes, size, &done, NULL) && done == size;
}

/* ---- the floor ---- */

/* Source, relay, target: the hops of a hand-off through the service, with the handle calls that it
 * takes and nothing else. The second DuplicateHandle closes our own handle too. */
static enum exit_code relay(const HANDLE handles[HANDLES_MAX])
{
    HANDLE in = handles[0], to_source = handles[1], to_target = handles[2];
    HANDLE source = handles[3], target = handles[4], self = GetCurrentProcess();
    struct bench_request request;
    struct bench_answer answer = {0};

    while (bench_read(in, &request, sizeof request)) {
        HANDLE own = NULL, placed = NULL;
        if (!DuplicateHandle(source, (HANDLE)(uintptr_t)request.handle, self, &own, 0, FALSE,
                             DUPLICATE_SAME_ACCESS) ||
            !DuplicateHandle(self, own, target, &placed, 0, FALSE,
                             DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE))
            return EXIT_REFUSED;
        request.handle = answer.handle = (uintptr_t)placed;
        if (!bench_write(to_target, &request, sizeof request) ||
            !bench_write(to_source, &answer, sizeof answer))
            return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

static enum exit_code floor_target(HANDLE in)
{
    struct bench_request request;

    while (bench_read(in, &request, sizeof request)) {
        HANDLE given = (HANDLE)(uintptr_t)request.handle;
        if (!SetEvent(given) || !CloseHandle(given))
            return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

/* ---- the service ---- */

static void receive_events(struct talk *talk)
{
    hbk_delivery *delivery = NULL;
    bool more = true;

    while (more) {
        hbk_result result = hbk_receive(talk->client, INFINITE, &delivery, &talk->error);
        if (!talk_good(talk, result, NULL))
            return;
        more = delivery->data == NULL || strcmp(delivery->data, BENCH_END) != 0;
        if (delivery->count != 1 || strcmp(delivery->items[0].type, "Event") != 0 ||
            !SetEvent(delivery->items[0].handle)) {
            talk->code = EXIT_REFUSED;
            more = false;
        }
        hbk_delivery_free(delivery); /* closes the handle */
    }
}

static enum exit_code service_target(const struct arguments *arguments, const char *name)
{
    const hbk_endpoint_options options = {.size = sizeof options, .name = name};
    struct talk talk;

    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_endpoint_open(talk.client, &options, &talk.error), NULL))
        receive_events(&talk);
    return talk_end(&talk);
}

/* ---- roles ---- */

/* What follows @role and a comma in @text; NULL: it is another. */
static const char *rest_of(const char *text, const char *role)
{
    size_t size = strlen(role);
    return strncmp(text, role, size) == 0 && text[size] == ',' ? text + size + 1 : NULL;
}

static bool read_handles(const char *text, size_t count, HANDLE handles[HANDLES_MAX])
{
    for (size_t i = 0; i < count; i++) {
        char *end = NULL;
        handles[i] = (HANDLE)(uintptr_t)strtoul(text, &end, 10);
        if (handles[i] == NULL || *end != (i + 1 < count ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

enum exit_code bench_child(const struct arguments *arguments, const char *role)
{
    HANDLE handles[HANDLES_MAX] = {NULL};
    const char *rest = rest_of(role, "relay");

    if (rest != NULL && read_handles(rest, HANDLES_MAX, handles))
        return relay(handles);
    rest = rest_of(role, "floor");
    if (rest != NULL && read_handles(rest, 1, handles))
        return floor_target(handles[0]);
    rest = rest_of(role, "target");
    if (rest != NULL)
        return service_target(arguments, rest);
    return usage_error(arguments, "what is this", role);
}
