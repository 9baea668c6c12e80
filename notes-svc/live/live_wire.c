/* SPDX-License-Identifier: MIT
 *
 * Reading is strict and by jansson; writing is strbuf's appender, which also escapes what HTML
 * would take for markup. Depends on: live_wire.h, json_body.h, strbuf.h, clock.h. */
#include "live/live_wire.h"

#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "comment/comment.h"
#include "http/json_body.h"
#include "live/socketio.h"
#include "note/note.h"

/* A byte of text takes six at most in JSON. */
#define JSON_GROWTH_FACTOR 6
#define REST_MAX_BYTES     ((size_t)262144) /* all but body and HTML */
#define PACKET_MAX_BYTES \
    (JSON_GROWTH_FACTOR * (NOTE_BODY_MAX_BYTES + NOTE_HTML_MAX_BYTES) + REST_MAX_BYTES)
#define EVENT_HEAD "42" LIVE_NOTES ","

/* ---- reading ---- */

static json_t *load(const char *json, size_t flags)
{
    json_error_t error;
    return json_loads(json, JSON_REJECT_DUPLICATES | flags, &error);
}

/* NULL: no text, or one with a NUL, which no text of ours has. */
static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

bool live_wire_auth(struct ctx *ctx, const char *json, struct live_auth *out_auth)
{
    struct live_auth auth = {0};
    *out_auth = auth;
    if (!*json)
        return true;
    CLEANUP(json_body_release) json_t *object = load(json, 0);
    if (!json_is_object(object))
        return false;
    const json_t *key = json_object_get(object, "key");
    const json_t *revision = json_object_get(object, "revision");
    if (json_is_string(key) && json_string_length(key) > 0)
        auth.key = arena_text(&ctx->arena, json_string_value(key));
    if (json_is_integer(revision) && json_integer_value(revision) > 0)
        auth.revision = json_integer_value(revision);
    *out_auth = auth;
    return true;
}

static enum live_event_kind kind_of(const char *name)
{
    if (text_equals(name, "create-message"))
        return LIVE_EVENT_CREATE_MESSAGE;
    if (text_equals(name, "delete-message"))
        return LIVE_EVENT_DELETE_MESSAGE;
    return text_equals(name, "snapshot") ? LIVE_EVENT_SNAPSHOT : LIVE_EVENT_UNKNOWN;
}

static int64_t read_id(const json_t *id)
{
    int64_t number = 0;
    const char *digits = text_of(id);
    if (json_is_integer(id) && json_integer_value(id) > 0)
        return json_integer_value(id);
    if (digits && parse_i64(digits, 1, INT64_MAX, &number))
        return number;
    return 0;
}

bool live_wire_event(struct ctx *ctx, const char *json, struct live_event *out_event)
{
    CLEANUP(json_body_release) json_t *array = load(json, JSON_ALLOW_NUL);
    if (!json_is_array(array))
        return false;
    const json_t *name = json_array_get(array, 0);
    const json_t *values = json_array_get(array, 1);
    if (!json_is_string(name) && !json_is_number(name))
        return false;
    const char *name_text = text_of(name);
    const char *message = text_of(json_object_get(values, "message"));
    if (name_text && socketio_is_reserved(name_text))
        return false;
    struct live_event event = {.kind = name_text ? kind_of(name_text) : LIVE_EVENT_UNKNOWN};
    if (message)
        event.message = text_unix_newlines(&ctx->arena, message);
    event.id = read_id(json_object_get(values, "id"));
    *out_event = event;
    return true;
}

bool live_wire_is_array(const char *json)
{
    CLEANUP(json_body_release) json_t *array = load(json, JSON_ALLOW_NUL);
    return json_is_array(array);
}

/* ---- writing ---- */

static struct strbuf packet(struct ctx *ctx, size_t expected_bytes)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, expected_bytes, PACKET_MAX_BYTES);
    return json;
}

static const char *after_namespace(const char *name_space)
{
    return text_equals(name_space, "/") ? "" : ",";
}

static const char *shown_namespace(const char *name_space)
{
    return text_equals(name_space, "/") ? "" : name_space;
}

const char *live_wire_connected(struct ctx *ctx, const char *name_space, const char *sid)
{
    return arena_format(&ctx->arena, "40%s%s{\"sid\":\"%s\"}", shown_namespace(name_space),
                        after_namespace(name_space), sid);
}

const char *live_wire_refused(struct ctx *ctx, const char *name_space)
{
    return arena_format(&ctx->arena, "44%s,{\"message\":\"Invalid namespace\"}", name_space);
}

static struct strbuf begin_ack(struct ctx *ctx, const char *name_space, int64_t ack_id)
{
    struct strbuf json = packet(ctx, 128);
    strbuf_format(&json, "43%s%s%lld[", shown_namespace(name_space), after_namespace(name_space),
                  (long long)ack_id);
    return json;
}

const char *live_wire_ok(struct ctx *ctx, const char *name_space, int64_t ack_id)
{
    struct strbuf json = begin_ack(ctx, name_space, ack_id);
    strbuf_add(&json, "\"ok\"]");
    return json.text;
}

const char *live_wire_error(struct ctx *ctx, const char *name_space, int64_t ack_id, enum err err)
{
    struct strbuf json = begin_ack(ctx, name_space, ack_id);
    strbuf_add(&json, "{\"code\":");
    strbuf_add_json(&json, err_code(err));
    strbuf_add(&json, ",\"message\":");
    strbuf_add_json(&json, ctx->why.hint ? ctx->why.hint : err_text(err));
    strbuf_add(&json, "}]");
    return json.text;
}

static void add_text(struct strbuf *json, const char *name, const char *value)
{
    strbuf_format(json, ",\"%s\":", name);
    strbuf_add_json(json, value);
}

static void add_number(struct strbuf *json, const char *name, int64_t number)
{
    strbuf_format(json, ",\"%s\":%lld", name, (long long)number);
}

static void add_revisions(struct strbuf *json, const struct live_step *step)
{
    add_number(json, "revision", step->revision);
    add_number(json, "previous", step->previous);
    strbuf_add(json, "}]");
}

/* {"id","from"…: what a new message and one of a snapshot have in common. */
static void add_comment(struct strbuf *json, const struct comment *comment)
{
    char made[CLOCK_ISO_BYTES];
    clock_iso_into(made, comment->made_unix_ms);
    strbuf_format(json, "{\"id\":%lld", (long long)comment->id);
    add_text(json, "from", comment->author);
    add_text(json, "message", comment->message);
    add_text(json, "timestamp", made);
}

const char *
live_wire_message(struct ctx *ctx, const struct live_step *step, const struct comment *comment)
{
    struct strbuf json = packet(ctx, 1024);
    strbuf_add(&json, EVENT_HEAD "[\"newmessage\",");
    add_comment(&json, comment);
    add_text(&json, "namespace", LIVE_NOTES);
    add_text(&json, "room", step->key);
    add_revisions(&json, step);
    return json.text;
}

const char *
live_wire_message_gone(struct ctx *ctx, const struct live_step *step, int64_t comment_id)
{
    struct strbuf json = packet(ctx, 512);
    strbuf_format(&json, EVENT_HEAD "[\"destroymessage\",{\"id\":%lld", (long long)comment_id);
    add_text(&json, "namespace", LIVE_NOTES);
    add_text(&json, "room", step->key);
    add_revisions(&json, step);
    return json.text;
}

/* {"key","title","body","html" */
static void add_note(struct strbuf *json, const struct note *note)
{
    strbuf_add(json, "{\"key\":");
    strbuf_add_json(json, note->key);
    add_text(json, "title", note->title);
    add_text(json, "body", note->body);
    add_text(json, "html", note->html.text);
}

static size_t note_bytes(const struct note *note)
{
    return 1024 + strlen(note->body) + note->html.size_bytes;
}

const char *
live_wire_updated(struct ctx *ctx, const struct live_step *step, const struct note *note)
{
    struct strbuf json = packet(ctx, note_bytes(note));
    strbuf_add(&json, EVENT_HEAD "[\"noteupdated\",");
    add_note(&json, note);
    add_revisions(&json, step);
    return json.text;
}

const char *live_wire_destroyed(struct ctx *ctx, const char *key)
{
    struct strbuf json = packet(ctx, 512);
    strbuf_add(&json, EVENT_HEAD "[\"notedestroyed\",");
    strbuf_add_json(&json, key);
    strbuf_add(&json, "]");
    return json.text;
}

const char *
live_wire_snapshot(struct ctx *ctx, const struct note *note, const struct comment_list *comments)
{
    struct strbuf json = packet(ctx, note_bytes(note) + comments->count * 512);
    strbuf_add(&json, EVENT_HEAD "[\"snapshot\",");
    add_note(&json, note);
    add_text(&json, "author", note->author);
    strbuf_add(&json, ",\"comments\":[");
    for (size_t i = 0; i < comments->count; i++) {
        strbuf_add(&json, i ? "," : "");
        add_comment(&json, &comments->items[i]);
        strbuf_add(&json, "}");
    }
    strbuf_add(&json, "]");
    add_number(&json, "revision", note->revision);
    strbuf_add(&json, "}]");
    return json.text;
}

const char *live_wire_titles(struct ctx *ctx, const struct note_list *list, int64_t revision)
{
    struct strbuf json = packet(ctx, 256 + list->count * 256);
    strbuf_add(&json, "42" LIVE_HOME ",[\"notetitles\",{\"notelist\":[");
    for (size_t i = 0; i < list->count; i++) {
        strbuf_add(&json, i ? ",{\"key\":" : "{\"key\":");
        strbuf_add_json(&json, list->items[i].key);
        add_text(&json, "title", list->items[i].title);
        strbuf_add(&json, "}");
    }
    strbuf_add(&json, "]");
    add_number(&json, "revision", revision);
    strbuf_add(&json, list->has_more ? ",\"hasOlder\":true}]" : "}]");
    return json.text;
}
