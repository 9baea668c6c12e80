#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts a Debian with a real MySQL server into a folder, for chroot: tests/harness/mysql_root.sh DIR
# The packages come from where this machine's own come from: Debian 13, and of unstable only mysql-server-core with what
# it needs. A folder that is ready is used as it is. Where that can't be had the reason is one line, and the exit code 77.
set -uo pipefail

dir=$1
suite=trixie
done_mark=$dir/.ready
log=$dir.log

skip() {
    printf '%s\n' "$*"
    exit 77
}

# The mirror of this machine, its name not written down anywhere.
find_mirror() {
    local format="\$(REPO_URI)"
    apt-get indextargets --format "$format" 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1
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

make_root() { # mirror
    debootstrap --variant=minbase "$suite" "$dir" "$1" && add_unstable "$1" && inside apt-get update &&
        inside apt-get install -y --no-install-recommends -t unstable mysql-server-core &&
        inside apt-get clean && rm -rf "$dir"/var/lib/apt/lists/* &&
        { inside id mysql >/dev/null 2>&1 || inside useradd --system --no-create-home --shell /usr/sbin/nologin mysql; } &&
        inside mysqld --version
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9 # another run may be at it
[ -f "$done_mark" ] && exit 0
[ "$(id -u)" -eq 0 ] || skip "a real MySQL needs root, for chroot"
command -v debootstrap >/dev/null || skip "a real MySQL needs debootstrap"
mirror=$(find_mirror)
[ -n "$mirror" ] || skip "a real MySQL needs Debian's packages, and no source of them is set up here"
rm -rf "$dir"
if ! make_root "$mirror" >"$log" 2>&1; then
    skip "today's MySQL of Debian unstable can't be installed: $(grep -E '^E: |^mysqld: ' "$log" | head -n 1 | tr -d '\r')"
fi
touch "$done_mark"
