/* SPDX-License-Identifier: MIT
 *
 * Depends on: parts.h, arena.h, text.h. */
#include "http/parts.h"

#include "base/arena.h"
#include "base/text.h"

#include <string.h>

#define FIRST_COUNT 64

/* ---- made once ---- */

void parts_init(struct parts *parts, struct arena *arena, size_t first_bytes, size_t max_bytes)
{
    *parts = (struct parts){.arena = arena};
    strbuf_init(&parts->text, arena, first_bytes, max_bytes);
}

static void add(struct parts *parts, struct part part)
{
    if (parts->count == parts->capacity) {
        size_t capacity = parts->capacity ? parts->capacity * 2 : FIRST_COUNT;
        struct part *items = arena_take_array(parts->arena, capacity, sizeof(*items));
        if (parts->count > 0)
            memcpy(items, parts->items, parts->count * sizeof(*items));
        parts->items = items;
        parts->capacity = capacity;
    }
    part.at = parts->text.size_bytes;
    parts->items[parts->count++] = part;
}

void parts_mark(struct parts *parts, enum part_kind kind)
{
    add(parts, (struct part){.kind = kind});
}

void parts_if(struct parts *parts, enum part_kind kind, bool is_not)
{
    add(parts, (struct part){.kind = kind, .is_not = is_not});
}

void parts_if_may(struct parts *parts, const char *owner, bool is_not)
{
    add(parts, (struct part){.kind = PART_IF_MAY, .is_not = is_not, .owner = owner});
}

/* ---- filled for each ---- */

static bool holds(const struct parts *parts, const struct part *part, const struct viewer *viewer)
{
    bool is_so = false;
    if (part->kind == PART_IF_USER)
        is_so = viewer->user != NULL;
    else if (part->kind == PART_IF_UNKNOWN)
        is_so = viewer->is_unknown;
    else
        is_so = parts->may && parts->may(viewer->user, part->owner, parts->owner);
    return is_so != part->is_not;
}

/* How many of the open ifs are passed over; 0: what comes is shown. Only the innermost can be the
 * one whose other way is shown. */
static size_t hidden_after(const struct parts *parts,
                           const struct part *part,
                           const struct viewer *viewer,
                           size_t hidden_count)
{
    switch (part->kind) {
    case PART_IF_USER:
    case PART_IF_UNKNOWN:
    case PART_IF_MAY:
        return hidden_count > 0 || !holds(parts, part, viewer) ? hidden_count + 1 : 0;
    case PART_ELSE:
        return hidden_count > 1 ? hidden_count : !hidden_count;
    case PART_END:
        return hidden_count > 0 ? hidden_count - 1 : 0;
    case PART_USER:
    case PART_CSRF:
        break;
    }
    return hidden_count;
}

void parts_fill(const struct parts *parts, const struct viewer *viewer, struct strbuf *out)
{
    size_t at = 0;
    size_t hidden_count = 0;
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        if (hidden_count == 0)
            strbuf_add_bytes(out, parts->text.text + at, part->at - at);
        at = part->at;
        if (hidden_count == 0 && part->kind == PART_USER)
            strbuf_add_html(out, viewer->user);
        if (hidden_count == 0 && part->kind == PART_CSRF)
            strbuf_add_html(out, viewer->csrf);
        hidden_count = hidden_after(parts, part, viewer, hidden_count);
    }
    if (hidden_count == 0)
        strbuf_add_bytes(out, parts->text.text + at, parts->text.size_bytes - at);
}
