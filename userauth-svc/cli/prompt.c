/* SPDX-License-Identifier: MIT
 *
 * While echo is off, the signals that end a program are caught: read() comes back, the terminal is
 * put right, and then the signal is raised again. Stopping (Ctrl-Z) is held back until then.
 * Depends on: ctx.h, termios. */
#include "cli/prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/ctx.h"

static const int ENDING_SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static volatile sig_atomic_t caught_signal;

static void note_signal(int number)
{
    caught_signal = number;
}

bool prompt_has_terminal(void)
{
    return isatty(STDIN_FILENO) == 1;
}

/* Up to PROMPT_LINE_MAX_BYTES into `text` (zeroed, one byte longer), to the end of the line or of
 * the input. */
static enum err read_line(struct ctx *ctx, char *text, bool stops_at_newline)
{
    size_t size_bytes = 0;
    for (;;) {
        char c = 0;
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR && !caught_signal)
            continue;
        if (got < 0)
            return ctx_fail(ctx, ERR_UNAVAILABLE, "can't read the password: %s", strerror(errno));
        if (got == 0 || (stops_at_newline && c == '\n'))
            return ERR_OK;
        if (c == '\0')
            return ctx_fail(ctx, ERR_INVALID, "the password has a NUL character in it");
        if (size_bytes > PROMPT_LINE_MAX_BYTES) /* one more for the newline at the end */
            return ctx_fail(ctx, ERR_INVALID, "the password is longer than %d bytes",
                            PROMPT_LINE_MAX_BYTES);
        text[size_bytes++] = c;
    }
}

struct quiet {
    struct termios terminal;
    struct sigaction actions[ARRAY_COUNT(ENDING_SIGNALS)];
    sigset_t mask;
};

static bool quiet_begin(struct quiet *quiet)
{
    const struct sigaction note = {
        .sa_handler = note_signal}; /* without SA_RESTART: read() is to come back */
    struct termios silent;
    sigset_t stop;
    if (tcgetattr(STDIN_FILENO, &quiet->terminal) != 0)
        return false;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &stop, &quiet->mask);
    caught_signal = 0;
    for (size_t i = 0; i < ARRAY_COUNT(ENDING_SIGNALS); i++)
        (void)sigaction(ENDING_SIGNALS[i], &note, &quiet->actions[i]);
    silent = quiet->terminal;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ICANON | ISIG;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    return true;
}

static void quiet_end(const struct quiet *quiet)
{
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet->terminal);
    for (size_t i = 0; i < ARRAY_COUNT(ENDING_SIGNALS); i++)
        (void)sigaction(ENDING_SIGNALS[i], &quiet->actions[i], NULL);
    (void)sigprocmask(SIG_SETMASK, &quiet->mask, NULL);
    (void)fputs("\n", stderr);
    if (caught_signal)
        (void)raise(caught_signal);
}

enum err prompt_password(struct ctx *ctx, const char *question, const char **out_password)
{
    struct quiet quiet;
    char *text = arena_take(&ctx->arena, PROMPT_LINE_MAX_BYTES + 2);
    if (!prompt_has_terminal() || !quiet_begin(&quiet))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "there is no terminal to ask on");
    (void)fputs(question, stderr);
    (void)fflush(stderr);
    enum err err = read_line(ctx, text, true);
    quiet_end(&quiet);
    if (!err && strlen(text) > PROMPT_LINE_MAX_BYTES)
        err = ctx_fail(ctx, ERR_INVALID, "the password is longer than %d bytes",
                       PROMPT_LINE_MAX_BYTES);
    if (!err && text[0] == '\0')
        err = ctx_fail(ctx, ERR_INVALID, "the password must not be empty");
    if (!err)
        *out_password = text;
    return err;
}

enum err prompt_read_stdin(struct ctx *ctx, const char **out_password)
{
    char *text = arena_take(&ctx->arena, PROMPT_LINE_MAX_BYTES + 2);
    enum err err = read_line(ctx, text, false);
    if (err)
        return err;
    size_t size_bytes = strlen(text);
    if (size_bytes > 0 && text[size_bytes - 1] == '\n')
        text[--size_bytes] = '\0';
    if (size_bytes > PROMPT_LINE_MAX_BYTES)
        return ctx_fail(ctx, ERR_INVALID, "the password is longer than %d bytes",
                        PROMPT_LINE_MAX_BYTES);
    if (strchr(text, '\n'))
        return ctx_fail(ctx, ERR_INVALID,
                        "standard input has more than one line; a password is one");
    if (size_bytes == 0)
        return ctx_fail(ctx, ERR_INVALID, "the password must not be empty");
    *out_password = text;
    return ERR_OK;
}
