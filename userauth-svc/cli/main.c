/* SPDX-License-Identifier: MIT
 *
 * userauth-cli's main function; everything is in cli.c, so that it can be called otherwise too. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return (int)cli_main(argc, argv);
}
