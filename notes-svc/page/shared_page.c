/* SPDX-License-Identifier: MIT
 *
 * A kept page is one piece of memory: marks, the names that they need, the text. Most readers are
 * strangers, who all get the same bytes, plain or packed: their answer is made whole, head and
 * body, when the first of them asks; the packed one by a worker, and until it is there others get
 * the plain one. Depends on: cache.h, parts.h, gzip.h, page.h, wrote.h (what the browser wrote). */
#include "page/shared_page.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "http/gzip.h"
#include "http/http_message.h"
#include "http/http_server.h"
#include "page/page.h"
#include "page/wrote.h"
#include "session/session.h"

#define HEADS_BYTES 5120 /* of a whole answer in the library, open and closing, roughly */
#define FILL_BYTES  1024 /* what a page has more for one viewer, roughly */

/* What goes in one packet gains nothing; a large page would be packed for each who asks, because it
 * is not kept. */
#define PACK_MIN_BYTES 1400
#define PACK_MAX_BYTES HTTP_ANSWER_LARGE_BYTES

enum coding { CODING_PLAIN, CODING_GZIP, CODING_COUNT };

/* The answer for all who are not signed in. */
struct anyones {
    struct http_prepared *prepared;
    char text[];
};

struct shared_page {
    struct cached cached;
    struct parts parts; /* in `bytes` */
    struct page_state state;
    _Atomic(struct anyones *) anyones[CODING_COUNT]; /* NULL: nobody has asked yet */
    _Atomic bool is_packing_asked;                   /* a worker was sent somebody to pack it for */
    _Alignas(16) unsigned char bytes[];
};

static struct bytes key_bytes(const char *key)
{
    return (struct bytes){.p = (const unsigned char *)key, .n = strlen(key)};
}

/* ---- a kept page ---- */

static void anyones_free(struct anyones *anyones)
{
    if (!anyones)
        return;
    http_prepared_free(anyones->prepared);
    free(anyones);
}

static void free_page(struct cached *cached)
{
    struct shared_page *page = (struct shared_page *)(void *)cached;
    for (size_t i = 0; i < CODING_COUNT; i++)
        anyones_free(atomic_load(&page->anyones[i]));
    free(page);
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *copy_text(char **at, const char *text)
{
    size_t size_bytes = text_size(text);
    char *copy = *at;
    if (!text)
        return NULL;
    memcpy(copy, text, size_bytes);
    *at += size_bytes;
    return copy;
}

static size_t bytes_of(const struct parts *parts, struct bytes key)
{
    size_t size_bytes = parts->count * sizeof(*parts->items) + parts->text.size_bytes + key.n +
                        text_size(parts->owner);
    for (size_t i = 0; i < parts->count; i++)
        size_bytes += text_size(parts->items[i].owner);
    return size_bytes;
}

/* Everything of it in one piece, behind the struct. */
static void copy_in(struct shared_page *page, const struct parts *parts, struct bytes key)
{
    struct part *items = (struct part *)(void *)page->bytes;
    char *at = (char *)page->bytes + parts->count * sizeof(*items);
    for (size_t i = 0; i < parts->count; i++) {
        items[i] = parts->items[i];
        items[i].owner = copy_text(&at, parts->items[i].owner);
    }
    const char *owner = copy_text(&at, parts->owner);
    page->parts = (struct parts){
        .items = items,
        .count = parts->count,
        .owner = owner,
        .may = parts->may,
        .text = {.text = at, .size_bytes = parts->text.size_bytes},
    };
    memcpy(at, parts->text.text, parts->text.size_bytes);
    at += parts->text.size_bytes;
    memcpy(at, key.p, key.n);
    page->cached.key = (struct bytes){.p = (unsigned char *)at, .n = key.n};
}

/* It counts with the strangers' plain answer, which is no longer than the text of all; the packed
 * one when it is there. */
static size_t whole_size(const struct parts *parts, struct bytes key)
{
    return sizeof(struct shared_page) + bytes_of(parts, key) + sizeof(struct anyones) +
           parts->text.size_bytes + HEADS_BYTES;
}

struct cache_ticket shared_page_begin(struct app *app, const char *key)
{
    return cache_begin(app->pages, key_bytes(key), clock_monotonic_ms());
}

struct shared_page *shared_page_keep(struct app *app,
                                     const struct cache_ticket *ticket,
                                     const char *key,
                                     const struct parts *parts,
                                     struct page_state state)
{
    size_t size_bytes = whole_size(parts, key_bytes(key));
    /* A large answer is counted as such, which one that is shared would not be. */
    if (parts->text.is_over || parts->text.size_bytes > HTTP_ANSWER_LARGE_BYTES ||
        size_bytes > cache_item_max_bytes(app->pages))
        return NULL;
    struct shared_page *page = malloc(sizeof(*page) + bytes_of(parts, key_bytes(key)));
    if (!page)
        abort();
    memset(page, 0, sizeof(*page));
    copy_in(page, parts, key_bytes(key));
    page->state = state;
    page->cached.size_bytes = size_bytes;
    page->cached.free = free_page;
    atomic_init(&page->cached.users_count, 1);
    if (cache_put(app->pages, ticket, &page->cached))
        return page;
    cached_release(&page->cached);
    return NULL;
}

struct shared_page *shared_page_find(struct app *app, const char *key)
{
    struct cached *cached = NULL;
    (void)cache_find(app->pages, key_bytes(key), clock_monotonic_ms(), &cached);
    return (struct shared_page *)(void *)cached;
}

void shared_page_release(struct shared_page *page)
{
    cached_release(&page->cached);
}

bool shared_page_is_of(struct app *app,
                       const struct cache_ticket *ticket,
                       struct shared_page *page,
                       int64_t revision)
{
    if (page->state.revision != revision)
        return false;
    cache_confirm(app->pages, ticket, &page->cached);
    return true;
}

void shared_page_drop(struct app *app, const char *key)
{
    cache_drop(app->pages, key_bytes(key));
}

/* ---- sending ---- */

static struct viewer viewer_of(const struct http_request *rq)
{
    return (struct viewer){
        .user = rq->session ? rq->session->username : NULL,
        .csrf = rq->session ? rq->session->csrf : NULL,
        .is_unknown = rq->is_session_unknown,
    };
}

static struct strbuf fill(struct ctx *ctx, const struct parts *parts, const struct viewer *viewer)
{
    struct strbuf html = page_buffer(ctx, parts->text.size_bytes + FILL_BYTES);
    parts_fill(parts, viewer, &html);
    html.is_over = html.is_over || parts->text.is_over;
    return html;
}

/* Nothing secret is on the page then; see shared_page.h. */
static bool may_pack(const struct http_request *rq, const struct parts *parts)
{
    return !rq->session && !rq->is_session_unknown && parts->text.size_bytes >= PACK_MIN_BYTES &&
           parts->text.size_bytes <= PACK_MAX_BYTES && http_accepts_gzip(rq);
}

static void pack(struct ctx *ctx, struct http_response *rs)
{
    struct bytes packed;
    if (!gzip_pack(&ctx->arena, rs->body, &packed))
        return;
    rs->body = packed;
    http_response_field(rs, "Content-Encoding", "gzip");
}

enum err shared_page_send(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs,
                          const struct parts *parts,
                          struct page_state state)
{
    const char *etag = page_etag(app, ctx, rq, state.revision, state.part);
    if (page_is_unchanged(ctx, rq, rs, etag))
        return ERR_OK;
    const struct viewer viewer = viewer_of(rq);
    struct strbuf html = fill(ctx, parts, &viewer);
    enum err err = page_send_cached(ctx, rs, &html, etag);
    if (!err && may_pack(rq, parts))
        pack(ctx, rs);
    return err;
}

enum err shared_page_refuse(struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs,
                            const struct parts *parts)
{
    const struct viewer viewer = viewer_of(rq);
    struct strbuf html = fill(ctx, parts, &viewer);
    return page_send(ctx, rs, 400, &html);
}

static struct anyones *make_anyones(struct app *app,
                                    struct ctx *ctx,
                                    const struct http_request *rq,
                                    struct shared_page *page,
                                    enum coding coding)
{
    const struct viewer nobody = {0};
    struct http_response whole = {0};
    struct strbuf html = fill(ctx, &page->parts, &nobody);
    const char *etag = page_etag(app, ctx, rq, page->state.revision, page->state.part);
    if (page_send_cached(ctx, &whole, &html, etag))
        return NULL;
    if (coding == CODING_GZIP)
        pack(ctx, &whole);
    page_standing_fields(app, ctx, rq, &whole);
    struct anyones *anyones = malloc(sizeof(*anyones) + whole.body.n);
    if (!anyones)
        abort();
    memcpy(anyones->text, whole.body.p, whole.body.n);
    const struct bytes body = {.p = (unsigned char *)anyones->text, .n = whole.body.n};
    anyones->prepared = http_prepared_new(whole.status, whole.fields, whole.fields_count, body);
    if (anyones->prepared)
        return anyones;
    free(anyones);
    return NULL;
}

/* Two may make it at once; one of them is kept. NULL: out of memory. */
static const struct http_prepared *anyones_of(struct app *app,
                                              struct ctx *ctx,
                                              const struct http_request *rq,
                                              struct shared_page *page,
                                              enum coding coding)
{
    struct anyones *anyones = atomic_load(&page->anyones[coding]);
    if (anyones)
        return anyones->prepared;
    struct anyones *made = make_anyones(app, ctx, rq, page, coding);
    if (!made)
        return NULL;
    if (!atomic_compare_exchange_strong(&page->anyones[coding], &anyones, made)) {
        anyones_free(made);
        return anyones->prepared;
    }
    if (coding == CODING_GZIP)
        cache_grow(app->pages, &page->cached,
                   sizeof(*made) + http_prepared_size_bytes(made->prepared) + HEADS_BYTES);
    return made->prepared;
}

/* False: out of memory. */
static bool send_anyones(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         struct http_response *rs,
                         struct shared_page *page,
                         enum coding coding)
{
    rs->prepared = anyones_of(app, ctx, rq, page, coding);
    if (!rs->prepared)
        return false;
    rs->holds = &page->cached;
    atomic_fetch_add(&page->cached.users_count, 1);
    return true;
}

/* Does the browser have it? rs is the 304 then. */
static bool is_known(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs,
                     const struct shared_page *page)
{
    return rq->fields[HTTP_FIELD_IF_NONE_MATCH] &&
           page_is_unchanged(ctx, rq, rs,
                             page_etag(app, ctx, rq, page->state.revision, page->state.part));
}

enum err shared_page_send_kept(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs,
                               struct shared_page *page)
{
    if (may_pack(rq, &page->parts) &&
        (is_known(app, ctx, rq, rs, page) || send_anyones(app, ctx, rq, rs, page, CODING_GZIP)))
        return ERR_OK;
    return shared_page_send(app, ctx, rq, rs, &page->parts, page->state);
}

/* The first who wants it packed goes to a worker; who comes until that is done does not wait. */
static bool answer(struct app *app,
                   struct ctx *ctx,
                   const struct http_request *rq,
                   struct http_response *rs,
                   struct shared_page *page)
{
    if (rq->session)
        return !shared_page_send(app, ctx, rq, rs, &page->parts, page->state);
    if (is_known(app, ctx, rq, rs, page))
        return true;
    enum coding coding = may_pack(rq, &page->parts) ? CODING_GZIP : CODING_PLAIN;
    if (coding == CODING_GZIP && !atomic_load(&page->anyones[coding])) {
        if (!atomic_exchange(&page->is_packing_asked, true))
            return false;
        coding = CODING_PLAIN;
    }
    return send_anyones(app, ctx, rq, rs, page, coding);
}

bool shared_page_answer(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        const char *key)
{
    CLEANUP(cached_release_ptr) struct cached *cached = NULL;
    if (cache_find(app->pages, key_bytes(key), clock_monotonic_ms(), &cached) != CACHE_FRESH)
        return false;
    struct shared_page *page = (struct shared_page *)(void *)cached;
    return !wrote_other(ctx, rq, key, page->state.revision) && answer(app, ctx, rq, rs, page);
}
