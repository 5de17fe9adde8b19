/* The operator's rules: from what stands in the configuration file to what the core asks. */
#ifndef HBK_RULES_H
#define HBK_RULES_H

#include "config.h"
#include "findings.h"
#include "policy.h"

/**
 * hbk_rules_new() - the policy that @file says
 * @file:     NULL: no file
 * @findings: gets what is wrong with patterns, types and descriptors
 *
 * The verbs without a name always have a descriptor: where the file is silent the built-in one, for
 * administrators and the system. May ask the account database. Any thread. Return: 0; -1 out of memory.
 */
int hbk_rules_new(const struct hbk_config_file *file, struct hbk_findings *findings,
                  struct hbk_policy **ret_policy);

/** hbk_rules_free() - NULL is accepted. */
void hbk_rules_free(struct hbk_policy *policy);

#endif
