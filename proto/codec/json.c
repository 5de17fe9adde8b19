#include "json.h"

#include <string.h>

/* A limit as text. */
#define DIGITS_OF(number) #number
#define DIGITS(limit) DIGITS_OF(limit)

#define NO_KEY SIZE_MAX

/* A key that was seen: where it stands between its quotes, and a hash of what it means. */
struct key {
    const uint8_t *bytes;
    size_t size;
    uint32_t hash;
};

struct level {
    bool object;
    uint32_t members;
    struct key keys[HBK_JSON_MEMBERS_MAX]; /* of an object; the first `members` of them are set */
};

struct scan {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    uint32_t *lines; /* of a file: where the line of each value goes; NULL: this is a line */
    size_t key_at;   /* of the member whose value comes next; NO_KEY: it is no member */
    size_t line_at;  /* up to where the lines before were counted … */
    uint32_t line;   /* … and how many there are up to there, from 1 */
    uint32_t values, values_max;
    uint32_t depth; /* levels open */
    struct level levels[HBK_JSON_DEPTH_MAX];
    struct hbk_error *error;
};

/* What the grammar allows next. */
enum state {
    STATE_VALUE,
    STATE_FIRST, /* the container's first value or key, or its end */
    STATE_KEY,
    STATE_AFTER, /* a value has ended: a comma, or the container's end */
    STATE_DONE,
    STATE_REFUSED
};

/* The line of a file in which the byte at @at stands; not before one that was asked about. */
static uint32_t line_of(struct scan *scan, size_t at)
{
    HBK_ASSERT(at <= scan->size);
    for (; scan->line_at < at; scan->line_at++)
        scan->line += scan->bytes[scan->line_at] == '\n';
    return scan->line;
}

static size_t column_of(const struct scan *scan, size_t at)
{
    size_t column = 1;

    while (column <= at && scan->bytes[at - column] != '\n')
        column++;
    return column;
}

static enum state refuse(struct scan *scan, size_t at, const char *what)
{
    if (scan->lines != NULL)
        hbk_error_set(scan->error, HBK_R_PARSE_ERROR, "line %lu: column %zu: %s",
                      (unsigned long)line_of(scan, at), column_of(scan, at), what);
    else
        hbk_error_set(scan->error, HBK_R_PARSE_ERROR, "at byte %zu: %s", at, what);
    return STATE_REFUSED;
}

/* The byte at hand; at the end a byte that no grammar wants. */
static uint8_t peek(const struct scan *scan)
{
    return scan->at < scan->size ? scan->bytes[scan->at] : 0;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->size) {
        const uint8_t byte = scan->bytes[scan->at];
        const bool line_end = byte == '\t' || byte == '\n' || byte == '\r';

        if (byte != ' ' && !(line_end && scan->lines != NULL))
            return;
        scan->at++;
    }
}

/* Refuses the byte at hand, where @expected should stand. */
static enum state refuse_byte(struct scan *scan, const char *expected)
{
    const uint8_t byte = peek(scan);

    if (scan->at == scan->size)
        return refuse(scan, scan->at, "the text ends in the middle");
    if (byte == '\r') /* in a file it is a blank, and was skipped */
        return refuse(scan, scan->at, "a carriage return; end lines with LF alone");
    if (byte == '\t' || byte == '\n')
        return refuse(scan, scan->at, "a tab or line feed; blanks in a line are spaces");
    if (byte < 0x20)
        return refuse(scan, scan->at, "a control byte");
    return refuse(scan, scan->at, expected);
}

/* ---- strings ---- */

static int hex_value(uint8_t byte)
{
    if (is_digit(byte))
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* The four hexadecimal digits at @bytes, which has @left bytes; -1 if they are none. */
static int32_t hex4(const uint8_t *bytes, size_t left)
{
    int32_t value = 0;

    if (left < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        const int digit = hex_value(bytes[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At the `u` of an escape. */
static enum state scan_unicode_escape(struct scan *scan)
{
    const size_t start = scan->at - 1;
    const int32_t unit = hex4(scan->bytes + scan->at + 1, scan->size - scan->at - 1);
    int32_t low = -1;

    if (unit < 0)
        return refuse(scan, start, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return refuse(scan, start, "U+0000 is not allowed");
    scan->at += 5;
    if (unit < 0xD800 || unit > 0xDFFF)
        return STATE_AFTER;
    if (unit <= 0xDBFF && scan->size - scan->at >= 6 && scan->bytes[scan->at] == '\\' &&
        scan->bytes[scan->at + 1] == 'u')
        low = hex4(scan->bytes + scan->at + 2, scan->size - scan->at - 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse(scan, start, "half of a surrogate pair");
    scan->at += 6;
    return STATE_AFTER;
}

/* At the opening quote; leaves behind the closing one. */
static enum state scan_string(struct scan *scan)
{
    const size_t start = scan->at++;

    for (;;) {
        const uint8_t byte = peek(scan);

        if (scan->at == scan->size)
            return refuse(scan, start, "a string without its closing quote");
        if (byte < 0x20)
            return refuse(scan, scan->at, "a control byte in a string; escape it");
        scan->at++;
        if (byte == '"')
            return STATE_AFTER;
        if (byte != '\\')
            continue;
        if (peek(scan) == 'u') {
            if (scan_unicode_escape(scan) == STATE_REFUSED)
                return STATE_REFUSED;
            continue;
        }
        if (peek(scan) == 0 || strchr("\"\\/bfnrt", peek(scan)) == NULL)
            return refuse(scan, scan->at - 1, "no such escape");
        scan->at++;
    }
}

/* The next character of a string that was scanned, unescaped. */
static uint32_t next_character(const uint8_t **bytes)
{
    const uint8_t *p = *bytes;
    uint32_t character = *p++;

    if (character == '\\' && *p == 'u') {
        character = (uint32_t)hex4(p + 1, 4);
        p += 5;
        if (character >= 0xD800 && character <= 0xDBFF) {
            const uint32_t low = (uint32_t)hex4(p + 2, 4);

            character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
            p += 6;
        }
    } else if (character == '\\') {
        static const char escapes[] = "\"\\/bfnrt";
        static const char meanings[] = "\"\\/\b\f\n\r\t";

        character = (uint8_t)meanings[strchr(escapes, *p++) - escapes];
    } else if (character >= 0x80) {
        const int more = character >= 0xF0 ? 3 : character >= 0xE0 ? 2 : 1;

        character &= 0x3Fu >> more;
        for (int i = 0; i < more; i++)
            character = character << 6 | (*p++ & 0x3Fu);
    }
    *bytes = p;
    return character;
}

static struct key make_key(const uint8_t *bytes, size_t size)
{
    struct key key = {bytes, size, 2166136261u}; /* FNV-1a, by characters */
    const uint8_t *const end = bytes + size;

    while (bytes < end)
        key.hash = (key.hash ^ next_character(&bytes)) * 16777619u;
    return key;
}

static bool same_key(const struct key *a, const struct key *b)
{
    const uint8_t *pa = a->bytes;
    const uint8_t *pb = b->bytes;

    if (a->hash != b->hash)
        return false;
    while (pa < a->bytes + a->size && pb < b->bytes + b->size) {
        if (next_character(&pa) != next_character(&pb))
            return false;
    }
    return pa == a->bytes + a->size && pb == b->bytes + b->size;
}

/* ---- values ---- */

static enum state scan_number(struct scan *scan)
{
    const size_t start = scan->at;
    size_t digits;

    if (peek(scan) == '-')
        scan->at++;
    digits = scan->at;
    while (is_digit(peek(scan)))
        scan->at++;
    digits = scan->at - digits;
    if (digits == 0)
        return refuse(scan, start, "a number without digits");
    if (scan->bytes[scan->at - digits] == '0' && (digits > 1 || scan->bytes[start] == '-'))
        return refuse(scan, start, "a number with a leading zero, or -0");
    if (digits > HBK_JSON_DIGITS_MAX)
        return refuse(scan, start, "a number of more than " DIGITS(HBK_JSON_DIGITS_MAX) " digits");
    if (peek(scan) == '.' || peek(scan) == 'e' || peek(scan) == 'E')
        return refuse(scan, start, "a number with a fraction or exponent; only integers are used");
    return STATE_AFTER;
}

static enum state scan_word(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t size = strlen(words[i]);

        if (scan->size - scan->at >= size && memcmp(scan->bytes + scan->at, words[i], size) == 0) {
            scan->at += size;
            return STATE_AFTER;
        }
    }
    return refuse_byte(scan, "this is no JSON value");
}

static enum state scan_container(struct scan *scan)
{
    struct level *level;

    if (scan->depth == HBK_JSON_DEPTH_MAX)
        return refuse(scan, scan->at,
                      "objects and arrays more than " DIGITS(HBK_JSON_DEPTH_MAX) " deep");
    level = &scan->levels[scan->depth++];
    level->object = peek(scan) == '{';
    level->members = 0;
    scan->at++;
    return STATE_FIRST;
}

static enum state scan_value(struct scan *scan)
{
    const uint8_t byte = peek(scan);

    if (scan->values == scan->values_max)
        return refuse(scan, scan->at,
                      scan->lines != NULL ? "more than " DIGITS(HBK_JSON_FILE_VALUES_MAX) " values"
                                          : "more than " DIGITS(HBK_JSON_VALUES_MAX) " values");
    if (scan->lines != NULL)
        scan->lines[scan->values] = line_of(scan, scan->key_at != NO_KEY ? scan->key_at : scan->at);
    scan->key_at = NO_KEY;
    scan->values++;
    if (byte == '"')
        return scan_string(scan);
    if (byte == '{' || byte == '[')
        return scan_container(scan);
    if (byte == '-' || is_digit(byte))
        return scan_number(scan);
    return scan_word(scan);
}

static enum state scan_key(struct scan *scan)
{
    struct level *level = &scan->levels[scan->depth - 1];
    const size_t start = scan->at;
    struct key key;

    if (peek(scan) != '"')
        return refuse_byte(scan, "a key in double quotes should stand here");
    if (level->members == HBK_JSON_MEMBERS_MAX)
        return refuse(scan, start,
                      "an object of more than " DIGITS(HBK_JSON_MEMBERS_MAX) " members");
    if (scan_string(scan) == STATE_REFUSED)
        return STATE_REFUSED;
    if (scan->lines == NULL) { /* who reads a file can say where the other one stands */
        key = make_key(scan->bytes + start + 1, scan->at - start - 2);
        for (uint32_t i = 0; i < level->members; i++) {
            if (same_key(&level->keys[i], &key))
                return refuse(scan, start, "the same key twice in one object");
        }
        level->keys[level->members] = key;
    }
    level->members++;
    scan->key_at = start;
    skip_blanks(scan);
    if (peek(scan) != ':')
        return refuse_byte(scan, "a colon should follow the key");
    scan->at++;
    return STATE_VALUE;
}

/* At a comma or the end of the innermost container. */
static enum state scan_after(struct scan *scan)
{
    const struct level *level;

    if (scan->depth == 0)
        return STATE_DONE;
    level = &scan->levels[scan->depth - 1];
    if (peek(scan) == ',') {
        scan->at++;
        return level->object ? STATE_KEY : STATE_VALUE;
    }
    if (peek(scan) != (level->object ? '}' : ']'))
        return refuse_byte(scan, level->object ? "a comma or } should stand here"
                                               : "a comma or ] should stand here");
    scan->at++;
    scan->depth--;
    return STATE_AFTER;
}

static enum state scan_first(struct scan *scan)
{
    const bool object = scan->levels[scan->depth - 1].object;

    if (peek(scan) == (object ? '}' : ']'))
        return STATE_AFTER; /* which takes the bracket */
    return object ? STATE_KEY : STATE_VALUE;
}

static enum state scan_start(struct scan *scan)
{
    const size_t bad = hbk_utf8_check(scan->bytes, scan->size);

    if (bad < scan->size)
        return refuse(scan, bad, "not valid UTF-8");
    if (scan->size >= 3 && memcmp(scan->bytes, "\xEF\xBB\xBF", 3) == 0)
        return refuse(scan, 0,
                      scan->lines != NULL ? "a byte order mark; save as UTF-8 without one"
                                          : "a byte order mark; send UTF-8 without one");
    skip_blanks(scan);
    if (scan->at == scan->size)
        return refuse(scan, scan->at,
                      scan->lines != NULL
                          ? "nothing here; a JSON object should stand here, {} at least"
                          : "nothing here; send one JSON object a line");
    if (peek(scan) == '[' && scan->lines == NULL)
        return refuse(scan, scan->at,
                      "an array; send requests one by one, each an object on its line");
    if (peek(scan) != '{')
        return refuse_byte(scan, "this is no JSON object");
    return STATE_VALUE;
}

/* @scan: bytes, size, lines, values_max and error are set. */
static int run(struct scan *scan)
{
    enum state state;

    scan->at = 0;
    scan->key_at = NO_KEY;
    scan->line_at = 0;
    scan->line = 1;
    scan->values = 0;
    scan->depth = 0;
    for (state = scan_start(scan); state != STATE_DONE && state != STATE_REFUSED;) {
        skip_blanks(scan);
        switch (state) {
        case STATE_VALUE:
            state = scan_value(scan);
            break;
        case STATE_FIRST:
            state = scan_first(scan);
            break;
        case STATE_KEY:
            state = scan_key(scan);
            break;
        default:
            HBK_ASSERT(state == STATE_AFTER);
            state = scan_after(scan);
            break;
        }
    }
    if (state == STATE_DONE && scan->at < scan->size)
        state = refuse_byte(scan, scan->lines != NULL
                                      ? "something follows the object; there must be one alone"
                                      : "something follows the object; send one object a line");
    return state == STATE_DONE ? 0 : HBK_JSON_E_REFUSED;
}

int hbk_json_check(struct hbk_text text, struct hbk_error *ret_error)
{
    struct scan scan; /* the levels are set when they are entered */

    scan.bytes = (const uint8_t *)text.data;
    scan.size = text.size;
    scan.lines = NULL;
    scan.values_max = HBK_JSON_VALUES_MAX;
    scan.error = ret_error;
    return run(&scan);
}

int hbk_json_check_file(struct hbk_text text, uint32_t *ret_lines, struct hbk_error *ret_error)
{
    struct scan scan;

    HBK_ASSERT(ret_lines != NULL);
    scan.bytes = (const uint8_t *)text.data;
    scan.size = text.size;
    scan.lines = ret_lines;
    scan.values_max = HBK_JSON_FILE_VALUES_MAX;
    scan.error = ret_error;
    return run(&scan);
}
