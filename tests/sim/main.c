/* hbk_sim: runs seeds, and says what broke. */
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "hbk_sim [--seed N] [--seeds COUNT] [--stride N] [--steps N] [--faults PERCENT] [--seconds N]\n"
    "        [--bug NAME] [--minimise] [--only FILE] [--digest] [--every-step] [--report FILE] "
    "[--bugs]\n"
    "\n"
    "  --seed N        the first seed (1)\n"
    "  --seeds COUNT   how many, each --stride (1) after the one before; 0: until the time is "
    "over\n"
    "  --steps N       of each seed (5000)\n"
    "  --faults P      percent of the rates of faults that a seed draws (100)\n"
    "  --seconds N     begin no seed after so long\n"
    "  --bug NAME      with a planted bug, in a build that has them; --bugs lists them\n"
    "  --minimise      leave out what is not needed for the violation\n"
    "  --only FILE     of the steps only those whose numbers stand in FILE\n"
    "  --digest        print one number for all events of a seed\n"
    "  --every-step    count everything after every step\n"
    "  --report FILE   what came about, for sim.py\n";

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifdef HAS_SANITIZER
void __sanitizer_set_death_callback(void (*callback)(void)); /* NOLINT: its name */
#else
#define HAS_SANITIZER 0
#endif

static struct sim_counts counts;
static struct sim *sim;

static uint64_t number_of(const char *option, const char *text)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = text ? strtoull(text, &end, 10) : 0;
    if (!text || errno || end == text || *end) {
        fprintf(stderr, "%s needs a number\n%s", option, usage);
        exit(2);
    }
    return value;
}

static const uint8_t *read_steps(const char *path, uint64_t steps)
{
    size_t size = (size_t)steps / 8 + 1;
    uint8_t *left_out = malloc(size);
    char line[64];
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file || !left_out) {
        fprintf(stderr, "--only: cannot read %s\n", path ? path : "nothing");
        exit(2);
    }
    memset(left_out, 0xFF, size);
    while (fgets(line, sizeof line, file)) {
        uint64_t step = strtoull(line, NULL, 10);
        if (step <= steps)
            left_out[step / 8] &= (uint8_t) ~(1u << (step % 8));
    }
    fclose(file);
    return left_out;
}

static void plant(const char *name)
{
    for (size_t i = 0; i < sim_bugs_count; ++i)
        if (name && strcmp(sim_bugs[i].name, name) == 0) {
            sim_plant(sim_bugs[i].number);
            return;
        }
    fprintf(stderr, "--bug: there is no such bug in this program\n");
    exit(2);
}

HBK_NORETURN static void list_bugs(void)
{
    for (size_t i = 0; i < sim_bugs_count; ++i) {
        bool seen = HAS_SANITIZER || strcmp(sim_bugs[i].invariants, "end of the program") != 0;
        printf("%s\t%u\t%s\n", sim_bugs[i].name, seen ? sim_bugs[i].seeds : 0,
               sim_bugs[i].invariants);
    }
    exit(0);
}

struct arguments {
    struct sim_options options;
    const char *only;
};

/* Return: how many words were taken; 0: it is none of these. */
static int take_switch(struct arguments *arguments, const char *word)
{
    struct sim_options *options = &arguments->options;
    if (strcmp(word, "--minimise") == 0)
        options->minimise = true;
    else if (strcmp(word, "--digest") == 0)
        options->digest = true;
    else if (strcmp(word, "--every-step") == 0)
        options->every_step = true;
    else if (strcmp(word, "--bugs") == 0)
        list_bugs();
    else
        return 0;
    return 1;
}

static int take_option(struct arguments *arguments, const char *word, const char *value)
{
    struct sim_options *options = &arguments->options;
    if (strcmp(word, "--seed") == 0)
        options->seed = number_of(word, value);
    else if (strcmp(word, "--seeds") == 0)
        options->seeds = number_of(word, value);
    else if (strcmp(word, "--stride") == 0)
        options->stride = number_of(word, value);
    else if (strcmp(word, "--steps") == 0)
        options->steps = number_of(word, value);
    else if (strcmp(word, "--faults") == 0)
        options->faults = (uint32_t)number_of(word, value);
    else if (strcmp(word, "--seconds") == 0)
        options->seconds = (uint32_t)number_of(word, value);
    else if (strcmp(word, "--bug") == 0)
        plant(options->bug = value);
    else if (strcmp(word, "--only") == 0)
        arguments->only = value;
    else if (strcmp(word, "--report") == 0)
        options->report = value;
    else
        return 0;
    return 2;
}

static struct sim_options read_arguments(int argc, char **argv)
{
    struct arguments arguments = {
        .options = {.seed = 1, .seeds = 1, .stride = 1, .steps = 5000, .faults = 100}};
    for (int i = 1; i < argc;) {
        int taken = take_switch(&arguments, argv[i]);
        if (!taken)
            taken = take_option(&arguments, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (!taken) {
            fputs(usage, stderr);
            exit(strcmp(argv[i], "--help") == 0 ? 0 : 2);
        }
        i += taken;
    }
    if (arguments.only)
        arguments.options.left_out = read_steps(arguments.only, arguments.options.steps);
    return arguments.options;
}

/* ---- what is seen of it ---- */

static void print_violation(const struct sim_options *options, const char *program)
{
    printf("violated: %s\n  %s\nseed %" PRIu64 ", step %" PRIu64 ", the last events:\n",
           sim->invariant, sim->what, sim->seed, sim->step);
    sim_events_print(sim, stdout);
    printf("violated: %s: %s (seed %" PRIu64 ", step %" PRIu64 ")\n", sim->invariant, sim->what,
           sim->seed, sim->step);
    printf("again: %s --seed %" PRIu64 " --steps %" PRIu64 " --faults %u%s%s\n", program, sim->seed,
           options->steps, options->faults, options->bug ? " --bug " : "",
           options->bug ? options->bug : "");
    fflush(stdout);
}

/* Of what ends the program: a sanitizer's finding, or an assertion of the fake kernel. */
static void last_words(void)
{
    const struct sim *at = sim_now();
    if (!at)
        return;
    printf("seed %" PRIu64 ", step %" PRIu64 ", the last events:\n", at->seed, at->step);
    sim_events_print(at, stdout);
    printf("violated: end of the program (seed %" PRIu64 ", step %" PRIu64 ")\n", at->seed,
           at->step);
    fflush(stdout);
}

static bool run_seed(const struct sim_options *options, uint64_t seed, const char *program)
{
    sim = calloc(1, sizeof *sim);
    HBK_ASSERT(sim != NULL);
    sim->options = options;
    sim->counts = &counts;
    sim->seed = seed;
    if (!sim_run(sim)) {
        print_violation(options, program);
        if (options->minimise) {
            struct sim_options shorter = *options;
            shorter.seed = seed;
            sim_minimise(&shorter, program, sim->step < options->steps ? sim->step : options->steps,
                         sim->invariant);
        }
        return false;
    }
    if (options->digest)
        printf("digest of seed %" PRIu64 ": %016" PRIx64 ", %" PRIu64 " events\n", seed,
               sim->digest, sim->events_count);
    sim_free(sim);
    return true;
}

int main(int argc, char **argv)
{
    struct sim_options options = read_arguments(argc, argv);
    struct timespec begin, end;
    double seconds = 0;
    bool held = true;
#if HAS_SANITIZER
    __sanitizer_set_death_callback(last_words);
#endif
    atexit(last_words);
    timespec_get(&begin, TIME_UTC);
    for (uint64_t i = 0; held && (options.seeds == 0 || i < options.seeds); ++i) {
        if (options.seconds && seconds >= options.seconds)
            break;
        held = run_seed(&options, options.seed + i * options.stride, argv[0]);
        timespec_get(&end, TIME_UTC);
        seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    }
    if (options.report && sim_report(&counts, options.report, seconds) != 0) {
        fprintf(stderr, "--report: cannot write %s\n", options.report);
        return 2;
    }
    printf("%" PRIu64 " seeds, %" PRIu64 " steps, %.1f s, %.0f steps a second%s\n", counts.seeds,
           counts.steps, seconds, seconds > 0 ? (double)counts.steps / seconds : 0,
           held ? "" : ": an invariant broke");
    if (!held) {
        /* What was at work when it broke is not freed, and a leak checker's report would be in the way. */
        fflush(NULL);
        _Exit(1);
    }
    return 0;
}
