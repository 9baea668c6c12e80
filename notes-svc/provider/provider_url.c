/* SPDX-License-Identifier: MIT
 *
 * Takes an address apart by hand: a host is letters, digits, ".", "-" and "_", or an IPv6 address
 * in brackets. Depends on: provider_url.h, address.h. */
#include "provider/provider_url.h"

#include <stddef.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"

#define HTTPS          "https://"
#define HTTP           "http://"
#define HOST_MAX_BYTES 253 /* of a name (RFC 1035) */
#define PORT_MAX_CHARS 5
#define HOST_CHARS     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"
#define IPV6_CHARS     "0123456789abcdefABCDEF:."
#define DIGITS         "0123456789"

static bool is_visible_ascii(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("\\#\"<>^`{|}", *p))
            return false;
    return true;
}

/* The host without its brackets goes to out_host; the place behind it, NULL when it is none. */
static const char *take_host(const char *text, char out_host[HOST_MAX_BYTES + 1])
{
    bool has_brackets = *text == '[';
    text += has_brackets;
    size_t size_bytes = strspn(text, has_brackets ? IPV6_CHARS : HOST_CHARS);
    if (size_bytes == 0 || size_bytes > HOST_MAX_BYTES)
        return NULL;
    memcpy(out_host, text, size_bytes);
    out_host[size_bytes] = '\0';
    text += size_bytes;
    struct address address;
    if (!has_brackets)
        return text;
    return *text == ']' && address_parse(out_host, &address) ? text + 1 : NULL;
}

static bool is_rest_of_url(const char *text)
{
    if (*text == ':') {
        size_t digits_count = strspn(text + 1, DIGITS);
        if (digits_count == 0 || digits_count > PORT_MAX_CHARS)
            return false;
        text += 1 + digits_count;
    }
    return *text == '\0' || *text == '/' || *text == '?';
}

bool provider_url_is_loopback(const char *host)
{
    static const unsigned char ipv4[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    static const unsigned char ipv6[16] = {[15] = 1};
    struct address address;
    if (text_equals_nocase(host, "localhost"))
        return true;
    if (!address_parse(host, &address))
        return false;
    return memcmp(address.bytes, ipv4, sizeof(ipv4)) == 0 ||
           memcmp(address.bytes, ipv6, sizeof(ipv6)) == 0;
}

enum provider_url_kind provider_url_kind(const char *url)
{
    char host[HOST_MAX_BYTES + 1];
    bool is_https = text_starts_with(url, HTTPS);
    if (strlen(url) > PROVIDER_URL_MAX_BYTES || !is_visible_ascii(url) ||
        (!is_https && !text_starts_with(url, HTTP)))
        return PROVIDER_URL_BAD;
    const char *rest = take_host(url + strlen(is_https ? HTTPS : HTTP), host);
    if (!rest || !is_rest_of_url(rest))
        return PROVIDER_URL_BAD;
    if (is_https)
        return PROVIDER_URL_HTTPS;
    return provider_url_is_loopback(host) ? PROVIDER_URL_LOOPBACK : PROVIDER_URL_BAD;
}

bool provider_url_may_follow(const char *issuer, const char *endpoint)
{
    enum provider_url_kind kind = provider_url_kind(endpoint);
    return kind == PROVIDER_URL_HTTPS ||
           (kind == PROVIDER_URL_LOOPBACK && provider_url_kind(issuer) == PROVIDER_URL_LOOPBACK);
}
