/* SPDX-License-Identifier: MIT
 *
 * Names of devices: right for the browsers that there are, harmless for anything. */
#include "session/user_agent.h"

#include "unit.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

static void browsers_and_systems_have_names(void **state)
{
    static const char *const rows[][2] = {
        {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox on Linux"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT "Chrome/142.0.0.0 Safari/537.36",
         "Chrome on Windows"},
        {"Mozilla/5.0 (Windows NT 10.0) " WEBKIT "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
         "Edge on Windows"},
        {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/142.0 Safari/537.36",
         "Chrome on ChromeOS"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " WEBKIT "Version/18.5 Safari/605.1.15",
         "Safari on Mac"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) " WEBKIT
         "CriOS/142.0 Mobile/15E148 Safari/604.1",
         "Chrome on iPhone"},
        {"Mozilla/5.0 (Linux; Android 14; SM-S928B) " WEBKIT
         "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
         "Samsung Internet on Android"},
        {"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
         "Firefox on Android"},
        {"curl/8.14.1", "curl"},
        {"python-requests/2.28.1", "A Python program"},
        {"Some reader (Linux)", "A browser on Linux"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(user_agent_name(*state, rows[i][0]), rows[i][1]);
}

static void anything_else_is_an_unknown_device(void **state)
{
    static const char *const texts[] = {
        NULL, "", " ", "Mozilla/5.0", "firefox/1 linux", "<b>", "\x01\xff\xfe", "%s%n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        assert_string_equal(user_agent_name(*state, texts[i]), USER_AGENT_UNKNOWN);
}

static void nothing_of_what_was_sent_is_in_the_name(void **state)
{
    static char text[65536];
    memset(text, '<', sizeof(text) - 1);
    memcpy(text, "Firefox/", 8);
    memcpy(text + 60000, "Linux", 5);
    assert_string_equal(user_agent_name(*state, text), "Firefox on Linux");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(browsers_and_systems_have_names),
        UNIT_WITH_ARENA(anything_else_is_an_unknown_device),
        UNIT_WITH_ARENA(nothing_of_what_was_sent_is_in_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
