/* SPDX-License-Identifier: MIT
 *
 * Limits and rights of comments. Pure.
 * Depends on: base. */
#include "comment/comment.h"

#include "base/ctx.h"
#include "base/text.h"

enum err comment_message_check(struct ctx *ctx, const char *message)
{
    if (text_is_blank(message))
        return ctx_refuse(ctx, "message", "The comment is empty.");
    if (text_count_chars(message) > COMMENT_MESSAGE_MAX_CHARS)
        return ctx_refuse(ctx, "message", "The comment is too long: at most 1,024 characters.");
    if (text_has_control(message, "\n\t"))
        return ctx_refuse(
            ctx, "message",
            "The comment has a control character that is neither a line end nor a tab.");
    return ERR_OK;
}

bool comment_can_destroy(const char *user, const char *comment_author, const char *note_author)
{
    if (!user)
        return false;
    return (comment_author && text_equals(user, comment_author)) ||
           (note_author && text_equals(user, note_author));
}
