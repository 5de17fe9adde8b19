/* A broker core over the fake kernel, and clients that talk to it: what the tests of service/core are
 * written with. Clients send requests as text, in which ' stands for ", and keep what they are told; each
 * request must be answered exactly once, a value they are told of must be in their table with the access
 * that the line names, and after each event the books of core and kernel must agree. */
#ifndef CORE_RIG_H
#define CORE_RIG_H

#include "core.h"
#include "fake_platform.h"
#include "message.h"
#include "test_support.h"

enum { RIG_CLIENTS_MAX = 320, CLIENT_ENDPOINTS_MAX = 128 };

struct received {
    struct hbk_message message;
    bool taken;
};

struct request {
    enum hbk_method method;
    uint32_t answers;
    size_t answer;     /* index in the inbox */
    uint32_t tag;      /* for who sent it */
    char *name;        /* endpoint.close: what it closes */
    uint64_t delivery; /* delivery.accept: which */
    bool inherit;      /* it is asked for */
    /* handle.transfer: where to, when it was asked for; NULL: to an endpoint, or to no process that was there */
    struct fake_process *target;
    uint32_t target_pid;
};

struct client {
    struct rig *rig;
    struct fake_process *process;
    struct fake_connection *connection;
    uint64_t session;    /* the core's key */
    uint64_t session_id; /* on the wire, from hello's answer */
    bool hung_up;
    bool raw; /* sends lines that are not tracked: answers with unknown or repeated ids are kept */

    struct hbk_buffer inbound;  /* told, not yet a whole line */
    struct hbk_buffer outbound; /* sent, not yet read by the broker, which pauses */
    struct received **inbox;
    size_t inbox_count, inbox_capacity;
    struct request *requests; /* id - 1 */
    size_t requests_count, requests_capacity;

    char *endpoints[CLIENT_ENDPOINTS_MAX]; /* names that it was told it has open */
    size_t endpoints_count;
};

struct rig {
    struct rig *next;
    struct fake_kernel *kernel;
    struct hbk_core *core;
    struct hbk_config config;
    uint32_t terminal_session; /* of clients that connect from now on */
    struct client *clients[RIG_CLIENTS_MAX];
    size_t clients_count;
    uint32_t inspector, /* the process that rig_let_inspect() let last; 0: everybody */
        one_scope; /* not 0: of every client that connects, so that users meet at one endpoint */
    const char *sid_tail; /* ends every user's SID that connects; NULL: nothing */
    /* Called for each line that a client is told, after it was checked. */
    void (*line_told)(struct client *client, const struct hbk_message *message);
    void *context;
};

/* ---- the broker ---- */

/** rig_new() - @config may be NULL for the defaults. */
struct rig *rig_new(const struct hbk_config *config, uint64_t seed);
/**
 * rig_end() - stop the broker, let everything end, check that every request was answered and nothing is
 * left anywhere, and free it
 */
void rig_end(struct rig *rig);

/** rig_run() - until the core has nothing more to do; then check the books. */
void rig_run(struct rig *rig);
/** rig_turn() - one hbk_core_run(). Return: its answer. */
bool rig_turn(struct rig *rig);
/** rig_advance() - let @ms pass, with a tick wherever one is due, as a sleeping loop does. */
void rig_advance(struct rig *rig, uint64_t ms);
void rig_stop(struct rig *rig);
/** rig_unpins_end() - let every pending close of a pin return, the last first, and run. */
void rig_unpins_end(struct rig *rig);
/** rig_unpin_end() - let the @index-th return. */
void rig_unpin_end(struct rig *rig, uint32_t index);
/** rig_sockets_end() - let the @index-th worker that makes sockets return. */
void rig_sockets_end(struct rig *rig, uint32_t index);
/** rig_sockets_all_end() - let every one return, the last first, and run. */
void rig_sockets_all_end(struct rig *rig);
/** rig_look_end() - let the @index-th worker that looks at tables return. */
void rig_look_end(struct rig *rig, uint32_t index);
/** rig_looks_end() - let every one return, the last first, and run. */
void rig_looks_end(struct rig *rig);
/** rig_proof_end() - let the pending close of @client's proof return, and run. */
void rig_proof_end(struct rig *rig, struct client *client);
/** rig_check() - books that agree at any moment. */
void rig_check(struct rig *rig);
/** rig_check_idle() - and those that agree once the core has nothing to do. */
void rig_check_idle(struct rig *rig);

/** rig_configure() - other limits and rules. @policy: taken over, or NULL; @source: their file, or NULL */
void rig_configure(struct rig *rig, const struct hbk_config *config, struct hbk_policy *policy,
                   const char *source);
/** rig_let_inspect() - rules that grant `inspect` to the process of @client alone (NULL: to everybody). @source: their
 * file, or NULL */
void rig_let_inspect(struct rig *rig, const struct client *client, const char *source);

/* ---- clients ---- */

/** client_connect() - not proven. NULL if the broker refused the connection. @identity: whose scope. */
struct client *client_connect(struct rig *rig, struct fake_process *process, uint32_t identity);
/** client_new() - a new process with @pid, connected and proven. */
struct client *client_new(struct rig *rig, uint32_t pid, uint32_t identity);
/** client_forget() - free a client whose connection was released. */
void client_forget(struct client *client);
/** client_hello() - asked and answered. Return: the value of the proof event. */
uint32_t client_hello(struct client *client);
/** client_set_event() - what SetEvent(@value) does in its process. Return: false on a bad handle. */
bool client_set_event(struct client *client, uint32_t value);
void client_prove(struct client *client);
/** client_make() - a new object in the client's process. Return: the handle. */
uint32_t client_make(struct client *client, const char *type, uint32_t access);
/** client_make_socket() - a new socket in the client's process. Return: the handle. */
uint32_t client_make_socket(struct client *client, uint32_t access);

/** client_bytes() - write to the pipe, without running the core. */
void client_bytes(struct client *client, const void *bytes, size_t size);
/** client_line() - a line that is not tracked: @text with its LF, then run. */
void client_line(struct client *client, const char *text);
/** client_request() - write a request, without running the core. Return: its id. */
uint32_t client_request(struct client *client, enum hbk_method method, const char *params, ...);
uint32_t client_request_text(struct client *client, enum hbk_method method, const char *params);

/** client_hang_up() - the pipe breaks; the core hears of it and runs. */
void client_hang_up(struct client *client);
/** client_exit() - its process ends; the core hears of it and runs. */
void client_exit(struct client *client);
/** client_write_ends() - the pending write ends, the core hears of it and runs. */
void client_write_ends(struct client *client, bool told);
/** client_ended() - the broker has closed the pipe. */
bool client_ended(const struct client *client);
/** client_feed() - hand over what the client wrote while it was not read. Return: there was some. */
bool client_feed(struct client *client);
/** client_fail_if_unanswered() - each request must have had its answer. */
void client_fail_if_unanswered(const struct client *client);

/* ---- what was told; each line is taken once ---- */

bool client_answered(const struct client *client, uint32_t id);
const struct hbk_message *client_result(struct client *client, uint32_t id);
const struct hbk_error *client_error(struct client *client, uint32_t id, int32_t code);
/** client_null_error() - the oldest untaken error without an id. */
const struct hbk_error *client_null_error(struct client *client, int32_t code);
/** client_raw_error() - the untaken error with an id that is not tracked. */
const struct hbk_error *client_raw_error(struct client *client, const struct hbk_id *id,
                                         int32_t code);
const struct hbk_delivered *client_delivered(struct client *client);
const struct hbk_delivered *client_offered(struct client *client);
const struct hbk_revoked *client_revoked(struct client *client);
const struct hbk_session_gone *client_session_gone(struct client *client);
const struct hbk_event *client_event(struct client *client);
/** client_nothing() - no line is left untaken. */
void client_nothing(const struct client *client);
size_t client_untaken(const struct client *client);

/* ---- request, run, answer ---- */

/** client_ok() - must be answered with a result. */
const struct hbk_message *client_ok(struct client *client, enum hbk_method method,
                                    const char *params, ...);
/** client_refused() - must be answered with @code; nothing in any table or pin may have changed. */
const struct hbk_error *client_refused(struct client *client, int32_t code, enum hbk_method method,
                                       const char *params, ...);
/** client_status() - broker.status. */
struct hbk_status_result client_status(struct client *client);
/** client_send() - send one handle to @to with no options, without running. Return: the request's id. */
uint32_t client_send(struct client *client, const char *to, uint32_t handle);

#endif
