#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs in the container of Redis: `serve` starts it, `health` asks it. The password is in a file; it goes through
# pipes only, never through an environment or a command line, which others could read.
set -eu

password_file=/run/secrets/redis_password

die() {
    echo "redis.sh: $*" >&2
    exit 1
}

password() {
    [ -r "$password_file" ] || die "there is no password that can be read in $password_file"
    # Also for its last line without an end.
    IFS= read -r line <"$password_file" || [ -n "${line:-}" ] || die "the password in $password_file is empty"
    case $line in
        '' | *[!A-Za-z0-9_-]*) die "the password in $password_file is not one of letters, digits, - and _" ;;
    esac
    printf '%s\n' "$line"
}

# The services' names only, and no command but those that svc-notes sends. TIME is used inside its script; ROLE tells a
# master from a replica.
access() {
    printf 'user default reset on >%s ~notes:* &notes:* %s\n' "$1" \
        '-@all +auth +ping +role +select +client|setname +get +set +del +hset +hsetnx +hgetall +hdel +pexpire +publish +subscribe +unsubscribe +eval +time'
}

case ${1:-} in
    serve)
        secret=$(password)
        exec redis-server /etc/notes/redis.conf - <<RULES
$(access "$secret")
RULES
        ;;
    health)
        secret=$(password)
        answer=$(printf 'AUTH %s\nPING\n' "$secret" | redis-cli -h 127.0.0.1)
        [ "$(printf '%s\n' "$answer" | tail -n 1)" = PONG ] || die "$answer"
        ;;
    *) die "usage: redis.sh serve | health" ;;
esac
