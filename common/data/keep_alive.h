/* SPDX-License-Identifier: MIT
 *
 * TCP's own questions whether the other side is there, for connections that may wait without a
 * deadline. */
#ifndef NOTES_KEEP_ALIVE_H
#define NOTES_KEEP_ALIVE_H

/* After idle_s of silence it is asked every every_s; after so many questions without an answer the
 * connection is over. What is no TCP socket is left as it is. */
void keep_alive(int socket, int idle_s, int every_s, int questions_count);

#endif
