/* SPDX-License-Identifier: MIT
 *
 * What a password that somebody chooses must not be: short, one that many people use, or the user's
 * or the service's name. No rule asks for kinds of characters. Pure, without I/O; for the service,
 * where people change their own password, and for userauth-cli, which warns and goes on.
 *
 * "Many people use it" holds for what is made of nothing but up to three entries of
 * common_passwords.txt, ways along a keyboard or the alphabet of three characters and more, and up
 * to four other digits, signs or spaces; and for what is repeated and alone would be too short.
 * Case does not matter, nor that letters are written as digits and signs ("P@ssw0rd") or spelt out
 * ("p a s s w o r d"). Four words are fine, even such words. It is the name when it consists of the
 * user name, the word "notes", digits and signs only.
 * Source: NIST SP 800-63B-4, section 3.1.1.2; SPEC section 3.
 * Tests:  tests/unit/test_password_rules.c */
#ifndef NOTES_PASSWORD_RULES_H
#define NOTES_PASSWORD_RULES_H

#include <stddef.h>
#include <stdint.h>

struct arena;

#define PASSWORD_MAX_BYTES         1024
#define PASSWORD_MIN_CHARS_DEFAULT "15" /* of the setting PASSWORD_MIN_CHARS, and its range */
#define PASSWORD_MIN_CHARS_LEAST   8
#define PASSWORD_MIN_CHARS_MOST    64

enum password_fault {
    PASSWORD_FINE,
    PASSWORD_TOO_SHORT,
    PASSWORD_TOO_LONG,
    PASSWORD_IS_NAME,
    PASSWORD_COMMON,
};

/* Sorted texts, one after the other, each with its NUL; made by tools/compile_passwords.py. */
struct common_passwords {
    const char *texts;
    const uint32_t *starts;
    size_t count;
};

extern const struct common_passwords password_rules_list;

/* The first rule that is broken.
 * Units:   min_chars in code points. Both texts are valid UTF-8. */
enum password_fault
password_rules_judge(const char *password, const char *username, int64_t min_chars);

/* "PasswordTooShort": what programs read. Not of PASSWORD_FINE. */
const char *password_rules_code(enum password_fault fault);

/* What a password of this fault does, after "the password": "has fewer than 15 characters". */
const char *password_rules_text(struct arena *arena, enum password_fault fault, int64_t min_chars);

#endif
