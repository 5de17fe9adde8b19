#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kit_has(const char *line, const char *what)
{
    if (strstr(line, what) == NULL)
        fail_msg("%s is not in: %s", what, line);
}

void kit_has_not(const char *line, const char *what)
{
    if (strstr(line, what) != NULL)
        fail_msg("%s stands in: %s", what, line);
}

void kit_scene_notify(struct kit_scene *scene, const char *format, ...)
{
    size_t size = strlen(scene->lines);
    va_list values;

    va_start(values, format);
    int more = vsnprintf(scene->lines + size, sizeof scene->lines - size, format, values);
    va_end(values);
    assert_true(more > 0 && size + (size_t)more + 2 < sizeof scene->lines);
    scene->lines[size + (size_t)more] = '\n';
    scene->lines[size + (size_t)more + 1] = '\0';
}

void kit_scene_answer(struct kit_scene *scene, const char *method, const char *result)
{
    assert_true(scene->count < KIT_SCRIPT_STEPS_MAX);
    scene->steps[scene->count].method = method;
    scene->steps[scene->count++].result = result;
}

void kit_scene_deliver(struct kit_scene *scene, const char *method, int delivery, bool revocable,
                       const char *items)
{
    kit_scene_notify(
        scene,
        "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"delivery\":%d,\"endpoint\":"
        "\"user/x\"," KIT_FROM ",\"items\":[%s],\"data\":null,\"revocable\":%s}}",
        method, delivery, items, revocable ? "true" : "false");
}

void kit_scene_connect(struct kit_scene *scene)
{
    kit_script_begin(&scene->script, scene->steps, scene->count);
    scene->client = kit_script_client(&scene->script);
}

/* Everything that was prepared is there when this returns. */
void kit_scene_begin(struct kit_scene *scene)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = "user/x"};
    hbk_status_info status;
    hbk_notification notice;

    kit_scene_answer(scene, "endpoint.open", "{\"endpoint\":\"user/x\"}");
    scene->steps[scene->count - 1].after = scene->lines;
    kit_scene_connect(scene);
    assert_int_equal(hbk_notification_receive(scene->client, 0, &notice, NULL), HBK_TIMEOUT);
    endpoint.flags = HBK_ENDPOINT_REVOCABLE;
    assert_int_equal(hbk_endpoint_open(scene->client, &endpoint, NULL), HBK_OK);
    kit_has(scene->script.asked[scene->count - 1], "\"revocable\":true");
    /* An answer that comes after all of them. */
    assert_int_equal(hbk_status(scene->client, &status, NULL), HBK_METHOD_NOT_FOUND);
}

void kit_scene_end(struct kit_scene *scene)
{
    hbk_close(scene->client);
    kit_script_end(&scene->script);
    free(scene);
}

struct kit_scene *kit_scene_new(void)
{
    struct kit_scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    return scene;
}

/* A handle of this process, as a broker places one. */
HANDLE kit_scene_placed(HANDLE event)
{
    HANDLE copy = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, 0, FALSE,
                                DUPLICATE_SAME_ACCESS));
    return copy;
}

const char *kit_scene_item(HANDLE handle)
{
    static char texts[4][128];
    static int next;
    char *text = texts[next++ % 4];
    (void)snprintf(text, sizeof texts[0], "{\"handle\":%lu,\"type\":\"Event\"" KIT_ITEM_REST,
                   (unsigned long)(uintptr_t)handle);
    return text;
}

bool kit_scene_closed(HANDLE handle, HANDLE event)
{
    typedef BOOL(WINAPI * question)(HANDLE, HANDLE);
    question same = (question)(void (*)(void))GetProcAddress(GetModuleHandleW(L"kernelbase.dll"),
                                                             "CompareObjectHandles");
    assert_non_null(same);
    return !same(handle, event);
}
