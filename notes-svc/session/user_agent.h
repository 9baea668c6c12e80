/* SPDX-License-Identifier: MIT
 *
 * A short name for a device, made of the User-Agent that its browser sends: "Firefox on Linux". All
 * words of it are ours, none is the client's: what is kept and shown is harmless whatever was sent.
 * It is a help for people, who know their devices, and no proof of anything. Pure. */
#ifndef NOTES_USER_AGENT_H
#define NOTES_USER_AGENT_H

struct arena;

#define USER_AGENT_UNKNOWN "Unknown device"

/* user_agent may be NULL and any bytes. In the arena or static. */
const char *user_agent_name(struct arena *arena, const char *user_agent);

#endif
