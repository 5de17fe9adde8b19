/* What the tests of process.handles and object.holders start from: who may look, and at what. */
#ifndef CORE_LOOK_H
#define CORE_LOOK_H

#include "core_share.h"

#define HANDLES HBK_METHOD_PROCESS_HANDLES
#define HOLDERS HBK_METHOD_OBJECT_HOLDERS

/* a (pid 100) may inspect, and duplicate into 200, which has no session; b (101) may do neither, nor may c (102). */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
    struct fake_process *process;
};

struct scene scene_new(void);
/** scene_end() - with no more records than the end itself leaves. */
void scene_end(struct scene *scene);

/** scene_make() - a handle of process 200 to a new object. */
uint32_t scene_make(struct scene *scene, const char *type, uint32_t access);
/** scene_again() - another handle, of @process, to what @value is in process 200. */
uint32_t scene_again(struct scene *scene, struct fake_process *process, uint32_t value,
                     uint32_t access);

/** scene_ask() - Return: the request's id; the worker has not returned. */
uint32_t scene_ask(struct client *client, enum hbk_method method, const char *params);
const struct hbk_process_handles_result *scene_handles(struct client *client, const char *params);
/** scene_holders() - @pid: 0: of its own handle */
const struct hbk_object_holders_result *scene_holders(struct client *client, uint32_t pid,
                                                      uint32_t handle);
/** scene_recorded() - the next record is of a's look at process @pid. */
void scene_recorded(struct scene *scene, const char *event, const char *outcome, const char *error,
                    uint32_t pid);

#endif
