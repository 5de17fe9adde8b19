#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hbk_findings_add(struct hbk_findings *findings, uint32_t line, const char *key,
                      const char *format, ...)
{
    char detail[HBK_FINDING_BYTES_MAX];

    findings->count++;
    if (findings->kept_count == HBK_FINDINGS_MAX) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    HBK_ASSERT(size >= 0);
    size_t key_size = strlen(key) + 1, detail_size = strlen(detail) + 1;
    char *block = malloc(key_size + detail_size);
    if (block == NULL) {
        return; /* it is counted alone */
    }
    memcpy(block, key, key_size);
    memcpy(block + key_size, detail, detail_size);
    findings->kept[findings->kept_count++] = (struct hbk_finding){
        .line = line,
        .order = (uint32_t)findings->count,
        .key = block,
        .detail = block + key_size,
    };
}

static int compare(const void *a, const void *b)
{
    const struct hbk_finding *first = a, *second = b;
    if (first->line != second->line) {
        return first->line < second->line ? -1 : 1;
    }
    return first->order < second->order ? -1 : first->order > second->order;
}

void hbk_findings_sort(struct hbk_findings *findings)
{
    qsort(findings->kept, findings->kept_count, sizeof(findings->kept[0]), compare);
}

void hbk_findings_clear(struct hbk_findings *findings)
{
    for (size_t i = 0; i < findings->kept_count; i++) {
        free(findings->kept[i].key);
    }
    *findings = (struct hbk_findings){.count = 0};
}

static void append(struct hbk_buffer *text, const char *string)
{
    hbk_buffer_append(text, string, strlen(string));
}

void hbk_findings_tell(struct hbk_findings *findings, const char *name, struct hbk_buffer *text)
{
    size_t untold = findings->count - findings->kept_count;
    char number[64];

    hbk_findings_sort(findings);
    for (size_t i = 0; i < findings->kept_count; i++) {
        const struct hbk_finding *finding = &findings->kept[i];
        append(text, name);
        append(text, ": ");
        if (finding->line != 0) {
            (void)snprintf(number, sizeof(number), "line %lu: ", (unsigned long)finding->line);
            append(text, number);
        }
        if (finding->key[0] != '\0') {
            append(text, finding->key);
            append(text, ": ");
        }
        append(text, finding->detail);
        append(text, "\n");
    }
    if (untold > 0) {
        (void)snprintf(number, sizeof(number), ": and %lu more mistakes\n", (unsigned long)untold);
        append(text, name);
        append(text, number);
    }
    hbk_findings_clear(findings);
}
