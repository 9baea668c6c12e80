/* SPDX-License-Identifier: MIT
 *
 * Markdown to HTML that is safe to show: CommonMark with tables, task lists, strikethrough and URL
 * autolinks. The only file that knows MD4C, whose own HTML renderer filters no link targets; hence
 * this one.
 *
 * What comes out holds these tags and attributes and nothing else, always properly nested:
 *   p blockquote ul hr br em strong del code pre table thead tbody tr
 *   h4 h5 h6 (a page has its h3 already: "#" is h4, "##" is h5, all deeper ones are h6), whose
 *     aria-level is one more than the text's, as that h3 is the page's first: "#" is 2, 6 the last
 *   ol[start]  th[align] td[align]  code[class="language-…"]  a[href title rel="nofollow noopener"]
 *   li[class="task"] with input[type="checkbox" disabled checked aria-label]
 * Raw HTML is shown as text. A link target is http, https, mailto or relative; otherwise only the
 * link's text is shown. An image becomes a link to it, with its alternative text. Entities are as
 * HTML has them in text; in link targets numeric ones and those that stand for ASCII are decoded
 * before the target is judged. Depends on: arena, strbuf, html. */
#ifndef NOTES_MARKDOWN_H
#define NOTES_MARKDOWN_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/html.h"

struct ctx;

#define MARKDOWN_NESTING_MAX_COUNT \
    200 /* of elements in one another; browsers give up at about 500 */

/* `text` is valid UTF-8 of size_bytes; it needs no NUL.
 * Errors: ERR_TOO_LARGE the HTML would be over max_html_bytes or nested deeper than
 * MARKDOWN_NESTING_MAX_COUNT, parsing stops there; or a paragraph of very many lines with very many
 * "]" would take the parser too long. ERR_UNAVAILABLE the deadline has passed.
 * URLs stay plain text where finding all of them would take too long. */
MUST_CHECK enum err markdown_render(struct ctx *ctx,
                                    const char *text,
                                    size_t size_bytes,
                                    size_t max_html_bytes,
                                    struct html *out_html);

#endif
