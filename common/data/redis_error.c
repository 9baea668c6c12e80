/* SPDX-License-Identifier: MIT
 *
 * Source: Redis 7.0, src/server.c:createSharedObjects, src/acl.c. Depends on: arena.h, text.h. */
#include "data/redis_error.h"

#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/text.h"

#define SHOWN_MAX_CHARS 120

static const struct {
    const char *code;
    struct redis_error error;
} errors[] = {
    {"READONLY", {ERR_UNAVAILABLE, REDIS_EFFECT_MOVE, "is a replica"}},
    {"MASTERDOWN", {ERR_UNAVAILABLE, REDIS_EFFECT_LOST, "is a replica without its master"}},
    {"LOADING", {ERR_UNAVAILABLE, REDIS_EFFECT_LOST, "is starting"}},
    {"NOAUTH", {ERR_UNAVAILABLE, REDIS_EFFECT_LOST, "wants a password"}},
    {"WRONGPASS", {ERR_UNAVAILABLE, REDIS_EFFECT_LOST, "does not take user or password"}},
    {"NOPERM", {ERR_UNAVAILABLE, REDIS_EFFECT_STAYS, "does not allow it to this user"}},
    {"CLUSTERDOWN", {ERR_UNAVAILABLE, REDIS_EFFECT_LOST, "is a cluster that is down"}},
    {"OOM", {ERR_UNAVAILABLE, REDIS_EFFECT_STAYS, "is full"}},
    {"MISCONF", {ERR_UNAVAILABLE, REDIS_EFFECT_STAYS, "can't write to its disk"}},
    {"NOREPLICAS", {ERR_UNAVAILABLE, REDIS_EFFECT_STAYS, "has too few replicas"}},
    {"BUSY", {ERR_UNAVAILABLE, REDIS_EFFECT_STAYS, "runs a script for too long"}},
};

bool redis_error_is(const char *text, const char *code)
{
    size_t size = strlen(code);
    return text_starts_with(text, code) && (text[size] == ' ' || text[size] == '\0');
}

struct redis_error redis_error_of(const char *text)
{
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++)
        if (redis_error_is(text, errors[i].code))
            return errors[i].error;
    return (struct redis_error){ERR_INTERNAL, REDIS_EFFECT_STAYS, NULL};
}

const char *redis_error_shown(struct arena *arena, const char *text)
{
    size_t size = strcspn(text, "'\"`");
    const char *start = arena_text_copy(arena, text, size);
    if (!text_is_utf8(start, size) || text_has_control(start, ""))
        return "(not text)";
    return text_cut(arena, start, SHOWN_MAX_CHARS);
}
