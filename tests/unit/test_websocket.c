/* SPDX-License-Identifier: MIT
 *
 * WebSocket frames in memory, and the handshake's answer with the values of RFC 6455. */
#include "http/websocket.h"

#include "base/text.h"

#include "unit.h"

#define PAYLOAD_MAX_BYTES 65536

static unsigned char payload[PAYLOAD_MAX_BYTES];
static struct websocket_frame frame;

static enum websocket_verdict read_text(const char *bytes, size_t size_bytes)
{
    const struct bytes in = {.p = (const unsigned char *)bytes, .n = size_bytes};
    return websocket_read(in, payload, sizeof(payload), &frame);
}

#define READ(literal) read_text(literal, sizeof(literal) - 1)

static void the_accept_key_is_the_one_of_the_rfc(void **state)
{
    char accept[WEBSOCKET_ACCEPT_BYTES];
    assert_true(websocket_accept(*state, "dGhlIHNhbXBsZSBub25jZQ==", accept));
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_false(websocket_accept(*state, "", accept));
    assert_false(websocket_accept(*state, "dGhlIHNhbXBsZSBub25j", accept));
    assert_false(websocket_accept(*state, "not base64 at all!!!!!!!", accept));
}

/* RFC 6455 5.7: "Hello", masked. */
static void a_masked_frame_is_read(void **state)
{
    (void)state;
    assert_int_equal(READ("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58more"), WEBSOCKET_FRAME);
    assert_int_equal(frame.opcode, WEBSOCKET_TEXT);
    assert_true(frame.is_final);
    assert_int_equal(frame.used_bytes, 11);
    assert_int_equal(frame.payload_bytes, 5);
    assert_memory_equal(payload, "Hello", 5);
}

static void a_part_of_a_frame_waits_for_more(void **state)
{
    static const char WHOLE[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    (void)state;
    for (size_t size_bytes = 0; size_bytes < sizeof(WHOLE) - 1; size_bytes++)
        assert_int_equal(read_text(WHOLE, size_bytes), WEBSOCKET_PARTIAL);
    assert_int_equal(read_text(WHOLE, sizeof(WHOLE) - 1), WEBSOCKET_FRAME);
}

static void an_empty_frame_is_read(void **state)
{
    (void)state;
    assert_int_equal(READ("\x09\x80\0\0\0\0"), WEBSOCKET_BROKEN);
    assert_int_equal(READ("\x89\x80\0\0\0\0"), WEBSOCKET_FRAME);
    assert_int_equal(frame.opcode, WEBSOCKET_PING);
    assert_int_equal(frame.used_bytes, 6);
    assert_int_equal(frame.payload_bytes, 0);
}

static void what_breaks_the_protocol_is_told(void **state)
{
    (void)state;
    assert_int_equal(READ("\x81\x02"
                          "ab"),
                     WEBSOCKET_BROKEN);
    assert_int_equal(READ("\xc1\x82\0\0\0\0ab"), WEBSOCKET_BROKEN);
    assert_int_equal(READ("\x81\xfe\x00\x02\0\0\0\0ab"), WEBSOCKET_BROKEN);
}

/* Lengths of each form, up to the limit and one beyond. */
static void lengths_are_read_in_each_form(void **state)
{
    static const size_t SIZES[] = {0, 1, 125, 126, 127, 65535, 65536, 65537};
    (void)state;
    unsigned char *bytes = calloc(1, PAYLOAD_MAX_BYTES + 64);
    assert_non_null(bytes);
    for (size_t i = 0; i < ARRAY_COUNT(SIZES); i++) {
        unsigned char head[WEBSOCKET_HEAD_MAX_BYTES];
        size_t head_bytes = websocket_head(WEBSOCKET_TEXT, SIZES[i], head);
        head[1] |= 0x80; /* as a client would, with a mask of zeros */
        memset(bytes, 0, PAYLOAD_MAX_BYTES + 64);
        memcpy(bytes, head, head_bytes);
        memset(bytes + head_bytes + 4, 'x', SIZES[i]);
        enum websocket_verdict verdict = read_text((char *)bytes, head_bytes + 4 + SIZES[i]);
        assert_int_equal(verdict,
                         SIZES[i] > PAYLOAD_MAX_BYTES ? WEBSOCKET_TOO_LARGE : WEBSOCKET_FRAME);
        if (verdict != WEBSOCKET_FRAME)
            continue;
        assert_int_equal(frame.payload_bytes, SIZES[i]);
        assert_int_equal(frame.used_bytes, head_bytes + 4 + SIZES[i]);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(the_accept_key_is_the_one_of_the_rfc),
        UNIT(a_masked_frame_is_read),
        UNIT(a_part_of_a_frame_waits_for_more),
        UNIT(an_empty_frame_is_read),
        UNIT(what_breaks_the_protocol_is_told),
        UNIT(lengths_are_read_in_each_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
