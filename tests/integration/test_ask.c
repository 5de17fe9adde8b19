/* Endpoints that decide case by case: offered, accepted, rejected, withdrawn, too late. The source is
 * another process; the target is this one. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 300u

struct scene {
    struct kit_peer source;
    struct kit_mark mark; /* of the broker and of this process, the target */
    hbk_client *target;
    const char *name;
    uint64_t event; /* the source's handle */
};

static void begin(struct scene *scene)
{
    scene->target = kit_client();
    scene->name = kit_endpoint_name();
    hbk_endpoint_options endpoint = {
        .size = sizeof endpoint, .name = scene->name, .flags = HBK_ENDPOINT_ASK};
    assert_int_equal(hbk_endpoint_open(scene->target, &endpoint, NULL), HBK_OK);
    kit_peer_open(&scene->source);
    assert_int_equal(kit_peer_do(&scene->source, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    scene->event = scene->source.reply.value;
    kit_mark(&scene->mark, GetCurrentProcessId());
}

static void send_event(struct scene *scene, uint32_t timeout_ms)
{
    scene->source.call.items[0].handle = scene->event;
    (void)snprintf(scene->source.call.text, sizeof scene->source.call.text, "take this?");
    kit_peer_send_begin(&scene->source, scene->name, 1, 0, timeout_ms);
}

/* What the source's hbk_send returned. */
static int sent(struct scene *scene)
{
    assert_true(kit_peer_end(&scene->source, 2 * KIT_WAIT_MS));
    return scene->source.reply.result;
}

static hbk_delivery *offer_of(struct scene *scene)
{
    hbk_delivery *offer = NULL;
    assert_int_equal(hbk_receive(scene->target, KIT_WAIT_MS, &offer, NULL), HBK_OK);
    assert_true(offer->offered != 0);
    assert_int_equal(offer->count, 1);
    assert_null(offer->items[0].handle);
    assert_string_equal(offer->items[0].type, "Event");
    assert_int_equal(offer->items[0].access, EVENT_ALL_ACCESS);
    assert_string_equal(offer->endpoint, scene->name);
    assert_string_equal(offer->data, "take this?");
    assert_int_equal(offer->from_pid, scene->source.pid);
    assert_null(hbk_delivery_take(offer, 0));
    return offer;
}

static void accepted(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint32_t before = kit_handles_at_rest(GetCurrentProcessId());
    send_event(&scene, KIT_WAIT_MS);
    hbk_delivery *offer = offer_of(&scene);
    assert_int_equal(kit_handles(GetCurrentProcessId()), before); /* nothing is placed yet */
    assert_int_equal(hbk_accept(scene.target, offer, NULL), HBK_OK);
    assert_int_equal(sent(&scene), HBK_OK);
    assert_int_equal(offer->offered, 0);
    assert_non_null(offer->items[0].handle);
    assert_true(SetEvent(offer->items[0].handle));
    assert_int_equal(kit_peer_do(&scene.source, KIT_OP_WAIT, scene.event, 0, NULL), 0);
    assert_int_equal(hbk_accept(scene.target, offer, NULL),
                     HBK_INVALID_ARGUMENT); /* no offer any more */
    hbk_delivery_free(offer);
    kit_unchanged(&scene.mark);
}

static void rejected(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    send_event(&scene, KIT_WAIT_MS);
    hbk_delivery *offer = offer_of(&scene);
    assert_int_equal(hbk_reject(scene.target, offer, "no room \"here\"", NULL), HBK_OK);
    assert_int_equal(sent(&scene), HBK_REJECTED);
    assert_non_null(strstr(scene.source.reply.error.detail, "no room \"here\""));
    assert_int_equal(hbk_accept(scene.target, offer, NULL), HBK_INVALID_ARGUMENT);
    hbk_delivery_free(offer);
    send_event(&scene, KIT_WAIT_MS);
    offer = offer_of(&scene);
    assert_int_equal(hbk_reject(scene.target, offer, NULL, NULL), HBK_OK);
    assert_int_equal(sent(&scene), HBK_REJECTED);
    hbk_delivery_free(offer);
    kit_unchanged(&scene.mark);
}

static void too_late(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int round = 0; round < 2; round++) {
        uint64_t start = kit_now_ms();
        send_event(&scene, TIMEOUT_MS);
        hbk_delivery *offer = offer_of(&scene);
        assert_int_equal(sent(&scene), HBK_TIMEOUT);
        assert_in_range(kit_now_ms() - start, TIMEOUT_MS - 20, TIMEOUT_MS + 3000);
        hbk_result late = round == 0 ? hbk_accept(scene.target, offer, NULL)
                                     : hbk_reject(scene.target, offer, "late", NULL);
        assert_int_equal(late, HBK_NOT_FOUND);
        hbk_delivery_free(offer);
        kit_unchanged(&scene.mark);
    }
}

static void left_unanswered(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    send_event(&scene, TIMEOUT_MS);
    hbk_delivery_free(offer_of(&scene));
    assert_int_equal(sent(&scene), HBK_TIMEOUT);
    kit_unchanged(&scene.mark);
}

static void answered_by_somebody_else(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    struct kit_raw *stranger = kit_raw_proven();
    kit_mark(&scene.mark, GetCurrentProcessId());
    send_event(&scene, KIT_WAIT_MS);
    hbk_delivery *offer = offer_of(&scene);
    unsigned long long id = (unsigned long long)offer->id;
    kit_raw_ask(stranger,
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"delivery.accept\",\"params\":{"
                "\"delivery\":%llu}}",
                id);
    kit_raw_is_error(stranger, HBK_NOT_FOUND, "3");
    kit_raw_ask(stranger,
                "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"delivery.reject\",\"params\":{"
                "\"delivery\":%llu}}",
                id);
    kit_raw_is_error(stranger, HBK_NOT_FOUND, "4");
    /* One that never was looks no different. */
    kit_raw_ask(stranger, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"delivery.accept\",\"params\":"
                          "{\"delivery\":9007199254740991}}");
    kit_raw_is_error(stranger, HBK_NOT_FOUND, "5");
    /* The sender is a stranger to it too. */
    hbk_client *other = kit_client();
    assert_int_equal(hbk_accept(other, offer, NULL), HBK_NOT_FOUND);
    kit_close(other);
    assert_int_equal(hbk_accept(scene.target, offer, NULL), HBK_OK);
    assert_int_equal(sent(&scene), HBK_OK);
    hbk_delivery_free(offer);
    kit_unchanged(&scene.mark);
}

static void source_killed_while_offered(void **state)
{
    (void)state;
    struct scene scene;
    struct kit_mark without;
    scene.target = kit_client();
    kit_mark(&without, 0);
    kit_close(scene.target);
    begin(&scene);
    send_event(&scene, KIT_WAIT_MS);
    hbk_delivery *offer = offer_of(&scene);
    kit_peer_kill(&scene.source);
    hbk_status_info status;
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    do {
        Sleep(5);
        kit_status(&status);
    } while (status.deliveries_pending > 0 && kit_now_ms() < end);
    assert_int_equal(status.deliveries_pending, 0);
    assert_int_equal(hbk_accept(scene.target, offer, NULL), HBK_NOT_FOUND);
    assert_null(offer->items[0].handle);
    hbk_delivery_free(offer);
    assert_int_equal(hbk_endpoint_close(scene.target, scene.name, NULL), HBK_OK);
    kit_unchanged(&without);
}

static void endpoint_closed_while_offered(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    send_event(&scene, KIT_WAIT_MS);
    hbk_delivery *offer = offer_of(&scene);
    assert_int_equal(hbk_endpoint_close(scene.target, scene.name, NULL), HBK_OK);
    assert_int_equal(sent(&scene), HBK_TARGET_GONE);
    assert_int_equal(hbk_accept(scene.target, offer, NULL), HBK_NOT_FOUND);
    hbk_delivery_free(offer);
}

static void target_killed_while_offered(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct scene scene;
    const char *name = kit_endpoint_name();
    begin(&scene);
    kit_peer_listen(&target, name, HBK_ENDPOINT_ASK);
    scene.name = name;
    send_event(&scene, KIT_WAIT_MS);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(target.reply.offered, 1);
    mark = scene.mark;
    kit_peer_kill(&target);
    assert_int_equal(sent(&scene), HBK_TARGET_GONE);
    kit_unchanged(&mark);
}

/* What was checked is what is delivered: the sender's handle may change its meaning meanwhile. */
static void recycled_while_pinned(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    struct kit_raw *source = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT), kept = NULL, recycled;
    assert_true(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &kept, 0, FALSE,
                                DUPLICATE_SAME_ACCESS));
    kit_raw_say(source,
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"handle.send\",\"params\":"
                "{\"to\":\"%s\",\"items\":[{\"handle\":%llu}]}}",
                scene.name, (unsigned long long)(uintptr_t)event);
    hbk_delivery *offer = NULL;
    assert_int_equal(hbk_receive(scene.target, KIT_WAIT_MS, &offer, NULL), HBK_OK);
    CloseHandle(event);
    recycled = kit_make(KIT_SEMAPHORE);
    if (recycled != event)
        print_message("note: the value %p was not given out again\n", (void *)event);
    assert_int_equal(hbk_accept(scene.target, offer, NULL), HBK_OK);
    assert_string_equal(offer->items[0].type, "Event");
    assert_true(SetEvent(offer->items[0].handle));
    assert_true(kit_is_set(kept));
    assert_int_equal(kit_raw_next(source, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_result(source, "3");
    hbk_delivery_free(offer);
    CloseHandle(recycled);
    CloseHandle(kept);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(accepted),
        KIT_TEST(rejected),
        KIT_TEST(too_late),
        KIT_TEST(left_unanswered),
        KIT_TEST(answered_by_somebody_else),
        KIT_TEST(source_killed_while_offered),
        KIT_TEST(endpoint_closed_while_offered),
        KIT_TEST(target_killed_while_offered),
        KIT_TEST(recycled_while_pinned),
    };
    return cmocka_run_group_tests_name("ask", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
