/* Out of memory, at every allocation that the core and the codec make: the broker goes on, nobody waits for
 * ever, nothing is left behind. */
#include "alloc_fault.h"
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- a little of everything, in which anything may fail ---- */

struct scene {
    struct rig *rig;
    struct client *clients[3];
};

static bool usable(const struct client *client)
{
    return client && !client_ended(client);
}

static void ask(struct client *client, enum hbk_method method, const char *params)
{
    if (!usable(client))
        return;
    uint32_t id = client_request_text(client, method, params);
    rig_run(client->rig);
    if (method != HBK_METHOD_HANDLE_SEND && !client_answered(client, id) && !client_ended(client))
        fake_violation(client->rig->kernel, "%s is not answered", hbk_method_name(method));
}

static void enter(struct scene *scene, unsigned i)
{
    struct client *client =
        client_connect(scene->rig, fake_process_start(scene->rig->kernel, 100 + i), 1);
    scene->clients[i] = client;
    ask(client, HBK_METHOD_SESSION_HELLO,
        "{'protocol':[1],'client':{'name':'test','version':'1'}}");
    if (!usable(client) || !client->connection->proof_object)
        return;
    client_set_event(client, client->connection->proof_value);
    ask(client, HBK_METHOD_SESSION_PROVE, NULL);
    for (uint32_t j = 0; j < 4; ++j)
        client_make(client, j % 2 ? "File" : "Event", 0x1FFFFF);
}

static uint64_t offered_to(const struct client *client)
{
    for (size_t i = 0; client && i < client->inbox_count; ++i) {
        const struct hbk_message *message = &client->inbox[i]->message;
        if (message->kind == HBK_MESSAGE_NOTIFICATION &&
            message->method == HBK_METHOD_HANDLE_OFFERED && !client->inbox[i]->taken) {
            client->inbox[i]->taken = true;
            return message->u.params.delivered.delivery;
        }
    }
    return 0;
}

#define ITEMS "'items':[{'handle':4},{'handle':8,'access':'read'},{'handle':12},{'handle':16}]"

/* Many at once, so that the target's one write carries several. */
static void pipeline(struct client *client)
{
    if (!usable(client))
        return;
    for (int i = 0; i < 3; ++i)
        client_request(client, HBK_METHOD_HANDLE_SEND, "{'to':'user/a'," ITEMS ",'data':'%d'}", i);
    rig_run(client->rig);
}

static void play(struct scene *scene)
{
    for (unsigned i = 0; i < 3; ++i)
        enter(scene, i);
    struct client *sender = scene->clients[0], *target = scene->clients[1];
    ask(scene->clients[2], HBK_METHOD_BROKER_WATCH, NULL);
    ask(sender, HBK_METHOD_BROKER_SESSIONS, NULL);
    ask(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a','types':{'Event':'any','File':'any'}}");
    ask(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/ask','mode':'ask'}");
    ask(sender, HBK_METHOD_ENDPOINT_LIST, "{}");
    ask(sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a'," ITEMS ",'data':'one'}");
    ask(sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/late'," ITEMS ",'wait_ms':1000}");
    ask(sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/late','items':[{'handle':4}],'wait_ms':500}");
    for (int i = 0; i < 3; ++i) {
        ask(sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/ask'," ITEMS "}");
        char params[64];
        snprintf(params, sizeof params, "{'delivery':%llu}",
                 (unsigned long long)offered_to(target));
        if (i < 2)
            ask(target, i ? HBK_METHOD_DELIVERY_REJECT : HBK_METHOD_DELIVERY_ACCEPT, params);
    }
    pipeline(sender);
    rig_advance(scene->rig, 600);
    ask(scene->clients[2], HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    ask(target, HBK_METHOD_BROKER_STATUS, NULL);
    ask(target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/ask'}");
    if (usable(target)) {
        client_bytes(target, "{\"half a", 8);
        client_bytes(target, " line\":\n{}\n", 11);
    }
    rig_run(scene->rig);
    if (usable(sender))
        client_hang_up(sender);
}

/* Afterwards, with memory again, the broker serves as ever. */
static void check_serves(struct rig *rig)
{
    struct client *sender = client_new(rig, 200, 2), *target = client_new(rig, 201, 2);
    client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(sender, "Event", 3));
    client_delivered(target);
}

/* Return: false once the failure was never reached. */
static bool try_failing(size_t first, size_t count)
{
    char label[64];
    struct hbk_config config;
    hbk_config_default(&config);
    config.audit_file = true;
    struct scene scene = {.rig = rig_new(&config, 1)};
    rig_let_inspect(scene.rig, NULL, NULL);
    snprintf(label, sizeof label, "allocation %zu fails, %zu in all", first, count);
    scene.rig->kernel->label = label;
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

/* It is told of what it loses while it is being ended, and there is no memory for that either.
 * @queued: answers that wait before, so that the next one needs memory in one of the cases
 * @broken: it ends for a line that is too long, not only for want of memory */
static bool try_ending_with_sends_to_itself(unsigned queued, size_t first, bool broken)
{
    static const char long_line[HBK_LINE_BYTES_MAX + 1];
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    uint32_t handle = client_make(client, "Event", 3);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_send(client, "user/a", handle); /* on its way */
    rig_run(rig);
    client_send(client, "user/a", handle); /* waits for that write */
    for (unsigned i = 0; i < queued; ++i)
        client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(rig);
    alloc_fault_arm_span(first, 1000000);
    client->raw = broken;
    if (broken)
        client_bytes(client, long_line, sizeof long_line);
    else
        client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(rig);
    bool reached = alloc_fault_disarm() > first;
    rig_end(rig);
    return reached;
}

static void a_session_that_loses_its_own_sends(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    for (unsigned queued = 0; queued < 12; ++queued)
        for (int broken = 0; broken < 2; ++broken)
            for (size_t first = 0; try_ending_with_sends_to_itself(queued, first, broken);)
                ++first;
}

/* @target accepts two offers, and asks for a list in between that is so long that all of it is sent off before the
 * second one's handle is placed. What was sent off is a success to tell to the sender of both.
 * @queued: answers that wait to be read by the sender, so that this one needs memory in one of the cases
 * @withdrawn: counted up where the sender ended over it, and with it its second offer */
static bool try_accepting_two(unsigned queued, size_t first, unsigned *withdrawn)
{
    struct pair pair = pair_new(NULL, "{'name':'user/a','mode':'ask'}");
    struct client *sender = pair.sender, *target = pair.target;
    uint32_t event = client_make(sender, "Event", 3);
    uint64_t offers[2];
    uint32_t accepts[2];
    for (unsigned i = 1; i < HBK_ENDPOINTS_PER_SESSION_MAX; ++i)
        client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/%0200u'}", i);
    for (int i = 0; i < 2; ++i) {
        client_send(sender, "user/a", event);
        rig_run(pair.rig);
        offers[i] = client_offered(target)->delivery;
    }
    sender->connection->write_mode = FAKE_WRITE_PENDS;
    for (unsigned i = 0; i <= queued; ++i) {
        client_request(sender, HBK_METHOD_SESSION_PROVE, NULL);
        rig_run(pair.rig);
    }
    for (int i = 0; i < 2; ++i) {
        accepts[i] = client_request(target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                    (unsigned long long)offers[i]);
        if (i == 0)
            client_request(target, HBK_METHOD_ENDPOINT_LIST, NULL);
    }
    alloc_fault_arm(first);
    rig_run(pair.rig);
    bool reached = alloc_fault_disarm() > first;
    if (client_ended(sender) && !client_ended(target) &&
        target->inbox[target->requests[accepts[1] - 1].answer]->message.kind == HBK_MESSAGE_ERROR) {
        client_result(target, accepts[0]);
        client_error(target, accepts[1], HBK_R_NOT_FOUND);
        assert_int_equal(client_session_gone(target)->session, sender->session_id);
        assert_int_equal(fake_handles_count(target->process), 1);
        ++*withdrawn;
    }
    rig_end(pair.rig);
    return reached;
}

static void a_sender_that_ends_as_its_offer_is_accepted(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    unsigned withdrawn = 0;
    for (unsigned queued = 0; queued < 12; ++queued)
        for (size_t first = 0; try_accepting_two(queued, first, &withdrawn);)
            ++first;
    assert_true(withdrawn > 0);
}

static void a_core_without_memory_is_not_made(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    struct fake_kernel *kernel = fake_kernel_new(1);
    struct hbk_platform platform = fake_platform(kernel);
    struct hbk_config config;
    hbk_config_default(&config);
    struct hbk_core *core = NULL;
    alloc_fault_pause(false);
    for (size_t first = 0; !core; ++first) {
        alloc_fault_arm(first);
        core = hbk_core_new(&platform, &config);
        alloc_fault_disarm();
        assert_true(first < 100);
    }
    hbk_core_free(NULL);
    hbk_core_free(core);
    fake_kernel_free(kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(memory_may_be_gone_for_a_while),
        cmocka_unit_test(a_session_that_loses_its_own_sends),
        cmocka_unit_test(a_sender_that_ends_as_its_offer_is_accepted),
        cmocka_unit_test(a_core_without_memory_is_not_made),
    };
    return cmocka_run_group_tests_name("core: memory", tests, NULL, NULL);
}
