/* For tests that restart the service under their clients. Each begins and ends with the service running. */
#ifndef HBK_KIT_RESTART_H
#define HBK_KIT_RESTART_H

#include "kit.h"

int kit_restart_begin(void **state);
int kit_restart_end(void **state);
#define KIT_RESTART_TEST(function) \
    cmocka_unit_test_setup_teardown(function, kit_restart_begin, kit_restart_end)

/** kit_restart() - stop the service, and start it again. */
void kit_restart(void);

/** kit_rules() - the configuration file of the service, for its next start; NULL: none. */
void kit_rules(const char *text);

/** kit_connect() - a client of the service's, with HBK_OPEN_... @flags, for hbk_close(). */
hbk_client *kit_connect(uint32_t flags);
/** kit_reopen() - hbk_reopen(), which must succeed. */
void kit_reopen(hbk_client *client);
/** kit_ask() - hbk_status(). Return: what that says. */
hbk_result kit_ask(hbk_client *client);

/** kit_listen() - open @name, with HBK_ENDPOINT_... @flags. */
void kit_listen(hbk_client *client, const char *name, uint32_t flags);
/** kit_is_listed() - @client sees an endpoint of that name. */
bool kit_is_listed(hbk_client *client, const char *name);
/** kit_send_as() - @handle, with HBK_SEND_... @flags. @ret_delivery: NULL, or its number. */
hbk_result kit_send_as(hbk_client *client, const char *name, HANDLE handle, uint32_t flags,
                       uint64_t *ret_delivery);
/** kit_receive() - the next delivery, which must come. */
hbk_delivery *kit_receive(hbk_client *client);
/** kit_hand_over() - from @client to itself, with its effect. */
void kit_hand_over(hbk_client *client, const char *name);
/** kit_notice() - the next notice, which must come and be of @kind. */
void kit_notice(hbk_client *client, int kind, hbk_notification *ret_notice);

/* A thread, and how it went: it cannot fail a test itself. */
struct kit_job {
    hbk_client *client;
    uint32_t timeout_ms;
    hbk_result result;
    hbk_delivery *delivery;
    volatile LONG stop;
    int good, lost, other;
    HANDLE thread;
};

void kit_job_start(struct kit_job *job, LPTHREAD_START_ROUTINE what);
void kit_job_join(struct kit_job *job);
/** kit_job_receive() - for kit_job_start(): hbk_receive(). */
DWORD WINAPI kit_job_receive(void *job);

#endif
