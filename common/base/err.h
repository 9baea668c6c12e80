/* SPDX-License-Identifier: MIT
 *
 * The one error type. A code says what the caller can do about it, not what broke; what broke goes
 * into `ctx->why` (ctx_fail) and is logged, never sent. From one table: number, HTTP status, public
 * code and the text that a stranger may see. The public codes are restify's, which the Node
 * version's clients know. */
#ifndef NOTES_ERR_H
#define NOTES_ERR_H

/* clang-format off */
/*      name              status  public code              public text */
#define ERR_TABLE(X)                                                                                \
    X(OK,                 200,    "OK",                    "Done.")                                 \
    X(INVALID,            400,    "InvalidArgument",       "The request is not valid.")             \
    X(UNAUTHENTICATED,    401,    "InvalidCredentials",    "Valid credentials are needed.")         \
    X(FORBIDDEN,          403,    "NotAuthorized",         "This is not allowed.")                  \
    X(NOT_FOUND,          404,    "ResourceNotFound",      "There is no such thing here.")          \
    X(METHOD,             405,    "MethodNotAllowed",      "This method is not supported here.")    \
    X(TIMEOUT,            408,    "RequestTimeout",        "The request took too long to arrive.")  \
    X(CONFLICT,           409,    "Conflict",              "It exists already or has changed.")     \
    X(PRECONDITION,       412,    "PreconditionFailed",    "It is not what it was any more.")       \
    X(TOO_LARGE,          413,    "PayloadTooLarge",       "The request is too large.")             \
    X(TARGET_TOO_LONG,    414,    "UriTooLong",            "This address is too long.")             \
    X(MEDIA_TYPE,         415,    "UnsupportedMediaType",  "This content type is not supported.")   \
    X(RATE_LIMITED,       429,    "TooManyRequests",       "Too many tries. Please wait a little.") \
    X(INTERNAL,           500,    "InternalError",         "Something went wrong here.")            \
    X(UNAVAILABLE,        503,    "ServiceUnavailable",    "The service is busy or a part of it can't be reached.")
/* clang-format on */

enum err {
#define ERR_ENUM(name, status, code, text) ERR_##name,
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

/* "INVALID": for logs. */
const char *err_name(enum err err);

/* The HTTP status that answers it. */
int err_status(enum err err);

/* "InvalidArgument": the `code` member of a JSON error. */
const char *err_code(enum err err);

/* A sentence that a stranger may see. */
const char *err_text(enum err err);

#endif
