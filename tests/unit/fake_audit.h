/* The fake's side of records: what the audit file and the operator's log were given. */
#ifndef FAKE_AUDIT_H
#define FAKE_AUDIT_H

#include "base.h"
#include "platform.h"

enum { FAKE_NOTICES_MAX = 512, FAKE_TEXT_BYTES = 256 };

struct fake_notice {
    enum hbk_notice_kind kind;
    uint64_t count;
    uint32_t pid, win32;
    uint64_t correlation;
    char user[FAKE_TEXT_BYTES], event[FAKE_TEXT_BYTES], name[FAKE_TEXT_BYTES],
        error[FAKE_TEXT_BYTES], detail[FAKE_TEXT_BYTES];
};

struct fake_audit {
    bool full;               /* the file takes no more */
    bool forgets;            /* what it takes is counted, and not kept */
    uint64_t built;          /* records: each asks for the time of day once */
    uint64_t refused_lines;  /* that found it full */
    struct hbk_buffer lines; /* taken by the file */
    size_t lines_count;
    struct fake_notice notices[FAKE_NOTICES_MAX];
    size_t notices_count;
    uint64_t sent_done; /* records of a hand-off that was told, taken or not */
};

struct fake_kernel;

/** fake_audit_install() - the three operations, into @platform. */
void fake_audit_install(struct hbk_platform *platform);
/** fake_audit_clear() - forget what was taken. */
void fake_audit_clear(struct fake_kernel *kernel);
void fake_audit_free(struct fake_kernel *kernel);

#endif
