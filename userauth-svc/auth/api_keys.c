/* SPDX-License-Identifier: MIT
 *
 * A key is kept and compared together with its name as one text: one comparison, and no way to
 * learn which half was wrong. Depends on: secret.h, ctx.h. */
#include "auth/api_keys.h"

#include <string.h>

#include "base/ctx.h"
#include "base/text.h"

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Printable ASCII without blanks. */
static bool is_key_char(char c)
{
    return c > ' ' && c < 0x7f;
}

static bool all_are(const char *text, size_t size_bytes, bool (*is_one)(char c))
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (!is_one(text[i]))
            return false;
    }
    return true;
}

/* Adds one "NAME:KEY" of size_bytes. Returns a reason or NULL. */
static const char *add(struct api_keys *keys, const char *entry, size_t size_bytes)
{
    const char *colon = memchr(entry, ':', size_bytes);
    if (!colon)
        return "it is not NAME:KEY";
    size_t name_bytes = (size_t)(colon - entry);
    size_t key_bytes = size_bytes - name_bytes - 1;
    if (name_bytes < 1 || name_bytes > API_KEY_NAME_MAX_CHARS ||
        !all_are(entry, name_bytes, is_name_char))
        return "its name is not 1 to 64 characters of A-Z a-z 0-9 . _ -";
    if (key_bytes == 0)
        return "its key is empty";
    if (key_bytes > API_KEY_MAX_CHARS || !all_are(colon + 1, key_bytes, is_key_char))
        return "its key has more than 256 characters, or other than printable ASCII ones";
    if (keys->count == API_KEYS_MAX_COUNT)
        return "there are more than 16 keys";

    struct api_key *key = &keys->items[keys->count++];
    memcpy(key->name, entry, name_bytes);
    key->name[name_bytes] = '\0';
    key->credentials = secret_new(entry, size_bytes);
    return NULL;
}

const char *api_keys_parse(struct arena *arena, const char *list, struct api_keys *keys)
{
    for (int number = 1;; number++) {
        size_t size_bytes = strcspn(list, ",");
        const char *reason = add(keys, list, size_bytes);
        if (reason)
            return arena_format(arena, "entry %d: %s", number, reason);
        if (list[size_bytes] == '\0')
            return NULL;
        list += size_bytes + 1;
    }
}

static enum err
add_read(struct ctx *ctx, const char *path, const struct secret *key, struct api_keys *keys)
{
    const char *entry = arena_format(&ctx->arena, "%s:%s", API_KEY_GENERATED_NAME, key->text);
    const char *reason = add(keys, entry, strlen(entry));
    return reason ? ctx_fail(ctx, ERR_INVALID, "%s: %s; remove the file to have a new key made",
                             path, reason)
                  : ERR_OK;
}

enum err
api_keys_from_file(struct ctx *ctx, const char *path, struct api_keys *keys, bool *out_is_new)
{
    CLEANUP(secret_done) struct secret key = {0};
    bool is_new = false;
    enum err err = secret_read_file(ctx, path, &key);
    if (err == ERR_NOT_FOUND) {
        ctx_forgive(ctx);
        err = secret_write_file(ctx, path, secret_token(&ctx->arena, API_KEY_RANDOM_BYTES));
        is_new = !err;
        if (err == ERR_CONFLICT) /* another process was faster: its key counts */
            ctx_forgive(ctx);
        else if (err)
            return err;
        err = secret_read_file(ctx, path, &key);
    }
    if (!err)
        err = add_read(ctx, path, &key, keys);
    if (!err)
        *out_is_new = is_new;
    return err;
}

const char *api_keys_match(const struct api_keys *keys, struct bytes credentials)
{
    const char *name = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const struct api_key *key = &keys->items[i];
        bool is_equal =
            secret_equals(&key->credentials, (const char *)credentials.p, credentials.n);
        name = is_equal ? key->name : name;
    }
    return name;
}

void api_keys_done(struct api_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        secret_done(&keys->items[i].credentials);
    keys->count = 0;
}
