#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

double measure_now_us(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static int compare(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;
    return (l > r) - (l < r);
}

void measure_sort(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare);
}

double measure_percentile(const double *sorted, size_t count, size_t of_100)
{
    return count == 0 ? 0 : sorted[(count - 1) * of_100 / 100];
}

HANDLE measure_start_self(const wchar_t *arguments, DWORD *ret_pid)
{
    wchar_t self[MAX_PATH], line[MAX_PATH + 448];
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    int size = swprintf(line, sizeof line / sizeof *line, L"\"%ls\" %ls", self, arguments);
    assert_true(size > 0);
    return kit_spawn(line, 0, ret_pid);
}

double measure_hand_over(hbk_client *client, const char *endpoint, HANDLE event, uint32_t wait_ms)
{
    hbk_send_item item = {.handle = event};
    hbk_send_options send = {
        .size = sizeof send, .to = endpoint, .items = &item, .count = 1, .wait_ms = wait_ms};
    hbk_error_info error = {.result = HBK_OK};
    double begin = measure_now_us();
    hbk_result result = hbk_send(client, &send, NULL, &error);
    if (result != HBK_OK)
        fail_msg("%s: %s: %s", endpoint, hbk_result_word(result), error.detail);
    if (WaitForSingleObject(event, KIT_WAIT_MS) != WAIT_OBJECT_0)
        fail_msg("the target at %s does not answer", endpoint);
    return measure_now_us() - begin;
}
