/* SPDX-License-Identifier: MIT
 *
 * Between libmicrohttpd and the exchange: its callbacks in, its calls out. The library reads,
 * parses and writes on its event loops; sockets come to it from our own acceptor (listener.h),
 * because its own way to stop accepting races with its loops and then ends the process. What it
 * reads too generously is checked here and in http_head.c; where 0.9.75 answers wrongly by itself,
 * see "Faults of the library". Depends on: exchange.h, connections.h, listener.h, libmicrohttpd
 * (included here only). */
#include "http/http_server.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "base/workers.h"
#include "http/connections.h"
#include "http/exchange.h"
#include "http/json_body.h"
#include "http/listener.h"
#include "http/refusals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIM_MIN_COUNT      256
#define DRAIN_LOOK_MS       10
#define DRAIN_TICK_MS       1000
#define LOG_TEXT_MAX_BYTES  512
#define MS_PER_S            1000
#define STRICT_HEAD_VERSION 0x01000000 /* from here on the library can be told to read strictly */
#define LINE_END_BYTES      2
#define CROWDED_PERCENT     37 /* of the library's memory for a head, by fields and cookies */
#define CROWDED_ENTRY_BYTES 64

/* Level 1: the library refuses folded lines, lone line feeds and blanks in the target, which it
 * would answer with a redirect of its own to wherever the client says; a NUL it refuses at any
 * level. The older one has no levels: how it cut the head is looked at (follows, read_line,
 * ends_well). */
static struct MHD_OptionItem strict_head[] = {
#if MHD_VERSION >= STRICT_HEAD_VERSION
    {.option = MHD_OPTION_CLIENT_DISCIPLINE_LVL, .value = 1},
#endif
    {.option = MHD_OPTION_END},
};

/* The length of a 304 would be the page's (RFC 9110 8.6), which is not made: none is told. The
 * older library, which knows no such choice, says 0. */
#if MHD_VERSION >= 0x00097701
#define BODILESS MHD_RF_HEAD_ONLY_RESPONSE
#else
#define BODILESS MHD_RF_NONE
#endif

struct http_server {
    struct exchange_host host;
    struct listener listener;
    struct connections *connections;
    struct MHD_Daemon *daemon;
    struct refusals refusals;
    size_t most_count; /* of connections since memory was given back; of the tick */
};

struct http_prepared {
    struct MHD_Response *keeping; /* the connection stays open */
    struct MHD_Response *closing;
    size_t size_bytes;
    int status;
};

/* The library takes bodies as void *, and leaves them as they are. */
static void *as_mutable(const void *bytes)
{
    return (void *)(uintptr_t)bytes;
}

/* ---- log ---- */

static void server_log(const struct http_server *server,
                       enum log_level level,
                       const char *event,
                       const struct log_field *fields,
                       size_t count)
{
    log_event_write(server->host.options.log, NULL, level, event, fields, count);
}

/* ---- a request's way in ---- */

struct head_reader {
    struct exchange *exchange;
    const char *line_end; /* of the line before, where the library put its NUL */
    enum err err;
};

/* Lines follow each other in the library's buffer, the two bytes of each end made NUL. One byte is
 * a lone CR or LF. More are a NUL that the client sent, or a folded line: the library would read
 * another value than a proxy before us. */
static bool follows(const char *line_end, const char *next)
{
    return next == line_end + LINE_END_BYTES;
}

static enum MHD_Result read_field(void *closure,
                                  enum MHD_ValueKind kind,
                                  const char *name,
                                  size_t name_bytes,
                                  const char *value,
                                  size_t value_bytes)
{
    struct head_reader *reader = closure;
    struct exchange *exchange = reader->exchange;
    (void)kind;
    (void)name_bytes;
    if (MHD_VERSION < STRICT_HEAD_VERSION && !follows(reader->line_end, name))
        reader->err = ctx_fail(&exchange->ctx, ERR_INVALID,
                               "a NUL, a folded line, or one not ended by CRLF, in the head");
    const char *text = value ? value : "";
    if (!reader->err)
        reader->err = http_head_field(&exchange->ctx, &exchange->head, name, text, value_bytes);
    reader->line_end = text + value_bytes;
    return reader->err ? MHD_NO : MHD_YES;
}

/* The request line as the library cut it: method, target and version must lie one blank apart. */
static enum err read_line(struct exchange *exchange, const char *method, const char *version)
{
    bool is_close = exchange->target_at == method + strlen(method) + 1 &&
                    version == exchange->target_at + exchange->target_bytes + 1;
    if (MHD_VERSION < STRICT_HEAD_VERSION && !is_close)
        return ctx_fail(&exchange->ctx, ERR_INVALID,
                        "the request line has a NUL or a further blank");
    exchange->head.is_http_1_1 = strcmp(version, MHD_HTTP_VERSION_1_0) != 0;
    return http_head_target(&exchange->ctx, &exchange->head, method, exchange->target);
}

/* Does the empty line come right behind the last field? */
static bool ends_well(struct MHD_Connection *connection, const char *method, const char *line_end)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (MHD_VERSION >= STRICT_HEAD_VERSION || !info)
        return true;
    return line_end + LINE_END_BYTES + LINE_END_BYTES == method + info->header_size;
}

static enum err read_head(struct MHD_Connection *connection,
                          struct exchange *exchange,
                          const char *method,
                          const char *version)
{
    enum err err = read_line(exchange, method, version);
    if (err)
        return err;
    struct head_reader reader = {.exchange = exchange, .line_end = version + strlen(version)};
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_field, &reader);
    if (reader.err)
        return reader.err;
    if (!ends_well(connection, method, reader.line_end))
        return ctx_fail(&exchange->ctx, ERR_INVALID,
                        "a NUL, a folded line, or one not ended by CRLF, at the end of the head");
    return http_head_finish(&exchange->ctx, &exchange->head);
}

/* ---- an answer's way out ---- */

static void add_fields(struct MHD_Response *response, const struct http_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value[0] != '\0')
            (void)MHD_add_response_header(response, fields[i].name, fields[i].value);
    }
}

static struct MHD_Response *
make_response(const struct http_field *fields, size_t fields_count, struct bytes body, bool is_last)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.n, as_mutable(body.p), MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    add_fields(response, fields, fields_count);
    if (is_last)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return response;
}

/* The socket goes on as a duplicate and the library closes its own: kept inside, an idle socket
 * would cost the connection's whole memory, and hold up the stop. */
static void on_upgraded(void *closure,
                        struct MHD_Connection *connection,
                        void *state,
                        const char *extra,
                        size_t extra_bytes,
                        MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *handle)
{
    struct exchange *exchange = closure;
    const struct http_upgrade *upgrade = exchange->rs.upgrade;
    (void)connection, (void)state;
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own_fd >= 0 && fcntl(own_fd, F_SETFL, O_NONBLOCK) == 0) {
        exchange->is_upgraded = true;
        upgrade->take(upgrade->owner, own_fd,
                      (struct bytes){.p = (const unsigned char *)extra, .n = extra_bytes});
    } else if (own_fd >= 0) {
        (void)close(own_fd);
    }
    (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static struct MHD_Response *make_upgrade(struct exchange *exchange)
{
    const struct http_response *rs = &exchange->rs;
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, exchange);
    if (response)
        add_fields(response, rs->fields, rs->fields_count);
    return response;
}

static int64_t send_until_ms(const struct exchange *exchange)
{
    int64_t size_s = (int64_t)(exchange_answer_bytes(exchange) / HTTP_SEND_BYTES_PER_S);
    return clock_monotonic_ms() + (exchange->host->options.read_timeout_s + 1 + size_s) * MS_PER_S;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct exchange *exchange)
{
    const struct http_response *rs = &exchange->rs;
    bool is_last = exchange_must_close(exchange);
    connection_send(exchange->connection, send_until_ms(exchange));
    if (rs->prepared)
        return MHD_queue_response(connection, (unsigned)rs->prepared->status,
                                  is_last ? rs->prepared->closing : rs->prepared->keeping);
    struct MHD_Response *response =
        rs->upgrade ? make_upgrade(exchange)
                    : make_response(rs->fields, rs->fields_count, rs->body, is_last);
    if (!response)
        return MHD_NO;
    if (rs->status == 304)
        (void)MHD_set_response_options(response, BODILESS, MHD_RO_END);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)rs->status, response);
    MHD_destroy_response(response);
    return result;
}

struct http_prepared *http_prepared_new(int status,
                                        const struct http_field *fields,
                                        size_t fields_count,
                                        struct bytes body)
{
    struct http_prepared *prepared = calloc(1, sizeof(*prepared));
    if (!prepared)
        return NULL;
    prepared->status = status;
    prepared->size_bytes = body.n;
    prepared->keeping = make_response(fields, fields_count, body, false);
    prepared->closing = make_response(fields, fields_count, body, true);
    if (prepared->keeping && prepared->closing)
        return prepared;
    http_prepared_free(prepared);
    return NULL;
}

void http_prepared_free(struct http_prepared *prepared)
{
    if (!prepared)
        return;
    MHD_destroy_response(prepared->keeping);
    MHD_destroy_response(prepared->closing);
    free(prepared);
}

size_t http_prepared_size_bytes(const struct http_prepared *prepared)
{
    return prepared->size_bytes;
}

int http_prepared_status(const struct http_prepared *prepared)
{
    return prepared->status;
}

/* ---- callbacks of the library, all on the connection's event loop ---- */

static struct connection *connection_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The library forgets to tell the end of a request whose head it has refused twice, say for a
 * cookie and for its length: what is left of it goes with the next one, or with the connection. */
static void drop_exchange(struct connection *connection)
{
    if (connection->exchange)
        exchange_free(connection->exchange, false);
    connection->exchange = NULL;
}

static void on_connection(void *closure,
                          struct MHD_Connection *handle,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = closure;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct connection *closed = *context;
        *context = NULL;
        if (closed) {
            drop_exchange(closed);
            connections_remove(server->connections, closed);
        }
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection =
        info ? connections_find(server->connections, info->connect_fd) : NULL;
    if (connection)
        connection_start(connection, handle);
    *context = connection;
}

/* The first line is there. The library takes each piece of the query into its memory, and when that
 * is used up the connection hangs: too many are refused here. */
static void *on_target(void *closure, const char *target, struct MHD_Connection *handle)
{
    struct http_server *server = closure;
    struct connection *connection = connection_of(handle);
    if (!connection || !target)
        return NULL;
    connection_begin(connection, clock_monotonic_ms());
    connection->is_in_head = true;
    if (http_head_pieces(target) > HTTP_QUERY_PIECES_MAX_COUNT + 1)
        connection_cut(connection, 400, "The query has too many pieces.\n");
    drop_exchange(connection);
    connection->exchange = exchange_new(&server->host, connection, handle, target);
    return connection->exchange;
}

static enum MHD_Result
go_on(struct MHD_Connection *handle, struct exchange *exchange, enum exchange_next next)
{
    switch (next) {
    case EXCHANGE_READ:
        return MHD_YES;
    case EXCHANGE_SEND:
        return send_answer(handle, exchange);
    case EXCHANGE_SUSPEND:
        MHD_suspend_connection(handle);
        exchange_submit(exchange);
        return MHD_YES;
    case EXCHANGE_CLOSE:
        break;
    }
    return MHD_NO;
}

/* Called for the head, for each piece of the body, for the end, and again after each resume. */
static enum MHD_Result on_request(void *closure,
                                  struct MHD_Connection *handle,
                                  const char *url,
                                  const char *method,
                                  const char *version,
                                  const char *piece,
                                  size_t *piece_bytes,
                                  void **state)
{
    struct exchange *exchange = *state;
    enum exchange_next next = EXCHANGE_CLOSE;
    (void)closure, (void)url;
    if (!exchange)
        return MHD_NO;
    if (exchange->stage == EXCHANGE_HEAD) {
        exchange->connection->is_in_head = false;
        next = exchange_head(exchange, read_head(handle, exchange, method, version));
    } else if (exchange->stage == EXCHANGE_ANSWERED) {
        next = EXCHANGE_SEND;
    } else if (exchange->stage == EXCHANGE_BODY && *piece_bytes > 0) {
        next = exchange_body(exchange, piece, *piece_bytes);
        *piece_bytes = 0;
    } else if (exchange->stage == EXCHANGE_BODY) {
        next = exchange_arrived(exchange);
    } else {
        next = EXCHANGE_READ; /* a lane has it */
    }
    return go_on(handle, exchange, next);
}

static void on_completed(void *closure,
                         struct MHD_Connection *handle,
                         void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *state;
    (void)closure;
    (void)handle;
    if (!exchange)
        return;
    *state = NULL;
    struct connection *connection = exchange->connection;
    connection->is_in_head = false;
    connection->exchange = NULL;
    exchange_free(exchange, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    connection_answered(connection, clock_monotonic_ms());
}

/* We decode ourselves, after splitting. */
static size_t on_unescape(void *closure, struct MHD_Connection *handle, char *text)
{
    (void)closure;
    (void)handle;
    return strlen(text);
}

static void resume(void *handle)
{
    MHD_resume_connection(handle);
}

/* ---- Faults of the library ----
 * 0.9.75 sends the head of its answer twice when Content-Length is malformed, and when cookies fill
 * its memory or end with a lone quote. It tells nobody but its logger, on the loop's thread, before
 * it writes: there the connection is looked for, answered and shut by us, and its own answer goes
 * nowhere. */

static enum MHD_Result
find_bad_length(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
    bool *is_bad = closure;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) != 0)
        return MHD_YES;
    *is_bad = !value || !http_head_is_length(value);
    return *is_bad ? MHD_NO : MHD_YES;
}

static void cut_bad_length(struct connection *connection)
{
    bool is_bad = false;
    (void)MHD_get_connection_values(connection->handle, MHD_HEADER_KIND, find_bad_length, &is_bad);
    if (is_bad)
        connection_cut(connection, 400, "Content-Length is no number.\n");
}

struct cookies_look {
    size_t size_bytes;
    bool has_lone_quote; /* as the last value: the library takes its length for -1 */
};

static enum MHD_Result
look_at_field(void *closure, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct cookies_look *look = closure;
    look->size_bytes += CROWDED_ENTRY_BYTES;
    if (kind != MHD_HEADER_KIND || !value || strcasecmp(name, MHD_HTTP_HEADER_COOKIE) != 0)
        return MHD_YES;
    look->size_bytes += 2 * strlen(value);
    look->has_lone_quote = look->has_lone_quote || text_ends_with(value, "=\"");
    return MHD_YES;
}

static void cut_bad_cookies(struct connection *connection)
{
    struct cookies_look look = {0};
    (void)MHD_get_connection_values(connection->handle, MHD_HEADER_KIND | MHD_COOKIE_KIND,
                                    look_at_field, &look);
    if (look.has_lone_quote)
        connection_cut(connection, 400, "A cookie has a quote without its counterpart.\n");
    else if (connection->exchange &&
             look.size_bytes >
                 connection->exchange->host->options.head_max_bytes * CROWDED_PERCENT / 100)
        connection_cut(connection, 431, "The request's fields are too large.\n");
}

FORMAT(2, 0) static void on_library_message(void *closure, const char *format, va_list values)
{
    struct http_server *server = closure;
    char text[LOG_TEXT_MAX_BYTES];
    va_list again;
    va_copy(again, values);
    refusals_by_library(&server->refusals, format, again);
    va_end(again);
    int size = vsnprintf(text, sizeof(text), format, values);
    if (size < 0 || !server->connections)
        return;
    if (strstr(format, "Content-Length"))
        connections_each_in_head(server->connections, cut_bad_length);
    else if (strstr(format, "Not enough memory in pool"))
        connections_each_in_head(server->connections, cut_bad_cookies);
    text[strcspn(text, "\r\n")] = '\0';
    const struct log_field fields[] = {log_str("text", text)};
    server_log(server, LOG_DEBUG, "http.library_spoke", fields, ARRAY_COUNT(fields));
}

/* ---- accepting ---- */

static void on_accepted(void *owner, int fd, const struct sockaddr *peer, socklen_t peer_bytes)
{
    struct http_server *server = owner;
    enum connections_verdict verdict = connections_admit(server->connections, fd, peer);
    if (verdict != CONNECTIONS_ADMITTED) {
        atomic_fetch_add(verdict == CONNECTIONS_ADDRESS_FULL ? &server->refusals.address_count
                                                             : &server->refusals.exhausted_count,
                         1);
        (void)close(fd);
        return;
    }
    if (MHD_add_connection(server->daemon, fd, peer, peer_bytes) == MHD_YES)
        return;
    connections_remove_fd(server->connections, fd); /* it has closed the socket */
    atomic_fetch_add(&server->refusals.exhausted_count, 1);
}

static bool on_is_full(void *owner)
{
    const struct http_server *server = owner;
    return connections_are_full(server->connections);
}

static void on_crowded(void *owner)
{
    struct http_server *server = owner;
    atomic_store(&server->refusals.is_crowded, true);
}

static void on_exhausted(void *owner, int error)
{
    struct http_server *server = owner;
    (void)error;
    atomic_fetch_add(&server->refusals.exhausted_count, 1);
}

/* ---- life ---- */

static const char *options_fault(const struct http_server_options *options)
{
    const char *fault = router_fault(&options->router);
    if (fault)
        return fault;
    for (size_t i = 0; i < options->router.count; i++) {
        enum lane lane = options->router.routes[i].lane;
        if (lane != LANE_LOOP && !options->lanes[lane])
            return "a route needs a lane that there is not";
    }
    return NULL;
}

static unsigned to_unsigned(int64_t number)
{
    return number < 0 ? 0 : number > UINT_MAX ? UINT_MAX : (unsigned)number;
}

/* The library splits its limit over its loops, which never fill evenly: ours is the one that
 * counts. */
static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_server_options *options = &server->host.options;
    unsigned loops_count = to_unsigned(options->loops);
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
            (options->upgraded_max_count > 0 ? MHD_ALLOW_UPGRADE : 0U),
        0, NULL, NULL, on_request, server,                              /* */
        MHD_OPTION_EXTERNAL_LOGGER, on_library_message, server,         /* first, says the manual */
        MHD_OPTION_THREAD_POOL_SIZE, loops_count > 1 ? loops_count : 0, /* */
        MHD_OPTION_CONNECTION_LIMIT,
        to_unsigned(options->connections_max_count * options->loops),        /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->head_max_bytes,         /* */
        MHD_OPTION_CONNECTION_TIMEOUT, to_unsigned(options->idle_timeout_s), /* */
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server,                      /* */
        MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,                     /* */
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,                   /* */
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,                 /* */
        MHD_OPTION_ARRAY, strict_head,                                       /* */
        MHD_OPTION_END);
}

/* Signals are for the main thread: the loops inherit that all are blocked. */
static enum err start_loops(struct ctx *ctx, struct http_server *server)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    server->daemon = start_daemon(server);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return server->daemon ? ERR_OK : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the event loops");
}

static enum err start(struct ctx *ctx, struct http_server *server)
{
    const struct http_server_options *options = &server->host.options;
    enum err err = listener_open(ctx, options->listen, options->port,
                                 options->connections_max_count + options->upgraded_max_count,
                                 &server->listener);
    if (err)
        return err;
    server->listener.owner = server;
    server->listener.accepted = on_accepted;
    server->listener.is_full = on_is_full;
    server->listener.crowded = on_crowded;
    server->listener.exhausted = on_exhausted;
    server->connections = connections_new(&(struct connections_options){
        .max_count = options->connections_max_count,
        .other_files_count = options->upgraded_max_count,
        .per_address_count = options->connections_per_address_count,
        .trusted = options->trusted,
        .read_timeout_ms = options->read_timeout_s * MS_PER_S,
    });
    if (!server->connections)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    err = start_loops(ctx, server);
    return err ? err : listener_start(ctx, &server->listener);
}

enum err http_server_new(struct ctx *ctx,
                         const struct http_server_options *options,
                         struct http_server **out_server)
{
    const char *fault = options_fault(options);
    if (fault)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "%s", fault);
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    json_body_start();
    exchange_host_init(&server->host, options);
    server->host.resume = resume;
    server->listener.fd = -1;
    server->listener.wake_fd = -1;
    enum err err = start(ctx, server);
    if (err) {
        http_server_free(server);
        return err;
    }
    *out_server = server;
    return ERR_OK;
}

int64_t http_server_port(const struct http_server *server)
{
    return server->listener.port;
}

/* Each connection has head_max_bytes on the heap, which keeps them after a crowd has gone. */
static void give_memory_back(struct http_server *server)
{
    size_t count = connections_count(server->connections);
    if (count > server->most_count)
        server->most_count = count;
    if (server->most_count < TRIM_MIN_COUNT || count > server->most_count / 2)
        return;
    (void)malloc_trim(0);
    server->most_count = count;
}

void http_server_tick(struct http_server *server)
{
    const struct http_server_options *options = &server->host.options;
    int64_t now_ms = clock_monotonic_ms();
    char peer[ADDRESS_TEXT_BYTES] = "";
    size_t cut_count = connections_sweep(server->connections, now_ms, peer);
    if (cut_count > 0) {
        const struct log_field fields[] = {log_i64("count", (int64_t)cut_count),
                                           log_str("peer", peer)};
        server_log(server, LOG_INFO, "http.request_timed_out", fields, ARRAY_COUNT(fields));
    }
    refusals_log(&server->refusals, options->log, options->connections_max_count);
    shares_log(&server->host.bodies, options->log);
    shares_log(&server->host.answers, options->log);
    give_memory_back(server);
    for (size_t i = 0; i < ARRAY_COUNT(options->lanes); i++) {
        if (options->lanes[i])
            workers_expire(options->lanes[i], now_ms);
    }
}

void http_server_send_away(struct http_server *server)
{
    atomic_store(&server->host.is_draining, true);
}

/* Until none is left. Deadlines are looked after meanwhile. */
static void wait_for(struct http_server *server, const _Atomic size_t *count, int64_t until_ms)
{
    int64_t tick_ms = clock_monotonic_ms() + DRAIN_TICK_MS;
    int64_t now_ms = 0;
    while (atomic_load(count) > 0 && (now_ms = clock_monotonic_ms()) < until_ms) {
        if (now_ms >= tick_ms) {
            http_server_tick(server);
            tick_ms = now_ms + DRAIN_TICK_MS;
        }
        clock_sleep_ms(DRAIN_LOOK_MS);
    }
}

size_t http_server_drain(struct http_server *server, int64_t wait_ms)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    http_server_send_away(server);
    listener_stop(&server->listener);
    wait_for(server, &server->host.active_count, until_ms);
    return atomic_load(&server->host.active_count);
}

/* The library ends the process when it is stopped with suspended connections: lanes must give them
 * back first, and the loops, which still read from kept connections, must not hand on more. 0.9.75
 * also crashes amid an answer of its own to a bad head: nobody may be left to send one. */
void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    atomic_store(&server->host.is_draining, true);
    listener_stop(&server->listener);
    atomic_store(&server->host.is_closing, true);
    wait_for(server, &server->host.suspended_count, INT64_MAX);
    connections_end(server->connections);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    connections_free(server->connections);
    exchange_host_done(&server->host);
    free(server);
}

const char *http_server_library(void)
{
    static char text[64]; /* asked for by the main thread, before others */
    (void)snprintf(text, sizeof(text), "GNU libmicrohttpd %s", MHD_get_version());
    return text;
}
