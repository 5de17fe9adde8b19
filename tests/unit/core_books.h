/* The core's own books, looked at from inside: what is charged to users must be what a full count gives. */
#ifndef CORE_BOOKS_H
#define CORE_BOOKS_H

#include "core.h"
#include "fake_platform.h"
#include "message.h"

/** books_check() - after hbk_core_run(). */
void books_check(const struct hbk_core *core, const struct fake_kernel *kernel);
/** books_check_empty() - once the broker has stopped: no user is left, and nothing is charged to,
 * or kept for, anybody. */
void books_check_empty(const struct hbk_core *core, const struct fake_kernel *kernel);
/** books_pinning() - the request of which @session has handles pinned at this moment. Return: false: of none. */
bool books_pinning(const struct hbk_core *core, uint64_t session, struct hbk_id *ret_id);
/** books_transferring() - the request for which a handle of another process is pinned at this moment, and whose. */
bool books_transferring(const struct hbk_core *core, uint64_t *ret_session, struct hbk_id *ret_id);
/** books_taking() - the request for which @session is given an entry's handle at this moment. Return: false: none. */
bool books_taking(const struct hbk_core *core, uint64_t session, struct hbk_id *ret_id);
/** books_request() - the request that is acted on at this moment. */
const struct hbk_message *books_request(const struct hbk_core *core);
/** books_delivery() - whose delivery @delivery is, and the request that it was asked for by. Return: false: it is over. */
bool books_delivery(const struct hbk_core *core, uint64_t delivery, uint64_t *ret_session,
                    struct hbk_id *ret_id);
/** books_under_way() - of @session's deliveries, those that are looked through for each of its requests. */
uint32_t books_under_way(const struct hbk_core *core, uint64_t session);
/** books_spent() - what all that was done until now has cost, and is charged to who caused it. */
uint64_t books_spent(const struct hbk_core *core);
/** books_sockets_lost() - those that were made, not told, and not found again. */
uint64_t books_sockets_lost(const struct hbk_core *core);
/** books_descriptors() - those that endpoints, entries and rules have. */
uint32_t books_descriptors(const struct hbk_core *core);
/** books_state() - one number for how far sessions and deliveries are, as far as that can be told apart. */
uint64_t books_state(const struct hbk_core *core);

#endif
