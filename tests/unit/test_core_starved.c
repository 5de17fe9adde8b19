/* Answers that find no memory: whoever cannot be told is let go, in the middle of whatever it was that it was to be
 * told of, and everybody else is served as before. */
#include "alloc_fault.h"
#include "core_policy.h"

#include <stdio.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND
#define TO_A "{'to':'global/a','items':[{'handle':%u}]}"

/* Processes 100 and 200 may open and send under global/; everybody may inspect. The victim is who finds no memory. */
struct scene {
    struct rig *rig;
    struct client *sender, *target, *victim;
    unsigned long long delivery;
};

static struct scene scene_new(const char *open)
{
    struct hbk_config config;
    hbk_config_default(&config);
    config.hello_ms = 700;
    struct scene scene = {.rig = rig_new(&config, 1)};
    scene.sender = client_new(scene.rig, 100, 1);
    scene.target = client_new(scene.rig, 200, 2);
    fake_grant(scene.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    fake_grant(scene.rig->kernel, "some", 100, HBK_RIGHTS_ALL);
    fake_grant(scene.rig->kernel, "inspect", 0, HBK_RIGHT_INSPECT);
    RIG_RULES(scene.rig, {.name = "global/*", .open = "all", .send = "all"});
    if (open)
        client_ok(scene.target, OPEN, "%s", open);
    return scene;
}

static uint32_t event(struct client *client)
{
    return client_make(client, "Event", 3);
}

static void offer(struct scene *scene)
{
    client_request(scene->sender, SEND, TO_A, event(scene->sender));
    rig_run(scene->rig);
    scene->delivery = client_offered(scene->target)->delivery;
}

/* ---- what is to be told, and to whom ---- */

static void prepare_watch(struct scene *scene)
{
    *scene = scene_new(NULL);
    scene->victim = scene->sender;
}

static void watch(struct scene *scene)
{
    client_request(scene->victim, HBK_METHOD_BROKER_WATCH, NULL);
}

/* Somebody waits for what is opened. */
static void prepare_open(struct scene *scene)
{
    *scene = scene_new(NULL);
    client_request(scene->sender, SEND, "{'to':'global/a','items':[{'handle':%u}],'wait_ms':1000}",
                   event(scene->sender));
    rig_run(scene->rig);
    scene->victim = scene->target;
}

static void open_a(struct scene *scene)
{
    client_request(scene->victim, OPEN, "{'name':'global/a'}");
}

/* Who opens has a send pending at the one that had the name, and may have it no more. */
static void prepare_take_over(struct scene *scene)
{
    *scene = scene_new("{'name':'global/a','mode':'ask'}");
    offer(scene);
    scene->victim = scene->sender;
}

static void take_over(struct scene *scene)
{
    RIG_RULES(scene->rig, {.name = "global/*", .open = "some", .send = "all"});
    open_a(scene);
}

static void prepare_accept(struct scene *scene)
{
    *scene = scene_new("{'name':'global/a','mode':'ask'}");
    char params[2048];
    int size = snprintf(params, sizeof params, "{'to':'global/a','items':[");
    for (unsigned i = 0; i < HBK_ITEMS_MAX; ++i)
        size += snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':%u}",
                         i ? "," : "", event(scene->sender));
    (void)snprintf(params + size, sizeof params - (size_t)size, "]}");
    client_request_text(scene->sender, SEND, params);
    rig_run(scene->rig);
    scene->delivery = client_offered(scene->target)->delivery;
}

static void accept(struct scene *scene)
{
    client_request(scene->target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", scene->delivery);
}

static void prepare_offer(struct scene *scene)
{
    *scene = scene_new("{'name':'global/a','mode':'ask'}");
    offer(scene);
    scene->victim = scene->target;
}

/* The target is told that the sender has gone. */
static void sender_leaves(struct scene *scene)
{
    client_hang_up(scene->sender);
}

static void sender_leaves_after_accept(struct scene *scene)
{
    accept(scene);
    rig_run(scene->rig);
    client_hang_up(scene->sender);
}

/* The target is told that what it accepted could not be placed, and while that fails its endpoint goes. */
static void accept_under_other_rules(struct scene *scene)
{
    RIG_RULES(scene->rig, {.name = "global/*", .open = "all", .send = "some", .types = "File"});
    accept(scene);
}

/* The sender is told that the target has gone. */
static void prepare_sender(struct scene *scene)
{
    prepare_offer(scene);
    scene->victim = scene->sender;
}

static void target_leaves(struct scene *scene)
{
    client_hang_up(scene->target);
}

/* Who did not prove itself is told that its time is over. */
static void prepare_silent(struct scene *scene)
{
    *scene = scene_new(NULL);
    scene->victim = client_connect(scene->rig, fake_process_start(scene->rig->kernel, 300), 3);
}

static void time_passes(struct scene *scene)
{
    rig_advance(scene->rig, 1000);
}

static const struct {
    const char *what;
    void (*prepare)(struct scene *scene);
    void (*act)(struct scene *scene);
} cases[] = {
    {"watch", prepare_watch, watch},
    {"open", prepare_open, open_a},
    {"take over", prepare_take_over, take_over},
    {"accept", prepare_accept, accept},
    {"accept under other rules", prepare_offer, accept_under_other_rules},
    {"the sender leaves", prepare_offer, sender_leaves},
    {"the sender leaves after accept", prepare_offer, sender_leaves_after_accept},
    {"the target leaves", prepare_sender, target_leaves},
    {"not proven in time", prepare_silent, time_passes},
};

/* What gathers unread for the victim, whose memory is just enough for it at some number and length of lines. Their
 * length is that of a name; of who may not open one, that of the id that is answered. */
static void gather(struct client *victim, unsigned lines, unsigned length)
{
    victim->connection->write_mode = FAKE_WRITE_PENDS;
    victim->raw = !victim->connection->proven;
    for (unsigned line = 0; line <= lines; ++line) {
        char text[128];
        if (!victim->raw) {
            client_request(victim, OPEN, "{'name':'user/%0*u'}", (int)length, line);
            rig_run(victim->rig);
            continue;
        }
        (void)snprintf(text, sizeof text, "{'jsonrpc':'2.0','id':'%0*u','method':'endpoint.list'}",
                       (int)length / 4, line);
        for (char *at = text; (at = strchr(at, '\'')) != NULL;)
            *at = '"';
        client_line(victim, text);
    }
}

/* Return: the allocation was reached. */
static bool try_failing(size_t i, unsigned lines, unsigned length, size_t first)
{
    struct scene scene;
    char label[96];
    (void)snprintf(label, sizeof label, "%s: behind %u lines of %u, allocation %zu fails",
                   cases[i].what, lines, length, first);
    cases[i].prepare(&scene);
    scene.rig->kernel->label = label;
    if (scene.victim)
        gather(scene.victim, lines, length);
    alloc_fault_arm(first);
    cases[i].act(&scene);
    rig_run(scene.rig);
    bool reached = alloc_fault_disarm() > first;
    struct client *other = client_new(scene.rig, 400, 4);
    client_ok(other, OPEN, "{'name':'user/a'}");
    client_ok(other, SEND, "{'to':'user/a','items':[{'handle':%u}]}", event(other));
    client_delivered(other);
    rig_end(scene.rig);
    return reached;
}

static void whoever_cannot_be_told_is_let_go(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        size_t reached = 0;
        for (unsigned lines = 1; lines < 5; ++lines)
            for (unsigned length = 1; length < 240; length += 48)
                for (size_t first = 0; try_failing(i, lines, length, first); ++first)
                    ++reached;
        if (reached == 0)
            fail_msg("%s allocates nothing: this shows nothing", cases[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_cannot_be_told_is_let_go),
    };
    return cmocka_run_group_tests_name("core: starved", tests, NULL, NULL);
}
