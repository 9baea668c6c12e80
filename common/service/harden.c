/* SPDX-License-Identifier: MIT
 *
 * Capabilities are set by the kernel's own call: there are two of them to make, and a library would
 * be one more in the image. They belong to a thread, and threads made later inherit them.
 * Depends on: harden.h, syscall_filter.h, log.h, secret.h. */
#include "service/harden.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/log.h"
#include "base/secret.h"
#include "service/syscall_filter.h"

#define PORTS_OF_ROOT_END 1024

/* A sanitizer's runtime asks for much that the services don't; its leak check at the end clones
 * and traces the process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

bool harden_process(void)
{
    struct rlimit none = {0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           (IS_SANITIZED || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

/* Without CAP_SETPCAP they stay; with no_new_privs they can't be gained then. */
static void drop_what_could_be_gained(void)
{
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned long number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
        (void)prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
}

static bool drop_what_is_there(uint32_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, sets) != 0)
        return false;
    kept &= sets[0].permitted;
    memset(sets, 0, sizeof(sets));
    sets[0].permitted = kept;
    sets[0].effective = kept;
    return syscall(SYS_capset, &header, sets) == 0;
}

static const char *install_filter(void)
{
    if (IS_SANITIZED)
        return NULL;
    int error = syscall_filter_install();
    return error ? strerrordesc_np(error) : NULL;
}

void harden_service(int64_t port, bool is_filter_wanted, struct hardening *out_hardening)
{
    *out_hardening = (struct hardening){0};
    drop_what_could_be_gained();
    uint32_t kept = port < PORTS_OF_ROOT_END ? (uint32_t)1 << CAP_NET_BIND_SERVICE : 0;
    if (!drop_what_is_there(kept))
        out_hardening->capabilities_why = strerrordesc_np(errno);
    if (is_filter_wanted)
        out_hardening->filter_why = install_filter();
}

static void report(const struct ctx *ctx, const char *what, const char *why)
{
    if (why)
        log_warn(ctx, "service.unprotected", log_str("missing", what), log_str("why", why));
}

void harden_report(const struct ctx *ctx, const struct hardening *hardening)
{
    report(ctx, "dropped capabilities", hardening->capabilities_why);
    report(ctx, "syscall filter", hardening->filter_why);
    if (!secret_is_all_locked())
        report(ctx, "locked memory", "the limit of locked memory is too low (ulimit -l)");
}
