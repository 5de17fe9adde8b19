/* What a client may write as a descriptor: hbk_sddl_check() beside a second reader that cuts the text at its
 * parentheses and semicolons first and then looks at the parts. */
#include "fuzz.h"
#include "policy.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 6, SUBAUTHORITIES_MAX = 15 };

static bool all_of(const char *text, const char *bytes)
{
    return *text != '\0' && strspn(text, bytes) == strlen(text);
}

/* Digits of @base that are at most @max, with no zero in front of decimal ones. */
static bool is_number(const char *text, int base, unsigned long long max,
                      unsigned long long *ret_value)
{
    const char *zeros = text + strspn(text, "0");

    if (!all_of(text, base == 16 ? "0123456789abcdefABCDEF" : "0123456789"))
        return false;
    if (base == 10 && text[0] == '0' && text[1] != '\0')
        return false;
    if (strlen(zeros) > 15) /* more than any that is allowed, and less than what overflows */
        return false;
    *ret_value = strtoull(text, NULL, base);
    return *ret_value <= max;
}

static bool is_rights(const char *text)
{
    unsigned long long value = 0;

    if (strcmp(text, "GA") == 0)
        return true;
    if (strncmp(text, "0x", 2) == 0)
        return is_number(text + 2, 16, HBK_RIGHTS_ALL, &value) && value != 0;
    return is_number(text, 10, HBK_RIGHTS_ALL, &value) && value != 0;
}

static bool is_sid(char *text)
{
    unsigned long long value;
    int count = 0;

    if (strlen(text) == 2)
        return strstr("WD AU SY BA IU AC", text) != NULL && strchr(text, ' ') == NULL;
    if (strncmp(text, "S-1-", 4) != 0)
        return false;
    for (char *part = text + 4; part != NULL; count++) {
        char *dash = strchr(part, '-');

        if (dash != NULL)
            *dash = '\0';
        if (!is_number(part, 10, count ? UINT32_MAX : 0xFFFFFFFFFFFFu, &value))
            return false;
        part = dash ? dash + 1 : NULL;
    }
    return count >= 2 && count <= 1 + SUBAUTHORITIES_MAX;
}

/* What stands between two parentheses. */
static bool is_entry(char *text)
{
    char *parts[PARTS];
    size_t count = 0;

    for (char *part = text; part != NULL; count++) {
        char *semicolon = strchr(part, ';');

        if (count == PARTS)
            return false;
        if (semicolon != NULL)
            *semicolon = '\0';
        parts[count] = part;
        part = semicolon ? semicolon + 1 : NULL;
    }
    return count == PARTS && (strcmp(parts[0], "A") == 0 || strcmp(parts[0], "D") == 0) &&
           parts[1][0] == '\0' && is_rights(parts[2]) && parts[3][0] == '\0' &&
           parts[4][0] == '\0' && is_sid(parts[5]);
}

static bool is_flags(const char *text)
{
    static const char *const orders[] = {"",      "P",     "AI",    "AR",   "PAI",   "PAR",
                                         "AIP",   "ARP",   "AIAR",  "ARAI", "PAIAR", "PARAI",
                                         "AIPAR", "ARPAI", "AIARP", "ARAIP"};

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(text, orders[i]) == 0)
            return true;
    }
    return false;
}

/* @text is taken apart. */
static bool is_descriptor(char *text)
{
    char *entry = strchr(text, '(');

    if (strncmp(text, "D:", 2) != 0 || entry == NULL)
        return false;
    *entry = '\0';
    if (!is_flags(text + 2))
        return false;
    for (;;) {
        char *end = strchr(++entry, ')');

        if (end == NULL)
            return false;
        *end = '\0';
        if (!is_entry(entry))
            return false;
        if (end[1] == '\0')
            return true;
        if (end[1] != '(')
            return false;
        entry = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char copy[HBK_SDDL_BYTES_MAX + 1];
    size_t offset = SIZE_MAX;
    const char *fault =
        hbk_sddl_check((struct hbk_text){size ? (const char *)data : "", size}, &offset);
    bool taken = size <= HBK_SDDL_BYTES_MAX && memchr(data, '\0', size) == NULL;

    if (taken) {
        memcpy(copy, data, size);
        copy[size] = '\0';
        taken = is_descriptor(copy);
    }
    HBK_ASSERT(taken == (fault == NULL));
    HBK_ASSERT(fault == NULL ? offset == SIZE_MAX : offset <= size && fault[0] != '\0');
    return 0;
}
