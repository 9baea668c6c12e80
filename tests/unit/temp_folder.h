/* SPDX-License-Identifier: MIT
 *
 * A folder of its own for a test, removed with all that is in it:
 *     CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new(); */
#ifndef NOTES_TEMP_FOLDER_H
#define NOTES_TEMP_FOLDER_H

#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

struct temp_folder {
    char path[64];
};

static inline struct temp_folder temp_folder_new(void)
{
    struct temp_folder folder = {.path = "/tmp/notes-unit-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static inline int
temp_folder_remove(const char *path, const struct stat *file, int kind, struct FTW *place)
{
    (void)file;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void temp_folder_done(struct temp_folder *folder)
{
    assert_int_equal(nftw(folder->path, temp_folder_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
