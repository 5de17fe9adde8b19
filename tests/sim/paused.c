/* A paused broker: what a pause is to refuse is refused, and nothing else; all that was under way goes on. */
#include "sim.h"

#include <string.h>

bool sim_paused(const struct sim *sim)
{
    return sim->pauses % 2 != 0;
}

void sim_pause(struct sim *sim, bool paused)
{
    if (!sim->stopping && paused != sim_paused(sim))
        ++sim->pauses;
    sim_event(sim, SIM_EV_PAUSES, paused, 0, 0, NULL, 0);
    sim_enter_core(sim);
    hbk_core_pause(sim->core, paused);
    sim_leave_core(sim);
}

static bool begins_anew(enum hbk_method method)
{
    return sim_is_hand_off(method) || method == HBK_METHOD_STORE_PUT;
}

/* It was asked for, and the broker has been paused ever since, or has not been at all. */
static bool all_the_time(const struct sim *sim, const struct sim_request *request, bool paused)
{
    return request->pauses == sim->pauses && sim_paused(sim) == paused;
}

static bool may_look(const struct sim *sim, const struct sim_client *client,
                     const struct sim_request *request)
{
    return sim_may_ever(sim, request->generation, client->identity, HBK_VERB_INSPECT, 0);
}

void sim_pause_holds(struct sim *sim, const struct sim_client *client,
                     const struct sim_request *request)
{
    if (!all_the_time(sim, request, true))
        return;
    if (begins_anew(request->method))
        sim_violation(sim, "paused", "%s of client %u is begun while the broker is paused",
                      hbk_method_name(request->method), client->number);
    if (request->method != HBK_METHOD_SESSION_PROVE)
        return;
    if (!may_look(sim, client, request))
        sim_violation(sim, "paused", "client %u is let in while the broker is paused",
                      client->number);
    sim_outcome(sim, SIM_OUT_PAUSED_IN);
}

/* What is wrong by itself is told as ever. */
static bool wrong_by_itself(int32_t code)
{
    return code == HBK_R_INVALID_REQUEST || code == HBK_R_INVALID_PARAMS ||
           code == HBK_R_BAD_HANDLE || code == HBK_R_NOT_PROVEN || code == HBK_R_INTERNAL_ERROR ||
           code == HBK_R_STOPPING;
}

/* Whoever may look, by all the rules that it may have met, and is asked about without fail. */
static bool must_be_let_in(const struct sim *sim, const struct sim_client *client,
                           const struct sim_request *request)
{
    for (uint32_t at = request->generation; at <= sim->generation; ++at)
        if (!sim_may_inspect(sim_rules_at(sim, at), client->identity))
            return false;
    return sim->swarm.chaos.op_fails == 0;
}

bool sim_pause_refuses(struct sim *sim, struct sim_client *client,
                       const struct sim_request *request, const struct hbk_error *error)
{
    static const char says[] = "the service is paused";
    bool refused = error->code == HBK_R_BUSY && strncmp(error->detail, says, sizeof says - 1) == 0;
    bool prove = request->method == HBK_METHOD_SESSION_PROVE;
    if (!refused) {
        if (begins_anew(request->method) && all_the_time(sim, request, true) &&
            !wrong_by_itself(error->code))
            sim_violation(
                sim, "paused", "%s of client %u is answered %s while the broker is paused",
                hbk_method_name(request->method), client->number, hbk_result_name(error->code));
        return false;
    }
    if (all_the_time(sim, request, false) || !(prove || begins_anew(request->method)))
        sim_violation(sim, "paused", "%s of client %u is refused for a pause",
                      hbk_method_name(request->method), client->number);
    if (prove && must_be_let_in(sim, client, request))
        sim_violation(sim, "paused", "client %u, who may look, is kept out", client->number);
    client->excused |= prove; /* its session ends */
    sim_outcome(sim, prove ? SIM_OUT_PAUSED_OUT : SIM_OUT_PAUSED_BUSY);
    return true;
}
