#!/bin/sh
# SPDX-License-Identifier: MIT
# What the public haproxy image does at its start: options alone are haproxy's, and it runs in the foreground with a
# master process, which takes SIGUSR1 for a soft stop and SIGUSR2 for a reload.
set -eu

case ${1:-} in
    -*) set -- haproxy "$@" ;;
esac
if [ "$1" = haproxy ]; then
    shift
    set -- haproxy -W -db "$@"
fi
exec "$@"
