#include "fake_platform.h"
#include "test_support.h"

#include <stdio.h>
#include <string.h>

static uint64_t op_unix_ms(void *context)
{
    struct fake_kernel *kernel = context;
    ++kernel->audit.built;
    return 1700000000000u + kernel->now_ms + (uint64_t)kernel->unix_offset_ms;
}

/* The event and its outcome follow two numbers. */
static bool is_sent_done(const char *text, size_t size)
{
    static const char wanted[] = "\"event\":\"handle.send\",\"outcome\":\"done\"";
    const char *end = text + size;
    const char *at = memchr(text, ',', size);
    at = at ? memchr(at + 1, ',', (size_t)(end - at - 1)) : NULL;
    return at && (size_t)(end - at - 1) > sizeof wanted - 1 &&
           memcmp(at + 1, wanted, sizeof wanted - 1) == 0;
}

static bool op_audit_line(void *context, const void *line, size_t size)
{
    struct fake_kernel *kernel = context;
    struct fake_audit *audit = &kernel->audit;
    const char *text = line;
    if (size == 0 || size > HBK_LINE_BYTES_MAX || text[size - 1] != '\n' ||
        memchr(text, '\n', size - 1))
        fake_violation(kernel, "audit_line() of what is not one line");
    audit->sent_done += is_sent_done(text, size);
    if (audit->full) {
        ++audit->refused_lines;
        return false;
    }
    ++audit->lines_count;
    if (audit->forgets)
        return true;
    if (kernel->outside)
        kernel->outside(true);
    hbk_buffer_append(&audit->lines, line, size);
    if (kernel->outside)
        kernel->outside(false);
    return true;
}

static void keep(const struct fake_kernel *kernel, char copy[FAKE_TEXT_BYTES], const char *text)
{
    assert_non_null(text);
    if (strlen(text) >= FAKE_TEXT_BYTES)
        fake_violation(kernel, "a notice with a text of %zu bytes", strlen(text));
    for (const char *at = text; *at; ++at)
        if (*at < 0x20 || *at > 0x7E)
            fake_violation(kernel, "a notice that is not printable ASCII");
    snprintf(copy, FAKE_TEXT_BYTES, "%s", text);
}

static void op_audit_notice(void *context, const struct hbk_notice *notice)
{
    struct fake_kernel *kernel = context;
    struct fake_audit *audit = &kernel->audit;
    struct fake_notice *kept = &audit->notices[audit->notices_count % FAKE_NOTICES_MAX];
    if (notice->kind >= HBK_NOTICE_KIND_COUNT || notice->count == 0)
        fake_violation(kernel, "an ill-formed notice");
    ++audit->notices_count;
    kept->kind = notice->kind;
    kept->count = notice->count;
    kept->pid = notice->pid;
    kept->win32 = notice->win32;
    kept->correlation = notice->correlation;
    keep(kernel, kept->user, notice->user);
    keep(kernel, kept->event, notice->event);
    keep(kernel, kept->name, notice->name);
    keep(kernel, kept->error, notice->error);
    keep(kernel, kept->detail, notice->detail);
}

void fake_audit_install(struct hbk_platform *platform)
{
    platform->unix_ms = op_unix_ms;
    platform->audit_line = op_audit_line;
    platform->audit_notice = op_audit_notice;
}

void fake_audit_clear(struct fake_kernel *kernel)
{
    hbk_buffer_clear(&kernel->audit.lines);
    kernel->audit.lines_count = 0;
    kernel->audit.notices_count = 0;
    kernel->audit.built = 0;
}

void fake_audit_free(struct fake_kernel *kernel)
{
    hbk_buffer_deinit(&kernel->audit.lines);
}
