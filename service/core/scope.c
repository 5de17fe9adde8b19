/* The three namespaces that a session may name things in. */
#include "internal.h"

#include <string.h>

static const char *const prefixes[HBK_SCOPE_KIND_COUNT] = {
    [HBK_SCOPE_USER] = "user/",
    [HBK_SCOPE_SESSION] = "session/",
    [HBK_SCOPE_GLOBAL] = "global/",
};

enum hbk_scope_kind hbk_scope_kind_of(struct hbk_text name)
{
    HBK_ASSERT(hbk_name_check(name));
    for (size_t i = 0; i < HBK_SCOPE_KIND_COUNT; i++) {
        size_t size = strlen(prefixes[i]);

        if (name.size > size && memcmp(name.data, prefixes[i], size) == 0) {
            return (enum hbk_scope_kind)i;
        }
    }
    HBK_ASSERT(false);
    return HBK_SCOPE_KIND_COUNT;
}

/* user/ is what the platform found the identity to be. The other two are plain text and a number, which nobody
 * will find a SHA-256 to equal. */
static void digest_of(enum hbk_scope_kind kind, const struct hbk_peer *peer, uint8_t ret_digest[32])
{
    uint32_t number = kind == HBK_SCOPE_SESSION ? peer->terminal_session : 0;

    if (kind == HBK_SCOPE_USER) {
        memcpy(ret_digest, peer->scope, 32);
        return;
    }
    memset(ret_digest, 0, 32);
    memcpy(ret_digest, prefixes[kind], strlen(prefixes[kind]));
    for (size_t i = 0; i < 4; i++) {
        ret_digest[28 + i] = (uint8_t)(number >> (8 * i));
    }
}

int hbk_scopes_keep(struct hbk_core *core, const struct hbk_peer *peer,
                    struct hbk_scope *ret_scopes[HBK_SCOPE_KIND_COUNT])
{
    struct hbk_scope *scopes[HBK_SCOPE_KIND_COUNT] = {NULL};

    for (size_t i = 0; i < HBK_SCOPE_KIND_COUNT; i++) {
        uint8_t digest[32];

        digest_of((enum hbk_scope_kind)i, peer, digest);
        scopes[i] = hbk_core_scope(core, digest);
        if (scopes[i] == NULL) {
            hbk_scopes_release(core, scopes);
            return -1;
        }
        scopes[i]->references++;
    }
    memcpy(ret_scopes, scopes, sizeof scopes);
    return 0;
}

void hbk_scopes_release(struct hbk_core *core, struct hbk_scope *scopes[HBK_SCOPE_KIND_COUNT])
{
    for (size_t i = 0; i < HBK_SCOPE_KIND_COUNT; i++) {
        if (scopes[i] != NULL) {
            HBK_ASSERT(scopes[i]->references > 0);
            scopes[i]->references--;
            hbk_core_scope_release(core, scopes[i]);
            scopes[i] = NULL;
        }
    }
}
