/* SPDX-License-Identifier: MIT
 *
 * Addresses of providers, and the lists that settings give. */
#include "provider/provider_url.h"

#include "provider/provider_settings.h"

#include "unit.h"

static void only_https_and_this_machine_are_good(void **state)
{
    (void)state;
    static const char *const https[] = {"https://a",
                                        "https://login.example.org/realms/all",
                                        "https://a:8443/x?y=1",
                                        "https://[2001:db8::1]:443/",
                                        "https://10.0.0.1",
                                        "https://a_b.example/%2e"};
    static const char *const loopback[] = {"http://127.0.0.1:1/x", "http://127.9.8.7",
                                           "http://localhost:4000", "http://LOCALHOST/",
                                           "http://[::1]:4000/x"};
    static const char *const bad[] = {"",
                                      "https://",
                                      "https:///x",
                                      "http://example.org",
                                      "http://10.0.0.1/",
                                      "ftp://127.0.0.1",
                                      "HTTPS://a",
                                      "https://a@b",
                                      "https://a:b@c/",
                                      "https://a\\@b",
                                      "https://a:",
                                      "https://a:x",
                                      "https://a:123456",
                                      "https://a b",
                                      "https://a#b",
                                      "https://a/\n",
                                      "https://\xc3\xa9",
                                      "https://[::1",
                                      "https://[zz]",
                                      "https://[1.2.3.4:5]x",
                                      "http://127.0.0.1.example.org",
                                      "http://localhost.example.org",
                                      "http://localhost@example.org",
                                      "http://127.1",
                                      "http://0x7f000001",
                                      "http://2130706433",
                                      "//a",
                                      "javascript:alert(1)",
                                      "https://a\"b",
                                      "http://[::2]",
                                      "http://[::ffff:8.8.8.8]"};
    for (size_t i = 0; i < ARRAY_COUNT(https); i++)
        assert_int_equal(provider_url_kind(https[i]), PROVIDER_URL_HTTPS);
    for (size_t i = 0; i < ARRAY_COUNT(loopback); i++)
        assert_int_equal(provider_url_kind(loopback[i]), PROVIDER_URL_LOOPBACK);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (provider_url_kind(bad[i]) != PROVIDER_URL_BAD)
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void an_address_has_a_greatest_length(void **state)
{
    (void)state;
    char url[PROVIDER_URL_MAX_BYTES + 2];
    memset(url, 'a', sizeof(url));
    memcpy(url, "https://a/", 10);
    url[PROVIDER_URL_MAX_BYTES] = '\0';
    assert_int_equal(provider_url_kind(url), PROVIDER_URL_HTTPS);
    url[PROVIDER_URL_MAX_BYTES] = 'a';
    url[PROVIDER_URL_MAX_BYTES + 1] = '\0';
    assert_int_equal(provider_url_kind(url), PROVIDER_URL_BAD);
}

static void nobody_leads_from_https_to_http(void **state)
{
    (void)state;
    assert_true(provider_url_may_follow("https://a", "https://b/token"));
    assert_true(provider_url_may_follow("http://127.0.0.1:1", "https://b/token"));
    assert_true(provider_url_may_follow("http://127.0.0.1:1", "http://localhost:2/token"));
    assert_false(provider_url_may_follow("https://a", "http://127.0.0.1/token"));
    assert_false(provider_url_may_follow("http://127.0.0.1:1", "http://a/token"));
}

static void an_address_of_mail_is_of_a_domain_or_not(void **state)
{
    (void)state;
    static const char list[] = "example.org, Example.NET,";
    assert_true(provider_settings_has_domain(list, "me@example.org"));
    assert_true(provider_settings_has_domain(list, "\"a@b\"@EXAMPLE.net"));
    assert_false(provider_settings_has_domain(list, "me@sub.example.org"));
    assert_false(provider_settings_has_domain(list, "me@example.orga"));
    assert_false(provider_settings_has_domain(list, "me@example.or"));
    assert_false(provider_settings_has_domain(list, "me@evil.test@example.com"));
    assert_false(provider_settings_has_domain(list, "@example.org"));
    assert_false(provider_settings_has_domain(list, "example.org"));
    assert_false(provider_settings_has_domain(list, "me@"));
    assert_false(provider_settings_has_domain(list, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(only_https_and_this_machine_are_good),
        UNIT(an_address_has_a_greatest_length),
        UNIT(nobody_leads_from_https_to_http),
        UNIT(an_address_of_mail_is_of_a_domain_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
