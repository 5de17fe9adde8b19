/* Handle Broker: the store, where a handle outlives its process. A part of handlebroker.h, whose rules
 * apply. */
#ifndef HANDLEBROKER_STORE_H
#define HANDLEBROKER_STORE_H

#include "handlebroker.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HBK_STORE_REPLACE 0x1u /* take the place of an entry of our own of that name */
#define HBK_STORE_ONCE 0x2u    /* whoever gets it first has it alone; so is every ticket */
#define HBK_STORE_KEEP 0x4u    /* keep it when we have left, until the service stops */
#define HBK_STORE_MOVE 0x8u    /* once it is stored, the library closes our own handle or socket */

typedef struct hbk_store_put_options {
    size_t size;
    const char *name; /* "user/...", "session/...", "global/..."; NULL: none, but a ticket */
    HANDLE handle;    /* or (HANDLE)SOCKET */
    const char *type; /* as in hbk_send_item: NULL, or what it is; "Socket" for a SOCKET */
    uint32_t access;  /* the most that takers get: as in hbk_send_item */
    uint32_t flags;   /* HBK_STORE_... */
    /* Who may get it, as SDDL: as hbk_endpoint_options.from, with the right 0x8. NULL: those who share
     * our `user/` names alone. */
    const char *allow;
    uint32_t ttl_ms;  /* how long it is kept, at most 2,147,483,647; 0: no limit */
    const char *data; /* text for the takers, as in hbk_send_options */
} hbk_store_put_options;

typedef struct hbk_stored {
    uint64_t entry;                    /* its number, for hbk_store_remove_entry() */
    char ticket[HBK_TICKET_BYTES + 1]; /* without a name: what to get it by; else "" */
} hbk_stored;

/**
 * hbk_store_put() - leave a handle in the broker, for whoever asks for it by name or ticket
 *
 * The broker holds the object from then on; our handle stays ours, unless moved. A name is free
 * again when the entry was removed or replaced, has expired, was taken with HBK_STORE_ONCE, or
 * when we leave (HBK_STORE_KEEP: when the service stops). A ticket is 128 random bits: who has it
 * and is let by `allow` gets the handle, once; with HBK_STORE_KEEP it needs ttl_ms. Blocks for one
 * round trip. Return: HBK_OK; HBK_EXISTS; HBK_DENIED (no rule lets us put that name);
 * HBK_BAD_HANDLE; HBK_TYPE_NOT_ALLOWED; HBK_TYPE_MISMATCH; HBK_ACCESS_EXCEEDS_SOURCE; HBK_QUOTA;
 * HBK_INVALID_PARAMS (`allow` is not what it may be; the detail says where); HBK_OS_ERROR;
 * HBK_INVALID_ARGUMENT; HBK_DISCONNECTED (whether it was stored is not known); HBK_BUSY (the
 * service is paused); HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "store.put". Since: 0.1
 */
HBK_API hbk_result hbk_store_put(hbk_client *client, const hbk_store_put_options *options,
                                 hbk_stored *ret_stored, hbk_error_info *ret_error);

typedef struct hbk_store_get_options {
    size_t size;
    const char *name;   /* either this ... */
    const char *ticket; /* ... or this: 32 lower-case hex digits */
    uint32_t access;    /* HBK_ACCESS_SAME: what the entry has; HBK_ACCESS_READ, or a mask of it */
    uint32_t flags;     /* HBK_ITEM_INHERIT, HBK_ITEM_PROTECT */
    uint32_t wait_ms;   /* for the name to be put, 0..60,000; 0: it must be there */
} hbk_store_get_options;

typedef struct hbk_taken {
    HANDLE handle;    /* NULL once it was taken out; of a Socket, its SOCKET */
    const char *type; /* as the NT kernel spells it, or "Socket" */
    uint32_t access;
    int widenable;         /* HBK_WIDEN_...; 0: nothing was left out */
    uint64_t from_session; /* who has put it; it may have ended since */
    uint32_t from_pid;
    uint32_t from_integrity; /* RID of the mandatory label; 0x2000 is medium */
    const char *from_user;   /* SID */
    const char *data;        /* what it said with it, or NULL */
} hbk_taken;

/**
 * hbk_store_get() - get a handle of our own to what was put
 * @ret_taken: to be freed with hbk_taken_free()
 *
 * The entry stays for others, unless it was put with HBK_STORE_ONCE or is a ticket's. Blocks for one
 * round trip, and up to wait_ms. Return: HBK_OK; HBK_NOT_FOUND (nothing of that name or ticket for
 * us); HBK_TIMEOUT (nor within wait_ms); HBK_DENIED (no rule lets us get that name, whether it
 * exists or not); HBK_TYPE_NOT_ALLOWED; HBK_TYPE_MISMATCH (what was put as a socket is none);
 * HBK_ACCESS_EXCEEDS_SOURCE; HBK_QUOTA; HBK_BUSY; HBK_OS_ERROR; HBK_INVALID_ARGUMENT;
 * HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "store.get". Since: 0.1
 */
HBK_API hbk_result hbk_store_get(hbk_client *client, const hbk_store_get_options *options,
                                 hbk_taken **ret_taken, hbk_error_info *ret_error);

/** hbk_taken_take() - take the handle out. Return: it, which the caller closes from now on; NULL if
 * it was taken out before, or is a socket. */
HBK_API HANDLE hbk_taken_take(hbk_taken *taken);

/** hbk_taken_take_socket() - take the socket out. Return: as hbk_delivery_take_socket(). */
HBK_API uintptr_t hbk_taken_take_socket(hbk_taken *taken);

/** hbk_taken_free() - free @taken and close what was not taken out. NULL is accepted. May be called
 * after hbk_close(). */
HBK_API void hbk_taken_free(hbk_taken *taken);

/**
 * hbk_store_remove() - remove an entry of our own by its name
 *
 * What was got before stays. Blocks for one round trip. Return: HBK_OK; HBK_NOT_FOUND;
 * HBK_DENIED; HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "store.remove". Since: 0.1
 */
HBK_API hbk_result hbk_store_remove(hbk_client *client, const char *name,
                                    hbk_error_info *ret_error);

/** hbk_store_remove_entry() - the same by number; with the right `revoke` also others' entries. */
HBK_API hbk_result hbk_store_remove_entry(hbk_client *client, uint64_t entry,
                                          hbk_error_info *ret_error);

typedef struct hbk_store_entry {
    uint64_t entry;
    const char *name; /* NULL: a ticket's */
    hbk_party owner;
    const char *type;
    uint32_t access;   /* the most that takers get */
    int keep;          /* nonzero: until the service stops */
    int once;          /* nonzero: for one taker */
    int shared;        /* nonzero: it has an `allow` */
    uint64_t since_ms; /* milliseconds since it was put */
    uint64_t ttl_ms;   /* that it has left; 0: no limit */
    uint64_t taken;    /* how often it was got */
} hbk_store_entry;

typedef struct hbk_store_entries {
    size_t count;
    const hbk_store_entry *entries;
} hbk_store_entries;

/**
 * hbk_store_list() - the entries of the store that the caller may see
 * @ret_entries: to be freed with hbk_store_entries_free()
 *
 * Our own; with the right `inspect` everybody's. A ticket itself is never shown. Blocks for a round
 * trip a page. Return: HBK_OK; HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY;
 * HBK_INTERNAL_ERROR. Source: PROTOCOL.md "store.list". Since: 0.1
 */
HBK_API hbk_result hbk_store_list(hbk_client *client, hbk_store_entries **ret_entries,
                                  hbk_error_info *ret_error);
/** hbk_store_entries_free() - NULL is accepted. */
HBK_API void hbk_store_entries_free(hbk_store_entries *entries);

#ifdef __cplusplus
}
#endif

#endif
