/* Texts and structures between the application's memory and that of messages. */
#include "client.h"

#include <stdio.h>
#include <string.h>

void hbk_copy_text(char *ret_text, size_t size, struct hbk_text text)
{
    size_t fits = text.size < size ? text.size : size - 1;

    HBK_ASSERT(size >= 1);
    if (text.data == NULL)
        fits = 0;
    else
        memcpy(ret_text, text.data, fits);
    ret_text[fits] = '\0';
}

size_t hbk_copy_room(struct hbk_text text)
{
    return text.data != NULL ? text.size + 1 : 0;
}

const char *hbk_copy_put(char **at, struct hbk_text text)
{
    if (text.data == NULL)
        return NULL;
    char *copy = *at;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *at += text.size + 1;
    return copy;
}

size_t hbk_copy_types_room(const struct hbk_type_rule *rules, size_t count)
{
    size_t size = 1;

    for (size_t i = 0; i < count; i++)
        size += rules[i].type.size + sizeof ":0x00000000";
    return size;
}

size_t hbk_copy_types(char *ret_text, const struct hbk_type_rule *rules, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        const struct hbk_type_rule *rule = &rules[i];
        if (i != 0)
            ret_text[size++] = ' ';
        memcpy(ret_text + size, rule->type.data, rule->type.size);
        size += rule->type.size;
        if (rule->kind == HBK_TYPE_RULE_READ)
            size += (size_t)snprintf(ret_text + size, sizeof ":read", ":read");
        else if (rule->kind == HBK_TYPE_RULE_MASK)
            size += (size_t)snprintf(ret_text + size, sizeof ":0x00000000", ":0x%lx",
                                     (unsigned long)rule->mask);
    }
    ret_text[size] = '\0';
    return size + 1;
}

void hbk_copy_party(hbk_party *ret_party, const struct hbk_delivery_party *party, char **at)
{
    ret_party->session = party->session;
    ret_party->pid = party->pid;
    ret_party->user = hbk_copy_put(at, party->user);
}

bool hbk_options_copy(void *ret_options, size_t size, size_t first, const void *options)
{
    size_t said = *(const size_t *)options;

    if (said != size && said != first)
        return false;
    memcpy(ret_options, options, said);
    return true;
}
