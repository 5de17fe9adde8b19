#include "base.h"

#include <stdio.h>
#include <stdlib.h>

void hbk_assert_failed(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, expression);
    (void)fflush(stderr);
    abort();
}
