/* SPDX-License-Identifier: MIT
 *
 * While echo is off, the signals that end a program are caught and delivered only while we wait for
 * input (ppoll): so none comes in between and is missed. The terminal is put right, then the signal
 * is raised again. Stopping (Ctrl-Z) is held back until then. Depends on: ctx.h, termios. */
#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/ctx.h"

#define LINE_END_MAX_BYTES 2 /* CR LF */

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

/* One byte, or none at the end of the input. With `while_waiting`, signals are let in during the
 * wait as it says. */
static enum err
read_byte(struct ctx *ctx, const sigset_t *while_waiting, char *out_c, bool *out_is_end)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got = -1;
    do {
        errno = 0;
        if (!while_waiting || ppoll(&input, 1, NULL, while_waiting) > 0)
            got = read(STDIN_FILENO, out_c, 1);
    } while (got < 0 && errno == EINTR && !caught_signal);
    if (got < 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't read the password: %s", strerror(errno));
    *out_is_end = got == 0;
    return ERR_OK;
}

/* Up to PROMPT_LINE_MAX_BYTES and a line's end into `text` (zeroed, one byte longer): a line of a
 * terminal when there is a signal mask to wait with, else the whole input. */
static enum err read_text(struct ctx *ctx, const sigset_t *while_waiting, char *text)
{
    size_t size_bytes = 0;
    for (;;) {
        char c = 0;
        bool is_end = false;
        enum err err = read_byte(ctx, while_waiting, &c, &is_end);
        if (err || is_end || (while_waiting && c == '\n'))
            return err;
        if (c == '\0')
            return ctx_fail(ctx, ERR_INVALID, "the password has a NUL character in it");
        if (size_bytes >= PROMPT_LINE_MAX_BYTES + LINE_END_MAX_BYTES)
            return ctx_fail(ctx, ERR_INVALID, "the password is longer than %d bytes",
                            PROMPT_LINE_MAX_BYTES);
        text[size_bytes++] = c;
    }
}

struct quiet {
    struct termios terminal;
    struct sigaction actions[ARRAY_COUNT(ENDING_SIGNALS)];
    sigset_t mask;          /* as it was */
    sigset_t while_waiting; /* as it was, but without Ctrl-Z */
};

static bool quiet_begin(struct quiet *quiet)
{
    const struct sigaction note = {.sa_handler = note_signal};
    sigset_t held;
    if (tcgetattr(STDIN_FILENO, &quiet->terminal) != 0)
        return false;
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGTSTP);
    for (size_t i = 0; i < ARRAY_COUNT(ENDING_SIGNALS); i++)
        (void)sigaddset(&held, ENDING_SIGNALS[i]);
    (void)sigprocmask(SIG_BLOCK, &held, &quiet->mask);
    quiet->while_waiting = quiet->mask;
    (void)sigaddset(&quiet->while_waiting, SIGTSTP);
    caught_signal = 0;
    for (size_t i = 0; i < ARRAY_COUNT(ENDING_SIGNALS); i++)
        (void)sigaction(ENDING_SIGNALS[i], &note, &quiet->actions[i]);
    struct termios silent = quiet->terminal;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ICANON | ISIG;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    return true;
}

/* A signal that is held back comes when the mask is as before; one that was caught is raised again.
 */
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
    char *text = arena_take(&ctx->arena, PROMPT_LINE_MAX_BYTES + LINE_END_MAX_BYTES + 1);
    if (!prompt_has_terminal() || !quiet_begin(&quiet))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "there is no terminal to ask on");
    (void)fputs(question, stderr);
    (void)fflush(stderr);
    enum err err = read_text(ctx, &quiet.while_waiting, text);
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
    char *text = arena_take(&ctx->arena, PROMPT_LINE_MAX_BYTES + LINE_END_MAX_BYTES + 1);
    enum err err = read_text(ctx, NULL, text);
    if (err)
        return err;
    size_t size_bytes = strlen(text);
    if (size_bytes > 0 && text[size_bytes - 1] == '\n') {
        text[--size_bytes] = '\0';
        if (size_bytes > 0 && text[size_bytes - 1] == '\r')
            text[--size_bytes] = '\0';
    }
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
