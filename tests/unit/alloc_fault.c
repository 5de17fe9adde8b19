#include "alloc_fault.h"

#include <stdlib.h>

#ifdef HBK_TEST_WRAPS_ALLOC

static bool armed, paused;
static size_t fail_at, fail_count;
static size_t counted;

static bool fails(void)
{
    if (!armed || paused)
        return false;
    size_t index = counted++;
    return index >= fail_at && index - fail_at < fail_count;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

bool alloc_fault_works(void)
{
    return true;
}

void alloc_fault_arm(size_t index)
{
    alloc_fault_arm_span(index, 1);
}

void alloc_fault_arm_span(size_t index, size_t count)
{
    armed = true;
    fail_at = index;
    fail_count = count;
    counted = 0;
}

void alloc_fault_pause(bool is_paused)
{
    paused = is_paused;
}

size_t alloc_fault_disarm(void)
{
    armed = false;
    return counted;
}

#else

bool alloc_fault_works(void)
{
    return false;
}

void alloc_fault_arm(size_t index)
{
    (void)index;
}

void alloc_fault_arm_span(size_t index, size_t count)
{
    (void)index;
    (void)count;
}

void alloc_fault_pause(bool is_paused)
{
    (void)is_paused;
}

size_t alloc_fault_disarm(void)
{
    return 0;
}

#endif
