/* The server that hot_restart starts again and again. */
#include <winsock2.h>

#include "hot_restart.h"

#include <stdio.h>

#define SERVES_MS 800

static bool park(hbk_client *client, const char *name, HANDLE handle, const char *type)
{
    hbk_store_put_options put = {.size = sizeof put,
                                 .name = name,
                                 .handle = handle,
                                 .type = type,
                                 .flags = HBK_STORE_KEEP}; /* also when we have left */
    hbk_stored stored;
    hbk_error_info error;

    return hbk_store_put(client, &put, &stored, &error) == HBK_OK || example_refused(name, &error);
}

hbk_taken *hot_restart_take(hbk_client *client, const char *name)
{
    /* Who comes too early waits: nobody has to start in the right order. */
    hbk_store_get_options get = {.size = sizeof get, .name = name, .wait_ms = EXAMPLE_WAIT_MS};
    hbk_taken *taken = NULL;
    hbk_error_info error;

    if (hbk_store_get(client, &get, &taken, &error) != HBK_OK)
        example_refused(name, &error);
    return taken;
}

/* The first server has nobody to take anything over from. The listener is parked first, so that who
 * finds the section can connect. */
static bool make_both(hbk_client *client, SOCKET *ret_listener, HANDLE *ret_section)
{
    struct sockaddr_in address = {0};

    *ret_listener = socket_listen(&address);
    *ret_section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                      sizeof(struct state), NULL);
    if (*ret_listener == INVALID_SOCKET || *ret_section == NULL)
        return example_failed("make the socket and the section", GetLastError());
    struct state *state = MapViewOfFile(*ret_section, FILE_MAP_WRITE, 0, 0, 0);
    if (state == NULL)
        return example_failed("MapViewOfFile", GetLastError());
    state->port = address.sin_port;
    UnmapViewOfFile(state);
    return park(client, HOT_RESTART_LISTENER, (HANDLE)*ret_listener, "Socket") &&
           park(client, HOT_RESTART_STATE, *ret_section, "Section");
}

static bool take_both(hbk_client *client, SOCKET *ret_listener, HANDLE *ret_section)
{
    hbk_taken *listener = hot_restart_take(client, HOT_RESTART_LISTENER),
              *section = hot_restart_take(client, HOT_RESTART_STATE);

    if (listener != NULL)
        *ret_listener = (SOCKET)hbk_taken_take_socket(listener);
    if (section != NULL)
        *ret_section = hbk_taken_take(section);
    hbk_taken_free(listener);
    hbk_taken_free(section);
    return *ret_listener != INVALID_SOCKET && *ret_section != NULL;
}

static bool serve(SOCKET listener, struct state *state)
{
    ULONGLONG end = GetTickCount64() + SERVES_MS;
    char line[64];

    /* Ends between two connections: what was accepted is answered, what was not waits. */
    while (GetTickCount64() < end) {
        if (!socket_wait(listener, 50))
            continue;
        SOCKET connection = accept(listener, NULL, NULL);
        if (connection == INVALID_SOCKET)
            return example_failed("accept", (DWORD)WSAGetLastError());
        snprintf(line, sizeof line, "%ld by server %ld\n", (long)++state->served,
                 (long)state->generation);
        socket_write(connection, line);
        socket_read(connection, line, sizeof line); /* until the client has closed it */
        closesocket(connection);
    }
    return true;
}

bool hot_restart_server(long generation)
{
    SOCKET listener = INVALID_SOCKET;
    HANDLE section = NULL;
    hbk_client *client = NULL;
    hbk_error_info error;
    struct state *state = NULL;

    example_begin("server");
    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return example_refused("hbk_open", &error);
    bool good = generation == 1 ? make_both(client, &listener, &section)
                                : take_both(client, &listener, &section);
    hbk_close(client); /* the broker has what it needs, and so have we */
    if (good)
        state = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    if (state != NULL) {
        good = state->generation + 1 == generation;
        state->generation = generation;
        good = serve(listener, state) && good;
        UnmapViewOfFile(state);
    }
    if (section != NULL)
        CloseHandle(section);
    if (listener != INVALID_SOCKET)
        closesocket(listener);
    return good && state != NULL;
}
