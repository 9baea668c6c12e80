/* SPDX-License-Identifier: MIT
 *
 * A half-set provider stops the start: with one setting missing, nobody could sign in there, and
 * each would find out for himself. Depends on: provider_settings.h, env.h. */
#include "provider/provider_settings.h"

#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/text.h"
#include "config.h"
#include "provider/provider.h"
#include "provider/provider_url.h"

#define DOMAIN_MAX_BYTES 253
#define DOMAIN_CHARS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
#define SCOPE_NEEDED     "openid"

/* ---- domains ---- */

/* The next one of the list and its length; 0: there is none. Spaces around are left out. */
static size_t next_domain(const char **at, const char **out_domain)
{
    *at += strspn(*at, ", ");
    *out_domain = *at;
    size_t size_bytes = strcspn(*at, ", ");
    *at += size_bytes;
    return size_bytes;
}

bool provider_settings_has_domain(const char *domains, const char *email)
{
    const char *sign = strrchr(email, '@');
    const char *domain = NULL;
    size_t size_bytes = 0;
    if (!sign || sign == email)
        return false;
    while ((size_bytes = next_domain(&domains, &domain)) > 0)
        if (strlen(sign + 1) == size_bytes && strncasecmp(sign + 1, domain, size_bytes) == 0)
            return true;
    return false;
}

static bool are_domains(const char *list)
{
    const char *domain = NULL;
    size_t size_bytes = 0;
    size_t count = 0;
    while ((size_bytes = next_domain(&list, &domain)) > 0) {
        bool is_domain = size_bytes <= DOMAIN_MAX_BYTES && domain[0] != '.' &&
                         domain[size_bytes - 1] != '.' &&
                         strspn(domain, DOMAIN_CHARS) >= size_bytes;
        if (!is_domain || ++count > PROVIDER_DOMAINS_MAX_COUNT)
            return false;
    }
    return count > 0;
}

/* ---- scopes ---- */

/* Words of RFC 6749 3.3 with "openid" among them. */
static bool are_scopes(const char *scopes)
{
    bool has_needed = false;
    if (strlen(scopes) > PROVIDER_SCOPES_MAX_BYTES)
        return false;
    for (const char *word = scopes; *word; word += strspn(word, " ")) {
        size_t size_bytes = strcspn(word, " ");
        has_needed = has_needed ||
                     (size_bytes == strlen(SCOPE_NEEDED) && text_starts_with(word, SCOPE_NEEDED));
        for (size_t i = 0; i < size_bytes; i++)
            if (word[i] < '!' || word[i] > '~' || word[i] == '"' || word[i] == '\\')
                return false;
        word += size_bytes;
    }
    return has_needed;
}

/* ---- the two providers ---- */

static void need(struct env_faults *faults, bool is_there, const char *name, const char *because_of)
{
    if (!is_there)
        env_fault(faults, name, "is needed when %s is set", because_of);
}

static void need_url(struct env_faults *faults, const char *name, const char *url)
{
    if (provider_url_kind(url) == PROVIDER_URL_BAD || strchr(url, '?'))
        env_fault(faults, name, "\"%s\" is not an https:// address (http:// of this machine only)",
                  url);
}

static void check_origin(const struct config *config, struct env_faults *faults, const char *name)
{
    if (!config->public_url && !provider_url_is_loopback(config->service.listen))
        env_fault(faults, "PUBLIC_URL",
                  "is needed when %s is set: the provider sends browsers back to it", name);
}

static void check_twitter(struct config *config, struct env_faults *faults)
{
    bool has_key = secret_is_set(&config->twitter_consumer_key);
    bool has_secret = secret_is_set(&config->twitter_consumer_secret);
    need_url(faults, "TWITTER_API_URL", config->twitter_api_url);
    config->has_twitter = has_key && has_secret;
    if (has_key || has_secret) {
        need(faults, has_key, "TWITTER_CONSUMER_KEY", "TWITTER_CONSUMER_SECRET");
        need(faults, has_secret, "TWITTER_CONSUMER_SECRET", "TWITTER_CONSUMER_KEY");
        if (!config->twitter_callback_host)
            check_origin(config, faults, "TWITTER_CONSUMER_KEY");
    } else if (config->twitter_callback_host) {
        need(faults, false, "TWITTER_CONSUMER_KEY", "TWITTER_CALLBACK_HOST");
    }
    if (!config->twitter_callback_host)
        config->twitter_callback_host = config->own_origin;
}

static void check_oidc_names(const struct config *config, struct env_faults *faults)
{
    const char *name = config->oidc_name;
    if (text_is_blank(name) || text_has_control(name, "") || !text_is_utf8(name, strlen(name)) ||
        text_count_chars(name) > PROVIDER_NAME_MAX_CHARS)
        env_fault(faults, "OIDC_NAME", "is not a name of at most %d characters",
                  PROVIDER_NAME_MAX_CHARS);
    if (!are_scopes(config->oidc_scopes))
        env_fault(faults, "OIDC_SCOPES", "\"%s\" are not words with openid among them",
                  config->oidc_scopes);
    if (config->oidc_allowed_domains && !are_domains(config->oidc_allowed_domains))
        env_fault(faults, "OIDC_ALLOWED_DOMAINS",
                  "\"%s\" is not a list like example.org,example.net",
                  config->oidc_allowed_domains);
    const char *id = config->oidc_client_id;
    if (id && (text_has_control(id, "") || !text_is_utf8(id, strlen(id)) ||
               strlen(id) > PROVIDER_CLIENT_ID_MAX_BYTES))
        env_fault(faults, "OIDC_CLIENT_ID", "is longer than %d bytes, or no text",
                  PROVIDER_CLIENT_ID_MAX_BYTES);
}

static void check_oidc(struct config *config, struct env_faults *faults)
{
    bool has_issuer = config->oidc_issuer;
    need(faults, has_issuer || !config->oidc_client_id, "OIDC_ISSUER", "OIDC_CLIENT_ID");
    need(faults, has_issuer || !secret_is_set(&config->oidc_client_secret), "OIDC_ISSUER",
         "OIDC_CLIENT_SECRET");
    need(faults, has_issuer || !config->oidc_allowed_domains, "OIDC_ISSUER",
         "OIDC_ALLOWED_DOMAINS");
    check_oidc_names(config, faults);
    if (!has_issuer)
        return;
    need(faults, config->oidc_client_id, "OIDC_CLIENT_ID", "OIDC_ISSUER");
    need_url(faults, "OIDC_ISSUER", config->oidc_issuer);
    if (strlen(config->oidc_issuer) > PROVIDER_ISSUER_MAX_BYTES)
        env_fault(faults, "OIDC_ISSUER", "is longer than %d bytes", PROVIDER_ISSUER_MAX_BYTES);
    check_origin(config, faults, "OIDC_ISSUER");
    config->has_oidc = config->oidc_client_id;
}

void provider_settings_check(struct config *config, struct env_faults *faults)
{
    check_twitter(config, faults);
    check_oidc(config, faults);
}
