/* What the tests of handle.transfer, delivery.revoke and sockets start from: a broker whose rules say who may do what
 * has no name, and the audit file in which it is recorded. */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "core_log.h"
#include "core_rig.h"

struct share {
    struct rig *rig;
    struct log *log;
    struct client *a, *b, *c; /* pids 100, 101 of one identity, and 102 of another */
};

/** share_new() - everybody may transfer, nobody may inspect or revoke; who may reach which process is left to the
 * test. @config: NULL: the defaults */
struct share share_new(const struct hbk_config *config);
/** share_end() - with no more records than the end itself leaves. */
void share_end(struct share *share);
/** share_let() - process @pid (0: every one) may do @right, one of HBK_RIGHT_..., from now on, or may not. */
void share_let(struct share *share, uint32_t pid, uint32_t right, bool may);
/** share_reload() - the same rules once more. */
void share_reload(struct share *share);
/** share_let_all() - everybody may duplicate into every one of the @count processes @pids. */
void share_let_all(struct share *share, const uint32_t *pids, size_t count);

/** share_block() - @client has a write pending that names nothing. */
void share_block(struct client *client);
/** share_unblock() - its writes end, all @told, or the first one fails. */
void share_unblock(struct client *client, bool told);

#endif
