/* A run that fails, made shorter: steps are left out, more and more at a time or fewer (delta debugging), as
 * long as the same invariant breaks. Each try is a run of this program of its own, so that whatever ends it,
 * an abort or a sanitizer, ends the try alone. */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const struct sim_options *options;
    const char *program, *invariant;
    uint64_t *steps; /* that are still in */
    size_t count;
    char path[300], output[300];
    unsigned tries;
};

static int write_steps(const struct search *search, size_t from, size_t to)
{
    FILE *file = fopen(search->path, "w");
    if (!file)
        return -1;
    for (size_t i = 0; i < search->count; ++i)
        if (i < from || i >= to)
            fprintf(file, "%" PRIu64 "\n", search->steps[i]);
    return fclose(file) == 0 ? 0 : -1;
}

static bool output_names(const struct search *search)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen(search->output, "r");
    while (file && fgets(line, sizeof line, file))
        found |= strncmp(line, "violated: ", 10) == 0 &&
                 strncmp(line + 10, search->invariant, strlen(search->invariant)) == 0;
    if (file)
        fclose(file);
    return found;
}

/* Does it still fail without those from @from up to @to? */
static bool fails_without(struct search *search, size_t from, size_t to, uint64_t last)
{
    char command[1400];
    ++search->tries;
    if (write_steps(search, from, to) != 0)
        return false;
    snprintf(command, sizeof command,
             "\"%s\" --seed %" PRIu64 " --steps %" PRIu64
             " --faults %u --only \"%s\"%s%s > \"%s\" 2>&1",
             search->program, search->options->seed, last, search->options->faults, search->path,
             search->options->bug ? " --bug " : "",
             search->options->bug ? search->options->bug : "", search->output);
    return system(command) != 0 && output_names(search); /* NOLINT(cert-env33-c): its own name */
}

static void leave_out(struct search *search, size_t from, size_t to)
{
    memmove(&search->steps[from], &search->steps[to], (search->count - to) * sizeof *search->steps);
    search->count -= to - from;
}

static void shorten(struct search *search, uint64_t last)
{
    for (size_t size = (search->count + 1) / 2; size > 0;) {
        bool shorter = false;
        for (size_t from = 0; from < search->count;) {
            size_t to = from + size < search->count ? from + size : search->count;
            if (fails_without(search, from, to, last)) {
                leave_out(search, from, to);
                shorter = true;
            } else {
                from = to;
            }
        }
        if (size == 1 && !shorter)
            return;
        size = size > 1 ? size / 2 : 1;
    }
}

int sim_minimise(const struct sim_options *options, const char *program, uint64_t steps,
                 const char *invariant)
{
    struct search search = {.options = options, .program = program, .invariant = invariant};
    snprintf(search.path, sizeof search.path, "sim-%" PRIu64 ".steps", options->seed);
    snprintf(search.output, sizeof search.output, "sim-%" PRIu64 ".output", options->seed);
    search.steps = malloc((steps + 1) * sizeof *search.steps);
    HBK_ASSERT(search.steps != NULL);
    for (uint64_t i = 1; i <= steps; ++i)
        search.steps[search.count++] = i;
    if (!fails_without(&search, 0, 0, steps)) {
        printf("minimise: the same run does not fail in the same way: see %s\n", search.output);
        free(search.steps);
        return -1;
    }
    shorten(&search, steps);
    write_steps(&search, 0, 0);
    fails_without(&search, 0, 0, steps);
    printf("minimised to %zu of %" PRIu64 " steps in %u tries; to see them:\n"
           "  %s --seed %" PRIu64 " --steps %" PRIu64 " --faults %u --only %s%s%s\n",
           search.count, steps, search.tries, program, options->seed, steps, options->faults,
           search.path, options->bug ? " --bug " : "", options->bug ? options->bug : "");
    free(search.steps);
    return 0;
}
