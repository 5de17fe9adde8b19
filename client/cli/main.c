/* hbctl.exe: what it can do, and which part of it does that. */
#include "hbctl.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name;
    enum exit_code (*run)(struct arguments *);
    const char *summary, *help;
};

static const struct command commands[] = {
    HBCTL_COMMAND(
        "status", run_status, "the service's state and counters",
        "hbctl status [--json]\n"
        "\n"
        "Prints the service's state and counters, and of each resource that users share\n"
        "how much is used in all and by you, and how much you could have at this moment.\n"
        "\n"
        "Examples:\n"
        "  hbctl status\n"
        "  hbctl status --json\n"),
    HBCTL_COMMAND(
        "endpoints", run_endpoints, "who receives, and under which name",
        "hbctl endpoints [--json]\n"
        "\n"
        "Lists the endpoints that you may see: name, how a delivery is taken (auto, ask),\n"
        "process, session, age, user, and what it takes.\n"
        "\n"
        "Examples:\n"
        "  hbctl endpoints\n"
        "  hbctl endpoints --json\n"),
    HBCTL_COMMAND("sessions", run_sessions, "who is connected to the service",
                  "hbctl sessions [--json]\n"
                  "\n"
                  "Lists the sessions: process, program, state, age, what it holds, and how many\n"
                  "deliveries it has sent and received. It takes the right to inspect, which\n"
                  "administrators have.\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl sessions\n"
                  "  hbctl sessions --json\n"),
    HBCTL_COMMAND("watch", run_watch, "what happens, as it happens",
                  "hbctl watch [--count N] [--timeout MS] [--json]\n"
                  "\n"
                  "Prints the service's audit records as they are made: each grant, refusal and\n"
                  "failure, and each change of the rules. Ctrl+C ends it. It takes the right to\n"
                  "inspect, which administrators have.\n"
                  "\n"
                  "  --count N      end after so many records\n"
                  "  --timeout MS   give up when none has come for so long\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl watch\n"
                  "  hbctl watch --json --count 100 > records.jsonl\n"),
    HBCTL_COMMAND(
        "explain", run_explain, "which rule decides, and what it says",
        "hbctl explain VERB [NAME] [--pid N] [--session N] [--json]\n"
        "\n"
        "Tells whether VERB would be allowed, by which rule, and why, without doing it.\n"
        "VERB is open, send, put or get, which take a NAME, or transfer, inspect or revoke,\n"
        "which do not. It takes the right to inspect, which administrators have.\n"
        "\n"
        "  --pid N        send: to the endpoint NAME of process N\n"
        "  --session N    for this session of hbctl sessions; for hbctl's own unless told\n"
        "\n"
        "Exit code 0: it would be allowed; 1: it would be refused.\n"
        "\n"
        "Examples:\n"
        "  hbctl explain open session/print/queue\n"
        "  hbctl explain send global/log --session 17\n"
        "  hbctl explain send user/inbox --pid 4711\n"
        "  hbctl explain inspect\n"),
    HBCTL_COMMAND(
        "send", run_send, "hand open files to an endpoint",
        "hbctl send NAME --file PATH [--file PATH ...] [OPTION ...]\n"
        "\n"
        "Opens the files and hands them over, all in one delivery; all arrive or none.\n"
        "\n"
        "  --file PATH    a file to open and hand over; up to 64\n"
        "  --write        open the files for writing too; else they are only read\n"
        "  --access A     what the receiver may do: same (what we can; the default),\n"
        "                 read, or a mask such as 0x120089\n"
        "  --type T       what the files are believed to be: another type is refused\n"
        "  --data TEXT    a text that goes with it\n"
        "  --wait MS      wait so long for the endpoint to open, up to 60000\n"
        "  --timeout MS   wait so long for the answer of an endpoint that asks, up to 60000\n"
        "  --pid N        to the endpoint NAME of process N, whoever it runs as, if you could\n"
        "                 place a handle there yourself or a rule lets you\n"
        "\n"
        "Examples:\n"
        "  hbctl send user/inbox --file report.txt\n"
        "  hbctl send user/inbox --file a.log --file b.log --data \"both logs\" --wait 10000\n"
        "  hbctl send user/inbox --file notes.txt --write --access read\n"
        "  hbctl send user/inbox --pid 4711 --file report.txt\n"),
    HBCTL_COMMAND("receive", run_receive, "open an endpoint and take what is sent there",
                  "hbctl receive NAME [OPTION ...]\n"
                  "\n"
                  "Opens the endpoint NAME, shows what arrives there, and closes it again.\n"
                  "\n"
                  "  --ask          show each offer first, and accept it only if you answer y\n"
                  "  --count N      how many deliveries to wait for; 1 unless told\n"
                  "  --timeout MS   give up after so long; without it, Ctrl+C does\n"
                  "  --print        copy the contents of received files to standard output\n"
                  "  --output PATH  copy them into this file\n"
                  "  --from SDDL    only from whom this grants the right 0x2; it can only narrow\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl receive user/inbox\n"
                  "  hbctl receive user/inbox --print > copy.txt\n"
                  "  hbctl receive user/inbox --ask --timeout 60000 --output copy.txt\n"
                  "  hbctl receive user/inbox --from \"D:(A;;0x2;;;S-1-5-18)\"\n"),
};

/* Between them stands the list of commands. */
static const char general_help[] =
    "With every command:\n"
    "  --json         one JSON object a line, for scripts; errors too, on standard error\n"
    "  --pipe NAME    the pipe of a broker that runs in the console (handlebroker run)\n"
    "  --unverified   do not check whom that pipe belongs to; it has to be said with --pipe\n"
    "  --help         the command's options, with examples\n"
    "  --version      print the version\n"
    "\n"
    "Exit codes: 0 done; 1 refused, by the name that is printed; 2 wrong command line, or a\n"
    "file that it names cannot be used; 3 the service is not there, not to be trusted, or\n"
    "went away; 4 not in time.\n"
    "\n"
    "To hand an open file from one console to another:\n"
    "  hbctl receive user/inbox --print           in the one, and in the other\n"
    "  hbctl send user/inbox --file report.txt\n";

static void print_summary(FILE *file)
{
    fprintf(file,
            "hbctl %s: the Handle Broker from a command line\n\nhbctl COMMAND [OPTION ...]\n\n",
            hbk_version());
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(file, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputc('\n', file);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* --help before or without a command. */
static bool is_help(const struct arguments *arguments)
{
    return arguments->at < arguments->count &&
           strcmp(arguments->values[arguments->at], "--help") == 0;
}

static enum exit_code run(struct arguments *arguments)
{
    enum exit_code code = EXIT_USAGE;
    bool taken = true;

    arguments->help = general_help;
    while (taken && arguments->at < arguments->count) {
        if (is_help(arguments))
            print_summary(stdout);
        if (!global_read(arguments, &taken, &code))
            return code;
    }
    if (arguments->globals.version) {
        printf("hbctl %s\n", hbk_version());
        return EXIT_DONE;
    }
    if (arguments->at == arguments->count) {
        print_summary(stderr);
        fputs(general_help, stderr);
        return EXIT_USAGE;
    }
    const char *name = arguments->values[arguments->at++];
    const struct command *command = find_command(name);
    if (command == NULL)
        return usage_error(NULL, "no such command", name);
    arguments->command = command->name;
    arguments->help = command->help;
    return command->run(arguments);
}

int wmain(int argc, wchar_t **argv)
{
    struct arguments arguments = {0};

    /* What is printed is UTF-8, and a file's bytes are copied as they are. */
    SetConsoleOutputCP(CP_UTF8);
    _setmode(_fileno(stdout), _O_BINARY);
    arguments.values = arguments_utf8(argc, argv);
    if (arguments.values == NULL) {
        fputs("hbctl: an argument is not valid Unicode\n", stderr);
        return EXIT_USAGE;
    }
    arguments.count = argc;
    arguments.at = argc > 0 ? 1 : 0;
    enum exit_code code = run(&arguments);
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        fputs("hbctl: standard output could not be written\n", stderr);
        code = EXIT_USAGE;
    }
    arguments_free(arguments.values);
    return (int)code;
}
