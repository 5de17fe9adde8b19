/* The service paused through the Service Control Manager: what it reports, what it refuses, what goes
 * on. Each test begins and ends with the service running. */
#include "restart.h"
#include "store.h"

#include <string.h>

#define STOP_MS_MAX 12000u /* as in test_service.c */

static int begin(void **state)
{
    (void)state;
    kit_service_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    SERVICE_STATUS_PROCESS now;
    SERVICE_STATUS status;
    kit_service_query(&now);
    if (now.dwCurrentState == SERVICE_PAUSED) {
        kit_service_control(SERVICE_CONTROL_CONTINUE, &status);
        kit_service_wait(SERVICE_RUNNING);
    }
    kit_rules(NULL);
    kit_forget_all();
    kit_service_start();
    return 0;
}

static void control(DWORD code, DWORD state)
{
    SERVICE_STATUS status;
    SERVICE_STATUS_PROCESS now;
    assert_int_equal(kit_service_control(code, &status), 0);
    kit_service_wait(state);
    kit_service_query(&now);
    assert_int_equal(now.dwCheckPoint, 0);
    assert_int_equal(now.dwWaitHint, 0);
    assert_int_equal(now.dwWin32ExitCode, 0);
    assert_true(now.dwControlsAccepted & SERVICE_ACCEPT_PAUSE_CONTINUE);
    assert_true(now.dwControlsAccepted & SERVICE_ACCEPT_STOP);
    assert_true(now.dwControlsAccepted & SERVICE_ACCEPT_PRESHUTDOWN);
}

static hbk_client *connect_client(void)
{
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    hbk_result result = hbk_open(NULL, &client, &error);
    if (result != HBK_OK)
        fail_msg("hbk_open: %s: %s", hbk_result_word(result), error.detail);
    return client;
}

static void listen(hbk_client *client, const char *name)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
}

static void is_in_state(hbk_client *client, const char *state)
{
    hbk_status_info status;
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_string_equal(status.state, state);
}

/* From @client to itself, with its effect. */
static void hand_over(hbk_client *client, const char *name)
{
    hbk_delivery *delivery = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(SetEvent(delivery->items[0].handle));
    assert_true(kit_is_set(event));
    hbk_delivery_free(delivery);
    CloseHandle(event);
}

static void nothing_is_begun_until_it_goes_on(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_error_info error = {.result = HBK_OK};
    hbk_client *client = connect_client(), *late = NULL;
    hbk_delivery *delivery = NULL;
    hbk_taken *taken = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    DWORD pid = kit_service_pid();
    listen(client, name);
    assert_int_equal(kit_put(client, "user/test/kept", event, 0, 0), HBK_OK);
    control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
    is_in_state(client, "paused");
    uint32_t before = kit_handles_at_rest(pid);
    assert_int_equal(kit_send(client, name, event, 0, 0, &error), HBK_BUSY);
    assert_non_null(strstr(error.detail, "paused"));
    assert_int_equal(kit_put(client, "user/test/more", event, 0, 0), HBK_BUSY);
    assert_int_equal(kit_get(client, "user/test/kept", 0, 0, &taken), HBK_BUSY);
    late = connect_client(); /* an administrator's, who may look */
    is_in_state(late, "paused");
    assert_int_equal(kit_send(late, name, event, 0, 0, &error), HBK_BUSY);
    hbk_close(late);
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_TIMEOUT);
    kit_handles_at_most(pid, before);
    control(SERVICE_CONTROL_CONTINUE, SERVICE_RUNNING);
    assert_int_equal(kit_service_pid(), pid);
    is_in_state(client, "running");
    assert_int_equal(kit_get(client, "user/test/more", 0, 0, &taken), HBK_NOT_FOUND);
    assert_int_equal(kit_get(client, "user/test/kept", 0, 0, &taken), HBK_OK);
    hbk_taken_free(taken);
    hand_over(client, name);
    late = connect_client();
    hbk_close(late);
    hbk_close(client);
    CloseHandle(event);
}

/* Nobody may look here, so that nobody is let in. */
static void no_session_is_begun_until_it_goes_on(void **state)
{
    (void)state;
    hbk_error_info error = {.result = HBK_OK};
    hbk_client *client = NULL, *late = NULL;
    kit_service_stop();
    kit_rules("{\"verbs\": {\"inspect\": \"D:(A;;0x20;;;S-1-5-21-1-2-3-4)\"}}");
    kit_service_start();
    client = connect_client();
    control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
    assert_int_equal(hbk_open(NULL, &late, &error), HBK_BUSY);
    assert_non_null(strstr(error.detail, "paused"));
    assert_null(late);
    is_in_state(client, "paused");
    control(SERVICE_CONTROL_CONTINUE, SERVICE_RUNNING);
    late = connect_client();
    hbk_close(late);
    hbk_close(client);
    kit_service_stop();
    kit_rules(NULL);
}

/* A send that waited when the pause began is delivered, to an endpoint that is opened meanwhile. */
static void what_is_under_way_comes_to_its_end(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    struct kit_peer sender;
    hbk_client *client = connect_client();
    hbk_delivery *delivery = NULL;
    kit_peer_open(&sender);
    assert_int_equal(kit_peer_do(&sender, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    sender.call.items[0].handle = sender.reply.value;
    kit_peer_send_begin(&sender, name, 1, 30000, 30000);
    assert_false(kit_peer_end(&sender, KIT_QUIET_MS));
    control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
    assert_false(kit_peer_end(&sender, KIT_QUIET_MS));
    listen(client, name);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(SetEvent(delivery->items[0].handle));
    hbk_delivery_free(delivery);
    assert_true(kit_peer_end(&sender, KIT_WAIT_MS));
    assert_int_equal(sender.reply.result, HBK_OK);
    control(SERVICE_CONTROL_CONTINUE, SERVICE_RUNNING);
    kit_peer_stop(&sender);
    hbk_close(client);
}

static void again_and_again(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = connect_client();
    SERVICE_STATUS status;
    listen(client, name);
    control(SERVICE_CONTROL_CONTINUE, SERVICE_RUNNING); /* it runs already */
    for (int i = 0; i < 10; i++) {
        control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
        control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
        is_in_state(client, "paused");
        assert_int_equal(kit_service_control(SERVICE_CONTROL_INTERROGATE, &status), 0);
        assert_int_equal(status.dwCurrentState, SERVICE_PAUSED);
        control(SERVICE_CONTROL_CONTINUE, SERVICE_RUNNING);
        hand_over(client, name);
    }
    hbk_close(client);
}

/* New rules do not end a pause. */
static void reloaded_while_paused(void **state)
{
    (void)state;
    hbk_client *client = connect_client();
    control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
    control(SERVICE_CONTROL_PARAMCHANGE, SERVICE_PAUSED);
    Sleep(KIT_QUIET_MS);
    is_in_state(client, "paused");
    hbk_close(client);
}

static void stopped_while_paused(void **state)
{
    (void)state;
    SERVICE_STATUS_PROCESS after;
    hbk_client *client = connect_client(), *late = NULL;
    hbk_status_info status;
    control(SERVICE_CONTROL_PAUSE, SERVICE_PAUSED);
    assert_in_range(kit_service_stop(), 0, STOP_MS_MAX);
    kit_service_query(&after);
    assert_int_equal(after.dwWin32ExitCode, 0);
    assert_int_equal(after.dwServiceSpecificExitCode, 0);
    assert_int_equal(hbk_status(client, &status, NULL), HBK_DISCONNECTED);
    hbk_close(client);
    assert_int_equal(hbk_open(NULL, &late, NULL), HBK_UNAVAILABLE);
    kit_service_start(); /* a start is no continuation: it is not paused */
    client = connect_client();
    is_in_state(client, "running");
    hbk_close(client);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

static int group(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_begun_until_it_goes_on),
        TEST(no_session_is_begun_until_it_goes_on),
        TEST(what_is_under_way_comes_to_its_end),
        TEST(again_and_again),
        TEST(reloaded_while_paused),
        TEST(stopped_while_paused),
    };
    return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
