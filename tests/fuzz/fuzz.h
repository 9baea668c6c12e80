/* SPDX-License-Identifier: MIT
 *
 * What every fuzz target needs: its entry point's prototype and FUZZ_REQUIRE, which ends the
 * process with the broken property's text, so that the fuzzer keeps the input. */
#ifndef NOTES_FUZZ_H
#define NOTES_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define FUZZ_BUDGET_MS 60000

/* libFuzzer calls this once per input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_REQUIRE(property)                                                                  \
    do {                                                                                        \
        if (!(property)) {                                                                      \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property); \
            abort();                                                                            \
        }                                                                                       \
    } while (0)

#endif
