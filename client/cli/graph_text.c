/* Texts of a graph: what nodes and edges are called, and how somebody else's text gets into a document without
 * becoming a part of it. */
#include "graph.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

/* ---- characters ---- */

/* Return: the bytes of the character that begins with @byte; 0: none does. */
static size_t size_of(unsigned char byte)
{
    if (byte < 0x80)
        return 1;
    if (byte >= 0xC2 && byte < 0xE0)
        return 2;
    if (byte >= 0xE0 && byte < 0xF0)
        return 3;
    return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

static bool steers(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
           (character >= 0xD800 && character < 0xE000) || /* halves of surrogate pairs */
           (character & 0xFFFEu) == 0xFFFEu || (character >= 0xFDD0 && character < 0xFDF0) ||
           character == 0x061C || character == 0x200E || character == 0x200F ||
           character == 0x2028 || character == 0x2029 ||
           (character >= 0x202A && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069) || character > 0x10FFFF;
}

uint32_t graph_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t size = size_of(at[0]);
    uint32_t character = size < 2 ? at[0] : at[0] & (0xFFu >> (size + 1));

    ++*text;
    if (size == 0)
        return REPLACEMENT;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return REPLACEMENT; /* a NUL too */
        character = character << 6 | (at[i] & 0x3Fu);
    }
    *text += size - 1;
    return character < least[size] || steers(character) ? REPLACEMENT : character;
}

static size_t columns_of(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                {0xF900, 0xFAFF}, {0xFE30, 0xFE4F},   {0xFF00, 0xFF60},
                {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        if (character >= wide[i].first && character <= wide[i].last)
            return 2;
    }
    return 1;
}

size_t graph_columns(const char *text)
{
    size_t columns = 0;
    while (*text != '\0')
        columns += columns_of(graph_character(&text));
    return columns;
}

static void put_utf8(FILE *file, uint32_t character)
{
    if (character < 0x80) {
        fputc((int)character, file);
    } else if (character < 0x800) {
        fputc((int)(0xC0 | character >> 6), file);
        fputc((int)(0x80 | (character & 0x3F)), file);
    } else {
        if (character < 0x10000) {
            fputc((int)(0xE0 | character >> 12), file);
        } else {
            fputc((int)(0xF0 | character >> 18), file);
            fputc((int)(0x80 | (character >> 12 & 0x3F)), file);
        }
        fputc((int)(0x80 | (character >> 6 & 0x3F)), file);
        fputc((int)(0x80 | (character & 0x3F)), file);
    }
}

/* ---- into documents ---- */

static void put_xml(FILE *file, uint32_t character)
{
    switch (character) {
    case '&':
        fputs("&amp;", file);
        break;
    case '<':
        fputs("&lt;", file);
        break;
    case '>':
        fputs("&gt;", file);
        break;
    case '"':
        fputs("&quot;", file);
        break;
    case '\'':
        fputs("&#39;", file);
        break;
    default:
        put_utf8(file, character);
    }
}

/* Graphviz takes a label's entities for what they stand for, and its backslashes for escapes. */
static void put_dot(FILE *file, uint32_t character)
{
    if (character == '\\')
        fputs("\\\\", file);
    else
        put_xml(file, character);
}

static void put_text(FILE *file, const char *text, size_t columns,
                     void (*put)(FILE *file, uint32_t character))
{
    const bool cut = columns != 0 && graph_columns(text) > columns;
    size_t used = 0;

    while (*text != '\0') {
        const uint32_t character = graph_character(&text);
        used += columns_of(character);
        if (cut && used > columns - 1)
            break;
        put(file, character);
    }
    if (cut)
        put_utf8(file, 0x2026);
}

void graph_xml(FILE *file, const char *text, size_t columns)
{
    put_text(file, text, columns, put_xml);
}

void graph_dot_text(FILE *file, const char *text, size_t columns)
{
    put_text(file, text, columns, put_dot);
}

/* ---- what things are called ---- */

void graph_user(const char *sid, char *ret_text, size_t size)
{
    static const struct {
        const char *sid, *name;
    } known[] = {
        {"S-1-5-18", "SYSTEM"}, {"S-1-5-19", "LOCAL SERVICE"}, {"S-1-5-20", "NETWORK SERVICE"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(sid, known[i].sid) == 0) {
            snprintf(ret_text, size, "%s", known[i].name);
            return;
        }
    }
    const char *last = strrchr(sid, '-');
    if (strncmp(sid, "S-1-5-21-", 9) == 0 && last != NULL && last > sid + 8)
        snprintf(ret_text, size, "S-1-5-21-\xE2\x80\xA6%s", last);
    else
        snprintf(ret_text, size, "%s", sid);
}

void graph_title(const struct graph_node *node, char *ret_text)
{
    if (node->kind == GRAPH_PROCESS && node->name == NULL)
        snprintf(ret_text, GRAPH_TITLE_BYTES, "process %lu", (unsigned long)node->pid);
    else if (node->name != NULL)
        snprintf(ret_text, GRAPH_TITLE_BYTES, "%s", node->name);
    else if (node->entry != 0)
        snprintf(ret_text, GRAPH_TITLE_BYTES, "ticket, entry %llu",
                 (unsigned long long)node->entry);
    else
        snprintf(ret_text, GRAPH_TITLE_BYTES, "tickets");
}

void graph_whose(const struct graph_node *node, char *ret_text)
{
    char user[200] = "";
    if (node->user != NULL)
        graph_user(node->user, user, sizeof user);
    if (node->kind != GRAPH_PROCESS)
        snprintf(ret_text, GRAPH_TITLE_BYTES, "%s%s", node->user != NULL ? "of " : "", user);
    else if (node->name == NULL)
        snprintf(ret_text, GRAPH_TITLE_BYTES, "%s", user); /* its title has the number */
    else
        snprintf(ret_text, GRAPH_TITLE_BYTES, "%lu%s%s", (unsigned long)node->pid,
                 node->user != NULL ? " \xC2\xB7 " : "", user);
}

void graph_types(const struct graph_edge *edge, bool rights, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < edge->types_count && used < size; i++) {
        const struct graph_type *type = &edge->types[i];
        bool again = false; /* without rights the same types are one */
        for (size_t k = 0; k < i && !rights; k++)
            again = again || strcmp(edge->types[k].type, type->type) == 0;
        if (again)
            continue;
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", used != 0 ? ", " : "",
                                 type->type);
        if (rights && used < size)
            used += (size_t)snprintf(ret_text + used, size - used, ":0x%lx",
                                     (unsigned long)type->access);
        if (rights && type->count > 1 && used < size)
            used += (size_t)snprintf(ret_text + used, size - used, " \xC3\x97%llu",
                                     (unsigned long long)type->count);
    }
    if (edge->types_more != 0 && used < size)
        snprintf(ret_text + used, size - used, ", and more");
}

const char *graph_kind_word(enum graph_kind kind)
{
    static const char *const words[] = {"process", "entry", "endpoint"};
    return words[kind];
}

const char *graph_how_word(enum graph_how how)
{
    static const char *const words[] = {"send", "transfer", "put", "get", "revoke"};
    return words[how];
}

const char *graph_outcome_word(enum graph_outcome outcome)
{
    static const char *const words[] = {"done", "pending", "refused"};
    return words[outcome];
}

/* ---- what a document says of itself ---- */

void graph_time(uint64_t unix_ms, char *ret_text, size_t size)
{
    const uint64_t seconds = unix_ms / 1000;
    /* Days since the first of March of the year 0, so that leap days end a year (Hinnant's days_from_civil). */
    const uint64_t days = seconds / 86400 + 719468;
    const uint64_t era = days / 146097, day_of_era = days % 146097;
    const uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint64_t month_at = (5 * day_of_year + 2) / 153;
    const uint64_t day = day_of_year - (153 * month_at + 2) / 5 + 1;
    const uint64_t month = month_at < 10 ? month_at + 3 : month_at - 9;
    const uint64_t year = year_of_era + era * 400 + (month <= 2);

    snprintf(ret_text, size, "%04llu-%02llu-%02llu %02llu:%02llu:%02lluZ", (unsigned long long)year,
             (unsigned long long)month, (unsigned long long)day,
             (unsigned long long)(seconds / 3600 % 24), (unsigned long long)(seconds / 60 % 60),
             (unsigned long long)(seconds % 60));
}

void graph_notes(const struct graph *graph, const struct graph_about *about,
                 void (*tell)(void *context, const char *text), void *context)
{
    char text[256];

    if (about->own)
        tell(context, "Only what concerns its own user is here: it takes the right to inspect to "
                      "see the rest.");
    if (graph->nodes_shown < graph->nodes_count || graph->edges_shown < graph->edges_count) {
        snprintf(text, sizeof text,
                 "%llu of %llu nodes are shown, those with most hand-offs, and %llu of %llu "
                 "hand-offs.",
                 (unsigned long long)graph->nodes_shown, (unsigned long long)graph->nodes_count,
                 (unsigned long long)graph->shares_shown, (unsigned long long)graph->shares);
        tell(context, text);
    }
    if (graph->lost != 0) {
        snprintf(
            text, sizeof text,
            "Hand-offs that were not remembered, as there were %d nodes or %d pairs already: %llu.",
            GRAPH_NODES_MAX, GRAPH_EDGES_MAX, (unsigned long long)graph->lost);
        tell(context, text);
    }
    if (about->malformed != 0) {
        snprintf(text, sizeof text,
                 "Lines that are no records: %llu, the first of them line %llu of its file.",
                 (unsigned long long)about->malformed, (unsigned long long)about->malformed_line);
        tell(context, text);
    }
    if (about->missed != 0) {
        snprintf(text, sizeof text, "Records that are missing, as they came too fast: %llu.",
                 (unsigned long long)about->missed);
        tell(context, text);
    }
}
