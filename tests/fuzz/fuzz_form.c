/* SPDX-License-Identifier: MIT
 *
 * Forms: every name and value is UTF-8, there are no more fields than allowed, a form written out
 * again reads the same, and a name that comes twice is refused whenever it is asked for. */
#include "http/form.h"

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

static struct bytes write_form(struct ctx *ctx, const struct form *form, size_t max_bytes)
{
    struct strbuf buf;
    const char *text = "";
    strbuf_init(&buf, &ctx->arena, 0, max_bytes);
    for (size_t i = 0; i < form->count; i++) {
        strbuf_add(&buf, i > 0 ? "&" : "");
        strbuf_add_url(&buf, form->fields[i].name);
        strbuf_add_char(&buf, '=');
        strbuf_add_url(&buf, form->fields[i].value);
    }
    FUZZ_REQUIRE(strbuf_text(&buf, &text) == ERR_OK);
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

static size_t count_name(const struct form *form, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < form->count; i++)
        count += strcmp(form->fields[i].name, name) == 0;
    return count;
}

static void check_fields(struct ctx *ctx, const struct form *form, const struct form *again)
{
    FUZZ_REQUIRE(form->count <= FORM_FIELDS_MAX_COUNT);
    FUZZ_REQUIRE(form->count == again->count);
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];
        const char *value = NULL;
        FUZZ_REQUIRE(text_is_utf8(field->name, strlen(field->name)));
        FUZZ_REQUIRE(text_is_utf8(field->value, strlen(field->value)));
        FUZZ_REQUIRE(strcmp(field->name, again->fields[i].name) == 0);
        FUZZ_REQUIRE(strcmp(field->value, again->fields[i].value) == 0);
        bool is_once = count_name(form, field->name) == 1;
        FUZZ_REQUIRE((form_text(ctx, form, field->name, &value) == ERR_OK) == is_once);
        FUZZ_REQUIRE((value != NULL) == is_once);
        FUZZ_REQUIRE(form_first(form, field->name) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct form form = {.count = 0};
    struct form again = {.count = 0};
    if (form_parse(&ctx, (struct bytes){.p = data, .n = size}, &form) != ERR_OK) {
        FUZZ_REQUIRE(form.count == 0 && form.fields == NULL);
        return 0;
    }
    struct bytes written = write_form(&ctx, &form, size * 3 + 2 * FORM_FIELDS_MAX_COUNT);
    FUZZ_REQUIRE(form_parse(&ctx, written, &again) == ERR_OK);
    check_fields(&ctx, &form, &again);
    return 0;
}
