/* Clients over restarts of the service. */
#include "restart.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

int kit_restart_begin(void **state)
{
    (void)state;
    kit_service_start();
    return 0;
}

int kit_restart_end(void **state)
{
    (void)state;
    kit_forget_all();
    kit_rules(NULL);
    kit_service_start();
    return 0;
}

void kit_restart(void)
{
    kit_service_stop();
    kit_service_start();
}

void kit_rules(const char *text)
{
    wchar_t folder[MAX_PATH], file[MAX_PATH];
    DWORD size = GetEnvironmentVariableW(L"ProgramData", folder, MAX_PATH);
    assert_true(size > 0 && size < MAX_PATH);
    int length = _snwprintf(file, MAX_PATH, L"%ls\\HandleBroker\\handlebroker.json", folder);
    assert_true(length > 0 && length < MAX_PATH);
    if (text != NULL)
        kit_file_write(file, text, strlen(text));
    else
        DeleteFileW(file);
}

hbk_client *kit_connect(uint32_t flags)
{
    hbk_open_options options = {
        .size = sizeof options, .client_name = "test reopen", .flags = flags};
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    if (hbk_open(&options, &client, &error) != HBK_OK)
        fail_msg("hbk_open: %s: %s", hbk_result_word(error.result), error.detail);
    return client;
}

void kit_reopen(hbk_client *client)
{
    hbk_error_info error = {.result = HBK_OK};
    if (hbk_reopen(client, KIT_WAIT_MS, &error) != HBK_OK)
        fail_msg("hbk_reopen: %s: %s", hbk_result_word(error.result), error.detail);
}

hbk_result kit_ask(hbk_client *client)
{
    hbk_status_info status;
    return hbk_status(client, &status, NULL);
}

void kit_listen(hbk_client *client, const char *name, uint32_t flags)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name, .flags = flags};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
}

bool kit_is_listed(hbk_client *client, const char *name)
{
    hbk_endpoint_entries *list = NULL;
    bool found = false;
    assert_int_equal(hbk_endpoint_list(client, &list, NULL), HBK_OK);
    for (size_t i = 0; i < list->count; i++)
        found = found || strcmp(list->entries[i].name, name) == 0;
    hbk_endpoint_entries_free(list);
    return found;
}

hbk_result kit_send_as(hbk_client *client, const char *name, HANDLE handle, uint32_t flags,
                       uint64_t *ret_delivery)
{
    hbk_send_item item = {.handle = handle};
    hbk_send_options send = {
        .size = sizeof send, .to = name, .items = &item, .count = 1, .flags = flags};
    hbk_receipt receipt = {0};
    hbk_result result = hbk_send(client, &send, &receipt, NULL);
    if (ret_delivery != NULL)
        *ret_delivery = receipt.delivery;
    return result;
}

hbk_delivery *kit_receive(hbk_client *client)
{
    hbk_delivery *delivery = NULL;
    hbk_error_info error = {.result = HBK_OK};
    if (hbk_receive(client, KIT_WAIT_MS, &delivery, &error) != HBK_OK)
        fail_msg("hbk_receive: %s: %s", hbk_result_word(error.result), error.detail);
    return delivery;
}

void kit_hand_over(hbk_client *client, const char *name)
{
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(kit_send_as(client, name, event, 0, NULL), HBK_OK);
    hbk_delivery *delivery = kit_receive(client);
    assert_true(SetEvent(delivery->items[0].handle));
    assert_true(kit_is_set(event));
    hbk_delivery_free(delivery);
    CloseHandle(event);
}

void kit_notice(hbk_client *client, int kind, hbk_notification *ret_notice)
{
    assert_int_equal(hbk_notification_receive(client, KIT_WAIT_MS, ret_notice, NULL), HBK_OK);
    assert_int_equal(ret_notice->kind, kind);
}

void kit_job_start(struct kit_job *job, LPTHREAD_START_ROUTINE what)
{
    job->thread = CreateThread(NULL, 0, what, job, 0, NULL);
    assert_non_null(job->thread);
}

void kit_job_join(struct kit_job *job)
{
    if (WaitForSingleObject(job->thread, 3 * KIT_WAIT_MS) != WAIT_OBJECT_0)
        fail_msg("%s", "a thread hangs");
    CloseHandle(job->thread);
}

DWORD WINAPI kit_job_receive(void *job)
{
    struct kit_job *own = job;
    own->result = hbk_receive(own->client, own->timeout_ms, &own->delivery, NULL);
    return 0;
}
