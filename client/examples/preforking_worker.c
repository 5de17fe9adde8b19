/* What the workers of preforking_server do, and the clients that it starts to be asked by. */
#include <winsock2.h>

#include "preforking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MS 20 /* what it takes to find an answer */

void preforking_endpoint(DWORD pid, char *ret_name, size_t size)
{
    snprintf(ret_name, size, "user/preforking/%lu", (unsigned long)pid);
}

/* The request is only looked at before the answer is out, so that another worker will find it if we
 * are killed. Killed after the answer and before the event, another makes it again: once more than
 * needed, never once too few. */
static bool answer(SOCKET connection, HANDLE done)
{
    char line[64] = "", text[96];

    int size = recv(connection, line, sizeof line - 1, MSG_PEEK);
    if (size > 0) {
        line[strcspn(line, "\n")] = '\0';
        Sleep(WORK_MS);
        snprintf(text, sizeof text, "%s, by process %lu\n", line,
                 (unsigned long)GetCurrentProcessId());
        socket_write(connection, text);
        recv(connection, line, size, 0);
    }
    /* Also when the client has left: it is nobody else's either. */
    return SetEvent(done) || example_failed("SetEvent", GetLastError());
}

bool preforking_worker(void)
{
    const hbk_type_accept types[] = {{"Socket", HBK_ACCESS_SAME}, {"Event", EVENT_MODIFY_STATE}};
    char name[PREFORKING_NAME_MAX];
    hbk_endpoint_options endpoint = {
        .size = sizeof endpoint, .name = name, .types = types, .types_count = 2, .items_max = 2};
    hbk_client *client = NULL;
    hbk_delivery *delivery = NULL;
    hbk_error_info error;
    bool good;

    example_begin("worker");
    preforking_endpoint(GetCurrentProcessId(), name, sizeof name);
    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return example_refused("hbk_open", &error);
    good = hbk_endpoint_open(client, &endpoint, &error) == HBK_OK ||
           example_refused("hbk_endpoint_open", &error);
    while (good) {
        if (hbk_receive(client, INFINITE, &delivery, &error) != HBK_OK) {
            good = example_refused("hbk_receive", &error);
            break;
        }
        SOCKET connection = (SOCKET)hbk_delivery_take_socket(delivery, 0);
        good = answer(connection, delivery->items[1].handle);
        closesocket(connection);
        hbk_delivery_free(delivery);
    }
    hbk_close(client);
    return good;
}

/* ---- the clients ---- */

/* Asks for @number and wants the answer to that. */
static bool is_answer(SOCKET connection, int number)
{
    char line[64], expected[32];

    snprintf(expected, sizeof expected, "client %d, by ", number);
    return socket_read(connection, line, sizeof line) &&
           strncmp(line, expected, strlen(expected)) == 0;
}

bool preforking_clients(const char *port)
{
    struct sockaddr_in server = socket_local(htons((u_short)strtoul(port, NULL, 10)));
    SOCKET connections[PREFORKING_AT_ONCE];
    char line[64];
    int answers = 0;

    example_begin("clients");
    for (int first = 0; first < PREFORKING_CLIENTS; first += PREFORKING_AT_ONCE) {
        for (int i = 0; i < PREFORKING_AT_ONCE; i++) {
            connections[i] = socket_connect(&server);
            snprintf(line, sizeof line, "client %d\n", first + i);
            if (connections[i] == INVALID_SOCKET || !socket_write(connections[i], line))
                example_failed("connect", (DWORD)WSAGetLastError());
        }
        for (int i = 0; i < PREFORKING_AT_ONCE; i++) {
            if (connections[i] == INVALID_SOCKET)
                continue;
            answers += is_answer(connections[i], first + i);
            closesocket(connections[i]);
        }
    }
    example_say("%d asked, %d answered", PREFORKING_CLIENTS, answers);
    return answers == PREFORKING_CLIENTS;
}
