/* SPDX-License-Identifier: MIT
 *
 * The life of a service process. The order matters: arguments, then settings with all their faults
 * at once, then signals blocked (threads inherit that), then log, program, loop, drain. What
 * standard output gets is the log's while the service runs; standard error gets only what stops a
 * start, and on a terminal that has both the log does not repeat it. Depends on: env, log,
 * http_client (for --healthcheck), http_server; db and json_body for their versions. */
#include "service/service.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/text.h"
#include "data/db.h"
#include "http/http_client.h"
#include "http/http_server.h"
#include "http/json_body.h"
#include "http/router.h"
#include "service/harden.h"
#include "service/notify.h"
#include "service/service_settings.h"
#include "service/start.h"
#include "service/syscall_filter.h"

#define HEALTHCHECK_BUDGET_MS 5000
#define OPTION_COLUMNS        16
#define MALLOC_ARENAS_COUNT \
    2 /* glibc's default, 8 for each core, costs megabytes of private memory */
#define MALLOC_OWN_PAGES_BYTES \
    (256 * 1024) /* from here on freed memory goes back at once; said, glibc no longer raises it */

/* Which settings an option reads. */
enum reads { READS_NONE, READS_PLACE, READS_ALL };

/* One command line option, which is also the whole command. */
struct option {
    const char *name;
    const char *help;
    int (*run)(const struct service *service, struct env_faults *faults);
    enum reads reads;
};

static int print_help(const struct service *service, struct env_faults *faults);
static int print_version(const struct service *service, struct env_faults *faults);
static int print_routes(const struct service *service, struct env_faults *faults);
static int print_config(const struct service *service, struct env_faults *faults);
static int check_config(const struct service *service, struct env_faults *faults);
static int check_health(const struct service *service, struct env_faults *faults);
static int run_service(const struct service *service, struct env_faults *faults);

static const struct option options[] = {
    {"--help", "print this text", print_help, READS_NONE},
    {"--version", "print the version, and those of the libraries", print_version, READS_NONE},
    {"--check-config", "check the settings; 2 when any is wrong", check_config, READS_ALL},
    {"--print-config", "print all settings with value, default and meaning", print_config,
     READS_ALL},
    {"--print-routes", "print what is served, and who may ask for it", print_routes, READS_NONE},
    {"--healthcheck", "ask the running service if it is ready; 0 or 1", check_health, READS_PLACE},
};

static const struct option no_option = {.run = run_service, .reads = READS_ALL};

/* --- Options --- */

static int output_done(const struct service *service)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return SERVICE_EXIT_OK;
    fprintf(stderr, "%s: can't write to standard output\n", service->name);
    return SERVICE_EXIT_FAILED;
}

static bool has_work(const struct service *service)
{
    for (size_t i = 0; i < service->tools_count; i++)
        if (service->tools[i].work)
            return true;
    return false;
}

static int print_help(const struct service *service, struct env_faults *faults)
{
    (void)faults;
    printf("%s: %s\n\nUsage: %s [OPTION]\n\n", service->name, service->summary, service->name);
    printf("Without an option the service runs until SIGTERM or SIGINT.\n\n");
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        printf("  %-*s  %s\n", OPTION_COLUMNS, options[i].name, options[i].help);
    for (size_t i = 0; i < service->tools_count; i++)
        printf("  %s %-*s  %s\n", service->tools[i].name,
               (int)(OPTION_COLUMNS - 1 - strlen(service->tools[i].name)),
               service->tools[i].argument, service->tools[i].help);
    printf("\nSettings come from the environment, see --print-config.\n"
           "Exit codes: 0 done, 1 %s,\n2 wrong settings or wrong usage%s.\n",
           has_work(service) ? "some rows were not moved or changed, or it failed" : "failed",
           has_work(service) ? ", 3 the other data can't be reached" : "");
    return output_done(service);
}

static int print_version(const struct service *service, struct env_faults *faults)
{
    (void)faults;
    printf("%s %s\n", service->name, NOTES_VERSION);
    printf("%s, %s, %s, %s, %s, %s%s%s\n", http_server_library(), db_library(),
           http_client_library(), json_body_library(), secret_library(), syscall_filter_library(),
           service->libraries ? ", " : "", service->libraries ? service->libraries : "");
    return output_done(service);
}

static int print_routes(const struct service *service, struct env_faults *faults)
{
    (void)faults;
    router_print(stdout, service->router);
    return output_done(service);
}

static int print_faults(const struct service *service, const struct env_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(stderr, "%s: %s\n", service->name, faults->lines[i]);
    return SERVICE_EXIT_USAGE;
}

/* The table is printed also when a setting is wrong: it says what would be right. */
static int print_config(const struct service *service, struct env_faults *faults)
{
    env_print(stdout, service->settings, service->settings_count, service->config, faults);
    int code = output_done(service);
    return faults->count > 0 ? print_faults(service, faults) : code;
}

static int check_config(const struct service *service, struct env_faults *faults)
{
    if (faults->count > 0)
        return print_faults(service, faults);
    printf("settings are valid\n");
    return output_done(service);
}

/* --- Asking the running instance --- */

/* Asked every few seconds beside a service that runs: a file that another setting names may have
 * been taken away since its start, which is no reason to end it. */
static void read_place(const struct service *service, struct env_faults *faults)
{
    for (size_t i = 0; i < service->settings_count; i++) {
        const char *name = service->settings[i].name;
        if (text_equals(name, "PORT") || text_equals(name, "LISTEN"))
            env_read(&service->settings[i], 1, service->config, faults);
    }
    service_settings_check_place(service->common, faults);
}

/* Where to reach a server that listens on `listen`: an address that means "all" can't be called.
 * IPv4 for both kinds: the listener of :: takes it too, and a container may have no ::1. */
static const char *call_host(struct ctx *ctx, const char *listen)
{
    static const char *const all[] = {"0.0.0.0", "::"};
    struct address asked;
    struct address address;
    bool is_address = address_parse(listen, &asked);
    for (size_t i = 0; is_address && i < ARRAY_COUNT(all); i++)
        if (address_parse(all[i], &address) && memcmp(&asked, &address, sizeof(asked)) == 0)
            return "127.0.0.1";
    return strchr(listen, ':') ? arena_format(&ctx->arena, "[%s]", listen) : listen;
}

static int ask_health(const struct service *service, struct ctx *ctx, struct http_client *client)
{
    const char *host = call_host(ctx, service->common->listen);
    int64_t port = service->common->port;
    struct http_call call = {
        .method = "GET",
        .url = arena_format(&ctx->arena, "http://%s:%" PRId64 "/readyz", host, port),
        .timeout_ms = HEALTHCHECK_BUDGET_MS,
    };
    struct http_answer answer = {0};
    if (http_call(ctx, client, &call, &answer)) {
        fprintf(stderr, "%s: no answer from %s: %s\n", service->name, call.url, ctx->why.text);
        return SERVICE_EXIT_FAILED;
    }
    if (answer.status != 200) {
        fprintf(stderr, "%s: not ready: %s answers %d\n", service->name, call.url, answer.status);
        return SERVICE_EXIT_FAILED;
    }
    printf("ready\n");
    return output_done(service);
}

/* Container engines reserve the exit code 2 of a health check, so wrong settings are 1 here. */
static int check_health(const struct service *service, struct env_faults *faults)
{
    if (faults->count > 0) {
        print_faults(service, faults);
        return SERVICE_EXIT_FAILED;
    }
    struct ctx ctx;
    ctx_init(&ctx, NULL, HEALTHCHECK_BUDGET_MS);
    struct http_client *client = http_client_start() ? http_client_new() : NULL;
    int code = SERVICE_EXIT_FAILED;
    if (client)
        code = ask_health(service, &ctx, client);
    else
        fprintf(stderr, "%s: can't start an HTTP client\n", service->name);
    http_client_free(client);
    ctx_done(&ctx);
    return code;
}

/* --- Running --- */

static void end_at_once(int signal_number)
{
    (void)signal_number;
    _exit(SERVICE_EXIT_FAILED);
}

/* Blocked before any thread is made, so that only the main thread's wait gets them. SIGXFSZ: a file
 * that may not grow is an error of one write, not the end of the process. */
static void prepare_signals(sigset_t *out_ends)
{
    sigemptyset(out_ends);
    sigaddset(out_ends, SIGTERM);
    sigaddset(out_ends, SIGINT);
    sigprocmask(SIG_BLOCK, out_ends, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

/* From here on the next signal ends the process. By a handler, as the default action does nothing
 * in a process 1. */
static void arm_second_signal(const sigset_t *ends)
{
    struct sigaction end = {.sa_handler = end_at_once};
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigprocmask(SIG_UNBLOCK, ends, NULL);
}

static void tick(const struct service *service, struct app *app)
{
    http_server_tick(service->app_server(app));
    if (service->app_tick)
        service->app_tick(app);
}

static struct timespec span_of(int64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

/* Returns the signal that came. The tick keeps its pace whatever else wakes us. */
static int serve(const struct service *service, struct app *app, const sigset_t *ends)
{
    int64_t next_tick_ms = clock_monotonic_ms() + SERVICE_TICK_MS;
    for (;;) {
        int64_t left_ms = next_tick_ms - clock_monotonic_ms();
        struct timespec span = span_of(left_ms > 0 ? left_ms : 0);
        int number = sigtimedwait(ends, NULL, &span);
        if (number > 0)
            return number;
        int64_t now_ms = clock_monotonic_ms();
        if (now_ms < next_tick_ms)
            continue;
        tick(service, app);
        next_tick_ms = now_ms + SERVICE_TICK_MS;
    }
}

/* The server goes on, for a proxy that has not noticed yet; so do the ticks. */
static void wait_for_proxy(const struct service *service, struct app *app)
{
    int64_t left_ms = service->common->drain_delay_ms;
    while (left_ms > 0) {
        int64_t step_ms = left_ms < SERVICE_TICK_MS ? left_ms : SERVICE_TICK_MS;
        clock_sleep_ms(step_ms);
        left_ms -= step_ms;
        tick(service, app);
    }
}

static void drain(const struct service *service, struct app *app, struct ctx *ctx)
{
    struct http_server *server = service->app_server(app);
    service->app_set_draining(app);
    http_server_send_away(server);
    wait_for_proxy(service, app);
    size_t running_count = http_server_drain(server, service->common->drain_wait_ms);
    if (running_count > 0)
        log_warn(ctx, "service.drain_incomplete", log_i64("requests", (int64_t)running_count));
}

/* Do the log and standard error go to the same eyes? */
static bool is_one_terminal(void)
{
    struct stat out;
    struct stat error;
    return isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1 &&
           fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &error) == 0 &&
           out.st_rdev == error.st_rdev;
}

static int report_start_failure(const struct service *service, struct ctx *ctx, enum err err)
{
    const char *why = ctx->why.text[0] ? ctx->why.text : err_text(err);
    if (!is_one_terminal())
        log_error(ctx, "service.start_failed", log_str("err", err_name(err)), log_str("why", why));
    fprintf(stderr, "%s: can't start: %s\n", service->name, why);
    return SERVICE_EXIT_FAILED;
}

static int run_app(const struct service *service,
                   const struct hardening *hardening,
                   struct ctx *ctx,
                   const sigset_t *ends)
{
    struct app *app = NULL;
    struct start_guard guard = {0};
    start_guard_begin(&guard, ctx->log, ends);
    enum err err = service->app_new(ctx, service->config, ctx->log, &app);
    start_guard_end(&guard);
    if (err)
        return report_start_failure(service, ctx, err);
    log_info(ctx, "service.started", log_str("version", NOTES_VERSION),
             log_i64("port", http_server_port(service->app_server(app))), log_i64("pid", getpid()));
    harden_report(ctx, hardening);
    notify_manager("READY=1");
    int number = serve(service, app, ends);
    arm_second_signal(ends);
    notify_manager("STOPPING=1");
    log_info(ctx, "service.draining", log_str("signal", sigabbrev_np(number)));
    drain(service, app, ctx);
    service->app_free(app);
    log_info(ctx, "service.stopped", log_i64("pid", getpid()));
    return SERVICE_EXIT_OK;
}

static int run_service(const struct service *service, struct env_faults *faults)
{
    if (faults->count > 0)
        return print_faults(service, faults);
    sigset_t ends;
    struct hardening hardening;
    prepare_signals(&ends);
    harden_service(service->common->port, service_settings_has_seccomp(service->common),
                   &hardening); /* before the first thread */
    struct log *log =
        log_new(STDOUT_FILENO, service->name, service_settings_log_level(service->common),
                service_settings_log_format(service->common));
    struct ctx ctx;
    ctx_init(&ctx, log, START_BUDGET_MS);
    int code = run_app(service, &hardening, &ctx, &ends);
    ctx_done(&ctx);
    log_free(log);
    return code;
}

/* --- Tools --- */

static const struct service_tool *find_tool(const struct service *service, const char *name)
{
    for (size_t i = 0; i < service->tools_count; i++)
        if (text_equals(service->tools[i].name, name))
            return &service->tools[i];
    return NULL;
}

/* What the command line says: an option, or else a tool with its argument. Neither: wrong usage. */
struct command {
    const struct option *option;
    const struct service_tool *tool;
    const char *argument;
    bool has_flag;
};

static int use_tool(const struct service *service, const struct command *command)
{
    const struct service_tool *tool = command->tool;
    if (tool->work) {
        int code = tool->work(service->config, command->argument, command->has_flag);
        int output_code = output_done(service);
        return code ? code : output_code;
    }
    struct ctx ctx;
    ctx_init(&ctx, NULL, START_BUDGET_MS);
    enum err err = tool->run(&ctx, service->config, command->argument);
    if (err)
        fprintf(stderr, "%s: %s\n", service->name, ctx.why.text[0] ? ctx.why.text : err_text(err));
    else
        printf("%s\n", tool->done);
    ctx_done(&ctx);
    return err ? SERVICE_EXIT_FAILED : output_done(service);
}

/* --- Command line --- */

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        if (text_equals(options[i].name, name))
            return &options[i];
    return NULL;
}

static const struct service_tool *find_tool_of_flag(const struct service *service, const char *flag)
{
    for (size_t i = 0; i < service->tools_count; i++)
        if (service->tools[i].flag && text_equals(service->tools[i].flag, flag))
            return &service->tools[i];
    return NULL;
}

static void refuse_use(const struct service *service, const struct service_tool *tool)
{
    fprintf(stderr, "%s: %s needs one %s%s%s%s. See %s --help.\n", service->name, tool->name,
            tool->argument, tool->flag ? ", and takes " : "", tool->flag ? tool->flag : "",
            tool->flag ? " besides" : "", service->name);
}

static const struct option *read_arguments(const struct service *service, int argc, char **argv)
{
    if (argc < 2)
        return &no_option;
    const struct option *option = find_option(argv[1]);
    const struct service_tool *tool = find_tool(service, argv[1]);
    if (!tool)
        tool = find_tool_of_flag(service, argv[1]);
    if (option && argc == 2)
        return option;
    if (tool) {
        refuse_use(service, tool);
        return NULL;
    }
    if (option)
        fprintf(stderr, "%s: %s takes nothing after it, but \"%s\" came. See %s --help.\n",
                service->name, option->name, argv[2], service->name);
    else
        fprintf(stderr, "%s: \"%s\" is not an option. See %s --help.\n", service->name, argv[1],
                service->name);
    return NULL;
}

/* A tool, its argument, and perhaps its flag, which may stand anywhere. */
static bool
read_tool(const struct service *service, int argc, char **argv, struct command *out_command)
{
    const char *words[2] = {NULL, NULL}; /* name and argument */
    int words_count = 0;
    const struct service_tool *flagged = NULL;
    for (int i = 1; i < argc; i++) {
        const struct service_tool *found = flagged ? NULL : find_tool_of_flag(service, argv[i]);
        if (found)
            flagged = found;
        else if (words_count == ARRAY_COUNT(words))
            return false;
        else
            words[words_count++] = argv[i];
    }
    const struct service_tool *tool = words[1] ? find_tool(service, words[0]) : NULL;
    if (!tool || (flagged && flagged != tool))
        return false;
    *out_command =
        (struct command){.tool = tool, .argument = words[1], .has_flag = flagged != NULL};
    return true;
}

static struct command read_command(const struct service *service, int argc, char **argv)
{
    struct command command = {0};
    if (read_tool(service, argc, argv, &command))
        return command;
    return (struct command){.option = read_arguments(service, argc, argv)};
}

static void keep_memory_small(void)
{
    mallopt(M_ARENA_MAX, MALLOC_ARENAS_COUNT);
    mallopt(M_MMAP_THRESHOLD, MALLOC_OWN_PAGES_BYTES);
}

/* Who looks a name up waits as long as the system's resolver does, by default 5 s for each try: a
 * resolver that is silent would hold a worker past its deadline. Two tries of one second, unless
 * the admin has said otherwise (resolv.conf(5)). Before there are threads. */
static void bound_lookups(void)
{
    (void)setenv("RES_OPTIONS", "timeout:1 attempts:2", 0);
}

static void read_settings(const struct service *service, struct env_faults *faults)
{
    env_read(service->settings, service->settings_count, service->config, faults);
    if (service->config_check)
        service->config_check(service->config, faults);
}

static int run_with_settings(const struct service *service, const struct command *command)
{
    const struct option *option = command->option;
    struct arena arena;
    arena_init(&arena);
    struct env_faults faults = {.arena = &arena};
    enum reads reads = option ? option->reads : READS_ALL;
    if (reads == READS_ALL)
        read_settings(service, &faults);
    else if (reads == READS_PLACE)
        read_place(service, &faults);
    int code;
    if (option)
        code = option->run(service, &faults);
    else if (faults.count > 0)
        code = print_faults(service, &faults);
    else
        code = use_tool(service, command);
    if (reads == READS_ALL)
        env_secrets_done(service->settings, service->settings_count, service->config);
    arena_done(&arena);
    return code;
}

int service_main(const struct service *service, int argc, char **argv)
{
    const struct command command = read_command(service, argc, argv);
    if (!command.option && !command.tool)
        return SERVICE_EXIT_USAGE;
    keep_memory_small();
    bound_lookups();
    if (!harden_process() || !secret_start()) {
        fprintf(stderr, "%s: can't start: the system refuses its protections or random numbers\n",
                service->name);
        return SERVICE_EXIT_FAILED;
    }
    return run_with_settings(service, &command);
}
