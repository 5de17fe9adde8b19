/* What each control of the Service Control Manager means in each state. Wine delivers neither SHUTDOWN nor PRESHUTDOWN, so
 * that they stop the service is shown here alone. */
#include "control.h"
#include "test_support.h"

static const DWORD states[] = {
    SERVICE_STOPPED, SERVICE_START_PENDING, SERVICE_RUNNING,          SERVICE_PAUSE_PENDING,
    SERVICE_PAUSED,  SERVICE_STOP_PENDING,  SERVICE_CONTINUE_PENDING,
};

enum { STATES = sizeof states / sizeof states[0] };

static bool serves(DWORD state)
{
    return state != SERVICE_STOPPED && state != SERVICE_START_PENDING &&
           state != SERVICE_STOP_PENDING;
}

static void means(DWORD control, DWORD state, DWORD error, enum hbk_control_act expected)
{
    enum hbk_control_act act = HBK_CONTROL_RELOAD;
    DWORD result = hbk_control_act(control, state, &act);
    if (result != error || act != expected)
        fail_msg("control %lu in state %lu: error %lu, act %d; not error %lu, act %d", control,
                 state, result, (int)act, error, (int)expected);
}

static void whatever_ends_it_stops_it_once(void **state)
{
    (void)state;
    static const DWORD ends[] = {SERVICE_CONTROL_STOP, SERVICE_CONTROL_SHUTDOWN,
                                 SERVICE_CONTROL_PRESHUTDOWN};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t j = 0; j < STATES; j++)
            means(ends[i], states[j], NO_ERROR,
                  serves(states[j]) ? HBK_CONTROL_STOP : HBK_CONTROL_NOTHING);
    }
}

static void a_pause_begins_where_it_runs_and_ends_where_it_is_paused(void **state)
{
    (void)state;
    static const struct {
        DWORD state, error;
        enum hbk_control_act pause, go_on;
    } rows[] = {
        {SERVICE_RUNNING, NO_ERROR, HBK_CONTROL_PAUSE, HBK_CONTROL_TELL},
        {SERVICE_PAUSED, NO_ERROR, HBK_CONTROL_TELL, HBK_CONTROL_CONTINUE},
        {SERVICE_STOPPED, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, HBK_CONTROL_NOTHING,
         HBK_CONTROL_NOTHING},
        {SERVICE_START_PENDING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, HBK_CONTROL_NOTHING,
         HBK_CONTROL_NOTHING},
        {SERVICE_STOP_PENDING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, HBK_CONTROL_NOTHING,
         HBK_CONTROL_NOTHING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        means(SERVICE_CONTROL_PAUSE, rows[i].state, rows[i].error, rows[i].pause);
        means(SERVICE_CONTROL_CONTINUE, rows[i].state, rows[i].error, rows[i].go_on);
    }
    /* Under way: the same again is told where it stands, its opposite has to wait. */
    means(SERVICE_CONTROL_PAUSE, SERVICE_PAUSE_PENDING, NO_ERROR, HBK_CONTROL_TELL);
    means(SERVICE_CONTROL_CONTINUE, SERVICE_CONTINUE_PENDING, NO_ERROR, HBK_CONTROL_TELL);
    means(SERVICE_CONTROL_CONTINUE, SERVICE_PAUSE_PENDING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL,
          HBK_CONTROL_NOTHING);
    means(SERVICE_CONTROL_PAUSE, SERVICE_CONTINUE_PENDING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL,
          HBK_CONTROL_NOTHING);
}

static void rules_are_read_again_and_the_state_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        means(SERVICE_CONTROL_PARAMCHANGE, states[i], NO_ERROR,
              serves(states[i]) ? HBK_CONTROL_RELOAD : HBK_CONTROL_NOTHING);
        means(SERVICE_CONTROL_INTERROGATE, states[i], NO_ERROR, HBK_CONTROL_TELL);
        means(200, states[i], ERROR_CALL_NOT_IMPLEMENTED, HBK_CONTROL_NOTHING);
    }
}

static void what_is_accepted_is_what_is_acted_on(void **state)
{
    (void)state;
    const DWORD always = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
                         SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;
    for (size_t i = 0; i < STATES; i++) {
        bool at_rest = states[i] == SERVICE_RUNNING || states[i] == SERVICE_PAUSED;
        DWORD expected = serves(states[i]) ? always : 0;
        expected |= at_rest ? SERVICE_ACCEPT_PAUSE_CONTINUE : 0;
        assert_int_equal(hbk_control_accepted(states[i]), expected);
        assert_int_equal(hbk_control_pending(states[i]), !at_rest && states[i] != SERVICE_STOPPED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_ends_it_stops_it_once),
        cmocka_unit_test(a_pause_begins_where_it_runs_and_ends_where_it_is_paused),
        cmocka_unit_test(rules_are_read_again_and_the_state_is_told),
        cmocka_unit_test(what_is_accepted_is_what_is_acted_on),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
