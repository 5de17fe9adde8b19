/* The flood: one side does its worst, the other goes on. flood.c has the driver and the pair that hands over,
 * flooders.c what the others do. */
#ifndef HBK_FLOOD_H
#define HBK_FLOOD_H

#include "kit.h"

/* One thread each. */
enum flood_kind {
    FLOOD_STORM,     /* connects and leaves */
    FLOOD_PROVE,     /* connects, proves itself, leaves */
    FLOOD_DEAF,      /* asks, and never reads an answer */
    FLOOD_HALF,      /* lines that never end, a byte at a time */
    FLOOD_REQUESTS,  /* as many sends in flight, with as many handles, as a session may have */
    FLOOD_GARBAGE,   /* lines that are refused, pipelined */
    FLOOD_ASK,       /* offers to endpoints that never answer */
    FLOOD_ENDPOINTS, /* thousands of endpoints, opened, listed and closed */
    FLOOD_HANDOFFS,  /* hand-offs of 64 handles, one after the other */
    FLOOD_KINDS
};

/* What driver and flooders share, in memory of its own. */
struct flood_board {
    volatile LONG stop;
    volatile LONG done[FLOOD_KINDS];   /* connections, lines, answers, … by kind */
    volatile LONG failed[FLOOD_KINDS]; /* connections that were not had within KIT_WAIT_MS */
};

/** flood_name() - the word for @kind on command lines and in tables. */
const char *flood_name(enum flood_kind kind);
/** flood_names() - is the word for @kind in @kinds, which has commas between its words? */
bool flood_names(const char *kinds, enum flood_kind kind);

/**
 * flood_main() - what a flooder does until the board says stop
 * @kinds: the words of those that it is, with commas between
 * @pipe:  of the broker
 * @board: the board's name
 *
 * Return: what its process returns; 0, unless it could not even begin.
 */
int flood_main(const char *kinds, const char *pipe, const char *board);

/** flood_board_open() - the board of that name, made if there is none. NULL: no memory. */
struct flood_board *flood_board_open(const char *name);

#endif
