/* What the workers of preforking_server do, and the clients that it starts to be asked by. */
#include <winsock2.h>

#include "preforking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MS 50 /* what it takes to find an answer */

void preforking_endpoint(DWORD pid, char *ret_name, size_t size)
{
    snprintf(ret_name, size, "user/preforking/%lu", (unsigned long)pid);
}

/* Nothing is read from the connection, so a worker that is killed takes nothing with it, and the next
 * one finds it as it was. (Where the client speaks first, look at that with MSG_PEEK, and take it when
 * the answer is out.) Killed between the answer and the event, another worker makes the answer again:
 * once more than needed, never once too few. */
static bool answer(SOCKET connection, HANDLE done)
{
    char line[96];

    Sleep(WORK_MS);
    snprintf(line, sizeof line, "port %u, by process %lu\n", socket_peer_port(connection),
             (unsigned long)GetCurrentProcessId());
    socket_write(connection, line);
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

/* Each is told its own port, and wants no other's answer. */
static bool is_answer(SOCKET connection)
{
    char line[96], expected[32];

    snprintf(expected, sizeof expected, "port %u, by ", socket_own_port(connection));
    return socket_read(connection, line, sizeof line) &&
           strncmp(line, expected, strlen(expected)) == 0;
}

bool preforking_clients(const char *port)
{
    struct sockaddr_in server = socket_local(htons((u_short)strtoul(port, NULL, 10)));
    SOCKET connections[PREFORKING_AT_ONCE];
    int answers = 0;

    example_begin("clients");
    for (int first = 0; first < PREFORKING_CLIENTS; first += PREFORKING_AT_ONCE) {
        for (int i = 0; i < PREFORKING_AT_ONCE; i++) {
            connections[i] = socket_connect(&server);
            if (connections[i] == INVALID_SOCKET)
                example_failed("connect", (DWORD)WSAGetLastError());
        }
        for (int i = 0; i < PREFORKING_AT_ONCE; i++) {
            if (connections[i] == INVALID_SOCKET)
                continue;
            answers += is_answer(connections[i]);
            closesocket(connections[i]);
        }
    }
    example_say("%d connected, %d answered", PREFORKING_CLIENTS, answers);
    return answers == PREFORKING_CLIENTS;
}
