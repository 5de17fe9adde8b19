/* Processes that send to each other, stop listening, leave and are killed, at random, for a while. Then
 * nothing is left of them, and a second client was served all the time. The seed is printed; a run is
 * repeated, as far as the system's scheduling lets it, by giving it as the argument; a second one is how
 * many milliseconds to go on. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEERS 6
#define STORM_MS 6000u
#define ITEMS 3
#define MANY 2000

struct actor {
    struct kit_peer peer;
    char name[64];
    uint64_t objects[ITEMS];
    bool alive, busy, offered;
};

static struct actor actors[PEERS];
static uint32_t seed, storm_ms = STORM_MS, tally[4];

/* xorshift32: any number but zero. */
static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static void be_born(struct actor *actor, int index)
{
    static const enum kit_kind kinds[ITEMS] = {KIT_EVENT, KIT_SECTION, KIT_FILE};
    (void)snprintf(actor->name, sizeof actor->name, "user/test/storm/%lu/%d",
                   (unsigned long)GetCurrentProcessId(), index);
    kit_peer_open(&actor->peer);
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(kit_peer_do(&actor->peer, KIT_OP_MAKE, kinds[i], 0, NULL), 0);
        actor->objects[i] = actor->peer.reply.value;
    }
    actor->alive = true;
    actor->busy = actor->offered = false;
}

static void begin_send(struct actor *actor)
{
    for (int i = 0; i < ITEMS; i++) {
        actor->peer.call.items[i].handle = actor->objects[i];
        actor->peer.call.items[i].access = draw(2) ? HBK_ACCESS_SAME : HBK_ACCESS_READ;
    }
    kit_peer_send_begin(&actor->peer, actors[draw(PEERS)].name, ITEMS, draw(2) ? 0 : draw(200),
                        50 + draw(200));
}

static void begin_something(struct actor *actor)
{
    struct kit_call *call = &actor->peer.call;
    uint32_t what = draw(10);
    (void)snprintf(call->name, sizeof call->name, "%s", actor->name);
    if (actor->offered && what < 7) {
        call->op = what < 5 ? KIT_OP_ACCEPT : KIT_OP_REJECT;
        actor->offered = false;
        kit_peer_begin(&actor->peer);
        return;
    }
    if (what < 4) {
        begin_send(actor);
        return;
    }
    actor->offered = false;
    call->op = what < 7 ? KIT_OP_RECEIVE : what < 8 ? KIT_OP_ENDPOINT_CLOSE : KIT_OP_ENDPOINT;
    call->a[0] = what < 7 ? draw(100) : what == 9 ? HBK_ENDPOINT_ASK : 0;
    kit_peer_begin(&actor->peer);
}

/* What it came to is of no interest here, but that it came to something the protocol knows. */
static void end_something(struct actor *actor)
{
    int result = actor->peer.reply.result;
    switch (result) {
    case HBK_OK:
        actor->offered = actor->peer.reply.offered != 0;
        tally[0]++;
        break;
    case HBK_NOT_FOUND:
    case HBK_EXISTS:
    case HBK_REJECTED:
    case HBK_TIMEOUT:
    case HBK_TARGET_GONE:
        tally[1]++;
        break;
    default:
        fail_msg("%s is not expected here: %s", hbk_result_word((hbk_result)result),
                 actor->peer.reply.error.detail);
    }
}

static void step(struct actor *actor, int index)
{
    if (!actor->alive) {
        be_born(actor, index);
    } else if (draw(60) == 0) {
        kit_peer_kill(&actor->peer);
        actor->alive = false;
        tally[2]++;
    } else if (!actor->busy) {
        begin_something(actor);
        actor->busy = true;
    } else if (kit_peer_end(&actor->peer, draw(3))) {
        end_something(actor);
        actor->busy = false;
    }
}

static void storm(void **state)
{
    (void)state;
    print_message("storm: seed %lu\n", (unsigned long)seed);
    memset(actors, 0, sizeof actors);
    for (int i = 0; i < PEERS; i++)
        be_born(&actors[i], i);
    for (uint64_t end = kit_now_ms() + storm_ms; kit_now_ms() < end;) {
        int index = (int)draw(PEERS);
        step(&actors[index], index);
        if (draw(20) == 0) {
            kit_serve_second();
            tally[3]++;
        }
    }
    print_message(
        "storm: %lu went well, %lu were refused, %lu were killed, %lu times served beside\n",
        (unsigned long)tally[0], (unsigned long)tally[1], (unsigned long)tally[2],
        (unsigned long)tally[3]);
    /* A storm in which nothing happens proves nothing. */
    assert_true(tally[0] > 50 && tally[1] > 20 && tally[2] > 2 && tally[3] > 20);
}

/* After thousands of hand-offs both have what they had after some. */
static void many(void **state)
{
    (void)state;
    static const enum kit_kind kinds[] = {KIT_EVENT, KIT_SECTION, KIT_FILE, KIT_MUTEX};
    const char *name = kit_endpoint_name();
    struct kit_mark mark;
    hbk_client *source = kit_client(), *target = kit_client();
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    hbk_send_item items[4] = {{.handle = NULL}};
    for (int i = 0; i < 4; i++)
        items[i].handle = kit_make(kinds[i]);
    hbk_send_options send = {.size = sizeof send, .to = name, .items = items, .count = 4};
    assert_int_equal(hbk_endpoint_open(target, &endpoint, NULL), HBK_OK);
    for (int i = 0; i < MANY; i++) {
        hbk_delivery *delivery = NULL;
        if (i == MANY / 10)
            kit_mark(&mark, GetCurrentProcessId());
        assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_OK);
        assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        hbk_delivery_free(delivery);
    }
    kit_unchanged(&mark);
    for (int i = 0; i < 4; i++)
        kit_unmake(kinds[i], items[i].handle);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {KIT_TEST(storm), KIT_TEST(many)};
    return cmocka_run_group_tests_name("storm", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    if (argc >= 2)
        seed = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc >= 3)
        storm_ms = (uint32_t)strtoul(argv[2], NULL, 10);
    if (seed == 0)
        seed = (uint32_t)GetTickCount64() | 1u;
    return kit_main(argc, argv, group);
}
