/* The page: one file, with the picture in it, and the same in tables. No script, nothing from elsewhere. */
#include "graph.h"

#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--back:#f6f7f9;--paper:#fff;--ink:#1b2733;--soft:#5b6b7b;"
    "--line:#d7dee6;--process:#2563a8;--process-back:#eff5fc;--entry:#0b7a5e;--entry-back:#e9f7f2;"
    "--endpoint:#7a5b0b;--endpoint-back:#fbf6e8;--done:#4a7fb8;--pending:#b45309;"
    "--refused:#c0262d;--revoke:#76808b}\n"
    "@media (prefers-color-scheme:dark){:root{--back:#11161c;--paper:#19212a;--ink:#e6edf4;"
    "--soft:#9aabbb;--line:#31404e;--process:#7db4ee;--process-back:#1d2d3e;--entry:#56c9a6;"
    "--entry-back:#17332b;--endpoint:#dcb85a;--endpoint-back:#332c18;--done:#6ea6df;"
    "--pending:#eda04d;--refused:#f2777c;--revoke:#95a1ad}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,\"Segoe "
    "UI\",sans-serif}\n"
    "main,header{max-width:1760px;margin:0 auto;padding:0 28px}\n"
    "header{padding-top:28px}\n"
    "h1{font-size:26px;line-height:1.2;margin:0;letter-spacing:-.01em}\n"
    "h2{font-size:17px;margin:32px 0 10px}\n"
    ".about{color:var(--soft);margin:6px 0 0}\n"
    ".figures{display:flex;flex-wrap:wrap;gap:8px;margin:16px 0;padding:0;list-style:none}\n"
    ".figures li{background:var(--paper);border:1px solid "
    "var(--line);border-radius:8px;padding:4px "
    "12px}\n"
    ".figures b{font-size:17px}\n"
    ".notes{border-left:4px solid var(--pending);background:var(--paper);margin:16px 0;padding:8px "
    "16px;list-style:none;border-radius:0 8px 8px 0}\n"
    "figure{margin:0;background:var(--paper);border:1px solid var(--line);border-radius:12px}\n"
    ".scroll{overflow:auto;text-align:center}\n"
    "figcaption{display:flex;flex-wrap:wrap;gap:6px 22px;border-top:1px solid "
    "var(--line);padding:10px 18px;color:var(--soft);font-size:13px}\n"
    "figcaption svg{vertical-align:-3px;margin-right:6px}\n"
    ".picture{display:inline-block;vertical-align:top;max-width:100%;height:auto}\n"
    "svg text{fill:var(--ink);font-family:system-ui,\"Segoe UI\",sans-serif;text-anchor:start}\n"
    ".card{stroke-width:1.5;fill:var(--process-back);stroke:var(--process)}\n"
    ".dot{fill:var(--process)}\n"
    ".entry .card{fill:var(--entry-back);stroke:var(--entry)}\n"
    ".entry .dot{fill:var(--entry)}\n"
    ".endpoint .card{fill:var(--endpoint-back);stroke:var(--endpoint);stroke-dasharray:5 4}\n"
    ".endpoint .dot{fill:var(--endpoint)}\n"
    "svg .name{font-size:13px;font-weight:600}\n"
    "svg .whose,svg .more{font-size:11px;fill:var(--soft)}\n"
    ".link path{fill:none;stroke:var(--done);opacity:.85}\n"
    ".link.pending path{stroke:var(--pending);stroke-dasharray:7 5}\n"
    ".link.refused path{stroke:var(--refused);stroke-dasharray:3 4}\n"
    ".link.revoke path{stroke:var(--revoke);stroke-dasharray:10 3 2 3}\n"
    ".link:hover path{opacity:1;stroke-width:6}\n"
    ".arrow{fill:var(--done)}.arrow.pending{fill:var(--pending)}.arrow.refused{fill:var(--refused)}"
    ".arrow.revoke{fill:var(--revoke)}\n"
    "svg .label{font-size:10.5px;text-anchor:middle;fill:var(--soft);pointer-events:none}\n"
    ".behind{fill:var(--paper);opacity:.82;pointer-events:none}\n"
    "svg .label.refused{fill:var(--refused)}svg .label.pending{fill:var(--pending)}\n"
    "svg .via{fill:var(--ink);font-weight:600}\n"
    "svg .apart{font-size:13px;fill:var(--soft)}\n"
    "table{border-collapse:collapse;width:100%;background:var(--paper);font-size:13.5px}\n"
    ".wide{overflow:auto;border:1px solid var(--line);border-radius:12px}\n"
    "th,td{text-align:left;vertical-align:top;padding:6px 12px;border-bottom:1px solid "
    "var(--line)}\n"
    "tbody tr:last-child td{border-bottom:0}\n"
    "th{color:var(--soft);font-weight:600;white-space:nowrap}\n"
    "td{overflow-wrap:break-word;max-width:28em}\n"
    "td.time{white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}\n"
    "td.refused{color:var(--refused)}td.pending{color:var(--pending)}\n"
    "footer{color:var(--soft);font-size:13px;padding:28px 0}\n"
    "@media "
    "print{body{background:#fff}.scroll,.wide{overflow:visible}.picture{min-width:0!important}}\n";

/* ---- what stands above the picture ---- */

static void write_figure(FILE *file, uint64_t count, const char *one, const char *many)
{
    fprintf(file, "<li><b>%llu</b> %s</li>", (unsigned long long)count, count == 1 ? one : many);
}

static void write_figures(FILE *file, const struct graph *graph, const struct graph_about *about)
{
    uint64_t refused = 0, processes = 0;
    char from[32], to[32];

    for (size_t i = 0; i < graph->nodes_count; i++)
        processes += graph->nodes[i].shown && graph->nodes[i].kind == GRAPH_PROCESS;
    for (size_t i = 0; i < graph->edges_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        if (edge->shown && edge->outcome == GRAPH_REFUSED)
            refused += edge->count;
    }
    fputs("<ul class=\"figures\">", file);
    write_figure(file, processes, "process", "processes");
    write_figure(file, graph->shares_shown, "hand-off", "hand-offs");
    write_figure(file, refused, "of them refused or failed", "of them refused or failed");
    if (about->records != 0)
        write_figure(file, about->records, "record read", "records read");
    if (about->from_ms != 0) {
        graph_time(about->from_ms, from, sizeof from);
        graph_time(about->to_ms, to, sizeof to);
        fprintf(file, "<li>from %s to %s</li>", from, to);
    }
    if (about->live)
        fputs("<li>with what the service has at this moment</li>", file);
    fputs("</ul>\n", file);
}

/* The list begins with the first note. */
struct notes {
    FILE *file;
    bool begun;
};

static void write_note(void *context, const char *text)
{
    struct notes *notes = context;

    fputs(notes->begun ? "" : "<ul class=\"notes\">", notes->file);
    notes->begun = true;
    fputs("<li>", notes->file);
    graph_xml(notes->file, text, 0);
    fputs("</li>", notes->file);
}

static void write_head(FILE *file, const struct graph *graph, const struct graph_about *about)
{
    struct notes notes = {file, false};
    char made[32];

    graph_time(about->made_ms, made, sizeof made);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<title>Who shared what with whom",
          file);
    if (about->machine[0] != '\0') {
        fputs(" \xC2\xB7 ", file);
        graph_xml(file, about->machine, 0);
    }
    fprintf(file, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n", style);
    fputs("<h1>Who shared what with whom</h1>\n<p class=\"about\">", file);
    if (about->machine[0] != '\0') {
        graph_xml(file, about->machine, 0);
        fputs(" \xC2\xB7 ", file);
    }
    if (about->service[0] != '\0') {
        graph_xml(file, about->service, 0);
        fputs(" \xC2\xB7 ", file);
    }
    fprintf(file, "%s</p>\n", made);
    write_figures(file, graph, about);
    graph_notes(graph, about, write_note, &notes);
    fputs(notes.begun ? "</ul>\n</header>\n" : "</header>\n", file);
}

/* ---- what stands below it ---- */

static void write_legend(FILE *file)
{
    static const char *const kinds[][2] = {{"process", "process"},
                                           {"entry", "entry of the store"},
                                           {"endpoint", "endpoint that nobody received at"}};
    static const char *const looks[][2] = {{"done", "handed over"},
                                           {"pending", "under way"},
                                           {"refused", "refused or failed"},
                                           {"revoke", "taken back"}};

    fputs("<figcaption>", file);
    for (size_t i = 0; i < 3; i++)
        fprintf(file,
                "<span><svg width=\"26\" height=\"16\" aria-hidden=\"true\"><g class=\"%s\"><rect "
                "class=\"card\" x=\"1\" y=\"1\" width=\"24\" height=\"14\" rx=\"%d\"/><circle "
                "class=\"dot\" cx=\"8\" cy=\"8\" r=\"3\"/></g></svg>%s</span>\n",
                kinds[i][0], i == 1 ? 7 : 3, kinds[i][1]);
    for (size_t i = 0; i < 4; i++)
        fprintf(file,
                "<span><svg width=\"40\" height=\"16\" aria-hidden=\"true\"><g class=\"link "
                "%s\"><path stroke-width=\"2\" marker-end=\"url(#arrow-%s)\" d=\"M0 8 "
                "L40 8\"/></g></svg>%s</span>\n",
                looks[i][0], looks[i][0], looks[i][1]);
    fputs("<span>a thicker line: more hand-offs</span>"
          "<span>\xE2\x97\x82 listens at this endpoint</span></figcaption>\n",
          file);
}

static void write_cell(FILE *file, const char *text)
{
    fputs("<td>", file);
    graph_xml(file, text != NULL && text[0] != '\0' ? text : "-", 0);
    fputs("</td>", file);
}

static void write_end(FILE *file, const struct graph_node *node)
{
    char title[GRAPH_TITLE_BYTES];

    graph_title(node, title);
    fputs("<td>", file);
    graph_xml(file, title, 0);
    if (node->kind == GRAPH_PROCESS && node->name != NULL)
        fprintf(file, " (%lu)", (unsigned long)node->pid);
    fputs("</td>", file);
}

static void write_time(FILE *file, uint64_t unix_ms)
{
    char text[32] = "";
    if (unix_ms != 0)
        graph_time(unix_ms, text, sizeof text);
    fprintf(file, "<td class=\"time\">%s</td>", unix_ms != 0 ? text : "-");
}

static void write_edges(FILE *file, const struct graph *graph, const struct graph_picture *picture)
{
    char types[1024];

    fputs(
        "<h2>Hand-offs</h2>\n<div class=\"wide\"><table id=\"edges\">\n<thead><tr><th>from</th><th>"
        "to</th><th>how</th><th>name</th><th>outcome</th><th>times</th><th>handles</th><th>types "
        "and rights</th><th>first</th><th>last</th></tr></thead>\n<tbody>\n",
        file);
    for (size_t i = 0; i < graph->edges_shown; i++) {
        const struct graph_edge *edge = &graph->edges[picture->edges[i]];
        const char *outcome = graph_outcome_word(edge->outcome);
        graph_types(edge, true, types, sizeof types);
        fputs("<tr>", file);
        write_end(file, &graph->nodes[edge->from]);
        write_end(file, &graph->nodes[edge->to]);
        write_cell(file, graph_how_word(edge->how));
        write_cell(file, edge->name);
        fprintf(file, "<td class=\"%s\">", outcome);
        graph_xml(file, edge->word != NULL ? edge->word : outcome, 0);
        fprintf(file, "</td><td class=\"number\">%llu</td><td class=\"number\">%llu</td>",
                (unsigned long long)edge->count, (unsigned long long)edge->handles);
        write_cell(file, types);
        write_time(file, edge->first_ms);
        write_time(file, edge->last_ms);
        fputs("</tr>\n", file);
    }
    fputs("</tbody></table></div>\n", file);
}

static void write_nodes(FILE *file, const struct graph *graph)
{
    char title[GRAPH_TITLE_BYTES];

    fputs("<h2>Processes, entries and endpoints</h2>\n<div class=\"wide\"><table "
          "id=\"nodes\">\n<thead><tr><th>kind</th><th>name</th><th>process</th><th>user</"
          "th><th>listens "
          "at</th><th>hand-offs</th></tr></thead>\n<tbody>\n",
          file);
    for (size_t i = 0; i < graph->nodes_count; i++) {
        const struct graph_node *node = &graph->nodes[i];
        char pid[16] = "";
        if (!node->shown)
            continue;
        graph_title(node, title);
        if (node->kind == GRAPH_PROCESS)
            snprintf(pid, sizeof pid, "%lu", (unsigned long)node->pid);
        fputs("<tr>", file);
        write_cell(file, graph_kind_word(node->kind));
        write_cell(file, title);
        write_cell(file, pid);
        write_cell(file, node->user);
        fputs(node->names_count == 0 ? "<td>-" : "<td>", file);
        for (size_t k = 0; k < node->names_count && k < GRAPH_NAMES_MAX; k++) {
            fputs(k != 0 ? ", " : "", file);
            graph_xml(file, node->names[k], 0);
        }
        if (node->names_count > GRAPH_NAMES_MAX)
            fprintf(file, " and %lu more", (unsigned long)(node->names_count - GRAPH_NAMES_MAX));
        fprintf(file, "</td><td class=\"number\">%llu</td></tr>\n",
                (unsigned long long)node->count);
    }
    fputs("</tbody></table></div>\n", file);
}

bool graph_write_html(FILE *file, const struct graph *graph, const struct graph_about *about)
{
    struct graph_picture picture;
    bool good = graph_lay_out(graph, &picture);

    if (good) {
        write_head(file, graph, about);
        fputs("<main>\n<figure>\n<div class=\"scroll\">\n", file);
        good = graph_write_svg(file, graph, &picture);
        fputs("</div>\n", file);
        write_legend(file);
        fputs("</figure>\n", file);
        write_edges(file, graph, &picture);
        write_nodes(file, graph);
        fputs("<footer>Made by hbctl graph. Times are UTC.</footer>\n</main>\n</body>\n</html>\n",
              file);
    }
    graph_picture_free(&picture);
    return good;
}
