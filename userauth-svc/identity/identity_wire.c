/* SPDX-License-Identifier: MIT
 *
 * Depends on: identity.h, account_identities.h, json_body.h, http_message.h, clock.h, strbuf.h. */
#include "identity/identity_wire.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/http_message.h"
#include "http/json_body.h"
#include "identity/account_identities.h"
#include "identity/identity.h"

#define ANSWER_FIRST_BYTES 512
/* Every character of every text may need six bytes. */
#define ANSWER_MAX_BYTES ((size_t)64 * 1024)
#define JSON_TYPE        "application/json"

enum err identity_wire_read(struct ctx *ctx,
                            struct bytes body,
                            struct identity *out_identity,
                            bool *out_is_given)
{
    CLEANUP(json_body_release) json_t *object = NULL;
    struct identity identity = {0};
    enum err err = json_body_parse(ctx, body, &object);
    if (!err)
        err = json_body_text(ctx, object, "issuer", &identity.issuer);
    if (!err)
        err = json_body_text(ctx, object, "subject", &identity.subject);
    if (!err)
        err = json_body_text(ctx, object, "provider", &identity.provider);
    if (!err && !identity.issuer != !identity.subject)
        err = ctx_refuse(ctx, identity.issuer ? "subject" : "issuer",
                         identity.issuer ? "subject: it is needed with an issuer."
                                         : "issuer: it is needed with a subject.");
    if (err)
        return err;
    *out_identity = identity;
    *out_is_given = identity.issuer != NULL;
    return ERR_OK;
}

static void add_identity(struct strbuf *buf, const struct identity *identity)
{
    char created[CLOCK_ISO_BYTES];
    clock_iso_into(created, identity->created_unix_ms);
    strbuf_add(buf, "{\"issuer\":");
    strbuf_add_json(buf, identity->issuer);
    strbuf_add(buf, ",\"subject\":");
    strbuf_add_json(buf, identity->subject);
    strbuf_add(buf, ",\"provider\":");
    strbuf_add_json(buf, identity->provider);
    strbuf_add(buf, ",\"createdAt\":");
    strbuf_add_json(buf, created);
    strbuf_add_char(buf, '}');
}

enum err identity_wire_answer(struct ctx *ctx,
                              const struct account_identities *account,
                              struct http_response *rs)
{
    const char *text = NULL;
    struct strbuf buf;
    strbuf_init(&buf, &ctx->arena, ANSWER_FIRST_BYTES, ANSWER_MAX_BYTES);
    strbuf_add(&buf, "{\"username\":");
    strbuf_add_json(&buf, account->user.username);
    strbuf_add(&buf, ",\"provider\":");
    strbuf_add_json(&buf, account->user.provider);
    strbuf_add(&buf, account->has_password ? ",\"hasPassword\":true" : ",\"hasPassword\":false");
    strbuf_add(&buf, ",\"identities\":[");
    for (size_t i = 0; i < account->identities.count; i++) {
        strbuf_add(&buf, i > 0 ? "," : "");
        add_identity(&buf, &account->identities.items[i]);
    }
    strbuf_add(&buf, "]}");
    enum err err = strbuf_text(&buf, &text);
    if (err)
        return ctx_fail(ctx, ERR_INTERNAL, "an answer is larger than %zu bytes", ANSWER_MAX_BYTES);
    http_response_text(rs, 200, JSON_TYPE, text);
    return ERR_OK;
}
