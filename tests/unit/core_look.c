#include "core_look.h"

#include <stdio.h>

struct scene scene_new(void)
{
    struct scene scene = {.share = share_new(NULL)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    scene.c = scene.share.c;
    scene.process = fake_process_start(scene.kernel, 200);
    share_let(&scene.share, 100, HBK_RIGHT_INSPECT, true);
    fake_may_duplicate(scene.kernel, 100, 200, true);
    fake_trace_clear(scene.kernel);
    return scene;
}

void scene_end(struct scene *scene)
{
    share_end(&scene->share);
}

uint32_t scene_make(struct scene *scene, const char *type, uint32_t access)
{
    return fake_handle_make(scene->kernel, scene->process, type, access);
}

uint32_t scene_again(struct scene *scene, struct fake_process *process, uint32_t value,
                     uint32_t access)
{
    uint32_t object = fake_handle_find(scene->process, value)->object;
    return fake_slot_take(scene->kernel, process, object, access, FAKE_ORIGIN_OWN);
}

uint32_t scene_ask(struct client *client, enum hbk_method method, const char *params)
{
    uint32_t id = client_request_text(client, method, params);
    rig_run(client->rig);
    return id;
}

static const struct hbk_message *look(struct client *client, enum hbk_method method,
                                      const char *params)
{
    uint32_t id = scene_ask(client, method, params);
    assert_false(client_answered(client, id));
    rig_looks_end(client->rig);
    return client_result(client, id);
}

const struct hbk_process_handles_result *scene_handles(struct client *client, const char *params)
{
    return &look(client, HANDLES, params)->u.result.process_handles;
}

const struct hbk_object_holders_result *scene_holders(struct client *client, uint32_t pid,
                                                      uint32_t handle)
{
    char params[64];
    if (pid)
        snprintf(params, sizeof params, "{'pid':%u,'handle':%u}", pid, handle);
    else
        snprintf(params, sizeof params, "{'handle':%u}", handle);
    return &look(client, HOLDERS, params)->u.result.object_holders;
}

void scene_recorded(struct scene *scene, const char *event, const char *outcome, const char *error,
                    uint32_t pid)
{
    const struct hbk_event *record = log_take(scene->log, event, outcome, error);
    assert_int_equal(record->caller.session, scene->a->session_id);
    assert_int_equal(record->target.pid, pid);
    assert_true(record->correlation != 0);
}
