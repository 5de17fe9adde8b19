/* hbctl: the broker from a command line. */
#ifndef HBCTL_H
#define HBCTL_H

#include "handlebroker.h"

#include <stdbool.h>
#include <stdio.h>

/* ---- exit codes; hbctl(1) documents them ---- */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,     /* by the broker, or by Windows; the name of the error is printed */
    EXIT_USAGE = 2,       /* wrong command line, or a file that it names cannot be used */
    EXIT_UNAVAILABLE = 3, /* no service, not the service, or it went away */
    EXIT_TIMEOUT = 4,     /* not in time */
};

/* ---- arguments ---- */

/* What every command takes. */
struct globals {
    bool json, unverified, version;
    bool reopen; /* an option of some commands: the client goes on over a restart of the service */
    const char *pipe; /* NULL: the service's */
};

/* The arguments, as UTF-8, and the command that they are for; NULL before that is known. */
struct arguments {
    int count, at;
    char **values;
    const char *command, *help;
    struct globals globals;
};

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_SERIAL,
    OPTION_ACCESS,
    OPTION_HANDLE,
    OPTION_LIST
};

/* One option of a command, and where its value goes. */
struct option {
    const char *name; /* "--wait" */
    enum option_kind kind;
    uint32_t max; /* OPTION_NUMBER: the highest value; OPTION_LIST: the most entries */
    /* FLAG: bool *; TEXT: const char **; NUMBER, ACCESS, HANDLE: uint32_t *; SERIAL: uint64_t *;
     * LIST: const char ** */
    void *value;
    size_t *count; /* OPTION_LIST */
};

/** arguments_utf8() - Return: @count strings and a NULL, for arguments_free(); NULL if one is no
 * Unicode. */
char **arguments_utf8(int count, wchar_t **values);
void arguments_free(char **values);

/** to_wide() - Return: for free(); NULL out of memory, or not UTF-8. */
wchar_t *to_wide(const char *text);

/* An argument that is no option. */
struct operand {
    const char **value;
    const char *missing; /* what to say if it is not there; NULL: it need not be */
};

#define ENDPOINT_MISSING "the name of the endpoint is missing, such as user/inbox"

/**
 * options_read() - read what stands after the command
 * @operands: in their order, those that must be there first
 * @ret_code: set on false: EXIT_DONE after help, EXIT_USAGE after a message on standard error
 *
 * The options of all commands are read too.
 */
bool options_read(struct arguments *arguments, const struct option *options, size_t options_count,
                  const struct operand *operands, size_t operands_count, enum exit_code *ret_code);

/** global_read() - if the next argument is an option of all commands, read it. As options_read(),
 * but that *ret_taken tells whether it was. */
bool global_read(struct arguments *arguments, bool *ret_taken, enum exit_code *ret_code);

/** serial_read() - is @text the number of something that the service has numbered? */
bool serial_read(const char *text, uint64_t *ret_value);

/** pid_read() - is @text the number of a process? */
bool pid_read(const char *text, uint32_t *ret_value);

/** handle_read() - is @text the value of a handle, decimal or as 0x1c4? */
bool handle_read(const char *text, uint32_t *ret_value);

/** usage_error() - print what is wrong, with which argument (may be NULL), and where to read on.
 * Return: EXIT_USAGE. */
enum exit_code usage_error(const struct arguments *arguments, const char *what,
                           const char *argument);

/* ---- output ---- */

/** print_text() - print what somebody else has written, without its control characters. */
void print_text(FILE *file, const char *text);

enum style { STYLE_HEADING, STYLE_GOOD, STYLE_BAD };

/** style_on(), style_off() - around what is printed in a colour, where @file is a console that takes
 * one and nobody has set NO_COLOR; else nothing is printed. */
void style_on(FILE *file, enum style style);
void style_off(FILE *file);

/** console_width() - of the console that @file goes to; 0: it is none, and there is no limit. */
size_t console_width(FILE *file);

/** console_end() - leave the console as it was found. */
void console_end(void);

/**
 * progress_begin() - show that something goes on, and for how long, until progress_end()
 *
 * Only after a second, only on a console, and not with --json. Nothing may be printed meanwhile.
 * One at a time: a second begins anew. @name, which may be NULL, comes after @what.
 */
void progress_begin(const struct globals *globals, const char *what, const char *name);
/** progress_count() - how much of it is done. */
void progress_count(uint32_t done, uint32_t total);
/** progress_end() - and erase the line, if there is one; also if none was begun. */
void progress_end(void);

/* A JSON document of one line, written piece by piece. */
struct json {
    FILE *file;
    bool comma;
};

void json_begin(struct json *json, FILE *file);
void json_end(struct json *json); /* and the line */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *key, const char *value); /* NULL: null */
void json_number(struct json *json, const char *key, uint64_t value);
void json_decimal(struct json *json, const char *key, double value); /* with three places */
void json_bool(struct json *json, const char *key, bool value);
void json_party(struct json *json, const char *key, const hbk_party *party);

/* Rows are kept until the end, for a column is as wide as what stands in it. */
struct table {
    size_t columns, rows;
    char **cells; /* row by row; the first row is the heading */
    bool failed;  /* out of memory */
};

void table_begin(struct table *table, size_t columns, const char *const *headings);
/** table_row() - @cells: as many as there are columns; copied. */
void table_row(struct table *table, const char *const *cells);
/** table_print() - print and free it. On a console its widest columns are made narrower until it
 * fits; in a file nothing is cut off. */
void table_print(struct table *table, FILE *file);

/** duration_text() - "2 d 03 h", "4 min 05 s", … */
void duration_text(char *ret_text, size_t size, uint64_t milliseconds);

/** widenable_text() - could the rights that were left out be taken back? */
const char *widenable_text(int widenable);
void json_widenable(struct json *json, int widenable); /* nothing, if none were left out */

/** print_revoked() - that it was taken back, and the items whose handles were closed. */
void print_revoked(FILE *file, uint64_t delivery, uint64_t closed);
void json_revoked(uint64_t delivery, uint64_t closed);

/** json_notice() - on standard error, that something is worth knowing while the command goes on.
 * @key: NULL: it has no number; @detail: for people; NULL: none */
void json_notice(const char *name, const char *key, uint64_t value, const char *detail);

/** failed() - print @error and what to do next. Return: the exit code that goes with it. */
enum exit_code failed(const struct globals *globals, const hbk_error_info *error, const char *hint);

/* ---- files ---- */

/* Where the contents of files that were received are copied to. */
struct copy {
    bool print;         /* to standard output */
    const char *output; /* into this file; NULL: none */
    HANDLE to;          /* NULL: nowhere */
};

/** copy_open() - EXIT_DONE; else a message was printed. */
enum exit_code copy_open(const struct arguments *arguments, struct copy *copy);

/** copy_contents() - all of @from, to a place that is open. False: a message was printed. */
bool copy_contents(const struct arguments *arguments, const struct copy *copy, HANDLE from);
void copy_close(struct copy *copy);

/** telling() - where everything else goes: not where the contents do. */
FILE *telling(const struct copy *copy);

/** file_open() - the file at @path, to be handed over. NULL: a message was printed. */
HANDLE file_open(const struct arguments *arguments, const char *path, bool write);

/* ---- commands ---- */

/* A command's talk with the service: it begins, asks, looks whether that went well, and ends. */
struct talk {
    const struct arguments *arguments;
    hbk_client *client;
    hbk_error_info error; /* of what is asked */
    enum exit_code code;  /* EXIT_DONE until something fails */
};

/** talk_begin() - connect, as the globals want it. False: a message was printed. Either way
 * talk_end() follows. */
bool talk_begin(struct talk *talk, const struct arguments *arguments);

/** talk_begin_plain() - the same for a command that takes no options but those of all commands. */
bool talk_begin_plain(struct talk *talk, struct arguments *arguments);

/** talk_good() - is @result HBK_OK? If not, talk->error is printed, and what @advice, which may be
 * NULL, says to do about it. Ends what progress_begin() has begun. */
bool talk_good(struct talk *talk, hbk_result result, const char *(*advice)(hbk_result));

/** talk_end() - close the connection. Return: the command's exit code. */
enum exit_code talk_end(struct talk *talk);

/** inspect_advice() - what to do about @result of a question that takes the right to inspect. */
const char *inspect_advice(hbk_result result);

enum exit_code run_status(struct arguments *arguments);
enum exit_code run_endpoints(struct arguments *arguments);
enum exit_code run_metrics(struct arguments *arguments);
enum exit_code run_sessions(struct arguments *arguments);
enum exit_code run_handles(struct arguments *arguments);
enum exit_code run_holders(struct arguments *arguments);
enum exit_code run_explain(struct arguments *arguments);
enum exit_code run_watch(struct arguments *arguments);
enum exit_code run_graph(struct arguments *arguments);
enum exit_code run_send(struct arguments *arguments);
enum exit_code run_receive(struct arguments *arguments);
enum exit_code run_store_put(struct arguments *arguments);
enum exit_code run_store_get(struct arguments *arguments);
enum exit_code run_store_remove(struct arguments *arguments);
enum exit_code run_store_list(struct arguments *arguments);
enum exit_code run_deliveries(struct arguments *arguments);
enum exit_code run_revoke(struct arguments *arguments);
enum exit_code run_transfer(struct arguments *arguments);
enum exit_code run_bench(struct arguments *arguments);
enum exit_code run_check_config(struct arguments *arguments);

struct command {
    const char *name; /* "status", or "store put" */
    enum exit_code (*run)(struct arguments *);
    const char *summary, *help;
};

/** command_find() - the command that the next words name, which are then read; NULL: none. */
const struct command *command_find(const struct command *commands, size_t count,
                                   struct arguments *arguments);

/** command_nearest() - the command that the next words may have been meant for; NULL: none. */
const struct command *command_nearest(const struct command *commands, size_t count,
                                      const struct arguments *arguments);

/** command_in_group() - is the first of its two words @group? */
bool command_in_group(const struct command *command, const char *group);

/* One line of the table of commands in main.c, which the check of the manual pages reads. */
#define HBCTL_COMMAND(name, run, summary, help) \
    {                                           \
        name, run, summary, help                \
    }

#endif
