/* SPDX-License-Identifier: MIT
 *
 * A first-come, first-served lock with a deadline. Each waiter sleeps on a condition of its own, so
 * leaving wakes exactly the next one; the gate is handed over rather than opened, so a newcomer
 * can't slip in before those who wait. Gates are found by device and inode, since one file may have
 * several names. Depends on: thread.h. */
#include "data/write_gate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/thread.h"

struct waiter {
    struct waiter *next;
    pthread_cond_t turn;
    bool has_turn;
};

struct write_gate {
    struct write_gate *next;
    dev_t device;
    ino_t inode;
    size_t users_count; /* under gates_lock */
    pthread_mutex_t lock;
    struct waiter *first;
    struct waiter *last;
    bool is_taken;
    _Atomic int is_damaged;
    _Atomic unsigned findings_count;
};

static pthread_mutex_t gates_lock = PTHREAD_MUTEX_INITIALIZER;
static struct write_gate *gates;

static void lock_mutex(pthread_mutex_t *mutex)
{
    int failure = pthread_mutex_lock(mutex);
    assert(failure == 0);
    (void)failure;
}

static void unlock_mutex(pthread_mutex_t **mutex)
{
    int failure = pthread_mutex_unlock(*mutex);
    assert(failure == 0);
    (void)failure;
}

static struct write_gate *find_gate(const struct stat *file)
{
    struct write_gate *gate = gates;
    while (gate && (gate->device != file->st_dev || gate->inode != file->st_ino))
        gate = gate->next;
    return gate;
}

static struct write_gate *make_gate(const struct stat *file)
{
    struct write_gate *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return NULL;
    gate->device = file->st_dev;
    gate->inode = file->st_ino;
    pthread_mutex_init(&gate->lock, NULL);
    gate->next = gates;
    gates = gate;
    return gate;
}

/* Under gates_lock: closing any descriptor of a file drops all locks that the process holds on it
 * (fcntl's rule), so no other thread may use the new file before it is closed here. Files that
 * exist are left alone by O_EXCL. */
static bool make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST;
    int failure = fchmod(fd, 0600) ? errno : 0;
    close(fd);
    errno = failure;
    return failure == 0;
}

struct write_gate *write_gate_open(const char *path)
{
    lock_mutex(&gates_lock);
    CLEANUP(unlock_mutex) pthread_mutex_t *held = &gates_lock;
    (void)held;
    struct stat file;
    if (!make_file(path) || stat(path, &file))
        return NULL;
    if (!S_ISREG(file.st_mode)) {
        errno = S_ISDIR(file.st_mode) ? EISDIR : EINVAL;
        return NULL;
    }
    struct write_gate *gate = find_gate(&file);
    if (!gate)
        gate = make_gate(&file);
    if (gate)
        gate->users_count++;
    return gate;
}

void write_gate_close(struct write_gate *gate)
{
    if (!gate)
        return;
    lock_mutex(&gates_lock);
    CLEANUP(unlock_mutex) pthread_mutex_t *held = &gates_lock;
    (void)held;
    assert(gate->users_count > 0);
    if (--gate->users_count > 0)
        return;
    assert(!gate->is_taken && !gate->first);
    struct write_gate **link = &gates;
    while (*link != gate)
        link = &(*link)->next;
    *link = gate->next;
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

static void add_waiter(struct write_gate *gate, struct waiter *waiter)
{
    if (gate->last)
        gate->last->next = waiter;
    else
        gate->first = waiter;
    gate->last = waiter;
}

static void drop_waiter(struct write_gate *gate, const struct waiter *waiter)
{
    struct waiter *before = NULL;
    struct waiter **link = &gate->first;
    while (*link != waiter) {
        before = *link;
        link = &before->next;
    }
    *link = waiter->next;
    if (gate->last == waiter)
        gate->last = before;
}

static bool wait_for_turn(struct write_gate *gate, int64_t until_ms)
{
    struct waiter waiter = {0};
    condition_start(&waiter.turn);
    add_waiter(gate, &waiter);
    bool has_time = true;
    while (!waiter.has_turn && has_time)
        has_time = condition_wait_until(&waiter.turn, &gate->lock, until_ms);
    if (!waiter.has_turn)
        drop_waiter(gate, &waiter);
    pthread_cond_destroy(&waiter.turn);
    return waiter.has_turn;
}

bool write_gate_enter(struct write_gate *gate, int64_t until_ms)
{
    lock_mutex(&gate->lock);
    CLEANUP(unlock_mutex) pthread_mutex_t *held = &gate->lock;
    (void)held;
    if (gate->is_taken)
        return wait_for_turn(gate, until_ms);
    gate->is_taken = true;
    return true;
}

void write_gate_leave(struct write_gate *gate)
{
    lock_mutex(&gate->lock);
    CLEANUP(unlock_mutex) pthread_mutex_t *held = &gate->lock;
    (void)held;
    assert(gate->is_taken);
    struct waiter *next = gate->first;
    if (!next) {
        gate->is_taken = false;
        return;
    }
    drop_waiter(gate, next);
    next->has_turn = true;
    pthread_cond_signal(&next->turn);
}

void write_gate_note_damage(struct write_gate *gate, bool is_damaged)
{
    atomic_store(&gate->is_damaged, is_damaged);
    atomic_fetch_add(&gate->findings_count, 1);
}

bool write_gate_is_damaged(const struct write_gate *gate)
{
    return atomic_load(&gate->is_damaged) != 0;
}

unsigned write_gate_findings_count(const struct write_gate *gate)
{
    return atomic_load(&gate->findings_count);
}

size_t write_gate_waiting_count(struct write_gate *gate)
{
    lock_mutex(&gate->lock);
    CLEANUP(unlock_mutex) pthread_mutex_t *held = &gate->lock;
    (void)held;
    size_t count = 0;
    for (const struct waiter *waiter = gate->first; waiter; waiter = waiter->next)
        count++;
    return count;
}
