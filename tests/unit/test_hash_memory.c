/* SPDX-License-Identifier: MIT
 *
 * Large private memory is advised to use large pages, whoever maps it through the C library's name;
 * all else is mapped as it always was. Built without sanitizers, as what it tests. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_BYTES ((size_t)8 * 1024 * 1024)
#define SMALL_BYTES ((size_t)64 * 1024)

/* The name that libsodium asks for; ours are compiled to mmap64. */
extern void *plain_mmap(void *, size_t, int, int, int, off_t) __asm__("mmap");

/* Is the memory at this address advised to use large pages ("hg")? */
static bool is_advised(const void *at)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    char line[512];
    bool is_ours = false;
    bool has_mark = false;
    while (fgets(line, sizeof(line), maps)) {
        uintptr_t begin = 0;
        uintptr_t end = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
            is_ours = (uintptr_t)at >= begin && (uintptr_t)at < end;
        else if (is_ours && strncmp(line, "VmFlags:", 8) == 0)
            has_mark = strstr(line, " hg") != NULL;
    }
    (void)fclose(maps);
    return has_mark;
}

static void large_private_memory_is_advised_and_clear(void **state)
{
    (void)state;
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) != 0)
        skip();
    unsigned char *memory = plain_mmap(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_true(is_advised(memory));
    assert_int_equal(memory[0] | memory[LARGE_BYTES / 2] | memory[LARGE_BYTES - 1], 0);
    assert_int_equal(munmap(memory, LARGE_BYTES), 0);
}

static void small_shared_and_file_memory_is_left_alone(void **state)
{
    (void)state;
    void *small = plain_mmap(NULL, SMALL_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *shared = plain_mmap(NULL, LARGE_BYTES, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/exe", O_RDONLY);
    void *file = plain_mmap(NULL, LARGE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(small, MAP_FAILED);
    assert_ptr_not_equal(shared, MAP_FAILED);
    assert_ptr_not_equal(file, MAP_FAILED);
    assert_false(is_advised(small));
    assert_false(is_advised(shared));
    assert_false(is_advised(file));
    assert_memory_equal(file, "\177ELF", 4);
    (void)munmap(small, SMALL_BYTES);
    (void)munmap(shared, LARGE_BYTES);
    (void)munmap(file, LARGE_BYTES);
    (void)close(fd);
}

static void a_refusal_says_why(void **state)
{
    (void)state;
    errno = 0;
    assert_ptr_equal(
        plain_mmap(NULL, SIZE_MAX / 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        MAP_FAILED);
    assert_int_equal(errno, ENOMEM);
}

static void hashes_are_what_they_were(void **state)
{
    static const char stored[crypto_pwhash_STRBYTES] =
        "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$0AuQxA+RjPiJeA19Op7DwrFxnfh9xeTU2T6mFj2wThc";
    (void)state;
    assert_true(sodium_init() >= 0);
    assert_int_equal(crypto_pwhash_str_verify(stored, "correct horse", 13), 0);
    assert_int_not_equal(crypto_pwhash_str_verify(stored, "correct house", 13), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(large_private_memory_is_advised_and_clear),
        UNIT(small_shared_and_file_memory_is_left_alone),
        UNIT(a_refusal_says_why),
        UNIT(hashes_are_what_they_were),
    };
    return cmocka_run_group_tests_name("hash_memory", tests, NULL, NULL);
}
