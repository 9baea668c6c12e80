#!/bin/sh
# SPDX-License-Identifier: MIT
# What the public redis image does at its start: options alone are redis-server's, root becomes the user redis, and the
# protected mode is off unless it is named, for other containers are to be let in.
set -eu

case ${1:-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ]; then
    umask 0077
    case $* in
        *protected-mode*) ;;
        *) set -- "$@" --protected-mode no ;;
    esac
    if [ "$(id -u)" = 0 ]; then
        chown -R redis:redis .
        exec setpriv --reuid redis --regid redis --clear-groups "$@"
    fi
fi
exec "$@"
