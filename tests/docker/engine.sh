#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A container engine for tests, one for all runs of this machine.
#
#   engine.sh start    prints the settings under which `docker` and `docker compose` work, NAME=VALUE each. The engine that
#                      runs on this machine is used when there is one; else one is started, with its own socket and data.
#   engine.sh stop     stops what start has started, unless another run uses it: a run is who holds a shared lock of USERS.
#   engine.sh remove   stops it and deletes its data, images too.
#
# Where no engine can be had the reason is one line, and the exit code 77. Needs root to start one.
set -uo pipefail

run=/run/notes-test-engine
data=/var/lib/notes-test-engine
users=/run/lock/notes-test-engine.users
socket=unix://$run/docker.sock
label=notes.test-engine=1 # such an engine is the tests' own
log=$data/dockerd.log
start_max_s=60
stop_max_s=60

skip() {
    printf '%s\n' "$*"
    exit 77
}

answers() { # [host]
    timeout 20 docker ${1:+--host "$1"} version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# The socket of an engine that runs: what the environment says, what the system has, the tests' own.
find_engine() {
    local host
    for host in "${DOCKER_HOST:-}" "$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)" \
        unix:///var/run/docker.sock "$socket"; do
        [ -n "$host" ] && answers "$host" && printf '%s' "$host" && return
    done
    return 1
}

# Is this process id, out of a file that may be old, a program of the tests' own engine?
is_ours() { # pid
    [ -n "$1" ] && { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qF "$run/"
}

pid_in() { cat "$1" 2>/dev/null; }

# What an engine that was killed leaves behind keeps the next one from starting.
clean_up_after_a_crash() {
    local file pid
    for file in "$run/docker.pid" "$run/exec/containerd/containerd.pid"; do
        pid=$(pid_in "$file")
        if is_ours "$pid"; then stop_process "$pid"; fi
        rm -f "$file"
    done
    rm -f "$run/docker.sock" "$run"/exec/containerd/*.sock "$run"/exec/containerd/*.sock.ttrpc
}

stop_process() { # pid
    local i
    kill -TERM "$1" 2>/dev/null
    for ((i = 0; i < stop_max_s * 10; i++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null
}

# The engine turns forwarding on and lets nothing through but its own; that is put back when it has ended.
note_firewall() {
    [ -e "$run/firewall" ] ||
        printf '%s %s\n' "$(cat /proc/sys/net/ipv4/ip_forward)" "$(iptables -S FORWARD | awk '$1 == "-P" {print $3}')" >"$run/firewall"
}

restore_firewall() {
    local forward policy
    [ -e "$run/firewall" ] || return 0
    read -r forward policy <"$run/firewall"
    iptables-save | grep -vE 'DOCKER|docker0|docker_gwbridge|-[io] br-[0-9a-f]{12}' | iptables-restore
    iptables -P FORWARD "$policy"
    printf '%s\n' "$forward" >/proc/sys/net/ipv4/ip_forward
    if command -v ip >/dev/null; then
        ip link delete docker0
        ip link delete docker_gwbridge
    fi 2>/dev/null
    rm -f "$run/firewall"
}

start_engine() {
    local pid i
    [ "$(id -u)" -eq 0 ] || skip "no container engine answers, and only root can start one"
    for program in dockerd iptables; do
        command -v $program >/dev/null || skip "no container engine answers, and to start one $program is missing"
    done
    pid=$(pgrep -o -x dockerd)
    [ -z "$pid" ] || is_ours "$pid" || skip "the container engine of this machine (process $pid) does not answer"
    mkdir -p "$run" "$data"
    clean_up_after_a_crash
    note_firewall
    setsid dockerd --host "$socket" --data-root "$data/data" --exec-root "$run/exec" --pidfile "$run/docker.pid" --label "$label" \
        --storage-driver overlay2 </dev/null >"$log" 2>&1 8>&- 9>&- &
    pid=$!
    for ((i = 0; i < start_max_s * 10; i++)); do
        answers "$socket" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    restore_firewall
    skip "the container engine does not start: $(grep -E 'failed to start|level=fatal|level=error' "$log" | tail -n 1)"
}

cmd_start() {
    local host
    command -v docker >/dev/null || skip "containers need docker, the command"
    if [ "$(id -u)" -eq 0 ]; then # another run may be at it
        mkdir -p "$(dirname "$users")"
        exec 9>"$users.start"
        flock 9
    fi
    host=$(find_engine) || { start_engine && host=$socket; } || exit
    printf 'DOCKER_HOST=%s\n' "$host"
    find_compose "$host"
}

# Compose is a plugin of the command. Where there is none Debian's is taken into a folder of the tree, which then stands
# for the user's own settings of docker: of these nothing is needed.
find_compose() { # host
    local folder program image
    docker compose version >/dev/null 2>&1 && return
    folder=$(cd "$(dirname "$0")/../.." && pwd)/build-test/docker
    program=$folder/cli-plugins/docker-compose
    if [ ! -x "$program" ]; then
        image=$(DOCKER_HOST=$1 "$(dirname "$0")/images.sh" debian) || skip "no Compose: $image"
        mkdir -p "$folder/cli-plugins"
        docker --host "$1" run --rm "$image" sh -ec '{ cd /tmp && apt-get update && apt-get download docker-compose &&
            dpkg-deb --extract docker-compose_*.deb out; } >&2
            cat out/usr/libexec/docker/cli-plugins/docker-compose' >"$program.new" 2>"$program.log" ||
            skip "Compose can't be had: $(grep '^E: ' "$program.log" | head -n 1)"
        chmod 755 "$program.new" && mv "$program.new" "$program"
    fi
    printf 'DOCKER_CONFIG=%s\n' "$folder"
}

cmd_stop() {
    local pid
    pid=$(pid_in "$run/docker.pid")
    is_ours "$pid" || return 0
    exec 8>"$users"
    flock -n 8 || return 0 # others use it; the last one stops it
    stop_process "$pid"
    clean_up_after_a_crash
    restore_firewall
}

cmd_remove() {
    cmd_stop
    ! is_ours "$(pid_in "$run/docker.pid")" || { printf 'engine.sh: it is in use\n' >&2 && exit 1; }
    awk -v folder="$data/" 'index($2, folder) == 1 {print $2}' /proc/mounts | sort -r | while read -r mount; do umount "$mount" 2>/dev/null; done
    rm -rf "$data" "$run"
}

case ${1:-} in
    start | stop | remove) "cmd_$1" ;;
    *) sed -n 's/^#   //p' "$0" >&2 && exit 2 ;;
esac
