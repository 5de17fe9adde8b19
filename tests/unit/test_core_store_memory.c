/* Out of memory, at every allocation that the store makes: an entry is there whole or not at all, everybody is answered,
 * nothing is left behind. */
#include "alloc_fault.h"
#include "core_store.h"
#include "quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOW ",'allow':'D:(A;;0x8;;;WD)'"

struct scene {
    struct rig *rig;
    struct client *owner, *taker, *other;
};

static bool usable(const struct client *client)
{
    return !client_ended(client) && !client->hung_up;
}

/* Return: the answer, NULL if there is none, as who asked has ended over it. */
static const struct hbk_message *ask(struct client *client, enum hbk_method method,
                                     const char *params)
{
    if (!usable(client))
        return NULL;
    uint32_t id = client_request_text(client, method, params);
    rig_run(client->rig);
    if (!client_answered(client, id)) {
        if (!client_ended(client))
            fake_violation(client->rig->kernel, "%s is not answered", hbk_method_name(method));
        return NULL;
    }
    return &client->inbox[client->requests[id - 1].answer]->message;
}

static void put(struct client *client, const char *name, const char *more)
{
    char params[256];
    snprintf(params, sizeof params, "{'name':%s,'handle':4%s}", name, more);
    uint32_t before = fake_pins_held(client->rig->kernel);
    const struct hbk_message *answer = ask(client, HBK_METHOD_STORE_PUT, params);
    uint32_t after = fake_pins_held(client->rig->kernel);
    /* Where something was replaced it is as before. */
    if (answer && answer->kind == HBK_MESSAGE_ERROR && after != before)
        fake_violation(client->rig->kernel, "a put that failed left something");
}

static void claim(struct client *client, struct client *owner)
{
    char params[128];
    const struct hbk_message *answer =
        ask(owner, HBK_METHOD_STORE_PUT, "{'name':null,'handle':4" ALLOW ",'ttl_ms':500}");
    if (!answer || answer->kind != HBK_MESSAGE_RESULT)
        return;
    snprintf(params, sizeof params, "{'ticket':'%.*s'}", HBK_TICKET_BYTES,
             answer->u.result.store_put.ticket.data);
    ask(client, HBK_METHOD_STORE_GET, params);
}

/* Many at once, whose answers go in one write. */
static void pipeline(struct client *client)
{
    if (!usable(client))
        return;
    for (int i = 0; i < 3; ++i)
        client_request(client, HBK_METHOD_STORE_GET, "{'name':'user/a','access':%d}", 1 + i);
    rig_run(client->rig);
}

static void wait_for(struct client *client, const char *name)
{
    if (usable(client))
        store_ask(client, name, 1000);
    rig_run(client->rig);
}

static void play(struct scene *scene)
{
    put(scene->owner, "'user/a'", ",'data':'0123456789'");
    put(scene->owner, "'user/a'", ",'replace':true" ALLOW);
    put(scene->owner, "'user/b'", ",'lifetime':'broker','ttl_ms':300");
    ask(scene->taker, HBK_METHOD_STORE_GET, "{'name':'user/a','access':1}");
    ask(scene->taker, HBK_METHOD_STORE_LIST, NULL);
    wait_for(scene->taker, "user/once");
    wait_for(scene->other, "user/once");
    put(scene->owner, "'user/once'", ",'once':true");
    claim(scene->other, scene->owner);
    pipeline(scene->taker);
    for (int i = 0; i < 10; ++i) {
        char name[32];
        snprintf(name, sizeof name, "'user/%d'", i);
        put(scene->owner, name, "");
    }
    if (usable(scene->owner)) {
        client_request(scene->owner, HBK_METHOD_STORE_PUT,
                       "{'name':'user/s','handle':8,'type':'Socket'}");
        rig_run(scene->rig);
    }
    if (usable(scene->taker))
        store_ask(scene->taker, "user/s", 0);
    rig_run(scene->rig);
    rig_sockets_all_end(scene->rig);
    ask(scene->other, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    if (usable(scene->owner))
        client_hang_up(scene->owner);
    rig_advance(scene->rig, 1000);
}

/* Afterwards, with memory again, the broker serves as ever. */
static void check_serves(struct rig *rig)
{
    struct client *owner = client_new(rig, 200, 2), *taker = client_new(rig, 201, 2);
    store_put(owner, "user/a", ",'once':true");
    store_get(taker, "user/a");
    store_claim(taker, store_ticket(owner, ""));
    assert_int_equal(client_status(owner).quotas[HBK_QUOTA_STORED].yours, 0);
}

/* Return: false once the failure was never reached. */
static bool try_failing(size_t first, size_t count)
{
    char label[64];
    struct hbk_config config;
    hbk_config_default(&config);
    config.audit_file = true;
    struct scene scene = {.rig = rig_new(&config, 1)};
    snprintf(label, sizeof label, "allocation %zu fails, %zu in all", first, count);
    scene.rig->kernel->label = label;
    fake_grant(scene.rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    scene.owner = client_new(scene.rig, 100, 1);
    scene.taker = client_new(scene.rig, 101, 1);
    scene.other = client_new(scene.rig, 102, 1);
    client_make(scene.owner, "Event", 3);
    client_make_socket(scene.owner, 3);
    alloc_fault_arm_span(first, count);
    play(&scene);
    bool reached = alloc_fault_disarm() > first;
    check_serves(scene.rig);
    rig_end(scene.rig);
    return reached;
}

static void skip_where_nothing_fails(void)
{
    if (alloc_fault_works())
        return;
    print_message("skipped: this build cannot make allocations fail\n");
    skip();
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    size_t first = 0;
    while (try_failing(first, 1))
        ++first;
    assert_true(first > 50);
}

static void memory_may_be_gone_for_a_while(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    const size_t counts[] = {2, 5, 1000000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i)
        for (size_t first = 0; try_failing(first, counts[i]);)
            first += 2 + i;
}

/* The answer of a put finds no memory: who put it ends over it, and what it put with it. */
static void an_answer_without_memory_ends_the_owner(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    bool ended = false;
    for (size_t first = 0; first < 40; ++first) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *owner = client_new(rig, 100, 1), *taker = client_new(rig, 101, 1);
        client_make(owner, "Event", 3);
        uint32_t waiting = store_waits(taker, "user/a", 1000);
        alloc_fault_arm_span(first, 1);
        client_request(owner, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':4}");
        rig_run(rig);
        alloc_fault_disarm();
        if (client_ended(owner)) {
            ended = true;
            assert_int_equal(store_count(taker), 0);
            assert_false(client_answered(taker, waiting));
        }
        rig_end(rig);
    }
    assert_true(ended);
}

/* Return: false once the failure was never reached. @refused: counted up where the put was */
static bool try_putting_behind(unsigned entries, size_t first, unsigned *refused)
{
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    for (unsigned i = 0; i < entries; ++i) {
        char name[32];
        snprintf(name, sizeof name, "user/%u", i);
        store_put(owner, name, "");
    }
    uint32_t handle = client_make(owner, "Event", 3);
    alloc_fault_arm(first);
    uint32_t id =
        client_request(owner, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':%u}", handle);
    rig_run(rig);
    bool reached = alloc_fault_disarm() > first;
    if (!client_ended(owner) &&
        owner->inbox[owner->requests[id - 1].answer]->message.kind == HBK_MESSAGE_ERROR) {
        client_error(owner, id, HBK_R_INTERNAL_ERROR);
        assert_int_equal(store_count(other), entries);
        assert_int_equal(fake_pins_held(rig->kernel), entries);
        store_misses(other, "user/a");
        store_get(other, "user/0");
        ++*refused;
    } else if (!client_ended(owner)) {
        client_result(owner, id);
        store_get(other, "user/a");
    }
    rig_end(rig);
    return reached;
}

/* So many are stored that the next one needs memory for its end. */
static void a_put_that_finds_no_memory_changes_nothing(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    for (unsigned entries = 60; entries < 64; ++entries) {
        unsigned refused = 0;
        for (size_t first = 0; try_putting_behind(entries, first, &refused);)
            ++first;
        assert_true(refused > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(memory_may_be_gone_for_a_while),
        cmocka_unit_test(an_answer_without_memory_ends_the_owner),
        cmocka_unit_test(a_put_that_finds_no_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("core: store, memory", tests, NULL, NULL);
}
