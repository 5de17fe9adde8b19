#include "config.h"

#include "json.h"
#include "schema.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES_MAX = 1024, LIST_BYTES_MAX = 640, HEX_DIGITS_MAX = 8 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A text of a section, or of a rule. */
struct string {
    const char *section, *name;
    size_t offset; /* of the struct hbk_config_text */
    size_t max;
};

#define FILE_TEXT(SECTION, NAME, MEMBER, MAX)                          \
    {                                                                  \
        SECTION, NAME, offsetof(struct hbk_config_file, MEMBER), (MAX) \
    }
static const struct string file_strings[] = {
    FILE_TEXT("audit", "file", audit_file, HBK_CONFIG_PATH_BYTES_MAX),
    FILE_TEXT("metrics", "file", metrics_file, HBK_CONFIG_PATH_BYTES_MAX),
    FILE_TEXT("verbs", "inspect", inspect, HBK_SDDL_BYTES_MAX),
    FILE_TEXT("verbs", "transfer", transfer, HBK_SDDL_BYTES_MAX),
    FILE_TEXT("verbs", "revoke", revoke, HBK_SDDL_BYTES_MAX),
};

#define RULE_TEXT(MEMBER, MAX)                                       \
    {                                                                \
        "", #MEMBER, offsetof(struct hbk_config_rule, MEMBER), (MAX) \
    }
static const struct string rule_strings[] = {
    RULE_TEXT(name, HBK_NAME_BYTES_MAX), RULE_TEXT(open, HBK_SDDL_BYTES_MAX),
    RULE_TEXT(send, HBK_SDDL_BYTES_MAX), RULE_TEXT(put, HBK_SDDL_BYTES_MAX),
    RULE_TEXT(get, HBK_SDDL_BYTES_MAX),
};

struct reader {
    const struct hbk_config_field *fields;
    size_t fields_count;
    hbk_config_report report;
    void *context;
    bool refused;
};

/* The tree's nodes have their line in valueint: numbers are read from valuedouble. */
static uint32_t line_of(const cJSON *node)
{
    return (uint32_t)node->valueint;
}

HBK_PRINTF(4, 5)
static void refuse(struct reader *reader, uint32_t line, const char *key, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    const int size = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    HBK_ASSERT(size > 0 && (size_t)size < sizeof(message));
    reader->refused = true;
    reader->report(reader->context, line, key, message);
}

/* ---- names ---- */

/* Writes @parent.@name, where @name is ours. */
static void join(char key[HBK_CONFIG_KEY_BYTES], const char *parent, const char *name)
{
    const int size =
        snprintf(key, HBK_CONFIG_KEY_BYTES, "%s%s%s", parent, parent[0] == '\0' ? "" : ".", name);

    HBK_ASSERT(size > 0 && size < HBK_CONFIG_KEY_BYTES);
}

void hbk_config_key(char ret_key[HBK_CONFIG_KEY_BYTES], const char *parent, struct hbk_text name)
{
    char quoted[HBK_QUOTE_BYTES];
    bool plain = name.size > 0 && name.size < HBK_QUOTE_BYTES;

    for (size_t i = 0; i < name.size && plain; i++) {
        const char byte = name.data[i];
        plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
    }
    if (plain) {
        memcpy(quoted, name.data, name.size);
        quoted[name.size] = '\0';
    } else {
        hbk_text_quote(name, quoted);
    }
    join(ret_key, parent, quoted);
}

/* The same with a member of the tree. */
static void join_unknown(char key[HBK_CONFIG_KEY_BYTES], const char *parent, const char *name)
{
    hbk_config_key(key, parent, hbk_text_from(name));
}

struct list {
    char text[LIST_BYTES_MAX];
    size_t size;
};

static void list_add(struct list *list, const char *name)
{
    const size_t size = strlen(name), room = sizeof(list->text) - list->size;
    const char *between = list->size == 0 ? "" : ", ";

    if (strlen(between) + size >= room)
        return;
    list->size += (size_t)snprintf(list->text + list->size, room, "%s%s", between, name);
}

/* No name that we list stands within another. */
static void list_once(struct list *list, const char *name)
{
    if (strstr(list->text, name) == NULL)
        list_add(list, name);
}

static void refuse_unknown(struct reader *reader, const cJSON *item, const char *parent,
                           const struct list *known)
{
    char key[HBK_CONFIG_KEY_BYTES];

    join_unknown(key, parent, item->string);
    refuse(reader, line_of(item), key, "there is no such setting; write one of: %s", known->text);
}

/* Has an earlier member of the object the name of @item? Then it is refused. */
static bool is_repeated(struct reader *reader, const cJSON *object, const cJSON *item,
                        const char *parent)
{
    char key[HBK_CONFIG_KEY_BYTES];

    for (const cJSON *other = object->child; other != item; other = other->next) {
        if (strcmp(other->string, item->string) == 0) {
            join_unknown(key, parent, item->string);
            refuse(reader, line_of(item), key, "stands twice, first in line %lu; keep one",
                   (unsigned long)line_of(other));
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

static void read_text(struct reader *reader, const cJSON *item, const char *key, size_t max,
                      struct hbk_config_text *ret_text)
{
    if (!cJSON_IsString(item)) {
        refuse(reader, line_of(item), key, "must be a text in double quotes");
        return;
    }
    const struct hbk_text text = hbk_text_from(item->valuestring);
    if (text.size == 0) {
        refuse(reader, line_of(item), key, "is empty; write a text, or leave the setting out");
    } else if (text.size > max) {
        refuse(reader, line_of(item), key, "has %zu bytes; at most %zu are taken", text.size, max);
    } else {
        *ret_text = (struct hbk_config_text){text, line_of(item)};
    }
}

/* The number behind "0x", or -1. */
static int64_t hex_value(const char *text)
{
    int64_t value = 0;

    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X') || text[2] == '\0' ||
        strlen(text + 2) > HEX_DIGITS_MAX)
        return -1;
    for (const char *at = text + 2; *at != '\0'; at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = strchr(digits, *at);

        if (digit == NULL)
            return -1;
        value = value * 16 + (digit - digits > 15 ? digit - digits - 6 : digit - digits);
    }
    return value;
}

/* @words: what else may stand here, for people. Return: a mask, or 0: refused. */
static uint32_t read_mask(struct reader *reader, const cJSON *item, const char *key,
                          const char *words)
{
    int64_t value = -1;

    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= UINT32_MAX)
        value = (int64_t)item->valuedouble;
    else if (cJSON_IsString(item))
        value = hex_value(item->valuestring);
    if (value < 0) {
        refuse(reader, line_of(item), key,
               "must be %sa mask: an integer of 32 bits, or as a text \"0x...\"", words);
        return 0;
    }
    const char *fault = value == 0 ? "a mask of zero lets nothing through; leave the setting out"
                                   : hbk_mask_fault((uint32_t)value);
    if (fault != NULL) {
        refuse(reader, line_of(item), key, "%s", fault);
        return 0;
    }
    return (uint32_t)value;
}

static void read_number(struct reader *reader, const cJSON *item, const char *key,
                        const struct hbk_config_field *field)
{
    if (!cJSON_IsNumber(item) || item->valuedouble < field->min || item->valuedouble > field->max)
        refuse(reader, line_of(item), key, "must be an integer from %lu to %lu",
               (unsigned long)field->min, (unsigned long)field->max);
}

/* ---- sections ---- */

static const struct hbk_config_field *find_field(const struct reader *reader, const char *section,
                                                 const char *name)
{
    for (size_t i = 0; i < reader->fields_count; i++) {
        if (strcmp(reader->fields[i].section, section) == 0 &&
            strcmp(reader->fields[i].name, name) == 0)
            return &reader->fields[i];
    }
    return NULL;
}

static const struct string *find_string(const struct string *strings, size_t count,
                                        const char *section, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(strings[i].section, section) == 0 && strcmp(strings[i].name, name) == 0)
            return &strings[i];
    }
    return NULL;
}

static void list_section(const struct reader *reader, const char *section, struct list *ret_list)
{
    *ret_list = (struct list){.size = 0};
    for (size_t i = 0; i < reader->fields_count; i++) {
        if (strcmp(reader->fields[i].section, section) == 0)
            list_add(ret_list, reader->fields[i].name);
    }
    for (size_t i = 0; i < COUNT(file_strings); i++) {
        if (strcmp(file_strings[i].section, section) == 0)
            list_add(ret_list, file_strings[i].name);
    }
}

static void read_section(struct reader *reader, const cJSON *section, const struct list *known,
                         struct hbk_config_file *file)
{
    if (!cJSON_IsObject(section)) {
        refuse(reader, line_of(section), section->string, "must be an object: \"%s\": {...}",
               section->string);
        return;
    }
    for (const cJSON *item = section->child; item != NULL; item = item->next) {
        const struct hbk_config_field *field = find_field(reader, section->string, item->string);
        const struct string *string =
            find_string(file_strings, COUNT(file_strings), section->string, item->string);
        char key[HBK_CONFIG_KEY_BYTES];

        if (is_repeated(reader, section, item, section->string))
            continue;
        if (field == NULL && string == NULL) {
            refuse_unknown(reader, item, section->string, known);
            continue;
        }
        join(key, section->string, item->string);
        if (field != NULL)
            read_number(reader, item, key, field);
        else
            read_text(reader, item, key, string->max,
                      (struct hbk_config_text *)(void *)((uint8_t *)file + string->offset));
    }
}

/* ---- rules ---- */

static void read_types(struct reader *reader, const cJSON *types, const char *key,
                       struct hbk_config_rule *rule)
{
    if (!cJSON_IsObject(types) || types->child == NULL) {
        refuse(reader, line_of(types), key,
               "must name types: {\"Event\": \"any\", \"Section\": \"read\"}; left out, the "
               "default ones "
               "pass");
        return;
    }
    for (const cJSON *item = types->child; item != NULL; item = item->next) {
        struct hbk_config_type *type = &rule->types[rule->types_count];
        char type_key[HBK_CONFIG_KEY_BYTES];

        if (is_repeated(reader, types, item, key))
            continue;
        join_unknown(type_key, key, item->string);
        if (rule->types_count == HBK_TYPES_MAX) {
            refuse(reader, line_of(item), type_key, "is one more than the %d types that are taken",
                   HBK_TYPES_MAX);
            return;
        }
        *type = (struct hbk_config_type){
            {hbk_text_from(item->string), HBK_TYPE_RULE_ANY, 0},
            line_of(item),
        };
        if (cJSON_IsString(item) && strcmp(item->valuestring, "read") == 0) {
            type->rule.kind = HBK_TYPE_RULE_READ;
        } else if (!cJSON_IsString(item) || strcmp(item->valuestring, "any") != 0) {
            type->rule.kind = HBK_TYPE_RULE_MASK;
            type->rule.mask = read_mask(reader, item, type_key, "\"any\", \"read\" or ");
        }
        rule->types_count++;
    }
}

static void read_rule_member(struct reader *reader, const cJSON *item, const char *parent,
                             struct hbk_config_rule *rule)
{
    const struct string *string = find_string(rule_strings, COUNT(rule_strings), "", item->string);
    char key[HBK_CONFIG_KEY_BYTES];
    struct list known = {.size = 0};

    if (string != NULL) {
        join(key, parent, string->name);
        read_text(reader, item, key, string->max,
                  (struct hbk_config_text *)(void *)((uint8_t *)rule + string->offset));
    } else if (strcmp(item->string, "types") == 0) {
        join(key, parent, "types");
        read_types(reader, item, key, rule);
    } else if (strcmp(item->string, "access_max") == 0) {
        join(key, parent, "access_max");
        rule->access_max = read_mask(reader, item, key, "");
    } else {
        for (size_t i = 0; i < COUNT(rule_strings); i++)
            list_add(&known, rule_strings[i].name);
        list_add(&known, "types");
        list_add(&known, "access_max");
        refuse_unknown(reader, item, parent, &known);
    }
}

static void read_rule(struct reader *reader, const cJSON *object, size_t index,
                      struct hbk_config_rule *rule)
{
    char parent[HBK_CONFIG_KEY_BYTES], key[HBK_CONFIG_KEY_BYTES];
    bool says = false;

    (void)snprintf(parent, sizeof parent, "rules[%zu]", index);
    rule->line = line_of(object);
    if (!cJSON_IsObject(object)) {
        refuse(reader, rule->line, parent,
               "must be an object: {\"name\": \"session/print/*\", \"send\": \"D:(A;;GA;;;BA)\"}");
        return;
    }
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        if (is_repeated(reader, object, item, parent))
            continue;
        says = says || strcmp(item->string, "name") != 0;
        read_rule_member(reader, item, parent, rule);
    }
    if (cJSON_GetObjectItemCaseSensitive(object, "name") == NULL) {
        join(key, parent, "name");
        refuse(
            reader, rule->line, key,
            "is missing; write the names that the rule is about, for example \"session/print/*\"");
    }
    if (!says)
        refuse(reader, rule->line, parent,
               "says nothing about its names; add open, send, put, get, types or access_max");
}

/* Return: 0; -1 out of memory. */
static int read_rules(struct reader *reader, const cJSON *rules, struct hbk_config_file *file)
{
    if (!cJSON_IsArray(rules)) {
        refuse(reader, line_of(rules), "rules", "must be a list of rules: [{...}, {...}]");
        return 0;
    }
    size_t count = (size_t)cJSON_GetArraySize(rules), index = 0;
    if (count > HBK_POLICY_RULES_MAX) {
        refuse(reader, line_of(rules), "rules",
               "has %zu rules; at most %d are taken: say more with fewer, by * in their names",
               count, HBK_POLICY_RULES_MAX);
        count = HBK_POLICY_RULES_MAX;
    }
    if (count == 0)
        return 0;
    file->rules = calloc(count, sizeof(*file->rules));
    if (file->rules == NULL)
        return -1;
    file->rules_count = count;
    for (const cJSON *rule = rules->child; index < count; rule = rule->next, index++)
        read_rule(reader, rule, index, &file->rules[index]);
    return 0;
}

/* ---- the file ---- */

static int read_tree(struct reader *reader, const cJSON *tree, struct hbk_config_file *file)
{
    struct list sections = {.size = 0};

    for (size_t i = 0; i < reader->fields_count; i++)
        list_once(&sections, reader->fields[i].section);
    for (size_t i = 0; i < COUNT(file_strings); i++)
        list_once(&sections, file_strings[i].section);
    list_add(&sections, "rules");
    for (const cJSON *item = tree->child; item != NULL; item = item->next) {
        struct list known;

        if (is_repeated(reader, tree, item, ""))
            continue;
        list_section(reader, item->string, &known);
        if (strcmp(item->string, "rules") == 0) {
            if (read_rules(reader, item, file) != 0)
                return -1;
        } else if (known.size > 0) {
            read_section(reader, item, &known, file);
        } else {
            refuse_unknown(reader, item, "", &sections);
        }
    }
    return 0;
}

/* Everything was checked: now set it. */
static void apply(const struct reader *reader, const cJSON *tree)
{
    for (size_t i = 0; i < reader->fields_count; i++) {
        const struct hbk_config_field *field = &reader->fields[i];
        const cJSON *section = cJSON_GetObjectItemCaseSensitive(tree, field->section);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(section, field->name);

        if (item != NULL)
            *field->value = (uint32_t)item->valuedouble;
    }
}

/* Gives each node its line; @lines are in the order in which the nodes begin. */
static void set_lines(cJSON *tree, const uint32_t *lines)
{
    cJSON *parents[HBK_JSON_DEPTH_MAX];
    size_t depth = 0, index = 0;

    for (cJSON *node = tree; node != NULL;) {
        node->valueint = (int)lines[index++];
        if (node->child != NULL) {
            HBK_ASSERT(depth < HBK_JSON_DEPTH_MAX);
            parents[depth++] = node;
            node = node->child;
            continue;
        }
        while (node->next == NULL && depth > 0)
            node = parents[--depth];
        node = node->next;
    }
}

/* "line 3: column 5: what": the line goes to the report, the rest is what it says. */
static void refuse_grammar(struct reader *reader, const struct hbk_error *error)
{
    static const char prefix[] = "line ";
    char *end = NULL;

    HBK_ASSERT(strncmp(error->detail, prefix, sizeof(prefix) - 1) == 0);
    const unsigned long line = strtoul(error->detail + sizeof(prefix) - 1, &end, 10);
    HBK_ASSERT(end[0] == ':' && end[1] == ' ');
    refuse(reader, (uint32_t)line, "", "%s", end + 2);
}

int hbk_config_read(struct hbk_text text, const struct hbk_config_field *fields,
                    size_t fields_count, hbk_config_report report, void *context,
                    struct hbk_config_file *ret_file)
{
    struct reader reader = {fields, fields_count, report, context, false};
    struct hbk_config_file file = {.tree = NULL};
    struct hbk_error error;
    int result = -1;
    uint32_t *lines = NULL;
    cJSON *tree = NULL;

    if (text.size > HBK_CONFIG_BYTES_MAX) {
        refuse(&reader, 1, "", "larger than %d bytes, the most that is read", HBK_CONFIG_BYTES_MAX);
        goto out;
    }
    lines = malloc(HBK_JSON_FILE_VALUES_MAX * sizeof(*lines));
    if (lines == NULL)
        goto out;
    if (hbk_json_check_file(text, lines, &error) != 0) {
        refuse_grammar(&reader, &error);
        goto out;
    }
    tree = cJSON_ParseWithLengthOpts(text.data, text.size, NULL, 0);
    if (tree == NULL)
        goto out; /* the text was checked, so only memory can be missing */
    file.tree = tree;
    set_lines(tree, lines);
    result = read_tree(&reader, tree, &file);
    if (result == 0 && !reader.refused)
        apply(&reader, tree);
out:
    free(lines);
    if (reader.refused && (tree == NULL || result == 0))
        result = HBK_CONFIG_E_REFUSED;
    if (result < 0)
        hbk_config_clear(&file);
    else
        *ret_file = file;
    return result;
}

void hbk_config_clear(struct hbk_config_file *file)
{
    cJSON_Delete(file->tree);
    free(file->rules);
    *file = (struct hbk_config_file){.tree = NULL};
}
