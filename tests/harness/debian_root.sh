#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts a small Debian into a folder, Debian 13 or the suite that is named: tests/harness/debian_root.sh DIR [SUITE]
# The packages come from where this machine's own come from, and so do its security archive and updates, which are named
# in its sources where this machine has them: as in the public image they are not installed yet. A folder that is ready is used as it is. Where that can't
# be had the reason is one line, and the exit code 77.
set -uo pipefail

dir=$1
suite=${2:-trixie}
done_mark=$dir.ready-with-updates
log=$dir.log

skip() {
    printf '%s\n' "$*"
    exit 77
}

# The mirror of this machine, its name not written down anywhere.
find_mirror() { # label
    local format="\$(REPO_URI)"
    apt-get indextargets --format "$format" 'Origin: Debian' "Label: $1" 2>/dev/null | head -n 1
}

add_updates() { # mirror
    local security
    security=$(find_mirror Debian-Security)
    {
        printf 'deb %s %s-updates main\n' "$1" "$suite"
        if [ -n "$security" ]; then printf 'deb %s %s-security main\n' "$security" "$suite"; fi
    } >"$dir/etc/apt/sources.list.d/updates.list"
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9 # another run may be at it
[ -f "$done_mark" ] && exit 0
[ "$(id -u)" -eq 0 ] || skip "a Debian in a folder needs root"
command -v debootstrap >/dev/null || skip "a Debian in a folder needs debootstrap"
mirror=$(find_mirror Debian)
[ -n "$mirror" ] || skip "a Debian in a folder needs Debian's packages, and no source of them is set up here"
rm -rf "$dir"
if ! debootstrap --variant=minbase "$suite" "$dir" "$mirror" >"$log" 2>&1; then
    skip "Debian $suite can't be had: $(grep '^E: ' "$log" | head -n 1)"
fi
add_updates "$mirror"
rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/*
touch "$done_mark"
