/* SPDX-License-Identifier: MIT
 *
 * Depends on: ctx.h, strbuf.h, text.h, nearest.h, output.h, username_rules.h. */
#include "cli/options.h"

#include <string.h>

#include "base/ctx.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/nearest.h"
#include "cli/output.h"
#include "rules/username_rules.h"

#define HELP_COLUMN 27

enum option_kind { OPTION_TEXT, OPTION_SECRET, OPTION_LIST, OPTION_FLAG };

struct option {
    char letter; /* 0: none */
    const char *name;
    const char *value; /* for people; NULL for a flag */
    enum option_kind kind;
    size_t offset;
    unsigned takes; /* commands that take one of these; 0: all */
    const char *help;
};

#define AT(field) offsetof(struct cli_options, field)

/* clang-format off */
static const struct option OPTIONS[] = {
    {'p', "port", "PORT", OPTION_TEXT, AT(port), 0, "port of userauth-svc, instead of USER_SERVICE_URL's"},
    {'h', "host", "HOST", OPTION_TEXT, AT(host), 0, "its host, likewise"},
    {'u', "url", "URL", OPTION_TEXT, AT(url), 0, "its address; wins over --host and --port"},
    {0, "json", NULL, OPTION_FLAG, AT(is_json), 0, "print the service's JSON"},
    {0, "password", "TEXT", OPTION_SECRET, AT(password), CLI_TAKES_FIELDS,
     "the password; others on this machine may see it"},
    {0, "password-stdin", NULL, OPTION_FLAG, AT(reads_stdin), CLI_TAKES_FIELDS | CLI_TAKES_STDIN,
     "read the password from standard input"},
    {0, "family-name", "TEXT", OPTION_TEXT, AT(family_name), CLI_TAKES_FIELDS, "last name"},
    {0, "given-name", "TEXT", OPTION_TEXT, AT(given_name), CLI_TAKES_FIELDS, "first name"},
    {0, "middle-name", "TEXT", OPTION_TEXT, AT(middle_name), CLI_TAKES_FIELDS, "middle name"},
    {0, "email", "ADDRESS", OPTION_LIST, AT(emails), CLI_TAKES_FIELDS,
     "an e-mail address, repeatable; \"\" alone removes all"},
    {0, "print-config", NULL, OPTION_FLAG, AT(wants_print_config), 0, "print the settings and end"},
    {0, "check-config", NULL, OPTION_FLAG, AT(wants_check_config), 0, "check the settings and end"},
    {0, "version", NULL, OPTION_FLAG, AT(wants_version), 0, "print the version and end"},
    {0, "help", NULL, OPTION_FLAG, AT(wants_help), 0, "print this and end"},
};
/* clang-format on */

struct reader {
    struct ctx *ctx;
    const struct cli_command *commands;
    size_t commands_count;
    struct cli_options *options;
    const struct option *used[ARRAY_COUNT(OPTIONS)]; /* to be checked against the command */
    size_t used_count;
};

static const struct option *find_long(const char *name, size_t size_bytes)
{
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        if (strlen(OPTIONS[i].name) == size_bytes &&
            strncmp(OPTIONS[i].name, name, size_bytes) == 0)
            return &OPTIONS[i];
    }
    return NULL;
}

static const struct option *find_letter(char letter)
{
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        if (OPTIONS[i].letter && OPTIONS[i].letter == letter)
            return &OPTIONS[i];
    }
    return NULL;
}

static void *field_of(const struct reader *reader, const struct option *option)
{
    return (char *)reader->options + option->offset;
}

/* Copies and overwrites: the process list shows the arguments as they are now. */
static const char *take_secret(struct ctx *ctx, char *argument)
{
    const char *copy = arena_text(&ctx->arena, argument);
    secret_wipe(argument, strlen(argument));
    return copy;
}

static void note_use(struct reader *reader, const struct option *option)
{
    for (size_t i = 0; i < reader->used_count; i++) {
        if (reader->used[i] == option)
            return;
    }
    reader->used[reader->used_count++] = option;
}

static enum cli_exit set_value(struct reader *reader, const struct option *option, char *value)
{
    void *field = field_of(reader, option);
    note_use(reader, option);
    if (option->kind != OPTION_LIST) {
        *(const char **)field =
            option->kind == OPTION_SECRET ? take_secret(reader->ctx, value) : value;
        return CLI_EXIT_OK;
    }
    struct cli_texts *list = field;
    if (list->count == CLI_EMAILS_MAX_COUNT)
        return output_fail_usage(reader->ctx, "--%s may be given %d times", option->name,
                                 CLI_EMAILS_MAX_COUNT);
    list->items[list->count++] = value;
    return CLI_EXIT_OK;
}

static enum cli_exit set_flag(struct reader *reader, const struct option *option, const char *rest)
{
    if (*rest)
        return output_fail_usage(reader->ctx, "--%s takes no value", option->name);
    note_use(reader, option);
    *(bool *)field_of(reader, option) = true;
    return CLI_EXIT_OK;
}

/* `shown` is what was typed, fit for a terminal; `meant` may be NULL. */
static enum cli_exit
fail_unknown(struct ctx *ctx, const char *kind, const char *shown, const char *meant)
{
    if (!meant)
        return output_fail_usage(ctx, "there is no %s \"%s\"", kind, shown);
    return output_fail_usage(ctx, "there is no %s \"%s\"; did you mean \"%s\"?", kind, shown,
                             meant);
}

static enum cli_exit fail_command(const struct reader *reader, const char *typed)
{
    struct nearest nearest = {.typed = typed};
    for (size_t i = 0; i < reader->commands_count; i++)
        nearest_offer(&nearest, reader->commands[i].name);
    return fail_unknown(reader->ctx, "command", output_text(reader->ctx, typed), nearest.word);
}

/* `typed` up to its value. */
static enum cli_exit fail_option(const struct reader *reader, const char *typed, size_t typed_bytes)
{
    const char *name = arena_text_copy(&reader->ctx->arena, typed, typed_bytes);
    bool is_long = text_starts_with(name, "--");
    struct nearest nearest = {.typed = is_long ? name + 2 : ""};
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++)
        nearest_offer(&nearest, OPTIONS[i].name);
    const char *meant =
        nearest.word ? arena_format(&reader->ctx->arena, "--%s", nearest.word) : NULL;
    return fail_unknown(reader->ctx, "option", output_text(reader->ctx, name), meant);
}

/* "help" and "help COMMAND" are the option --help. */
static enum cli_exit set_operand(struct reader *reader, char *text)
{
    struct cli_options *options = reader->options;
    if (!options->command && !options->wants_help && text_equals(text, "help")) {
        options->wants_help = true;
        return CLI_EXIT_OK;
    }
    if (!options->command) {
        for (size_t i = 0; i < reader->commands_count; i++) {
            if (text_equals(reader->commands[i].name, text))
                options->command = &reader->commands[i];
        }
        return options->command ? CLI_EXIT_OK : fail_command(reader, text);
    }
    if (options->operands_count == options->command->operands_max)
        return output_fail_usage(reader->ctx, "%s%s%s: one word too many", options->command->name,
                                 options->command->operands[0] ? " " : "",
                                 options->command->operands);
    bool is_secret = options->operands_count == 1 && options->command->takes & CLI_TAKES_SECRET;
    const char *operand = is_secret ? take_secret(reader->ctx, text) : text;
    options->operands[options->operands_count++] = operand;
    return CLI_EXIT_OK;
}

/* "--name", "--name=value", "-p", "-pvalue". *at is the argument; it moves on when the next one is
 * the value. */
static enum cli_exit set_option(struct reader *reader, char ***at)
{
    char *argument = **at;
    bool is_long = argument[1] == '-';
    size_t name_bytes = is_long ? strcspn(argument + 2, "=") : 1;
    const struct option *option =
        is_long ? find_long(argument + 2, name_bytes) : find_letter(argument[1]);
    char *rest = argument + (is_long ? 2 : 1) + name_bytes;
    if (!option)
        return fail_option(reader, argument, (size_t)(rest - argument));
    if (option->kind == OPTION_FLAG)
        return set_flag(reader, option, rest);
    if (*rest)
        return set_value(reader, option, is_long ? rest + 1 : rest);
    if (!*(*at + 1))
        return output_fail_usage(reader->ctx, "--%s needs a value: %s", option->name,
                                 option->value);
    (*at)++;
    return set_value(reader, option, **at);
}

static bool is_username(const char *text)
{
    return text_is_utf8(text, strlen(text)) && username_is_sound(text);
}

/* Is everything there that the command needs, and nothing that it does not take? */
static enum cli_exit check(const struct reader *reader)
{
    const struct cli_options *options = reader->options;
    const struct cli_command *command = options->command;
    if (options->wants_help || options->wants_version || options->wants_print_config ||
        options->wants_check_config)
        return CLI_EXIT_OK;
    if (!command)
        return output_fail_usage(reader->ctx, "say what to do: a command is missing");
    if (options->operands_count < command->operands_min)
        return output_fail_usage(reader->ctx, "%s needs %s", command->name, command->operands);
    if (options->operands_count > 0 && !is_username(options->operands[0]))
        return output_fail_usage(reader->ctx, "\"%s\" can't be a username: " USERNAME_RULES,
                                 output_text(reader->ctx, options->operands[0]));
    for (size_t i = 0; i < reader->used_count; i++) {
        unsigned takes = reader->used[i]->takes;
        if (takes && !(takes & command->takes))
            return output_fail_usage(reader->ctx, "%s does not take --%s", command->name,
                                     reader->used[i]->name);
    }
    if (options->reads_stdin && (options->password || options->operands_count > 1))
        return output_fail_usage(
            reader->ctx, "the password is given twice: leave --password-stdin or the other out");
    return CLI_EXIT_OK;
}

enum cli_exit options_read(struct ctx *ctx,
                           const struct cli_command *commands,
                           size_t count,
                           char **arguments,
                           struct cli_options *out_options)
{
    struct cli_options options = {0};
    struct reader reader = {
        .ctx = ctx, .commands = commands, .commands_count = count, .options = &options};
    enum cli_exit code = CLI_EXIT_OK;
    bool has_ended = false; /* "--" was seen */
    for (char **at = arguments; *at && code == CLI_EXIT_OK; at++) {
        if (!has_ended && text_equals(*at, "--"))
            has_ended = true;
        else if (!has_ended && (*at)[0] == '-' && (*at)[1] != '\0')
            code = set_option(&reader, &at);
        else
            code = set_operand(&reader, *at);
    }
    if (code == CLI_EXIT_OK)
        code = check(&reader);
    if (code == CLI_EXIT_OK)
        *out_options = options;
    return code;
}

void options_help(struct strbuf *buf, const struct cli_command *command)
{
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        const struct option *option = &OPTIONS[i];
        if (command && option->takes && !(option->takes & command->takes))
            continue;
        size_t start = buf->size_bytes;
        if (option->letter)
            strbuf_format(buf, "  -%c, --%s", option->letter, option->name);
        else
            strbuf_format(buf, "      --%s", option->name);
        if (option->value)
            strbuf_format(buf, " %s", option->value);
        do {
            strbuf_add_char(buf, ' ');
        } while (buf->size_bytes - start < HELP_COLUMN && !buf->is_over);
        strbuf_add(buf, option->help);
        strbuf_add_char(buf, '\n');
    }
}
