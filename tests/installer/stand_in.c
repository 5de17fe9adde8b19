/* Stands for cmake, python, candle and light, whatever its file is called: writes down where and with what it is
 * called, does the little that build.cmd goes on with, and fails where it is told to: by its name, or by what
 * it is to do with a script. */
#include <direct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_CHARS = 512 };

/* The last part of a path, without ".exe". */
static const char *name_of(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '\\');
    (void)snprintf(name, size, "%s", slash != NULL ? slash + 1 : path);
    char *end = strstr(name, ".exe");
    if (end != NULL)
        *end = '\0';
    return name;
}

/* The folder and the one above it. */
static void make_folder(const char *path)
{
    char above[PATH_CHARS];
    (void)snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '\\');
    if (slash != NULL) {
        *slash = '\0';
        (void)_mkdir(above);
    }
    (void)_mkdir(path);
}

int main(int count, char **arguments)
{
    char name[PATH_CHARS];
    char here[PATH_CHARS];
    const char *log_name = getenv("STAND_IN_LOG");
    const char *fails = getenv("STAND_IN_FAILS");
    FILE *log = log_name != NULL ? fopen(log_name, "a") : NULL;
    if (log == NULL || _getcwd(here, sizeof here) == NULL)
        return 99;
    (void)name_of(arguments[0], name, sizeof name);
    fprintf(log, "%s: %s", here, name);
    for (int i = 1; i < count; i++)
        fprintf(log, " <%s>", arguments[i]);
    fprintf(log, "\n");
    (void)fclose(log);
    if (fails != NULL &&
        (strcmp(fails, name) == 0 || (count > 2 && strcmp(fails, arguments[2]) == 0)))
        return 3;
    if (count == 5 && strcmp(name, "cmake") == 0)
        make_folder(arguments[4]);
    if (count > 2 && strcmp(arguments[2], "code") == 0)
        printf("{00000000-0000-0000-0000-000000000001}\n");
    return 0;
}
