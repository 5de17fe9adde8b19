/* What is remembered of a run: its last events, a digest of all of them, and what came about. */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[SIM_EV_COUNT] = {
    [SIM_EV_SAYS] = "client %" PRIu64 " says",
    [SIM_EV_TOLD] = "client %" PRIu64 " is told",
    [SIM_EV_SEAM] = "  %s(client %" PRIu64 ", %" PRIu64 ") = %" PRIi64,
    [SIM_EV_CONNECTS] = "client %" PRIu64 " connects: process %" PRIu64 ", identity %" PRIu64,
    [SIM_EV_WRITE_ENDS] = "the write to client %" PRIu64 " ends, told: %" PRIu64,
    [SIM_EV_UNPIN_ENDS] = "the close of a pin returns, ticket %" PRIu64,
    [SIM_EV_LOOK_ENDS] = "a worker has looked at tables, ticket %" PRIu64 ", failed: %" PRIu64,
    [SIM_EV_SOCKETS_END] = "a worker has made sockets, ticket %" PRIu64 ", failed: %" PRIu64,
    [SIM_EV_PROOF_ENDS] = "the close of the proof of client %" PRIu64 " returns",
    [SIM_EV_EXITS] = "process %" PRIu64 " exits",
    [SIM_EV_HANGS_UP] = "client %" PRIu64 " hangs up",
    [SIM_EV_HEARD] = "the broker hears that client %" PRIu64 " is gone",
    [SIM_EV_CLOCK] = "it is %" PRIu64 " ms",
    [SIM_EV_RULES] = "rules %" PRIu64 " are loaded",
    [SIM_EV_STOPS] = "the broker is told to stop",
    [SIM_EV_PAUSES] = "the broker is told to pause: %" PRIu64,
    [SIM_EV_STARTS] = "broker %" PRIu64 " starts",
    [SIM_EV_SETTLES] = "all comes to its end",
    [SIM_EV_HANDLE] = "process %" PRIu64 " has handle %" PRIu64 " of object %" PRIu64,
    [SIM_EV_ALLOC] = "an allocation fails: number %" PRIu64 " of the next call",
};

static const char *const operations[FAKE_OP_COUNT] = {
    [FAKE_OP_WRITE] = "write",
    [FAKE_OP_PROOF_OPEN] = "proof_open",
    [FAKE_OP_PIN] = "pin",
    [FAKE_OP_INSPECT] = "inspect",
    [FAKE_OP_PLACE] = "place",
    [FAKE_OP_UNPLACE] = "unplace",
    [FAKE_OP_UNPIN] = "unpin",
    [FAKE_OP_DESCRIPTOR_NEW] = "descriptor_new",
    [FAKE_OP_ACCESS_CHECK] = "access_check",
    [FAKE_OP_MAY_DUPLICATE] = "may_duplicate",
    [FAKE_OP_WIDENABLE] = "widenable",
    [FAKE_OP_PROOF_IS_SET] = "proof_is_set",
    [FAKE_OP_PROOF_CLOSE] = "proof_close",
    [FAKE_OP_READ_PAUSE] = "read_pause",
    [FAKE_OP_READ_ON] = "read_on",
    [FAKE_OP_CLOSE] = "close",
    [FAKE_OP_RELEASE] = "release",
    [FAKE_OP_PROCESS_OPEN] = "process_open",
    [FAKE_OP_SOCKETS_MAKE] = "sockets_make",
    [FAKE_OP_SOCKETS_MADE] = "a socket is made",
    [FAKE_OP_SOCKETS_UNDO] = "sockets_undo",
    [FAKE_OP_PROCESS_CLOSE] = "process_close",
    [FAKE_OP_CLOSER_REF] = "closer_ref",
    [FAKE_OP_CLOSER_UNREF] = "closer_unref",
    [FAKE_OP_SOCKETS_INFO] = "sockets_info",
    [FAKE_OP_SOCKETS_FREE] = "sockets_free",
    [FAKE_OP_LOOK] = "look",
    [FAKE_OP_LOOKED] = "a look at tables",
};

uint64_t sim_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9FB21C651E98DF25u;
    return hash ^ (hash >> 32);
}

static uint64_t mix_bytes(uint64_t hash, const char *bytes, size_t size)
{
    uint64_t word = 0;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = sim_mix(hash, word);
    }
    word = size;
    memcpy(&word, bytes, size);
    return sim_mix(hash, word);
}

void sim_event(struct sim *sim, enum sim_event_kind kind, uint64_t a, uint64_t b, uint64_t c,
               const char *text, size_t size)
{
    struct sim_event *event = &sim->events[sim->events_count++ % SIM_EVENTS_KEPT];
    event->step = sim->step;
    event->kind = kind;
    event->a = a;
    event->b = b;
    event->c = c;
    event->size = (uint32_t)size;
    if (size)
        memcpy(event->text, text, size < sizeof event->text ? size : sizeof event->text);
    uint64_t digest = sim_mix(sim->digest, (uint64_t)kind << 56 ^ sim->step);
    digest = sim_mix(sim_mix(sim_mix(digest, a), b), c);
    sim->digest = size ? mix_bytes(digest, text, size) : digest;
}

static void print_event(const struct sim_event *event, FILE *to)
{
    fprintf(to, "  %8" PRIu64 "  ", event->step);
    if (event->kind == SIM_EV_SEAM) {
        const char *name = operations[event->a >> 32];
        /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
        fprintf(to, kinds[SIM_EV_SEAM], name, event->a & UINT32_MAX, event->b, (int64_t)event->c);
    } else {
        /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
        fprintf(to, kinds[event->kind], event->a, event->b, event->c);
    }
    size_t shown = event->size < sizeof event->text ? event->size : sizeof event->text;
    if (shown)
        fputs(": ", to);
    for (size_t i = 0; i < shown; ++i)
        fputc(event->text[i] < 0x20 || event->text[i] > 0x7E ? '.' : event->text[i], to);
    fputs(event->size > sizeof event->text ? "...\n" : "\n", to);
}

void sim_events_print(const struct sim *sim, FILE *to)
{
    uint64_t first = sim->events_count > SIM_EVENTS_KEPT ? sim->events_count - SIM_EVENTS_KEPT : 0;
    for (uint64_t i = first; i < sim->events_count; ++i)
        print_event(&sim->events[i % SIM_EVENTS_KEPT], to);
}

/* ---- what came about ---- */

static const struct {
    int32_t code;
    const char *name;
} results[] = {
#define HBK_RESULT(name, code, text, meaning) {code, text},
#include "results.def"
#undef HBK_RESULT
};

enum { RESULTS = sizeof results / sizeof results[0] };
_Static_assert((int)RESULTS <= (int)SIM_ERRORS_MAX, "more errors than are counted");

static const char *const outcome_texts[SIM_OUTCOMES] = {
#define SIM_OUTCOME(name, text) text,
#include "outcomes.def"
#undef SIM_OUTCOME
};

void sim_outcome(struct sim *sim, enum sim_outcome outcome)
{
    ++sim->counts->outcomes[outcome];
}

uint32_t sim_error_index(int32_t code)
{
    for (uint32_t i = 0; i < RESULTS; ++i)
        if (results[i].code == code)
            return i;
    return SIM_ERRORS_MAX - 1;
}

void sim_state(struct sim *sim, uint64_t state)
{
    uint64_t bit = (state ^ (state >> 29)) % SIM_STATES_BITS;
    sim->counts->states[bit / 8] |= (uint8_t)(1u << (bit % 8));
}

/* One count a line, for the program that adds up what several of these have written; the states as hex. */
int sim_report(const struct sim_counts *counts, const char *path, double seconds)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file, "run seeds %" PRIu64 "\nrun steps %" PRIu64 "\n", counts->seeds, counts->steps);
    fprintf(file, "run lines said %" PRIu64 "\nrun lines told %" PRIu64 "\n", counts->lines_said,
            counts->lines_told);
    fprintf(file, "run milliseconds %.0f\n", seconds * 1000);
    for (size_t i = 0; i < RESULTS; ++i)
        fprintf(file, "error %s %" PRIu64 "\n", results[i].name, counts->errors[i]);
    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; ++i)
        fprintf(file, "result %s %" PRIu64 "\n", hbk_method_name((enum hbk_method)i),
                counts->results[i]);
    for (size_t i = 0; i < SIM_OUTCOMES; ++i)
        fprintf(file, "outcome %s %" PRIu64 "\n", outcome_texts[i], counts->outcomes[i]);
    fputs("states ", file);
    for (size_t i = 0; i < sizeof counts->states; ++i)
        fprintf(file, "%02x", counts->states[i]);
    fputs("\n", file);
    return fclose(file) == 0 ? 0 : -1;
}
