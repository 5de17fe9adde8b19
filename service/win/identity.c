/* Who is at the other end of a pipe. The process that Windows names for it is opened and kept,
 * so that its pid means the same process for as long as the session lives; then the token that
 * came with the pipe must say the same as the token of that process. */
#include "parts.h"

#include <bcrypt.h>
#include <sddl.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_BYTES_MAX =
        1024 * 1024, /* of one kind of information; a token has at most 1,024 groups */
    ENCODING_BYTES_MAX = 4 * 1024 * 1024,
};

/* What is hashed: each part is its tag, its size and its bytes, so that no two identities meet. */
enum part {
    PART_VERSION = 0,
    PART_USER = 1,
    PART_LOGON = 2,
    PART_INTEGRITY = 3,
    PART_APP_CONTAINER = 4,
    PART_RESTRICTING = 5,
    PART_DENY_ONLY = 6,
};

struct scratch {
    void *data;
    DWORD capacity;
};

static BCRYPT_ALG_HANDLE sha256;

uint32_t hbk_identity_init(void)
{
    if (sha256 != NULL) {
        return 0;
    }
    hbk_identity_now(); /* the clock may be set back from here on */
    NTSTATUS status = BCryptOpenAlgorithmProvider(&sha256, BCRYPT_SHA256_ALGORITHM, NULL, 0);
    return status < 0 ? (uint32_t)NTE_PROV_TYPE_NOT_DEF : 0;
}

/* Fills @scratch with one kind of information of @token. Return: 0, or the Windows error. */
static uint32_t query(HANDLE token, TOKEN_INFORMATION_CLASS kind, struct scratch *scratch)
{
    DWORD needed = 256;
    /* The token of a running process may grow between two calls, but not for ever. */
    for (int attempt = 0; attempt < 8; attempt++) {
        if (scratch->capacity < needed) {
            if (needed > TOKEN_BYTES_MAX) {
                return ERROR_BUFFER_OVERFLOW;
            }
            void *data = realloc(scratch->data, needed);
            if (data == NULL) {
                return ERROR_NOT_ENOUGH_MEMORY;
            }
            scratch->data = data;
            scratch->capacity = needed;
        }
        if (GetTokenInformation(token, kind, scratch->data, scratch->capacity, &needed)) {
            return 0;
        }
        uint32_t error = GetLastError();
        if (error != ERROR_INSUFFICIENT_BUFFER) {
            return error;
        }
    }
    return ERROR_INSUFFICIENT_BUFFER;
}

static void put_u32(struct hbk_buffer *encoding, uint32_t value)
{
    uint8_t bytes[4];
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    hbk_buffer_append(encoding, bytes, sizeof(bytes));
}

static void put(struct hbk_buffer *encoding, enum part part, const void *bytes, uint32_t size)
{
    uint8_t tag = (uint8_t)part;
    hbk_buffer_append(encoding, &tag, 1);
    put_u32(encoding, size);
    hbk_buffer_append(encoding, bytes, size);
}

static int compare_sids(const void *left, const void *right)
{
    PSID a = *(const PSID *)left;
    PSID b = *(const PSID *)right;
    DWORD a_size = GetLengthSid(a);
    DWORD b_size = GetLengthSid(b);
    if (a_size != b_size) {
        return a_size < b_size ? -1 : 1;
    }
    return memcmp(a, b, a_size);
}

/* The SIDs of @groups that have one of @attributes (0: all of them), in an order that does not
 * depend on theirs. Return: 0, or the Windows error. */
static uint32_t put_groups(struct hbk_buffer *encoding, enum part part, const TOKEN_GROUPS *groups,
                           DWORD attributes)
{
    uint32_t count = 0;
    PSID *sids = malloc((groups->GroupCount + 1) * sizeof(*sids));
    if (sids == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    for (DWORD i = 0; i < groups->GroupCount; i++) {
        if (attributes == 0 || (groups->Groups[i].Attributes & attributes) != 0) {
            sids[count++] = groups->Groups[i].Sid;
        }
    }
    qsort(sids, count, sizeof(*sids), compare_sids);
    put(encoding, part, NULL, 0);
    put_u32(encoding, count);
    for (uint32_t i = 0; i < count; i++) {
        put(encoding, part, sids[i], GetLengthSid(sids[i]));
    }
    free(sids);
    return 0;
}

static uint32_t read_user(HANDLE token, struct scratch *scratch, struct hbk_peer *peer,
                          struct hbk_buffer *encoding)
{
    uint32_t error = query(token, TokenUser, scratch);
    if (error != 0) {
        return error;
    }
    PSID sid = ((const TOKEN_USER *)scratch->data)->User.Sid;
    put(encoding, PART_USER, sid, GetLengthSid(sid));
    char *text = NULL;
    if (!ConvertSidToStringSidA(sid, &text)) {
        return GetLastError();
    }
    size_t size = strlen(text);
    HBK_ASSERT(size < sizeof(peer->user));
    memcpy(peer->user, text, size + 1);
    LocalFree(text);
    return 0;
}

static uint32_t read_session(HANDLE token, struct scratch *scratch, struct hbk_peer *peer,
                             struct hbk_buffer *encoding)
{
    uint32_t error = query(token, TokenStatistics, scratch);
    if (error != 0) {
        return error;
    }
    LUID logon = ((const TOKEN_STATISTICS *)scratch->data)->AuthenticationId;
    peer->logon_session = (uint64_t)(uint32_t)logon.HighPart << 32 | logon.LowPart;
    put(encoding, PART_LOGON, &peer->logon_session, sizeof(peer->logon_session));

    error = query(token, TokenSessionId, scratch);
    if (error != 0) {
        return error;
    }
    memcpy(&peer->terminal_session, scratch->data, sizeof(peer->terminal_session));
    return 0;
}

static uint32_t read_integrity(HANDLE token, struct scratch *scratch, struct hbk_peer *peer,
                               struct hbk_buffer *encoding)
{
    uint32_t error = query(token, TokenIntegrityLevel, scratch);
    if (error != 0) {
        return error;
    }
    PSID sid = ((const TOKEN_MANDATORY_LABEL *)scratch->data)->Label.Sid;
    UCHAR count = *GetSidSubAuthorityCount(sid);
    if (count == 0) {
        return ERROR_INVALID_SID;
    }
    peer->integrity = *GetSidSubAuthority(sid, count - 1u);
    put(encoding, PART_INTEGRITY, &peer->integrity, sizeof(peer->integrity));
    return 0;
}

static uint32_t read_app_container(HANDLE token, struct scratch *scratch,
                                   struct hbk_buffer *encoding)
{
    uint32_t error = query(token, TokenIsAppContainer, scratch);
    if (error != 0) {
        return error;
    }
    DWORD is_app_container;
    memcpy(&is_app_container, scratch->data, sizeof(is_app_container));
    if (is_app_container == 0) {
        put(encoding, PART_APP_CONTAINER, NULL, 0);
        return 0;
    }
    error = query(token, TokenAppContainerSid, scratch);
    if (error != 0) {
        return error;
    }
    PSID sid = ((const TOKEN_APPCONTAINER_INFORMATION *)scratch->data)->TokenAppContainer;
    if (sid == NULL) {
        return ERROR_INVALID_SID;
    }
    put(encoding, PART_APP_CONTAINER, sid, GetLengthSid(sid));
    return 0;
}

static uint32_t read_groups(HANDLE token, struct scratch *scratch, struct hbk_buffer *encoding)
{
    uint32_t error = query(token, TokenRestrictedSids, scratch);
    if (error == 0) {
        error = put_groups(encoding, PART_RESTRICTING, scratch->data, 0);
    } else if (error == ERROR_INVALID_FUNCTION) {
        /* A system that does not know the question has no such tokens; Windows always knows it. */
        put(encoding, PART_RESTRICTING, NULL, 0);
        put_u32(encoding, 0);
        error = 0;
    }
    if (error != 0) {
        return error;
    }
    error = query(token, TokenGroups, scratch);
    if (error != 0) {
        return error;
    }
    return put_groups(encoding, PART_DENY_ONLY, scratch->data, SE_GROUP_USE_FOR_DENY_ONLY);
}

/* All of @ret_peer but the pid, which it leaves alone. Return: 0, or the Windows error. */
static uint32_t read_token(HANDLE token, struct hbk_peer *ret_peer)
{
    uint32_t error;
    struct scratch scratch = {NULL, 0};
    struct hbk_peer peer = *ret_peer;
    struct hbk_buffer encoding;
    hbk_buffer_init(&encoding, ENCODING_BYTES_MAX);

    uint32_t version = 1;
    put(&encoding, PART_VERSION, &version, sizeof(version));
    error = read_user(token, &scratch, &peer, &encoding);
    if (error == 0) {
        error = read_session(token, &scratch, &peer, &encoding);
    }
    if (error == 0) {
        error = read_integrity(token, &scratch, &peer, &encoding);
    }
    if (error == 0) {
        error = read_app_container(token, &scratch, &encoding);
    }
    if (error == 0) {
        error = read_groups(token, &scratch, &encoding);
    }
    if (error != 0) {
        goto out;
    }
    if (encoding.failed) {
        error = ERROR_NOT_ENOUGH_MEMORY;
        goto out;
    }
    NTSTATUS status = BCryptHash(sha256, NULL, 0, encoding.data, (ULONG)encoding.size, peer.scope,
                                 sizeof(peer.scope));
    if (status < 0) {
        error = (uint32_t)NTE_FAIL;
        goto out;
    }
    *ret_peer = peer;
out:
    hbk_buffer_deinit(&encoding);
    free(scratch.data);
    return error;
}

static int refuse(struct hbk_refusal *ret_refusal, const char *why, uint32_t pid, uint32_t win32)
{
    *ret_refusal = (struct hbk_refusal){.why = why, .pid = pid, .win32 = win32};
    return HBK_IDENTITY_E_REFUSED;
}

/* ---- the process ---- */

/* How far the clock was ahead of the time since the system's start, at most: it may be set back. */
static volatile LONG64 clock_ahead = INT64_MIN;

static uint64_t from_filetime(const FILETIME *time)
{
    return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

uint64_t hbk_identity_now(void)
{
    enum { FILETIME_PER_MS = 10000 };
    FILETIME wall;
    LONG64 since_start = (LONG64)(GetTickCount64() * FILETIME_PER_MS);

    /* Not the coarse clock: the time of a process's making may be ahead of it. */
    GetSystemTimePreciseAsFileTime(&wall);
    LONG64 ahead = (LONG64)from_filetime(&wall) - since_start;
    LONG64 most = InterlockedCompareExchange64(&clock_ahead, 0, 0);
    while (ahead > most) {
        LONG64 seen = InterlockedCompareExchange64(&clock_ahead, ahead, most);
        most = seen == most ? ahead : seen;
    }
    return (uint64_t)(since_start + most);
}

bool hbk_identity_existed(HANDLE process, uint64_t now)
{
    FILETIME created, ended, kernel, user;
    return GetProcessTimes(process, &created, &ended, &kernel, &user) &&
           from_filetime(&created) <= now;
}

HANDLE hbk_identity_open(uint32_t pid)
{
    const DWORD access = PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    HANDLE process = OpenProcess(access | READ_CONTROL, FALSE, pid);
    if (process == NULL && GetLastError() == ERROR_ACCESS_DENIED) {
        /* A process that hides its descriptor may be a client all the same. */
        process = OpenProcess(access, FALSE, pid);
    }
    return process;
}

/* Is @process, which was opened by its @pid, the one that opened @pipe? @asked: the time just before the pipe
 * was asked for the pid. While we hold @process its pid means no other. Return: NULL, or why not.
 *
 * - One that was made after we asked got the pid of an opener that had ended: the pid was given away
 *   between the pipe's answer and OpenProcess.
 * - One that has ended cannot prove anything, and its pipe is in other hands if it is open at all.
 * - A pipe that now names somebody else was closed and connected again meanwhile. Nothing of the broker's
 *   does that to a pipe that it has accepted; should that change, it is seen here.
 *
 * What these cannot see is a pid that was given away between the opening of the pipe and the question. It is of
 * no use: the process that has it now must have the token that the pipe was opened with, and set the event
 * that is placed in it, while its opener's pipe is in the hands of another. */
static const char *why_not_opener(HANDLE pipe, HANDLE process, ULONG pid, uint64_t asked)
{
    ULONG again = 0;

    if (!hbk_identity_existed(process, asked)) {
        return "the process that opened its pipe has ended, and another has its pid";
    }
    if (WaitForSingleObject(process, 0) != WAIT_TIMEOUT) {
        return "the process that opened its pipe has ended";
    }
    if (!GetNamedPipeClientProcessId(pipe, &again) || again != pid) {
        return "its pipe has changed hands";
    }
    return NULL;
}

/* Access checks want one that is made for impersonation; this one can only be asked, not used. */
uint32_t hbk_identity_token(HANDLE process, HANDLE *ret_token)
{
    uint32_t error = 0;
    HANDLE own = NULL;

    if (!OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, &own)) {
        return GetLastError();
    }
    if (!DuplicateTokenEx(own, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation,
                          ret_token)) {
        error = GetLastError();
    }
    CloseHandle(own);
    return error;
}

int hbk_identity_of_process(HANDLE pipe, struct hbk_peer *ret_peer, HANDLE *ret_process,
                            HANDLE *ret_token, struct hbk_refusal *ret_refusal)
{
    int result = 0;
    uint32_t error;
    HANDLE process = NULL;
    HANDLE token = NULL;
    ULONG pid = 0;
    const char *why;
    struct hbk_peer peer = {0};
    uint64_t asked = hbk_identity_now();

    if (!GetNamedPipeClientProcessId(pipe, &pid)) {
        result = refuse(ret_refusal, "the pipe does not say whose it is", 0, GetLastError());
        goto out;
    }
    if (pid == 0 || pid == 4 || pid == GetCurrentProcessId()) {
        result = refuse(ret_refusal, "the pipe was opened by the system or by the broker itself",
                        pid, 0);
        goto out;
    }
    peer.pid = pid;
    process = hbk_identity_open(pid);
    if (process == NULL) {
        result = refuse(ret_refusal, "its process could not be opened", pid, GetLastError());
        goto out;
    }
    why = why_not_opener(pipe, process, pid, asked);
    if (why != NULL) {
        result = refuse(ret_refusal, why, pid, 0);
        goto out;
    }
    error = hbk_identity_token(process, &token);
    if (error != 0) {
        result = refuse(ret_refusal, "its process's token could not be opened", pid, error);
        goto out;
    }
    error = read_token(token, &peer);
    if (error != 0) {
        result = refuse(ret_refusal, "its process's token could not be read", pid, error);
        goto out;
    }
    *ret_peer = peer;
    *ret_process = process;
    *ret_token = token;
    process = NULL;
    token = NULL;
out:
    if (token != NULL) {
        CloseHandle(token);
    }
    if (process != NULL) {
        CloseHandle(process);
    }
    return result;
}

/* ---- the pipe's own token ---- */

int hbk_identity_confirm(HANDLE pipe, const struct hbk_peer *peer, struct hbk_refusal *ret_refusal)
{
    int result = 0;
    HANDLE token = NULL;
    struct hbk_peer other = {.pid = peer->pid};

    uint32_t error = hbk_impersonate(pipe, &token);
    if (error == ERROR_CANNOT_IMPERSONATE) {
        result = HBK_IDENTITY_E_LATER;
        goto out;
    }
    if (error != 0) {
        result = refuse(ret_refusal, "its pipe's token could not be had", peer->pid, error);
        goto out;
    }
    error = read_token(token, &other);
    if (error != 0) {
        result = refuse(ret_refusal, "its pipe's token could not be read", peer->pid, error);
        goto out;
    }
    /* The digest covers user, logon session, integrity, AppContainer, restricting and deny-only
     * SIDs. */
    if (memcmp(other.scope, peer->scope, sizeof(peer->scope)) != 0 ||
        other.terminal_session != peer->terminal_session) {
        result =
            refuse(ret_refusal, "the token of its pipe is not that of its process", peer->pid, 0);
        goto out;
    }
out:
    if (token != NULL) {
        CloseHandle(token);
    }
    return result;
}
