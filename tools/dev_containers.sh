# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# `./dev up`, `down`, `backup` and `restore`: the deployment of docker/compose.yaml. Sourced by dev, which has die and say.

# Of MySQL, Redis and between the services. Each is a file of one line, made when it is missing, never written again.
database_secrets=(db_userauth_password db_userauth_root_password db_notes_password db_notes_root_password)
other_secrets=(redis_password userauth_key)
databases=(db-userauth db-notes)
edge_ready_max_s=60
compose_files=(-f docker/compose.yaml)
own_file=${OWN_FILE:-docker/own.yaml}

# Somebody's own file, if there is one, has the last word.
compose() {
    local own=()
    [ ! -s "$own_file" ] || own=(-f "$own_file")
    docker compose "${compose_files[@]}" "${own[@]}" "$@"
}

in_database() { # service command
    compose exec -T "$1" /bin/sh /etc/notes/database.sh "$2"
}

# No engine is installed behind anybody's back: it runs as root and changes the machine's network.
check_docker() {
    local why version
    [ -z "${OWN_FILE:-}" ] || [ -e "$OWN_FILE" ] || die "OWN_FILE: there is no file $OWN_FILE"
    command -v docker >/dev/null || die "Docker is not here. Debian 13 has it as docker.io and docker-compose; other systems: docs.docker.com/engine/install"
    why=$(docker version --format '{{.Server.Version}}' 2>&1 >/dev/null) ||
        die "the Docker engine can't be reached: ${why##*$'\n'}
     Does it run, and may you use it (root and the group docker may)?"
    version=$(docker compose version --short 2>/dev/null) ||
        die "docker compose is not here: version 2 of it is needed, in Debian 13 the package docker-compose"
    [[ ${version#v} =~ ^([2-9]|[1-9][0-9])\. ]] || die "docker compose $version is too old: version 2 is needed"
}

# --- secrets ---

# SECRETS_DIR may be in docker/.env, which Compose reads: the folder is the one that the containers will get.
secrets_dir() {
    local dir=${SECRETS_DIR:-/}
    [[ $dir == /* ]] || die "SECRETS_DIR is no path from / on: $dir"
    dir=$(compose config | sed -nE 's|^ *file: "?(/.*)/userauth_key"?$|\1|p')
    [ -n "$dir" ] || die "docker compose config names no folder of secrets"
    printf '%s\n' "$dir"
}

# Others can't enter the folder; the files can be read by the containers' users, who see them at another place.
write_secret() { # file text
    printf '%s\n' "$2" >"$1.new"
    chmod 0444 "$1.new"
    mv "$1.new" "$1"
}

random_secret() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }

has_data() { # service of a database
    local project
    project=$(compose config 2>/dev/null | sed -n 's/^name: //p')
    [ -n "$(docker volume ls -q --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.volume=$1-data")" ]
}

# A new password would not fit a database that was made with another one.
write_missing_secrets() { # folder
    local name service
    (umask 077 && mkdir -p "$1")
    chmod 0700 "$1"
    for name in "${database_secrets[@]}"; do
        [ -e "$1/$name" ] && continue
        service=${name#db_} service=db-${service%%_*}
        ! has_data "$service" || die "$1/$name is missing, but $service has data that were made with it.
     Bring the file back from your copy; docker/README.md, \"Troubleshooting\", says what to do without one."
        write_secret "$1/$name" "$(random_secret)"
    done
    for name in "${other_secrets[@]}"; do
        [ -e "$1/$name" ] || write_secret "$1/$name" "$(random_secret)"
    done
    [ -e "$1/userauth_api_keys" ] || write_secret "$1/userauth_api_keys" "them:$(cat "$1/userauth_key")"
}

# Said here, where somebody looks, rather than in the log of a container that does not start.
check_secrets() { # folder
    local name text
    for name in "${database_secrets[@]}" "${other_secrets[@]}" userauth_api_keys; do
        [ -f "$1/$name" ] || die "$1/$name is no file"
        chmod a+r "$1/$name" 2>/dev/null || true
        [ -s "$1/$name" ] || die "$1/$name is empty; remove it to have one made, or bring it back from your copy"
        text=$(cat "$1/$name")
        if [ "$name" = userauth_api_keys ]; then
            [[ ,$text, == *",them:$(cat "$1/userauth_key"),"* ]] ||
                die "$1/userauth_api_keys does not have the entry them:KEY with the key of $1/userauth_key"
        elif ! [[ $text =~ ^[A-Za-z0-9_-]{16,}$ ]]; then
            die "$1/$name is not one line of 16 or more letters, digits, - and _"
        fi
    done
}

# What a provider gave, which nobody can make here.
check_given() { # folder name...
    local folder=$1 name
    shift
    for name in "$@"; do
        [ -s "$folder/$name" ] || die "$folder/$name is missing: one line that the provider shows; docs/PROVIDERS.md"
        chmod a+r "$folder/$name" 2>/dev/null || true
    done
}

# --- up and down ---

# What is no network would be refused in the midst of the start only, by the engine or by notes-svc, which trusts it.
check_subnet() {
    local subnet n bits address=0
    subnet=$(compose config | sed -nE '/^networks:/,$ { /^  edgenet:/,/^  [a-z]/ s/^ *- subnet: "?([^"]*)"?$/\1/p }')
    [[ $subnet =~ ^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})/([1-9][0-9]?)$ ]] ||
        die "EDGENET_SUBNET is no IPv4 network such as 10.213.80.0/24: $subnet"
    for n in "${BASH_REMATCH[@]:1:4}"; do
        [ "$n" -le 255 ] || die "EDGENET_SUBNET: $n is too large for a part of an address: $subnet"
        address=$((address * 256 + 10#$n))
    done
    bits=${BASH_REMATCH[5]}
    if [ "$bits" -lt 8 ] || [ "$bits" -gt 29 ]; then die "EDGENET_SUBNET: the number after / is from 8 to 29: $subnet"; fi
    [ $((address & ((1 << (32 - bits)) - 1))) -eq 0 ] || die "EDGENET_SUBNET is an address in a network rather than the network: $subnet"
}

up_usage() {
    cat <<'USAGE'
usage: ./dev up [option...]
  --replicas N    N containers of notes-svc, 1 to 20; without: as many as there are, at first one
  --tls           https on port 443 with the certificate and key in docker/tls/site.pem, for PUBLIC_URL
  --dev           userauth-svc also on 127.0.0.1:5858, for userauth-cli outside the containers
  --oidc          people sign in at an OpenID Connect provider: docs/PROVIDERS.md
  --twitter       people sign in with Twitter: docs/PROVIDERS.md
  --only-secrets  writes the secrets that are missing in docker/secrets and starts nothing
All but the first and last are given again each time.

Variables, from docker/.env or, for this command only, the environment: HTTP_PORT (80), HTTPS_PORT (443),
USERS_PORT (5858), PUBLIC_URL, EDGENET_SUBNET, MYSQL_IMAGE, REDIS_IMAGE, HAPROXY_IMAGE, SECRETS_DIR,
COMPOSE_PROJECT_NAME; docker/README.md explains them. The Compose file docker/own.yaml, where there is one, comes last;
OWN_FILE, in the environment, names another one.
USAGE
}

public_url() { compose config | sed -n 's/^ *PUBLIC_URL: "\{0,1\}\([^"]*\).*/\1/p' | head -n 1; }

check_certificate() {
    local file=docker/tls/site.pem
    [[ $(public_url) =~ ^https://[^/]+$ ]] || die "--tls: PUBLIC_URL is what browsers see, as https://notes.example.org"
    [ -s "$file" ] || die "--tls: $file is missing: the certificate, its chain and its key in one file"
    grep -q 'PRIVATE KEY-----' "$file" || die "--tls: $file has no private key, which belongs at its end"
    [[ $(stat -c %A "$file") == *r?? ]] ||
        die "--tls: $file can't be read by the container's user: chmod 0444 $file; chmod 0700 docker/tls keeps others out"
}

has_https() {
    local id
    id=$(compose ps -q edge 2>/dev/null) && [ -n "$id" ] && docker port "$id" 8443/tcp >/dev/null 2>&1
}

# What a container that does not get ready says last, in its log and when its health is checked.
show_trouble() {
    local id name check
    for id in $(compose ps -a -q); do
        name=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$id")
        [[ $name != *" running healthy" ]] || continue
        name=${name% }
        if [[ $name == *" created" ]]; then
            say "dev: ${name% *} was not started: what Docker says above is why"
            continue
        fi
        say "dev: ${name%% *} is not ready (${name#* }); its log ends with:"
        docker logs --tail 5 "$id" 2>&1 | sed 's/^/     /'
        check=$(docker inspect --format '{{with .State.Health}}{{range .Log}}{{.Output}}{{end}}{{end}}' "$id" | grep . | tail -n 1) || true
        [ -z "$check" ] || say "     (asked how it is: $check)"
    done >&2
}

# PUBLIC_URL where it is set: at any other address forms are refused, and a provider leads away from it.
print_address() { # is-tls
    local port url
    port=$(compose port edge 8080)
    port=${port##*:}
    url=$(public_url)
    say
    if $1; then
        say "  Notes is at   ${url%/}/"
    elif [ -n "$url" ]; then
        say "  Notes is at   ${url%/}/   (port $port of this machine)"
    else
        [ "$port" = 80 ] && port= || port=:$port
        say "  Notes is at   http://localhost$port/"
    fi
}

cmd_up() {
    local secrets replicas='' is_tls=false are_only_secrets=false users given=()
    while [ $# -gt 0 ]; do
        [[ $1 != --?*=* ]] || set -- "${1%%=*}" "${1#*=}" "${@:2}"
        case $1 in
            --tls) is_tls=true && compose_files+=(-f docker/compose.tls.yaml) ;;
            --dev) compose_files+=(-f docker/compose.dev.yaml) ;;
            --oidc) compose_files+=(-f docker/compose.oidc.yaml) && given+=(oidc_client_secret) ;;
            --twitter) compose_files+=(-f docker/compose.twitter.yaml) && given+=(twitter_consumer_key twitter_consumer_secret) ;;
            --only-secrets) are_only_secrets=true ;;
            --replicas)
                [[ ${2:-} =~ ^[1-9][0-9]?$ && $2 -le 20 ]] || die "--replicas needs a number from 1 to 20"
                replicas=$2 && shift
                ;;
            --help | -h) up_usage && return ;;
            *) up_usage >&2 && die "up does not know $1" ;;
        esac
        shift
    done
    check_docker
    compose config -q || die "the variables above are not valid; ./dev up --help names them"
    check_subnet
    ! $is_tls || check_certificate
    secrets=$(secrets_dir)
    write_missing_secrets "$secrets"
    check_secrets "$secrets"
    check_given "$secrets" "${given[@]}"
    ! $are_only_secrets || { say "The secrets are in $secrets" && return; }
    # The containers' users read them from here.
    chmod a+r docker/*.cfg docker/*.cnf docker/*.conf docker/*.http docker/*.sh 2>/dev/null || true
    if ! $is_tls && has_https; then say "dev: https was on and goes off, for this is without --tls" >&2; fi
    # As many as there are, when no number is asked for.
    [ -n "$replicas" ] || replicas=$(compose ps -q svc-notes | wc -l)
    [ "$replicas" -gt 0 ] || replicas=1
    compose up --build --wait --scale "svc-notes=$replicas" || { show_trouble; die "Notes did not get ready"; }
    print_address $is_tls
    users=$(compose exec -T svc-userauth userauth-cli --json list-users)
    if [ "$users" = "[]" ]; then
        say "  First user    docker compose -f docker/compose.yaml exec svc-userauth userauth-cli add NAME"
    fi
    say "  Stop          ./dev down   (the data stay)"
}

cmd_down() {
    [ $# -eq 0 ] || die "down takes no arguments"
    check_docker
    # With those that have a network of their own, which would be left over.
    compose_files+=(-f docker/compose.dev.yaml -f docker/compose.oidc.yaml)
    compose down
}

# --- backup and restore ---

check_running() {
    local service
    check_docker
    for service in "${databases[@]}"; do
        in_database "$service" health 2>/dev/null || die "$service does not answer: ./dev up starts it"
    done
}

# Both dumps or nothing: the folder gets its name when they are whole.
cmd_backup() {
    local service part
    [ $# -eq 1 ] || die "usage: ./dev backup DIR, where DIR is not there yet"
    case $1 in
        --help | -h) say "usage: ./dev backup DIR, where DIR is not there yet" && return ;;
        -*) die "backup has no option $1" ;;
    esac
    [ ! -e "$1" ] || die "$1 exists; a backup makes its own folder"
    check_running
    umask 077
    mkdir -p "$(dirname "$1")" || die "$1 can't be made"
    part=$(mktemp -d "${1%/}.part.XXXXXX")
    # shellcheck disable=SC2064  # as it is now
    trap "rm -rf $(printf %q "$part")" EXIT
    trap 'exit 130' INT TERM HUP
    for service in "${databases[@]}"; do
        in_database "$service" dump | gzip >"$part/$service.sql.gz" || die "$service could not be written; there is no backup"
        gzip -dc "$part/$service.sql.gz" | tail -n 1 | grep -q '^-- Dump completed' || die "the dump of $service is not whole; there is no backup"
    done
    (cd "$part" && sha256sum -- *.sql.gz >SHA256SUMS)
    sync -f "$part/SHA256SUMS"
    mv -T "$part" "${1%/}" || die "$1 could not be made"
    say "Backup of users, notes and comments in $1 ($(du -sh "$1" | cut -f1))"
}

ask_to_replace() { # is-yes
    local service used=false answer
    for service in "${databases[@]}"; do
        [ "$(in_database "$service" is-used)" = 0 ] || used=true
    done
    if ! $used || $1; then return; fi
    [ -t 0 ] || die "there are users or notes, which the backup would replace: add --yes if that is meant"
    read -r -p "Users, notes and comments that are there now will be replaced by the backup's. Go on? [y/N] " answer
    [[ $answer == [yY]* ]] || die "nothing was changed"
}

identities() {
    local service
    for service in "${databases[@]}"; do in_database "$service" identity; done
}

forget_loaded() {
    local service
    for service in "${databases[@]}"; do in_database "$service" drop >/dev/null 2>&1 || true; done
}

# Of another deployment or another release the keys and the tables are others too; services read those when they start.
restart_services() {
    local since=$SECONDS
    say "The backup is of another deployment or release: the services start again ..."
    compose restart svc-userauth svc-notes
    until compose exec -T edge /bin/sh /etc/notes/edge_health.sh /readyz 2>/dev/null; do
        [ $((SECONDS - since)) -lt "$edge_ready_max_s" ] || die "Notes did not get ready again; docker compose -f docker/compose.yaml logs says why"
        sleep 0.5
    done
}

# Loaded beside the live data first: a backup that can't be read changes nothing.
cmd_restore() {
    local service dir='' is_yes=false before
    while [ $# -gt 0 ]; do
        case $1 in
            --yes) is_yes=true ;;
            --help | -h) say "usage: ./dev restore DIR [--yes]; without --yes it asks before it replaces anything" && return ;;
            -*) die "restore has no option $1" ;;
            *) [ -z "$dir" ] || die "usage: ./dev restore DIR [--yes]" && dir=$1 ;;
        esac
        shift
    done
    [ -n "$dir" ] || die "usage: ./dev restore DIR [--yes]"
    for service in "${databases[@]}"; do [ -f "$dir/$service.sql.gz" ] || die "$dir is no backup: it has no $service.sql.gz"; done
    (cd "$dir" && sha256sum --check --quiet SHA256SUMS) || die "the backup in $dir is damaged; nothing was changed"
    check_running
    ask_to_replace $is_yes
    trap forget_loaded EXIT
    trap 'exit 130' INT TERM HUP
    for service in "${databases[@]}"; do
        gzip -dc "$dir/$service.sql.gz" | in_database "$service" load || die "$service could not read the backup; nothing was changed"
    done
    before=$(identities)
    for service in "${databases[@]}"; do
        in_database "$service" swap || die "$service could not take over what it has read"
    done
    trap - EXIT
    [ "$before" = "$(identities)" ] || restart_services
    say "Users, notes and comments are those of the backup in $dir."
}
