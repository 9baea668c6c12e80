/* SPDX-License-Identifier: MIT
 *
 * Ports for what a test runs beside itself. */
#include "child.h"

#include "unit.h"

#include <stdint.h>

#define PORTS_COUNT 300

/* Else another test's server may have it before ours is up. */
static void a_port_is_given_once_and_held(void **state)
{
    static bool was_given[UINT16_MAX + 1];
    (void)state;
    for (int i = 0; i < PORTS_COUNT; i++) {
        int port = child_free_port();
        assert_false(was_given[port]);
        assert_false(child_hold_port(port));
        was_given[port] = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_port_is_given_once_and_held),
    };
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
