/* What hbctl prints: tables for people, JSON for scripts, errors for both. */
#include "hbctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_WIDTH_MIN = 5 }; /* two characters and "..." */

/* Prints the character at *text and moves on. A control character would let who has sent the text
 * steer the console: it becomes a question mark. */
static void print_character(FILE *file, const char **text)
{
    const unsigned char *byte = (const unsigned char *)*text;
    bool control = byte[0] < 0x20 || byte[0] == 0x7F || (byte[0] == 0xC2 && byte[1] < 0xA0);

    if (control)
        fputc('?', file);
    do {
        if (!control)
            fputc((unsigned char)**text, file);
        ++*text;
    } while (((unsigned char)**text & 0xC0) == 0x80);
}

void print_text(FILE *file, const char *text)
{
    while (*text != '\0')
        print_character(file, &text);
}

/* ---- JSON ---- */

/* The bytes of @text without the beginning of a character that was cut off with the rest. */
static size_t whole_size(const char *text)
{
    size_t size = strlen(text), last = size > 0 ? size - 1 : 0;

    while (last > 0 && ((unsigned char)text[last] & 0xC0) == 0x80)
        last--;
    unsigned char byte = (unsigned char)text[last];
    size_t needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return size - last < needed ? last : size;
}

static void write_string(FILE *file, const char *text)
{
    const char *end = text + whole_size(text);

    fputc('"', file);
    for (; text < end; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(file, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(file, "\\u%04x", byte);
        else
            fputc(byte, file);
    }
    fputc('"', file);
}

static void write_key(struct json *json, const char *key)
{
    if (json->comma)
        fputc(',', json->file);
    json->comma = true;
    if (key != NULL) {
        write_string(json->file, key);
        fputc(':', json->file);
    }
}

void json_begin(struct json *json, FILE *file)
{
    json->file = file;
    json->comma = false;
    json_open(json, NULL, '{');
}

void json_end(struct json *json)
{
    json_close(json, '}');
    fputc('\n', json->file);
    fflush(json->file);
}

void json_open(struct json *json, const char *key, char bracket)
{
    write_key(json, key);
    fputc(bracket, json->file);
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    fputc(bracket, json->file);
    json->comma = true;
}

void json_text(struct json *json, const char *key, const char *value)
{
    write_key(json, key);
    if (value != NULL)
        write_string(json->file, value);
    else
        fputs("null", json->file);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
    write_key(json, key);
    fprintf(json->file, "%llu", (unsigned long long)value);
}

void json_decimal(struct json *json, const char *key, double value)
{
    write_key(json, key);
    fprintf(json->file, "%.3f", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    write_key(json, key);
    fputs(value ? "true" : "false", json->file);
}

/* ---- tables ---- */

void table_begin(struct table *table, size_t columns, const char *const *headings)
{
    table->columns = columns;
    table->rows = 0;
    table->cells = NULL;
    table->failed = false;
    table_row(table, headings);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void table_row(struct table *table, const char *const *cells)
{
    size_t used = table->rows * table->columns;

    if (table->failed)
        return;
    char **larger = realloc(table->cells, (used + table->columns) * sizeof larger[0]);
    if (larger == NULL) {
        table->failed = true;
        return;
    }
    table->cells = larger;
    for (size_t i = 0; i < table->columns; i++) {
        larger[used + i] = copy_text(cells[i]);
        table->failed = table->failed || larger[used + i] == NULL;
    }
    table->rows++;
}

/* Characters, as far as a console is concerned: bytes that begin one. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* Prints @text in @width columns, at least CELL_WIDTH_MIN if it does not fit. Return: the columns that it took. */
static size_t print_cut(FILE *file, const char *text, size_t width)
{
    size_t printed = 0;
    bool fits = width_of(text) <= width;
    size_t room = fits ? width : width - 3;

    for (; *text != '\0' && (fits || printed < room); printed++)
        print_character(file, &text);
    if (!fits) {
        fputs("...", file);
        printed += 3;
    }
    return printed;
}

/* Takes from the widest columns until all fit into @limit with two blanks between them. */
static void fit(size_t *widths, size_t columns, size_t limit)
{
    size_t total = columns > 0 ? 2 * (columns - 1) : 0;

    for (size_t i = 0; i < columns; i++)
        total += widths[i];
    for (; total > limit; total--) {
        size_t widest = 0;
        for (size_t i = 1; i < columns; i++)
            widest = widths[i] > widths[widest] ? i : widest;
        if (widths[widest] <= CELL_WIDTH_MIN)
            return;
        widths[widest]--;
    }
}

static void print_row(const struct table *table, FILE *file, size_t row, const size_t *widths)
{
    if (row == 0)
        style_on(file, STYLE_HEADING);
    for (size_t i = 0; i < table->columns; i++) {
        size_t printed = print_cut(file, table->cells[row * table->columns + i], widths[i]);
        if (i + 1 < table->columns)
            fprintf(file, "%*s", (int)(widths[i] + 2 - printed), "");
    }
    if (row == 0)
        style_off(file);
    fputc('\n', file);
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        size_t width = width_of(table->cells[i]), column = i % table->columns;
        widths[column] = width > widths[column] ? width : widths[column];
    }
}

void table_print(struct table *table, FILE *file)
{
    size_t *widths = calloc(table->columns, sizeof widths[0]);
    size_t limit = console_width(file);

    if (table->failed || widths == NULL) {
        fputs("hbctl: out of memory for this table\n", stderr);
    } else {
        measure(table, widths);
        /* One column stays free, or the console would begin a new line by itself. */
        if (limit > 0)
            fit(widths, table->columns, limit - 1);
        for (size_t row = 0; row < table->rows; row++)
            print_row(table, file, row, widths);
    }
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(widths);
    fflush(file);
}

void duration_text(char *ret_text, size_t size, uint64_t milliseconds)
{
    unsigned long long seconds = milliseconds / 1000;

    if (seconds >= 86400)
        snprintf(ret_text, size, "%llu d %02llu h", seconds / 86400, seconds / 3600 % 24);
    else if (seconds >= 3600)
        snprintf(ret_text, size, "%llu h %02llu min", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        snprintf(ret_text, size, "%llu min %02llu s", seconds / 60, seconds % 60);
    else
        snprintf(ret_text, size, "%llu.%llu s", seconds, milliseconds % 1000 / 100);
}

/* ---- what several commands print ---- */

const char *widenable_text(int widenable)
{
    switch (widenable) {
    case HBK_WIDEN_NO:
        return "no";
    case HBK_WIDEN_YES:
        return "yes";
    case HBK_WIDEN_UNKNOWN:
        return "unknown";
    default:
        return "-";
    }
}

void json_widenable(struct json *json, int widenable)
{
    if (widenable == HBK_WIDEN_UNKNOWN)
        json_text(json, "widenable", "unknown");
    else if (widenable != 0)
        json_bool(json, "widenable", widenable == HBK_WIDEN_YES);
}

void json_party(struct json *json, const char *key, const hbk_party *party)
{
    json_open(json, key, '{');
    json_number(json, "session", party->session);
    json_number(json, "pid", party->pid);
    json_text(json, "user", party->user);
    json_close(json, '}');
}

void print_revoked(FILE *file, uint64_t delivery, uint64_t closed)
{
    fprintf(file,
            "delivery %llu was taken back; closed in its target:", (unsigned long long)delivery);
    for (unsigned i = 0; i < HBK_ITEMS_MAX; i++) {
        if (closed >> i & 1)
            fprintf(file, " %u", i);
    }
    fputs(closed == 0 ? " nothing\n" : "\n", file);
}

void json_revoked(uint64_t delivery, uint64_t closed)
{
    struct json json;

    json_begin(&json, stdout);
    json_number(&json, "revoked", delivery);
    json_open(&json, "closed", '[');
    for (unsigned i = 0; i < HBK_ITEMS_MAX; i++) {
        if (closed >> i & 1)
            json_number(&json, NULL, i);
    }
    json_close(&json, ']');
    json_end(&json);
}

void json_notice(const char *name, const char *key, uint64_t value, const char *detail)
{
    struct json json;

    json_begin(&json, stderr);
    json_open(&json, "notice", '{');
    json_text(&json, "name", name);
    if (key != NULL)
        json_number(&json, key, value);
    if (detail != NULL)
        json_text(&json, "detail", detail);
    json_close(&json, '}');
    json_end(&json);
}

/* ---- errors ---- */

static enum exit_code exit_code_of(hbk_result result)
{
    switch (result) {
    case HBK_OK:
        return EXIT_DONE;
    case HBK_TIMEOUT:
        return EXIT_TIMEOUT;
    case HBK_UNAVAILABLE:
    case HBK_UNTRUSTED:
    case HBK_DISCONNECTED:
    case HBK_STOPPING:
        return EXIT_UNAVAILABLE;
    case HBK_INVALID_ARGUMENT:
        return EXIT_USAGE;
    default:
        return EXIT_REFUSED;
    }
}

enum exit_code failed(const struct globals *globals, const hbk_error_info *error, const char *hint)
{
    enum exit_code code = exit_code_of(error->result);

    progress_end();
    if (globals->json) {
        struct json json;
        json_begin(&json, stderr);
        json_open(&json, "error", '{');
        json_text(&json, "name", hbk_result_word(error->result));
        if (error->item >= 0)
            json_number(&json, "item", (uint64_t)error->item);
        if (error->win32 != 0)
            json_number(&json, "win32", error->win32);
        if (error->limit[0] != '\0')
            json_text(&json, "limit", error->limit);
        json_text(&json, "detail", error->detail);
        json_number(&json, "exit_code", (uint64_t)code);
        json_close(&json, '}');
        json_end(&json);
        return code;
    }
    style_on(stderr, STYLE_BAD);
    fprintf(stderr, "hbctl: %s: ", hbk_result_word(error->result));
    style_off(stderr);
    print_text(stderr, error->detail[0] != '\0' ? error->detail : hbk_result_text(error->result));
    if (error->item >= 0)
        fprintf(stderr, " (item %d)", error->item);
    if (error->limit[0] != '\0')
        fprintf(stderr, " (limit %s)", error->limit);
    if (error->win32 != 0)
        fprintf(stderr, " (Windows error %lu)", (unsigned long)error->win32);
    fputc('\n', stderr);
    if (hint != NULL)
        fprintf(stderr, "%s\n", hint);
    return code;
}
