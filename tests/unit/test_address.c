/* SPDX-License-Identifier: MIT
 *
 * Addresses, networks, and which of the forwarded ones is the client. */
#include "base/address.h"

#include "unit.h"

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static struct networks networks_of(const char *text)
{
    struct networks networks;
    assert_true(networks_parse(text, &networks));
    return networks;
}

static void addresses_are_read_and_written_in_one_spelling(void **state)
{
    static const char *const rows[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"::", "::"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct address address = address_of(rows[i][0]);
        char text[ADDRESS_TEXT_BYTES];
        address_text(&address, text);
        assert_string_equal(text, rows[i][1]);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const texts[] = {
        "",           " ",     "x",      "1.2.3",     "1.2.3.4.5",  "1.2.3.256",
        "1.2.3.4:80", "[::1]", "::1%lo", "localhost", "0x7f000001", ":::",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct address address = {.bytes = {42}};
        if (address_parse(texts[i], &address))
            fail_msg("\"%s\"", texts[i]);
        assert_int_equal(address.bytes[0], 42);
    }
}

static void limits_count_an_ipv6_site_as_one(void **state)
{
    static const char *const rows[][2] = {
        {"10.1.2.3", "10.1.2.3"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::9", "2001:db8:1:2::/64"},
        {"::1", "::/64"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::/64"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct address address = address_of(rows[i][0]);
        char text[ADDRESS_TEXT_BYTES];
        address_limit_key(&address, text);
        assert_string_equal(text, rows[i][1]);
    }
}

static void owners_are_the_networks_that_limits_count_by(void **state)
{
    const struct address v4 = address_of("10.1.2.3");
    const struct address other_v4 = address_of("10.1.2.4");
    const struct address v6 = address_of("2001:db8:1:2:3:4:5:6");
    const struct address near_v6 = address_of("2001:db8:1:2::9");
    const struct address other_v6 = address_of("2001:db8:1:3::9");
    const struct address here = address_of("::1");
    (void)state;
    assert_true(address_limit_number(&v4) != address_limit_number(&other_v4));
    assert_true(address_limit_number(&v6) == address_limit_number(&near_v6));
    assert_true(address_limit_number(&v6) != address_limit_number(&other_v6));
    assert_true(address_limit_number(&v4) != 0 && address_limit_number(&v6) != 0);
    assert_true(address_limit_number(&here) == 0);
}

static void networks_hold_their_addresses_only(void **state)
{
    static const struct {
        const char *networks;
        const char *address;
        bool is_in;
    } rows[] = {
        {"", "10.0.0.1", false},
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/9", "10.127.0.1", true},
        {"10.0.0.0/9", "10.128.0.1", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1/32", "10.0.0.2", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fe00::1", false},
        {"::ffff:10.0.0.0/104", "10.1.1.1", true},
        {"10.0.0.0/8, 127.0.0.1 ,fd00::/8", "127.0.0.1", true},
        {"\t10.0.0.0/8\t,\t::1", "10.0.0.1", true},
        {"10.0.0.0/8, 127.0.0.1 ,fd00::/8", "fd00::1", true},
        {"10.0.0.0/8, 127.0.0.1 ,fd00::/8", "127.0.0.2", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct networks networks = networks_of(rows[i].networks);
        struct address address = address_of(rows[i].address);
        if (networks_have(&networks, &address) != rows[i].is_in)
            fail_msg("%s in %s", rows[i].address, rows[i].networks);
    }
}

static void a_faulty_list_of_networks_is_refused_whole(void **state)
{
    static const char *const texts[] = {
        " ",
        ",",
        "10.0.0.0/8,",
        ",10.0.0.0/8",
        "10.0.0.0/8,,::1",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "10.0.0.0/8x",
        "fd00::1/8",
        "fd00::/129",
        "example.com",
        "10.0.0.0/0000000000000000000000000000000000000000000000000000000000000000008",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct networks networks = {.count = 42};
        if (networks_parse(texts[i], &networks))
            fail_msg("\"%s\"", texts[i]);
        assert_int_equal(networks.count, 42);
    }
}

static void no_list_of_networks_is_an_empty_one(void **state)
{
    (void)state;
    struct networks networks = {.count = 42};
    assert_true(networks_parse(NULL, &networks));
    assert_int_equal(networks.count, 0);
}

static void more_networks_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    char text[(NETWORKS_MAX_COUNT + 1) * 8] = "";
    struct networks networks;
    for (size_t i = 0; i < NETWORKS_MAX_COUNT; i++)
        memcpy(text + strlen(text), i > 0 ? ",::1" : "::1", i > 0 ? 5 : 4);
    assert_true(networks_parse(text, &networks));
    assert_int_equal(networks.count, NETWORKS_MAX_COUNT);
    memcpy(text + strlen(text), ",::1", 5);
    assert_false(networks_parse(text, &networks));
}

static void the_client_is_the_rightmost_stranger(void **state)
{
    static const struct {
        const char *trusted, *peer, *forwarded_for, *client;
    } rows[] = {
        {"", "10.0.0.1", "1.1.1.1", "10.0.0.1"},
        {"10.0.0.0/8", "9.9.9.9", "1.1.1.1", "9.9.9.9"},
        {"10.0.0.0/8", "10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1", "1.1.1.1"},
        {"10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"},
        {"10.0.0.0/8", "10.0.0.1", "6.6.6.6,1.1.1.1 , 10.0.0.2", "1.1.1.1"},
        {"10.0.0.0/8", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1, garbage", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "garbage, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1,", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", " \t", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", ",10.0.0.2", "10.0.0.2"},
        {"10.0.0.0/8", "10.0.0.1", "2001:db8::7", "2001:db8::7"},
        {"10.0.0.0/8", "10.0.0.1",
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "10.0.0.1"},
        {"::1, 10.0.0.0/8", "::1", "1.1.1.1, 10.0.0.9", "1.1.1.1"},
        /* with ports */
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1:5678", "1.1.1.1"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1:1, 10.0.0.2:65535", "1.1.1.1"},
        {"10.0.0.0/8", "10.0.0.1", "[2001:db8::7]:65535", "2001:db8::7"},
        {"10.0.0.0/8", "10.0.0.1", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
         "2001:db8:1111:2222:3333:4444:5555:6666"},
        {"10.0.0.0/8", "10.0.0.1", "[2001:db8::7]", "2001:db8::7"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1:", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1:x", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "1.1.1.1:123456", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "[1.1.1.1]:80", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "[2001:db8::7", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "[2001:db8::7]80", "10.0.0.1"},
        {"10.0.0.0/8", "10.0.0.1", "[]:80", "10.0.0.1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct networks trusted = networks_of(rows[i].trusted);
        struct address peer = address_of(rows[i].peer);
        struct address client = address_client(&trusted, &peer, rows[i].forwarded_for);
        char text[ADDRESS_TEXT_BYTES];
        address_text(&client, text);
        assert_string_equal(text, rows[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(addresses_are_read_and_written_in_one_spelling),
        UNIT(what_is_no_address_is_refused),
        UNIT(limits_count_an_ipv6_site_as_one),
        UNIT(owners_are_the_networks_that_limits_count_by),
        UNIT(networks_hold_their_addresses_only),
        UNIT(a_faulty_list_of_networks_is_refused_whole),
        UNIT(no_list_of_networks_is_an_empty_one),
        UNIT(more_networks_than_there_is_room_for_are_refused),
        UNIT(the_client_is_the_rightmost_stranger),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
