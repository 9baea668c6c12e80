/* SPDX-License-Identifier: MIT
 *
 * Browsers name each other in their User-Agent for history's sake, so that the first row that fits
 * counts: a Chrome says Safari too, an Edge says both. Depends on: arena.h. */
#include "session/user_agent.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

struct word {
    const char *sign; /* in the User-Agent */
    const char *name;
};

static const struct word BROWSERS[] = {
    {"Edg/", "Edge"},          {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},       {"OPR/", "Opera"},
    {"Vivaldi/", "Vivaldi"},   {"SamsungBrowser/", "Samsung Internet"},
    {"FxiOS/", "Firefox"},     {"Firefox/", "Firefox"},
    {"CriOS/", "Chrome"},      {"HeadlessChrome/", "Chrome"},
    {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"},
    {"Safari/", "Safari"},     {"curl/", "curl"},
    {"Wget/", "Wget"},         {"python-requests/", "A Python program"},
};

static const struct word SYSTEMS[] = {
    {"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"},
    {"iPad", "iPad"},       {"Macintosh", "Mac"},   {"CrOS", "ChromeOS"},
    {"Linux", "Linux"},     {"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"},
};

/* NULL: none of them. */
static const char *find_word(const struct word *words, size_t count, const char *user_agent)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(user_agent, words[i].sign))
            return words[i].name;
    return NULL;
}

const char *user_agent_name(struct arena *arena, const char *user_agent)
{
    const char *text = user_agent ? user_agent : "";
    const char *browser = find_word(BROWSERS, ARRAY_COUNT(BROWSERS), text);
    const char *system = find_word(SYSTEMS, ARRAY_COUNT(SYSTEMS), text);
    if (browser && system)
        return arena_format(arena, "%s on %s", browser, system);
    if (system)
        return arena_format(arena, "A browser on %s", system);
    return browser ? browser : USER_AGENT_UNKNOWN;
}
