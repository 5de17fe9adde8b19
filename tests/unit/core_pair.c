#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair pair_new(const struct hbk_config *config, const char *open)
{
    struct pair pair = {.rig = rig_new(config, 1)};
    pair.sender = client_new(pair.rig, 100, 1);
    pair.target = client_new(pair.rig, 101, 1);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "%s", open);
    fake_trace_clear(pair.rig->kernel);
    return pair;
}

char *pair_params(const struct pair *pair, unsigned count, const char *type, uint32_t granted,
                  const char *access)
{
    size_t room = 64 + count * 64;
    char *params = malloc(room);
    assert_non_null(params);
    int size = snprintf(params, room, "{'to':'user/a','items':[");
    for (unsigned i = 0; i < count; ++i)
        size += snprintf(params + size, room - (size_t)size, "%s{'handle':%u%s%s}", i ? "," : "",
                         client_make(pair->sender, type, granted), access ? ",'access':" : "",
                         access ? access : "");
    size += snprintf(params + size, room - (size_t)size, "]}");
    assert_true((size_t)size < room);
    return params;
}

uint32_t pair_send(const struct pair *pair, unsigned count)
{
    char *params = pair_params(pair, count, "Event", 3, NULL);
    uint32_t id = client_request_text(pair->sender, HBK_METHOD_HANDLE_SEND, params);
    free(params);
    return id;
}
