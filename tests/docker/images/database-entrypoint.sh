#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the public mysql and mariadb images do at their start, as far as a deployment needs it: an empty data folder is set
# up with the accounts and the database that the environment names, on a server that no network reaches; then the real
# server takes this process' place. Each variable may also be given as NAME_FILE; for MariaDB also as MARIADB_...
set -euo pipefail

say() { printf '%s [entrypoint]: %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }
die() { say "$@" && exit 1; }

if command -v mariadbd >/dev/null; then
    server=mariadbd client=mariadb admin=mariadb-admin
else
    server=mysqld client=mysql admin=mysqladmin
fi

# The value of the variable or of the file that NAME_FILE names, in the variable `given`.
take() { # name-without-prefix
    local prefix name file seen=()
    given=
    for prefix in MYSQL_ MARIADB_; do
        [ "$prefix$server" != MARIADB_mysqld ] || continue
        name=$prefix$1 file=${prefix}$1_FILE
        if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then die "both $name and $file are set, which exclude each other"; fi
        if [ -n "${!file:-}" ]; then
            given=$(<"${!file}") || die "$file can't be read: ${!file}"
            seen+=("$file")
        elif [ -n "${!name:-}" ]; then
            given=${!name}
            seen+=("$name")
        fi
        unset "$file"
        unset "$name"
    done
    [ ${#seen[@]} -le 1 ] || die "${seen[*]} are set, one of them too many"
}

take_all() {
    take DATABASE && database=$given
    take USER && user=$given
    take PASSWORD && password=$given
    take ROOT_PASSWORD && root_password=$given
    take ROOT_HOST && root_host=${given:-%}
    take ALLOW_EMPTY_ROOT_PASSWORD && allows_empty=$given
    take ALLOW_EMPTY_PASSWORD && allows_empty=$allows_empty$given
    take RANDOM_ROOT_PASSWORD
    if [ -n "$given" ]; then
        root_password=$(head -c 18 /dev/urandom | base64)
        say "GENERATED ROOT PASSWORD: $root_password"
    fi
}

check_all() {
    if [ -z "$root_password$allows_empty" ]; then
        die "the data folder is empty, and none of ROOT_PASSWORD, ALLOW_EMPTY_PASSWORD, RANDOM_ROOT_PASSWORD is set"
    fi
    [ "$user" != root ] || die "USER=root: the account root is made from ROOT_PASSWORD"
    if [ -n "$user" ] && [ -z "$password" ]; then die "USER is set, but no PASSWORD"; fi
    if [ -n "$password" ] && [ -z "$user" ]; then say "PASSWORD is set, but no USER: no account is made"; fi
}

# A setting as the server itself understands its files and these arguments.
setting_of() { # name server arguments...
    local name=$1
    shift
    "$@" --verbose --help 2>/dev/null | awk -v name="$name" 'index($0, name " ") == 1 && !seen {seen = 1; print $2}'
}

make_data() { # server arguments...
    say "setting up $data"
    if [ "$server" = mariadbd ]; then
        mariadb-install-db --datadir="$data" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve \
            --skip-log-bin --cross-bootstrap >/dev/null
    else
        "$@" --initialize-insecure
    fi
}

ask() { "$client" --no-defaults --protocol=socket --socket="$socket" --user=root --comments "$@"; }

start_temporary() { # server arguments...
    "$@" --skip-networking --socket="$socket" &
    temporary=$!
    for ((i = 0; i < 600; i++)); do
        "$admin" --no-defaults --socket="$socket" --user=root --connect-timeout=2 ping >/dev/null 2>&1 && return
        kill -0 "$temporary" 2>/dev/null || die "the temporary server ended"
        sleep 0.1
    done
    die "the temporary server does not answer"
}

literal() { # text; as an SQL string
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\\\'}"
}

# A database's or an account's name, as SQL writes it.
name_of() {
    local quote='`'
    printf '%s' "$quote${1//$quote/$quote$quote}$quote"
}

# MariaDB's own: root without a password from some addresses, and accounts without a name.
write_drops() {
    ask --batch --skip-column-names --execute="SELECT CONCAT('DROP USER ', QUOTE(user), '@', QUOTE(host), ';') FROM mysql.user
        WHERE user = '' OR (user = 'root' AND host <> 'localhost')"
}

write_accounts() {
    local password_sql pattern
    echo "SET sql_log_bin = 0;"
    password_sql=$(literal "$root_password")
    if [ "$root_host" != localhost ]; then
        printf 'CREATE USER root@%s IDENTIFIED BY %s;\n' "$(literal "$root_host")" "$password_sql"
        printf 'GRANT ALL ON *.* TO root@%s WITH GRANT OPTION;\n' "$(literal "$root_host")"
    fi
    if [ -n "$database" ]; then printf 'CREATE DATABASE IF NOT EXISTS %s;\n' "$(name_of "$database")"; fi
    if [ -n "$user" ] && [ -n "$password" ]; then
        printf 'CREATE USER %s@%s IDENTIFIED BY %s;\n' "$(literal "$user")" "'%'" "$(literal "$password")"
        pattern=${database//_/\\_}
        if [ -n "$database" ]; then printf 'GRANT ALL ON %s.* TO %s@%s;\n' "$(name_of "$pattern")" "$(literal "$user")" "'%'"; fi
    fi
    printf 'ALTER USER root@localhost IDENTIFIED BY %s;\n' "$password_sql"
}

# Scripts that somebody has laid into the image's folder for this; the root password is set by now.
run_scripts() {
    local file options=()
    [ -z "$database" ] || options+=(--database="$database")
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) say "running $file" && bash "$file" ;;
            *.sql) say "running $file" && MYSQL_PWD=$root_password ask "${options[@]}" <"$file" ;;
        esac
    done
}

set_up() { # server arguments...
    take_all
    check_all
    make_data "$@"
    start_temporary "$@"
    write_drops | ask
    write_accounts | ask
    run_scripts
    kill -TERM "$temporary"
    wait "$temporary" || die "the temporary server did not end well"
    say "$data is set up"
}

# Whether the system tables are of an older MariaDB than this one, by the first two numbers, as mariadb-upgrade has noted them.
is_older() {
    local noted here
    [ "$server" = mariadbd ] || return 1
    noted=$(cat "$data/mariadb_upgrade_info" 2>/dev/null || cat "$data/mysql_upgrade_info" 2>/dev/null) || true
    here=$("$server" --version)
    noted=$(cut -d. -f1,2 <<<"$noted") here=$(cut -d. -f1,2 <<<"${here#* Ver }")
    [ "$noted" != "$here" ] && printf '%s\n' "$noted" "$here" | sort -CV
}

# MySQL does this by itself, MariaDB when the environment says so.
upgrade() { # server arguments...
    say "bringing the system tables up to date"
    start_temporary "$@" --skip-grant-tables
    mariadb-upgrade --no-defaults --socket="$socket" --user=root --upgrade-system-tables
    kill -TERM "$temporary"
    wait "$temporary" || die "the temporary server did not end well"
}

if [ $# -eq 0 ] || [ "${1:0:1}" = - ]; then set -- "$server" "$@"; fi
if [ "$1" != "$server" ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
    mkdir -p /var/lib/mysql
    chown -R mysql:mysql /var/lib/mysql /run/mysqld
    exec setpriv --reuid mysql --regid mysql --clear-groups "$0" "$@"
fi
data=$(setting_of datadir "$@")
socket=$(setting_of socket "$@")
[ -n "$data" ] || die "$* is not understood: $("$@" --verbose --help 2>&1 >/dev/null | tail -n 3)"
if [ ! -d "$data/mysql" ]; then
    (set_up "$@")
elif [ "${MARIADB_AUTO_UPGRADE:-0}" != 0 ] && is_older; then
    (upgrade "$@")
fi
unset "${!MYSQL_@}" "${!MARIADB_@}"
exec "$@"
