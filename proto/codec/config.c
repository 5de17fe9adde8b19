#include "config.h"

#include "json.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES_MAX = 1024, SHOWN_BYTES_MAX = 64 };

struct reader {
    const struct hbk_config_field *fields;
    size_t fields_count;
    hbk_config_report report;
    void *context;
    bool refused;
};

HBK_PRINTF(2, 3)
static void refuse(struct reader *reader, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    HBK_ASSERT(size > 0);
    reader->refused = true;
    reader->report(reader->context, message);
}

/* Is fields[@index] the first of its section? */
static bool is_first(const struct reader *reader, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(reader->fields[i].section, reader->fields[index].section) == 0) {
            return false;
        }
    }
    return true;
}

/* Writes what could have stood in place of an unknown name: the sections, or the fields of
 * @section. */
static void list_known(const struct reader *reader, const char *section, char *list,
                       size_t capacity)
{
    size_t size = 0;
    list[0] = '\0';
    for (size_t i = 0; i < reader->fields_count; i++) {
        const struct hbk_config_field *field = &reader->fields[i];
        if (section == NULL ? !is_first(reader, i) : strcmp(field->section, section) != 0) {
            continue;
        }
        int added = snprintf(list + size, capacity - size, "%s%s", size == 0 ? "" : ", ",
                             section == NULL ? field->section : field->name);
        if (added < 0 || (size_t)added >= capacity - size) {
            return;
        }
        size += (size_t)added;
    }
}

static void read_field(struct reader *reader, const char *section, const cJSON *item)
{
    for (size_t i = 0; i < reader->fields_count; i++) {
        const struct hbk_config_field *field = &reader->fields[i];
        if (strcmp(field->section, section) != 0 || strcmp(field->name, item->string) != 0) {
            continue;
        }
        if (!cJSON_IsNumber(item) || item->valuedouble < field->min ||
            item->valuedouble > field->max) {
            refuse(reader, "%s.%s: must be an integer from %lu to %lu", section, field->name,
                   (unsigned long)field->min, (unsigned long)field->max);
        }
        return;
    }
    char known[MESSAGE_BYTES_MAX / 2];
    list_known(reader, section, known, sizeof(known));
    refuse(reader, "%s.%.*s: no such setting; there are: %s", section, SHOWN_BYTES_MAX,
           item->string, known);
}

static void read_section(struct reader *reader, const cJSON *section)
{
    bool found = false;
    for (size_t i = 0; i < reader->fields_count; i++) {
        found = found || strcmp(reader->fields[i].section, section->string) == 0;
    }
    if (!found) {
        char known[MESSAGE_BYTES_MAX / 2];
        list_known(reader, NULL, known, sizeof(known));
        refuse(reader, "%.*s: no such section; there are: %s", SHOWN_BYTES_MAX, section->string,
               known);
        return;
    }
    if (!cJSON_IsObject(section)) {
        refuse(reader, "%s: must be an object, for example {\"%s\": {…}}", section->string,
               section->string);
        return;
    }
    for (const cJSON *item = section->child; item != NULL; item = item->next) {
        read_field(reader, section->string, item);
    }
}

/* Everything was checked: now set it. */
static void apply(const struct reader *reader, const cJSON *tree)
{
    for (size_t i = 0; i < reader->fields_count; i++) {
        const struct hbk_config_field *field = &reader->fields[i];
        const cJSON *section = cJSON_GetObjectItemCaseSensitive(tree, field->section);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(section, field->name);
        if (item != NULL) {
            *field->value = (uint32_t)item->valuedouble;
        }
    }
}

int hbk_config_read(struct hbk_text text, const struct hbk_config_field *fields,
                    size_t fields_count, hbk_config_report report, void *context)
{
    struct reader reader = {fields, fields_count, report, context, false};
    struct hbk_error error;

    if (text.size > HBK_CONFIG_BYTES_MAX) {
        refuse(&reader, "longer than %d bytes, the most that is read", HBK_CONFIG_BYTES_MAX);
        return HBK_CONFIG_E_REFUSED;
    }
    if (hbk_json_check(text, HBK_JSON_MULTILINE, &error) != 0) {
        refuse(&reader, "%s", error.detail);
        return HBK_CONFIG_E_REFUSED;
    }
    cJSON *tree = cJSON_ParseWithLengthOpts(text.data, text.size, NULL, 0);
    if (tree == NULL) {
        return -1; /* the text was checked, so only memory can be missing */
    }
    for (const cJSON *section = tree->child; section != NULL; section = section->next) {
        read_section(&reader, section);
    }
    if (!reader.refused) {
        apply(&reader, tree);
    }
    cJSON_Delete(tree);
    return reader.refused ? HBK_CONFIG_E_REFUSED : 0;
}
