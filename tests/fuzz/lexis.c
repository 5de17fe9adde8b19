#include "lexis.h"

#include <string.h>

struct look {
    struct hbk_text text;
    size_t at;
    uint32_t line;
    struct lexis *lexis;
    uint32_t *lines;
    size_t lines_max;
    bool key_next; /* a string at hand is a key */
    uint32_t key_line;
    uint32_t depth;
    bool objects[LEXIS_DEPTH_MAX];
    uint32_t members[LEXIS_DEPTH_MAX];
};

/* A value begins; @line is its own. */
static void begin_value(struct look *look, uint32_t line)
{
    struct lexis *lexis = look->lexis;

    if (look->lines != NULL && lexis->values < look->lines_max)
        look->lines[lexis->values] = look->key_line ? look->key_line : line;
    look->key_line = 0;
    lexis->values++;
}

static void string(struct look *look)
{
    const char *bytes = look->text.data;

    for (look->at++; bytes[look->at] != '"'; look->at++)
        look->at += bytes[look->at] == '\\';
    look->at++;
    if (!look->key_next) {
        begin_value(look, look->line);
        return;
    }
    look->key_next = false;
    look->key_line = look->line;
    if (++look->members[look->depth - 1] > look->lexis->members)
        look->lexis->members = look->members[look->depth - 1];
}

static void number(struct look *look)
{
    const char *start = look->text.data + look->at;
    size_t size = 0, digits = 0;

    while (look->at + size < look->text.size && strchr("+-.eE0123456789", start[size]) != NULL &&
           start[size] != '\0') {
        digits += start[size] >= '0' && start[size] <= '9';
        look->lexis->no_integer |= strchr(".eE", start[size]) != NULL;
        size++;
    }
    look->lexis->minus_zero |= size == 2 && start[0] == '-' && start[1] == '0';
    look->lexis->too_long |= digits > HBK_JSON_DIGITS_MAX;
    look->at += size;
    begin_value(look, look->line);
}

static void word(struct look *look)
{
    while (look->at < look->text.size && look->text.data[look->at] >= 'a' &&
           look->text.data[look->at] <= 'z')
        look->at++;
    begin_value(look, look->line);
}

static void open_container(struct look *look, bool object)
{
    begin_value(look, look->line);
    HBK_ASSERT(look->depth < LEXIS_DEPTH_MAX);
    look->objects[look->depth] = object;
    look->members[look->depth++] = 0;
    look->key_next = object;
    if (look->depth > look->lexis->depth)
        look->lexis->depth = look->depth;
    look->at++;
}

/* Between values: the ends of containers, commas, colons and blanks. */
static void punctuation(struct look *look, char byte)
{
    look->at++;
    switch (byte) {
    case '}':
    case ']':
        HBK_ASSERT(look->depth > 0);
        look->depth--;
        look->key_next = false;
        break;
    case ',':
        HBK_ASSERT(look->depth > 0);
        look->key_next = look->objects[look->depth - 1];
        break;
    case '\n':
        look->line++;
        look->lexis->blanks = true;
        break;
    case '\t':
    case '\r':
        look->lexis->blanks = true;
        break;
    default:
        HBK_ASSERT(byte == ':' || byte == ' ');
        break;
    }
}

void lexis_scan(struct hbk_text text, struct lexis *ret_lexis, uint32_t *ret_lines,
                size_t lines_max)
{
    struct look look; /* the levels are set when they are opened */

    look.text = text;
    look.at = 0;
    look.line = 1;
    look.lexis = ret_lexis;
    look.lines = ret_lines;
    look.lines_max = lines_max;
    look.key_next = false;
    look.key_line = 0;
    look.depth = 0;
    *ret_lexis = (struct lexis){.object = false};
    while (look.at < text.size) {
        const char byte = text.data[look.at];

        if (ret_lexis->values == 0)
            ret_lexis->object = byte == '{';
        if (byte == '"')
            string(&look);
        else if (byte == '{' || byte == '[')
            open_container(&look, byte == '{');
        else if (byte == '-' || (byte >= '0' && byte <= '9'))
            number(&look);
        else if (byte >= 'a' && byte <= 'z')
            word(&look);
        else
            punctuation(&look, byte);
    }
    HBK_ASSERT(look.depth == 0);
}

bool lexis_strict(const struct lexis *lexis, bool file)
{
    return lexis->object && !lexis->no_integer && !lexis->minus_zero && !lexis->too_long &&
           lexis->depth <= HBK_JSON_DEPTH_MAX && lexis->members <= HBK_JSON_MEMBERS_MAX &&
           lexis->values <= (file ? HBK_JSON_FILE_VALUES_MAX : HBK_JSON_VALUES_MAX) &&
           (file || !lexis->blanks);
}
