/* What is handed over, checked here, so that the codec gets nothing that it may not write. */
#include "client.h"

#include <stdio.h>
#include <string.h>

bool hbk_mask_valid(uint32_t mask)
{
    const uint32_t generic = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL;
    return (mask & (generic | MAXIMUM_ALLOWED | ACCESS_SYSTEM_SECURITY)) == 0;
}

hbk_result hbk_bad_handle(hbk_error_info *ret_error, int item, HANDLE handle, const char *why)
{
    const char *kind = hbk_handle_kind(handle);

    if (kind != NULL)
        return hbk_fail(ret_error, HBK_BAD_HANDLE, item, 0,
                        "0x%llx is %s; only kernel handles can be sent",
                        (unsigned long long)(uintptr_t)handle, kind);
    return hbk_fail(ret_error, HBK_BAD_HANDLE, item, 0, "0x%llx %s",
                    (unsigned long long)(uintptr_t)handle, why);
}

bool hbk_item_is_socket(const char *type)
{
    return type != NULL && strcmp(type, HBK_SOCKET_TYPE) == 0;
}

static const char *type_fault(const char *type)
{
    if (type == NULL)
        return NULL;
    size_t size = strlen(type);
    if (size < 1 || size > HBK_TYPE_BYTES_MAX || hbk_utf8_check(type, size) != size)
        return "type is not 1 to 32 bytes of UTF-8";
    return NULL;
}

static hbk_result fail(hbk_error_info *ret_error, int index, const char *fault)
{
    char place[24] = "options->";

    if (index >= 0)
        snprintf(place, sizeof place, "items[%d]: ", index);
    return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, index, 0, "%s%s", place, fault);
}

hbk_result hbk_value_check(HANDLE handle, const char *type, uint32_t access, int index,
                           hbk_error_info *ret_error)
{
    const char *reason = hbk_handle_reason(handle);
    if (reason != NULL)
        return hbk_bad_handle(ret_error, index, handle, reason);
    if (access != HBK_ACCESS_READ && !hbk_mask_valid(access))
        return fail(ret_error, index, HBK_MASK_ADVICE);
    const char *fault = type_fault(type);
    return fault != NULL ? fail(ret_error, index, fault) : HBK_OK;
}

hbk_result hbk_item_check(const hbk_send_item *item, int index, hbk_error_info *ret_error)
{
    hbk_result result = hbk_value_check(item->handle, item->type, item->access, index, ret_error);
    if (result != HBK_OK)
        return result;
    if (item->flags & ~(HBK_ITEM_INHERIT | HBK_ITEM_PROTECT | HBK_ITEM_MOVE))
        return fail(ret_error, index, "flags has a bit that this version does not know");
    unsigned long long value = (uintptr_t)item->handle;
    if (hbk_item_is_socket(item->type)) {
        if (item->access != HBK_ACCESS_SAME || (item->flags & HBK_ITEM_PROTECT))
            return fail(ret_error, index,
                        "access of a Socket is not HBK_ACCESS_SAME, or flags has HBK_ITEM_PROTECT");
        if (hbk_socket_denied(item->handle))
            return hbk_fail(
                ret_error, HBK_TYPE_MISMATCH, index, 0,
                "0x%llx is no socket of this process, so its type is not \"Socket\"; NULL "
                "sends it as what it is",
                value);
    } else if ((item->type == NULL || strcmp(item->type, "File") == 0) &&
               hbk_socket_hidden(item->handle)) {
        return hbk_fail(
            ret_error, HBK_TYPE_MISMATCH, index, 0,
            "0x%llx is a socket, which another process cannot use as a File; write .type = "
            "\"Socket\", .access = HBK_ACCESS_SAME",
            value);
    }
    return HBK_OK;
}

void hbk_item_close(const hbk_send_item *item)
{
    if (hbk_item_is_socket(item->type))
        hbk_socket_close(item->handle);
    else
        hbk_handle_close(item->handle);
}

void hbk_item_access(struct hbk_access *ret_access, uint32_t access)
{
    ret_access->mask = 0;
    if (access == HBK_ACCESS_SAME) {
        ret_access->kind = HBK_ACCESS_KIND_SAME;
    } else if (access == HBK_ACCESS_READ) {
        ret_access->kind = HBK_ACCESS_KIND_READ;
    } else {
        ret_access->kind = HBK_ACCESS_KIND_MASK;
        ret_access->mask = access;
    }
}

const char *hbk_data_fault(const char *data)
{
    struct hbk_text text = hbk_text_from(data);

    if (data == NULL)
        return NULL;
    if (hbk_utf8_check(data, text.size) != text.size)
        return "options->data is not UTF-8";
    if (hbk_escaped_size(text) > HBK_DATA_BYTES_MAX)
        return "options->data has more than HBK_DATA_BYTES_MAX bytes, with quotes, backslashes and "
               "control bytes escaped; put it into a section and send that";
    return NULL;
}

const char *hbk_sddl_fault(const char *sddl)
{
    if (sddl == NULL)
        return NULL;
    size_t size = strlen(sddl);
    if (size < 1 || size > HBK_SDDL_BYTES_MAX || hbk_utf8_check(sddl, size) != size)
        return "is not 1 to 2048 bytes of UTF-8";
    return NULL;
}
