/* SPDX-License-Identifier: MIT
 *
 * Live packets as JSON: what is read of a client's, and the server's to the letter. */
#include "live/live_wire.h"

#include "base/ctx.h"
#include "base/text.h"
#include "comment/comment.h"
#include "http/json_body.h"
#include "note/note.h"

#include "unit.h"

#define BUDGET_MS 60000

static int make_ctx(void **state)
{
    struct ctx *ctx = malloc(sizeof(*ctx));
    if (!ctx)
        return -1;
    ctx_init(ctx, NULL, BUDGET_MS);
    *state = ctx;
    return 0;
}

static int free_ctx(void **state)
{
    ctx_done(*state);
    free(*state);
    return 0;
}

static void the_payload_of_a_connect_is_read(void **state)
{
    struct live_auth auth;
    assert_true(live_wire_auth(*state, "", &auth));
    assert_null(auth.key);
    assert_true(live_wire_auth(*state, "{\"key\":\"a\",\"revision\":7,\"token\":1}", &auth));
    assert_string_equal(auth.key, "a");
    assert_int_equal(auth.revision, 7);
    assert_true(live_wire_auth(*state, "{\"key\":1,\"revision\":\"7\"}", &auth));
    assert_null(auth.key);
    assert_int_equal(auth.revision, 0);
    assert_true(live_wire_auth(*state, "{\"key\":\"\",\"revision\":-1}", &auth));
    assert_null(auth.key);
    assert_int_equal(auth.revision, 0);
    assert_false(live_wire_auth(*state, "[]", &auth));
    assert_false(live_wire_auth(*state, "{\"key\":\"a\",\"key\":\"b\"}", &auth));
    assert_false(live_wire_auth(*state, "{}x", &auth));
}

static void events_are_read(void **state)
{
    struct live_event event;
    assert_true(live_wire_event(*state, "[\"create-message\",{\"message\":\"a\\r\\nb\"}]", &event));
    assert_int_equal(event.kind, LIVE_EVENT_CREATE_MESSAGE);
    assert_string_equal(event.message, "a\nb");
    assert_true(live_wire_event(*state, "[\"delete-message\",{\"id\":\"12\"}]", &event));
    assert_int_equal(event.kind, LIVE_EVENT_DELETE_MESSAGE);
    assert_int_equal(event.id, 12);
    assert_true(live_wire_event(*state, "[\"delete-message\",{\"id\":12}]", &event));
    assert_int_equal(event.id, 12);
    assert_true(live_wire_event(*state, "[\"delete-message\",{\"id\":\"12x\"}]", &event));
    assert_int_equal(event.id, 0);
    assert_true(live_wire_event(*state, "[\"snapshot\"]", &event));
    assert_int_equal(event.kind, LIVE_EVENT_SNAPSHOT);
    assert_true(live_wire_event(*state, "[7,{}]", &event));
    assert_int_equal(event.kind, LIVE_EVENT_UNKNOWN);
    assert_true(
        live_wire_event(*state, "[\"create-message\",{\"message\":\"a\\u0000b\"}]", &event));
    assert_int_equal(event.kind, LIVE_EVENT_CREATE_MESSAGE);
    assert_null(event.message);
    assert_true(live_wire_event(*state, "[\"delete-message\",{\"id\":\"1\\u00002\"}]", &event));
    assert_int_equal(event.id, 0);
    assert_true(live_wire_event(*state, "[\"snapshot\\u0000\"]", &event));
    assert_int_equal(event.kind, LIVE_EVENT_UNKNOWN);
    static const char *const BAD[] = {"", "{}", "[]", "[null]", "[{}]", "[\"connect\"]", "[\"a\""};
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        assert_false(live_wire_event(*state, BAD[i], &event));
}

static void packets_are_written_to_the_letter(void **state)
{
    const struct live_step step = {.key = "k", .previous = 1, .revision = 2};
    const struct comment comment = {.id = 5, .author = "me", .message = "<\"", .made_unix_ms = 0};
    const struct comment_list comments = {.items = &comment, .count = 1};
    const struct note note = {.key = "k", .title = "t", .body = "b", .revision = 2};
    assert_string_equal(live_wire_message(*state, &step, &comment),
                        "42/notes,[\"newmessage\",{\"id\":5,\"from\":\"me\",\"message\":"
                        "\"\\u003c\\\"\",\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"namespace\":"
                        "\"/notes\",\"room\":\"k\",\"revision\":2,\"previous\":1}]");
    assert_string_equal(live_wire_message_gone(*state, &step, 5),
                        "42/notes,[\"destroymessage\",{\"id\":5,\"namespace\":\"/notes\","
                        "\"room\":\"k\",\"revision\":2,\"previous\":1}]");
    assert_string_equal(live_wire_updated(*state, &step, &note),
                        "42/notes,[\"noteupdated\",{\"key\":\"k\",\"title\":\"t\",\"body\":\"b\","
                        "\"html\":null,\"revision\":2,\"previous\":1}]");
    assert_string_equal(live_wire_destroyed(*state, "k"), "42/notes,[\"notedestroyed\",\"k\"]");
    assert_string_equal(live_wire_snapshot(*state, &note, &comments),
                        "42/notes,[\"snapshot\",{\"key\":\"k\",\"title\":\"t\",\"body\":\"b\","
                        "\"html\":null,\"author\":null,\"comments\":[{\"id\":5,\"from\":\"me\","
                        "\"message\":\"\\u003c\\\"\",\"timestamp\":\"1970-01-01T00:00:00.000Z\"}],"
                        "\"revision\":2}]");
    assert_string_equal(live_wire_connected(*state, "/", "s"), "40{\"sid\":\"s\"}");
    assert_string_equal(live_wire_connected(*state, "/home", "s"), "40/home,{\"sid\":\"s\"}");
    assert_string_equal(live_wire_refused(*state, "/x"),
                        "44/x,{\"message\":\"Invalid namespace\"}");
    assert_string_equal(live_wire_ok(*state, "/notes", 3), "43/notes,3[\"ok\"]");
}

static void the_list_is_written(void **state)
{
    const struct note_title items[] = {{.key = "a", .title = "A"}, {.key = "b", .title = "&"}};
    struct note_list list = {.items = items, .count = 2};
    assert_string_equal(live_wire_titles(*state, &list, 9),
                        "42/home,[\"notetitles\",{\"notelist\":[{\"key\":\"a\",\"title\":\"A\"},"
                        "{\"key\":\"b\",\"title\":\"\\u0026\"}],\"revision\":9}]");
    list.has_more = true;
    list.count = 1;
    assert_string_equal(live_wire_titles(*state, &list, 9),
                        "42/home,[\"notetitles\",{\"notelist\":[{\"key\":\"a\",\"title\":\"A\"}],"
                        "\"revision\":9,\"hasOlder\":true}]");
    list.has_more = false;
    list.count = 0;
    assert_string_equal(live_wire_titles(*state, &list, 9),
                        "42/home,[\"notetitles\",{\"notelist\":[],\"revision\":9}]");
}

#define UNIT_WITH_CTX(test) cmocka_unit_test_setup_teardown(test, make_ctx, free_ctx)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(the_payload_of_a_connect_is_read),
        UNIT_WITH_CTX(events_are_read),
        UNIT_WITH_CTX(packets_are_written_to_the_letter),
        UNIT_WITH_CTX(the_list_is_written),
    };
    json_body_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
