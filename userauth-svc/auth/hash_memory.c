/* SPDX-License-Identifier: MIT
 *
 * Memory for Argon2id in large pages. libsodium maps PASSWORD_MEMORY_KIB for each hash and unmaps
 * it afterwards; in pages of 4 KiB the kernel is then busy with them for two fifths of the time
 * that a hash takes. It offers no other way to hand it memory, so this program has a function mmap
 * of its own, which the dynamic linker finds before the one of the C library: the same system call,
 * and for large private memory the advice to use large pages first. Where there are none, nothing
 * is lost. The C library's own calls and ours (mmap64) don't come here. Not in builds with
 * sanitizers, which have a mmap of their own. Source: madvise(2), MADV_HUGEPAGE; libsodium 1.0.18,
 * argon2-core.c.
 * Depends on: Linux. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LARGE_PAGE_BYTES ((size_t)2 * 1024 * 1024)

__attribute__((visibility("default"))) void *hash_memory_map(
    void *at, size_t size_bytes, int protection, int flags, int fd, off_t offset) __asm__("mmap");

static void *
system_map(void *at, size_t size_bytes, int protection, int flags, int fd, off_t offset)
{
    long mapped = syscall(SYS_mmap, at, size_bytes, protection, flags, fd, offset);
    return mapped == -1 ? MAP_FAILED : (void *)(uintptr_t)mapped;
}

void *hash_memory_map(void *at, size_t size_bytes, int protection, int flags, int fd, off_t offset)
{
    bool is_large =
        !at && (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE) && size_bytes >= LARGE_PAGE_BYTES;
    if (!is_large)
        return system_map(at, size_bytes, protection, flags, fd, offset);
    /* Filled at once they would be small pages: the advice comes first, the first use fills. */
    void *memory = system_map(at, size_bytes, protection, flags & ~MAP_POPULATE, fd, offset);
    int before = errno;
    if (memory != MAP_FAILED)
        (void)madvise(memory, size_bytes, MADV_HUGEPAGE);
    errno = before;
    return memory;
}
