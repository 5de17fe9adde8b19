/* process.handles, object.holders: who is shown what is in handle tables, in which order and pages, and what fails. */
#include "alloc_fault.h"
#include "core_look.h"

#include <stdio.h>
#include <string.h>

/* The look was begun, and comes to nothing. */
static const struct hbk_error *fails(struct client *client, enum hbk_method method,
                                     const char *params, int32_t code)
{
    uint32_t id = scene_ask(client, method, params);
    rig_looks_end(client->rig);
    return client_error(client, id, code);
}

/* Nobody was asked anything about processes or handles. */
static void nothing_was_looked_at(const struct scene *scene)
{
    assert_int_equal(fake_trace_count(scene->kernel, FAKE_OP_LOOK), 0);
    assert_int_equal(fake_trace_count(scene->kernel, FAKE_OP_PIN), 0);
}

/* ---- one table ---- */

static void the_table_of_a_process_is_shown(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t event = scene_make(&scene, "Event", 0x1F0003);
    uint32_t gone = scene_make(&scene, "Mutant", 1);
    uint32_t section = scene_make(&scene, "Section", 4);
    uint32_t odd = scene_make(&scene, "", 0);
    fake_handle_close(scene.kernel, scene.process, gone);
    fake_handle_find(scene.process, event)->inherit = true;
    fake_handle_find(scene.process, section)->protect = true;
    const struct hbk_process_handles_result *found = scene_handles(scene.a, "{'pid':200}");
    assert_int_equal(found->handles_count, 3);
    assert_null(found->next.data);
    const struct hbk_handle_info *at = found->handles;
    assert_int_equal(at[0].handle, event);
    assert_true(hbk_text_is(at[0].type, "Event"));
    assert_int_equal(at[0].access, 0x1F0003);
    assert_true(at[0].inherit && !at[0].protect);
    assert_int_equal(at[1].handle, section);
    assert_true(hbk_text_is(at[1].type, "Section"));
    assert_int_equal(at[1].access, 4);
    assert_true(!at[1].inherit && at[1].protect);
    /* Of which Windows does not say what it is. */
    assert_int_equal(at[2].handle, odd);
    assert_null(at[2].type.data);
    assert_int_equal(at[2].access, 0);
    scene_recorded(&scene, "process.handles", "done", NULL, 200);
    assert_int_equal(fake_opened_held(scene.kernel), 0);
    scene_end(&scene);
}

static void ones_own_table_needs_no_opening(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t own = client_make(scene.a, "Event", 3);
    const struct hbk_process_handles_result *found = scene_handles(scene.a, "{'pid':100}");
    assert_int_equal(found->handles_count, 1);
    assert_int_equal(found->handles[0].handle, own);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 0);
    scene_recorded(&scene, "process.handles", "done", NULL, 100);
    scene_end(&scene);
}

static size_t read_pages(struct scene *scene, unsigned limit, uint32_t *values, size_t values_max)
{
    char params[96], cursor[HBK_CURSOR_BYTES_MAX + 1] = "";
    size_t count = 0;
    for (;;) {
        int size = snprintf(params, sizeof params, "{'pid':200");
        if (limit)
            size += snprintf(params + size, sizeof params - (size_t)size, ",'limit':%u", limit);
        if (*cursor)
            size += snprintf(params + size, sizeof params - (size_t)size, ",'cursor':'%s'", cursor);
        snprintf(params + size, sizeof params - (size_t)size, "}");
        const struct hbk_process_handles_result *page = scene_handles(scene->a, params);
        assert_true(page->handles_count <= (limit ? limit : HBK_PAGE_HANDLES_MAX));
        for (size_t i = 0; i < page->handles_count; ++i) {
            assert_true(count < values_max);
            assert_true(count == 0 || page->handles[i].handle > values[count - 1]);
            values[count++] = page->handles[i].handle;
        }
        if (!page->next.data)
            return count;
        snprintf(cursor, sizeof cursor, "%.*s", (int)page->next.size, page->next.data);
    }
}

static void pages_go_by_value(void **state)
{
    (void)state;
    enum { COUNT = 2 * HBK_PAGE_HANDLES_MAX + 7 };
    static const unsigned limits[] = {0, 7, 300, HBK_PAGE_HANDLES_MAX};
    struct scene scene = scene_new();
    uint32_t values[COUNT];
    for (size_t i = 0; i < COUNT; ++i)
        /* The longest entries that there are, so that a full page fits into a line. */
        fake_handle_find(scene.process,
                         scene_make(&scene, "ThirtyTwoBytesThirtyTwoBytes1234", UINT32_MAX))
            ->inherit = true;
    for (size_t i = 0; i < COUNT; ++i)
        scene.process->slots[i].protect = true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; ++i)
        assert_int_equal(read_pages(&scene, limits[i], values, COUNT), COUNT);
    /* Just one page, and no other that is empty. */
    for (uint32_t i = HBK_PAGE_HANDLES_MAX; i < COUNT; ++i)
        fake_handle_close(scene.kernel, scene.process, (i + 1) * 4);
    const struct hbk_process_handles_result *all = scene_handles(scene.a, "{'pid':200}");
    assert_int_equal(all->handles_count, HBK_PAGE_HANDLES_MAX);
    assert_null(all->next.data);
    assert_int_equal(scene_handles(scene.a, "{'pid':200,'cursor':'2147483644'}")->handles_count, 0);
    log_forget(scene.log);
    scene_end(&scene);
}

/* What is closed between two pages is not shown, what is new above the cursor is; nothing is shown twice. */
static void a_table_that_changes_between_pages(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t value[6];
    for (size_t i = 0; i < 6; ++i)
        value[i] = scene_make(&scene, "Event", 3);
    assert_true(hbk_text_is(scene_handles(scene.a, "{'pid':200,'limit':3}")->next, "12"));
    fake_handle_close(scene.kernel, scene.process, value[1]);
    fake_handle_close(scene.kernel, scene.process, value[2]); /* the cursor itself */
    fake_handle_close(scene.kernel, scene.process, value[4]);
    scene_make(&scene, "Event", 3); /* below the cursor */
    const struct hbk_process_handles_result *rest =
        scene_handles(scene.a, "{'pid':200,'cursor':'12'}");
    assert_int_equal(rest->handles_count, 2);
    assert_int_equal(rest->handles[0].handle, value[3]);
    assert_int_equal(rest->handles[1].handle, value[5]);
    log_forget(scene.log);
    scene_end(&scene);
}

/* ---- holders ---- */

static void holders_of_an_object_are_shown(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct fake_process *other = fake_process_start(scene.kernel, 150);
    uint32_t event = scene_make(&scene, "Event", 0x1F0003);
    scene_make(&scene, "Event", 3); /* another one */
    uint32_t twice = scene_again(&scene, scene.process, event, 2);
    uint32_t theirs = scene_again(&scene, other, event, 0x100000);
    fake_handle_find(other, theirs)->inherit = true;
    fake_handle_find(scene.process, twice)->protect = true;
    const struct hbk_object_holders_result *found = scene_holders(scene.a, 200, event);
    assert_true(hbk_text_is(found->type, "Event"));
    assert_true(found->complete);
    assert_int_equal(found->broker, 0);
    assert_int_equal(found->holders_count, 3);
    const struct hbk_handle_info *at = found->holders;
    assert_int_equal(at[0].pid, 150);
    assert_int_equal(at[0].handle, theirs);
    assert_int_equal(at[0].access, 0x100000);
    assert_true(at[0].inherit && !at[0].protect);
    assert_int_equal(at[1].pid, 200);
    assert_int_equal(at[1].handle, event);
    assert_int_equal(at[2].pid, 200);
    assert_int_equal(at[2].handle, twice);
    assert_true(!at[2].inherit && at[2].protect);
    scene_recorded(&scene, "object.holders", "done", NULL, 200);
    fake_handle_close(scene.kernel, other, theirs);
    assert_int_equal(scene_holders(scene.a, 200, event)->holders_count, 2);
    log_forget(scene.log);
    scene_end(&scene);
}

/* That it holds the object is told, and how often; a value of its own is not. */
static void what_the_broker_holds_is_counted(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t own = client_make(scene.a, "Event", 3);
    uint32_t id = client_request(scene.a, HBK_METHOD_HANDLE_SEND,
                                 "{'to':'user/late','items':[{'handle':%u}],'wait_ms':1000}", own);
    rig_run(scene.rig);
    const struct hbk_object_holders_result *found = scene_holders(scene.a, 0, own);
    assert_int_equal(found->broker, 1);
    assert_int_equal(found->holders_count, 1);
    assert_int_equal(found->holders[0].pid, 100);
    assert_int_equal(found->holders[0].handle, own);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 0);
    rig_advance(scene.rig, 1000);
    client_error(scene.a, id, HBK_R_TIMEOUT);
    assert_int_equal(scene_holders(scene.a, 100, own)->broker, 0);
    log_forget(scene.log);
    scene_end(&scene);
}

static void more_holders_than_a_line_has_room_for(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t event = scene_make(&scene, "Event", 3);
    for (uint32_t i = 1; i < HBK_PAGE_HANDLES_MAX; ++i)
        scene_again(&scene, scene.process, event, UINT32_MAX);
    assert_true(scene_holders(scene.a, 200, event)->complete);
    scene_again(&scene, scene.process, event, 3);
    const struct hbk_object_holders_result *found = scene_holders(scene.a, 200, event);
    assert_int_equal(found->holders_count, HBK_PAGE_HANDLES_MAX);
    assert_false(found->complete);
    log_forget(scene.log);
    scene_end(&scene);
}

/* ---- who may not ---- */

static void without_the_right_nothing_is_asked(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t event = scene_make(&scene, "Event", 3), own = client_make(scene.b, "Event", 3);
    fake_may_duplicate(scene.kernel, 101, 200, true);
    client_refused(scene.b, HBK_R_DENIED, HANDLES, "{'pid':200}");
    log_take(scene.log, "process.handles", "refused", "denied");
    client_refused(scene.b, HBK_R_DENIED, HANDLES, "{'pid':200,'cursor':'x'}");
    log_take(scene.log, "process.handles", "refused", "denied");
    client_refused(scene.b, HBK_R_DENIED, HOLDERS, "{'pid':200,'handle':%u}", event);
    log_take(scene.log, "object.holders", "refused", "denied");
    /* Not of its own either: who else has them is somebody else's affair. */
    client_refused(scene.b, HBK_R_DENIED, HANDLES, "{'pid':101}");
    log_take(scene.log, "process.handles", "refused", "denied");
    client_refused(scene.b, HBK_R_DENIED, HOLDERS, "{'handle':%u}", own);
    log_take(scene.log, "object.holders", "refused", "denied");
    nothing_was_looked_at(&scene);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 0);
    scene_end(&scene);
}

/* The right to inspect is none over a process: Windows is asked about the caller, as for a transfer. */
static void the_right_to_inspect_opens_no_process(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    fake_may_duplicate(scene.kernel, 100, 200, false);
    assert_non_null(strstr(client_refused(scene.a, HBK_R_DENIED, HANDLES, "{'pid':200}")->detail,
                           "process 200"));
    client_refused(scene.a, HBK_R_DENIED, HOLDERS, "{'pid':200,'handle':%u}",
                   scene_make(&scene, "Event", 3));
    client_refused(scene.a, HBK_R_NOT_FOUND, HANDLES, "{'pid':201}");
    client_refused(scene.a, HBK_R_NOT_FOUND, HOLDERS, "{'pid':201,'handle':4}");
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 4);
    nothing_was_looked_at(&scene);
    log_forget(scene.log);
    scene_end(&scene);
}

static void the_system_and_the_broker_are_out_of_reach(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct hbk_config config = scene.rig->config;
    config.pid = 300;
    scene.rig->config = config;
    share_reload(&scene.share);
    fake_process_start(scene.kernel, 4);
    fake_process_start(scene.kernel, 300);
    fake_may_duplicate(scene.kernel, 100, 4, true);
    fake_may_duplicate(scene.kernel, 100, 300, true);
    client_refused(scene.a, HBK_R_DENIED, HANDLES, "{'pid':4}");
    client_refused(scene.a, HBK_R_DENIED, HANDLES, "{'pid':300}");
    client_refused(scene.a, HBK_R_DENIED, HOLDERS, "{'pid':4,'handle':4}");
    client_refused(scene.a, HBK_R_DENIED, HOLDERS, "{'pid':300,'handle':4}");
    client_refused(scene.a, HBK_R_INVALID_PARAMS, HANDLES, "{'pid':0}");
    client_refused(scene.a, HBK_R_INVALID_PARAMS, HOLDERS, "{'pid':0,'handle':4}");
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 0);
    nothing_was_looked_at(&scene);
    log_forget(scene.log);
    scene_end(&scene);
}

static void cursors_that_are_none(void **state)
{
    (void)state;
    static const char *const cursors[] = {"-1", "x", "4x", " 4", "2147483645", "99999999999999999"};
    struct scene scene = scene_new();
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; ++i)
        client_refused(scene.a, HBK_R_INVALID_PARAMS, HANDLES, "{'pid':200,'cursor':'%s'}",
                       cursors[i]);
    nothing_was_looked_at(&scene);
    log_forget(scene.log);
    scene_end(&scene);
}

/* ---- what fails ---- */

static void a_look_that_fails(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    scene.kernel->fault_detail = "so it is";
    fake_fail(scene.kernel, FAKE_OP_LOOK, 1, HBK_R_OS_ERROR, 8);
    const struct hbk_error *error = client_refused(scene.a, HBK_R_OS_ERROR, HANDLES, "{'pid':200}");
    assert_int_equal(error->win32, 8);
    assert_string_equal(error->detail, "so it is");
    assert_int_equal(fake_opened_held(scene.kernel), 0);
    log_take(scene.log, "process.handles", "failed", "os_error");
    fake_fail(scene.kernel, FAKE_OP_LOOKED, 1, HBK_R_OS_ERROR, 1450);
    assert_int_equal(fails(scene.a, HANDLES, "{'pid':200}", HBK_R_OS_ERROR)->win32, 1450);
    scene_recorded(&scene, "process.handles", "failed", "os_error", 200);
    fails(scene.a, HOLDERS, "{'pid':200,'handle':4}", HBK_R_BAD_HANDLE);
    scene_recorded(&scene, "object.holders", "refused", "bad_handle", 200);
    fake_exit_at(scene.kernel, FAKE_OP_LOOK, 1, scene.process, true);
    fails(scene.a, HANDLES, "{'pid':200}", HBK_R_NOT_FOUND);
    scene_recorded(&scene, "process.handles", "refused", "not_found", 200);
    /* Nothing of it is left, and the next one is as the first. */
    scene_handles(scene.a, "{'pid':100}");
    scene_recorded(&scene, "process.handles", "done", NULL, 100);
    scene_end(&scene);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    if (!alloc_fault_works())
        skip();
    for (size_t index = 0;; ++index) {
        struct scene scene = scene_new();
        uint32_t event = scene_make(&scene, "Event", 3);
        char params[64];
        snprintf(params, sizeof params, "{'pid':200,'handle':%u}", event);
        client_request_text(scene.a, HOLDERS, params);
        alloc_fault_arm(index);
        rig_run(scene.rig);
        rig_looks_end(scene.rig);
        bool failed = alloc_fault_disarm() > index;
        log_forget(scene.log);
        scene_end(&scene);
        if (!failed)
            break;
        assert_true(index < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_a_process_is_shown),
        cmocka_unit_test(ones_own_table_needs_no_opening),
        cmocka_unit_test(pages_go_by_value),
        cmocka_unit_test(a_table_that_changes_between_pages),
        cmocka_unit_test(holders_of_an_object_are_shown),
        cmocka_unit_test(what_the_broker_holds_is_counted),
        cmocka_unit_test(more_holders_than_a_line_has_room_for),
        cmocka_unit_test(without_the_right_nothing_is_asked),
        cmocka_unit_test(the_right_to_inspect_opens_no_process),
        cmocka_unit_test(the_system_and_the_broker_are_out_of_reach),
        cmocka_unit_test(cursors_that_are_none),
        cmocka_unit_test(a_look_that_fails),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
