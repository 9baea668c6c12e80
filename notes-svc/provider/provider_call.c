/* SPDX-License-Identifier: MIT
 *
 * Requests to providers, and whose turn it is. A turn is a thread of the slow lane: local sign-ins
 * need one as well, so while a provider hangs some are left to them.
 * Depends on: provider_parts.h, http_client.h. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "config.h"
#include "http/http_client.h"
#include "provider/provider_parts.h"
#include "provider/provider_url.h"

#define CLOCK_DIFFERENCE_MAX_S 120
#define MS_PER_S               1000

/* ---- turns ---- */

static bool has_turn_locked(const struct providers *providers, enum provider_which which)
{
    int count = 0;
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        count += providers->turns_count[i];
    return count < providers->turns_max_count &&
           providers->turns_count[which] < providers->turns_each_max_count;
}

enum provider_failure
provider_turn_take(struct ctx *ctx, struct providers *providers, enum provider_which which)
{
    (void)pthread_mutex_lock(&providers->lock);
    bool is_resting = clock_monotonic_ms() < providers->rest_until_ms[which];
    bool is_free = !is_resting && has_turn_locked(providers, which);
    providers->turns_count[which] += is_free;
    (void)pthread_mutex_unlock(&providers->lock);
    if (is_resting)
        return provider_fail(ctx, PROVIDER_BUSY, "the provider did not answer a moment ago");
    if (!is_free)
        return provider_fail(ctx, PROVIDER_BUSY, "others are asking a provider just now");
    return PROVIDER_OK;
}

void provider_turn_end(struct providers *providers,
                       enum provider_which which,
                       enum provider_failure failure)
{
    bool is_away = failure == PROVIDER_UNREACHABLE || failure == PROVIDER_SLOW;
    (void)pthread_mutex_lock(&providers->lock);
    providers->turns_count[which]--;
    if (is_away)
        providers->rest_until_ms[which] = clock_monotonic_ms() + PROVIDER_REST_MS;
    (void)pthread_mutex_unlock(&providers->lock);
}

/* ---- a call ---- */

static enum provider_failure failure_of(const struct http_client *client)
{
    switch (http_client_fault(client)) {
    case HTTP_CLIENT_LATE:
        return PROVIDER_SLOW;
    case HTTP_CLIENT_TOO_LARGE:
        return PROVIDER_NOT_VALID;
    case HTTP_CLIENT_UNREACHED:
    case HTTP_CLIENT_NO_TLS:
    case HTTP_CLIENT_UNTRUSTED:
    case HTTP_CLIENT_NO_HTTP:
        break;
    }
    return PROVIDER_UNREACHABLE;
}

enum provider_failure provider_call(struct ctx *ctx,
                                    const struct providers *providers,
                                    const struct provider_call *call,
                                    struct http_answer *out_answer)
{
    const struct http_call request = {
        .method = call->method,
        .url = call->url,
        .authorization = call->authorization,
        .basic_user = call->basic_user,
        .basic_password = call->basic_password,
        .form_body = call->form_body,
        .timeout_ms = providers->config->provider_timeout_ms,
        .connect_ms = providers->config->provider_timeout_ms,
        .answer_max_bytes = PROVIDER_ANSWER_MAX_BYTES,
        .authorities = providers->authorities,
        .is_https_only = provider_url_kind(call->url) != PROVIDER_URL_LOOPBACK,
        .is_foreign = true,
    };
    struct http_answer answer = {0};
    if (http_call(ctx, ctx->http, &request, &answer))
        return failure_of(ctx->http);
    if (answer.status == 429)
        return provider_fail(ctx, PROVIDER_BUSY, "the provider wants us to wait");
    if (answer.status >= 500)
        return provider_fail(ctx, PROVIDER_UNREACHABLE, "the provider: status %d", answer.status);
    *out_answer = answer;
    return PROVIDER_OK;
}

bool provider_clock_differs(const struct http_answer *answer)
{
    int64_t ours_s = clock_unix_ms() / MS_PER_S;
    return answer->date_unix_s &&
           llabs((long long)(answer->date_unix_s - ours_s)) > CLOCK_DIFFERENCE_MAX_S;
}

/* ---- what they say of people ---- */

/* C1 control characters are two bytes in UTF-8. */
static void blank_controls(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < ' ' || *p == 0x7f)
            *p = ' ';
        if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            p[0] = p[1] = ' ';
    }
}

const char *provider_foreign_text(struct ctx *ctx, const char *text)
{
    if (!text || text_is_blank(text))
        return "";
    char *shown = text_cut(&ctx->arena, text, PROVIDER_NAME_MAX_CHARS);
    blank_controls(shown);
    return shown;
}

const char *provider_foreign_photo(const char *url)
{
    bool is_good = url && strlen(url) <= PROVIDER_PHOTO_MAX_BYTES &&
                   provider_url_kind(url) == PROVIDER_URL_HTTPS;
    return is_good ? url : "";
}
