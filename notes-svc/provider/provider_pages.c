/* SPDX-License-Identifier: MIT
 *
 * One row of words for each way to fail. Depends on: page.h, views.h. */
#include "provider/provider_pages.h"

#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "http/http_message.h"
#include "page/page.h"

#define PAGE_BYTES         4096 /* roughly */
#define TRY_AGAIN_AFTER_S  2    /* as long as a provider that failed is left alone */
#define SHOWN_NAME_UNKNOWN "no name given"

/* "%s" is the provider's name; there is one in each reason and advice at most. */
struct words {
    const char *word;
    int status;
    const char *reason;
    const char *advice;
};

static const struct words FAILURES[] = {
    [PROVIDER_DECLINED] = {"declined", 403, "You were not logged in",
                           "The login at %s was declined or broken off. Nothing has changed."},
    [PROVIDER_STATE] = {"state", 400, "This login can’t be finished",
                        "It was begun in another browser or more than ten minutes ago, or it is "
                        "finished already. Begin once more."},
    [PROVIDER_UNREACHABLE] = {"unreachable", 502, "%s can’t be reached right now",
                              "Reading goes on, and so does logging in with a password. Try again "
                              "in a moment."},
    [PROVIDER_SLOW] = {"slow", 504, "%s did not answer in time",
                       "Reading goes on, and so does logging in with a password. Try again in a "
                       "moment."},
    [PROVIDER_NOT_VALID] = {"not_valid", 502, "The answer of %s is not valid",
                            "You are not logged in. Begin once more; if it happens again, tell the "
                            "site’s owner the request id."},
    [PROVIDER_CLOCK] = {"clock", 502, "Two clocks don’t agree",
                        "The clocks of %s and of this site differ too much for its answer to be "
                        "trusted. The site’s owner has to set this one right."},
    [PROVIDER_DOMAIN] = {"domain", 403, "This account may not log in here",
                         "The site takes people with certain e-mail addresses only, which %s must "
                         "have verified. Log in there with another account, or ask the site’s "
                         "owner."},
    [PROVIDER_BUSY] = {"busy", 503, "%s is busy",
                       "Others are just being logged in, or it did not answer a moment ago. Try "
                       "again in a moment."},
};

static const struct words REFUSALS[] = {
    [PROVIDER_REFUSED_DISABLED] = {"disabled", 403, "You may not log in here",
                                   "Your user was disabled. Ask the site’s owner."},
    [PROVIDER_REFUSED_NAME] = {"name", 409, "No user could be made for you",
                               "No name like yours is free here. Ask the site’s owner for a user, "
                               "and link your account to it."},
    [PROVIDER_REFUSED_SESSION] = {"session", 403, "Nothing was linked",
                                  "You are logged in anew, or as somebody else, since you began. "
                                  "Begin once more."},
    [PROVIDER_REFUSED_PENDING] = {"pending", 400, "Nothing was linked",
                                  "It was begun more than ten minutes ago or before you logged in, "
                                  "or it is linked already. Begin once more."},
    [PROVIDER_REFUSED_TAKEN] = {"taken", 409, "This account belongs to another user",
                                "Somebody logs in here with it already, perhaps you yourself under "
                                "another name. Unlink it there first."},
    [PROVIDER_REFUSED_TOO_MANY] = {"too_many", 409, "Nothing was linked",
                                   "As many accounts as are allowed are linked to your user. "
                                   "Unlink one first."},
    [PROVIDER_REFUSED_LAST] = {"last", 409, "This is your only way to sign in",
                               "Nobody could sign in as your user any more. Link another account "
                               "first."},
    [PROVIDER_REFUSED_NOT_THERE] = {"not_there", 404, "It is not linked",
                                    "Perhaps you have unlinked it already."},
};

const char *provider_failure_word(enum provider_failure failure)
{
    return FAILURES[failure].word;
}

const char *provider_refusal_word(enum provider_refusal refusal)
{
    return REFUSALS[refusal].word;
}

/* Who is signed in came from his account. */
static void say(struct app *app,
                struct ctx *ctx,
                const struct http_request *rq,
                struct http_response *rs,
                const struct page_words *texts)
{
    struct page_words words = *texts;
    words.way_path = rq->session ? "/users/account" : "/users/login";
    words.way_text = rq->session ? "Your account" : "Log in";
    page_say(app, ctx, rq, rs, &words);
}

/* The text with the name in the place of "%s". */
static const char *named(struct ctx *ctx, const char *text, const char *name)
{
    const char *at = strstr(text, "%s");
    return at ? arena_format(&ctx->arena, "%.*s%s%s", (int)(at - text), text, name, at + 2) : text;
}

/* A name may begin a sentence that it was not written for: "the company login". */
static const char *capital(struct ctx *ctx, const char *sentence)
{
    char *copy = arena_text(&ctx->arena, sentence);
    if (*copy >= 'a' && *copy <= 'z')
        *copy = (char)(*copy - 'a' + 'A');
    return copy;
}

void provider_page_failed(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs,
                          enum provider_which which,
                          enum provider_failure failure)
{
    const struct words *words = &FAILURES[failure];
    const char *name = provider_name(app->providers, which);
    if (words->status >= 503 || failure == PROVIDER_UNREACHABLE)
        ctx->retry_after_s = TRY_AGAIN_AFTER_S;
    say(app, ctx, rq, rs,
        &(struct page_words){.status = words->status,
                             .reason = capital(ctx, named(ctx, words->reason, name)),
                             .advice = named(ctx, words->advice, name)});
}

void provider_page_refused(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           enum provider_refusal refusal)
{
    const struct words *words = &REFUSALS[refusal];
    say(app, ctx, rq, rs,
        &(struct page_words){
            .status = words->status, .reason = words->reason, .advice = words->advice});
}

void provider_page_wait(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        int64_t wait_s)
{
    ctx->retry_after_s = wait_s;
    say(app, ctx, rq, rs,
        &(struct page_words){
            .status = 429,
            .reason = "A little slower, please",
            .advice = arena_format(&ctx->arena,
                                   "Too many tries from your address. Please wait %lld second%s "
                                   "and begin once more.",
                                   (long long)wait_s, wait_s == 1 ? "" : "s"),
        });
}

enum err provider_page_ask(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           const struct provider_person *person)
{
    const char *name = provider_name_of_issuer(app->providers, person->issuer);
    struct view_link view = {
        .frame = page_frame(app, rq, "Link an account", "link"),
        .provider_name = name ? name : person->issuer,
        .shown_name = *person->shown_name ? person->shown_name : SHOWN_NAME_UNKNOWN,
    };
    struct strbuf html = page_buffer(ctx, PAGE_BYTES);
    view_link(&html, &view);
    return page_send(ctx, rs, 200, &html);
}
