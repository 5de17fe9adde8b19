/* What the benchmarks that are tests too share: a clock, percentiles, processes of the same program. */
#ifndef HBK_MEASURE_H
#define HBK_MEASURE_H

#include "kit.h"

/** measure_now_us() - a clock that never goes back. */
double measure_now_us(void);

/** measure_sort() - ascending. */
void measure_sort(double *samples, size_t count);
/** measure_percentile() - of sorted samples; 0 of none. */
double measure_percentile(const double *sorted, size_t count, size_t of_100);

/** measure_start_self() - this program again, with @arguments; ended at the test's end at the latest. */
HANDLE measure_start_self(const wchar_t *arguments, DWORD *ret_pid);

/** measure_hand_over() - @event from @client to @endpoint, which may open within @wait_ms; until the target has set
 * it. Fails the test where it does not arrive within KIT_WAIT_MS. Return: microseconds that it took. */
double measure_hand_over(hbk_client *client, const char *endpoint, HANDLE event, uint32_t wait_ms);

#endif
