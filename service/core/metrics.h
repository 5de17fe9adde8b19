/* What the broker counts for broker.metrics beside what it needs itself. Counters only rise. */
#ifndef HBK_METRICS_H
#define HBK_METRICS_H

#include "base.h"

/* The buckets of limits.h by their place there, and the one for what took longer. */
enum hbk_metrics_bucket {
#define HBK_METRICS_BUCKET(ms, text) HBK_METRICS_UP_TO_##ms,
    HBK_HANDOFF_BUCKETS(HBK_METRICS_BUCKET)
#undef HBK_METRICS_BUCKET
        HBK_METRICS_LONGER,
    HBK_METRICS_BUCKETS
};

struct hbk_metrics {
    uint64_t failed[HBK_RESULT_COUNT];  /* by hbk_result_place() */
    uint64_t took[HBK_METRICS_BUCKETS]; /* each hand-off is counted in one */
    uint64_t took_ms;                   /* all together */
};

#endif
