#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs in the containers of the databases, MySQL's as well as MariaDB's:
#
#   serve     starts the image's own way, with the options that follow, once both passwords are there and the data are not
#             of a newer server
#   health    does the server answer its service's user over TCP? (The server that fills a new volume listens on no port.)
#   dump      the database as SQL, of one moment, to standard output
#   load      reads such SQL into a database beside the live one, which stays as it is
#   swap      the loaded tables take the place of the live ones in one statement, which nobody sees half done
#   drop      forgets what was loaded
#   is-used   prints 1 when people have put something in, else 0
#   identity  prints what the services remember of the data since their start: a digest of keys and schema
#
# Passwords are in files; they go through pipes only, never through an environment or a command line.
set -eu

live=$MYSQL_DATABASE
loaded=${live}_loaded
former=${live}_former
data=/var/lib/mysql

die() {
    echo "database.sh: $*" >&2
    exit 1
}

# The first one that is there: MariaDB's image knows its tools by its own names only.
tool() {
    command -v "$1" || command -v "$2" || die "the image has neither $1 nor $2"
}

password() { # file
    [ -r "$1" ] || die "there is no password that can be read in $1"
    # Also for its last line without an end.
    IFS= read -r line <"$1" || [ -n "${line:-}" ] || die "the password in $1 is empty"
    case $line in
        '' | *[!A-Za-z0-9_-]*) die "the password in $1 is not one of letters, digits, - and _" ;;
    esac
    printf '%s\n' "$line"
}

options() { # user file-of-password
    secret=$(password "$2")
    printf '[client]\nuser=%s\npassword=%s\ndefault-character-set=utf8mb4\nmax-allowed-packet=64M\n' "$1" "$secret"
}

# The first two numbers of a version, as one.
release() { # version
    rest=${1#*.}
    echo "$((${1%%.*} * 1000 + ${rest%%.*}))"
}

# MySQL refuses what a newer one has written. MariaDB does not: it takes it for damaged and goes on. What has brought the
# system tables up to date noted its version.
refuse_newer_data() {
    command -v mariadbd >/dev/null || return 0
    here=$(mariadbd --version)
    here=${here#* Ver }
    for file in "$data/mariadb_upgrade_info" "$data/mysql_upgrade_info"; do
        [ -s "$file" ] || continue
        noted=$(cat "$file")
        [ "$(release "$noted")" -le "$(release "$here")" ] ||
            die "the data are of MariaDB ${noted%%-*}, and this is ${here%%-*}, which would damage them: set MYSQL_IMAGE to the" \
                "newer one again; docker/README.md, \"A newer database image\", has the way back"
    done
}

# The images would fill a new volume all the same, without the user.
serve() {
    for file in "$MYSQL_PASSWORD_FILE" "$MYSQL_ROOT_PASSWORD_FILE"; do password "$file" >/dev/null; done
    refuse_newer_data
    exec docker-entrypoint.sh "$@"
}

# A statement as the administrator, who is let in on the socket only.
as_root() { # database statement
    options root "$MYSQL_ROOT_PASSWORD_FILE" |
        "$(tool mysql mariadb)" --defaults-extra-file=/dev/stdin --socket=/tmp/mysql.sock --batch --skip-column-names \
            --database="$1" --execute="$2"
}

health() {
    options "$MYSQL_USER" "$MYSQL_PASSWORD_FILE" |
        "$(tool mysql mariadb)" --defaults-extra-file=/dev/stdin --protocol=tcp --host=127.0.0.1 --connect-timeout=3 \
            --database="$live" --execute='SELECT 1' >/dev/null
}

# Read as the service's own user, who may read all that is in it.
dump() {
    program=$(tool mysqldump mariadb-dump)
    help=$("$program" --help 2>/dev/null)
    set -- --single-transaction --quick --no-tablespaces --skip-lock-tables --hex-blob "$live"
    # Of MySQL only: what belongs to the server rather than to the database.
    for option in set-gtid-purged=OFF skip-masking-policies; do
        name=${option#skip-}
        case $help in *" --${name%%=*}"*) set -- "--$option" "$@" ;; esac
    done
    options "$MYSQL_USER" "$MYSQL_PASSWORD_FILE" |
        "$program" --defaults-extra-file=/dev/stdin --socket=/tmp/mysql.sock "$@"
}

load() {
    drop
    as_root '' "CREATE DATABASE $loaded DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    # The SQL is what came to standard input, descriptor 4 from here on; the password comes in by descriptor 5.
    exec 4<&0
    options root "$MYSQL_ROOT_PASSWORD_FILE" |
        "$(tool mysql mariadb)" --defaults-extra-file=/dev/fd/5 --socket=/tmp/mysql.sock --database="$loaded" 5<&0 <&4
}

drop() {
    as_root '' "DROP DATABASE IF EXISTS $loaded; DROP DATABASE IF EXISTS $former"
}

tables() { # database
    as_root '' "SELECT table_name FROM information_schema.tables WHERE table_schema = '$1' ORDER BY table_name"
}

swap() {
    moves=
    names=$(tables "$loaded")
    [ -n "$names" ] || die "nothing was loaded"
    for name in $(tables "$live"); do moves="$moves, $live.\`$name\` TO $former.\`$name\`"; done
    for name in $names; do moves="$moves, $loaded.\`$name\` TO $live.\`$name\`"; done
    as_root '' "CREATE DATABASE $former; RENAME TABLE ${moves#, }; DROP DATABASE $former; DROP DATABASE $loaded"
}

has_table() { # name
    tables "$live" | grep -qx "$1"
}

is_used() {
    for name in users notes destroyed_notes; do
        if has_table "$name" && [ "$(as_root "$live" "SELECT EXISTS (SELECT 1 FROM $name)")" = 1 ]; then echo 1 && return; fi
    done
    echo 0
}

identity() {
    for name in schema_migrations site_values service_values; do
        ! has_table "$name" || as_root "$live" "SELECT * FROM $name ORDER BY 1"
    done | sha256sum
}

case ${1:-} in
    serve) shift && serve "$@" ;;
    health | dump | load | swap | drop | identity) "$1" ;;
    is-used) is_used ;;
    *) die "usage: database.sh serve | health | dump | load | swap | drop | is-used | identity" ;;
esac
