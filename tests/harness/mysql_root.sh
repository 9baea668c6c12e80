#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts a Debian with a real MySQL, server and clients, into a folder, for chroot: tests/harness/mysql_root.sh DIR
# The packages come from where this machine's own come from: Debian 13, and of unstable only MySQL with what it needs.
# A folder that is ready is used as it is. Where that can't be had the reason is one line, and the exit code 77.
set -uo pipefail

dir=$1
base=$(dirname "$dir")/debian-root
done_mark=$dir/.ready-with-clients
log=$dir.log

skip() {
    printf '%s\n' "$*"
    exit 77
}

inside() { LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$dir" "$@"; }

add_unstable() { # mirror
    cat >"$dir/etc/apt/sources.list.d/unstable.sources" <<SOURCES
Types: deb
URIs: $1
Suites: unstable
Components: main
Check-Valid-Until: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
    printf 'Package: *\nPin: release a=unstable\nPin-Priority: 100\n' >"$dir/etc/apt/preferences.d/unstable"
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d" # nothing starts by being installed
    chmod 755 "$dir/usr/sbin/policy-rc.d"
}

make_root() {
    local mirror
    cp -a "$base" "$dir" && mirror=$(awk '$1 == "deb" {print $2; exit}' "$dir/etc/apt/sources.list") && add_unstable "$mirror" &&
        inside apt-get update &&
        inside apt-get install -y --no-install-recommends -t unstable mysql-server-core mysql-client-core &&
        inside apt-get clean && rm -rf "$dir"/var/lib/apt/lists/* &&
        { inside id mysql >/dev/null 2>&1 || inside useradd --system --no-create-home --shell /usr/sbin/nologin mysql; } &&
        inside mysqld --version
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9 # another run may be at it
[ -f "$done_mark" ] && exit 0
reason=$("$(dirname "$0")/debian_root.sh" "$base" 9>&-) || skip "a real MySQL: $reason"
rm -rf "$dir"
if ! make_root >"$log" 2>&1; then
    skip "today's MySQL of Debian unstable can't be installed: $(grep -E '^E: |^mysqld: ' "$log" | head -n 1 | tr -d '\r')"
fi
touch "$done_mark"
