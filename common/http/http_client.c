/* SPDX-License-Identifier: MIT
 *
 * One curl handle per client, reset before each call, which keeps its connection. A GET goes out
 * on the kept connection, and curl repeats it on a fresh one when the kept one turns out closed
 * before a byte of answer came. Everything else gets a fresh connection, because curl would repeat
 * it as well, and a write must not be sent twice.
 * Depends on: http_client.h, ctx.h, strbuf.h, libcurl. */
#include "http/http_client.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FIELD_MAX_BYTES       2048
#define RETRY_AFTER_MAX_S     86400
#define KEEP_IDLE_S           30L /* shorter than the service's idle time-out */
#define NAME_KEEP_S           1L  /* who replaces a container has its name, not its address */
#define BUFFER_FIRST_BYTES    8192
#define BUFFER_KEEP_MAX_BYTES 65536

struct http_client {
    CURL *curl;
    unsigned char *buffer; /* of the answer under way; kept between calls */
    size_t used_bytes;
    size_t capacity_bytes;
    struct ctx *ctx; /* of the call under way */
    struct http_answer *answer;
    size_t answer_max_bytes;
    enum http_client_fault failed_as;
    char fault[CURL_ERROR_SIZE];
};

bool http_client_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const char *http_client_library(void)
{
    static char text[64]; /* asked for by the main thread, before others */
    (void)snprintf(text, sizeof(text), "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
    return text;
}

struct http_client *http_client_new(void)
{
    struct http_client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->curl = curl_easy_init();
    if (client->curl)
        return client;
    free(client);
    return NULL;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client->buffer);
    free(client);
}

/* ---- what comes in ---- */

static bool make_room(struct http_client *client, size_t more_bytes)
{
    size_t needed_bytes = client->used_bytes + more_bytes;
    if (needed_bytes <= client->capacity_bytes)
        return true;
    size_t capacity_bytes = client->capacity_bytes ? client->capacity_bytes : BUFFER_FIRST_BYTES;
    while (capacity_bytes < needed_bytes)
        capacity_bytes *= 2;
    unsigned char *buffer = realloc(client->buffer, capacity_bytes);
    if (!buffer)
        return false;
    client->buffer = buffer;
    client->capacity_bytes = capacity_bytes;
    return true;
}

/* Returning less than was given ends the call. */
static size_t take_body(char *data, size_t one, size_t size_bytes, void *user)
{
    struct http_client *client = user;
    (void)one; /* always 1 */
    if (size_bytes > client->answer_max_bytes - client->used_bytes) {
        client->failed_as = HTTP_CLIENT_TOO_LARGE;
        return 0;
    }
    if (!make_room(client, size_bytes))
        return 0;
    if (size_bytes > 0)
        memcpy(client->buffer + client->used_bytes, data, size_bytes);
    client->used_bytes += size_bytes;
    return size_bytes;
}

/* The value when the line is that field, NULL otherwise. Over-long or not UTF-8 counts as absent.
 */
static const char *
field_value(struct ctx *ctx, const char *line, size_t size_bytes, const char *name)
{
    size_t name_bytes = strlen(name);
    if (size_bytes <= name_bytes || line[name_bytes] != ':' ||
        strncasecmp(line, name, name_bytes) != 0)
        return NULL;
    const char *start = line + name_bytes + 1;
    const char *end = line + size_bytes;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (unsigned char)end[-1] <= ' ')
        end--;
    size_t value_bytes = (size_t)(end - start);
    if (value_bytes > FIELD_MAX_BYTES || !text_is_utf8(start, value_bytes))
        return NULL;
    return arena_text_copy(&ctx->arena, start, value_bytes);
}

static size_t take_field(char *line, size_t one, size_t size_bytes, void *user)
{
    struct http_client *client = user;
    struct http_answer *answer = client->answer;
    (void)one;
    const char *value = NULL;
    if (size_bytes >= 5 && memcmp(line, "HTTP/", 5) == 0)
        *answer = (struct http_answer){0}; /* a status line: what came before was a 1xx */
    else if ((value = field_value(client->ctx, line, size_bytes, "ETag")))
        answer->etag = value;
    else if ((value = field_value(client->ctx, line, size_bytes, "Link")))
        answer->link = value;
    else if ((value = field_value(client->ctx, line, size_bytes, "Content-Type")))
        answer->is_json = strncasecmp(value, "application/json", 16) == 0;
    else if ((value = field_value(client->ctx, line, size_bytes, "Retry-After"))) {
        if (!parse_i64(value, 0, RETRY_AFTER_MAX_S, &answer->retry_after_s))
            answer->retry_after_s = 0;
    } else if ((value = field_value(client->ctx, line, size_bytes, "Date"))) {
        int64_t date_unix_s = curl_getdate(value, NULL);
        answer->date_unix_s = date_unix_s > 0 ? date_unix_s : 0;
    }
    return size_bytes;
}

/* ---- what goes out ---- */

/* curl copies each line, and its copy may hold a password. */
static void lines_release(struct curl_slist **lines)
{
    for (struct curl_slist *line = *lines; line; line = line->next)
        secret_wipe(line->data, strlen(line->data));
    curl_slist_free_all(*lines);
}

static bool add_line(struct curl_slist **lines, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*lines, text);
    if (!longer)
        return false;
    *lines = longer;
    return true;
}

/* base64 (RFC 4648 section 4). */
static const char *encode_base64(struct ctx *ctx, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size_bytes = strlen(text);
    char *out = arena_take(&ctx->arena, (size_bytes + 2) / 3 * 4 + 1);
    for (size_t at = 0, to = 0; at < size_bytes; at += 3, to += 4) {
        size_t count = size_bytes - at < 3 ? size_bytes - at : 3;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < count ? (unsigned char)text[at + i] : 0U);
        memset(out + to, '=', 4);
        for (size_t i = 0; i <= count; i++)
            out[to + i] = digits[bits >> (18 - 6 * i) & 63];
    }
    return out;
}

static const char *basic_line(struct ctx *ctx, const struct http_call *call)
{
    const struct secret *password = call->basic_password;
    bool has_password = password && secret_is_set(password);
    const char *both =
        arena_format(&ctx->arena, "%s:%s", call->basic_user, has_password ? password->text : "");
    return arena_format(&ctx->arena, "Authorization: Basic %s", encode_base64(ctx, both));
}

/* NULL: none. */
static const char *authorization_line(struct ctx *ctx, const struct http_call *call)
{
    if (call->authorization)
        return arena_format(&ctx->arena, "Authorization: %s", call->authorization);
    return call->basic_user ? basic_line(ctx, call) : NULL;
}

static const char *sender_line(struct ctx *ctx, const struct http_call *call)
{
    return call->is_foreign ? "User-Agent: notes/" NOTES_VERSION
                            : arena_format(&ctx->arena, "X-Request-Id: %s", ctx->request_id);
}

static bool make_lines(struct ctx *ctx, const struct http_call *call, struct curl_slist **lines)
{
    const char *authorization = authorization_line(ctx, call);
    bool is_made = add_line(lines, "Accept: application/json") && add_line(lines, "Expect:") &&
                   add_line(lines, sender_line(ctx, call));
    if (is_made && call->json_body)
        is_made = add_line(lines, "Content-Type: application/json");
    if (is_made && call->form_body)
        is_made = add_line(lines, "Content-Type: application/x-www-form-urlencoded");
    if (is_made && authorization)
        is_made = add_line(lines, authorization);
    if (is_made && call->if_match)
        is_made = add_line(lines, arena_format(&ctx->arena, "If-Match: %s", call->if_match));
    return is_made;
}

static size_t answer_max_bytes(const struct http_call *call)
{
    return call->answer_max_bytes ? call->answer_max_bytes : HTTP_CLIENT_ANSWER_MAX_BYTES;
}

/* With QUICK_EXIT a name's look-up, which can't be broken off, is left behind when time is up. */
static CURLcode set_limits(CURL *curl, const struct http_call *call, long timeout_ms)
{
    int64_t wanted_ms = call->connect_ms ? call->connect_ms : HTTP_CLIENT_CONNECT_MAX_MS;
    long connect_ms = timeout_ms < wanted_ms ? timeout_ms : (long)wanted_ms;
    CURLcode bad =
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, call->is_https_only ? "https" : "http,https");
    bad |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(curl, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad |= curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
    bad |= curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, NAME_KEEP_S);
    bad |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    bad |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    bad |= curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)answer_max_bytes(call));
    return bad;
}

static CURLcode set_trust(CURL *curl, const struct http_call *call)
{
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    bad |= curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!call->authorities)
        return bad;
    struct curl_blob blob = {
        .data = call->authorities,
        .len = strlen(call->authorities),
        .flags = CURL_BLOB_NOCOPY,
    };
    return bad | curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
}

/* The path goes out as it is: curl would take %2E and %2E%2E, which are names here, for steps. */
static CURLcode set_request(CURL *curl, const struct http_call *call)
{
    bool is_get = text_equals(call->method, "GET");
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_URL, call->url);
    bad |= curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    if (call->json_body || text_equals(call->method, "POST")) {
        const char *body = call->json_body   ? call->json_body
                           : call->form_body ? call->form_body
                                             : "";
        bad |= curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        bad |= curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    if (text_equals(call->method, "HEAD"))
        bad |= curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        bad |= curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    bad |= curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, is_get ? 0L : 1L);
    return bad;
}

static CURLcode set_callbacks(struct http_client *client, struct curl_slist *lines)
{
    CURL *curl = client->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
    bad |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    bad |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    bad |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
    bad |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
    bad |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->fault);
    return bad;
}

/* ---- a call ---- */

static void begin(struct http_client *client,
                  struct ctx *ctx,
                  const struct http_call *call,
                  struct http_answer *answer)
{
    curl_easy_reset(client->curl);
    client->ctx = ctx;
    client->answer = answer;
    client->answer_max_bytes = answer_max_bytes(call);
    client->used_bytes = 0;
    client->failed_as = HTTP_CLIENT_UNREACHED;
    client->fault[0] = '\0';
}

/* The buffer may hold personal data, and a large one is not kept for a rare large answer. */
static void end(struct http_client *client)
{
    if (client->buffer)
        secret_wipe(client->buffer, client->used_bytes);
    if (client->capacity_bytes > BUFFER_KEEP_MAX_BYTES) {
        free(client->buffer);
        client->buffer = NULL;
        client->capacity_bytes = 0;
    }
    curl_easy_reset(client->curl);
    client->ctx = NULL;
    client->answer = NULL;
}

static enum http_client_fault fault_of(CURLcode result)
{
    switch ((int)result) {
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_CLIENT_LATE;
    case CURLE_FILESIZE_EXCEEDED:
        return HTTP_CLIENT_TOO_LARGE;
    case CURLE_SSL_CONNECT_ERROR:
        return HTTP_CLIENT_NO_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_CLIENT_UNTRUSTED;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_UNSUPPORTED_PROTOCOL: /* of HTTP/0.9: it begins with no status line */
    case CURLE_WEIRD_SERVER_REPLY:
        return HTTP_CLIENT_NO_HTTP;
    default:
        return HTTP_CLIENT_UNREACHED;
    }
}

static enum err perform(struct http_client *client)
{
    CURLcode result = curl_easy_perform(client->curl);
    if (client->failed_as != HTTP_CLIENT_TOO_LARGE)
        client->failed_as = fault_of(result);
    if (client->failed_as == HTTP_CLIENT_TOO_LARGE)
        return ctx_fail(client->ctx, ERR_UNAVAILABLE, "the answer is larger than %zu bytes",
                        client->answer_max_bytes);
    if (result != CURLE_OK)
        return ctx_fail(client->ctx, ERR_UNAVAILABLE, "%s",
                        client->fault[0] ? client->fault : curl_easy_strerror(result));
    long status = 0;
    if (curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status == 0)
        return ctx_fail(client->ctx, ERR_UNAVAILABLE, "an answer without a status");
    client->answer->status = (int)status;
    const char *body =
        arena_text_copy(&client->ctx->arena, (const char *)client->buffer, client->used_bytes);
    client->answer->body =
        (struct bytes){.p = (const unsigned char *)body, .n = client->used_bytes};
    return ERR_OK;
}

static enum err prepare_and_perform(struct http_client *client, const struct http_call *call)
{
    struct ctx *ctx = client->ctx;
    int64_t timeout_ms = ctx_left_ms(ctx);
    if (call->timeout_ms < timeout_ms)
        timeout_ms = call->timeout_ms;
    if (timeout_ms <= 0) {
        client->failed_as = HTTP_CLIENT_LATE;
        return ctx_fail(ctx, ERR_UNAVAILABLE, "no time is left for the call");
    }
    CLEANUP(lines_release) struct curl_slist *lines = NULL;
    if (!make_lines(ctx, call, &lines))
        return ctx_fail(ctx, ERR_INTERNAL, "out of memory");
    CURLcode bad = set_limits(client->curl, call, (long)timeout_ms);
    bad |= set_trust(client->curl, call);
    bad |= set_request(client->curl, call);
    bad |= set_callbacks(client, lines);
    if (bad != CURLE_OK)
        return ctx_fail(ctx, ERR_INTERNAL, "curl refuses an option of the call");
    return perform(client);
}

enum err http_call(struct ctx *ctx,
                   struct http_client *client,
                   const struct http_call *call,
                   struct http_answer *out_answer)
{
    struct http_answer answer = {0};
    begin(client, ctx, call, &answer);
    enum err err = prepare_and_perform(client, call);
    end(client);
    if (!err)
        *out_answer = answer;
    return err;
}

enum http_client_fault http_client_fault(const struct http_client *client)
{
    return client->failed_as;
}

/* ---- whom to believe ---- */

static void fd_close(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* Reads to the end, or so much. False: it can't be read. */
static bool read_up_to(int fd, char *text, size_t max_bytes, size_t *out_bytes)
{
    size_t got_bytes = 0;
    ssize_t count = 1;
    while (count > 0 && got_bytes < max_bytes) {
        count = read(fd, text + got_bytes, max_bytes - got_bytes);
        if (count < 0 && errno != EINTR)
            return false;
        got_bytes += count > 0 ? (size_t)count : 0;
        count = count < 0 ? 1 : count;
    }
    *out_bytes = got_bytes;
    return true;
}

/* Behind what is in `pem` already. Errors: as http_client_authorities. */
static enum err add_file(struct ctx *ctx, const char *path, char *pem, size_t *size_bytes)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    size_t room_bytes = HTTP_CLIENT_AUTHORITIES_MAX_BYTES - *size_bytes;
    size_t got_bytes = 0;
    char *added = pem + *size_bytes;
    if (fd < 0 || !read_up_to(fd, added, room_bytes, &got_bytes))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't read %s: %s", path, strerrordesc_np(errno));
    if (got_bytes == room_bytes)
        return ctx_fail(ctx, ERR_INVALID, "%s is too large", path);
    added[got_bytes] = '\0';
    if (!strstr(added, "-----BEGIN CERTIFICATE-----"))
        return ctx_fail(ctx, ERR_INVALID, "%s has no certificate in PEM form", path);
    *size_bytes += got_bytes;
    return ERR_OK;
}

DEFINE_CLEANUP(char *, free)

enum err http_client_authorities(struct ctx *ctx, const char *path, char **out_pem)
{
    CLEANUP(free_ptr) char *pem = calloc(1, HTTP_CLIENT_AUTHORITIES_MAX_BYTES + 1);
    const char *system_path = curl_version_info(CURLVERSION_NOW)->cainfo;
    size_t size_bytes = 0;
    if (!pem)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    if (system_path && add_file(ctx, system_path, pem, &size_bytes))
        ctx_forgive(ctx); /* a machine may have none */
    enum err err = add_file(ctx, path, pem, &size_bytes);
    char *fitting = err ? NULL : strdup(pem);
    if (!err && !fitting)
        err = ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    if (!err)
        *out_pem = fitting;
    return err;
}
