#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hbk_findings_add(struct hbk_findings *findings, uint32_t line, const char *key,
                      const char *format, ...)
{
    char text[HBK_FINDING_BYTES_MAX];
    size_t size = 0;

    findings->count++;
    if (findings->kept_count == HBK_FINDINGS_MAX) {
        return;
    }
    struct hbk_finding *finding = &findings->kept[findings->kept_count];
    if (line != 0) {
        size += (size_t)snprintf(text, sizeof(text), "line %lu: ", (unsigned long)line);
    }
    if (key[0] != '\0') {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s: ", key);
    }
    HBK_ASSERT(size < sizeof(text));
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(text + size, sizeof(text) - size, format, arguments);
    va_end(arguments);
    HBK_ASSERT(added >= 0);
    size = strlen(text);
    finding->text = malloc(size + 1);
    if (finding->text == NULL) {
        return; /* it is counted alone */
    }
    memcpy(finding->text, text, size + 1);
    finding->line = line;
    finding->order = (uint32_t)findings->count;
    findings->kept_count++;
}

static int compare(const void *a, const void *b)
{
    const struct hbk_finding *first = a, *second = b;
    if (first->line != second->line) {
        return first->line < second->line ? -1 : 1;
    }
    return first->order < second->order ? -1 : first->order > second->order;
}

static void append(struct hbk_buffer *text, const char *string)
{
    hbk_buffer_append(text, string, strlen(string));
}

void hbk_findings_tell(struct hbk_findings *findings, const char *name, struct hbk_buffer *text)
{
    size_t untold = findings->count - findings->kept_count;

    qsort(findings->kept, findings->kept_count, sizeof(findings->kept[0]), compare);
    for (size_t i = 0; i < findings->kept_count; i++) {
        append(text, name);
        append(text, ": ");
        append(text, findings->kept[i].text);
        append(text, "\n");
        free(findings->kept[i].text);
    }
    if (untold > 0) {
        char more[64];
        (void)snprintf(more, sizeof(more), ": and %lu more mistakes\n", (unsigned long)untold);
        append(text, name);
        append(text, more);
    }
    *findings = (struct hbk_findings){.count = 0};
}
