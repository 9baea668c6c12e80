/* SPDX-License-Identifier: MIT
 *
 * Built with the option test_hooks only. Depends on: test_hook.h, parse.h. */
#include "base/test_hook.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"

#define SETTING    "NOTES_TEST_HOOK"
#define KILL       "kill"
#define KILL_AT    "kill:"
#define SLEEP      "sleep:"
#define NUMBER_MAX 60000

static void sleep_ms(int64_t span_ms)
{
    (void)poll(NULL, 0, (int)span_ms);
}

void test_hook_pass(const char *name)
{
    static _Atomic int64_t passes_count;
    const char *setting = getenv(SETTING);
    size_t name_chars = strlen(name);
    if (!setting || strncmp(setting, name, name_chars) != 0 || setting[name_chars] != ':')
        return;
    const char *what = setting + name_chars + 1;
    int64_t number = text_equals(what, KILL) ? 1 : 0;
    if (text_starts_with(what, SLEEP) && parse_i64(what + strlen(SLEEP), 1, NUMBER_MAX, &number))
        sleep_ms(number);
    else if (number == 1 || (text_starts_with(what, KILL_AT) &&
                             parse_i64(what + strlen(KILL_AT), 1, NUMBER_MAX, &number)))
        if (atomic_fetch_add(&passes_count, 1) + 1 == number)
            (void)raise(SIGKILL);
}
