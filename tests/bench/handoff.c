/* The product's target T: a client of the installed service, with an endpoint for each thing to do.
 *
 *     bench_handoff            until the connection is gone or S ends it */
#include "bench.h"

#include "handlebroker.h"

static void check(hbk_result result, const hbk_error_info *error, const char *what)
{
    if (result != HBK_OK) {
        bench_fail(error->win32, "target: %s: %s: %s", what, hbk_result_word(result),
                   error->detail);
    }
}

static void open_endpoint(hbk_client *client, const char *name)
{
    hbk_endpoint_options options = {.size = sizeof options, .name = name};
    hbk_error_info error = {0};
    check(hbk_endpoint_open(client, &options, &error), &error, name);
}

int main(void)
{
    hbk_client *client = NULL;
    hbk_error_info error = {0};
    HANDLE signal = NULL;
    check(hbk_open(NULL, &client, &error), &error, "hbk_open");
    open_endpoint(client, BENCH_ENDPOINT_EVENT);
    open_endpoint(client, BENCH_ENDPOINT_FILE);
    open_endpoint(client, BENCH_ENDPOINT_BATCH);
    open_endpoint(client, BENCH_ENDPOINT_SETUP); /* the last, for S waits for this one */
    bench_mark("thread product target");
    for (;;) {
        hbk_delivery *delivery = NULL;
        check(hbk_receive(client, INFINITE, &delivery, &error), &error, "hbk_receive");
        HANDLE given = delivery->items[0].handle;
        switch (delivery->endpoint[BENCH_ENDPOINT_LETTER]) {
        case 'e':
            bench_check(SetEvent(given), "SetEvent");
            hbk_delivery_free(delivery); /* closes it */
            break;
        case 'f':
            bench_check_file(given);
            bench_check(SetEvent(signal), "SetEvent");
            hbk_delivery_free(delivery);
            break;
        case 'b':
            hbk_delivery_free(delivery);
            bench_check(SetEvent(signal), "SetEvent");
            break;
        default:
            signal = hbk_delivery_take(delivery, 0);
            hbk_delivery_free(delivery);
            break;
        }
    }
}
