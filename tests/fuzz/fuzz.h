/* What the fuzz targets share: each is one program that libFuzzer drives (preset linux-fuzz, "make fuzz"), or that
 * replays kept inputs (replay.c, in the other native builds). A target that finds a fault ends the process. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base.h"

/** LLVMFuzzerTestOneInput() - what libFuzzer calls with each input. Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
