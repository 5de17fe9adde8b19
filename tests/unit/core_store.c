#include "core_store.h"

#include <stdio.h>
#include <string.h>

uint64_t store_put(struct client *client, const char *name, const char *more)
{
    const struct hbk_store_put_result *put =
        &client_ok(client, HBK_METHOD_STORE_PUT, "{'name':'%s','handle':%u%s}", name,
                   client_make(client, "Event", 3), more)
             ->u.result.store_put;
    assert_null(put->ticket.data);
    return put->entry;
}

uint32_t store_type_put(struct client *client, const char *name, const char *type, uint32_t access,
                        const char *more)
{
    uint32_t handle = client_make(client, type, access);
    client_ok(client, HBK_METHOD_STORE_PUT, "{'name':'%s','handle':%u%s}", name, handle, more);
    return handle;
}

const char *store_ticket(struct client *client, const char *more)
{
    static char ticket[HBK_TICKET_BYTES + 1];
    struct hbk_text text = client_ok(client, HBK_METHOD_STORE_PUT, "{'name':null,'handle':%u%s}",
                                     client_make(client, "Event", 3), more)
                               ->u.result.store_put.ticket;
    assert_int_equal(text.size, HBK_TICKET_BYTES);
    memcpy(ticket, text.data, text.size);
    return ticket;
}

const struct hbk_store_get_result *store_get(struct client *client, const char *name)
{
    return &client_ok(client, HBK_METHOD_STORE_GET, "{'name':'%s'}", name)->u.result.store_get;
}

const struct hbk_store_get_result *store_claim(struct client *client, const char *ticket)
{
    return &client_ok(client, HBK_METHOD_STORE_GET, "{'ticket':'%s'}", ticket)->u.result.store_get;
}

void store_misses(struct client *client, const char *name)
{
    const struct hbk_error *error =
        client_refused(client, HBK_R_NOT_FOUND, HBK_METHOD_STORE_GET, "{'name':'%s'}", name);
    assert_non_null(strstr(error->detail, "name"));
}

void store_misses_ticket(struct client *client, const char *ticket)
{
    const struct hbk_error *error =
        client_refused(client, HBK_R_NOT_FOUND, HBK_METHOD_STORE_GET, "{'ticket':'%s'}", ticket);
    assert_non_null(strstr(error->detail, "ticket"));
}

uint32_t store_ask(struct client *client, const char *name, unsigned wait_ms)
{
    return client_request(client, HBK_METHOD_STORE_GET, "{'name':'%s','wait_ms':%u}", name,
                          wait_ms);
}

uint32_t store_waits(struct client *client, const char *name, unsigned wait_ms)
{
    uint32_t id = store_ask(client, name, wait_ms);
    rig_run(client->rig);
    assert_false(client_answered(client, id));
    return id;
}

bool store_taken(struct client *client, uint32_t id, struct fake_process *process, uint32_t value)
{
    const struct hbk_store_get_result *taken = &client_result(client, id)->u.result.store_get;
    return fake_handle_is(client->process, taken->handle, fake_handle_find(process, value)->object);
}

uint32_t store_count(struct client *client)
{
    return client_status(client).stored;
}
