#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes an image that stands in for a public one, out of Debian's packages, in the engine of DOCKER_HOST, and prints its
# name: tests/docker/images.sh debian|mysql|mariadb|mariadb-10.11|redis|haproxy
# What is there is used. In an engine that the tests have started (engine.sh) the image has the public name as well.
# Where it can't be made the reason is one line, and the exit code 77.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build-test
kind=${1:-}
log=$out/image-$kind.log
suite=trixie
dockerfile=$kind

case $kind in
    debian) name=notes-test/debian-with-updates:trixie public=debian:trixie-slim ;;
    mysql) name=notes-test/mysql:9 public=mysql:8.4 ;;
    mariadb) name=notes-test/mariadb:11.8 public=mariadb:11.8 ;;
    mariadb-10.11) name=notes-test/mariadb:10.11 public=mariadb:10.11 suite=bookworm dockerfile=mariadb ;;
    redis) name=notes-test/redis:8 public=redis:8 ;;
    haproxy) name=notes-test/haproxy:3.0 public=haproxy:3.0 ;;
    *) sed -n '3,6s/^# //p' "$0" >&2 && exit 2 ;;
esac

debian=notes-test/debian-with-updates:$suite

skip() {
    printf '%s\n' "$*"
    exit 77
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }
is_tests_engine() { docker info --format '{{json .Labels}}' | grep -qF '"notes.test-engine=1"'; }

# A folder with a Debian becomes an image. Documentation is left out but for the licences (copyright), as in the public one.
import_root() { # folder image
    tar -C "$1" -c --exclude='./tmp/*' --exclude='./var/notes-*' --exclude='./var/lib/apt/lists/*' \
        --exclude='./usr/share/doc/*/[!c]*' --exclude='./usr/share/doc/*/c[!o]*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' . | docker import --change 'CMD ["bash"]' - "$2"
}

make_debian() {
    local reason root=$out/debian-root
    [ "$suite" = trixie ] || root+=-$suite
    has_image "$debian" && return
    if has_image "debian:$suite-slim" && ! is_tests_engine; then # a user's own
        docker tag "debian:$suite-slim" "$debian"
        return
    fi
    reason=$("$here/../harness/debian_root.sh" "$root" "$suite" 9>&-) || skip "$reason"
    import_root "$root" "$debian" >"$log" 2>&1 || skip "no image of Debian: $(tail -n 1 "$log")"
}

make_mysql_root() {
    local reason root=${NOTES_MYSQL_ROOT:-$out/mysql-root}
    has_image notes-test/mysql-root && return
    reason=$("$here/../harness/mysql_root.sh" "$root" 9>&-) || skip "$reason"
    import_root "$root" notes-test/mysql-root >"$log" 2>&1 || skip "no image of MySQL: $(tail -n 1 "$log")"
}

# The engine's own cache knows what is unchanged. Packages that can't be had are a reason to skip; a fault of ours is none.
build() {
    DOCKER_BUILDKIT=0 docker build --tag "$name" --build-arg "DEBIAN=$debian" \
        --file "$here/images/$dockerfile.Dockerfile" "$here/images" >"$log" 2>&1 && return
    if grep -aq '^E: ' "$log"; then skip "no image $name: $(grep -a '^E: ' "$log" | tail -n 1)"; fi
    cat "$log" >&2
    exit 1
}

mkdir -p "$out"
exec 9>"$out/images.lock"
flock 9 # another run may be at it
case $kind in
    debian) make_debian ;;
    mysql) make_mysql_root && build ;;
    *) make_debian && build ;;
esac
if is_tests_engine; then docker tag "$name" "$public"; fi
printf '%s\n' "$name"
