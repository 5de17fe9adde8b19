/* Putting and getting, by this process and by steered children. */
#ifndef HBK_KIT_STORE_H
#define HBK_KIT_STORE_H

#include "kit.h"

/** kit_put() - @handle under @name, with defaults but for @access and @flags. */
hbk_result kit_put(hbk_client *client, const char *name, HANDLE handle, uint32_t access,
                   uint32_t flags);
/** kit_get() - what is under @name, with defaults but for @access and @wait_ms. */
hbk_result kit_get(hbk_client *client, const char *name, uint32_t access, uint32_t wait_ms,
                   hbk_taken **ret_taken);
/** kit_got() - the handle that is under @name; the caller closes it. */
HANDLE kit_got(hbk_client *client, const char *name);
/** kit_ticket() - a ticket for @handle, with defaults but for @flags and @ttl_ms. */
void kit_ticket(hbk_client *client, HANDLE handle, uint32_t flags, uint32_t ttl_ms,
                hbk_stored *ret_stored);
/** kit_claim() - what @ticket is for; the caller closes *ret_handle. */
hbk_result kit_claim(hbk_client *client, const char *ticket, HANDLE *ret_handle);

/** kit_peer_put() - the same in a child, of its handle @handle. @name: NULL: a ticket, in peer->reply.text. Return: as
 * kit_peer_do(). */
int kit_peer_put(struct kit_peer *peer, const char *name, uint64_t handle, uint32_t access,
                 uint32_t flags);
/** kit_peer_get() - the same; on success its handle is peer->reply.value, which KIT_OP_CLOSE_HANDLE closes. @flags:
 * HBK_ITEM_…. */
int kit_peer_get(struct kit_peer *peer, const char *name, uint32_t access, uint32_t flags);
/** kit_peer_get_begin() - begin to wait for @name; kit_peer_end() ends it. */
void kit_peer_get_begin(struct kit_peer *peer, const char *name, uint32_t wait_ms);
/** kit_peer_claim() - by ticket. */
int kit_peer_claim(struct kit_peer *peer, const char *ticket);
/** kit_peer_closes() - it closes @handle, which it has. */
void kit_peer_closes(struct kit_peer *peer, uint64_t handle);

/** kit_wait_pending() - wait until the broker has @count deliveries under way more than at @mark: so many that
 * ask for names which are not there. */
void kit_wait_pending(const struct kit_mark *mark, uint32_t count);
/** kit_wait_stored() - wait until there are @count entries more than at @mark. */
void kit_wait_stored(const struct kit_mark *mark, int count);
/** kit_listed() - the entry of that number, as @client sees it. Return: false, it sees none. The texts are good until
 * the next call. */
bool kit_listed(hbk_client *client, uint64_t entry, hbk_store_entry *ret_entry);

#endif
