/* The strict scan beside jansson: what one takes the other takes, but for the rules that lexis_strict() names; then
 * cJSON, which reads what the scan has let through, must have found the same values. So for lines, and for
 * configuration files.
 *
 * Where the two differ by intent, the scan being the stricter one:
 *   - the whole must be an object;
 *   - numbers are integers: no fraction, no exponent, no -0, at most HBK_JSON_DIGITS_MAX digits;
 *   - depth, members of an object and values have limits;
 *   - in a line, blanks are spaces: no tab, CR or LF;
 *   - a NUL stands nowhere: jansson 2.14 passes over one that follows a number;
 * and where it is the milder one: in a file duplicate keys are left to its reader. jansson is told to read each number
 * as a double, so that it has no limit of its own for integers. Of a double's range nothing can be out: 20 digits. */
#include "fuzz.h"
#include "json.h"
#include "lexis.h"

#include <cjson/cJSON.h>
#include <jansson.h>
#include <string.h>

enum { FLAGS = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL };

static void compare(const cJSON *ours, json_t *theirs)
{
    const cJSON *child = ours->child;
    const char *key;
    json_t *value;
    size_t i;

    switch (json_typeof(theirs)) {
    case JSON_OBJECT:
        HBK_ASSERT(cJSON_IsObject(ours));
        json_object_foreach(theirs, key, value)
        {
            HBK_ASSERT(child != NULL && strcmp(child->string, key) == 0);
            compare(child, value);
            child = child->next;
        }
        HBK_ASSERT(child == NULL);
        break;
    case JSON_ARRAY:
        HBK_ASSERT(cJSON_IsArray(ours));
        json_array_foreach(theirs, i, value)
        {
            HBK_ASSERT(child != NULL);
            compare(child, value);
            child = child->next;
        }
        HBK_ASSERT(child == NULL);
        break;
    case JSON_STRING:
        HBK_ASSERT(cJSON_IsString(ours) &&
                   strlen(ours->valuestring) == json_string_length(theirs) &&
                   strcmp(ours->valuestring, json_string_value(theirs)) == 0);
        break;
    case JSON_REAL:
        HBK_ASSERT(cJSON_IsNumber(ours) && ours->valuedouble == json_real_value(theirs));
        break;
    case JSON_NULL:
        HBK_ASSERT(cJSON_IsNull(ours));
        break;
    default:
        HBK_ASSERT(json_is_boolean(theirs) && cJSON_IsBool(ours));
        HBK_ASSERT(cJSON_IsTrue(ours) == (json_is_true(theirs) ? 1 : 0));
        break;
    }
}

static void check_values(struct hbk_text text, json_t *theirs)
{
    cJSON *ours = cJSON_ParseWithLength(text.data, text.size);

    HBK_ASSERT(ours != NULL);
    compare(ours, theirs);
    cJSON_Delete(ours);
}

static void check_error(const struct hbk_error *error, bool file)
{
    HBK_ASSERT(error->code == HBK_R_PARSE_ERROR && error->detail[0] != '\0' && error->item == -1);
    HBK_ASSERT(strncmp(error->detail, file ? "line " : "at byte ", file ? 5 : 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t lines[HBK_JSON_FILE_VALUES_MAX], expected[HBK_JSON_FILE_VALUES_MAX];
    const struct hbk_text text = {(const char *)data, size};
    struct hbk_error error;
    struct lexis lexis = {.object = false};
    json_t *loose = size > 0 && memchr(data, '\0', size) == NULL
                        ? json_loadb(text.data, size, FLAGS, NULL)
                        : NULL;
    json_t *strict =
        loose ? json_loadb(text.data, size, FLAGS | JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (loose != NULL)
        lexis_scan(text, &lexis, expected, HBK_JSON_FILE_VALUES_MAX);

    const bool line_taken = hbk_json_check(text, &error) == 0;
    HBK_ASSERT(line_taken == (strict != NULL && lexis_strict(&lexis, false)));
    if (!line_taken)
        check_error(&error, false);

    const bool file_taken = hbk_json_check_file(text, lines, &error) == 0;
    HBK_ASSERT(file_taken == (loose != NULL && lexis_strict(&lexis, true)));
    if (!file_taken)
        check_error(&error, true);
    else
        HBK_ASSERT(memcmp(lines, expected, lexis.values * sizeof lines[0]) == 0);
    if (file_taken && strict != NULL)
        check_values(text, strict);
    json_decref(strict);
    json_decref(loose);
    return 0;
}
