/* Which command is meant by the words of the command line. */
#include "hbctl.h"

#include <string.h>

enum { WORDS_BYTES = 64 };

static const char *word(const struct arguments *arguments, int index)
{
    int at = arguments->at + index;
    return at < arguments->count && arguments->values[at][0] != '-' ? arguments->values[at] : "";
}

/* How many of the next words are @name, such as "store put"; 0: they are another. */
static int words_of(const char *name, const struct arguments *arguments)
{
    const char *first = word(arguments, 0);
    size_t size = strcspn(name, " ");

    if (strlen(first) != size || strncmp(first, name, size) != 0)
        return 0;
    if (name[size] == '\0')
        return 1;
    return strcmp(word(arguments, 1), name + size + 1) == 0 ? 2 : 0;
}

const struct command *command_find(const struct command *commands, size_t count,
                                   struct arguments *arguments)
{
    for (size_t i = 0; i < count; i++) {
        int words = words_of(commands[i].name, arguments);
        if (words != 0) {
            arguments->at += words;
            return &commands[i];
        }
    }
    return NULL;
}

bool command_in_group(const struct command *command, const char *group)
{
    size_t size = strlen(group);
    return strncmp(command->name, group, size) == 0 && command->name[size] == ' ';
}

/* How many characters to insert, delete or replace to make @b of @a (Levenshtein's distance). */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORDS_BYTES], width = strlen(b);

    if (width >= WORDS_BYTES)
        return WORDS_BYTES;
    for (size_t i = 0; i <= width; i++)
        row[i] = i;
    for (; *a != '\0'; a++) {
        size_t corner = row[0]++;
        for (size_t i = 1; i <= width; i++) {
            size_t cheapest = corner + (*a != b[i - 1]);
            corner = row[i];
            if (row[i] + 1 < cheapest)
                cheapest = row[i] + 1;
            if (row[i - 1] + 1 < cheapest)
                cheapest = row[i - 1] + 1;
            row[i] = cheapest;
        }
    }
    return row[width];
}

static void keep_lower(size_t *lowest, size_t value)
{
    if (value < *lowest)
        *lowest = value;
}

const struct command *command_nearest(const struct command *commands, size_t count,
                                      const struct arguments *arguments)
{
    const struct command *nearest = NULL;
    char both[WORDS_BYTES];
    const char *first = word(arguments, 0);
    size_t best = (strlen(first) + 1) / 2 < 2 ? 2 : 3; /* farther is another word */

    snprintf(both, sizeof both, "%s %s", first, word(arguments, 1));
    for (size_t i = 0; i < count; i++) {
        const char *name = commands[i].name, *blank = strchr(name, ' ');
        size_t here = distance(first, name);
        if (blank != NULL) {
            keep_lower(&here, distance(first, blank + 1)); /* "put" alone */
            keep_lower(&here, distance(both, name));
        }
        if (here < best) {
            best = here;
            nearest = &commands[i];
        }
    }
    return nearest;
}
