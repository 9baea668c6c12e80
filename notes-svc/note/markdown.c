/* SPDX-License-Identifier: MIT
 *
 * MD4C's callbacks to HTML. Every tag that is opened is kept on a stack and closed from there, so
 * that the result is well-formed whatever the parser does.
 *
 * Four limits stop the parser: the deadline, the size of the HTML, the nesting, and the bytes of
 * link targets and titles that were given to us. The last is for one long definition that is used a
 * hundred thousand times: the parser builds its target anew each time, and a refused target adds
 * nothing to the HTML. While the parser reads one paragraph nothing can stop it; so what would take
 * it too long there is counted before. Depends on: strbuf, html_entity, MD4C. */
#include "note/markdown.h"

#include <md4c.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "note/html_entity.h"

#define TARGET_MAX_BYTES   8192 /* of a link; a longer one is no link */
#define LANGUAGE_MAX_BYTES 32
#define HEADING_LEVEL_MAX  6
#define URL_STEPS_MAX      (UINT64_C(1) << 27) /* see struct steps; 0.2 s at most */
#define BRACKET_STEPS_MAX  (UINT64_C(1) << 28) /* 0.2 s at most */
#define CALLS_PER_LOOK     64                  /* of the parser, between looks at the deadline */

struct render {
    const struct ctx *ctx;
    struct strbuf out;
    struct strbuf target; /* of the link at hand, decoded */
    const char *open[MARKDOWN_NESTING_MAX_COUNT];
    size_t open_count;
    size_t image_depth;      /* in an image only text counts */
    size_t link_depth;       /* links that were entered, outside of images */
    size_t shown_link_depth; /* which of them has its tag; 0: none */
    size_t image_at_bytes;   /* where the image's text begins */
    bool is_image_linked;
    size_t attribute_bytes;
    bool is_too_large;
    bool is_too_late;
    unsigned call_count;
};

static const char *const BLOCK_TAGS[] = {
    [MD_BLOCK_QUOTE] = "blockquote",
    [MD_BLOCK_UL] = "ul",
    [MD_BLOCK_OL] = "ol",
    [MD_BLOCK_LI] = "li",
    [MD_BLOCK_P] = "p",
    [MD_BLOCK_TABLE] = "table",
    [MD_BLOCK_THEAD] = "thead",
    [MD_BLOCK_TBODY] = "tbody",
    [MD_BLOCK_TR] = "tr",
    [MD_BLOCK_TH] = "th",
    [MD_BLOCK_TD] = "td",
};
static const char *const SPAN_TAGS[] = {
    [MD_SPAN_EM] = "em",
    [MD_SPAN_STRONG] = "strong",
    [MD_SPAN_CODE] = "code",
    [MD_SPAN_DEL] = "del",
};
static const char *const HEADING_TAGS[HEADING_LEVEL_MAX + 1] = {"h4", "h4", "h5", "h6",
                                                                "h6", "h6", "h6"};
static const char *const SCHEMES[] = {"http", "https", "mailto"};

static const char *block_tag(MD_BLOCKTYPE type)
{
    return (size_t)type < ARRAY_COUNT(BLOCK_TAGS) ? BLOCK_TAGS[type] : NULL;
}

static const char *span_tag(MD_SPANTYPE type)
{
    return (size_t)type < ARRAY_COUNT(SPAN_TAGS) ? SPAN_TAGS[type] : NULL;
}

/* What a callback returns: not 0 ends the parsing. */
static int is_stopped(struct render *render)
{
    if (render->call_count++ % CALLS_PER_LOOK == 0 && ctx_left_ms(render->ctx) == 0)
        render->is_too_late = true;
    return render->out.is_over || render->is_too_large || render->is_too_late;
}

/* Opens `<tag`; the caller adds attributes and ">". */
static void begin_tag(struct render *render, const char *tag)
{
    if (render->open_count == MARKDOWN_NESTING_MAX_COUNT) {
        render->is_too_large = true;
        return;
    }
    render->open[render->open_count++] = tag;
    strbuf_add_char(&render->out, '<');
    strbuf_add(&render->out, tag);
}

static void open_tag(struct render *render, const char *tag)
{
    begin_tag(render, tag);
    strbuf_add_char(&render->out, '>');
}

/* Closes the innermost `tag` and whatever is open inside of it; nothing when none is open. MD4C 0.4
 * crosses spans where a URL autolink holds what could end an emphasis: the outer one's end is the
 * inner one's too then. */
static void close_tag(struct render *render, const char *tag)
{
    size_t depth = render->open_count;
    while (depth > 0 && strcmp(render->open[depth - 1], tag) != 0)
        depth--;
    while (depth > 0 && render->open_count >= depth) {
        strbuf_add_bytes(&render->out, "</", 2);
        strbuf_add(&render->out, render->open[--render->open_count]);
        strbuf_add_char(&render->out, '>');
    }
}

/* A piece of text whose kind MD4C tells, escaped for HTML text and attributes. */
static void add_piece(struct strbuf *out, MD_TEXTTYPE type, const char *text, size_t size_bytes)
{
    char character[HTML_ENTITY_TEXT_BYTES];
    if (type == MD_TEXT_NULLCHAR)
        strbuf_add(out, "\xEF\xBF\xBD");
    else if (type == MD_TEXT_ENTITY && html_entity_decode(text, size_bytes, character))
        strbuf_add_html(out, character);
    else
        strbuf_add_html_bytes(out, text, size_bytes);
}

static void add_attribute(struct strbuf *out, const MD_ATTRIBUTE *attribute)
{
    for (size_t i = 0; attribute->size > 0 && attribute->substr_offsets[i] < attribute->size; i++) {
        MD_OFFSET at = attribute->substr_offsets[i];
        add_piece(out, attribute->substr_types[i], attribute->text + at,
                  attribute->substr_offsets[i + 1] - at);
    }
}

/* The link's target as a reader of the text means it, entities decoded. False when it is too long.
 */
static bool decode_target(struct strbuf *target, const MD_ATTRIBUTE *attribute)
{
    char character[HTML_ENTITY_TEXT_BYTES];
    target->size_bytes = 0;
    target->is_over = false;
    for (size_t i = 0; attribute->size > 0 && attribute->substr_offsets[i] < attribute->size; i++) {
        MD_OFFSET at = attribute->substr_offsets[i];
        const char *piece = attribute->text + at;
        size_t size_bytes = attribute->substr_offsets[i + 1] - at;
        if (attribute->substr_types[i] == MD_TEXT_NULLCHAR)
            return false;
        if (attribute->substr_types[i] == MD_TEXT_ENTITY &&
            html_entity_decode(piece, size_bytes, character))
            strbuf_add(target, character);
        else
            strbuf_add_bytes(target, piece, size_bytes);
    }
    return target->size_bytes > 0 && !target->is_over;
}

/* http, https, mailto, or relative to this site: nothing that runs, nothing that leads elsewhere
 * without saying so. Browsers skip leading spaces, drop tabs and line ends inside, and read "\" as
 * "/". */
static bool target_is_allowed(const char *target)
{
    if (text_has_control(target, ""))
        return false;
    target += strspn(target, " ");
    if (strspn(target, "/\\") >= 2)
        return false;
    size_t head_bytes = strcspn(target, ":/?#");
    if (target[head_bytes] != ':')
        return target[0] != '\0';
    for (size_t i = 0; i < ARRAY_COUNT(SCHEMES); i++) {
        size_t scheme_bytes = strlen(SCHEMES[i]);
        if (head_bytes == scheme_bytes && strncasecmp(target, SCHEMES[i], scheme_bytes) == 0)
            return true;
    }
    return false;
}

/* Percent-encodes what no URL holds (RFC 3986 2); what is encoded already stays. */
static void add_target(struct strbuf *out, const char *target)
{
    static const char FINE[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%";
    for (const char *c = target; *c;) {
        size_t fine_bytes = strspn(c, FINE);
        strbuf_add_html_bytes(out, c, fine_bytes);
        c += fine_bytes;
        if (*c)
            strbuf_format(out, "%%%02X", (unsigned)(unsigned char)*c++);
    }
}

/* Opens a link unless its target is refused. */
static bool open_link(struct render *render, const MD_ATTRIBUTE *target, const MD_ATTRIBUTE *title)
{
    if (!decode_target(&render->target, target) || !target_is_allowed(render->target.text))
        return false;
    begin_tag(render, "a");
    strbuf_add(&render->out, " href=\"");
    add_target(&render->out, render->target.text);
    if (title->size > 0) {
        strbuf_add(&render->out, "\" title=\"");
        add_attribute(&render->out, title);
    }
    strbuf_add(&render->out, "\" rel=\"nofollow noopener\">");
    return true;
}

static void
count_attributes(struct render *render, const MD_ATTRIBUTE *target, const MD_ATTRIBUTE *title)
{
    render->attribute_bytes += (size_t)target->size + title->size;
    if (render->attribute_bytes > render->out.max_bytes)
        render->is_too_large = true;
}

/* No link inside a link: HTML has none, and Markdown's rule against it has gaps (URL autolinks,
 * images). */
static void enter_link(struct render *render, const MD_SPAN_A_DETAIL *link)
{
    count_attributes(render, &link->href, &link->title);
    render->link_depth++;
    if (render->shown_link_depth == 0 && open_link(render, &link->href, &link->title))
        render->shown_link_depth = render->link_depth;
}

static void leave_link(struct render *render)
{
    if (render->link_depth > 0 && render->shown_link_depth == render->link_depth) {
        close_tag(render, "a");
        render->shown_link_depth = 0;
    }
    if (render->link_depth > 0)
        render->link_depth--;
}

/* Nothing is loaded from elsewhere: an image is a link to it, or, inside a link, its text. */
static void enter_image(struct render *render, const MD_SPAN_IMG_DETAIL *image)
{
    count_attributes(render, &image->src, &image->title);
    if (render->image_depth++ > 0)
        return;
    render->is_image_linked =
        render->shown_link_depth == 0 && open_link(render, &image->src, &image->title);
    render->image_at_bytes = render->out.size_bytes;
}

static void leave_image(struct render *render)
{
    if (render->image_depth == 0 || --render->image_depth > 0)
        return;
    if (render->out.size_bytes == render->image_at_bytes)
        strbuf_add(&render->out, "image");
    if (render->is_image_linked)
        close_tag(render, "a");
}

static int on_enter_span(MD_SPANTYPE type, void *detail, void *userdata)
{
    struct render *render = userdata;
    if (type == MD_SPAN_IMG)
        enter_image(render, detail);
    else if (render->image_depth > 0)
        return is_stopped(render);
    else if (type == MD_SPAN_A)
        enter_link(render, detail);
    else if (span_tag(type))
        open_tag(render, span_tag(type));
    return is_stopped(render);
}

static int on_leave_span(MD_SPANTYPE type, void *detail, void *userdata)
{
    struct render *render = userdata;
    (void)detail;
    if (type == MD_SPAN_IMG)
        leave_image(render);
    else if (render->image_depth > 0)
        return is_stopped(render);
    else if (type == MD_SPAN_A)
        leave_link(render);
    else if (span_tag(type))
        close_tag(render, span_tag(type));
    return is_stopped(render);
}

/* The language of a code block, when it is a plain word: "c++", "objective-c". */
static bool language_is_plain(const MD_ATTRIBUTE *language)
{
    if (language->size == 0 || language->size > LANGUAGE_MAX_BYTES)
        return false;
    for (MD_SIZE i = 0; i < language->size; i++) {
        char c = language->text[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && !strchr("+#._-", c))
            return false;
    }
    return true;
}

static void enter_code_block(struct render *render, const MD_BLOCK_CODE_DETAIL *code)
{
    open_tag(render, "pre");
    begin_tag(render, "code");
    if (language_is_plain(&code->lang)) {
        strbuf_add(&render->out, " class=\"language-");
        strbuf_add_html_bytes(&render->out, code->lang.text, code->lang.size);
        strbuf_add_char(&render->out, '"');
    }
    strbuf_add_char(&render->out, '>');
}

static void leave_code_block(struct render *render)
{
    close_tag(render, "code");
    close_tag(render, "pre");
}

static void enter_list_item(struct render *render, const MD_BLOCK_LI_DETAIL *item)
{
    if (!item->is_task) {
        open_tag(render, "li");
        return;
    }
    begin_tag(render, "li");
    bool is_done = item->task_mark != ' ';
    strbuf_add(
        &render->out,
        is_done ? " class=\"task\"><input type=\"checkbox\" disabled checked aria-label=\"done\"> "
                : " class=\"task\"><input type=\"checkbox\" disabled aria-label=\"to do\"> ");
}

static void enter_cell(struct render *render, const char *tag, const MD_BLOCK_TD_DETAIL *cell)
{
    static const char *const ALIGNS[] = {
        [MD_ALIGN_DEFAULT] = "",
        [MD_ALIGN_LEFT] = " align=\"left\"",
        [MD_ALIGN_CENTER] = " align=\"center\"",
        [MD_ALIGN_RIGHT] = " align=\"right\"",
    };
    begin_tag(render, tag);
    if ((size_t)cell->align < ARRAY_COUNT(ALIGNS))
        strbuf_add(&render->out, ALIGNS[cell->align]);
    strbuf_add_char(&render->out, '>');
}

static void enter_numbered_list(struct render *render, const MD_BLOCK_OL_DETAIL *list)
{
    begin_tag(render, "ol");
    if (list->start != 1) {
        strbuf_add(&render->out, " start=\"");
        strbuf_add_i64(&render->out, (int64_t)list->start);
        strbuf_add_char(&render->out, '"');
    }
    strbuf_add_char(&render->out, '>');
}

static const char *heading_tag(const MD_BLOCK_H_DETAIL *heading)
{
    return HEADING_TAGS[heading->level > HEADING_LEVEL_MAX ? HEADING_LEVEL_MAX : heading->level];
}

static void enter_heading(struct render *render, const MD_BLOCK_H_DETAIL *heading)
{
    bool is_last = heading->level >= HEADING_LEVEL_MAX;
    begin_tag(render, heading_tag(heading));
    strbuf_add(&render->out, " aria-level=\"");
    strbuf_add_i64(&render->out, is_last ? HEADING_LEVEL_MAX : (int64_t)heading->level + 1);
    strbuf_add(&render->out, "\">");
}

static int on_enter_block(MD_BLOCKTYPE type, void *detail, void *userdata)
{
    struct render *render = userdata;
    if (type == MD_BLOCK_HR)
        strbuf_add(&render->out, "<hr>\n");
    else if (type == MD_BLOCK_H)
        enter_heading(render, detail);
    else if (type == MD_BLOCK_CODE)
        enter_code_block(render, detail);
    else if (type == MD_BLOCK_OL)
        enter_numbered_list(render, detail);
    else if (type == MD_BLOCK_LI)
        enter_list_item(render, detail);
    else if (type == MD_BLOCK_TH || type == MD_BLOCK_TD)
        enter_cell(render, block_tag(type), detail);
    else if (block_tag(type))
        open_tag(render, block_tag(type));
    return is_stopped(render);
}

static int on_leave_block(MD_BLOCKTYPE type, void *detail, void *userdata)
{
    struct render *render = userdata;
    render->image_depth = 0; /* no span goes on in another block */
    render->link_depth = 0;
    render->shown_link_depth = 0;
    if (type == MD_BLOCK_H)
        close_tag(render, heading_tag(detail));
    else if (type == MD_BLOCK_CODE)
        leave_code_block(render);
    else if (block_tag(type))
        close_tag(render, block_tag(type));
    bool is_line_end = type == MD_BLOCK_H || type == MD_BLOCK_CODE ||
                       (block_tag(type) && type != MD_BLOCK_TH && type != MD_BLOCK_TD);
    if (is_line_end)
        strbuf_add_char(&render->out, '\n');
    return is_stopped(render);
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size_bytes, void *userdata)
{
    struct render *render = userdata;
    bool is_break = type == MD_TEXT_BR || type == MD_TEXT_SOFTBR;
    if (is_break && render->image_depth > 0)
        strbuf_add_char(&render->out, ' ');
    else if (is_break)
        strbuf_add(&render->out, type == MD_TEXT_BR ? "<br>\n" : "\n");
    else
        add_piece(&render->out, type, text, size_bytes);
    return is_stopped(render);
}

static const MD_PARSER PARSER = {
    .abi_version = 0,
    .flags = MD_FLAG_TABLES | MD_FLAG_TASKLISTS | MD_FLAG_STRIKETHROUGH |
             MD_FLAG_PERMISSIVEURLAUTOLINKS | MD_FLAG_NOHTML,
    .enter_block = on_enter_block,
    .leave_block = on_leave_block,
    .enter_span = on_enter_span,
    .leave_span = on_leave_span,
    .text = on_text,
};

/* The text, with a newline at its end. MD4C 0.4.8 reads beyond a text whose last line has none (a
 * link that is not closed there) and hands out what it finds. */
static const char *end_line(struct arena *arena, const char *text, size_t *size_bytes)
{
    if (*size_bytes == 0 || text[*size_bytes - 1] == '\n')
        return text;
    char *whole = arena_take(arena, *size_bytes + 1);
    memcpy(whole, text, *size_bytes);
    whole[(*size_bytes)++] = '\n';
    return whole;
}

/* Steps that MD4C 0.4 takes in searches whose cost is the square of a text that is made for it:
 * half a minute per MiB. Rather too many are counted than too few. */
struct steps {
    uint64_t url_count;     /* without URL autolinks there are none of these */
    uint64_t bracket_count; /* nothing avoids these */
};

/* What the counting has seen of a paragraph. A blank line is sure to end it, and an item of a list
 * that isn't indented. */
struct block {
    uint64_t line_count;
    uint64_t url_count;
    uint64_t run_url_count; /* since the last white space */
    bool is_blank_line;
};

static void count_white_space(struct block *block, char c)
{
    if (c == '\n' && block->is_blank_line)
        *block = (struct block){0};
    else if (c == '\n' || c == '\r')
        block->line_count++;
    block->run_url_count = 0;
    block->is_blank_line |= c == '\n';
}

/* A line's beginning, with the newline at its end: "- a"? */
static bool is_list_item(const char *line)
{
    return strchr("-+*", line[0]) && line[1] == ' ' && (unsigned char)line[2] > ' ';
}

/* What the character at `at`, which is no white space, costs. For each "://" MD4C passes by all
 * marks behind it in its paragraph, and by all characters up to the next white space; for each "]"
 * by the lines of its paragraph before it, for "](" three times. "[" and "!" make three marks,
 * others up to two. */
static void count_char(struct steps *steps, struct block *block, const char *at)
{
    char c = *at;
    if (c == ':' && at[1] == '/' && at[2] == '/') {
        block->url_count++;
        block->run_url_count++;
    }
    if (c == '\0' || strchr("\\*_~`&;<>[]!:|", c))
        steps->url_count += block->url_count * (c == '[' || c == '!' ? 3 : 2);
    steps->url_count += block->run_url_count;
    if (c == ']')
        steps->bracket_count += block->line_count * (at[1] == '(' ? 3 : 1);
}

/* The text ends with a newline. */
static struct steps count_steps(const char *text, size_t size_bytes)
{
    struct steps steps = {0};
    struct block block = {.is_blank_line = true};
    for (size_t i = 0; i < size_bytes; i++) {
        char c = text[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            count_white_space(&block, c);
            continue;
        }
        if (c != '\0' && (i == 0 || text[i - 1] == '\n') && is_list_item(text + i))
            block = (struct block){0};
        block.is_blank_line = false;
        count_char(&steps, &block, text + i);
    }
    return steps;
}

enum err markdown_render(struct ctx *ctx,
                         const char *text,
                         size_t size_bytes,
                         size_t max_html_bytes,
                         struct html *out_html)
{
    if (size_bytes > INT32_MAX)
        return ctx_fail(ctx, ERR_TOO_LARGE, "Markdown of %zu bytes", size_bytes);
    struct render *render = arena_take(&ctx->arena, sizeof(*render));
    render->ctx = ctx;
    strbuf_init(&render->target, &ctx->arena, 256, TARGET_MAX_BYTES);
    strbuf_init(&render->out, &ctx->arena, size_bytes + size_bytes / 4 + 64, max_html_bytes);
    size_t whole_bytes = size_bytes;
    const char *whole = end_line(&ctx->arena, text, &whole_bytes);
    struct steps steps = count_steps(whole, whole_bytes);
    if (steps.bracket_count > BRACKET_STEPS_MAX)
        return ctx_fail(ctx, ERR_TOO_LARGE, "%zu bytes of Markdown take too many steps",
                        size_bytes);
    MD_PARSER parser = PARSER;
    if (steps.url_count > URL_STEPS_MAX)
        parser.flags &= ~(unsigned)MD_FLAG_PERMISSIVEURLAUTOLINKS;
    int result = md_parse(whole, (MD_SIZE)whole_bytes, &parser, render);
    if (render->is_too_late)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "rendering took too long");
    if (render->out.is_over || render->is_too_large)
        return ctx_fail(ctx, ERR_TOO_LARGE, "the HTML of %zu bytes of Markdown is over a limit",
                        size_bytes);
    if (result != 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the Markdown parser is out of memory");
    *out_html = (struct html){.text = render->out.text, .size_bytes = render->out.size_bytes};
    return ERR_OK;
}
