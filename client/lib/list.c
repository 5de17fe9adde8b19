/* Lists: read page by page, and kept with the memory that their entries point to. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

/* What one entry points to. */
struct hbk_list_block {
    struct hbk_list_block *next;
    uint64_t room[]; /* aligned for whatever comes there */
};

static bool grow(struct hbk_list *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity * 2 + 16;
    void *array = realloc(list->array, capacity * list->size);
    if (array == NULL)
        return false;
    list->array = array;
    list->capacity = capacity;
    return true;
}

void *hbk_list_add(struct hbk_list *list, size_t room, char **ret_room)
{
    if (!grow(list))
        return NULL;
    struct hbk_list_block *block = malloc(sizeof *block + room);
    if (block == NULL)
        return NULL;
    block->next = list->blocks;
    list->blocks = block;
    *ret_room = (char *)block->room;
    void *entry = (char *)list->array + list->count++ * list->size;
    memset(entry, 0, list->size);
    return entry;
}

void hbk_list_next(struct hbk_list *list, struct hbk_text next)
{
    list->more = next.data != NULL && next.size <= HBK_CURSOR_BYTES_MAX;
    if (list->more)
        hbk_copy_text(list->cursor, sizeof list->cursor, next);
}

static hbk_result read_pages(struct hbk_client *client, enum hbk_method method,
                             struct hbk_list *list,
                             bool (*take)(void *, const struct hbk_message *),
                             hbk_error_info *ret_error)
{
    struct hbk_over over = {.any = true, .passed = HBK_DISCONNECTED};

    hbk_result result = hbk_reopen_if_due(client, ret_error);
    list->more = true;
    for (int page = 0; list->more && result == HBK_OK; page++) {
        struct hbk_process_handles params = {.pid = list->pid}; /* begins as all do */
        if (page == HBK_LIST_PAGES_MAX)
            return hbk_fail(ret_error, HBK_INTERNAL_ERROR, -1, 0, "the service's list has no end");
        if (page > 0)
            params.paging.cursor = hbk_text_from(list->cursor);
        result = hbk_call_over(client, &over, method, &params, take, list, ret_error);
        over.any = false; /* the rest is to be of the same list */
    }
    return result;
}

hbk_result hbk_list_read(struct hbk_client *client, enum hbk_method method, uint32_t pid,
                         size_t size, bool (*take)(void *, const struct hbk_message *),
                         struct hbk_list **ret_list, hbk_error_info *ret_error)
{
    struct hbk_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a list");
    list->size = size;
    list->pid = pid;
    hbk_result result = read_pages(client, method, list, take, ret_error);
    if (result == HBK_OK)
        *ret_list = list;
    else
        hbk_list_free(list);
    return result;
}

void hbk_list_free(struct hbk_list *list)
{
    if (list == NULL)
        return;
    for (struct hbk_list_block *block = list->blocks; block != NULL;) {
        struct hbk_list_block *next = block->next;
        free(block);
        block = next;
    }
    free(list->array);
    free(list);
}
