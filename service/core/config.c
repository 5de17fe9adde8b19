/* What holds where no file says otherwise. Apart, for who reads a file and has no core. */
#include "core.h"

void hbk_config_default(struct hbk_config *ret_config)
{
    *ret_config = (struct hbk_config){
        .sessions = HBK_SESSIONS_MAX,
        .requests = HBK_REQUESTS_MAX,
        .pins = HBK_PINS_MAX,
        .pending = HBK_PENDING_MAX,
        .endpoints = HBK_ENDPOINTS_MAX,
        .queued_bytes = HBK_QUEUED_BYTES_MAX,
        .stored = HBK_STORED_MAX,
        .stored_bytes = HBK_STORED_BYTES_MAX,
        .sessions_per_user = HBK_SESSIONS_PER_USER_MAX,
        .requests_per_session = HBK_REQUESTS_PER_SESSION_MAX,
        .endpoints_per_session = HBK_ENDPOINTS_PER_SESSION_MAX,
        .pins_per_session = HBK_PINS_PER_SESSION_MAX,
        .pending_per_endpoint = HBK_PENDING_PER_ENDPOINT_MAX,
        .write_queue_bytes = HBK_WRITE_QUEUE_BYTES_MAX,
        .hello_ms = HBK_HELLO_DEADLINE_MS,
        .line_ms = HBK_LINE_DEADLINE_MS,
        .write_ms = HBK_WRITE_DEADLINE_MS,
        .stop_ms = HBK_STOP_DEADLINE_MS,
    };
}
