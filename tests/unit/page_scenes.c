/* What there is before each exchange of proto/PROTOCOL.md, and what happens beside it. A scene is found by what stands in the
 * exchange's first line; an exchange without one fails the test, and so does a scene without its exchange. */
#include "page_scenes.h"

#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>

/* The processes of the page: who sends, who receives, the third one; and one that may inspect. */
enum { SENDER_PID = 4300, TARGET_PID = 4242, CATALYST_PID = 5120, OPERATOR_PID = 900 };

enum {
    EVENT_ALL = 0x1F0003,
    SECTION_ALL = 0xF001F,
    SECTION_MAP = 0x4,
    KEY_ALL = 0xF003F,
    FILE_READ_WRITE = 0x12019F,
};

static void pair_joins(struct play *play)
{
    play_join(play, TARGET, TARGET_PID);
    play_join(play, SENDER, SENDER_PID);
}

/* A new object of the sender's, which the page calls @page. */
static uint32_t sender_has(struct play *play, const char *page, const char *type, uint32_t access)
{
    uint32_t handle = client_make(play->who[SENDER], type, access);
    play_bind(play, "handle", page, handle);
    return handle;
}

static void sender_has_socket(struct play *play, const char *page)
{
    play_bind(play, "handle", page, client_make_socket(play->who[SENDER], FILE_READ_WRITE));
}

static void target_opens(struct play *play, const char *params)
{
    client_ok(play->who[TARGET], HBK_METHOD_ENDPOINT_OPEN, "%s", params);
    play_forget(play);
}

static void operator_joins(struct play *play)
{
    RIG_RULES(play->rig, {.name = "global/nothing", .open = "nobody"});
    fake_grant(play->rig->kernel, "inspect", OPERATOR_PID, HBK_RIGHT_INSPECT);
    play_join(play, OPERATOR, OPERATOR_PID);
}

/* Who may listen and send under session/print/, by the third rule of a file, and what may pass there. */
static void print_is_ruled(struct play *play)
{
    struct rig *rig = play->rig;
    struct hbk_policy *policy = hbk_policy_new(3);
    assert_non_null(policy);
    static const char *const patterns[] = {"global/backup/*", "global/web/*", "session/print/*"};
    for (size_t i = 0; i < 3; ++i)
        snprintf(policy->rules[i].pattern, sizeof policy->rules[i].pattern, "%s", patterns[i]);
    struct hbk_policy_rule *rule = &policy->rules[2];
    rule->verbs[HBK_VERB_OPEN] = fake_descriptor(rig->kernel, "print");
    rule->verbs[HBK_VERB_SEND] = fake_descriptor(rig->kernel, "print");
    rule->types_present = true;
    rule->types[HBK_TYPE_SECTION] = hbk_type_info(HBK_TYPE_SECTION)->read;
    rule->types[HBK_TYPE_EVENT] = UINT32_MAX;
    policy->verbs[HBK_VERB_INSPECT] = fake_descriptor(rig->kernel, "inspect");
    fake_grant(rig->kernel, "print", 0, HBK_RIGHT_OPEN | HBK_RIGHT_SEND);
    fake_grant(rig->kernel, "inspect", OPERATOR_PID, HBK_RIGHT_INSPECT);
    rig_configure(rig, &rig->config, policy, NULL);
}

/* ---- lines, sessions ---- */

static void one_too_many(struct play *play)
{
    struct hbk_config config = play->rig->config;
    config.sessions_per_user = 2;
    rig_configure(play->rig, &config, NULL, NULL);
    pair_joins(play);
    assert_non_null(client_connect(play->rig, fake_process_start(play->rig->kernel, 4400), 1));
}

static void newcomer(struct play *play)
{
    play->who[NEWCOMER] =
        client_connect(play->rig, fake_process_start(play->rig->kernel, TARGET_PID), 1);
    assert_non_null(play->who[NEWCOMER]);
}

static void newcomer_has_set_its_proof(struct play *play)
{
    newcomer(play);
    assert_true(client_set_event(play->who[NEWCOMER], client_hello(play->who[NEWCOMER])));
    play_forget(play);
}

static void newcomer_while_it_is_paused(struct play *play)
{
    newcomer_has_set_its_proof(play);
    hbk_core_pause(play->rig->core, true);
}

/* ---- endpoints ---- */

static void target_is_open(struct play *play)
{
    pair_joins(play);
    target_opens(play, "{'name':'user/target'}");
}

static void print_joins(struct play *play)
{
    print_is_ruled(play);
    pair_joins(play);
}

static void two_are_open(struct play *play)
{
    target_is_open(play);
    client_ok(play->who[SENDER], HBK_METHOD_ENDPOINT_OPEN,
              "{'name':'user/picky','mode':'ask','types':{'Section':'read','File':1179785},"
              "'revocable':true}");
    play_forget(play);
}

/* ---- hand-off ---- */

static void something_to_send(struct play *play)
{
    target_is_open(play);
    play->rig->kernel->policy.widenable_type = "Section";
    sender_has(play, "292", "Event", EVENT_ALL);
    sender_has(play, "296", "Section", SECTION_ALL);
}

static void socket_to_send(struct play *play)
{
    pair_joins(play);
    sender_has_socket(play, "324");
}

static void offer(struct play *play)
{
    uint32_t file = client_make(play->who[SENDER], "File", FILE_READ_WRITE);
    client_request(play->who[SENDER], HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/picky','items':[{'handle':%u,'access':'read'}]}", file);
    rig_run(play->rig);
}

static void one_is_offered(struct play *play)
{
    pair_joins(play);
    target_opens(play, "{'name':'user/picky','mode':'ask'}");
    offer(play);
}

static void another_is_offered(struct play *play, unsigned id)
{
    if (id != 41)
        return;
    offer(play);
    play_bind_heard(play, TARGET, "delivery", "11");
    play_forget(play);
}

static void something_to_lend(struct play *play)
{
    pair_joins(play);
    sender_has(play, "292", "Event", EVENT_ALL);
    sender_has(play, "296", "Section", SECTION_ALL);
}

/* The target has closed the second of the two, so that only the first is there to be closed. */
static void second_is_closed(struct play *play, unsigned id)
{
    struct fake_process *target = play->who[TARGET]->process;
    if (id == 45)
        fake_handle_close(play->rig->kernel, target,
                          client_delivered(play->who[TARGET])->items[1].handle);
}

static void one_is_lent_and_one_waits(struct play *play)
{
    pair_joins(play);
    target_opens(play, "{'name':'user/lender','revocable':true}");
    client_ok(play->who[SENDER], HBK_METHOD_HANDLE_SEND,
              "{'to':'user/lender','items':[{'handle':%u}],'revocable':true}",
              client_make(play->who[SENDER], "Event", EVENT_ALL));
    client_request(play->who[SENDER], HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/later','items':[{'handle':%u}],'wait_ms':60000}",
                   client_make(play->who[SENDER], "Section", SECTION_MAP));
    rig_run(play->rig);
    play_forget(play);
}

static void lender_leaves(struct play *play)
{
    one_is_lent_and_one_waits(play);
    client_hang_up(play->who[SENDER]);
}

/* ---- transfer ---- */

static void catalyst_joins(struct play *play)
{
    pair_joins(play);
    rig_rules_and(play->rig, NULL, 0, "everybody");
    fake_grant(play->rig->kernel, "everybody", 0, HBK_RIGHT_TRANSFER);
    /* It has a handle already, so that what it gets has another value than what the target gets. */
    client_make(play_join(play, CATALYST, CATALYST_PID), "Event", EVENT_ALL);
    fake_may_duplicate(play->rig->kernel, CATALYST_PID, SENDER_PID, true);
    fake_may_duplicate(play->rig->kernel, CATALYST_PID, TARGET_PID, true);
    sender_has(play, "292", "Section", SECTION_ALL);
    sender_has(play, "296", "Event", EVENT_ALL);
}

/* ---- store ---- */

static void something_to_put(struct play *play)
{
    pair_joins(play);
    sender_has_socket(play, "324");
    sender_has(play, "328", "Event", EVENT_ALL);
    sender_has(play, "296", "Section", SECTION_ALL);
}

static void two_are_stored(struct play *play)
{
    pair_joins(play);
    play->rig->kernel->policy.widenable_type = "Section";
    client_ok(play->who[SENDER], HBK_METHOD_STORE_PUT,
              "{'name':'user/shop/listener','handle':%u,'type':'Socket','once':true,"
              "'data':'generation 7'}",
              client_make_socket(play->who[SENDER], FILE_READ_WRITE));
    client_ok(play->who[SENDER], HBK_METHOD_STORE_PUT, "{'name':null,'handle':%u,'access':'read'}",
              client_make(play->who[SENDER], "Section", SECTION_ALL));
    play_bind_heard(play, SENDER, "ticket", "6f0d1c53a1e84b7790c25f3e8ad4b126");
    play_forget(play);
}

static void state_is_stored(struct play *play)
{
    pair_joins(play);
    store_put(play->who[SENDER], "user/shop/state", "");
    play_forget(play);
}

/* One entry of a session that is there, and a ticket of one that has gone, of the same process. */
static void clock_and_ticket_are_stored(struct play *play)
{
    struct rig *rig = play->rig;
    RIG_RULES(rig, {.name = "global/clock", .put = "clock", .get = "clock"});
    fake_grant(rig->kernel, "clock", 0, HBK_RIGHT_PUT | HBK_RIGHT_GET);
    play_join(play, SENDER, SENDER_PID);
    store_type_put(play->who[SENDER], "global/clock", "Section", SECTION_MAP,
                   ",'allow':'D:(A;;0x8;;;AU)'");
    struct client *other = client_connect(rig, play->who[SENDER]->process, 1);
    client_prove(other);
    client_ok(other, HBK_METHOD_STORE_PUT,
              "{'name':null,'handle':%u,'lifetime':'broker','ttl_ms':60000}",
              client_make(other, "Event", EVENT_ALL));
    client_hang_up(other);
    play_forget(play);
}

/* ---- operating ---- */

static void inspected(struct play *play)
{
    operator_joins(play);
    pair_joins(play);
}

static void one_is_connecting(struct play *play)
{
    newcomer(play);
    struct client *first = play->who[TARGET] = play->who[NEWCOMER];
    const struct hbk_message *hello =
        client_ok(first, HBK_METHOD_SESSION_HELLO,
                  "{'protocol':[1],'client':{'name':'demo','version':'1.0'}}");
    assert_true(client_set_event(first, hello->u.result.hello.proof));
    client_ok(first, HBK_METHOD_SESSION_PROVE, NULL);
    play->who[NEWCOMER] =
        client_connect(play->rig, fake_process_start(play->rig->kernel, SENDER_PID), 1);
    assert_non_null(play->who[NEWCOMER]);
    operator_joins(play);
}

static void something_will_happen(struct play *play)
{
    inspected(play);
    target_opens(play, "{'name':'user/target'}");
}

/* Something that is done, and something that is refused. */
static void something_happens(struct play *play)
{
    client_ok(play->who[SENDER], HBK_METHOD_HANDLE_SEND,
              "{'to':'user/target','items':[{'handle':%u}]}",
              client_make(play->who[SENDER], "Event", EVENT_ALL));
    client_refused(play->who[TARGET], HBK_R_DENIED, HBK_METHOD_ENDPOINT_OPEN,
                   "{'name':'global/clock'}");
}

static void print_is_open(struct play *play)
{
    print_is_ruled(play);
    play_join(play, OPERATOR, OPERATOR_PID);
    pair_joins(play);
    play_bind(play, "session", "8", play->who[SENDER]->session_id);
    target_opens(play, "{'name':'session/print/spool'}");
}

static void looking_is_let(struct play *play)
{
    inspected(play);
    fake_may_duplicate(play->rig->kernel, OPERATOR_PID, SENDER_PID, true);
}

/* What the sender has at @handle, which it has just made. */
static struct fake_slot *slot_of(struct play *play, uint32_t handle)
{
    return fake_handle_find(play->who[SENDER]->process, handle);
}

static void table_can_be_seen(struct play *play)
{
    looking_is_let(play);
    struct client *sender = play->who[SENDER];
    client_make(sender, "Key", KEY_ALL);
    slot_of(play, client_make(sender, "Event", EVENT_ALL))->inherit = true;
    slot_of(play, client_make(sender, "Section", SECTION_MAP))->protect = true;
}

/* One object that the sender and the target have handles to, and the store. */
static void object_is_held(struct play *play)
{
    struct fake_kernel *kernel = play->rig->kernel;
    looking_is_let(play);
    struct fake_process *target = play->who[TARGET]->process;
    uint32_t handle = sender_has(play, "292", "Section", SECTION_MAP);
    struct fake_slot *slot = slot_of(play, handle);
    slot->protect = true;
    uint32_t other = fake_slot_take(kernel, target, slot->object, SECTION_ALL, FAKE_ORIGIN_OWN);
    fake_handle_find(target, other)->inherit = true;
    client_ok(play->who[SENDER], HBK_METHOD_STORE_PUT, "{'name':'user/held','handle':%u}", handle);
    play_forget(play);
}

/* The words, and the number, are Windows's part (service/win/look.c). */
static void windows_says_why(struct play *play, unsigned id)
{
    if (id == 63) {
        play->rig->kernel->fault_detail = "the process has no such handle";
        fake_fail(play->rig->kernel, FAKE_OP_LOOKED, 1, HBK_R_BAD_HANDLE, 6);
    }
}

/* ---- which exchange is which ---- */

enum role page_speaker(enum hbk_method method, unsigned id)
{
    switch (method) {
    case HBK_METHOD_SESSION_HELLO:
    case HBK_METHOD_SESSION_PROVE:
        return NEWCOMER;
    case HBK_METHOD_HANDLE_SEND:
    case HBK_METHOD_DELIVERY_REVOKE:
    case HBK_METHOD_DELIVERY_LIST:
    case HBK_METHOD_STORE_PUT:
    case HBK_METHOD_STORE_REMOVE:
    case HBK_METHOD_STORE_LIST:
        return SENDER;
    case HBK_METHOD_HANDLE_TRANSFER:
        return CATALYST;
    case HBK_METHOD_ENDPOINT_OPEN:
    case HBK_METHOD_ENDPOINT_CLOSE:
    case HBK_METHOD_ENDPOINT_LIST:
    case HBK_METHOD_DELIVERY_ACCEPT:
    case HBK_METHOD_DELIVERY_REJECT:
    case HBK_METHOD_STORE_GET:
        return TARGET;
    default:
        /* Two are asked by one who may not. */
        return id == 52 || id == 58 ? TARGET : OPERATOR;
    }
}

const struct scene page_scenes[] = {
    {.mark = "[{\"jsonrpc\"", .begin = pair_joins},
    {.mark = "\"id\":3,", .begin = pair_joins},
    {.mark = "sessions_per_user\"}", .begin = one_too_many},
    {.mark = "\"id\":10,", .begin = newcomer},
    {.mark = "\"id\":11,", .begin = newcomer_has_set_its_proof},
    {.mark = "\"id\":12,", .begin = newcomer_while_it_is_paused},
    {.mark = "\"id\":20,", .begin = pair_joins},
    {.mark = "\"id\":26,", .begin = print_joins},
    {.mark = "\"id\":22,", .begin = target_is_open},
    {.mark = "\"id\":24,", .begin = two_are_open},
    {.mark = "\"id\":30,", .begin = something_to_send},
    {.mark = "\"id\":33,", .begin = socket_to_send},
    {.mark = "handle.offered", .begin = one_is_offered, .before = another_is_offered},
    {.mark = "\"id\":43,", .begin = something_to_lend, .before = second_is_closed},
    {.mark = "\"id\":47,", .begin = one_is_lent_and_one_waits},
    {.mark = "session.gone", .begin = lender_leaves},
    {.mark = "\"id\":60,", .begin = catalyst_joins},
    {.mark = "\"id\":70,", .begin = something_to_put},
    {.mark = "\"id\":74,", .begin = two_are_stored},
    {.mark = "\"id\":78,", .begin = state_is_stored},
    {.mark = "\"id\":80,", .begin = clock_and_ticket_are_stored, .figures = true},
    {.mark = "\"id\":50,", .begin = inspected, .figures = true},
    {.mark = "\"id\":57,", .begin = inspected},
    {.mark = "\"id\":51,", .begin = one_is_connecting, .figures = true},
    {.mark = "\"id\":53,",
     .begin = something_will_happen,
     .after = something_happens,
     .among = true},
    {.mark = "\"id\":54,", .begin = print_is_open},
    {.mark = "\"id\":59,", .begin = table_can_be_seen},
    {.mark = "\"id\":62,", .begin = object_is_held, .before = windows_says_why},
};
const size_t page_scenes_count = sizeof page_scenes / sizeof page_scenes[0];
