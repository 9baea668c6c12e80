/* SPDX-License-Identifier: MIT
 *
 * Markdown: the HTML is UTF-8 under its maximum, holds only the tags and attributes that markdown.h
 * lists, properly nested, and only link targets that are http, https, mailto or relative. The
 * reader of HTML below is one of its own and refuses whatever it does not know. */
#include "note/markdown.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>
#include <strings.h>

#define HTML_MAX_BYTES       ((size_t)1024 * 1024)
#define ATTRIBUTES_MAX_COUNT 8

#define SCHEME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."

struct attribute {
    const char *name;
    size_t name_bytes;
    const char *value; /* NULL: none was given */
    size_t value_bytes;
};

struct tag {
    const char *name;
    size_t name_bytes;
    bool is_end;
    struct attribute attributes[ATTRIBUTES_MAX_COUNT];
    size_t count;
};

struct allowed {
    const char *tag;
    const char *attributes[5];
};

static const struct allowed allowed_tags[] = {
    {.tag = "p"},
    {.tag = "blockquote"},
    {.tag = "ul"},
    {.tag = "hr"},
    {.tag = "br"},
    {.tag = "em"},
    {.tag = "strong"},
    {.tag = "del"},
    {.tag = "pre"},
    {.tag = "table"},
    {.tag = "thead"},
    {.tag = "tbody"},
    {.tag = "tr"},
    {.tag = "h4", .attributes = {"aria-level"}},
    {.tag = "h5", .attributes = {"aria-level"}},
    {.tag = "h6", .attributes = {"aria-level"}},
    {.tag = "ol", .attributes = {"start"}},
    {.tag = "th", .attributes = {"align"}},
    {.tag = "td", .attributes = {"align"}},
    {.tag = "code", .attributes = {"class"}},
    {.tag = "li", .attributes = {"class"}},
    {.tag = "a", .attributes = {"href", "title", "rel"}},
    {.tag = "input", .attributes = {"type", "disabled", "checked", "aria-label"}},
};

static bool is_text(const char *text, size_t size_bytes, const char *expected)
{
    return strlen(expected) == size_bytes && memcmp(text, expected, size_bytes) == 0;
}

static const struct allowed *find_allowed(const struct tag *tag)
{
    for (size_t i = 0; i < ARRAY_COUNT(allowed_tags); i++) {
        if (is_text(tag->name, tag->name_bytes, allowed_tags[i].tag))
            return &allowed_tags[i];
    }
    return NULL;
}

static bool is_void(const struct tag *tag)
{
    return is_text(tag->name, tag->name_bytes, "hr") || is_text(tag->name, tag->name_bytes, "br") ||
           is_text(tag->name, tag->name_bytes, "input");
}

/* ` name` or ` name="value"` at p; returns what is behind it. */
static const char *read_attribute(const char *p, struct attribute *out_attribute)
{
    FUZZ_REQUIRE(*p == ' ');
    p++;
    size_t name_bytes = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
    FUZZ_REQUIRE(name_bytes > 0);
    *out_attribute = (struct attribute){.name = p, .name_bytes = name_bytes};
    p += name_bytes;
    if (*p != '=')
        return p;
    FUZZ_REQUIRE(p[1] == '"');
    p += 2;
    out_attribute->value = p;
    out_attribute->value_bytes = strcspn(p, "\"<>");
    p += out_attribute->value_bytes;
    FUZZ_REQUIRE(*p == '"');
    return p + 1;
}

/* A tag at "<"; returns what is behind its ">". */
static const char *read_tag(const char *p, struct tag *out_tag)
{
    *out_tag = (struct tag){.is_end = p[1] == '/'};
    p += out_tag->is_end ? 2 : 1;
    out_tag->name = p;
    out_tag->name_bytes = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");
    p += out_tag->name_bytes;
    while (*p != '>') {
        FUZZ_REQUIRE(!out_tag->is_end && out_tag->count < ATTRIBUTES_MAX_COUNT);
        p = read_attribute(p, &out_tag->attributes[out_tag->count++]);
    }
    return p + 1;
}

/* What a browser does before it looks for the scheme: character references, then tabs and line ends
 * are dropped and leading controls and blanks skipped. Only the references that the renderer writes
 * are known; others fail. */
static const char *browser_target(struct arena *arena, const struct attribute *attribute)
{
    static const char *const references[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"},
    };
    char *target = arena_take(arena, attribute->value_bytes + 1);
    char *to = target;
    for (const char *p = attribute->value; p < attribute->value + attribute->value_bytes;) {
        size_t known = 0;
        while (*p == '&' && known < ARRAY_COUNT(references) &&
               strncmp(p, references[known][0], strlen(references[known][0])) != 0)
            known++;
        FUZZ_REQUIRE(known < ARRAY_COUNT(references));
        bool is_dropped =
            *p == '\t' || *p == '\n' || *p == '\r' || (to == target && (unsigned char)*p <= ' ');
        if (!is_dropped)
            *to++ = *p == '&' ? references[known][1][0] : *p;
        p += *p == '&' ? strlen(references[known][0]) : 1;
    }
    return target;
}

static void check_target(struct arena *arena, const struct attribute *attribute)
{
    static const char *const schemes[] = {"http:", "https:", "mailto:"};
    const char *target = browser_target(arena, attribute);
    FUZZ_REQUIRE(strspn(target, "/\\") < 2);
    if (target[strspn(target, SCHEME_CHARACTERS)] != ':')
        return; /* relative: WHATWG URL 4.4, scheme state */
    bool is_allowed = false;
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++)
        is_allowed |= strncasecmp(target, schemes[i], strlen(schemes[i])) == 0;
    FUZZ_REQUIRE(is_allowed);
}

static void
check_attributes(struct arena *arena, const struct tag *tag, const struct allowed *allowed)
{
    bool has_rel = false;
    bool has_href = false;
    for (size_t i = 0; i < tag->count; i++) {
        const struct attribute *attribute = &tag->attributes[i];
        size_t known = 0;
        while (allowed->attributes[known] &&
               !is_text(attribute->name, attribute->name_bytes, allowed->attributes[known]))
            known++;
        FUZZ_REQUIRE(allowed->attributes[known] != NULL);
        bool is_href = is_text(attribute->name, attribute->name_bytes, "href");
        has_href |= is_href;
        has_rel |= is_text(attribute->name, attribute->name_bytes, "rel") && attribute->value &&
                   is_text(attribute->value, attribute->value_bytes, "nofollow noopener");
        FUZZ_REQUIRE(!is_href || attribute->value != NULL);
        if (is_href)
            check_target(arena, attribute);
    }
    bool is_link_start = !tag->is_end && strcmp(allowed->tag, "a") == 0;
    FUZZ_REQUIRE(!is_link_start || (has_rel && has_href));
}

static void check_html(struct arena *arena, const char *html)
{
    const struct allowed *open[MARKDOWN_NESTING_MAX_COUNT];
    size_t open_count = 0;
    const char *p = html;
    for (p += strcspn(p, "<>\"'"); *p; p += strcspn(p, "<>\"'")) {
        FUZZ_REQUIRE(*p == '<');
        struct tag tag;
        p = read_tag(p, &tag);
        const struct allowed *allowed = find_allowed(&tag);
        FUZZ_REQUIRE(allowed != NULL);
        check_attributes(arena, &tag, allowed);
        if (tag.is_end) {
            FUZZ_REQUIRE(!is_void(&tag));
            FUZZ_REQUIRE(open_count > 0 && open[open_count - 1] == allowed);
            open_count--;
        } else if (!is_void(&tag)) {
            FUZZ_REQUIRE(open_count < MARKDOWN_NESTING_MAX_COUNT);
            open[open_count++] = allowed;
        }
    }
    FUZZ_REQUIRE(open_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!text_is_utf8((const char *)data, size))
        return 0;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct html html = {.text = NULL};
    enum err err = markdown_render(&ctx, (const char *)data, size, HTML_MAX_BYTES, &html);
    FUZZ_REQUIRE(err == ERR_OK || err == ERR_TOO_LARGE);
    if (err != ERR_OK) {
        FUZZ_REQUIRE(html.text == NULL);
        return 0;
    }
    const char *text = html.text ? html.text : "";
    FUZZ_REQUIRE(strlen(text) == html.size_bytes && html.size_bytes <= HTML_MAX_BYTES);
    FUZZ_REQUIRE(text_is_utf8(text, html.size_bytes));
    check_html(&ctx.arena, text);
    return 0;
}
