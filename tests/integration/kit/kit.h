/* What the integration tests share: a broker to talk to, processes that can be steered, a client that
 * writes its own bytes, and ways to see what was left behind.
 *
 * A test program calls kit_main(). Its groups run against the service that the Service Control Manager
 * runs, or against a broker in the console with a configuration of its own; either way each test begins
 * with a mark of what the broker holds and ends when the broker is back at it. Everything waits with a
 * bound. Helpers assert: call them from the main thread only. */
#ifndef HBK_KIT_H
#define HBK_KIT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <windows.h>

#include "handlebroker.h"

/* The longest that anything may take which ought to happen at once. */
#define KIT_WAIT_MS 10000u
/* How long to look for something that ought not to happen. */
#define KIT_QUIET_MS 200u

#define KIT_BYTES "known bytes 0123456789" /* in every file and section that the kit makes */
#define KIT_BYTES_SIZE (sizeof KIT_BYTES - 1)
#define KIT_SECTION_SIZE 4096u

/* ---- the program ---- */

/**
 * kit_main() - run @group, or be the child that another process of this program asked for
 * @argc: main's
 *
 * Return: what main returns.
 */
int kit_main(int argc, char **argv, int (*group)(void));

/** kit_skip() - leave the running test, and say why. */
void kit_skip(const char *why);

uint64_t kit_now_ms(void);

/** kit_is_wine() - for what Wine is known not to do; a test that asks says so where it skips. */
bool kit_is_wine(void);

/** kit_unique() - a number that no other call in any running process of the tests gives. */
uint32_t kit_unique(void);

/** kit_user() - the SID of this process's user. */
const char *kit_user(void);

/** kit_endpoint_name() - "user/test/PID/N", new with each call; in a static buffer of a few. */
const char *kit_endpoint_name(void);

/* ---- the broker under test ---- */

struct kit_broker {
    const wchar_t *pipe; /* NULL: the service's */
    DWORD pid;
    HANDLE process; /* of one in the console */
    wchar_t log[MAX_PATH];
};

/** kit_broker() - the one that this group tests. */
const struct kit_broker *kit_broker(void);

/* Group fixtures: the service, or a broker in the console with @kit_config (JSON; NULL: none). */
int kit_group_service(void **state);
int kit_group_console(void **state);
int kit_group_end(void **state);
extern const char *kit_config;

/** kit_items_max() - before the group: its broker's limits let no more through in one send. */
void kit_items_max(size_t items);

/* Test fixtures: a mark, and back to the mark. */
int kit_test_begin(void **state);
int kit_test_end(void **state);
#define KIT_TEST(function) cmocka_unit_test_setup_teardown(function, kit_test_begin, kit_test_end)

/** kit_client() - a new client of the broker under test; kit_close() or the test's end closes it. */
hbk_client *kit_client(void);
hbk_client *kit_client_with(const struct kit_broker *broker);
void kit_close(hbk_client *client);

/** kit_status() - what the broker says of itself, asked over a connection that is always there. */
void kit_status(hbk_status_info *ret_status);

/** kit_serve_second() - a hand-off of a client that has nothing to do with the test works, now. */
void kit_serve_second(void);

/* What must be as it was. */
struct kit_mark {
    hbk_status_info status;
    uint32_t broker_handles;
    uint32_t other_handles;
    DWORD other_pid;
};

/** kit_mark() - of the broker and of process @other_pid (0: none). */
void kit_mark(struct kit_mark *ret_mark, DWORD other_pid);

/** kit_unchanged() - the broker is alive, serves, and everything is (or soon comes) back at @mark. */
void kit_unchanged(const struct kit_mark *mark);

/* Every refusing test: nothing changed by @expression, which must give @expected. */
#define KIT_REFUSED(mark, expected, expression)               \
    do {                                                      \
        assert_int_equal((int)(expression), (int)(expected)); \
        kit_unchanged(mark);                                  \
    } while (0)

/* ---- the service ---- */

DWORD kit_service_pid(void); /* 0: not running */
void kit_service_start(void);
/** kit_service_stop() - ask it to stop and wait until it has. Return: the milliseconds that it took. */
uint32_t kit_service_stop(void);
/** kit_service_control() - send control @code. Return: 0, or the Windows error. */
DWORD kit_service_control(DWORD code, SERVICE_STATUS *ret_status);
void kit_service_query(SERVICE_STATUS_PROCESS *ret_status);
/** kit_service_wait() - until it is in @state (SERVICE_...). */
void kit_service_wait(DWORD state);
/** kit_service_stop_begin() - only ask. */
void kit_service_stop_begin(void);
void kit_service_stopped(void);

/** kit_handles() - open handles of process @pid, now. One that has just begun to wait may gain one. */
uint32_t kit_handles(DWORD pid);
/** kit_handles_at_rest() - the same when two looks have agreed. */
uint32_t kit_handles_at_rest(DWORD pid);
/** kit_handles_at_most() - wait until process @pid has at most @most. */
void kit_handles_at_most(DWORD pid, uint32_t most);
/** kit_private_bytes() - memory that process @pid has committed and shares with nobody. */
uint64_t kit_private_bytes(DWORD pid);
/** kit_holds() - process @pid has a handle of value @value. */
bool kit_holds(DWORD pid, uint64_t value);
/** kit_holds_proof() - and it is a proof event by its rights: a value that was closed is soon another's. */
bool kit_holds_proof(DWORD pid, uint64_t value);
/** kit_proof_taken() - wait until it has none: a worker of the broker takes it back, when it comes to it. */
void kit_proof_taken(DWORD pid, uint64_t value);

/* ---- processes ---- */

/** kit_tool() - full path of an executable in this program's folder, in a static buffer of a few. */
const wchar_t *kit_tool(const wchar_t *name);

/** kit_spawn() - start a process that inherits nothing; ended at the test's end at the latest. */
HANDLE kit_spawn(const wchar_t *command_line, DWORD flags, DWORD *ret_pid);
/** kit_spawn_heir() - the same, with all that is inheritable here. */
HANDLE kit_spawn_heir(const wchar_t *command_line, DWORD flags, DWORD *ret_pid);
/** kit_spawn_log() - the same with standard output and error in files (which alone are inherited). */
HANDLE kit_spawn_log(const wchar_t *command_line, DWORD flags, const wchar_t *out,
                     const wchar_t *err, DWORD *ret_pid);
/** kit_suspend() - stop all threads of @process, or let them go on. */
void kit_suspend(HANDLE process, bool suspended);
/** kit_wait_exit() - wait for the end of @process, at most @timeout_ms. Return: its exit code. */
DWORD kit_wait_exit(HANDLE process, uint32_t timeout_ms);
/** kit_forget() - close @process, which kit_spawn() gave; it is ended if it runs. */
void kit_forget(HANDLE process);
/** kit_keep() - do not end @process with the test; kit_forget() still ends it. */
void kit_keep(HANDLE process);
void kit_forget_all(void);

/* What a program printed. */
struct kit_output {
    DWORD code;
    char out[16384];
    char err[4096];
};

/** kit_run() - run a command line to its end (at most @timeout_ms). */
void kit_run(struct kit_output *ret_output, uint32_t timeout_ms, const wchar_t *format, ...);

/** kit_temp() - path of a new empty file, removed when the program ends. */
void kit_temp(wchar_t *ret_path, size_t size);
void kit_temp_remove(const wchar_t *path);
void kit_temp_end(void);
void kit_file_write(const wchar_t *path, const void *bytes, size_t size);
/** kit_file_read() - at most @size - 1 bytes, and a NUL. Return: how many. */
size_t kit_file_read(const wchar_t *path, char *ret_text, size_t size);

/** kit_broker_program - what runs in the console: "handlebroker.exe", unless a test says otherwise. */
extern const wchar_t *kit_broker_program;
/** kit_broker_by_process() - brokers in the console that take tokens of other identities than their own, from
 * now on: where the system gives out the wrong token for a pipe, a broker that asks the process instead. */
void kit_broker_by_process(void);
/** kit_console_start() - a broker in the console, on a pipe of its own; ready when this returns. */
void kit_console_start(struct kit_broker *ret_broker, const char *config);
void kit_console_stop(struct kit_broker *broker);
/** kit_console_show() - print what it logged. */
void kit_console_show(const struct kit_broker *broker);
/** kit_pipe_name() - "\\.\pipe\hbk-test-PID-N", new with each call; in a static buffer of a few. */
const wchar_t *kit_pipe_name(void);
/** kit_pipe_wait() - wait until somebody listens at @pipe. */
void kit_pipe_wait(const wchar_t *pipe);

/* ---- other identities ---- */

/* What a token has less than this process's own; the last has more. */
enum {
    KIT_NO_ADMINISTRATORS = 0x1, /* the group can only deny any more */
    KIT_NO_USERS = 0x2,
    KIT_NO_PRIVILEGES = 0x4,
    KIT_LOW = 0x8,         /* integrity */
    KIT_RESTRICTED = 0x10, /* it has restricting SIDs */
    KIT_DEBUGGER = 0x20,   /* SeDebugPrivilege is enabled */
};

/** kit_token() - a primary token of this user; the caller closes it. */
HANDLE kit_token(uint32_t less);
/** kit_token_asked() - a duplicate to ask AccessCheck about. */
HANDLE kit_token_asked(HANDLE token);
/** kit_token_enable() - @privilege, which @token must hold. */
void kit_token_enable(HANDLE token, const wchar_t *privilege);

/** kit_descriptor() - of @sddl, for LocalFree(). */
PSECURITY_DESCRIPTOR kit_descriptor(const wchar_t *sddl);
/** kit_protect() - give @object the DACL of @sddl, and the owner if it names one. */
void kit_protect(HANDLE object, const wchar_t *sddl);

/** kit_spawn_as() - kit_spawn() with @token, which may be NULL. */
HANDLE kit_spawn_as(HANDLE token, const wchar_t *command_line, DWORD flags, DWORD *ret_pid);

/* ---- objects ---- */

enum kit_kind {
    KIT_EVENT, /* manual reset */
    KIT_MUTEX,
    KIT_SEMAPHORE, /* 0 of 64 */
    KIT_TIMER,
    KIT_SECTION,
    KIT_FILE,
    KIT_PIPE,  /* the writing end; kit_pipe_reader() has the other */
    KIT_KINDS, /* those that are handed over by default */
    KIT_TOKEN = KIT_KINDS,
    KIT_PROCESS,
    KIT_THREAD,
    KIT_JOB,
    KIT_KEY,
    KIT_IOCP,
    KIT_DESKTOP,
    KIT_STATION,
    KIT_DIRECTORY,
    KIT_SYMLINK,
    KIT_ALL_KINDS
};

/** kit_make() - an object of that kind, to be closed with kit_unmake(). NULL: not here (GetLastError). */
HANDLE kit_make(enum kit_kind kind);
void kit_unmake(enum kit_kind kind, HANDLE handle);
/** kit_type() - the kernel's name of its type. */
const char *kit_type(enum kit_kind kind);
HANDLE kit_pipe_reader(HANDLE writer);

/** kit_use() - use what @theirs is in @target, of that kind and with all rights, and see it at @mine. */
struct kit_peer;
void kit_use(struct kit_peer *target, enum kit_kind kind, HANDLE mine, uint64_t theirs);

/** kit_access() - granted access of a handle of this process. */
uint32_t kit_access(HANDLE handle);

bool kit_is_set(HANDLE waitable);

/** kit_closed() - a value that was a handle of this process. Not the first that is given out again: the
 * system itself takes that for a moment, while we wait for something. */
HANDLE kit_closed(void);

/* ---- a steered child ---- */

enum kit_op {
    KIT_OP_OPEN = 1, /* path: pipe or empty; a[0]: flags */
    KIT_OP_CLOSE,
    KIT_OP_ENDPOINT, /* name; a[0]: flags; a[1]: items_max; items[].type/access, count */
    KIT_OP_ENDPOINT_CLOSE,
    KIT_OP_RECEIVE, /* a[0]: timeout */
    KIT_OP_ACCEPT,
    KIT_OP_REJECT, /* text: reason */
    KIT_OP_FREE,
    KIT_OP_PUT,    /* see kit_peer_put(); in a reply of value: the entry; text: the ticket */
    KIT_OP_GET,    /* see kit_peer_get(); value: the handle, items[0], from_…, text: data */
    KIT_OP_REMOVE, /* name; or a[0]: entry */
    KIT_OP_SEND, /* name, items, count, text: data; a[0]: wait_ms; a[1]: timeout_ms; a[2]: pid; a[3]: flags */
    KIT_OP_NOTICE,    /* a[0]: timeout; value: its kind; delivery, from_session; closed */
    KIT_OP_MAKE,      /* a[0]: kind */
    KIT_OP_SET_EVENT, /* a[0]: handle, here and below */
    KIT_OP_WAIT,      /* a[1]: ms */
    KIT_OP_RELEASE_MUTEX,
    KIT_OP_RELEASE_SEMAPHORE, /* a[1]: count */
    KIT_OP_SET_TIMER,
    KIT_OP_MAP_READ,  /* text: the beginning */
    KIT_OP_MAP_WRITE, /* text: written to the beginning */
    KIT_OP_READ,      /* a[1]: bytes; text: what was read */
    KIT_OP_WRITE,     /* text */
    KIT_OP_CLOSE_HANDLE,
    KIT_OP_FLAGS,  /* value: HANDLE_FLAG_… */
    KIT_OP_ACCESS, /* value: granted access, as NtQueryObject tells it */
    KIT_OP_UNPROTECT,
    KIT_OP_CHILD_SETS, /* a child of the child, made with bInheritHandles, sets event a[0] */
    KIT_OP_RAW_OPEN,   /* path: pipe or empty; value: the handle */
    KIT_OP_RAW_ADOPT,  /* a[0]: a pipe that is open here already */
    KIT_OP_RAW_SEND,   /* text */
    KIT_OP_RAW_LINE,   /* a[1]: timeout; text: the line */
    KIT_OP_RAW_WAIT,   /* until there is something to read, and leave it there */
    KIT_OP_EXIT,
    KIT_OP_OWN /* and those after it: kit_peer_own's */
};

struct kit_item {
    uint64_t handle;
    uint32_t access;
    uint32_t flags;
    char type[36];
};

struct kit_call {
    uint32_t op;
    uint32_t count;
    uint64_t a[4];
    struct kit_item items[HBK_ITEMS_MAX];
    char name[300];
    char text[9000];
    wchar_t path[128];
};

struct kit_reply {
    int32_t result; /* hbk_result, or 0 for what is none */
    uint32_t win32; /* Windows error of a system call, 0: success */
    uint64_t value;
    hbk_error_info error;
    uint32_t offered, from_pid, count;
    uint64_t delivery, from_session, closed;
    struct kit_item items[HBK_ITEMS_MAX];
    char name[300];
    char text[9000];
};

struct kit_peer {
    HANDLE process;
    HANDLE pipe;
    HANDLE event;
    DWORD pid;
    int64_t session; /* of a raw one that has proved who it is */
    struct kit_call call;
    struct kit_reply reply;
};

/** kit_is_wow64() - @process is one of 32 bits on a Windows of 64. */
bool kit_is_wow64(HANDLE process);
/** kit_peer_program() - peers are processes of the program of that name in this one's folder, from now on ("--peers").
 * It must be one of the other kind: of 64 bits where this one has 32. */
void kit_peer_program(const char *name);
/** kit_peer_start() - a new process of this program that does what it is told. */
void kit_peer_start(struct kit_peer *peer);
/** kit_peer_start_heir() - the same, with all that is inheritable here. */
void kit_peer_start_heir(struct kit_peer *peer);
/** kit_peer_start_as() - the same with a token that has @less than ours; 0: our own. */
void kit_peer_start_as(struct kit_peer *peer, uint32_t less);
/** kit_peer_begin() - give it peer->call, and go on. */
void kit_peer_begin(struct kit_peer *peer);
/** kit_peer_end() - wait for its answer. Return: false, not within @timeout_ms. */
bool kit_peer_end(struct kit_peer *peer, uint32_t timeout_ms);
/** kit_peer_do() - both. Return: reply.result, or where that is 0, reply.win32. */
int kit_peer_do(struct kit_peer *peer, enum kit_op op, uint64_t a0, uint64_t a1, const char *text);
/** kit_peer_kill() - TerminateProcess, and wait for its end. */
void kit_peer_kill(struct kit_peer *peer);
/** kit_peer_stop() - let it close its client and return from main. */
void kit_peer_stop(struct kit_peer *peer);

/** kit_peer_open() - a started peer that is a client of the broker under test. */
void kit_peer_open(struct kit_peer *peer);
/** kit_peer_listen() - and has opened @name. */
void kit_peer_listen(struct kit_peer *peer, const char *name, uint32_t flags);
/** kit_peer_send_begin() - peer->call.items are set: send @count of them to @name. */
void kit_peer_send_begin(struct kit_peer *peer, const char *name, uint32_t count, uint32_t wait_ms,
                         uint32_t timeout_ms);
/** kit_peer_raw_open() - a started peer that has opened the pipe itself, and said nothing. */
void kit_peer_raw_open(struct kit_peer *peer);
/** kit_peer_raw_as() - a peer with @less than our token that has opened the pipe itself, said hello and proved
 * that it is who it is. */
void kit_peer_raw_as(struct kit_peer *peer, uint32_t less);
/** kit_peer_say() - let it write @format as a line. */
void kit_peer_say(struct kit_peer *peer, const char *format, ...);
/** kit_peer_hear() - the next line that it reads within @timeout_ms; NULL: none, or the pipe has ended
 * (peer->reply.win32). Until the next operation. */
const char *kit_peer_hear(struct kit_peer *peer, uint32_t timeout_ms);
/** kit_peer_ask() - both, past notifications: the answer. */
const char *kit_peer_ask(struct kit_peer *peer, const char *format, ...);
/** kit_peer_quiet() - nothing was delivered to it. */
void kit_peer_quiet(struct kit_peer *peer);

/** kit_peer_main() - what the child does. */
int kit_peer_main(const char *pipe);
/* What a test has its children do beside that; set before kit_main(). */
extern bool (*kit_peer_own)(hbk_client *client, const struct kit_call *call,
                            struct kit_reply *reply);
/** kit_peer_object_op() - the part of it that is about objects. Return: false, not such an operation. */
bool kit_peer_object_op(const struct kit_call *call, struct kit_reply *reply);
/** kit_peer_store_op() - the part of it that is about the store, as @client. */
bool kit_peer_store_op(hbk_client *client, const struct kit_call *call, struct kit_reply *reply);

/** kit_send() - one handle from @client, with defaults but for @access and @flags. */
hbk_result kit_send(hbk_client *client, const char *to, HANDLE handle, uint32_t access,
                    uint32_t flags, hbk_error_info *ret_error);

/* ---- a client that writes its own bytes ---- */

#define KIT_LINE_BYTES 70000u

/* What a client says first, with the ids 1 and 2. */
#define KIT_HELLO                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.hello\",\"params\":" \
    "{\"protocol\":[1],\"client\":{\"name\":\"raw\",\"version\":\"1\"}}}"
#define KIT_PROVE "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\",\"params\":{}}"

struct kit_raw {
    HANDLE pipe;
    HANDLE event;
    HANDLE written; /* made once, so that writing makes no handle whose value a test may be about */
    bool reading;
    OVERLAPPED overlapped;
    size_t size;
    char bytes[KIT_LINE_BYTES];
    char chunk[4096];
    char line[KIT_LINE_BYTES]; /* the last line, without its LF */
};

enum { KIT_RAW_LINE = 1, KIT_RAW_TIMEOUT = 0, KIT_RAW_END = -1 };

/** kit_raw_new() - connected to the broker under test, nothing said. kit_raw_free() or the test's end
 * closes it. */
struct kit_raw *kit_raw_new(void);
struct kit_raw *kit_raw_with(const struct kit_broker *broker);
/** kit_raw_proven() - and hello and prove are done. */
struct kit_raw *kit_raw_proven(void);
void kit_raw_free(struct kit_raw *raw);
void kit_raw_free_all(void);

/** kit_raw_open() - the pipe alone. Return: INVALID_HANDLE_VALUE, nobody listens within KIT_WAIT_MS. */
HANDLE kit_raw_open(const wchar_t *pipe);

/** kit_raw_write() - all of it within @timeout_ms? What was not taken is cancelled. */
bool kit_raw_write(struct kit_raw *raw, const void *bytes, size_t size, uint32_t timeout_ms);
/** kit_raw_say() - write @format as a line. */
void kit_raw_say(struct kit_raw *raw, const char *format, ...);
/** kit_raw_next() - the next line into raw->line. Return: KIT_RAW_…. */
int kit_raw_next(struct kit_raw *raw, uint32_t timeout_ms);
/** kit_raw_answer() - the next line that is no notification. Fails where there is none. */
void kit_raw_answer(struct kit_raw *raw);
/** kit_raw_ask() - say @format, which is a request, and wait for an answer. */
void kit_raw_ask(struct kit_raw *raw, const char *format, ...);
/** kit_raw_ended() - the broker has hung up, with nothing more to read. */
bool kit_raw_ended(struct kit_raw *raw, uint32_t timeout_ms);
/** kit_raw_hello() - what a client says first; sets the proof event if @set. Return: its value. */
uint64_t kit_raw_hello(struct kit_raw *raw, bool set);

/** kit_raw_is_error() - raw->line is an error of @code; @id as it stands in the line: "7", "null". */
void kit_raw_is_error(const struct kit_raw *raw, int code, const char *id);
void kit_raw_is_result(const struct kit_raw *raw, const char *id);
/* The same of any line. */
void kit_line_is_error(const char *line, int code, const char *id);
void kit_line_is_result(const char *line, const char *id);

/* Members of a line, found by their key wherever it stands first. */
bool kit_json_number(const char *line, const char *key, int64_t *ret_value);
bool kit_json_text(const char *line, const char *key, char *ret_text, size_t size);

#endif
