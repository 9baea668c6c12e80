/* SPDX-License-Identifier: MIT
 *
 * Depends on: provider_peer.h. */
#include "provider_peer.h"

#include "base/secret.h"
#include "http/http_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUDGET_MS 20000

/* ---- the provider ---- */

/* Reads a head, and the body that it announces. False when the client has closed. */
static bool read_request(int fd, char request[PEER_REQUEST_MAX_BYTES])
{
    size_t size_bytes = 0;
    size_t all_bytes = SIZE_MAX;
    request[0] = '\0';
    while (size_bytes < all_bytes) {
        ssize_t got_bytes =
            recv(fd, request + size_bytes, PEER_REQUEST_MAX_BYTES - 1 - size_bytes, 0);
        if (got_bytes <= 0)
            return false;
        size_bytes += (size_t)got_bytes;
        request[size_bytes] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        size_t body_bytes = length && end && length < end ? strtoul(length + 16, NULL, 10) : 0;
        if (end)
            all_bytes = (size_t)(end + 4 - request) + body_bytes;
    }
    return true;
}

static bool is_of_path(const char *request, const char *path)
{
    const char *start = strchr(request, ' ');
    size_t size_bytes = strlen(path);
    return start && strncmp(start + 1, path, size_bytes) == 0 &&
           (start[1 + size_bytes] == ' ' || start[1 + size_bytes] == '?');
}

static struct peer_page page_of(struct peer *peer, const char *request)
{
    for (size_t i = 0; i < peer->pages_count; i++)
        if (is_of_path(request, peer->pages[i].path))
            return peer->pages[i];
    return (struct peer_page){.status = 404, .fields = "", .body = "{}"};
}

/* Takes the socket. */
static void answer(struct peer *peer, int fd, const char *request)
{
    char head[1024];
    (void)pthread_mutex_lock(&peer->lock);
    assert_true(peer->requests_count < PEER_REQUESTS_MAX_COUNT);
    memcpy(peer->requests[peer->requests_count++], request, strlen(request) + 1);
    const struct peer_page page = page_of(peer, request);
    if (page.status == PEER_SILENT)
        peer->silent_fds[peer->silent_count++] = fd;
    (void)pthread_mutex_unlock(&peer->lock);
    if (page.status == PEER_SILENT)
        return;
    int head_bytes = snprintf(head, sizeof(head),
                              "HTTP/1.1 %d X\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n",
                              page.status, page.fields, strlen(page.body));
    (void)send(fd, head, (size_t)head_bytes, MSG_NOSIGNAL);
    (void)send(fd, page.body, strlen(page.body), MSG_NOSIGNAL);
    (void)close(fd);
}

static void *peer_main(void *argument)
{
    struct peer *peer = argument;
    char request[PEER_REQUEST_MAX_BYTES];
    for (;;) {
        int fd = accept(peer->listen_fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        if (read_request(fd, request))
            answer(peer, fd, request);
        else
            (void)close(fd);
    }
}

void peer_start(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_bytes = sizeof(address);
    (void)pthread_mutex_init(&peer->lock, NULL);
    peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer->listen_fd >= 0);
    assert_int_equal(bind(peer->listen_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(peer->listen_fd, 8), 0);
    assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&address, &address_bytes), 0);
    (void)snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

void peer_stop(struct peer *peer)
{
    (void)shutdown(peer->listen_fd, SHUT_RDWR);
    assert_int_equal(pthread_join(peer->thread, NULL), 0);
    (void)close(peer->listen_fd);
    for (size_t i = 0; i < peer->silent_count; i++)
        (void)close(peer->silent_fds[i]);
    (void)pthread_mutex_destroy(&peer->lock);
}

void peer_page_with(struct peer *peer, const struct peer_page *page)
{
    size_t place = 0;
    (void)pthread_mutex_lock(&peer->lock);
    while (place < peer->pages_count && strcmp(peer->pages[place].path, page->path) != 0)
        place++;
    assert_true(place < PEER_PAGES_MAX_COUNT);
    peer->pages[place] = *page;
    if (place == peer->pages_count)
        peer->pages_count++;
    (void)pthread_mutex_unlock(&peer->lock);
}

void peer_page(struct peer *peer, const char *path, int status, const char *body)
{
    peer_page_with(peer,
                   &(struct peer_page){.path = path, .status = status, .fields = "", .body = body});
}

size_t peer_count(struct peer *peer, const char *path)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&peer->lock);
    for (size_t i = 0; i < peer->requests_count; i++)
        count += is_of_path(peer->requests[i], path);
    (void)pthread_mutex_unlock(&peer->lock);
    return count;
}

const char *peer_last(struct ctx *ctx, struct peer *peer, const char *path)
{
    const char *last = "";
    (void)pthread_mutex_lock(&peer->lock);
    for (size_t i = 0; i < peer->requests_count; i++)
        if (is_of_path(peer->requests[i], path))
            last = peer->requests[i];
    last = arena_text(&ctx->arena, last);
    (void)pthread_mutex_unlock(&peer->lock);
    return last;
}

/* ---- our side ---- */

static struct secret secret_of(const char *text)
{
    return secret_new(text, strlen(text));
}

int side_setup(void **state)
{
    static const unsigned char key[SECRET_DIGEST_BYTES] = {7};
    struct side *side = calloc(1, sizeof(*side));
    if (!side || !secret_start() || !http_client_start())
        return -1;
    ctx_init(&side->ctx, NULL, BUDGET_MS);
    side->ctx.http = http_client_new();
    site_init(&side->site, (struct bytes){.p = key, .n = sizeof(key)});
    peer_start(&side->peer);
    side->config = (struct config){
        .has_twitter = true,
        .has_oidc = true,
        .own_origin = "https://notes.example.org",
        .twitter_callback_host = "https://notes.example.org",
        .twitter_api_url = side->peer.url,
        .twitter_consumer_key = secret_of("consumer"),
        .twitter_consumer_secret = secret_of("consumer-secret"),
        .oidc_issuer = side->peer.url,
        .oidc_client_id = "notes:1",
        .oidc_client_secret = secret_of("s%cret/"),
        .oidc_name = "Example",
        .oidc_scopes = "openid profile email",
        .provider_timeout_ms = BUDGET_MS,
        .login_workers = 4,
    };
    *state = side;
    return providers_new(&side->ctx, &side->config, &side->site, &side->providers) ? -1 : 0;
}

void side_restart(struct side *side)
{
    providers_free(side->providers);
    assert_int_equal(providers_new(&side->ctx, &side->config, &side->site, &side->providers),
                     ERR_OK);
}

int side_teardown(void **state)
{
    struct side *side = *state;
    providers_free(side->providers);
    http_client_free(side->ctx.http);
    peer_stop(&side->peer);
    secret_done(&side->config.twitter_consumer_key);
    secret_done(&side->config.twitter_consumer_secret);
    secret_done(&side->config.oidc_client_secret);
    ctx_done(&side->ctx);
    free(side);
    return 0;
}

const char *parameter_of(struct ctx *ctx, const char *text, const char *name)
{
    struct form form;
    const char *query = strchr(text, '?');
    const char *start = query ? query + 1 : text;
    const struct bytes bytes = {.p = (const unsigned char *)start, .n = strlen(start)};
    assert_int_equal(form_parse(ctx, bytes, &form), ERR_OK);
    return form_first(&form, name);
}

enum provider_failure
side_begin(struct side *side, enum provider_which which, struct provider_departure *out)
{
    const struct provider_flow flow = {.purpose = PROVIDER_SIGN_IN, .next = "/next", .bound = ""};
    ctx_forgive(&side->ctx);
    return provider_begin(&side->ctx, side->providers, which, &flow, out);
}

enum provider_failure side_finish(struct side *side,
                                  enum provider_which which,
                                  const char *query,
                                  const char *cookie,
                                  struct provider_arrival *out)
{
    struct form form;
    const struct bytes bytes = {.p = (const unsigned char *)query, .n = strlen(query)};
    ctx_forgive(&side->ctx);
    assert_int_equal(form_parse(&side->ctx, bytes, &form), ERR_OK);
    return provider_finish(&side->ctx, side->providers, which, &form, cookie, out);
}
