/* A server that is restarted again and again while clients keep connecting, and none of them notices.
 *
 *     hot_restart [--seconds N]        5 unless said otherwise
 *
 * The first server parks its listening socket and a section with its state in the broker's store, and
 * ends some time later. The next one takes both. In between there is no server at all; but the socket
 * still listens, as the broker holds it, and who connects waits in its backlog. It is parked at the
 * start and not at the end, so that the next server finds it also if this one crashes.
 *
 * Exit code 0 only if no connection was refused, none was lost, each server has found the state of the
 * one before, and the port is closed once the store has let go of it. */
#include <winsock2.h>

#include "hot_restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 4

struct load {
    struct sockaddr_in server;
    volatile LONG stop, made, refused, lost;
};

static SOCKET connect_to(struct load *load)
{
    SOCKET connection = socket_connect(&load->server);
    InterlockedIncrement(connection != INVALID_SOCKET ? &load->made : &load->refused);
    return connection;
}

static void read_answer(struct load *load, SOCKET connection)
{
    char line[64];

    if (connection == INVALID_SOCKET)
        return;
    if (!socket_read(connection, line, sizeof line))
        InterlockedIncrement(&load->lost);
    socket_abort(connection);
}

static DWORD WINAPI keep_connecting(void *context)
{
    struct load *load = context;

    while (!load->stop)
        read_answer(load, connect_to(load));
    return 0;
}

/* Returns when the server has ended by itself, and another runs. */
static bool restart(struct load *load, struct example_child *server, long generation)
{
    char role[64];

    if (!example_ended_well(server))
        return false;
    /* Nobody is there. One more connection, for which that is sure. */
    SOCKET connection = connect_to(load);
    snprintf(role, sizeof role, "server %ld", generation);
    bool good = example_start(server, role, NULL, false);
    if (good)
        read_answer(load, connection);
    else if (connection != INVALID_SOCKET)
        closesocket(connection);
    return good;
}

/* Return: the number of servers, 0 if something went wrong. */
static long put_under_load(struct load *load, struct example_child *server, DWORD milliseconds)
{
    HANDLE clients[CLIENTS];
    ULONGLONG end = GetTickCount64() + milliseconds;
    DWORD started = 0;
    long generation = 1;
    bool good = true;

    while (started < CLIENTS &&
           (clients[started] = CreateThread(NULL, 0, keep_connecting, load, 0, NULL)) != NULL)
        started++;
    if (started < CLIENTS)
        good = example_failed("CreateThread", GetLastError());
    /* Also after the last connection was made there is a server, for it wants its answer. */
    while (good && WaitForMultipleObjects(started, clients, TRUE, 0) == WAIT_TIMEOUT) {
        good = restart(load, server, ++generation);
        load->stop = GetTickCount64() >= end;
    }
    load->stop = 1;
    WaitForMultipleObjects(started, clients, TRUE, EXAMPLE_WAIT_MS);
    while (started > 0)
        CloseHandle(clients[--started]);
    return example_ended_well(server) && good ? generation : 0;
}

/* The store was the last to hold the listening socket. The broker closes it on a thread of its own. */
static bool port_closes(hbk_client *client, const struct load *load)
{
    ULONGLONG end = GetTickCount64() + EXAMPLE_WAIT_MS;
    hbk_error_info error;
    SOCKET connection;

    if (hbk_store_remove(client, HOT_RESTART_LISTENER, &error) != HBK_OK)
        return example_refused("hbk_store_remove", &error);
    while ((connection = socket_connect(&load->server)) != INVALID_SOCKET &&
           GetTickCount64() < end) {
        closesocket(connection);
        Sleep(20);
    }
    if (connection != INVALID_SOCKET)
        closesocket(connection);
    return example_check(connection == INVALID_SOCKET, "removed from the store: now it is refused");
}

static bool run(hbk_client *client, DWORD milliseconds)
{
    struct load load = {.stop = 0};
    struct example_child server = {NULL, NULL, 0};
    hbk_taken *section = NULL;
    struct state *state = NULL;
    bool good = false;

    if (!example_start(&server, "server 1", NULL, false) ||
        (section = hot_restart_take(client, HOT_RESTART_STATE)) == NULL)
        goto out;
    state = MapViewOfFile(section->handle, FILE_MAP_READ, 0, 0, 0);
    if (state == NULL) {
        example_failed("MapViewOfFile", GetLastError());
        goto out;
    }
    load.server = socket_local(state->port);
    long servers = put_under_load(&load, &server, milliseconds);
    example_say("%lu s, %ld servers, one after the other", (unsigned long)milliseconds / 1000,
                servers);
    example_say("connections: made %ld, refused %ld, lost %ld", (long)load.made, (long)load.refused,
                (long)load.lost);
    good = example_check(servers > 2 && load.made >= servers, "restarted under load");
    good = example_check(load.refused == 0 && load.lost == 0, "none refused, none lost") && good;
    good = example_check(state->served == load.made && state->generation == servers,
                         "the section has counted them through all restarts") &&
           good;
    good = port_closes(client, &load) && good;
    UnmapViewOfFile(state);
out:
    example_kill(&server);
    hbk_taken_free(section);
    return good;
}

int main(int argc, char **argv)
{
    WSADATA winsock;
    hbk_client *client = NULL;
    hbk_error_info error;
    unsigned long seconds = 5;

    if (WSAStartup(MAKEWORD(2, 2), &winsock) != 0)
        return 1;
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return hot_restart_server(strtol(argv[2], NULL, 10)) ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
        seconds = strtoul(argv[2], NULL, 10);
    if ((argc != 1 && argc != 3) || seconds < 1 || seconds > 3600) {
        fprintf(stderr, "usage: hot_restart [--seconds N]\n");
        return 2;
    }
    example_begin("hot_restart");
    if (hbk_open(NULL, &client, &error) != HBK_OK) {
        example_refused("hbk_open", &error);
        return 1;
    }
    /* What an earlier run that was killed has left. */
    hbk_store_remove(client, HOT_RESTART_LISTENER, NULL);
    hbk_store_remove(client, HOT_RESTART_STATE, NULL);
    bool good = run(client, seconds * 1000);
    hbk_store_remove(client, HOT_RESTART_LISTENER, NULL);
    hbk_store_remove(client, HOT_RESTART_STATE, NULL);
    hbk_close(client);
    return good ? 0 : 1;
}
