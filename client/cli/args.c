/* The command line: from UTF-16 to options. */
#include "hbctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_MAX 9007199254740991u /* the highest number that the service gives to anything */

static char *to_utf8(const wchar_t *text)
{
    int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, NULL, 0, NULL, NULL);
    if (size <= 0)
        return NULL;
    char *copy = malloc((size_t)size);
    if (copy != NULL)
        WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, copy, size, NULL, NULL);
    return copy;
}

wchar_t *to_wide(const char *text)
{
    int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (size <= 0)
        return NULL;
    wchar_t *copy = malloc((size_t)size * sizeof copy[0]);
    if (copy != NULL)
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, copy, size);
    return copy;
}

char **arguments_utf8(int count, wchar_t **values)
{
    char **texts = calloc((size_t)count + 1, sizeof texts[0]);

    for (int i = 0; texts != NULL && i < count; i++) {
        texts[i] = to_utf8(values[i]);
        if (texts[i] == NULL) {
            arguments_free(texts);
            return NULL;
        }
    }
    return texts;
}

void arguments_free(char **values)
{
    for (char **at = values; at != NULL && *at != NULL; at++)
        free(*at);
    free(values);
}

enum exit_code usage_error(const struct arguments *arguments, const char *what,
                           const char *argument)
{
    const char *blank = arguments->command != NULL ? " " : "";
    const char *name = arguments->command != NULL ? arguments->command : "";

    if (arguments->globals.json) {
        hbk_error_info error = {.result = HBK_INVALID_ARGUMENT, .item = -1};
        snprintf(error.detail, sizeof error.detail, "%s%s%s", what, argument != NULL ? ": " : "",
                 argument != NULL ? argument : "");
        return failed(&arguments->globals, &error, NULL);
    }
    progress_end();
    style_on(stderr, STYLE_BAD);
    fprintf(stderr, "hbctl%s%s: ", blank, name);
    style_off(stderr);
    fprintf(stderr, "%s%s", what, argument != NULL ? ": " : "");
    print_text(stderr, argument != NULL ? argument : "");
    fprintf(stderr, "\nTry: hbctl%s%s --help\n", blank, name);
    return EXIT_USAGE;
}

static bool read_wide(const char *text, int base, uint64_t max, uint64_t *ret_value)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9')
        return false; /* strtoull would take blanks and signs */
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    if (errno != 0 || *end != '\0' || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool read_number(const char *text, int base, uint32_t max, uint32_t *ret_value)
{
    uint64_t value = 0;

    if (!read_wide(text, base, max, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

/* Decimal, or hexadecimal after 0x. */
static bool read_value32(const char *text, uint32_t *ret_value)
{
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    return read_number(text, hexadecimal ? 16 : 10, UINT32_MAX, ret_value) && *ret_value != 0;
}

bool handle_read(const char *text, uint32_t *ret_value)
{
    return read_value32(text, ret_value);
}

bool serial_read(const char *text, uint64_t *ret_value)
{
    return read_wide(text, 10, SERIAL_MAX, ret_value) && *ret_value != 0;
}

bool pid_read(const char *text, uint32_t *ret_value)
{
    return read_number(text, 10, UINT32_MAX, ret_value) && *ret_value != 0;
}

static bool read_access(const char *text, uint32_t *ret_value)
{
    if (strcmp(text, "same") == 0) {
        *ret_value = HBK_ACCESS_SAME;
        return true;
    }
    if (strcmp(text, "read") == 0) {
        *ret_value = HBK_ACCESS_READ;
        return true;
    }
    return read_value32(text, ret_value);
}

/* The value of @option. Return: NULL, or what is wrong with it. */
static const char *read_value(const struct option *option, const char *text)
{
    switch (option->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_TEXT:
        *(const char **)option->value = text;
        break;
    case OPTION_NUMBER:
        if (!read_number(text, 10, option->max, option->value))
            return "is no number, or too high";
        break;
    case OPTION_SERIAL:
        if (!read_wide(text, 10, SERIAL_MAX, option->value))
            return "is no number, or too high";
        break;
    case OPTION_ACCESS:
        if (!read_access(text, option->value))
            return "is neither same, read nor a mask as 0x120089";
        break;
    case OPTION_HANDLE:
        if (!handle_read(text, option->value))
            return "is no value of a handle, as 0x1c4";
        break;
    case OPTION_LIST:
        if (*option->count == option->max)
            return "is one too many";
        ((const char **)option->value)[(*option->count)++] = text;
        break;
    }
    return NULL;
}

static const struct option *find_option(const struct option *options, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

/* Reads the value, if any, of @option, whose name was the last argument. */
static bool read_option(struct arguments *arguments, const struct option *option,
                        enum exit_code *ret_code)
{
    if (option->kind == OPTION_FLAG) {
        *(bool *)option->value = true;
        return true;
    }
    if (arguments->at == arguments->count) {
        *ret_code = usage_error(arguments, "a value is missing after", option->name);
        return false;
    }
    const char *text = arguments->values[arguments->at++];
    const char *fault = read_value(option, text);
    if (fault != NULL) {
        char what[128];
        snprintf(what, sizeof what, "the value of %s %s", option->name, fault);
        *ret_code = usage_error(arguments, what, text);
        return false;
    }
    return true;
}

bool global_read(struct arguments *arguments, bool *ret_taken, enum exit_code *ret_code)
{
    bool help = false;
    const struct option options[] = {
        {"--json", OPTION_FLAG, 0, &arguments->globals.json, NULL},
        {"--unverified", OPTION_FLAG, 0, &arguments->globals.unverified, NULL},
        {"--version", OPTION_FLAG, 0, &arguments->globals.version, NULL},
        {"--pipe", OPTION_TEXT, 0, &arguments->globals.pipe, NULL},
        {"--help", OPTION_FLAG, 0, &help, NULL},
    };

    const struct option *option =
        find_option(options, sizeof options / sizeof options[0], arguments->values[arguments->at]);
    *ret_taken = option != NULL;
    if (option == NULL)
        return true;
    arguments->at++;
    if (!read_option(arguments, option, ret_code))
        return false;
    if (help) {
        fputs(arguments->help, stdout);
        *ret_code = EXIT_DONE;
    }
    return !help;
}

bool options_read(struct arguments *arguments, const struct option *options, size_t options_count,
                  const struct operand *operands, size_t operands_count, enum exit_code *ret_code)
{
    size_t read = 0;

    while (arguments->at < arguments->count) {
        bool taken = false;
        if (!global_read(arguments, &taken, ret_code))
            return false;
        if (taken)
            continue;
        const char *argument = arguments->values[arguments->at++];
        const struct option *option = find_option(options, options_count, argument);
        if (option != NULL) {
            if (!read_option(arguments, option, ret_code))
                return false;
        } else if (argument[0] == '-' || read == operands_count) {
            *ret_code = usage_error(arguments, "what is this", argument);
            return false;
        } else {
            *operands[read++].value = argument;
        }
    }
    if (read < operands_count && operands[read].missing != NULL) {
        *ret_code = usage_error(arguments, operands[read].missing, NULL);
        return false;
    }
    return true;
}
