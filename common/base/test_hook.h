/* SPDX-License-Identifier: MIT
 *
 * Places at which a test can stop or delay the process, such as between a commit and what is told
 * of it. Without the build option test_hooks there is nothing of it in the program. With it:
 *     NOTES_TEST_HOOK=comment.committed:kill      SIGKILL at the first pass
 *     NOTES_TEST_HOOK=comment.committed:kill:3    at the third
 *     NOTES_TEST_HOOK=comment.committed:sleep:200 each pass takes so many ms longer */
#ifndef NOTES_TEST_HOOK_H
#define NOTES_TEST_HOOK_H

#ifdef NOTES_TEST_HOOKS
void test_hook_pass(const char *name);
#define TEST_HOOK(name) test_hook_pass(name)
#else
#define TEST_HOOK(name) ((void)0)
#endif

#endif
