/* hbctl handles, hbctl holders. */
#include "hbctl.h"

#include <stdlib.h>

/* Windows asks for this privilege, enabled, where a process is another user's; the service asks on our behalf, about the
 * token that we connect with. Who does not hold it goes on without. */
static void enable_debug(void)
{
    TOKEN_PRIVILEGES wanted = {.PrivilegeCount = 1};
    HANDLE token = NULL;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
        return;
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (LookupPrivilegeValueW(NULL, L"SeDebugPrivilege", &wanted.Privileges[0].Luid))
        AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
    CloseHandle(token);
}

/* What to try next, by what went wrong. */
static const char *advice(hbk_result result)
{
    switch (result) {
    case HBK_DENIED:
        return "It takes the right to inspect, and that to duplicate handles of the process: run "
               "it as an administrator.";
    case HBK_NOT_FOUND:
        return "Is the process running?";
    case HBK_BAD_HANDLE:
        return "The value is one of that process: hbctl handles PID";
    default:
        return inspect_advice(result);
    }
}

static const char *flags_text(const hbk_handle_entry *entry)
{
    return entry->inherit && entry->protect ? "inherit protect"
           : entry->inherit                 ? "inherit"
           : entry->protect                 ? "protect"
                                            : "-";
}

static uint64_t value_of(const hbk_handle_entry *entry)
{
    return (uint64_t)(uintptr_t)entry->handle;
}

static void json_flags(struct json *json, const hbk_handle_entry *entry)
{
    json_number(json, "access", entry->access);
    json_bool(json, "inherit", entry->inherit != 0);
    json_bool(json, "protect", entry->protect != 0);
}

/* ---- handles ---- */

static void print_handles(const hbk_handle_entries *list)
{
    static const char *const headings[] = {"HANDLE", "TYPE", "ACCESS", "FLAGS"};
    struct table table;

    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < list->count; i++) {
        const hbk_handle_entry *entry = &list->entries[i];
        char value[24], access[16];
        snprintf(value, sizeof value, "0x%llx", (unsigned long long)value_of(entry));
        snprintf(access, sizeof access, "0x%08lx", (unsigned long)entry->access);
        const char *cells[] = {value, entry->type[0] != '\0' ? entry->type : "-", access,
                               flags_text(entry)};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
}

static void json_handles(const hbk_handle_entries *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_open(&json, "handles", '[');
    for (size_t i = 0; i < list->count; i++) {
        const hbk_handle_entry *entry = &list->entries[i];
        json_open(&json, NULL, '{');
        json_number(&json, "handle", value_of(entry));
        json_text(&json, "type", entry->type[0] != '\0' ? entry->type : NULL);
        json_flags(&json, entry);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_end(&json);
}

enum exit_code run_handles(struct arguments *arguments)
{
    const char *process = NULL;
    const struct operand operands[] = {{&process, "of which process? its number is missing"}};
    hbk_handle_entries *list = NULL;
    struct talk talk;
    uint32_t pid = 0;
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, NULL, 0, operands, 1, &code))
        return code;
    if (!pid_read(process, &pid))
        return usage_error(arguments, "no number of a process", process);
    enable_debug();
    if (talk_begin(&talk, arguments) &&
        talk_good(&talk, hbk_handle_list(talk.client, pid, &list, &talk.error), advice)) {
        if (arguments->globals.json)
            json_handles(list);
        else
            print_handles(list);
        hbk_handle_entries_free(list);
    }
    return talk_end(&talk);
}

/* ---- holders ---- */

static void print_holders(const hbk_holder_entries *list)
{
    static const char *const headings[] = {"PROCESS", "HANDLE", "ACCESS", "FLAGS"};
    struct table table;

    table_begin(&table, sizeof headings / sizeof headings[0], headings);
    for (size_t i = 0; i < list->count; i++) {
        const hbk_handle_entry *entry = &list->entries[i];
        char pid[16], value[24], access[16];
        snprintf(pid, sizeof pid, "%lu", (unsigned long)entry->pid);
        snprintf(value, sizeof value, "0x%llx", (unsigned long long)value_of(entry));
        snprintf(access, sizeof access, "0x%08lx", (unsigned long)entry->access);
        const char *cells[] = {pid, value, access, flags_text(entry)};
        table_row(&table, cells);
    }
    table_print(&table, stdout);
    fputs("\nthe object is of type ", stdout);
    print_text(stdout, list->type);
    fputc('\n', stdout);
    if (list->broker != 0)
        printf("the service has %lu handles to it\n", (unsigned long)list->broker);
    if (!list->complete)
        puts("there may be more holders");
}

static void json_holders(const hbk_holder_entries *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_text(&json, "type", list->type);
    json_open(&json, "holders", '[');
    for (size_t i = 0; i < list->count; i++) {
        const hbk_handle_entry *entry = &list->entries[i];
        json_open(&json, NULL, '{');
        json_number(&json, "pid", entry->pid);
        json_number(&json, "handle", value_of(entry));
        json_flags(&json, entry);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_number(&json, "broker", list->broker);
    json_bool(&json, "complete", list->complete != 0);
    json_end(&json);
}

enum exit_code run_holders(struct arguments *arguments)
{
    const char *process = NULL, *value = NULL;
    const struct operand operands[] = {
        {&process, "which process has the handle? its number is missing"},
        {&value, "which handle? its value in that process is missing, such as 0x1c4"},
    };
    hbk_holder_entries *list = NULL;
    struct talk talk;
    uint32_t pid = 0, handle = 0;
    enum exit_code code = EXIT_USAGE;

    if (!options_read(arguments, NULL, 0, operands, sizeof operands / sizeof operands[0], &code))
        return code;
    if (!pid_read(process, &pid))
        return usage_error(arguments, "no number of a process", process);
    if (!handle_read(value, &handle))
        return usage_error(arguments, "no value of a handle, as 0x1c4", value);
    enable_debug();
    if (talk_begin(&talk, arguments) &&
        talk_good(&talk,
                  hbk_holder_list(talk.client, pid, (HANDLE)(uintptr_t)handle, &list, &talk.error),
                  advice)) {
        if (arguments->globals.json)
            json_holders(list);
        else
            print_holders(list);
        hbk_holder_entries_free(list);
    }
    return talk_end(&talk);
}
