# SPDX-License-Identifier: MIT
# Completion of userauth-cli for bash: commands, and the options that the command takes.
# shellcheck shell=bash

_userauth_cli() {
    local commands="add find-or-create update set-password disable enable sessions revoke identities link unlink destroy find list-users password-check"
    local options="-p --port -h --host -u --url --json --help --version --print-config --check-config"
    local fields="--password --password-stdin --family-name --given-name --middle-name --email"
    local word=${COMP_WORDS[COMP_CWORD]} previous="" command="" i

    # The command is the first word that is neither an option nor an option's value.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -p | --port | -h | --host | -u | --url | --password | --family-name | --given-name | --middle-name | --email)
            ((i++))
            ;;
        -*) ;;
        *)
            command=${command:-${COMP_WORDS[i]}}
            ;;
        esac
    done

    COMPREPLY=()
    previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    -p | --port | -u | --url | --password | --family-name | --given-name | --middle-name | --email)
        return
        ;;
    -h | --host)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
        return
        ;;
    esac

    case $command in
    add | find-or-create | update) options+=" $fields" ;;
    password-check | set-password) options+=" --password-stdin" ;;
    "") [[ $word == -* ]] || options=$commands ;;
    esac
    [[ -n $command && $word != -* ]] && return
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}

complete -F _userauth_cli userauth-cli
