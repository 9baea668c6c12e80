/* SPDX-License-Identifier: MIT
 *
 * Signatures by cjose, over OpenSSL, which is in the process already, below libcurl.
 * Depends on: jws.h, arena.h, cjose. */
#include "provider/jws.h"

#include <cjose/cjose.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"

const char *jws_library(void)
{
    static char text[64]; /* asked for by the main thread, before others */
    (void)snprintf(text, sizeof(text), "cjose %s", cjose_version());
    return text;
}

static void key_release(cjose_jwk_t **key)
{
    if (*key)
        (void)cjose_jwk_release(*key);
}

static void jws_release(cjose_jws_t **jws)
{
    if (*jws)
        cjose_jws_release(*jws);
}

bool jws_verify(struct ctx *ctx, const char *token, const char *jwk, struct bytes *out_payload)
{
    cjose_err error = {.code = CJOSE_ERR_NONE};
    uint8_t *payload = NULL;
    size_t size_bytes = 0;
    CLEANUP(key_release) cjose_jwk_t *key = cjose_jwk_import(jwk, strlen(jwk), &error);
    CLEANUP(jws_release) cjose_jws_t *jws = cjose_jws_import(token, strlen(token), &error);
    if (!key || !jws || !cjose_jws_verify(jws, key, &error) ||
        !cjose_jws_get_plaintext(jws, &payload, &size_bytes, &error))
        return false;
    const char *copy = arena_text_copy(&ctx->arena, (const char *)payload, size_bytes);
    *out_payload = (struct bytes){.p = (const unsigned char *)copy, .n = size_bytes};
    return true;
}
