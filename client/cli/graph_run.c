/* hbctl graph: its command line, its JSON, and the file that it writes. */
#include "graph_run.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define FILES_MAX 100 /* of records: as many as the service can be told to keep */
#define WATCH_MS_MAX 86400000u
#define FILE_TRIES 16 /* names for a temporary file */

struct graph_request {
    bool dot, html;
    const char *output; /* NULL: standard output */
    const char *files[FILES_MAX];
    size_t files_count;
    uint32_t watch_ms, nodes;
};

/* ---- JSON ---- */

static void json_id(struct json *json, const char *key, size_t index)
{
    char id[24];
    snprintf(id, sizeof id, "n%lu", (unsigned long)index + 1);
    json_text(json, key, id);
}

static void json_node(struct json *json, const struct graph_node *node, size_t index)
{
    json_open(json, NULL, '{');
    json_id(json, "id", index);
    json_text(json, "kind", graph_kind_word(node->kind));
    if (node->kind == GRAPH_PROCESS) {
        json_number(json, "pid", node->pid);
        json_text(json, "user", node->user);
        json_text(json, "client", node->name);
        json_open(json, "endpoints", '[');
        for (size_t i = 0; i < node->names_count && i < GRAPH_NAMES_MAX; i++)
            json_text(json, NULL, node->names[i]);
        json_close(json, ']');
        json_number(json, "endpoints_count", node->names_count);
        json_number(json, "sent", node->sent);
        json_number(json, "received", node->got);
    } else {
        json_text(json, "name", node->name);
        json_text(json, "user", node->user);
        if (node->entry != 0)
            json_number(json, "entry", node->entry);
    }
    json_number(json, "count", node->count);
    json_close(json, '}');
}

static void json_edge(struct json *json, const struct graph_edge *edge)
{
    json_open(json, NULL, '{');
    json_id(json, "from", edge->from);
    json_id(json, "to", edge->to);
    json_text(json, "how", graph_how_word(edge->how));
    json_text(json, "outcome", graph_outcome_word(edge->outcome));
    json_text(json, edge->outcome == GRAPH_REFUSED ? "error" : "state", edge->word);
    json_text(json, "name", edge->name);
    json_number(json, "count", edge->count);
    json_number(json, "handles", edge->handles);
    json_open(json, "items", '[');
    for (size_t i = 0; i < edge->types_count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "type", edge->types[i].type);
        json_number(json, "access", edge->types[i].access);
        json_number(json, "count", edge->types[i].count);
        json_close(json, '}');
    }
    json_close(json, ']');
    if (edge->first_ms != 0) {
        json_number(json, "first_ms", edge->first_ms);
        json_number(json, "last_ms", edge->last_ms);
    }
    json_close(json, '}');
}

static void write_json(FILE *file, const struct graph *graph, const struct graph_about *about)
{
    struct json json;

    json_begin(&json, file);
    json_text(&json, "machine", about->machine[0] != '\0' ? about->machine : NULL);
    json_text(&json, "service", about->service[0] != '\0' ? about->service : NULL);
    json_number(&json, "time_ms", about->made_ms);
    json_bool(&json, "live", about->live);
    json_bool(&json, "own", about->own);
    json_number(&json, "records", about->records);
    json_number(&json, "malformed", about->malformed);
    json_number(&json, "missed", about->missed);
    json_number(&json, "lost", graph->lost);
    json_number(&json, "nodes_left_out", graph->nodes_count - graph->nodes_shown);
    json_number(&json, "edges_left_out", graph->edges_count - graph->edges_shown);
    json_number(&json, "count", graph->shares);
    json_number(&json, "count_left_out", graph->shares - graph->shares_shown);
    json_open(&json, "nodes", '[');
    for (size_t i = 0; i < graph->nodes_count; i++) {
        if (graph->nodes[i].shown)
            json_node(&json, &graph->nodes[i], i);
    }
    json_close(&json, ']');
    json_open(&json, "edges", '[');
    for (size_t i = 0; i < graph->edges_count; i++) {
        if (graph->edges[i].shown)
            json_edge(&json, &graph->edges[i]);
    }
    json_close(&json, ']');
    json_end(&json);
}

/* ---- the document ---- */

static bool write_document(FILE *file, const struct graph_run *run,
                           const struct graph_request *request)
{
    bool good = true;

    if (request->html)
        good = graph_write_html(file, run->graph, &run->about);
    else if (run->arguments->globals.json)
        write_json(file, run->graph, &run->about);
    else
        graph_write_dot(file, run->graph, &run->about);
    if (!good)
        graph_out_of_memory(run->arguments);
    return good;
}

/* A new file beside @path, which becomes it when it is whole. NULL: none can be made. */
static FILE *temporary_open(const wchar_t *path, wchar_t **ret_name)
{
    const size_t size = wcslen(path) + 32;
    wchar_t *name = malloc(size * sizeof name[0]);
    FILE *file = NULL;

    for (unsigned i = 0; name != NULL && file == NULL && i < FILE_TRIES; i++) {
        (void)swprintf(name, size, L"%ls.%lu-%u.tmp", path, GetCurrentProcessId(), i);
        HANDLE handle =
            CreateFileW(name, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (handle == INVALID_HANDLE_VALUE) {
            if (GetLastError() == ERROR_FILE_EXISTS)
                continue;
            break;
        }
        int descriptor = _open_osfhandle((intptr_t)handle, _O_BINARY);
        if (descriptor < 0) {
            CloseHandle(handle);
            DeleteFileW(name);
            break;
        }
        file = _fdopen(descriptor, "wb");
        if (file == NULL) {
            _close(descriptor);
            DeleteFileW(name);
            break;
        }
    }
    if (file == NULL) {
        free(name);
        return NULL;
    }
    *ret_name = name;
    return file;
}

static bool is_folder(const wchar_t *path)
{
    const DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* Writes the document, or only tries whether it could be written (@run NULL): nothing is left of it then, nor if it
 * fails. What was there before stays until the new one is whole. */
static enum exit_code write_output(const struct arguments *arguments, const struct graph_run *run,
                                   const struct graph_request *request)
{
    wchar_t *path = to_wide(request->output), *name = NULL;
    FILE *file = path != NULL && !is_folder(path) ? temporary_open(path, &name) : NULL;
    bool good = file != NULL, memory = true;

    if (good) {
        memory = run == NULL || write_document(file, run, request);
        good = ferror(file) == 0;
        good = fclose(file) == 0 && good;
        if (good && memory && run != NULL)
            good = MoveFileExW(name, path, MOVEFILE_REPLACE_EXISTING);
        if (!good || !memory || run == NULL)
            DeleteFileW(name);
    }
    free(name);
    free(path);
    if (!good)
        return usage_error(arguments, "cannot write this file", request->output);
    return memory ? EXIT_DONE : EXIT_REFUSED;
}

/* ---- the command ---- */

static enum exit_code gather(struct graph_run *run, const struct graph_request *request)
{
    enum exit_code code = EXIT_DONE;
    struct talk talk;

    for (size_t i = 0; code == EXIT_DONE && i < request->files_count; i++)
        code = graph_gather_file(run, request->files[i]);
    if (code != EXIT_DONE || (request->files_count != 0 && request->watch_ms == 0))
        return code;
    if (talk_begin(&talk, run->arguments)) {
        talk.code = graph_gather_service(run, talk.client);
        if (talk.code == EXIT_DONE && request->files_count != 0)
            talk.code = graph_gather_watch(run, talk.client, request->watch_ms);
        else if (talk.code == EXIT_DONE)
            talk.code = graph_gather_live(run, talk.client, request->watch_ms);
    }
    return talk_end(&talk);
}

static uint64_t unix_ms(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    /* From 100 ns since 1601 to milliseconds since 1970. */
    return (((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - 116444736000000000u) /
           10000u;
}

static void tell_note(void *context, const char *text)
{
    const struct arguments *arguments = context;
    if (arguments->globals.json)
        json_notice("graph_incomplete", NULL, 0, text);
    else
        fprintf(stderr, "hbctl %s: %s\n", arguments->command, text);
}

static enum exit_code make_graph(struct arguments *arguments, const struct graph_request *request)
{
    struct graph_run run = {.arguments = arguments, .graph = graph_new()};
    enum exit_code code = EXIT_DONE;

    if (run.graph == NULL)
        return graph_out_of_memory(arguments);
    run.about.made_ms = unix_ms();
    /* Before anything is waited for. */
    if (request->output != NULL)
        code = write_output(arguments, NULL, request);
    if (code == EXIT_DONE)
        code = gather(&run, request);
    if (code == EXIT_DONE) {
        graph_choose(run.graph, request->nodes);
        graph_notes(run.graph, &run.about, tell_note, arguments);
        if (request->output != NULL)
            code = write_output(arguments, &run, request);
        else
            code = write_document(stdout, &run, request) ? EXIT_DONE : EXIT_REFUSED;
    }
    graph_free(run.graph);
    return code;
}

enum exit_code run_graph(struct arguments *arguments)
{
    struct graph_request request = {.nodes = GRAPH_SHOWN};
    const struct option options[] = {
        {"--dot", OPTION_FLAG, 0, &request.dot, NULL},
        {"--html", OPTION_FLAG, 0, &request.html, NULL},
        {"--output", OPTION_TEXT, 0, &request.output, NULL},
        {"--records", OPTION_LIST, FILES_MAX, request.files, &request.files_count},
        {"--watch", OPTION_NUMBER, WATCH_MS_MAX, &request.watch_ms, NULL},
        {"--nodes", OPTION_NUMBER, GRAPH_SHOWN_MAX, &request.nodes, NULL},
    };
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, options, sizeof options / sizeof options[0], NULL, 0, &code))
        return code;
    if (request.dot + request.html + arguments->globals.json > 1)
        return usage_error(arguments, "one of --dot, --html and --json", NULL);
    if (request.nodes == 0)
        return usage_error(arguments, "--nodes wants at least one", NULL);
    return make_graph(arguments, &request);
}
