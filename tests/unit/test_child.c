/* SPDX-License-Identifier: MIT
 *
 * Ports for what a test runs beside itself. */
#include "child.h"

#include "unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PORTS_COUNT 300

/* Is the name that tests/harness/ports.py asks for somebody's? */
static bool is_held(int port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int bytes = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "notes-tests-port-%d", port);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)bytes);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(probe >= 0);
    bool is_taken = bind(probe, (struct sockaddr *)&name, size) != 0 && errno == EADDRINUSE;
    assert_int_equal(close(probe), 0);
    return is_taken;
}

/* Else another test's server may have it before ours is up. */
static void a_port_is_given_once_and_held(void **state)
{
    static bool was_given[UINT16_MAX + 1];
    (void)state;
    for (int i = 0; i < PORTS_COUNT; i++) {
        int port = child_free_port();
        assert_false(was_given[port]);
        assert_true(is_held(port));
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
