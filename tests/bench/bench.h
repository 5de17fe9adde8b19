/* What the programs of the benchmark share.
 *
 *     bench.exe          S, the source: starts the others, measures, prints
 *     bench_floor.exe    the floor's relay and its target T, each a process of its own
 *     bench_handoff.exe  the product's target T
 *
 * All of them go on living over all rounds, so that floor and product alternate within one run, and
 * one of the two is always asleep. Whatever goes wrong ends the program that sees it, and that ends
 * the rest. */
#ifndef HBK_BENCH_H
#define HBK_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <windows.h>

#define BENCH_OUTSTANDING 16 /* sends at once in the last row of the table */
#define BENCH_BATCH 64       /* handles in one send */
#define BENCH_FILE_BYTES 64  /* what a target reads of the file that it was given */
#define BENCH_WAIT_MS 20000u /* nothing here takes so long, unless it is broken */

/* The endpoints that the product's target opens, told apart by their last word's first letter. */
#define BENCH_ENDPOINT_SETUP "user/bench/setup" /* keeps the events that are sent there */
#define BENCH_ENDPOINT_EVENT "user/bench/event" /* sets what it was given, closes it */
#define BENCH_ENDPOINT_FILE "user/bench/file"   /* reads, checks, sets the kept event, closes it */
#define BENCH_ENDPOINT_BATCH "user/bench/batch" /* closes all, sets the kept event */
#define BENCH_ENDPOINT_LETTER (sizeof "user/bench/" - 1)

/* ---- common.c ---- */

/** bench_fail() - say why on stderr, with the Windows error @error unless it is 0, and exit(1). */
_Noreturn void bench_fail(DWORD error, const char *format, ...);

/** bench_check() - bench_fail() with GetLastError(), unless @ok. */
void bench_check(BOOL ok, const char *what);

void bench_write(HANDLE pipe, const void *bytes, size_t size);

/**
 * bench_read() - read one to @capacity whole messages of @message bytes
 *
 * Return: how many; 0 if the other end has closed the pipe.
 */
size_t bench_read(HANDLE pipe, void *buffer, size_t message, size_t capacity);

/** bench_wait() - fails unless @handle is signalled within BENCH_WAIT_MS. */
void bench_wait(HANDLE handle);

/** bench_event() - an unnamed event, not set, that resets itself. */
HANDLE bench_event(void);

/** bench_check_file() - reads BENCH_FILE_BYTES at the file's start and checks that they are those
 * that bench_fill() makes. The effect of a File hand-off, in the process that it was handed to. */
void bench_check_file(HANDLE file);
void bench_fill(uint8_t bytes[BENCH_FILE_BYTES]);

/** bench_mark() - leaves a line with @name in the Wine server's request log, if there is one: an
 * attempt to open an event of that name, which does not exist. */
void bench_mark(const char *name);

/** bench_ticks() - QueryPerformanceCounter. */
int64_t bench_ticks(void);
/** bench_us() - ticks as microseconds. */
double bench_us(int64_t ticks);

/* ---- floor_source.c: S's half of the floor ---- */

/** floor_start() - start relay and target and connect to the relay. */
void floor_start(void);
/** floor_setup() - give the target the event that it sets after a File. */
void floor_setup(HANDLE signal);

/* One hand-off each: a request written, the target's signal seen and the answer read. */
void floor_event(HANDLE event);
void floor_file(HANDLE file);
/** floor_plain_event() - the same, but S reads the answer before it waits for the signal. */
void floor_plain_event(HANDLE event);

/**
 * floor_outstanding() - @count hand-offs of events, BENCH_OUTSTANDING of them under way at any time
 * @together: what is in a pipe together is read, done and passed on together; else one by one
 *
 * Return: ticks that it took.
 */
int64_t floor_outstanding(const HANDLE events[BENCH_OUTSTANDING], size_t count, int together);

/** floor_batch() - for each of @events the six calls that handing it over needs, alone in one
 * process: DuplicateHandle, two NtQueryObject, DuplicateHandle, two CloseHandle. Return: ticks. */
int64_t floor_batch(const HANDLE events[BENCH_BATCH]);

/* ---- handoff_source.c: S's half of the product ---- */

/** handoff_start() - start the target, connect to the installed service, wait for the endpoints. */
void handoff_start(void);
/** handoff_setup() - give the target the event that it sets after a File and a batch. */
void handoff_setup(HANDLE signal);
void handoff_event(HANDLE event);
void handoff_file(HANDLE file);
/** handoff_outstanding() - as floor_outstanding(), by BENCH_OUTSTANDING threads that share a
 * client. */
int64_t handoff_outstanding(const HANDLE events[BENCH_OUTSTANDING], size_t count);
/** handoff_batch() - send all of @events at once and wait until the target has closed them. Return:
 * ticks for all of it; *ret_send_ticks: for hbk_send() alone. */
int64_t handoff_batch(const HANDLE events[BENCH_BATCH], int64_t *ret_send_ticks);
/** handoff_stop() - disconnect. */
void handoff_stop(void);

/* ---- children.c ---- */

/** bench_start() - start @program, which stands beside this one, with @arguments. It is ended with
 * us. */
void bench_start(const wchar_t *program, const wchar_t *arguments);

#endif
