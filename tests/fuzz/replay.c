/* Runs a target over kept inputs, where there is no libFuzzer:
 *
 *     fuzz_NAME FILE...
 *
 * FILE.inputs has one input a line as pack.py writes them: \\, \n and \xNN stand for a byte, # begins a comment.
 * FILE.lines has one input a line, as it is. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One input, in memory of exactly its size: a sanitizer sees who reads past it. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    HBK_ASSERT(copy != NULL);
    if (size > 0)
        memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int hex(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* In place. Return: how many bytes @line stands for; SIZE_MAX: it is ill-formed. */
static size_t unescape(uint8_t *line, size_t size)
{
    size_t out = 0;

    for (size_t i = 0; i < size; i++) {
        if (line[i] != '\\') {
            line[out++] = line[i];
        } else if (i + 1 < size && line[i + 1] == '\\') {
            line[out++] = line[++i];
        } else if (i + 1 < size && line[i + 1] == 'n') {
            line[out++] = '\n';
            i++;
        } else if (i + 3 < size && line[i + 1] == 'x' && hex((char)line[i + 2]) >= 0 &&
                   hex((char)line[i + 3]) >= 0) {
            line[out++] = (uint8_t)(hex((char)line[i + 2]) * 16 + hex((char)line[i + 3]));
            i += 3;
        } else {
            return SIZE_MAX;
        }
    }
    return out;
}

static struct hbk_buffer read_file(const char *path)
{
    struct hbk_buffer bytes = {0};
    char block[4096];
    size_t size;
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        fprintf(stderr, "replay: cannot open %s\n", path);
        exit(2);
    }
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        hbk_buffer_append(&bytes, block, size);
    HBK_ASSERT(!ferror(file) && !bytes.failed);
    (void)fclose(file);
    return bytes;
}

static bool ends_with(const char *path, const char *end)
{
    return strlen(path) >= strlen(end) && strcmp(path + strlen(path) - strlen(end), end) == 0;
}

/* Return: how many inputs were run; 0: the file is ill-formed, or there is none in it. */
static size_t replay(const char *path)
{
    struct hbk_buffer bytes = read_file(path);
    const bool escaped = ends_with(path, ".inputs");
    size_t count = 0, number = 0;

    if (!escaped && !ends_with(path, ".lines")) {
        fprintf(stderr, "replay: %s is neither .inputs nor .lines\n", path);
        return 0;
    }
    for (size_t at = 0; at < bytes.size;) {
        uint8_t *line = bytes.data + at;
        const uint8_t *end = memchr(line, '\n', bytes.size - at);
        size_t size = end ? (size_t)(end - line) : bytes.size - at;

        at += size + 1;
        number++;
        if (escaped && size > 0 && line[0] == '#')
            continue;
        if (escaped)
            size = unescape(line, size);
        if (size == SIZE_MAX) {
            fprintf(stderr, "replay: %s:%zu: no such escape\n", path, number);
            count = 0;
            break;
        }
        run(line, size);
        count++;
    }
    hbk_buffer_deinit(&bytes);
    return count;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "replay: which inputs?\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        const size_t count = replay(argv[i]);

        if (count == 0) {
            fprintf(stderr, "replay: nothing was run of %s\n", argv[i]);
            return 1;
        }
        printf("%s: %zu inputs\n", argv[i], count);
    }
    return 0;
}
