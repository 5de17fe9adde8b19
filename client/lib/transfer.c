/* hbk_transfer(): from one process to another, of which neither need be ours. */
#include "client.h"

static bool to_us(const hbk_transfer_options *options)
{
    return options->to == NULL &&
           (options->target_pid == 0 || options->target_pid == GetCurrentProcessId());
}

static hbk_result check_options(const hbk_transfer_options *options, hbk_error_info *ret_error)
{
    const char *fault = NULL;

    if (options->source_pid == 0)
        fault = "options->source_pid is 0; of our own it is GetCurrentProcessId()";
    else if (options->to != NULL && options->target_pid != 0)
        fault = "options->to and options->target_pid exclude each other";
    else if (options->to != NULL && !hbk_name_check(hbk_text_from(options->to)))
        fault = "options->to is no endpoint name: " HBK_NAME_ADVICE;
    else if (options->flags & ~(HBK_ITEM_INHERIT | HBK_ITEM_PROTECT))
        fault = "options->flags has a bit that is not for a transfer, or that this version does "
                "not know";
    else if ((options->flags & HBK_ITEM_PROTECT) && !to_us(options))
        fault = "options->flags has HBK_ITEM_PROTECT, which is for handles that we get ourselves";
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s", fault);
    return hbk_value_check(options->handle, options->type, options->access, -1, ret_error);
}

static bool take_transferred(void *context, const struct hbk_message *message)
{
    const struct hbk_transfer_result *result = &message->u.result.transfer;
    hbk_transferred *transferred = context;

    transferred->handle = (HANDLE)(uintptr_t)result->handle;
    hbk_copy_text(transferred->type, sizeof transferred->type, result->type);
    transferred->access = result->access;
    transferred->notified = result->notified;
    transferred->widenable = result->widenable;
    return true;
}

hbk_result hbk_transfer(hbk_client *client, const hbk_transfer_options *options,
                        hbk_transferred *ret_transferred, hbk_error_info *ret_error)
{
    struct hbk_transfer params = {0};
    hbk_transferred transferred = {0};

    if (client == NULL || options == NULL || ret_transferred == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "client, options or ret_transferred is NULL");
    if (options->size != sizeof *options)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->size is not sizeof(hbk_transfer_options)");
    hbk_result result = check_options(options, ret_error);
    if (result != HBK_OK)
        return result;
    params.source_pid = options->source_pid;
    params.handle = (uint32_t)(uintptr_t)options->handle;
    params.to_name = hbk_text_from(options->to);
    params.target_pid = to_us(options) ? 0 : options->target_pid;
    params.type = hbk_text_from(options->type);
    hbk_item_access(&params.access, options->access);
    params.inherit = (options->flags & HBK_ITEM_INHERIT) != 0;
    /* An endpoint that asks has the time that it has for a send. */
    result = hbk_call(client, HBK_METHOD_HANDLE_TRANSFER, &params, HBK_TIMEOUT_MS_DEFAULT,
                      take_transferred, &transferred, ret_error);
    if (result != HBK_OK)
        return result;
    if (to_us(options)) {
        uint32_t win32 = hbk_flags_set(transferred.handle, options->flags);
        if (win32 != 0) {
            CloseHandle(transferred.handle);
            return hbk_fail(ret_error, HBK_OS_ERROR, -1, win32,
                            "the flags inherit and protect could not be set on what we got; it was "
                            "closed");
        }
    }
    *ret_transferred = transferred;
    return HBK_OK;
}
