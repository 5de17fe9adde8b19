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
    HBCTL_COMMAND(
        "handles", run_handles, "what a process has open",
        "hbctl handles PID [--json]\n"
        "\n"
        "Lists the handles of process PID, by value: type, granted rights, and whether\n"
        "children may inherit it (inherit), or it is protected from being closed (protect).\n"
        "It takes the right to inspect, which administrators have, and that to duplicate\n"
        "handles of the process.\n"
        "\n"
        "Examples:\n"
        "  hbctl handles 4711\n"
        "  hbctl handles 4711 --json\n"),
    HBCTL_COMMAND("holders", run_holders, "who has the same object open",
                  "hbctl holders PID HANDLE [--json]\n"
                  "\n"
                  "Lists the handles, of all processes, to the object that the handle of process\n"
                  "PID is about, that one among them. It takes the right to inspect, which\n"
                  "administrators have, and that to duplicate handles of the process.\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl holders 4711 0x1c4\n"
                  "  hbctl holders 4711 452 --json\n"),
    HBCTL_COMMAND(
        "metrics", run_metrics, "what the service has counted, for Prometheus",
        "hbctl metrics [--json]\n"
        "\n"
        "Prints what the service has counted since its start, as text that Prometheus\n"
        "reads: hand-offs by how they ended and how long they took, sessions, endpoints,\n"
        "deliveries, the store, and what users share. It takes the right to inspect,\n"
        "which administrators have.\n"
        "\n"
        "Examples:\n"
        "  hbctl metrics\n"
        "  hbctl metrics > handlebroker.prom\n"),
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
        "  --revocable    so that it can be taken back, which Enter then does; the endpoint\n"
        "                 has to agree\n"
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
                  "  --revocable    agree that senders may take back what they send so, and hold\n"
                  "                 that until they do or leave\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl receive user/inbox\n"
                  "  hbctl receive user/inbox --print > copy.txt\n"
                  "  hbctl receive user/inbox --ask --timeout 60000 --output copy.txt\n"
                  "  hbctl receive user/inbox --from \"D:(A;;0x2;;;S-1-5-18)\"\n"),
    HBCTL_COMMAND(
        "put", run_put, "leave an open file in the broker, for whoever asks for it",
        "hbctl put NAME --file PATH [OPTION ...]\n"
        "hbctl put --ticket --file PATH [OPTION ...]\n"
        "\n"
        "Opens the file and stores the handle under NAME, or without one: then it prints a\n"
        "ticket, with which it can be got once. It stays until it is removed, expires, or the\n"
        "service stops.\n"
        "\n"
        "  --file PATH    the file to open\n"
        "  --write        open it for writing too; else it is only read\n"
        "  --access A     the most that takers get: same (what we can; the default), read,\n"
        "                 or a mask such as 0x120089\n"
        "  --type T       what the file is believed to be: another type is refused\n"
        "  --data TEXT    a text for the takers\n"
        "  --allow SDDL   who may get it: whom this grants the right 0x8; you alone unless told\n"
        "  --ttl MS       how long to keep it; a ticket for 600000 unless told\n"
        "  --once         whoever gets it first has it alone\n"
        "  --replace      take the place of an entry of your own of that name\n"
        "\n"
        "Examples:\n"
        "  hbctl put user/log --file app.log\n"
        "  hbctl put user/log --file app.log --write --access read --replace\n"
        "  hbctl put --ticket --file report.txt --ttl 60000\n"
        "  hbctl put global/motd --file motd.txt --allow \"D:(A;;0x8;;;AU)\"\n"),
    HBCTL_COMMAND("get", run_get, "get a file that was left in the broker",
                  "hbctl get NAME [OPTION ...]\n"
                  "hbctl get --ticket TICKET [OPTION ...]\n"
                  "\n"
                  "Gets a handle to what was put, shows what it is, and closes it again.\n"
                  "\n"
                  "  --ticket T     the ticket that hbctl put has printed\n"
                  "  --access A     same (all that the entry has; the default), read, or a mask\n"
                  "  --wait MS      wait so long for the name to be put, up to 60000\n"
                  "  --print        copy the file's contents to standard output\n"
                  "  --output PATH  copy them into this file\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl get user/log\n"
                  "  hbctl get user/log --wait 10000 --print > copy.txt\n"
                  "  hbctl get --ticket 0123456789abcdef0123456789abcdef --output copy.txt\n"),
    HBCTL_COMMAND("remove", run_remove, "remove what was left in the broker",
                  "hbctl remove NAME\n"
                  "hbctl remove --entry N\n"
                  "\n"
                  "Removes an entry of your own by its name, or any by its number, if it is yours\n"
                  "or you have the right to revoke. What was got before stays.\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl remove user/log\n"
                  "  hbctl remove --entry 17\n"),
    HBCTL_COMMAND(
        "list", run_list, "what was left in the broker",
        "hbctl list [--json]\n"
        "\n"
        "Lists the entries that you may see: number, name, type, the most rights that\n"
        "takers get, how long it is kept, how often it was taken, whom it is for, and who\n"
        "has put it.\n"
        "\n"
        "Examples:\n"
        "  hbctl list\n"
        "  hbctl list --json\n"),
    HBCTL_COMMAND(
        "deliveries", run_deliveries, "what is under way, or can be taken back",
        "hbctl deliveries [--json]\n"
        "\n"
        "Lists the deliveries that you may see and that have not come to their end: those\n"
        "that wait, and those that their sender can take back.\n"
        "\n"
        "Examples:\n"
        "  hbctl deliveries\n"
        "  hbctl deliveries --json\n"),
    HBCTL_COMMAND(
        "revoke", run_revoke, "take a delivery back",
        "hbctl revoke DELIVERY\n"
        "\n"
        "Has the broker close the handles of the delivery in its target, and prints which\n"
        "were closed. It takes the right to revoke, as hbctl is not the one that sent it;\n"
        "who sends with hbctl send --revocable can take it back there.\n"
        "\n"
        "Examples:\n"
        "  hbctl revoke 17\n"),
    HBCTL_COMMAND(
        "transfer", run_transfer, "hand a handle from one process to another",
        "hbctl transfer --from PID --handle VALUE [--to PID|NAME] [OPTION ...]\n"
        "\n"
        "Duplicates a handle of process PID into another process, if you could do so yourself.\n"
        "Without --to it comes to hbctl, which shows what it is and closes it again.\n"
        "\n"
        "  --from PID     the process that has the handle\n"
        "  --handle V     its value there, such as 0x1c4\n"
        "  --to T         a process, or the name of an endpoint\n"
        "  --access A     what the target may do: same (the default), read, or a mask\n"
        "  --type T       what it is believed to be: another type is refused\n"
        "  --inherit      children of the target may inherit it\n"
        "  --print        without --to: copy a file's contents to standard output\n"
        "  --output PATH  without --to: copy them into this file\n"
        "\n"
        "Examples:\n"
        "  hbctl transfer --from 4711 --handle 0x1c4 --to 815\n"
        "  hbctl transfer --from 4711 --handle 0x1c4 --to user/inbox --access read\n"
        "  hbctl transfer --from 4711 --handle 0x1c4 --print > copy.txt\n"),
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
