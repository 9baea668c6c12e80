/* SPDX-License-Identifier: MIT
 *
 * Engine.IO and Socket.IO packets: what is read, what is malformed, what a handshake is told. */
#include "live/engineio.h"
#include "live/socketio.h"

#include "base/text.h"

#include "unit.h"

static void packets_of_engineio_are_told_apart(void **state)
{
    const char *rest = NULL;
    (void)state;
    assert_int_equal(engineio_read("1", &rest), ENGINEIO_CLOSE);
    assert_int_equal(engineio_read("3", &rest), ENGINEIO_PONG);
    assert_int_equal(engineio_read("3probe", &rest), ENGINEIO_PONG);
    assert_int_equal(engineio_read("6", &rest), ENGINEIO_NOOP);
    assert_int_equal(engineio_read("40/notes,", &rest), ENGINEIO_MESSAGE);
    assert_string_equal(rest, "0/notes,");
    static const char *const BAD[] = {"", "0", "2", "5", "7", "b", "1x", "6x", "\xc3\xbc"};
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        assert_int_equal(engineio_read(BAD[i], &rest), ENGINEIO_BAD);
}

static void the_first_packet_has_all_five_members(void **state)
{
    const struct engineio_times times = {.ping_interval_ms = 25000, .ping_timeout_ms = 20000};
    assert_string_equal(engineio_open(*state, "abc", &times),
                        "0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,"
                        "\"pingTimeout\":20000,\"maxPayload\":65536}");
}

static void a_handshake_is_checked_in_order(void **state)
{
    (void)state;
    struct engineio_query query = {.transport = "polling"};
    assert_int_equal(engineio_check(&query), ENGINEIO_UNKNOWN_TRANSPORT);
    query.transport = "websocket";
    query.sid = "x";
    assert_int_equal(engineio_check(&query), ENGINEIO_UNKNOWN_SESSION);
    query.sid = NULL;
    assert_int_equal(engineio_check(&query), ENGINEIO_BAD_METHOD);
    query.is_get = 1;
    assert_int_equal(engineio_check(&query), ENGINEIO_BAD_REQUEST);
    query.is_upgrade = 1;
    assert_int_equal(engineio_check(&query), ENGINEIO_BAD_VERSION);
    query.version = "3";
    assert_int_equal(engineio_check(&query), ENGINEIO_BAD_VERSION);
    query.version = "4";
    assert_int_equal(engineio_check(&query), ENGINEIO_FINE);
    assert_string_equal(engineio_fault_json(ENGINEIO_FORBIDDEN),
                        "{\"code\":4,\"message\":\"Forbidden\"}");
}

static void expect(struct arena *arena, const char *text, const struct socketio_packet *wanted)
{
    struct socketio_packet packet;
    assert_true(socketio_read(arena, text, &packet));
    assert_int_equal(packet.type, wanted->type);
    assert_string_equal(packet.name_space, wanted->name_space);
    assert_int_equal(packet.has_id, wanted->has_id);
    assert_int_equal(packet.id, wanted->id);
    assert_string_equal(packet.json, wanted->json);
}

static void packets_of_socketio_are_read(void **state)
{
    expect(*state, "0",
           &(struct socketio_packet){.type = SOCKETIO_CONNECT, .name_space = "/", .json = ""});
    expect(*state, "0/notes",
           &(struct socketio_packet){.type = SOCKETIO_CONNECT, .name_space = "/notes", .json = ""});
    expect(*state, "0/notes,{\"key\":\"a,b\"}",
           &(struct socketio_packet){
               .type = SOCKETIO_CONNECT, .name_space = "/notes", .json = "{\"key\":\"a,b\"}"});
    expect(
        *state, "1/home,",
        &(struct socketio_packet){.type = SOCKETIO_DISCONNECT, .name_space = "/home", .json = ""});
    expect(*state, "2[\"x\"]",
           &(struct socketio_packet){.type = SOCKETIO_EVENT, .name_space = "/", .json = "[\"x\"]"});
    expect(*state, "2/notes,0[\"x\"]",
           &(struct socketio_packet){
               .type = SOCKETIO_EVENT, .name_space = "/notes", .has_id = true, .json = "[\"x\"]"});
    expect(*state, "3/notes,999999999999999[]",
           &(struct socketio_packet){.type = SOCKETIO_ACK,
                                     .name_space = "/notes",
                                     .has_id = true,
                                     .id = 999999999999999,
                                     .json = "[]"});
}

static void malformed_packets_are_refused(void **state)
{
    static const char *const BAD[] = {
        "",           "4",  "5",           "6",
        "7",          "x",  "451-[\"x\"]", "07{}",
        "1/notes,{}", "17", "2/a\x01,[]",  "2/notes,1234567890123456[]",
    };
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++) {
        struct socketio_packet packet = {.name_space = "untouched"};
        assert_false(socketio_read(*state, BAD[i], &packet));
        assert_string_equal(packet.name_space, "untouched");
    }
    char *name = arena_take(*state, 302);
    memset(name, 'n', 301);
    memcpy(name, "0/", 2);
    struct socketio_packet packet;
    assert_false(socketio_read(*state, name, &packet));
    name[1 + SOCKETIO_NAMESPACE_MAX_BYTES] = '\0';
    assert_true(socketio_read(*state, name, &packet));
}

static void names_of_the_protocol_itself_are_reserved(void **state)
{
    (void)state;
    assert_true(socketio_is_reserved("connect"));
    assert_true(socketio_is_reserved("newListener"));
    assert_false(socketio_is_reserved("newmessage"));
    assert_false(socketio_is_reserved(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(packets_of_engineio_are_told_apart),
        UNIT_WITH_ARENA(the_first_packet_has_all_five_members),
        UNIT(a_handshake_is_checked_in_order),
        UNIT_WITH_ARENA(packets_of_socketio_are_read),
        UNIT_WITH_ARENA(malformed_packets_are_refused),
        UNIT(names_of_the_protocol_itself_are_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
