/* Allocations that fail when a test says so. Linked with --wrap for malloc, calloc and realloc, where the
 * linker can do that (not Microsoft's). */
#ifndef ALLOC_FAULT_H
#define ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/** alloc_fault_works() - false: allocations cannot be made to fail in this build. */
bool alloc_fault_works(void);

/** alloc_fault_arm() - from now on count allocations, and let the one of number @index (from 0) fail;
 * SIZE_MAX: none. */
void alloc_fault_arm(size_t index);

/** alloc_fault_arm_span() - the same, but from number @index on @count of them fail. */
void alloc_fault_arm_span(size_t index, size_t count);

/** alloc_fault_pause() - while paused, none is counted and none fails: for a test's own. */
void alloc_fault_pause(bool paused);

/** alloc_fault_disarm() - back to normal. Return: allocations asked for since arm(). */
size_t alloc_fault_disarm(void);

#endif
