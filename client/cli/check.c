/* hbctl check-config: a configuration file, without the service. */
#include "hbctl.h"

#include "check.h"

#include <stdlib.h>

/* Not as a table: none of it may be cut off. */
static void print_findings(const struct hbk_check *check)
{
    const struct hbk_findings *findings = &check->findings;
    size_t untold = findings->count - findings->kept_count;

    printf("%s has %lu mistake%s:\n\n", check->name, (unsigned long)findings->count,
           findings->count == 1 ? "" : "s");
    for (size_t i = 0; i < findings->kept_count; i++) {
        const struct hbk_finding *finding = &findings->kept[i];
        if (finding->line != 0)
            printf("line %lu: ", (unsigned long)finding->line);
        print_text(stdout, finding->key);
        if (finding->key[0] != '\0')
            fputs(": ", stdout);
        print_text(stdout, finding->detail);
        fputc('\n', stdout);
    }
    if (untold > 0)
        printf("and %lu more\n", (unsigned long)untold);
}

static void print_check(const struct hbk_check *check)
{
    if (check->state == HBK_CHECK_MISSING) {
        printf("%s: there is no such file; without it the built-in rules hold\n", check->name);
        return;
    }
    if (check->state == HBK_CHECK_MISTAKES)
        print_findings(check);
    else
        hbk_check_print(check);
    if (check->believed)
        printf("\nThe service would believe it where it is.\n");
    else
        printf("\nThe service would not believe it where it is: %s\n", check->why);
}

static void json_findings(struct json *json, const struct hbk_findings *findings)
{
    json_open(json, "findings", '[');
    for (size_t i = 0; i < findings->kept_count; i++) {
        const struct hbk_finding *finding = &findings->kept[i];
        json_open(json, NULL, '{');
        if (finding->line != 0)
            json_number(json, "line", finding->line);
        if (finding->key[0] != '\0')
            json_text(json, "setting", finding->key);
        json_text(json, "detail", finding->detail);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_number(json, "findings_count", findings->count);
}

static void json_check(const struct hbk_check *check)
{
    struct json json;
    uint32_t value = 0;

    json_begin(&json, stdout);
    json_text(&json, "file", check->name);
    json_bool(&json, "exists", check->state != HBK_CHECK_MISSING);
    json_bool(&json, "valid", check->state == HBK_CHECK_GOOD);
    json_bool(&json, "believed", check->believed);
    if (check->state != HBK_CHECK_MISSING && !check->believed)
        json_text(&json, "why", check->why);
    json_findings(&json, &check->findings);
    if (check->state == HBK_CHECK_GOOD) {
        struct hbk_check_figures figures;
        hbk_check_figures(check, &figures);
        json_number(&json, "rules", figures.rules);
        json_open(&json, "limits", '{');
        for (size_t i = 0;; i++) {
            const char *name = hbk_check_limit(check, i, &value);
            if (name == NULL)
                break;
            json_number(&json, name, value);
        }
        json_close(&json, '}');
        json_bool(&json, "audit_file", figures.audit_file);
        json_bool(&json, "metrics_file", figures.metrics_file);
    }
    json_end(&json);
}

/* @own: it is the service's, that is what counts for it. */
static enum exit_code judge(const struct arguments *arguments, const struct hbk_check *check,
                            bool own)
{
    if (check->state == HBK_CHECK_UNREAD)
        return usage_error(arguments, check->why, check->name);
    if (check->state == HBK_CHECK_MISSING && !own)
        return usage_error(arguments, "there is no such file", check->name);
    if (arguments->globals.json)
        json_check(check);
    else
        print_check(check);
    if (check->state == HBK_CHECK_MISTAKES)
        return EXIT_REFUSED;
    return own && check->state == HBK_CHECK_GOOD && !check->believed ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_code run_check_config(struct arguments *arguments)
{
    const char *name = NULL;
    const struct operand operand = {&name, NULL};
    struct hbk_check check = {.settings = NULL};
    enum exit_code code = EXIT_USAGE;
    wchar_t *path = NULL;

    if (!options_read(arguments, NULL, 0, &operand, 1, &code))
        return code;
    if (name != NULL)
        path = to_wide(name);
    if ((name != NULL && path == NULL) || hbk_check_file(path, &check) != 0)
        code = usage_error(arguments, "out of memory", name);
    else
        code = judge(arguments, &check, name == NULL);
    hbk_check_free(&check);
    free(path);
    return code;
}
