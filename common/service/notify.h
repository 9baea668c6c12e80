/* SPDX-License-Identifier: MIT
 *
 * Tells the service manager how far we are (systemd's Type=notify). */
#ifndef NOTES_NOTIFY_H
#define NOTES_NOTIFY_H

/* "READY=1", "STOPPING=1". Does nothing where nobody asked for it (NOTIFY_SOCKET); that it can't be
 * told is no fault: the manager notices by itself. Source: sd_notify(3). */
void notify_manager(const char *state);

#endif
