/* A configuration file, judged for who is going to put it in force: every mistake, what it does, and whether the
 * service would believe it. All that hbctl knows of this folder. */
#ifndef HBK_CHECK_H
#define HBK_CHECK_H

#include "findings.h"
#include "trust.h"

enum { HBK_CHECK_NAME_BYTES = 1600 };

enum hbk_check_state {
    HBK_CHECK_MISSING,  /* there is no such file */
    HBK_CHECK_UNREAD,   /* it cannot be opened: `why` */
    HBK_CHECK_MISTAKES, /* `findings` */
    HBK_CHECK_GOOD,     /* `settings` */
};

struct hbk_settings;

struct hbk_check {
    char name[HBK_CHECK_NAME_BYTES]; /* of the file, UTF-8 */
    enum hbk_check_state state;
    bool believed;                 /* by the service, where it is */
    char why[HBK_TRUST_WHY_BYTES]; /* else: why not, and what to do */
    struct hbk_findings findings;
    struct hbk_settings *settings;
};

/**
 * hbk_check_file() - look at a file without a service
 * @path: NULL: the service's own
 *
 * The file is read with the caller's own rights. It is judged by the code that the service reads it with; what
 * depends on the machine (accounts of a domain in descriptors, owners and rights of the file and the
 * folders above it) is as it is here and now. Blocks for the disk, and perhaps for the account
 * database. Any thread. Return: 0, with *ret_check for hbk_check_free(); -1 out of memory.
 */
int hbk_check_file(const wchar_t *path, struct hbk_check *ret_check);

/** hbk_check_print() - on standard output, what a good file puts in force. */
void hbk_check_print(const struct hbk_check *check);

/* What a good file puts in force, in figures. */
struct hbk_check_figures {
    size_t rules;
    bool audit_file, metrics_file;
};

void hbk_check_figures(const struct hbk_check *check, struct hbk_check_figures *ret_figures);

/** hbk_check_limit() - the name of limit @index of a good file, and *ret_value; NULL after the last. */
const char *hbk_check_limit(const struct hbk_check *check, size_t index, uint32_t *ret_value);

/** hbk_check_free() - what @check holds; an all-zero one is accepted, and is left behind. */
void hbk_check_free(struct hbk_check *check);

#endif
