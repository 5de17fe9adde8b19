/* A client and a script with what it says without being asked: lines that come after the answer to the client's
 * endpoint.open. */
#ifndef HBK_KIT_SCENE_H
#define HBK_KIT_SCENE_H

#include "script.h"

#define KIT_FROM                                                                    \
    "\"from\":{\"session\":17,\"pid\":2,\"user\":\"S-1-5-18\",\"integrity\":16384," \
    "\"logon_session\":\"00000000000003e7\"}"
#define KIT_ITEM_REST ",\"access\":3,\"inherit\":false,\"protect\":false}"

struct kit_scene {
    struct kit_script script;
    struct kit_step steps[KIT_SCRIPT_STEPS_MAX];
    size_t count;
    char lines[65536];
    hbk_client *client;
};

struct kit_scene *kit_scene_new(void);

/** kit_scene_notify() - say @format as a line. */
void kit_scene_notify(struct kit_scene *scene, const char *format, ...);
/** kit_scene_deliver() - "handle.delivered" or "handle.offered" with @items, from session 17. */
void kit_scene_deliver(struct kit_scene *scene, const char *method, int delivery, bool revocable,
                       const char *items);
/** kit_scene_answer() - a step; @result is borrowed. */
void kit_scene_answer(struct kit_scene *scene, const char *method, const char *result);

/** kit_scene_connect() - with the steps alone. */
void kit_scene_connect(struct kit_scene *scene);
/** kit_scene_begin() - and open the endpoint, after which the lines are said and taken in; notices
 * are kept. */
void kit_scene_begin(struct kit_scene *scene);
/** kit_scene_end() - close the client, and free the scene. */
void kit_scene_end(struct kit_scene *scene);

/** kit_scene_placed() - a duplicate in this process, as a broker places one. */
HANDLE kit_scene_placed(HANDLE event);
/** kit_scene_item() - the item of a delivery with it, in a static buffer of a few. */
const char *kit_scene_item(HANDLE handle);
/** kit_scene_closed() - is @handle no handle to @event's object any more? Its value may be another's by now. */
bool kit_scene_closed(HANDLE handle, HANDLE event);

void kit_has(const char *line, const char *what);
void kit_has_not(const char *line, const char *what);

#endif
