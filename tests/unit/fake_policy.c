/* The seam's questions of who may do what: answered from tables that the test fills. */
#include "fake_seam.h"

#include "policy.h"
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

struct hbk_descriptor {
    struct fake_kernel *kernel;
    struct hbk_descriptor *next;
    bool freed;
    uint32_t label; /* the least integrity that it lets in; 0: any */
    char text[HBK_SDDL_BYTES_MAX + 1];
};

static void outside(struct fake_kernel *kernel, bool is)
{
    if (kernel->outside)
        kernel->outside(is);
}

static struct hbk_descriptor *descriptor_new(struct fake_kernel *kernel, const char *text,
                                             size_t size)
{
    struct hbk_descriptor *descriptor = calloc(1, sizeof *descriptor);
    assert_non_null(descriptor);
    assert_true(size < sizeof descriptor->text);
    memcpy(descriptor->text, text, size);
    descriptor->kernel = kernel;
    descriptor->next = kernel->policy.descriptors;
    kernel->policy.descriptors = descriptor;
    ++kernel->policy.descriptors_held;
    return descriptor;
}

struct hbk_descriptor *fake_descriptor(struct fake_kernel *kernel, const char *text)
{
    return descriptor_new(kernel, text, strlen(text));
}

void fake_grant(struct fake_kernel *kernel, const char *text, uint32_t pid, uint32_t rights)
{
    struct fake_policy *policy = &kernel->policy;
    for (size_t i = 0; i < policy->grants_count; ++i) {
        if (strcmp(policy->grants[i].text, text) == 0 && policy->grants[i].pid == pid) {
            policy->grants[i].rights = rights;
            return;
        }
    }
    assert_true(policy->grants_count < FAKE_ANSWERS_MAX);
    policy->grants[policy->grants_count].text = text;
    policy->grants[policy->grants_count].pid = pid;
    policy->grants[policy->grants_count++].rights = rights;
}

void fake_may_duplicate(struct fake_kernel *kernel, uint32_t caller, uint32_t target, bool may)
{
    struct fake_policy *policy = &kernel->policy;
    for (size_t i = 0; i < policy->duplicators_count; ++i) {
        if (policy->duplicators[i].caller == caller && policy->duplicators[i].target == target) {
            policy->duplicators[i] = policy->duplicators[--policy->duplicators_count];
            break;
        }
    }
    if (!may)
        return;
    assert_true(policy->duplicators_count < FAKE_ANSWERS_MAX);
    policy->duplicators[policy->duplicators_count].caller = caller;
    policy->duplicators[policy->duplicators_count++].target = target;
}

uint32_t fake_descriptors_held(const struct fake_kernel *kernel)
{
    return kernel->policy.descriptors_held;
}

void fake_policy_free(struct fake_kernel *kernel)
{
    while (kernel->policy.descriptors) {
        struct hbk_descriptor *next = kernel->policy.descriptors->next;
        free(kernel->policy.descriptors);
        kernel->policy.descriptors = next;
    }
}

/* ---- the operations ---- */

static int op_descriptor_new(void *connection, struct hbk_text sddl,
                             struct hbk_descriptor **ret_descriptor,
                             struct hbk_failure *ret_failure)
{
    struct fake_connection *self = connection;
    struct fake_kernel *kernel = self->kernel;
    if (!self->proven)
        fake_violation(kernel, "descriptor_new() for a session that is not proven");
    if (hbk_sddl_check(sddl, NULL))
        fake_violation(kernel, "descriptor_new() of %.*s", (int)sddl.size, sddl.data);
    if (!fake_begin(self, FAKE_OP_DESCRIPTOR_NEW, "descriptor_new", ret_failure))
        return HBK_PLATFORM_FAILED;
    outside(kernel, true);
    *ret_descriptor = descriptor_new(kernel, sddl.data, sddl.size);
    (*ret_descriptor)->label = self->process->token ? self->process->token->integrity : 0;
    outside(kernel, false);
    return 0;
}

static void op_descriptor_free(void *context, struct hbk_descriptor *descriptor)
{
    struct fake_kernel *kernel = context;
    if (!descriptor)
        return;
    if (descriptor->freed)
        fake_violation(kernel, "descriptor_free() of %s, which is freed", descriptor->text);
    descriptor->freed = true;
    --kernel->policy.descriptors_held;
}

static uint32_t op_access_check(void *connection, const struct hbk_descriptor *descriptor,
                                uint32_t wanted)
{
    struct fake_connection *self = connection;
    const struct fake_policy *policy = &self->kernel->policy;
    uint32_t granted = 0;
    if (!self->proven)
        fake_violation(self->kernel, "access_check() for a session that is not proven");
    if (descriptor->freed)
        fake_violation(self->kernel, "access_check() of %s, which is freed", descriptor->text);
    if (wanted == 0 || (wanted & ~(uint32_t)HBK_RIGHTS_ALL))
        fake_violation(self->kernel, "access_check() for 0x%x", wanted);
    if (!fake_begin(self, FAKE_OP_ACCESS_CHECK, "access_check", NULL))
        return 0;
    if (self->process->token)
        return fake_token_grants(self->process->token, descriptor->text, descriptor->label, wanted);
    for (size_t i = 0; i < policy->grants_count; ++i)
        if (strcmp(policy->grants[i].text, descriptor->text) == 0 &&
            (policy->grants[i].pid == 0 || policy->grants[i].pid == self->process->pid))
            granted |= policy->grants[i].rights;
    return granted & wanted;
}

bool fake_may(const struct fake_kernel *kernel, const struct fake_process *caller,
              const struct fake_process *target)
{
    const struct fake_policy *policy = &kernel->policy;
    if (caller->token && target->token)
        return fake_token_may_duplicate(caller->token, target->token);
    for (size_t i = 0; i < policy->duplicators_count; ++i)
        if (policy->duplicators[i].caller == caller->pid &&
            policy->duplicators[i].target == target->pid)
            return true;
    return false;
}

static bool op_may_duplicate(void *caller, void *target)
{
    struct fake_connection *from = caller, *to = target;
    if (!from->proven || !to->proven)
        fake_violation(from->kernel, "may_duplicate() of a session that is not proven");
    if (to->closed || to->released)
        fake_violation(from->kernel, "may_duplicate() into a closed connection");
    if (!fake_begin(from, FAKE_OP_MAY_DUPLICATE, "may_duplicate", NULL))
        return false;
    return fake_may(from->kernel, from->process, to->process);
}

static enum hbk_widenable op_widenable(void *party, hbk_pin id, uint32_t granted, uint32_t given)
{
    struct fake_kernel *kernel = fake_party_use(party, "widenable").kernel;
    const struct fake_pin *pin = fake_pin_find(kernel, id, "widenable");
    const char *type = kernel->objects[pin->object].type;
    if (strcmp(type, "File") == 0)
        fake_violation(kernel, "widenable() of a File");
    if (granted != pin->access || given == granted || (given & ~granted) || given == 0)
        fake_violation(kernel, "widenable() of 0x%x, given 0x%x of 0x%x", pin->access, given,
                       granted);
    if (!fake_begin(party, FAKE_OP_WIDENABLE, "widenable", NULL))
        return HBK_WIDENABLE_UNKNOWN;
    if (kernel->policy.widenable_odd)
        return pin->object % 2 ? HBK_WIDENABLE_YES : HBK_WIDENABLE_NO;
    return kernel->policy.widenable_type && strcmp(kernel->policy.widenable_type, type) == 0
               ? HBK_WIDENABLE_YES
               : HBK_WIDENABLE_NO;
}

void fake_policy_ops(struct hbk_platform *platform)
{
    platform->descriptor_new = op_descriptor_new;
    platform->descriptor_free = op_descriptor_free;
    platform->access_check = op_access_check;
    platform->may_duplicate = op_may_duplicate;
    platform->widenable = op_widenable;
}
