/* SPDX-License-Identifier: MIT
 *
 * A slash is refused because a name stands in paths, where much HTTP software takes %2F for one.
 * Depends on: base. */
#include "rules/username_rules.h"

#include <string.h>

#include "base/text.h"

bool username_is_sound(const char *username)
{
    if (username[0] == '\0' || strchr(username, '/') || text_has_control(username, ""))
        return false;
    return text_count_chars(username) <= USERNAME_MAX_CHARS;
}
