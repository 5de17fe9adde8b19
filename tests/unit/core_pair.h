/* A rig with what most tests start from: a sender (pid 100) and a target (pid 101) of one identity, the
 * target with one endpoint. */
#ifndef CORE_PAIR_H
#define CORE_PAIR_H

#include "core_rig.h"

struct pair {
    struct rig *rig;
    struct client *sender, *target;
};

/** pair_new() - @open: params of the target's endpoint.open. The trace of calls starts after that. */
struct pair pair_new(const struct hbk_config *config, const char *open);

/**
 * pair_params() - params of a send to user/a with @count new objects of the sender
 * @access: as it stands in JSON; NULL: leave it out
 *
 * Return: on the heap.
 */
char *pair_params(const struct pair *pair, unsigned count, const char *type, uint32_t granted,
                  const char *access);

/** pair_send() - send @count new events to user/a, without running. Return: the request's id. */
uint32_t pair_send(const struct pair *pair, unsigned count);

#endif
