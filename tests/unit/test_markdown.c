/* SPDX-License-Identifier: MIT
 *
 * Markdown to HTML: what each construct becomes, which link targets pass, and that nothing breaks
 * out or runs away. */
#include "note/markdown.h"

#include "unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ctx.h"
#include "note/html_entity.h"

#define BUDGET_MS     60000
#define REQUEST_MS    10000
#define HTML_MAX      ((size_t)4 * 1024 * 1024)
#define HOSTILE_BYTES ((size_t)1024 * 1024)
#define REL           " rel=\"nofollow noopener\""

struct row {
    const char *markdown;
    const char *html;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ctx ctx;
        struct html html = {0};
        ctx_init(&ctx, NULL, BUDGET_MS);
        assert_int_equal(
            markdown_render(&ctx, rows[i].markdown, strlen(rows[i].markdown), HTML_MAX, &html),
            ERR_OK);
        assert_string_equal(html.text, rows[i].html);
        assert_int_equal(html.size_bytes, strlen(html.text));
        ctx_done(&ctx);
    }
}

static void blocks_become_elements(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"one\ntwo  \nthree", "<p>one\ntwo<br>\nthree</p>\n"},
        {"# a\n## b\n### c\n##### d\n###### e",
         "<h4 aria-level=\"2\">a</h4>\n<h5 aria-level=\"3\">b</h5>\n"
         "<h6 aria-level=\"4\">c</h6>\n<h6 aria-level=\"6\">d</h6>\n"
         "<h6 aria-level=\"6\">e</h6>\n"},
        {"> a\n> > b",
         "<blockquote><p>a</p>\n<blockquote><p>b</p>\n</blockquote>\n</blockquote>\n"},
        {"- a\n- b", "<ul><li>a</li>\n<li>b</li>\n</ul>\n"},
        {"1. a", "<ol><li>a</li>\n</ol>\n"},
        {"7. a", "<ol start=\"7\"><li>a</li>\n</ol>\n"},
        {"0. a", "<ol start=\"0\"><li>a</li>\n</ol>\n"},
        {"- [ ] a\n- [x] b",
         "<ul><li class=\"task\"><input type=\"checkbox\" disabled aria-label=\"to do\"> a</li>\n"
         "<li class=\"task\"><input type=\"checkbox\" disabled checked "
         "aria-label=\"done\"> b</li>\n"
         "</ul>\n"},
        {"---", "<hr>\n"},
        {"```c\na < b\n```", "<pre><code class=\"language-c\">a &lt; b\n</code></pre>\n"},
        {"```a\"b onclick=x\ny\n```", "<pre><code>y\n</code></pre>\n"},
        {"```\n\ny\n```", "<pre><code>\ny\n</code></pre>\n"},
        {"    y\n", "<pre><code>y\n</code></pre>\n"},
        {"|a|b|c|\n|---|:-:|--:|\n|1|2|3|",
         "<table><thead><tr><th>a</th><th align=\"center\">b</th><th align=\"right\">c</th></tr>\n"
         "</thead>\n"
         "<tbody><tr><td>1</td><td align=\"center\">2</td><td align=\"right\">3</td></tr>\n"
         "</tbody>\n</table>\n"},
        {"|a|\n|:--|", "<table><thead><tr><th align=\"left\">a</th></tr>\n</thead>\n</table>\n"},
    };
    (void)state;
    check_rows(rows, ARRAY_COUNT(rows));
}

static void spans_become_elements(void **state)
{
    static const struct row rows[] = {
        {"*a* **b** `c<d` ~~e~~",
         "<p><em>a</em> <strong>b</strong> <code>c&lt;d</code> <del>e</del></p>\n"},
        {"a & b < c > d \"e\" 'f'", "<p>a &amp; b &lt; c &gt; d &quot;e&quot; &#39;f&#39;</p>\n"},
        {"&lt; &amp;amp; &copy; &#65; &#x1F600; &unknown; &region;",
         "<p>&lt; &amp;amp; \xC2\xA9 A \xF0\x9F\x98\x80 &amp;unknown; &amp;region;</p>\n"},
        {"&#0; &#1; &#xD800; &#x110000; &#x80;",
         "<p>\xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD</p>\n"},
        {"\\*a\\* \\<b>", "<p>*a* &lt;b&gt;</p>\n"},
    };
    (void)state;
    check_rows(rows, ARRAY_COUNT(rows));
}

static void raw_html_is_text(void **state)
{
    static const struct row rows[] = {
        {"<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"},
        {"<script>\nalert(1)\n</script>", "<p>&lt;script&gt;\nalert(1)\n&lt;/script&gt;</p>\n"},
        {"</div></main>", "<p>&lt;/div&gt;&lt;/main&gt;</p>\n"},
        {"<!-- a -->", "<p>&lt;!-- a --&gt;</p>\n"},
    };
    (void)state;
    check_rows(rows, ARRAY_COUNT(rows));
}

static void links_are_marked_and_escaped(void **state)
{
    static const struct row rows[] = {
        {"[a](http://x/?b=c&d)", "<p><a href=\"http://x/?b=c&amp;d\"" REL ">a</a></p>\n"},
        {"[a](x \"t \\\"<b>\\\" &amp;\")",
         "<p><a href=\"x\" title=\"t &quot;&lt;b&gt;&quot; &amp;\"" REL ">a</a></p>\n"},
        {"[a](<x \"y'>)", "<p><a href=\"x%20%22y&#39;\"" REL ">a</a></p>\n"},
        {"[a](\xC3\xA4%20)", "<p><a href=\"%C3%A4%20\"" REL ">a</a></p>\n"},
        {"[a](&auml;)", "<p><a href=\"%C3%A4\"" REL ">a</a></p>\n"},
        {"[a](x&unknown;)", "<p><a href=\"x&amp;unknown;\"" REL ">a</a></p>\n"},
        {"<http://x/>", "<p><a href=\"http://x/\"" REL ">http://x/</a></p>\n"},
        {"https://x.org/a_b.",
         "<p><a href=\"https://x.org/a_b\"" REL ">https://x.org/a_b</a>.</p>\n"},
        {"<me@x.org>", "<p><a href=\"mailto:me@x.org\"" REL ">me@x.org</a></p>\n"},
        {"www.x.org me@x.org", "<p>www.x.org me@x.org</p>\n"},
        {"[a][r]\n\n[r]: /x", "<p><a href=\"/x\"" REL ">a</a></p>\n"},
    };
    (void)state;
    check_rows(rows, ARRAY_COUNT(rows));
}

static void images_become_links_and_never_nest(void **state)
{
    static const struct row rows[] = {
        {"![alt *text*](/a.png)", "<p><a href=\"/a.png\"" REL ">alt text</a></p>\n"},
        {"![](/a.png)", "<p><a href=\"/a.png\"" REL ">image</a></p>\n"},
        {"![x](javascript:1)", "<p>x</p>\n"},
        {"![](javascript:1)", "<p>image</p>\n"},
        {"[![alt](/a.png)](/b)", "<p><a href=\"/b\"" REL ">alt</a></p>\n"},
        {"[![alt](/a.png)](javascript:1)", "<p><a href=\"/a.png\"" REL ">alt</a></p>\n"},
        {"![a [b](/c) ![d](/e)\nf](/g)", "<p><a href=\"/g\"" REL ">a b d f</a></p>\n"},
        {"[a https://x.org/b c](/d)", "<p><a href=\"/d\"" REL ">a https://x.org/b c</a></p>\n"},
    };
    (void)state;
    check_rows(rows, ARRAY_COUNT(rows));
}

/* The name of a tag that may be around a span, at p behind its "<" or "</"; NULL for any other. A
 * link has its target and rel, nothing else. */
static const char *span_name(const char *p, bool is_end, size_t *out_tag_chars)
{
    static const char *const names[] = {"p>", "em>", "strong>", "del>", "code>", "a>"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        *out_tag_chars = strlen(names[i]);
        if (strncmp(p, names[i], *out_tag_chars) == 0 && (is_end || names[i][0] != 'a'))
            return names[i];
    }
    static const char link[] = "a href=\"https://";
    if (is_end || strncmp(p, link, sizeof(link) - 1) != 0)
        return NULL;
    size_t target_chars = strcspn(p + sizeof(link) - 1, "\"<>");
    const char *rest = p + sizeof(link) - 1 + target_chars;
    *out_tag_chars = (size_t)(rest - p) + sizeof("\"" REL ">") - 1;
    return strncmp(rest, "\"" REL ">", sizeof("\"" REL ">") - 1) == 0 ? "a>" : NULL;
}

/* Each tag is one of those above and ends before the one around it does; no link is in a link. */
static void check_nesting(const char *html)
{
    const char *open[16];
    size_t open_count = 0;
    size_t links_count = 0;
    for (const char *p = html + strcspn(html, "<>\""); *p; p += strcspn(p, "<>\"")) {
        size_t tag_chars = 0;
        assert_int_equal(*p, '<');
        bool is_end = p[1] == '/';
        p += is_end ? 2 : 1;
        const char *name = span_name(p, is_end, &tag_chars);
        if (!name) {
            fail_msg("a tag that does not belong: %s", html);
            return;
        }
        links_count += !is_end && name[0] == 'a';
        links_count -= is_end && name[0] == 'a';
        assert_true(links_count < 2);
        assert_true(is_end ? open_count > 0 : open_count < ARRAY_COUNT(open));
        if (is_end)
            assert_string_equal(open[--open_count], name);
        else
            open[open_count++] = name;
        p += tag_chars;
    }
    assert_int_equal(open_count, 0);
}

/* What of such text becomes a link or a span differs between versions of MD4C. */
static void spans_that_the_parser_crosses_are_nested(void **state)
{
    static const char *const texts[] = {
        "__https://x.y/z~_]www.a.b~~\"t\")&amp;&#58;- ",
        "*a https://x.y/b*c d*",
        "~~a https://x.y/b~~c d~~",
        "**_a https://x.y/b_c** d_",
        "[a *b](https://x.y/z) c*",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct ctx ctx;
        struct html html = {0};
        ctx_init(&ctx, NULL, BUDGET_MS);
        assert_int_equal(markdown_render(&ctx, texts[i], strlen(texts[i]), HTML_MAX, &html),
                         ERR_OK);
        assert_int_equal(strncmp(html.text, "<p>", 3), 0);
        assert_non_null(strstr(html.text, "https://x.y/"));
        check_nesting(html.text);
        ctx_done(&ctx);
    }
}

static void targets_of_other_kinds_leave_the_text(void **state)
{
    static const char *const targets[] = {
        "javascript:x",
        "JaVaScRiPt:x",
        "javascript&colon;x",
        "javascript&#58;x",
        "java&#10;script:x",
        "java&Tab;script:x",
        "java&NewLine;script:x",
        "&#1;javascript:x",
        "&#32;javascript:x",
        " javascript:x",
        "&nbsp;javascript:x",
        "vbscript:x",
        "data:text/html,x",
        "file:///x",
        "ftp://x",
        "tel:1",
        "x:y",
        "http+x://a",
        "//x.org",
        "/\\x.org",
        "\\\\\\\\x.org",
        "&sol;&sol;x.org",
        "&#47;/x.org",
        " //x.org",
        "///x",
        "a\\:b",
        ":x",
        "mailto&Tab;:x",
        "&#9;",
        " ",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        char markdown[128];
        (void)snprintf(markdown, sizeof(markdown), "[the text](<%s>)", targets[i]);
        const struct row row = {markdown, "<p>the text</p>\n"};
        check_rows(&row, 1);
    }
}

static void targets_of_allowed_kinds_are_links(void **state)
{
    static const char *const targets[] = {"http://x", "HTTPS://x", "mailto:a@b", "/x",   "x",
                                          "./x",      "?a:b",      "#a:b",       "a/b:c"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        char markdown[128];
        char html[256];
        (void)snprintf(markdown, sizeof(markdown), "[a](%s)", targets[i]);
        (void)snprintf(html, sizeof(html), "<p><a href=\"%s\"" REL ">a</a></p>\n", targets[i]);
        const struct row row = {markdown, html};
        check_rows(&row, 1);
    }
}

static enum err render_repeated_within(int64_t budget_ms,
                                       const char *unit,
                                       size_t size_bytes,
                                       size_t max_html_bytes,
                                       struct html *out_html)
{
    struct ctx ctx;
    ctx_init(&ctx, NULL, budget_ms);
    char *text = malloc(size_bytes + strlen(unit));
    assert_non_null(text);
    size_t used_bytes = 0;
    for (; used_bytes < size_bytes; used_bytes += strlen(unit))
        memcpy(text + used_bytes, unit, strlen(unit));
    enum err err = markdown_render(&ctx, text, used_bytes, max_html_bytes, out_html);
    free(text);
    ctx_done(&ctx);
    return err;
}

static enum err
render_repeated(const char *unit, size_t size_bytes, size_t max_html_bytes, struct html *out_html)
{
    return render_repeated_within(BUDGET_MS, unit, size_bytes, max_html_bytes, out_html);
}

static void too_much_html_is_an_error_and_writes_nothing(void **state)
{
    (void)state;
    struct html html = {.text = "untouched", .size_bytes = 9};
    assert_int_equal(render_repeated("- a\n", 4000, 8000, &html), ERR_TOO_LARGE);
    assert_string_equal(html.text, "untouched");
    assert_int_equal(render_repeated("- a\n", 4000, 4000 + 1000 * 14, &html), ERR_OK);
}

static void deep_nesting_is_an_error(void **state)
{
    (void)state;
    struct html html = {.text = "untouched", .size_bytes = 9};
    assert_int_equal(render_repeated(">", MARKDOWN_NESTING_MAX_COUNT + 1, HTML_MAX, &html),
                     ERR_TOO_LARGE);
    assert_string_equal(html.text, "untouched");
    assert_int_equal(render_repeated(">", MARKDOWN_NESTING_MAX_COUNT, HTML_MAX, &html), ERR_OK);
}

static void overlong_target_is_no_link(void **state)
{
    (void)state;
    char *markdown = malloc(20000);
    assert_non_null(markdown);
    memset(markdown, 'x', 20000);
    memcpy(markdown, "[a](/", 5);
    memcpy(markdown + 10000, ") b\0", 4);
    const struct row row = {markdown, "<p>a b</p>\n"};
    check_rows(&row, 1);
    free(markdown);
}

/* One long definition that is used again and again must not make the parser copy it without end. */
static void repeated_use_of_a_long_refused_target_is_stopped(void **state)
{
    (void)state;
    struct ctx ctx;
    struct html html = {.text = "untouched", .size_bytes = 9};
    ctx_init(&ctx, NULL, BUDGET_MS);
    char *markdown = malloc(HOSTILE_BYTES + 1);
    assert_non_null(markdown);
    memset(markdown, 'x', HOSTILE_BYTES);
    memcpy(markdown, "[a]: javascript:&amp;", 21);
    size_t half = HOSTILE_BYTES / 2;
    memcpy(markdown + half - 2, "\n\n", 2);
    for (size_t at = half; at + 4 <= HOSTILE_BYTES; at += 4)
        memcpy(markdown + at, "[a] ", 4);
    assert_int_equal(markdown_render(&ctx, markdown, HOSTILE_BYTES, HTML_MAX, &html),
                     ERR_TOO_LARGE);
    assert_string_equal(html.text, "untouched");
    free(markdown);
    ctx_done(&ctx);
}

/* Whatever comes, it ends, with HTML or with the one error that is meant for it. */
static void hostile_megabytes_end(void **state)
{
    static const char *const units[] = {
        "[",        "](",          "*a ", "**",        "~~a ",     "_",        "`",
        "``a",      "[a](",        "![",  "![a](b)",   "<",        "<a ",      "&#",
        "&amp;",    "> ",          ">",   "- ",        "1) ",      "  - a\n",  "|",
        "|a\n|-\n", "a|b\n-|-\n",  "\\",  "http://a ", "[a]: b\n", "***a*** ", "[a][a]",
        "# ",       "```\n",       "\t",  "\n",        "a\n",      "- [ ] ",   "<http://",
        "[*a](b)*", "**a *b** c*",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        struct html html;
        enum err err = render_repeated(units[i], HOSTILE_BYTES / 4, HTML_MAX, &html);
        if (err != ERR_OK && err != ERR_TOO_LARGE)
            fail_msg("%s", units[i]);
    }
}

/* Texts that the parser alone would take half a minute for, some of them with no callback. */
static void megabytes_made_for_quadratic_searches_end_within_a_request(void **state)
{
    static const char *const units[] = {
        "http://a.b/(",    "http://a.b/*", "http://a.b/_",
        "http://a.b/~",    "http://a.b/[", "http://a.b/ ",
        "http://a.b/ [",   "http://a.b\n", "https://a.b/(",
        "ftp://a.b/*_~",   "http://a.b* ", "[\n]",
        "[a]\n",           "[a](\n",       "[a](b)\n",
        "[a][b]\n",        "![a]\n",       "- [a](\n  [a](\n\t",
        "[a]: b\n> [a]\n", "\r[a]",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        struct html html;
        enum err err = render_repeated_within(REQUEST_MS, units[i], HOSTILE_BYTES, HTML_MAX, &html);
        if (err != ERR_OK && err != ERR_TOO_LARGE)
            fail_msg("%s", units[i]);
    }
}

static void too_many_urls_leave_the_text(void **state)
{
    (void)state;
    struct html html;
    assert_int_equal(render_repeated("http://a.b/(", HOSTILE_BYTES, HTML_MAX, &html), ERR_OK);
    size_t text_bytes = (HOSTILE_BYTES + 11) / 12 * 12;
    assert_int_equal(html.size_bytes, text_bytes + strlen("<p></p>\n"));
}

/* A thousand lines of links, and twenty thousand items of a list, are what people write. */
static void many_links_of_people_are_links(void **state)
{
    (void)state;
    struct html html;
    assert_int_equal(render_repeated("[a](b_c)\n", 9000, HTML_MAX, &html), ERR_OK);
    assert_true(html.size_bytes > 1000 * strlen("<a href=\"b_c\"" REL ">a</a>"));
    assert_int_equal(render_repeated("http://a.b/c_d\n", 15000, HTML_MAX, &html), ERR_OK);
    assert_true(html.size_bytes > 1000 * strlen("<a href=\"http://a.b/c_d\"" REL "></a>"));
    assert_int_equal(render_repeated("- [a](b)\n", 180000, HTML_MAX, &html), ERR_OK);
    assert_true(html.size_bytes > 20000 * strlen("<a href=\"b\"" REL ">a</a>"));
    assert_int_equal(render_repeated("* http://a.b\n", 260000, HTML_MAX, &html), ERR_OK);
    assert_true(html.size_bytes > 20000 * strlen("<a href=\"http://a.b\"" REL "></a>"));
}

static void passed_deadline_stops_and_writes_nothing(void **state)
{
    (void)state;
    struct html html = {.text = "untouched", .size_bytes = 9};
    assert_int_equal(render_repeated_within(0, "a\n\n", 3000, HTML_MAX, &html), ERR_UNAVAILABLE);
    assert_string_equal(html.text, "untouched");
}

static void text_needs_no_end_mark(void **state)
{
    (void)state;
    struct ctx ctx;
    struct html html;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(markdown_render(&ctx, "*a*XYZ", 3, HTML_MAX, &html), ERR_OK);
    assert_string_equal(html.text, "<p><em>a</em></p>\n");
    assert_int_equal(markdown_render(&ctx, "a\0b", 3, HTML_MAX, &html), ERR_OK);
    assert_string_equal(html.text, "<p>a\xEF\xBF\xBD"
                                   "b</p>\n");
    assert_int_equal(markdown_render(&ctx, "[c](d 'a\0b')", 12, HTML_MAX, &html), ERR_OK);
    assert_string_equal(html.text, "<p><a href=\"d\" title=\"a\xEF\xBF\xBD"
                                   "b\"" REL ">c</a></p>\n");
    assert_int_equal(markdown_render(&ctx, "", (size_t)INT32_MAX + 1, HTML_MAX, &html),
                     ERR_TOO_LARGE);
    ctx_done(&ctx);
}

/* MD4C 0.4.8 looks at the byte behind a text whose last line is not ended: here that byte can't be
 * read. */
static void nothing_behind_the_text_is_read(void **state)
{
    static const char *const texts[] = {
        "[a](>>>!!!!!];!!c&#0r>!", "[a](b", "![", "a &#", "<a", "~"};
    (void)state;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page_bytes, page_bytes, PROT_NONE), 0);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct ctx ctx;
        struct html html;
        size_t size_bytes = strlen(texts[i]);
        char *text = pages + page_bytes - size_bytes;
        ctx_init(&ctx, NULL, BUDGET_MS);
        memcpy(text, texts[i], size_bytes);
        assert_int_equal(markdown_render(&ctx, text, size_bytes, HTML_MAX, &html), ERR_OK);
        ctx_done(&ctx);
    }
    assert_int_equal(munmap(pages, 2 * page_bytes), 0);
}

static void entities_are_decoded_or_left(void **state)
{
    static const struct {
        const char *text;
        const char *character; /* NULL: unknown */
    } rows[] = {
        {"&amp;", "&"},
        {"&AElig;", "\xC3\x86"},
        {"&zwnj;", "\xE2\x80\x8C"},
        {"&zeta;", "\xCE\xB6"},
        {"&#x41;", "A"},
        {"&#X41;", "A"},
        {"&#0065;", "A"},
        {"&#10;", "\n"},
        {"&#x10FFFF;", "\xF4\x8F\xBF\xBF"},
        {"&#13;", "\xEF\xBF\xBD"},
        {"&#xdfff;", "\xEF\xBF\xBD"},
        {"&#127;", "\xEF\xBF\xBD"},
        {"&#9999999;", "\xEF\xBF\xBD"},
        {"&#x;", NULL},
        {"&#;", NULL},
        {"&#12345678;", NULL},
        {"&#a;", NULL},
        {"&#xg;", NULL},
        {"&;", NULL},
        {"&amp", NULL},
        {"amp;", NULL},
        {"&AMPS;", NULL},
        {"&averyveryverylongnameofnothing;", NULL},
        {"&DiacriticalGrave;", "`"},
        {"&#:;", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char character[HTML_ENTITY_TEXT_BYTES] = "same";
        bool is_known = html_entity_decode(rows[i].text, strlen(rows[i].text), character);
        assert_int_equal(is_known, rows[i].character != NULL);
        assert_string_equal(character, rows[i].character ? rows[i].character : "same");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(blocks_become_elements),
        UNIT(spans_become_elements),
        UNIT(raw_html_is_text),
        UNIT(links_are_marked_and_escaped),
        UNIT(images_become_links_and_never_nest),
        UNIT(spans_that_the_parser_crosses_are_nested),
        UNIT(targets_of_other_kinds_leave_the_text),
        UNIT(targets_of_allowed_kinds_are_links),
        UNIT(too_much_html_is_an_error_and_writes_nothing),
        UNIT(deep_nesting_is_an_error),
        UNIT(overlong_target_is_no_link),
        UNIT(repeated_use_of_a_long_refused_target_is_stopped),
        UNIT(hostile_megabytes_end),
        UNIT(megabytes_made_for_quadratic_searches_end_within_a_request),
        UNIT(too_many_urls_leave_the_text),
        UNIT(many_links_of_people_are_links),
        UNIT(passed_deadline_stops_and_writes_nothing),
        UNIT(text_needs_no_end_mark),
        UNIT(nothing_behind_the_text_is_read),
        UNIT(entities_are_decoded_or_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
