#!/bin/sh
# SPDX-License-Identifier: MIT
# Asks the edge in its own container: /healthz, whether it runs; /readyz, whether it knows a replica that is ready.
# The image has no HTTP client if it is Debian's kind, but bash; and busybox if it is Alpine's.
set -eu
if command -v wget >/dev/null; then exec wget -q -O /dev/null "http://127.0.0.1:8404$1"; fi
# shellcheck disable=SC2016  # bash expands it
exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/8404 && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 &&
    read -r -t 4 line <&3 && [[ $line == "HTTP/"*" 200 "* ]]' bash "$1"
