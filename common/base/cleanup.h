/* SPDX-License-Identifier: MIT
 *
 * The compiler extensions that this project allows, all of them, in one place: cleanup at the end
 * of a scope, results that must be looked at, checked formats, buffers left as they are, and TAKE,
 * by which ownership leaves a scope.
 *
 * With CLEANUP on locals, no function needs a ladder of releases: return early, the scope tidies
 * up. */
#ifndef NOTES_CLEANUP_H
#define NOTES_CLEANUP_H

#include <stddef.h>

/* Runs fn(&variable) when the variable leaves its scope, on every path. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The result must be used: errors are not dropped by accident. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* printf-like: the format is argument `format_at`, its values start at `first_at` (counted from 1).
 */
#define FORMAT(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

/* Defines fn##_ptr, which calls fn on a pointer variable unless it is NULL: for CLEANUP(fn##_ptr).
 */
#define DEFINE_CLEANUP(type, fn)               \
    static inline void fn##_ptr(type *pointer) \
    {                                          \
        if (*pointer)                          \
            fn(*pointer);                      \
    }

/* A buffer that is written before it is read, and so large that clearing it first, as the compiler
 * is told to do with locals, would cost more than its use. */
#define UNCLEARED __attribute__((uninitialized))

/* The pointer, and the variable is NULL afterwards: what is handed out is not cleaned up. */
#define TAKE(pointer)                           \
    __extension__({                             \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL;                       \
        taken_;                                 \
    })

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
