/* A server whose connections are answered by other processes, of which any may be killed at any time.
 *
 *     preforking_server        the server, which starts its workers and the clients
 *
 * The server accepts, and hands each connection to a worker together with an event, in one send. It
 * keeps its own socket until the worker has set the event; when a worker ends before that, whatever
 * it had is handed to others. A worker is told which connection, and which event, in one delivery:
 * never the one without the other. In the middle the server kills a worker that has work.
 *
 * Exit code 0 only if a worker with connections was killed and every client got its answer. */
#include <winsock2.h>

#include "preforking.h"

#include <stdio.h>
#include <string.h>

#define WORKERS 3
#define JOBS PREFORKING_AT_ONCE
#define KILL_AFTER 20
#define END_MS 1000 /* for a process to be seen as ended */

/* A connection that was handed to a worker. */
struct job {
    SOCKET connection; /* INVALID_SOCKET: none */
    HANDLE done;
    struct worker *worker; /* NULL: nobody has it yet, or any more */
};

struct worker {
    struct example_child child;
    char endpoint[PREFORKING_NAME_MAX];
    unsigned jobs;
    bool ready; /* it has taken something, so its endpoint is open */
};

struct server {
    hbk_client *client;
    SOCKET listener;
    HANDLE incoming;
    struct worker workers[WORKERS];
    struct job jobs[JOBS];
    unsigned answered, moved;
    bool killing;
};

static bool start_worker(struct worker *worker)
{
    worker->jobs = 0;
    worker->ready = false;
    if (!example_start(&worker->child, "worker", NULL, false))
        return false;
    preforking_endpoint(worker->child.pid, worker->endpoint, sizeof worker->endpoint);
    return true;
}

static hbk_result try_worker(struct server *server, const struct job *job, struct worker *worker,
                             hbk_error_info *ret_error)
{
    hbk_send_item items[] = {
        {.handle = (HANDLE)job->connection, .type = "Socket"},
        {.handle = job->done, .type = "Event", .access = EVENT_MODIFY_STATE},
    };
    hbk_send_options send = {.size = sizeof send,
                             .to = worker->endpoint,
                             .expect_pid = worker->child.pid, /* it, and nobody of its name */
                             .items = items,
                             .count = 2,
                             .wait_ms = worker->ready ? 0 : EXAMPLE_WAIT_MS};

    return hbk_send(server->client, &send, NULL, ret_error);
}

/* The accident: right after the worker was given a connection, so that it can hardly have answered. If
 * it has all the same, another one is killed. */
static void kill_one(struct server *server, const struct worker *worker)
{
    if (server->killing || server->moved > 0 || server->answered < KILL_AFTER)
        return;
    example_say("killing worker %lu, which has connections: %u", (unsigned long)worker->child.pid,
                worker->jobs);
    server->killing = TerminateProcess(worker->child.process, 1) != 0;
}

/* To the worker that has the fewest. If that one has ended the connection is still ours, and its turn
 * comes again when replace_ended() has made another worker. */
static bool hand_over(struct server *server, struct job *job)
{
    hbk_error_info error = {.result = HBK_OK};
    struct worker *worker = &server->workers[0];

    for (int i = 1; i < WORKERS; i++) {
        if (server->workers[i].jobs < worker->jobs)
            worker = &server->workers[i];
    }
    if (try_worker(server, job, worker, &error) == HBK_OK) {
        worker->jobs++;
        worker->ready = true;
        job->worker = worker;
        kill_one(server, worker);
        return true;
    }
    if (WaitForSingleObject(worker->child.process, END_MS) != WAIT_OBJECT_0)
        return example_refused("hbk_send", &error); /* it lives, so that is not the reason */
    return true;
}

static bool hand_over_all(struct server *server)
{
    for (int i = 0; i < JOBS; i++) {
        struct job *job = &server->jobs[i];
        if (job->connection != INVALID_SOCKET && job->worker == NULL && !hand_over(server, job))
            return false;
    }
    return true;
}

static bool accept_all(struct server *server)
{
    u_long blocking = 0;

    for (int i = 0; i < JOBS; i++) {
        struct job *job = &server->jobs[i];
        if (job->connection != INVALID_SOCKET)
            continue;
        job->connection = accept(server->listener, NULL, NULL);
        if (job->connection == INVALID_SOCKET)
            return WSAGetLastError() == WSAEWOULDBLOCK ||
                   example_failed("accept", (DWORD)WSAGetLastError());
        /* It has the listener's ways from it. */
        WSAEventSelect(job->connection, NULL, 0);
        ioctlsocket(job->connection, (long)FIONBIO, &blocking);
        job->worker = NULL;
        job->done = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (job->done == NULL)
            return example_failed("CreateEvent", GetLastError());
    }
    return true;
}

static void finish(struct job *job)
{
    if (job->connection == INVALID_SOCKET)
        return;
    closesocket(job->connection);
    if (job->done != NULL)
        CloseHandle(job->done);
    job->connection = INVALID_SOCKET;
}

static void finish_answered(struct server *server)
{
    for (int i = 0; i < JOBS; i++) {
        struct job *job = &server->jobs[i];
        if (job->connection == INVALID_SOCKET || WaitForSingleObject(job->done, 0) != WAIT_OBJECT_0)
            continue;
        finish(job);
        if (job->worker != NULL)
            job->worker->jobs--;
        server->answered++;
    }
}

/* What an ended worker had and did not answer is nobody's again. */
static bool replace_ended(struct server *server)
{
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &server->workers[i];
        if (WaitForSingleObject(worker->child.process, 0) != WAIT_OBJECT_0)
            continue;
        for (int k = 0; k < JOBS; k++) {
            struct job *job = &server->jobs[k];
            if (job->connection == INVALID_SOCKET || job->worker != worker)
                continue;
            job->worker = NULL;
            server->moved += WaitForSingleObject(job->done, 0) != WAIT_OBJECT_0;
        }
        server->killing = false;
        example_kill(&worker->child); /* it has ended; forgets it */
        if (!start_worker(worker))
            return false;
    }
    return true;
}

/* Waits for whatever comes first: a connection, an answer, the end of a worker. */
static bool serve(struct server *server)
{
    while (server->answered < PREFORKING_CLIENTS) {
        HANDLE events[1 + WORKERS + JOBS] = {server->incoming};
        DWORD count = 1;
        for (int i = 0; i < WORKERS; i++)
            events[count++] = server->workers[i].child.process;
        for (int i = 0; i < JOBS; i++) {
            if (server->jobs[i].connection != INVALID_SOCKET)
                events[count++] = server->jobs[i].done;
        }
        if (WaitForMultipleObjects(count, events, FALSE, EXAMPLE_WAIT_MS) >= WAIT_OBJECT_0 + count)
            return example_check(false, "something happens");
        if (!replace_ended(server))
            return false;
        finish_answered(server);
        if (!accept_all(server) || !hand_over_all(server))
            return false;
    }
    return true;
}

static bool start(struct server *server, struct example_child *ret_clients)
{
    struct sockaddr_in address;
    char role[64];

    server->listener = socket_listen(&address);
    server->incoming = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (server->listener == INVALID_SOCKET || server->incoming == NULL ||
        WSAEventSelect(server->listener, server->incoming, FD_ACCEPT) != 0)
        return example_failed("listen", (DWORD)WSAGetLastError());
    for (int i = 0; i < WORKERS; i++) {
        if (!start_worker(&server->workers[i]))
            return false;
    }
    snprintf(role, sizeof role, "clients %u", (unsigned)ntohs(address.sin_port));
    return example_start(ret_clients, role, NULL, false);
}

/* Workers need no farewell: it is nothing to them to be killed. */
static void stop(struct server *server)
{
    for (int i = 0; i < JOBS; i++)
        finish(&server->jobs[i]);
    for (int i = 0; i < WORKERS; i++)
        example_kill(&server->workers[i].child);
    if (server->incoming != NULL)
        CloseHandle(server->incoming);
    if (server->listener != INVALID_SOCKET)
        closesocket(server->listener);
}

static bool run_server(void)
{
    struct server server = {.listener = INVALID_SOCKET};
    struct example_child clients = {NULL, NULL, 0};
    hbk_error_info error;

    example_begin("server");
    for (int i = 0; i < JOBS; i++)
        server.jobs[i].connection = INVALID_SOCKET;
    if (hbk_open(NULL, &server.client, &error) != HBK_OK)
        return example_refused("hbk_open", &error);
    bool good = start(&server, &clients) && serve(&server);
    if (good) {
        good = example_ended_well(&clients);
        example_say("%u connections answered, %u of them by another worker than was given them",
                    server.answered, server.moved);
        good = example_check(server.moved > 0, "what the killed worker had went to others") && good;
    }
    example_kill(&clients);
    stop(&server);
    hbk_close(server.client);
    return good;
}

int main(int argc, char **argv)
{
    WSADATA winsock;

    if (WSAStartup(MAKEWORD(2, 2), &winsock) != 0)
        return 1;
    if (argc == 2 && strcmp(argv[1], "worker") == 0)
        return preforking_worker() ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "clients") == 0)
        return preforking_clients(argv[2]) ? 0 : 1;
    if (argc != 1) {
        fprintf(stderr, "usage: preforking_server\n");
        return 2;
    }
    return run_server() ? 0 : 1;
}
