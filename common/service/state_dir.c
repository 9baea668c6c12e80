/* SPDX-License-Identifier: MIT
 *
 * The folder that a service keeps its data in: made when missing, tried out at start, so that a
 * folder that can't be written to is one clear line at once instead of a failure at the first save;
 * and the lock file by which one process has a database for itself. Depends on: service.h, the
 * arena. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "service/service.h"

static bool make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* "a/b/c": a, a/b, a/b/c. A parent that can't be made fails at the last one, with the same reason.
 */
static bool make_folders(struct ctx *ctx, const char *path)
{
    char *part = arena_text(&ctx->arena, path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_folder(part) && errno != EROFS && errno != EACCES)
            return false;
        *slash = '/';
    }
    return make_folder(path);
}

/* Only making a file tells: access(2) knows nothing of full disks, quotas and what root may do. */
static int try_file(struct ctx *ctx, const char *path)
{
    char *name = arena_format(&ctx->arena, "%s/.try-XXXXXX", path);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return errno;
    close(fd);
    return unlink(name) ? errno : 0;
}

/* Root has given up its rights over others' files by now (harden.h), which may surprise it. */
static const char *hint_for_root(int failure)
{
    bool is_refused = failure == EACCES || failure == EPERM;
    return is_refused && geteuid() == 0 ? " (root has only its own rights here: run it as the "
                                          "folder's owner, or give the folder to root)"
                                        : "";
}

enum err service_state_dir(struct ctx *ctx, const char *path)
{
    if (!path[0])
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the state folder's name is empty");
    if (!make_folders(ctx, path))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't make the folder %s: %s%s", path,
                        strerrordesc_np(errno), hint_for_root(errno));
    struct stat folder;
    if (stat(path, &folder))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't look at %s: %s%s", path,
                        strerrordesc_np(errno), hint_for_root(errno));
    if (!S_ISDIR(folder.st_mode))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "%s is not a folder", path);
    int failure = try_file(ctx, path);
    if (failure)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't make files in the folder %s: %s%s", path,
                        strerrordesc_np(failure), hint_for_root(failure));
    return ERR_OK;
}

/* An "open file description" lock: unlike fcntl's older kind it is not lost when some other part of
 * the process closes the same file, and the system drops it when the process ends, however it ends.
 * The descriptor is left open on purpose: it is the lock. */
enum err service_lock_file(struct ctx *ctx, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't open the lock file %s: %s", path,
                        strerrordesc_np(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return ERR_OK;
    int failure = errno;
    close(fd);
    if (failure == EAGAIN || failure == EACCES)
        return ctx_fail(ctx, ERR_CONFLICT, "another process holds %s: one at a time may use it",
                        path);
    return ctx_fail(ctx, ERR_UNAVAILABLE, "can't lock %s: %s", path, strerrordesc_np(failure));
}
