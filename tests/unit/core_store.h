/* The store as the tests of the core use it: handles that are put, taken and missed. */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "core_rig.h"

/** store_put() - a new event of @client's as @name. @more: what follows in the params, ",'once':true" or "".
 * Return: the entry. */
uint64_t store_put(struct client *client, const char *name, const char *more);
/** store_ticket() - the same without a name. Return: the ticket, until the next call. */
const char *store_ticket(struct client *client, const char *more);
/** store_get() - must be there. */
const struct hbk_store_get_result *store_get(struct client *client, const char *name);
const struct hbk_store_get_result *store_claim(struct client *client, const char *ticket);
/** store_misses() - must not be there for @client. */
void store_misses(struct client *client, const char *name);
void store_misses_ticket(struct client *client, const char *ticket);
/** store_ask() - ask for it, without running. Return: the request's id. */
uint32_t store_ask(struct client *client, const char *name, unsigned wait_ms);
/** store_waits() - ask for it, and be left waiting. Return: the request's id. */
uint32_t store_waits(struct client *client, const char *name, unsigned wait_ms);
/** store_taken() - request @id was answered with a handle to what is handle @value of @process. */
bool store_taken(struct client *client, uint32_t id, struct fake_process *process, uint32_t value);
/** store_count() - entries there are, as broker.status has it. */
uint32_t store_count(struct client *client);
/** store_type_put() - a new object of @type with @access as @name. Return: its handle. */
uint32_t store_type_put(struct client *client, const char *name, const char *type, uint32_t access,
                        const char *more);

#endif
