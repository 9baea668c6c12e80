/* SPDX-License-Identifier: MIT
 *
 * Between put and begin the texts are the outbox's, between begin and end the load's. An outbox
 * that is not empty has somebody who is on his way to empty it. Depends on: outbox.h, threads. */
#include "live/outbox.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void free_texts(const struct bytes *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)texts[i].p);
}

void outbox_init(struct outbox *outbox)
{
    if (pthread_mutex_init(&outbox->sending, NULL) != 0 ||
        pthread_mutex_init(&outbox->lock, NULL) != 0)
        abort();
    outbox->count = 0;
    outbox->size_bytes = 0;
}

void outbox_done(struct outbox *outbox)
{
    free_texts(outbox->texts, outbox->count);
    (void)pthread_mutex_destroy(&outbox->lock);
    (void)pthread_mutex_destroy(&outbox->sending);
}

enum outbox_turn outbox_put(struct outbox *outbox, struct bytes text)
{
    unsigned char *copy = malloc(text.n > 0 ? text.n : 1);
    if (!copy)
        return OUTBOX_FULL;
    memcpy(copy, text.p, text.n);
    (void)pthread_mutex_lock(&outbox->lock);
    enum outbox_turn turn = outbox->count == 0 ? OUTBOX_SEND : OUTBOX_LEFT;
    if (outbox->count == OUTBOX_MAX_COUNT || text.n > OUTBOX_MAX_BYTES - outbox->size_bytes)
        turn = OUTBOX_FULL;
    if (turn != OUTBOX_FULL) {
        outbox->texts[outbox->count++] = (struct bytes){.p = copy, .n = text.n};
        outbox->size_bytes += text.n;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    if (turn == OUTBOX_FULL)
        free(copy);
    return turn;
}

void outbox_begin(struct outbox *outbox, struct outbox_load *out_load)
{
    (void)pthread_mutex_lock(&outbox->sending);
    (void)pthread_mutex_lock(&outbox->lock);
    out_load->count = outbox->count;
    memcpy(out_load->texts, outbox->texts, outbox->count * sizeof(outbox->texts[0]));
    outbox->count = 0;
    outbox->size_bytes = 0;
    (void)pthread_mutex_unlock(&outbox->lock);
}

void outbox_end(struct outbox *outbox, struct outbox_load *load)
{
    (void)pthread_mutex_unlock(&outbox->sending);
    free_texts(load->texts, load->count);
    load->count = 0;
}
