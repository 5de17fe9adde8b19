/* hbctl.exe: what it can do, and which part of it does that. */
#include "hbctl.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

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
                  "hbctl watch [--count N] [--timeout MS] [--reopen] [--json]\n"
                  "\n"
                  "Prints the service's audit records as they are made: each grant, refusal and\n"
                  "failure, and each change of the rules. Ctrl+C ends it. It takes the right to\n"
                  "inspect, which administrators have.\n"
                  "\n"
                  "  --count N      end after so many records\n"
                  "  --timeout MS   give up when none has come for so long\n"
                  "  --reopen       go on when the service is restarted\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl watch\n"
                  "  hbctl watch --reopen\n"
                  "  hbctl watch --json --count 100 > records.jsonl\n"),
    HBCTL_COMMAND(
        "graph", run_graph, "a picture of who shared what with whom",
        "hbctl graph [--dot | --html | --json] [--output FILE] [--records FILE ...] [OPTION ...]\n"
        "\n"
        "Draws processes and what went from one to another: as text for Graphviz (DOT), as a\n"
        "page with the picture in it, or as JSON. Without --records it draws what the service\n"
        "has now: sessions, endpoints, deliveries under way, what is stored.\n"
        "\n"
        "  --dot           DOT; the default\n"
        "  --html          a page: one file, without scripts, that needs nothing else\n"
        "  --output FILE   write it there instead of to standard output\n"
        "  --records FILE  draw what is in this audit file of the service; up to 100 files\n"
        "  --watch MS      add what the service records within so long; it takes the right to\n"
        "                  inspect, which administrators have\n"
        "  --nodes N       the N with most hand-offs alone; 60 unless told, up to 500\n"
        "\n"
        "Examples:\n"
        "  hbctl graph --html --output now.html\n"
        "  hbctl graph --watch 60000 | dot -Tsvg > minute.svg\n"
        "  hbctl graph --records audit.jsonl.1 --records audit.jsonl --html --output all.html\n"
        "  hbctl graph --records audit.jsonl --json\n"),
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
                  "  --reopen       go on when the service is restarted\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl receive user/inbox\n"
                  "  hbctl receive user/inbox --print > copy.txt\n"
                  "  hbctl receive user/inbox --ask --timeout 60000 --output copy.txt\n"
                  "  hbctl receive user/inbox --count 1000000 --reopen --json\n"
                  "  hbctl receive user/inbox --from \"D:(A;;0x2;;;S-1-5-18)\"\n"),
    HBCTL_COMMAND(
        "store put", run_store_put, "leave an open file in the broker, for whoever asks for it",
        "hbctl store put NAME --file PATH [OPTION ...]\n"
        "hbctl store put --ticket --file PATH [OPTION ...]\n"
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
        "  hbctl store put user/log --file app.log\n"
        "  hbctl store put user/log --file app.log --write --access read --replace\n"
        "  hbctl store put --ticket --file report.txt --ttl 60000\n"
        "  hbctl store put global/motd --file motd.txt --allow \"D:(A;;0x8;;;AU)\"\n"),
    HBCTL_COMMAND(
        "store get", run_store_get, "get a file that was left in the broker",
        "hbctl store get NAME [OPTION ...]\n"
        "hbctl store get --ticket TICKET [OPTION ...]\n"
        "\n"
        "Gets a handle to what was put, shows what it is, and closes it again.\n"
        "\n"
        "  --ticket T     the ticket that hbctl store put has printed\n"
        "  --access A     same (all that the entry has; the default), read, or a mask\n"
        "  --wait MS      wait so long for the name to be put, up to 60000\n"
        "  --print        copy the file's contents to standard output\n"
        "  --output PATH  copy them into this file\n"
        "\n"
        "Examples:\n"
        "  hbctl store get user/log\n"
        "  hbctl store get user/log --wait 10000 --print > copy.txt\n"
        "  hbctl store get --ticket 0123456789abcdef0123456789abcdef --output copy.txt\n"),
    HBCTL_COMMAND("store remove", run_store_remove, "remove what was left in the broker",
                  "hbctl store remove NAME\n"
                  "hbctl store remove --entry N\n"
                  "\n"
                  "Removes an entry of your own by its name, or any by its number, if it is yours\n"
                  "or you have the right to revoke. What was got before stays.\n"
                  "\n"
                  "Examples:\n"
                  "  hbctl store remove user/log\n"
                  "  hbctl store remove --entry 17\n"),
    HBCTL_COMMAND(
        "store list", run_store_list, "what was left in the broker",
        "hbctl store list [--json]\n"
        "\n"
        "Lists the entries that you may see: number, name, type, the most rights that\n"
        "takers get, how long it is kept, how often it was taken, whom it is for, and who\n"
        "has put it.\n"
        "\n"
        "Examples:\n"
        "  hbctl store list\n"
        "  hbctl store list --json\n"),
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
    HBCTL_COMMAND(
        "bench", run_bench, "how fast this machine hands handles over",
        "hbctl bench [--count N] [--json]\n"
        "\n"
        "Hands N handles to a child of its own through the service, checks that each is the\n"
        "right object, and prints how long that took, beside what it costs at least: the same\n"
        "hops by bare pipes and DuplicateHandle, in the same run. It ends after 60 s at the\n"
        "latest, with what it has measured by then.\n"
        "\n"
        "  --count N      how many of each; 2000 unless told, up to 100000\n"
        "\n"
        "Exit code 4: a handle did not arrive within 5 s, or was another object.\n"
        "\n"
        "Examples:\n"
        "  hbctl bench\n"
        "  hbctl bench --count 500 --json\n"),
    HBCTL_COMMAND(
        "check-config", run_check_config, "every mistake of a configuration file",
        "hbctl check-config [FILE] [--json]\n"
        "\n"
        "Tells every mistake in a configuration file, with its line and what to do, or what the\n"
        "file puts in force; and whether the service would believe it where it is. The service\n"
        "need not run. Without FILE it is the service's own, which administrators may read:\n"
        "handlebroker.json in HandleBroker in ProgramData.\n"
        "\n"
        "Exit code 0: no mistakes; 1: mistakes, or the service does not believe its own file;\n"
        "2: the file cannot be read.\n"
        "\n"
        "Examples:\n"
        "  hbctl check-config\n"
        "  hbctl check-config draft.json\n"
        "  hbctl check-config draft.json --json\n"),
};

/* Between them stands the list of commands. */
static const char general_help[] =
    "With every command:\n"
    "  --json         one JSON object a line, for scripts; errors too, on standard error\n"
    "  --pipe NAME    the pipe of a broker that runs in the console (handlebroker run)\n"
    "  --unverified   do not check whom that pipe belongs to; it has to be said with --pipe\n"
    "  --help         the command's options, with examples, as hbctl help COMMAND\n"
    "  --version      print the version\n"
    "\n"
    "Exit codes: 0 done; 1 refused, by the name that is printed; 2 wrong command line, or a\n"
    "file that it names cannot be used; 3 the service is not there, not to be trusted, or\n"
    "went away; 4 not in time.\n"
    "\n"
    "To hand an open file from one console to another:\n"
    "  hbctl receive user/inbox --print           in the one, and in the other\n"
    "  hbctl send user/inbox --file report.txt\n";

#define COMMANDS (sizeof commands / sizeof commands[0])

/* @group: "store", for its commands alone; NULL: for all. */
static void print_summary(FILE *file, const char *group)
{
    if (group == NULL)
        fprintf(file,
                "hbctl %s: the Handle Broker from a command line\n\nhbctl COMMAND [OPTION ...]\n\n",
                hbk_version());
    for (size_t i = 0; i < COMMANDS; i++) {
        if (group == NULL || command_in_group(&commands[i], group))
            fprintf(file, "  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    fputc('\n', file);
}

/* "store" is no command, but a group of them. */
static bool is_group(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (command_in_group(&commands[i], name))
            return true;
    }
    return false;
}

static bool next_is(const struct arguments *arguments, const char *word)
{
    return arguments->at < arguments->count && strcmp(arguments->values[arguments->at], word) == 0;
}

static enum exit_code unknown_command(const struct arguments *arguments)
{
    const struct command *nearest = command_nearest(commands, COMMANDS, arguments);
    char what[128] = "no such command";

    if (nearest != NULL)
        snprintf(what, sizeof what, "no such command; is hbctl %s meant", nearest->name);
    return usage_error(arguments, what, arguments->values[arguments->at]);
}

/* hbctl help, hbctl help COMMAND. */
static enum exit_code help(struct arguments *arguments)
{
    if (arguments->at == arguments->count) {
        print_summary(stdout, NULL);
        fputs(general_help, stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(commands, COMMANDS, arguments);
    if (command != NULL) {
        fputs(command->help, stdout);
        return EXIT_DONE;
    }
    if (!is_group(arguments->values[arguments->at]))
        return unknown_command(arguments);
    print_summary(stdout, arguments->values[arguments->at]);
    return EXIT_DONE;
}

/* The next argument is "store", and what follows names none of its commands. */
static enum exit_code run_group(struct arguments *arguments)
{
    const char *group = arguments->values[arguments->at++];

    if (next_is(arguments, "--help")) {
        print_summary(stdout, group);
        return EXIT_DONE;
    }
    if (arguments->at < arguments->count && arguments->values[arguments->at][0] != '-') {
        arguments->at--;
        return unknown_command(arguments);
    }
    usage_error(arguments, "a word is missing after", group);
    if (!arguments->globals.json)
        print_summary(stderr, group);
    return EXIT_USAGE;
}

/* The command's name is the next argument, if there is one. */
static enum exit_code run_command(struct arguments *arguments)
{
    if (arguments->at == arguments->count) {
        print_summary(stderr, NULL);
        fputs(general_help, stderr);
        return EXIT_USAGE;
    }
    if (next_is(arguments, "help")) {
        arguments->at++;
        return help(arguments);
    }
    const struct command *command = command_find(commands, COMMANDS, arguments);
    if (command != NULL) {
        arguments->command = command->name;
        arguments->help = command->help;
        return command->run(arguments);
    }
    if (!is_group(arguments->values[arguments->at]))
        return unknown_command(arguments);
    return run_group(arguments);
}

static enum exit_code run(struct arguments *arguments)
{
    enum exit_code code = EXIT_USAGE;
    bool taken = true;

    arguments->help = general_help;
    while (taken && arguments->at < arguments->count) {
        if (next_is(arguments, "--help"))
            print_summary(stdout, NULL);
        if (!global_read(arguments, &taken, &code))
            return code;
    }
    if (arguments->globals.version) {
        printf("hbctl %s\n", hbk_version());
        return EXIT_DONE;
    }
    return run_command(arguments);
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
    /* For what is wrong with the arguments before it. */
    for (int i = arguments.at; i < argc; i++)
        arguments.globals.json =
            arguments.globals.json || strcmp(arguments.values[i], "--json") == 0;
    enum exit_code code = run(&arguments);
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        code = usage_error(&arguments, "standard output could not be written", NULL);
    }
    console_end();
    arguments_free(arguments.values);
    return (int)code;
}
