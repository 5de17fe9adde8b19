/* A child that is trusted with nothing: no privileges, no administrators' rights, low integrity. It gets
 * one section, to read, and cannot make more of it.
 *
 *     least_privilege                  the parent, which starts the child
 *     least_privilege --pipe NAME      the same with a broker in the console
 *
 * Not inheritance: that hands over what the parent has, with all its rights. The broker reduces the
 * rights; and that they stay reduced is up to the object's own descriptor, so the section is made
 * with hbk_section_create().
 *
 * Exit code 0 only if the child could read the section, and do nothing else with it. */
#include "example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINT "user/least-privilege"
#define SECTION_SIZE 4096
#define KNOWN_TEXT "a text that the child may read"

/* @pipe: NULL: the installed service, and no other. A broker in the console cannot be told from an
 * impostor, so never do that in production. */
static hbk_client *open_broker(const char *pipe)
{
    hbk_open_options options = {.size = sizeof options, .connect_timeout_ms = EXAMPLE_WAIT_MS};
    wchar_t name[128];
    hbk_client *client = NULL;
    hbk_error_info error;

    if (pipe != NULL && MultiByteToWideChar(CP_UTF8, 0, pipe, -1, name, 128) != 0) {
        options.pipe = name;
        options.flags = HBK_OPEN_UNVERIFIED;
    }
    if (hbk_open(&options, &client, &error) != HBK_OK)
        example_refused("hbk_open", &error);
    return client;
}

/* ---- the child ---- */

static bool reads_it(HANDLE section)
{
    const char *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    if (view == NULL)
        return example_failed("MapViewOfFile", GetLastError());
    bool good = strcmp(view, KNOWN_TEXT) == 0;
    UnmapViewOfFile(view);
    return example_check(good, "read the parent's text");
}

static bool refused_to_write(HANDLE section)
{
    void *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    if (view != NULL)
        UnmapViewOfFile(view);
    return example_check(view == NULL, "refused: map it for writing");
}

/* The two ways to get back what was taken away: ask the object, and ask the parent. */
static bool refused_to_widen(HANDLE section, DWORD parent, int widenable)
{
    HANDLE self = GetCurrentProcess(), wider = NULL;

    if (example_is_wine()) {
        example_say(
            "SKIPPED: whether it can be widened. Wine lets anybody widen any handle, open any");
        example_say("SKIPPED  process, and change the descriptor of what its own user has made");
        return true;
    }
    bool told = example_check(widenable == HBK_WIDEN_NO, "the broker says: cannot be widened");
    bool good = !DuplicateHandle(self, section, self, &wider, SECTION_MAP_WRITE, FALSE, 0) &&
                GetLastError() == ERROR_ACCESS_DENIED;
    if (wider != NULL)
        CloseHandle(wider);
    good = example_check(good, "refused: DuplicateHandle with the right to write");
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, parent);
    if (process != NULL)
        CloseHandle(process);
    return example_check(process == NULL, "refused: take the parent's own handle") && good && told;
}

/* All that it says it takes: sections, to read. */
static bool receive_and_try(hbk_client *client, DWORD parent)
{
    const hbk_type_accept types[] = {{"Section", HBK_ACCESS_READ}};
    hbk_endpoint_options endpoint = {.size = sizeof endpoint,
                                     .name = ENDPOINT,
                                     .types = types,
                                     .types_count = 1,
                                     .items_max = 1};
    hbk_delivery *delivery = NULL;
    hbk_error_info error;

    if (hbk_endpoint_open(client, &endpoint, &error) != HBK_OK)
        return example_refused("hbk_endpoint_open", &error);
    if (hbk_receive(client, EXAMPLE_WAIT_MS, &delivery, &error) != HBK_OK)
        return example_refused("hbk_receive", &error);
    const hbk_received_item *item = &delivery->items[0];
    HANDLE section = item->handle;
    example_say("got a %s, access 0x%lx", item->type, (unsigned long)item->access);
    bool good = example_check(delivery->from_pid == parent, "from the parent");
    good = example_check((item->access & SECTION_MAP_WRITE) == 0, "without the right to write") &&
           good;
    good = reads_it(section) && good;
    good = refused_to_write(section) && good;
    good = refused_to_widen(section, parent, item->widenable) && good;
    hbk_delivery_free(delivery);
    return good;
}

static bool run_child(DWORD parent, const char *pipe)
{
    example_begin("child");
    hbk_client *client = open_broker(pipe);
    bool good = client != NULL && receive_and_try(client, parent);
    hbk_close(client);
    return good;
}

/* ---- the parent ---- */

static bool set_low_integrity(HANDLE token)
{
    SID_IDENTIFIER_AUTHORITY authority = SECURITY_MANDATORY_LABEL_AUTHORITY;
    PSID low = NULL;

    if (!AllocateAndInitializeSid(&authority, 1, SECURITY_MANDATORY_LOW_RID, 0, 0, 0, 0, 0, 0, 0,
                                  &low))
        return example_failed("AllocateAndInitializeSid", GetLastError());
    TOKEN_MANDATORY_LABEL label = {.Label = {low, SE_GROUP_INTEGRITY}};
    bool good = SetTokenInformation(token, TokenIntegrityLevel, &label,
                                    (DWORD)sizeof label + GetLengthSid(low)) != 0;
    if (!good)
        example_failed("SetTokenInformation", GetLastError());
    FreeSid(low);
    return good;
}

/* The parent's own token with less. */
static HANDLE make_token(void)
{
    HANDLE own = NULL, token = NULL;
    BYTE administrators[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof administrators;
    SID_AND_ATTRIBUTES disabled = {.Sid = administrators};

    if (!OpenProcessToken(
            GetCurrentProcess(),
            TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT, &own)) {
        example_failed("OpenProcessToken", GetLastError());
        return NULL;
    }
    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size) ||
        !CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 1, &disabled, 0, NULL, 0, NULL,
                               &token)) {
        example_failed("CreateRestrictedToken", GetLastError());
        token = NULL;
    }
    CloseHandle(own);
    if (token != NULL && !set_low_integrity(token)) {
        CloseHandle(token);
        token = NULL;
    }
    return token;
}

/* The child is another identity than we are, so its `user/` names are not ours. We reach it by its pid,
 * as we have all rights on the process that we started. */
static bool send_to(hbk_client *client, DWORD child, HANDLE section)
{
    hbk_send_item item = {.handle = section, .type = "Section", .access = HBK_ACCESS_READ};
    hbk_send_options send = {.size = sizeof send,
                             .to = ENDPOINT,
                             .to_pid = child,
                             .items = &item,
                             .count = 1,
                             .wait_ms = EXAMPLE_WAIT_MS};
    hbk_receipt receipt;
    hbk_error_info error;

    if (hbk_send(client, &send, &receipt, &error) != HBK_OK)
        return example_refused("hbk_send", &error);
    example_say("process %lu has a %s now, access 0x%lx", (unsigned long)child,
                receipt.items[0].type, (unsigned long)receipt.items[0].access);
    return true;
}

static bool start_child(struct example_child *ret_child, const char *pipe)
{
    char role[192];
    HANDLE token = make_token();

    if (token == NULL)
        return false;
    snprintf(role, sizeof role, "child %lu %s", (unsigned long)GetCurrentProcessId(),
             pipe != NULL ? pipe : "");
    bool good = example_start(ret_child, role, token, false);
    CloseHandle(token);
    return good;
}

static bool run_parent(const char *pipe)
{
    struct example_child child = {NULL, NULL, 0};
    hbk_error_info error;
    HANDLE section = NULL;
    char *view = NULL;
    bool good = false;

    example_begin("parent");
    hbk_client *client = open_broker(pipe);
    if (client == NULL)
        return false;
    if (hbk_section_create(SECTION_SIZE, PAGE_READWRITE, &section, &error) != HBK_OK) {
        example_refused("hbk_section_create", &error);
        goto out;
    }
    view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    if (view == NULL) {
        example_failed("MapViewOfFile", GetLastError());
        goto out;
    }
    snprintf(view, SECTION_SIZE, "%s", KNOWN_TEXT);
    if (start_child(&child, pipe)) {
        good = send_to(client, child.pid, section);
        good = example_ended_well(&child) && good;
        good = example_check(strcmp(view, KNOWN_TEXT) == 0, "the text is unchanged") && good;
    }
out:
    if (view != NULL)
        UnmapViewOfFile(view);
    if (section != NULL)
        CloseHandle(section);
    hbk_close(client);
    return good;
}

int main(int argc, char **argv)
{
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "child") == 0)
        return run_child((DWORD)strtoul(argv[2], NULL, 10), argc == 4 ? argv[3] : NULL) ? 0 : 1;
    if (argc != 1 && !(argc == 3 && strcmp(argv[1], "--pipe") == 0)) {
        fprintf(stderr, "usage: least_privilege [--pipe NAME]\n");
        return 2;
    }
    return run_parent(argc == 3 ? argv[2] : NULL) ? 0 : 1;
}
