/* SPDX-License-Identifier: MIT
 *
 * Threads without signals, and waits by the clock of deadlines. */
#include "base/thread.h"

#include "base/clock.h"

#include "unit.h"

#include <signal.h>

struct place {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_there;
    bool has_signals_blocked;
};

static void *arrive(void *of)
{
    struct place *place = of;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_mutex_lock(&place->lock);
    place->has_signals_blocked =
        sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1;
    place->is_there = true;
    pthread_cond_signal(&place->changed);
    pthread_mutex_unlock(&place->lock);
    return NULL;
}

static void a_wait_without_an_end_is_woken(void **state)
{
    (void)state;
    struct place place = {.lock = PTHREAD_MUTEX_INITIALIZER};
    condition_start(&place.changed);
    pthread_mutex_lock(&place.lock);
    pthread_t thread;
    assert_true(thread_start(&thread, arrive, &place));
    while (!place.is_there)
        assert_true(condition_wait_until(&place.changed, &place.lock, INT64_MAX));
    pthread_mutex_unlock(&place.lock);
    pthread_join(thread, NULL);
    assert_true(place.has_signals_blocked);
    pthread_cond_destroy(&place.changed);
}

static void a_wait_ends_at_its_moment_and_not_before(void **state)
{
    (void)state;
    struct place place = {.lock = PTHREAD_MUTEX_INITIALIZER};
    condition_start(&place.changed);
    pthread_mutex_lock(&place.lock);
    assert_false(condition_wait_until(&place.changed, &place.lock, INT64_MIN));
    assert_false(condition_wait_until(&place.changed, &place.lock, 0));
    int64_t until_ms = clock_monotonic_ms() + 30;
    while (condition_wait_until(&place.changed, &place.lock, until_ms)) {
    }
    assert_true(clock_monotonic_ms() >= until_ms);
    pthread_mutex_unlock(&place.lock);
    pthread_cond_destroy(&place.changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_without_an_end_is_woken),
        cmocka_unit_test(a_wait_ends_at_its_moment_and_not_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
