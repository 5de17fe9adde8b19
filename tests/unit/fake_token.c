/* What a token is granted by a descriptor: its entries in their order, as AccessCheck reads them. */
#include "fake_platform.h"

#include <stdlib.h>
#include <string.h>

static bool is_sid(const char *at, const char *sid, size_t size)
{
    return strlen(sid) == size && memcmp(at, sid, size) == 0;
}

static bool names(const struct fake_token *token, const char *sid, size_t size)
{
    return is_sid(sid, "WD", size) || is_sid(sid, "AU", size) ||
           (is_sid(sid, "SY", size) && strcmp(token->user, "S-1-5-18") == 0) ||
           (is_sid(sid, "BA", size) && token->administrator) ||
           (is_sid(sid, "IU", size) && token->terminal_session != 0) ||
           is_sid(sid, token->user, size);
}

uint32_t fake_token_grants(const struct fake_token *token, const char *text, uint32_t label,
                           uint32_t wanted)
{
    uint32_t granted = 0, denied = 0;
    if (token->integrity < label)
        return 0;
    for (const char *entry = strchr(text, '('); entry; entry = strchr(entry + 1, '(')) {
        const char *mask = strstr(entry, ";;") + 2;
        const char *sid = strstr(mask, ";;;") + 3;
        uint32_t bits =
            memcmp(mask, "GA", 2) == 0 ? HBK_RIGHTS_ALL : (uint32_t)strtoul(mask, NULL, 0);
        if (!names(token, sid, strcspn(sid, ")")))
            continue;
        if (entry[1] == 'A')
            granted |= bits & ~denied;
        else
            denied |= bits & ~granted;
    }
    return granted & wanted;
}

bool fake_token_may_duplicate(const struct fake_token *caller, const struct fake_token *target)
{
    return caller->administrator ||
           (strcmp(caller->user, target->user) == 0 && caller->integrity >= target->integrity);
}
