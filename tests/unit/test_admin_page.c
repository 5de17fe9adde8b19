/* installer/ADMIN.md stays true: its table of limits has the defaults of the code, and its example of a
 * configuration file is one. */
#include "test_support.h"
#include "config.h"
#include "codec_support.h"
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct hbk_config defaults;

static const struct {
    const char *name;
    const uint32_t *value;
} limits[] = {
    {"sessions", &defaults.sessions},
    {"requests", &defaults.requests},
    {"pins", &defaults.pins},
    {"pending", &defaults.pending},
    {"endpoints", &defaults.endpoints},
    {"stored", &defaults.stored},
    {"stored_bytes", &defaults.stored_bytes},
    {"queued_bytes", &defaults.queued_bytes},
    {"sessions_per_user", &defaults.sessions_per_user},
    {"requests_per_session", &defaults.requests_per_session},
    {"endpoints_per_session", &defaults.endpoints_per_session},
    {"pins_per_session", &defaults.pins_per_session},
    {"pending_per_endpoint", &defaults.pending_per_endpoint},
    {"write_queue_bytes", &defaults.write_queue_bytes},
    {"hello_ms", &defaults.hello_ms},
    {"line_ms", &defaults.line_ms},
    {"write_ms", &defaults.write_ms},
    {"stop_ms", &defaults.stop_ms},
};

/* The page, with a NUL at its end. */
static struct hbk_buffer read_page(void)
{
    struct hbk_buffer page = read_test_file("installer/ADMIN.md");

    hbk_buffer_append(&page, "", 1);
    assert_false(page.failed);
    return page;
}

static void test_limits(void **state)
{
    struct hbk_buffer page = read_page();
    const char *at = strstr((const char *)page.data, "\n| key in `limits` |");

    (void)state;
    hbk_config_default(&defaults);
    assert_non_null(at);
    at = strstr(at, "\n| --- |");
    assert_non_null(at);
    at = strchr(at + 1, '\n') + 1;
    for (size_t i = 0; i < COUNT(limits); i++) {
        char row[80];

        (void)snprintf(row, sizeof row, "| `%s` | %lu | ", limits[i].name,
                       (unsigned long)*limits[i].value);
        if (strncmp(at, row, strlen(row)) != 0)
            fail_msg("%.60s, not %s", at, row);
        at = strchr(at, '\n') + 1;
    }
    assert_int_equal(*at, '\n');
    hbk_buffer_deinit(&page);
}

static void hear(void *context, uint32_t line, const char *key, const char *what)
{
    (void)context;
    fail_msg("ADMIN.md's example: line %lu: %s: %s", (unsigned long)line, key, what);
}

static void test_example(void **state)
{
    uint32_t values[COUNT(limits) + 3];
    struct hbk_config_field fields[COUNT(limits) + 3];
    struct hbk_config_file file = {.tree = NULL};
    struct hbk_buffer page = read_page();
    const char *begin = strstr((const char *)page.data, "```json\n");

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++)
        fields[i] = (struct hbk_config_field){"limits", limits[i].name, 0, UINT32_MAX, &values[i]};
    fields[COUNT(limits)] =
        (struct hbk_config_field){"audit", "file_bytes", 0, UINT32_MAX, &values[COUNT(limits)]};
    fields[COUNT(limits) + 1] =
        (struct hbk_config_field){"audit", "files", 0, UINT32_MAX, &values[COUNT(limits) + 1]};
    fields[COUNT(limits) + 2] = (struct hbk_config_field){"metrics", "interval_ms", 0, UINT32_MAX,
                                                          &values[COUNT(limits) + 2]};
    assert_non_null(begin);
    begin += strlen("```json\n");
    const char *end = strstr(begin, "```");
    assert_non_null(end);
    assert_int_equal(hbk_config_read((struct hbk_text){begin, (size_t)(end - begin)}, fields,
                                     COUNT(fields), hear, NULL, &file),
                     0);
    assert_int_equal(file.rules_count, 3);
    assert_non_null(file.audit_file.text.data);
    assert_non_null(file.metrics_file.text.data);
    hbk_config_clear(&file);
    hbk_buffer_deinit(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_example),
    };

    return cmocka_run_group_tests_name("admin_page", tests, NULL, NULL);
}
