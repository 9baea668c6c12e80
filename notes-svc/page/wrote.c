/* SPDX-License-Identifier: MIT
 *
 * The cookie is "NAME.REVISION~NAME.REVISION", newest first; a name is the beginning of a digest of
 * the page's key. Depends on: cookie.h, secret.h. */
#include "page/wrote.h"

#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/secret.h"
#include "base/text.h"
#include "config.h"
#include "http/cookie.h"
#include "http/http_message.h"
#include "page/shared_page.h"

#define COOKIE_NAME     "noteswrote"
#define NAME_BYTES      6
#define NAME_CHARS      8 /* of base64url */
#define ITEMS_MAX_COUNT 4

struct named {
    const char *name;
    int64_t revision;
};

struct named_list {
    struct named items[ITEMS_MAX_COUNT];
    size_t count;
};

static const char *name_of(struct ctx *ctx, const char *key)
{
    const struct bytes no_key = {.p = NULL, .n = 0};
    unsigned char digest[SECRET_DIGEST_BYTES];
    secret_digest(no_key, key, strlen(key), digest);
    return secret_base64url(&ctx->arena, digest, NAME_BYTES);
}

/* "NAME.REVISION", cut in place. */
static bool read_item(char *text, struct named *out_item)
{
    unsigned char name[NAME_BYTES];
    char *dot = strchr(text, '.');
    if (!dot)
        return false;
    *dot = '\0';
    out_item->name = text;
    return secret_from_base64url(text, name, sizeof(name)) &&
           parse_i64(dot + 1, 1, INT64_MAX, &out_item->revision);
}

/* What the request's cookie names; what is malformed in it is passed over. */
static struct named_list read_cookie(struct ctx *ctx, const struct http_request *rq)
{
    struct named_list list = {.count = 0};
    const char *value = rq->fields[HTTP_FIELD_COOKIE] ? cookie_get(ctx, rq, COOKIE_NAME) : NULL;
    char *at = value ? arena_text(&ctx->arena, value) : NULL;
    while (at && list.count < ITEMS_MAX_COUNT) {
        char *end = strchr(at, '~');
        if (end)
            *end = '\0';
        list.count += read_item(at, &list.items[list.count]);
        at = end ? end + 1 : NULL;
    }
    return list;
}

/* One entry for each page: what is there already is newer. */
static void add(struct named_list *list, const char *name, int64_t revision)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equals(list->items[i].name, name))
            return;
    if (list->count < ITEMS_MAX_COUNT)
        list->items[list->count++] = (struct named){.name = name, .revision = revision};
}

static const char *write_list(struct ctx *ctx, const struct named_list *list)
{
    const char *text = "";
    for (size_t i = 0; i < list->count; i++)
        text = arena_format(&ctx->arena, "%s%s%s.%lld", text, i > 0 ? "~" : "", list->items[i].name,
                            (long long)list->items[i].revision);
    return text;
}

void wrote_set(struct app *app,
               struct ctx *ctx,
               const struct http_request *rq,
               struct http_response *rs,
               const struct wrote *wrote)
{
    struct named_list list = {.count = 0};
    const struct named_list before = read_cookie(ctx, rq);
    add(&list, name_of(ctx, wrote->key), wrote->revision);
    if (wrote->home_revision)
        add(&list, name_of(ctx, SHARED_PAGE_HOME), wrote->home_revision);
    for (size_t i = 0; i < before.count; i++)
        add(&list, before.items[i].name, before.items[i].revision);
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = COOKIE_NAME,
                   .value = write_list(ctx, &list),
                   .path = "/",
                   .max_age_s = WROTE_MAX_AGE_S,
                   .is_secure = app->config->is_public_https,
               });
}

bool wrote_other(struct ctx *ctx, const struct http_request *rq, const char *key, int64_t revision)
{
    const struct named_list list = read_cookie(ctx, rq);
    if (list.count == 0)
        return false;
    const char *name = name_of(ctx, key);
    for (size_t i = 0; i < list.count; i++)
        if (text_equals(list.items[i].name, name))
            return list.items[i].revision != revision;
    return false;
}
