/* What the service says of itself, of who is connected, and of its rules. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

/* ---- status ---- */

static bool take_status(void *context, const struct hbk_message *message)
{
    const struct hbk_status_result *status = &message->u.result.status;
    hbk_status_info *info = context;

    memset(info, 0, sizeof *info);
    hbk_copy_text(info->server_name, sizeof info->server_name, status->server_name);
    hbk_copy_text(info->server_version, sizeof info->server_version, status->server_version);
    hbk_copy_text(info->state, sizeof info->state, status->state);
    info->pid = status->pid;
    info->uptime_ms = status->uptime_ms;
    info->sessions = status->sessions;
    info->sessions_proven = status->sessions_proven;
    info->endpoints = status->endpoints;
    info->deliveries_pending = status->deliveries_pending;
    info->pins = status->pins;
    info->stored = status->stored;
    info->delivered = status->delivered;
    info->failed = status->failed;
    info->policy = status->policy;
    info->events_dropped = status->events_dropped;
    HBK_ASSERT(status->quotas_count <= HBK_QUOTAS_MAX);
    info->quotas_count = status->quotas_count;
    for (size_t i = 0; i < status->quotas_count; i++) {
        const struct hbk_quota_info *quota = &status->quotas[i];
        hbk_copy_text(info->quotas[i].name, sizeof info->quotas[i].name, quota->name);
        info->quotas[i].limit = quota->limit;
        info->quotas[i].used = quota->used;
        info->quotas[i].your_limit = quota->your_limit;
        info->quotas[i].yours = quota->yours;
    }
    return true;
}

hbk_result hbk_status(hbk_client *client, hbk_status_info *ret_status, hbk_error_info *ret_error)
{
    hbk_status_info status;

    if (client == NULL || ret_status == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_status is NULL");
    hbk_result result =
        hbk_call(client, HBK_METHOD_BROKER_STATUS, NULL, 0, take_status, &status, ret_error);
    if (result == HBK_OK)
        *ret_status = status;
    return result;
}

/* ---- metrics ---- */

static bool take_metrics(void *context, const struct hbk_message *message)
{
    struct hbk_text text = message->u.result.metrics.text;
    char **ret_text = context;

    char *at = malloc(hbk_copy_room(text));
    if (at == NULL)
        return false;
    *ret_text = at;
    (void)hbk_copy_put(&at, text);
    return true;
}

hbk_result hbk_metrics(hbk_client *client, char **ret_text, hbk_error_info *ret_error)
{
    char *text = NULL;

    if (client == NULL || ret_text == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_text is NULL");
    hbk_result result =
        hbk_call(client, HBK_METHOD_BROKER_METRICS, NULL, 0, take_metrics, &text, ret_error);
    if (result == HBK_OK)
        *ret_text = text;
    else
        free(text);
    return result;
}

void hbk_metrics_free(char *text)
{
    free(text);
}

/* ---- sessions ---- */

/* A text that is "" where it is absent. */
static struct hbk_text or_empty(struct hbk_text text)
{
    return text.data != NULL ? text : hbk_text_from("");
}

static bool add_entry(struct hbk_list *list, const struct hbk_session_info *info)
{
    struct hbk_text name = or_empty(info->client_name), version = or_empty(info->client_version);
    size_t room = hbk_copy_room(info->peer.user) + hbk_copy_room(name) + hbk_copy_room(version) +
                  hbk_copy_room(info->state);
    char *at = NULL;

    hbk_session_entry *entry = hbk_list_add(list, room, &at);
    if (entry == NULL)
        return false;
    entry->user = hbk_copy_put(&at, info->peer.user);
    entry->client_name = hbk_copy_put(&at, name);
    entry->client_version = hbk_copy_put(&at, version);
    entry->state = hbk_copy_put(&at, info->state);
    entry->session = info->session;
    entry->pid = info->peer.pid;
    entry->logon_session = info->peer.logon_session;
    entry->integrity = info->peer.integrity;
    entry->terminal_session = info->terminal_session;
    entry->since_ms = info->since_ms;
    entry->endpoints = info->endpoints;
    entry->requests = info->requests;
    entry->pins = info->pins;
    entry->queued_bytes = info->queued_bytes;
    entry->sent = info->sent;
    entry->received = info->received;
    return true;
}

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_session_list_result *page = &message->u.result.sessions;
    bool added = true;

    for (size_t i = 0; added && i < page->sessions_count; i++)
        added = add_entry(context, &page->sessions[i]);
    hbk_list_next(context, page->next);
    return added;
}

hbk_result hbk_session_list(hbk_client *client, hbk_session_entries **ret_entries,
                            hbk_error_info *ret_error)
{
    struct hbk_list *list = NULL;

    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    hbk_result result = hbk_list_read(client, HBK_METHOD_BROKER_SESSIONS, 0,
                                      sizeof(hbk_session_entry), take_page, &list, ret_error);
    if (result != HBK_OK)
        return result;
    list->entries.sessions.count = list->count;
    list->entries.sessions.entries = list->array;
    *ret_entries = &list->entries.sessions;
    return HBK_OK;
}

void hbk_session_entries_free(hbk_session_entries *entries)
{
    hbk_list_free((struct hbk_list *)(void *)entries);
}

/* ---- rules ---- */

static bool take_explanation(void *context, const struct hbk_message *message)
{
    const struct hbk_explain_result *result = &message->u.result.explain;
    hbk_explanation *explanation = context;

    memset(explanation, 0, sizeof *explanation);
    explanation->allowed = result->allowed;
    hbk_copy_text(explanation->rule, sizeof explanation->rule, result->rule);
    hbk_copy_text(explanation->detail, sizeof explanation->detail, result->detail);
    explanation->types_known = result->types_present;
    HBK_ASSERT(hbk_copy_types_room(result->types, result->types_count) <=
               sizeof explanation->types);
    hbk_copy_types(explanation->types, result->types, result->types_count);
    return true;
}

static const char *explain_fault(const hbk_explain_options *options)
{
    if (options == NULL || options->size != sizeof *options)
        return "options is NULL, or options->size is not sizeof(hbk_explain_options)";
    size_t size = options->verb != NULL ? strlen(options->verb) : 0;
    if (size < 1 || size > HBK_VERB_BYTES_MAX || hbk_utf8_check(options->verb, size) != size)
        return "options->verb is not 1 to 16 bytes of UTF-8, such as \"send\"";
    if (options->name != NULL && !hbk_name_check(hbk_text_from(options->name)))
        return "options->name is no endpoint name: user/, session/ or global/, and at most 260 "
               "bytes "
               "in all of letters, digits and ._/-";
    return NULL;
}

hbk_result hbk_explain(hbk_client *client, const hbk_explain_options *options,
                       hbk_explanation *ret_explanation, hbk_error_info *ret_error)
{
    struct hbk_explain params = {0};
    hbk_explanation explanation;

    if (client == NULL || ret_explanation == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "client or ret_explanation is NULL");
    const char *fault = explain_fault(options);
    if (fault == NULL && options->session != 0 && !hbk_id_valid(client, options->session))
        fault = "options->session is no number of a session";
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s", fault);
    params.verb = hbk_text_from(options->verb);
    params.name = hbk_text_from(options->name);
    params.pid = options->pid;
    params.session = HBK_SERVICE_NUMBER(options->session);
    hbk_result result = options->session != 0
                            ? hbk_call_about(client, options->session, HBK_METHOD_POLICY_EXPLAIN,
                                             &params, take_explanation, &explanation, ret_error)
                            : hbk_call(client, HBK_METHOD_POLICY_EXPLAIN, &params, 0,
                                       take_explanation, &explanation, ret_error);
    if (result == HBK_OK)
        *ret_explanation = explanation;
    return result;
}
