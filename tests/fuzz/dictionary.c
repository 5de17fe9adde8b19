/* Is every method and every key of the protocol in the fuzzers' dictionary? A new one that is not there is hardly ever
 * guessed.
 *
 *     fuzz_dictionary FILE */
#include "message.h"
#include "schema.h"

#include <stdio.h>
#include <string.h>

static struct hbk_buffer dictionary;
static int missing;

/* As the file spells it: @before and @after stand around @word. */
static void look_for(const char *before, const char *word, const char *after)
{
    char entry[128];
    const int size = snprintf(entry, sizeof entry, "\n\"%s%s%s\"\n", before, word, after);

    HBK_ASSERT(size > 0 && (size_t)size < sizeof entry);
    if (strstr((const char *)dictionary.data, entry) == NULL) {
        printf("not in the dictionary: %s", entry + 1);
        missing++;
    }
}

static void look_for_keys(const struct hbk_schema *schema)
{
    for (size_t i = 0; schema != NULL && i < schema->count; i++) {
        look_for("\\\"", schema->fields[i].key, "\\\":");
        look_for_keys(schema->fields[i].sub);
    }
}

static bool read_dictionary(const char *path)
{
    char block[4096];
    size_t size;
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return false;
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        hbk_buffer_append(&dictionary, block, size);
    hbk_buffer_append(&dictionary, "", 1);
    (void)fclose(file);
    return !dictionary.failed;
}

int main(int argc, char **argv)
{
    if (argc != 2 || !read_dictionary(argv[1])) {
        fprintf(stderr, "dictionary: which file?\n");
        return 2;
    }
    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; i++) {
        const struct hbk_method_info *info = hbk_method_info((enum hbk_method)i);

        look_for("", info->name, "");
        look_for_keys(info->params);
        look_for_keys(info->result);
    }
    look_for_keys(&hbk_schema_error);
    hbk_buffer_deinit(&dictionary);
    return missing != 0;
}
