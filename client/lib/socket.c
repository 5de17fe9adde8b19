/* Sockets: which handle is one, and how the library makes one of what the service has sent.
 *
 * Winsock, crypt32 and ntdll are loaded when they are needed, so that a program that hands events
 * around does not carry them.
 *
 * Telling a socket from a file
 * Winsock asks the object itself about a handle that it does not know. For a file that was opened for
 * synchronous I/O that question waits until the I/O that is under way has ended, which for the pipe of
 * an idle peer is never. So is every other question that would tell (its type of device, its name).
 * What never waits is what the kernel keeps with the handle: the rights that it grants. Hence
 * - Nobody has started Winsock in this process: there are no sockets in it.
 * - Winsock opens all its sockets with the same rights, on Windows reading, writing, SYNCHRONIZE and
 *   WRITE_DAC. Which, it shows by a socket that we make ourselves, once. A handle that has not all of
 *   them is taken for no socket. Files and pipes are hardly ever opened with WRITE_DAC.
 * - Only what has them is asked about. What may still wait is the question about a pipe or file that was
 *   opened for synchronous I/O both ways and with WRITE_DAC, and on which another thread waits.
 * - Who says that a handle is a socket is believed to mean no such file: there the rights to read and to
 *   write are enough to ask. */
#include <winsock2.h>
#include "client.h"

#include <wincrypt.h>

_Static_assert(sizeof(SOCKET) == sizeof(HANDLE), "a socket is a handle");

struct object_rights { /* PUBLIC_OBJECT_BASIC_INFORMATION */
    ULONG attributes;
    ACCESS_MASK granted;
    ULONG rest[12];
};

typedef LONG(NTAPI *query_object)(HANDLE, int, void *, ULONG, ULONG *);

struct functions {
    query_object query;
    int(WSAAPI *startup)(WORD, WSADATA *);
    SOCKET(WSAAPI *make)(int, int, int, WSAPROTOCOL_INFOW *, GROUP, DWORD);
    int(WSAAPI *option)(SOCKET, int, int, char *, int *);
    int(WSAAPI *close)(SOCKET);
    int(WSAAPI *error)(void);
    BOOL(WINAPI *decode)(LPCSTR, DWORD, DWORD, BYTE *, DWORD *, DWORD *, DWORD *);
};

static struct functions functions;
static INIT_ONCE loaded = INIT_ONCE_STATIC_INIT, decoder = INIT_ONCE_STATIC_INIT,
                 started = INIT_ONCE_STATIC_INIT, asking = INIT_ONCE_STATIC_INIT;

static void (*find(HMODULE module, const char *name))(void)
{
    return (void (*)(void))GetProcAddress(module, name);
}

static HMODULE load(const wchar_t *library)
{
    return LoadLibraryExW(library, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
}

/* What is loaded stays: sockets that were given to the application need it. */
static BOOL CALLBACK load_functions(INIT_ONCE *once, void *parameter, void **context)
{
    HMODULE winsock = load(L"ws2_32.dll");

    (void)once;
    (void)parameter;
    (void)context;
    if (winsock == NULL)
        return FALSE;
    functions.startup = (int(WSAAPI *)(WORD, WSADATA *))find(winsock, "WSAStartup");
    functions.make = (SOCKET(WSAAPI *)(int, int, int, WSAPROTOCOL_INFOW *, GROUP, DWORD))find(
        winsock, "WSASocketW");
    functions.option = (int(WSAAPI *)(SOCKET, int, int, char *, int *))find(winsock, "getsockopt");
    functions.close = (int(WSAAPI *)(SOCKET))find(winsock, "closesocket");
    functions.error = (int(WSAAPI *)(void))find(winsock, "WSAGetLastError");
    return functions.startup != NULL && functions.make != NULL && functions.option != NULL &&
           functions.close != NULL && functions.error != NULL;
}

static BOOL CALLBACK load_query(INIT_ONCE *once, void *parameter, void **context)
{
    HMODULE nt = GetModuleHandleW(L"ntdll.dll");

    (void)once;
    (void)parameter;
    (void)context;
    if (nt != NULL)
        functions.query = (query_object)find(nt, "NtQueryObject");
    return functions.query != NULL;
}

static BOOL CALLBACK load_decoder(INIT_ONCE *once, void *parameter, void **context)
{
    HMODULE crypt = load(L"crypt32.dll");

    (void)once;
    (void)parameter;
    (void)context;
    if (crypt != NULL)
        functions.decode = (BOOL(WINAPI *)(LPCSTR, DWORD, DWORD, BYTE *, DWORD *, DWORD *,
                                           DWORD *))find(crypt, "CryptStringToBinaryA");
    return functions.decode != NULL;
}

static BOOL CALLBACK start(INIT_ONCE *once, void *parameter, void **context)
{
    WSADATA data;

    (void)once;
    (void)parameter;
    (void)context;
    return functions.startup(MAKEWORD(2, 2), &data) == 0;
}

static bool is_loaded(void)
{
    return InitOnceExecuteOnce(&loaded, load_functions, NULL, NULL) != 0;
}

/* One that fails is tried again at the next call. */
static bool is_started(void)
{
    return is_loaded() && InitOnceExecuteOnce(&started, start, NULL, NULL) != 0;
}

/* ---- which handle is one ---- */

/* The rights that a handle has; 0: it is none. */
static uint32_t granted(HANDLE handle)
{
    struct object_rights rights = {0};

    if (!InitOnceExecuteOnce(&asking, load_query, NULL, NULL) ||
        functions.query(handle, 0, &rights, sizeof rights, NULL) < 0)
        return 0;
    return rights.granted;
}

/* With which rights Winsock opens sockets here; 0: there are none in this process. */
static uint32_t own_rights(void)
{
    static volatile LONG known;

    if (known != 0)
        return (uint32_t)known;
    SOCKET probe = functions.make(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (probe == INVALID_SOCKET)
        return 0;
    uint32_t rights = granted((HANDLE)probe);
    functions.close(probe);
    InterlockedExchange(&known, (LONG)rights);
    return rights;
}

static bool answers(HANDLE handle)
{
    int type = 0, size = sizeof type;
    return functions.option((SOCKET)handle, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

bool hbk_socket_hidden(HANDLE handle)
{
    /* Asked before the loader, which may look on the disk for what is not loaded: no event has this right, and no
     * file on a disk is of this kind; every socket has both. */
    uint32_t has = granted(handle);
    if (!(has & FILE_READ_ATTRIBUTES) || GetFileType(handle) != FILE_TYPE_PIPE)
        return false;
    if (GetModuleHandleW(L"ws2_32.dll") == NULL || !is_loaded())
        return false;
    uint32_t rights = own_rights();
    return rights != 0 && (has & rights) == rights && answers(handle);
}

bool hbk_socket_denied(HANDLE handle)
{
    const uint32_t both = FILE_READ_DATA | FILE_WRITE_DATA;

    if (!is_started())
        return false; /* nobody knows; the service will */
    uint32_t rights = granted(handle);
    return rights != 0 && ((rights & both) != both || !answers(handle));
}

/* ---- making and closing ---- */

static bool decode(struct hbk_text text, WSAPROTOCOL_INFOW *ret_info)
{
    DWORD size = sizeof *ret_info;

    return functions.decode(text.data, (DWORD)text.size, CRYPT_STRING_BASE64, (BYTE *)ret_info,
                            &size, NULL, NULL) &&
           size == sizeof *ret_info;
}

HANDLE hbk_socket_make(struct hbk_text info, uint32_t *ret_win32)
{
    WSAPROTOCOL_INFOW binary;

    if (!is_started() || !InitOnceExecuteOnce(&decoder, load_decoder, NULL, NULL)) {
        *ret_win32 = WSASYSNOTREADY;
        return NULL;
    }
    if (!decode(info, &binary)) {
        *ret_win32 = ERROR_INVALID_DATA;
        return NULL;
    }
    SOCKET made = functions.make(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
                                 &binary, 0, WSA_FLAG_OVERLAPPED);
    if (made == INVALID_SOCKET) {
        *ret_win32 = (uint32_t)functions.error();
        return NULL;
    }
    /* Whether a child gets it is for the sender to say, not for how Windows came to it. */
    SetHandleInformation((HANDLE)made, HANDLE_FLAG_INHERIT, 0);
    return (HANDLE)made;
}

void hbk_socket_close(HANDLE socket)
{
    if (is_loaded())
        functions.close((SOCKET)socket);
}

void hbk_socket_discard(struct hbk_text info)
{
    uint32_t win32 = 0;

    HANDLE made = hbk_socket_make(info, &win32);
    if (made != NULL)
        hbk_socket_close(made);
}
