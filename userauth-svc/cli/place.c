/* SPDX-License-Identifier: MIT
 *
 * Depends on: place.h, options.h, output.h, parse.h. */
#include "cli/place.h"

#include <string.h>

#include "base/ctx.h"
#include "base/env.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"

struct parts {
    const char *scheme; /* "http" */
    const char *host;   /* with brackets around IPv6 */
    const char *port;   /* "" when there is none */
    const char *prefix; /* "/users", "" when there is none */
};

static bool is_port(const char *text)
{
    int64_t port = 0;
    return parse_i64(text, 1, 65535, &port);
}

/* Letters, digits and what else stands in names and addresses; no "@", so no credentials. */
static bool is_host(const char *text)
{
    size_t size_bytes = strlen(text);
    size_t good_bytes =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]");
    bool has_brackets = text[0] == '[' && text[size_bytes - 1] == ']';
    return size_bytes > 0 && good_bytes == size_bytes && (has_brackets || !strpbrk(text, ":[]"));
}

/* http://HOST[:PORT][/PREFIX], likewise https. */
static bool parts_read(struct arena *arena, const char *url, struct parts *out_parts)
{
    struct parts parts = {0};
    if (text_starts_with(url, "http://"))
        parts.scheme = "http";
    else if (text_starts_with(url, "https://"))
        parts.scheme = "https";
    else
        return false;
    const char *start = url + strlen(parts.scheme) + 3;
    size_t authority_bytes = strcspn(start, "/");
    char *host = arena_text_copy(arena, start, authority_bytes);
    char *prefix = arena_text(arena, start + authority_bytes);
    size_t prefix_bytes = strlen(prefix);
    if (prefix_bytes > 0 && prefix[prefix_bytes - 1] == '/')
        prefix[prefix_bytes - 1] = '\0';
    parts.port = "";
    char *bracket = strrchr(host, ']');
    char *colon = strrchr(host, ':');
    if (colon && (!bracket || colon > bracket)) {
        *colon = '\0';
        parts.port = colon + 1;
        if (!is_port(parts.port))
            return false;
    }
    parts.host = host;
    parts.prefix = prefix;
    if (!is_host(host) || strpbrk(prefix, "?#@ \\") || text_has_control(prefix, ""))
        return false;
    *out_parts = parts;
    return true;
}

static const char *parts_url(struct arena *arena, const struct parts *parts)
{
    return arena_format(arena, "%s://%s%s%s%s", parts->scheme, parts->host,
                        parts->port[0] ? ":" : "", parts->port, parts->prefix);
}

bool place_is_sound(struct arena *arena, const char *url)
{
    struct parts parts;
    return parts_read(arena, url, &parts);
}

/* Only what is to run on this very machine can be started here. */
static bool is_loopback(const char *host)
{
    return text_equals_nocase(host, "localhost") || text_equals(host, "[::1]") ||
           (text_starts_with(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

static struct place place_new(struct arena *arena, const struct parts *parts, const char *source)
{
    return (struct place){
        .url = parts_url(arena, parts),
        .source = source,
        .is_https = text_equals(parts->scheme, "https"),
        .is_here = is_loopback(parts->host),
    };
}

static const char *source_of_users(const struct cli_options *options)
{
    if (options->url)
        return "from --url";
    if (options->host && options->port)
        return "from --host and --port";
    if (options->host)
        return "from --host";
    if (options->port)
        return "from --port";
    return env_is_set(PLACE_USERS_SETTING) ? "from " PLACE_USERS_SETTING
                                           : "the default of " PLACE_USERS_SETTING;
}

/* What the options say of host and port is checked always, and counts without --url. */
static enum cli_exit
change_parts(struct ctx *ctx, const struct cli_options *options, struct parts *parts)
{
    const char *host = options->host;
    if (options->port && !is_port(options->port))
        return output_fail_usage(ctx, "--port: \"%s\" is no number from 1 to 65535",
                                 output_text(ctx, options->port));
    if (host && strchr(host, ':') && host[0] != '[')
        host = arena_format(&ctx->arena, "[%s]", host);
    if (host && !is_host(host))
        return output_fail_usage(ctx, "--host: \"%s\" is no name or address",
                                 output_text(ctx, options->host));
    if (options->url)
        return CLI_EXIT_OK;
    parts->host = host ? host : parts->host;
    parts->port = options->port ? options->port : parts->port;
    return CLI_EXIT_OK;
}

enum cli_exit place_of_users(struct ctx *ctx,
                             const char *setting,
                             const struct cli_options *options,
                             struct place *out_place)
{
    struct parts parts = {0};
    if (options->url && !parts_read(&ctx->arena, options->url, &parts))
        return output_fail_usage(ctx, "--url: \"%s\" is not like " PLACE_USERS_DEFAULT,
                                 output_text(ctx, options->url));
    if (!options->url && !parts_read(&ctx->arena, setting, &parts))
        return output_fail(ctx, CLI_EXIT_USAGE,
                           PLACE_USERS_SETTING ": it is not like " PLACE_USERS_DEFAULT);
    enum cli_exit code = change_parts(ctx, options, &parts);
    if (code == CLI_EXIT_OK)
        *out_place = place_new(&ctx->arena, &parts, source_of_users(options));
    return code;
}

enum cli_exit place_of_notes(struct ctx *ctx, const char *setting, struct place *out_place)
{
    struct parts parts = {0};
    if (!parts_read(&ctx->arena, setting, &parts))
        return output_fail(ctx, CLI_EXIT_USAGE,
                           PLACE_NOTES_SETTING ": it is not like " PLACE_NOTES_DEFAULT);
    bool is_set = env_is_set(PLACE_NOTES_SETTING);
    *out_place =
        place_new(&ctx->arena, &parts,
                  is_set ? "from " PLACE_NOTES_SETTING : "the default of " PLACE_NOTES_SETTING);
    return CLI_EXIT_OK;
}
