/* SPDX-License-Identifier: MIT
 *
 * The yardstick of logins: how long one Argon2id hash of the given cost takes, alone on the
 * machine, and how many a second as many threads as there are cores make.
 *
 * usage: hash_time MEMORY_KIB PASSES DURATION_MS. Prints {"one_ms": ..., "all_per_s": ...}.
 * Depends on: bench.h, clock.h, libsodium. */
#include "bench.h"

#include "base/clock.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMES_MAX_COUNT 4096
#define CORES_MAX_COUNT 256

struct hasher {
    size_t memory_bytes;
    unsigned long long passes;
    int64_t until_us;
    size_t count;
    double times_ms[TIMES_MAX_COUNT];
};

static void *hash_until(void *argument)
{
    struct hasher *hasher = argument;
    static const unsigned char salt[crypto_pwhash_SALTBYTES];
    static const char password[] = "a password of usual length";
    unsigned char hash[32];
    while (clock_monotonic_us() < hasher->until_us && hasher->count < TIMES_MAX_COUNT) {
        int64_t begun_us = clock_monotonic_us();
        if (crypto_pwhash(hash, sizeof(hash), password, sizeof(password) - 1, salt, hasher->passes,
                          hasher->memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
            bench_die("no memory for a hash");
        hasher->times_ms[hasher->count++] = (double)(clock_monotonic_us() - begun_us) / 1000;
    }
    return NULL;
}

static double all_per_s(const struct hasher *pattern, int64_t duration_us, size_t cores_count)
{
    pthread_t threads[CORES_MAX_COUNT];
    struct hasher *hashers = calloc(cores_count, sizeof(*hashers));
    size_t count = 0;
    if (!hashers)
        bench_die("no memory");
    int64_t begun_us = clock_monotonic_us();
    for (size_t i = 0; i < cores_count; i++) {
        hashers[i].memory_bytes = pattern->memory_bytes;
        hashers[i].passes = pattern->passes;
        hashers[i].until_us = begun_us + duration_us;
        if (pthread_create(&threads[i], NULL, hash_until, &hashers[i]) != 0)
            bench_die("no thread");
    }
    for (size_t i = 0; i < cores_count; i++) {
        (void)pthread_join(threads[i], NULL);
        count += hashers[i].count;
    }
    free(hashers);
    return (double)count * 1e6 / (double)(clock_monotonic_us() - begun_us);
}

int main(int argc, char **argv)
{
    static struct hasher alone;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (argc != 4 || sodium_init() < 0)
        bench_die("usage: hash_time MEMORY_KIB PASSES DURATION_MS");
    alone.memory_bytes = (size_t)bench_number(argv[1], 8, 1 << 20) * 1024;
    alone.passes = (unsigned long long)bench_number(argv[2], 1, 100);
    int64_t duration_us = bench_number(argv[3], 1, 600000) * 1000;
    alone.until_us = clock_monotonic_us() + duration_us;
    (void)hash_until(&alone);
    double one_ms = bench_quantile(alone.times_ms, alone.count, 0.5);
    size_t cores_count = cores < CORES_MAX_COUNT ? (size_t)cores : CORES_MAX_COUNT;
    (void)printf("{\"one_ms\": %.3f, \"all_per_s\": %.2f}\n", one_ms,
                 all_per_s(&alone, duration_us, cores_count));
    return 0;
}
