/* SPDX-License-Identifier: MIT
 *
 * The lists, and what becomes of them. Calls are named, not numbered: a name that this processor
 * or this libseccomp does not know is left out, and the call is refused with the rest. What runs
 * before the filter (the dynamic loader) needs no place here, but what is loaded later does:
 * Connector/C loads its ways to log in when a server asks for one, and the C library its ways to
 * look up a name.
 * Depends on: syscall_filter.h, libseccomp. */
#include "service/syscall_filter.h"

#include "base/text.h"

#include <seccomp.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define REFUSE        SCMP_ACT_ERRNO(ENOSYS)
#define OPTIMIZE_TREE 2          /* of libseccomp: a binary tree instead of a list */
#define LOW_HALF      0xffffffff /* the kernel looks at 32 bits of an int, whatever stands above */

static const char *const allowed[] = {
    /* Files: SQLite, keys, what the C library reads for names and certificates. */
    "access", "close", "faccessat", "faccessat2", "fallocate", "fchmod", "fcntl", "fdatasync",
    "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "link", "linkat", "lseek",
    "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pread64", "preadv", "pwrite64",
    "pwritev", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2",
    "rmdir", "stat", "statfs", "statx", "umask", "unlink", "unlinkat", "utimensat", "write",
    "writev",
    /* Sockets, waiting. */
    "accept", "accept4", "bind", "connect", "dup", "dup2", "dup3", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "getpeername",
    "getsockname", "getsockopt", "listen", "pipe", "pipe2", "poll", "ppoll", "pselect6", "recvfrom",
    "recvmmsg", "recvmsg", "select", "sendfile", "sendmmsg", "sendmsg", "sendto", "setsockopt",
    "shutdown", "socketpair", "splice", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* Memory. mmap and mprotect are below. */
    "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mremap", "msync", "munlock",
    "munmap",
    /* Threads and time. clone is below. */
    "clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group", "futex",
    "futex_waitv", "get_robust_list", "getpriority", "gettid", "gettimeofday", "nanosleep",
    "restart_syscall", "rseq", "sched_get_priority_max", "sched_get_priority_min",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield", "set_robust_list",
    "set_tid_address", "setpriority", "time",
    /* Signals. tgkill is below. */
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack",
    /* About itself and the machine. */
    "arch_prctl", "capget", "getegid", "geteuid", "getgid", "getgroups", "getpgrp", "getpid",
    "getppid", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getuid",
    "setrlimit", "sysinfo", "times", "uname"};

/* No library looks whether the kernel has one of these; whoever calls them means it. */
static const char *const deadly[] = {
    /* Another program, another process. clone without a thread is below. */
    "execve", "execveat", "fork", "pidfd_getfd", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "vfork",
    /* Other rights, another view of the machine. */
    "capset", "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr",
    "move_mount", "open_by_handle_at", "open_tree", "pivot_root", "setfsgid", "setfsuid", "setgid",
    "setgroups", "setns", "setregid", "setresgid", "setresuid", "setreuid", "setuid", "umount2",
    "unshare",
    /* The kernel itself. */
    "acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "delete_module",
    "finit_module", "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl",
    "modify_ldt", "perf_event_open", "quotactl", "quotactl_fd", "reboot", "request_key",
    "sethostname", "setdomainname", "settimeofday", "swapoff", "swapon", "syslog", "userfaultfd"};

/* Rules on one argument. */
struct rule {
    const char *call;
    uint32_t action;
    struct scmp_arg_cmp argument;
};

/* SCMP_CMP is no constant for a table. */
#define WITH_BITS(place, mask, value)          \
    {                                          \
        place, SCMP_CMP_MASKED_EQ, mask, value \
    }
#define THAT_IS(place, value) WITH_BITS(place, LOW_HALF, value)

static const struct rule rules[] = {
    {"clone", SCMP_ACT_ALLOW, WITH_BITS(0, CLONE_THREAD, CLONE_THREAD)},
    {"clone", SCMP_ACT_KILL_PROCESS, WITH_BITS(0, CLONE_THREAD, 0)},
    /* Memory is written or run, never both. Libraries are loaded as files that are run. */
    {"mmap", SCMP_ACT_ALLOW, WITH_BITS(2, PROT_EXEC, 0)},
    {"mmap", SCMP_ACT_ALLOW, WITH_BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC)},
    {"mprotect", SCMP_ACT_ALLOW, WITH_BITS(2, PROT_EXEC, 0)},
#if defined(__aarch64__)
    /* The loader marks the branch targets of what it has loaded. */
    {"mprotect", SCMP_ACT_ALLOW, WITH_BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC)},
#endif
    {"socket", SCMP_ACT_ALLOW, THAT_IS(0, AF_UNIX)},
    {"socket", SCMP_ACT_ALLOW, THAT_IS(0, AF_INET)},
    {"socket", SCMP_ACT_ALLOW, THAT_IS(0, AF_INET6)},
    {"ioctl", SCMP_ACT_ALLOW, THAT_IS(1, FIONBIO)},
    {"ioctl", SCMP_ACT_ALLOW, THAT_IS(1, FIONREAD)},
    {"ioctl", SCMP_ACT_ALLOW, THAT_IS(1, SIOCGIFINDEX)},
    {"ioctl", SCMP_ACT_ALLOW, THAT_IS(1, TCGETS)},
    {"ioctl", SCMP_ACT_ALLOW, THAT_IS(1, TIOCGWINSZ)},
    {"prctl", SCMP_ACT_ALLOW, THAT_IS(0, PR_SET_NAME)},
    {"prctl", SCMP_ACT_ALLOW, THAT_IS(0, PR_GET_NAME)},
    {"prctl", SCMP_ACT_ALLOW, THAT_IS(0, PR_SET_VMA)},
    {"prlimit64", SCMP_ACT_ALLOW, THAT_IS(0, 0)},
};

/* An unknown name and a call that this processor does not have are no errors. */
static int add(scmp_filter_ctx filter,
               const char *call,
               uint32_t action,
               unsigned conditions_count,
               const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(call);
    if (number == __NR_SCMP_ERROR)
        return 0;
    int result = seccomp_rule_add_array(filter, action, number, conditions_count, conditions);
    return result == -EDOM ? 0 : result;
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const char *const *calls, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = add(filter, calls[i], action, 0, NULL);
    return result;
}

/* What needs more than one argument, or a number known only now. */
static int add_own(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp routes[] = {THAT_IS(0, AF_NETLINK), THAT_IS(2, NETLINK_ROUTE)};
    const struct scmp_arg_cmp own[] = {THAT_IS(0, (scmp_datum_t)getpid())};
    int result = add(filter, "socket", SCMP_ACT_ALLOW, ARRAY_COUNT(routes), routes);
    return result ? result : add(filter, "tgkill", SCMP_ACT_ALLOW, ARRAY_COUNT(own), own);
}

static int fill(scmp_filter_ctx filter)
{
    int result = add_all(filter, SCMP_ACT_ALLOW, allowed, ARRAY_COUNT(allowed));
    if (result == 0)
        result = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_COUNT(deadly));
    for (size_t i = 0; i < ARRAY_COUNT(rules) && result == 0; i++)
        result = add(filter, rules[i].call, rules[i].action, 1, &rules[i].argument);
    return result ? result : add_own(filter);
}

/* Calls by the numbers of another processor (32 bit) are as deadly. The tree and the mitigation of
 * processor faults, which only slows a program down that runs no code of others, are not
 * everywhere to be had: then it goes without. */
static int set_attributes(scmp_filter_ctx filter)
{
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    return result ? result : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
}

int syscall_filter_install(void)
{
    scmp_filter_ctx filter = seccomp_init(REFUSE);
    if (!filter)
        return ENOMEM;
    int result = set_attributes(filter);
    if (result == 0)
        result = fill(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return -result;
}

static int change_processor(scmp_filter_ctx filter, uint32_t processor)
{
    if (processor == seccomp_arch_native())
        return 0;
    int result = seccomp_arch_add(filter, processor);
    return result ? result : seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
}

int syscall_filter_print(FILE *out, const char *processor)
{
    uint32_t number = seccomp_arch_resolve_name(processor);
    scmp_filter_ctx filter = number ? seccomp_init(REFUSE) : NULL;
    if (!filter)
        return EINVAL;
    int result = change_processor(filter, number);
    if (result == 0)
        result = fill(filter);
    (void)fflush(out);
    if (result == 0)
        result = seccomp_export_pfc(filter, fileno(out));
    seccomp_release(filter);
    return -result;
}

const char *syscall_filter_library(void)
{
    static char text[64]; /* asked for by the main thread, before others */
    const struct scmp_version *version = seccomp_version();
    (void)snprintf(text, sizeof(text), "libseccomp %u.%u.%u", version->major, version->minor,
                   version->micro);
    return text;
}
