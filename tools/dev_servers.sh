# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# MariaDB and Redis for `./dev run --local-servers`: private processes on 127.0.0.1, data and passwords in one folder
# that is its user's alone. The machine's own servers are not touched. Sourced by dev, which has die, say, start_child,
# child_is_running, and of the run port, users_port and replicas.
#
#   FOLDER/mariadb, redis      their data
#   FOLDER/*.password          one password a line, 0600, random
#   FOLDER/*.log

# Of Debian's packages those without a service of the system; redis-tools holds the program of redis-server.
# shellcheck disable=SC2034  # used by dev
servers_packages=(mariadb-server-core mariadb-client-core redis-tools)
# shellcheck disable=SC2034  # used by its name
servers_settings=(LC_ALL=C)

# A random password, made once. The rename makes it whole or not there.
make_password() { # file
    [ -s "$1" ] && return
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$1.new"
    mv "$1.new" "$1"
}

# Will one of this run's services listen there, once its servers do?
# shellcheck disable=SC2154  # dev has them
is_for_service() { # port
    [ "$1" -eq "$users_port" ] || { [ "$1" -ge "$port" ] && [ "$1" -lt $((port + replicas)) ]; }
}

# A port where nothing listens or will, below those that the system gives to outgoing connections.
find_port() {
    local found i
    for ((i = 0; i < 100; i++)); do
        found=$((20000 + RANDOM % 12000))
        is_for_service "$found" || port_is_open 127.0.0.1 "$found" || { echo "$found" && return; }
    done
    die "no free port was found"
}

# Waits for a server that was started just now; shows its log when it ends instead.
wait_server() { # name log command...
    local name=$1 log=$2 i
    shift 2
    starting_pid=$!
    for ((i = 0; i < 1200; i++)); do
        child_is_running "$name" || { tail -n 5 "$log" >&2 && die "$name ended at its start; all of it is in $log"; }
        "$@" && starting_pid= && return
        sleep 0.05
    done
    die "$name does not answer; see $log"
}

# As the administrator, whom the server knows by the owner of the process, not by a password.
mariadb_admin() { # folder arguments...
    local data=$1/mariadb
    shift
    (cd "$data" && exec mariadb --no-defaults --protocol=socket --socket=mariadb.sock --user="$(id -un)" "$@")
}

mariadb_answers() { mariadb_admin "$1" -e 'SELECT 1' >/dev/null 2>&1; }

# A database for each service, and a user who may use that one only. Said at each start: a first start may have been cut off.
mariadb_grants() { # folder
    local name
    for name in notes users; do
        cat <<END
CREATE DATABASE IF NOT EXISTS $name;
CREATE USER IF NOT EXISTS $name@127.0.0.1;
ALTER USER $name@127.0.0.1 IDENTIFIED BY '$(cat "$1/$name.password")';
GRANT ALL ON $name.* TO $name@127.0.0.1;
END
    done
}

start_mariadb() { # folder; sets mariadb_port
    local data=$1/mariadb me
    me=$(id -un)
    make_password "$1/notes.password"
    make_password "$1/users.password"
    if [ ! -d "$data" ]; then
        say "Making a database server's folder in $data ..."
        rm -rf "$data.new"
        # It can't take a folder whose name has a space: it works beside it.
        (cd "$1" && mariadb-install-db --no-defaults --user="$me" --datadir=./mariadb.new --auth-root-authentication-method=socket \
            --auth-root-socket-user="$me" --skip-test-db --skip-log-bin) >"$1/mariadb.log" 2>&1 ||
            { tail -n 5 "$1/mariadb.log" >&2 && die "mariadb-install-db failed; all of it is in $1/mariadb.log"; }
        mv "$data.new" "$data"
    fi
    mkdir -p "$1/tmp" # in one that is shared, a server that starts removes another one's temporary tables
    mariadb_port=$(find_port)
    # The socket is named from the data folder, where the server works: a long path has no room in a socket's address.
    start_child MariaDB "$1/mariadb.log" "$1/mariadb.log" servers_settings "$(PATH=$PATH:/usr/sbin command -v mariadbd)" \
        --no-defaults --user="$me" --datadir="$data" --tmpdir="$1/tmp" --socket=mariadb.sock --bind-address=127.0.0.1 --port="$mariadb_port" \
        --character-set-server=utf8mb4 --skip-name-resolve --skip-log-bin --local-infile=0 --max-connections=1000
    wait_server MariaDB "$1/mariadb.log" mariadb_answers "$1"
    mariadb_grants "$1" | mariadb_admin "$1" >>"$1/mariadb.log" 2>&1 ||
        die "MariaDB refused to make databases; see $1/mariadb.log"
}

redis_answers() { # folder
    local answer
    answer=$(REDISCLI_AUTH=$(cat "$1/redis.password") redis-cli -h 127.0.0.1 -p "$redis_port" ping 2>&1) || return 1
    [ "$answer" = PONG ]
}

start_redis() { # folder; sets redis_port
    local data=$1/redis
    make_password "$1/redis.password"
    redis_port=$(find_port)
    mkdir -p "$data"
    # The package redis-server is this link and a service; the name decides what the program is.
    ln -sf "$(command -v redis-check-rdb)" "$data/redis-server"
    cat >"$data/redis.conf" <<END
bind 127.0.0.1
port $redis_port
requirepass $(cat "$1/redis.password")
appendonly yes
appendfsync everysec
save ""
END
    cd "$data" || die "the folder $data can't be entered"
    start_child Redis "$1/redis.log" "$1/redis.log" servers_settings ./redis-server ./redis.conf
    cd "$OLDPWD" || exit
    wait_server Redis "$1/redis.log" redis_answers "$1"
}
