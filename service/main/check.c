#include "check.h"

#include "log.h"
#include "place.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

enum { ERROR_BYTES_MAX = 200 };

static bool is_missing(DWORD error)
{
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
}

/* The file that is not believed, or that its reader may not look at the way to. Return: INVALID_HANDLE_VALUE with
 * check->state. */
static HANDLE open_plainly(const wchar_t *path, struct hbk_check *check)
{
    char text[ERROR_BYTES_MAX];
    /* It may turn out to be somebody's pipe, who is not to act as us. */
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                              SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    DWORD error = GetLastError();

    /* A pipe or a device could keep us waiting for ever. */
    if (file != INVALID_HANDLE_VALUE && GetFileType(file) != FILE_TYPE_DISK) {
        CloseHandle(file);
        file = INVALID_HANDLE_VALUE;
        error = ERROR_INVALID_NAME;
    }
    if (file == INVALID_HANDLE_VALUE) {
        check->state = is_missing(error) ? HBK_CHECK_MISSING : HBK_CHECK_UNREAD;
        (void)snprintf(check->why, sizeof(check->why), "it cannot be read: %s (error %lu)",
                       hbk_log_error_text(error, text, sizeof(text)), error);
    }
    return file;
}

/* Return: as hbk_check_file(). */
static int judge(HANDLE file, struct hbk_check *check)
{
    struct hbk_settings settings;
    int result = hbk_settings_judge(file, &check->findings, &settings);

    if (result < 0) {
        return result;
    }
    hbk_findings_sort(&check->findings);
    check->state = result == 0 ? HBK_CHECK_GOOD : HBK_CHECK_MISTAKES;
    if (result == 0) {
        check->settings = malloc(sizeof(*check->settings));
        if (check->settings == NULL) {
            hbk_settings_free(&settings);
            return -1;
        }
        *check->settings = settings;
        (void)snprintf(check->settings->source, sizeof(check->settings->source), "%s", check->name);
    }
    return 0;
}

int hbk_check_file(const wchar_t *path, struct hbk_check *ret_check)
{
    wchar_t own[HBK_PLACE_CHARS];
    HANDLE file = INVALID_HANDLE_VALUE;
    char text[ERROR_BYTES_MAX];
    int result = 0;

    *ret_check = (struct hbk_check){.state = HBK_CHECK_UNREAD};
    if (path == NULL) {
        uint32_t error = hbk_place_file(own);
        if (error != 0) {
            (void)snprintf(ret_check->why, sizeof(ret_check->why),
                           "Windows does not say where ProgramData is: %s (error %lu)",
                           hbk_log_error_text(error, text, sizeof(text)), (unsigned long)error);
            return 0;
        }
        path = own;
    }
    hbk_log_narrow(path, ret_check->name, sizeof(ret_check->name));
    int trust = hbk_trust_open(path, false, &file, ret_check->why);
    ret_check->believed = trust == 0;
    if (trust == HBK_TRUST_E_MISSING) {
        ret_check->state = HBK_CHECK_MISSING;
    } else if (trust == HBK_TRUST_E_REFUSED) {
        file = open_plainly(path, ret_check);
    }
    if (file != INVALID_HANDLE_VALUE) {
        result = judge(file, ret_check);
        CloseHandle(file);
    }
    if (result < 0) {
        hbk_check_free(ret_check);
    }
    return result;
}

void hbk_check_print(const struct hbk_check *check)
{
    hbk_settings_print(check->settings);
}

void hbk_check_figures(const struct hbk_check *check, struct hbk_check_figures *ret_figures)
{
    *ret_figures = (struct hbk_check_figures){
        .rules = check->settings->policy->rules_count,
        .audit_file = check->settings->audit_path != NULL,
        .metrics_file = check->settings->metrics_path != NULL,
    };
}

const char *hbk_check_limit(const struct hbk_check *check, size_t index, uint32_t *ret_value)
{
    if (index >= HBK_SETTINGS_LIMITS) {
        return NULL;
    }
    *ret_value = *hbk_settings_value(&check->settings->config, &hbk_settings_limits[index]);
    return hbk_settings_limits[index].name;
}

void hbk_check_free(struct hbk_check *check)
{
    hbk_findings_clear(&check->findings);
    if (check->settings != NULL) {
        hbk_settings_free(check->settings);
        free(check->settings);
    }
    *check = (struct hbk_check){.settings = NULL};
}
