/* What a client may write as a descriptor. The grammar of Windows is larger, takes names of accounts (which it
 * looks up in a directory, and waits), conditions, and spellings that two readers may take in two ways: here
 * is the part that a list of who may send needs. */
#include "policy.h"

#include <string.h>

struct reader {
    const char *at, *end;
    const char *fault;
};

static bool looking_at(const struct reader *reader, const char *text)
{
    size_t size = strlen(text);

    return (size_t)(reader->end - reader->at) >= size && memcmp(reader->at, text, size) == 0;
}

static bool skip(struct reader *reader, const char *text)
{
    if (!looking_at(reader, text)) {
        return false;
    }
    reader->at += strlen(text);
    return true;
}

static bool fail(struct reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

static bool expect(struct reader *reader, const char *text, const char *fault)
{
    return skip(reader, text) || fail(reader, fault);
}

static int digit_of(char byte, unsigned base)
{
    int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                             : -1;

    return digit < (int)base ? digit : -1;
}

/* Digits up to @max. A leading zero would be octal to some: it is refused. */
static bool read_digits(struct reader *reader, unsigned base, uint64_t max, uint64_t *ret_value)
{
    const char *start = reader->at;
    uint64_t value = 0;

    HBK_ASSERT(max < UINT64_MAX / 16);
    while (reader->at < reader->end && digit_of(*reader->at, base) >= 0) {
        value = value * base + (uint64_t)digit_of(*reader->at, base);
        if (value > max) {
            return false;
        }
        reader->at++;
    }
    if (reader->at == start || (base == 10 && *start == '0' && reader->at - start > 1)) {
        reader->at = start;
        return false;
    }
    *ret_value = value;
    return true;
}

static bool read_rights(struct reader *reader)
{
    static const char wrong[] = "rights are GA or a number of the bits 0x7f: open 0x1, send 0x2";
    uint64_t mask = 0;
    bool hex;

    if (skip(reader, "GA")) {
        return true;
    }
    hex = skip(reader, "0x");
    if (!read_digits(reader, hex ? 16 : 10, HBK_RIGHTS_ALL, &mask) || mask == 0) {
        return fail(reader, wrong);
    }
    return true;
}

/* S-1-AUTHORITY-SUB…, all decimal, 1 to 15 of the latter. */
static bool read_sid(struct reader *reader)
{
    static const char *const known[] = {"WD", "AU", "SY", "BA", "IU", "AC"};
    static const char wrong[] = "a SID is S-1-5-... in decimal, or one of WD AU SY BA IU AC";
    uint64_t number;
    size_t count = 0;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (skip(reader, known[i])) {
            return true;
        }
    }
    if (!skip(reader, "S-1-") || !read_digits(reader, 10, 0xFFFFFFFFFFFFu, &number)) {
        return fail(reader, wrong);
    }
    while (skip(reader, "-")) {
        if (++count > 15 || !read_digits(reader, 10, UINT32_MAX, &number)) {
            return fail(reader, wrong);
        }
    }
    return count > 0 || fail(reader, wrong);
}

static bool read_entry(struct reader *reader)
{
    if (!expect(reader, "(", "an entry is (A;;RIGHTS;;;SID)")) {
        return false;
    }
    if (!skip(reader, "A;") && !skip(reader, "D;")) {
        return fail(reader, "entries are of type A (allow) or D (deny), with no conditions");
    }
    return expect(reader, ";", "an entry has no flags here: write (A;;RIGHTS;;;SID)") &&
           read_rights(reader) &&
           expect(reader, ";;;", "an entry names no objects here: write (A;;RIGHTS;;;SID)") &&
           read_sid(reader) && expect(reader, ")", "an entry ends with ) after its SID");
}

static bool read_flags(struct reader *reader)
{
    static const char *const flags[] = {"P", "AI", "AR"};
    bool seen[3] = {false, false, false};

    while (reader->at < reader->end && *reader->at != '(') {
        size_t i = 0;

        while (i < 3 && (seen[i] || !looking_at(reader, flags[i]))) {
            i++;
        }
        if (i == 3) {
            return fail(reader, "flags after D: are P, AI and AR, each once; then entries follow");
        }
        seen[i] = true;
        (void)skip(reader, flags[i]);
    }
    return true;
}

const char *hbk_sddl_check(struct hbk_text sddl, size_t *ret_offset)
{
    struct reader reader = {.at = sddl.data, .end = sddl.data, .fault = NULL};

    HBK_ASSERT(sddl.data != NULL);
    reader.end += sddl.size;
    if (sddl.size > HBK_SDDL_BYTES_MAX) {
        (void)fail(&reader, "it is longer than 2048 bytes");
    } else if (expect(&reader, "D:", "it begins with D: and has nothing but a DACL") &&
               read_flags(&reader)) {
        do {
            if (!read_entry(&reader)) {
                break;
            }
        } while (reader.at < reader.end);
    }
    if (reader.fault != NULL && ret_offset != NULL) {
        *ret_offset = (size_t)(reader.at - sddl.data);
    }
    return reader.fault;
}
