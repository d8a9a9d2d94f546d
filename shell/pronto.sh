# shellcheck shell=bash
# What the function pronto consists of, in bash and zsh alike: it takes what prontodb takes.

# All but the calls of loops.
function __pronto_any {
    if ((${#__pronto_pins[@]})); then
        # In a trap, in the middle of a wrapper's call: the pins are not ours.
        \builtin local -a __pronto_pins
        __pronto_pins=()
        __pronto_door "$@"
    elif [[ $# -ge 4 && "$1 $2" == 'get -v' ]]; then
        __pronto_into_anyhow "$@"
    elif [[ "${1-}" == shell && "${2-}" == doctor ]]; then
        __pronto_doctor "$@"
    else
        __pronto_run "$@"
    fi
}

# The same for wrappers.
function __pronto_door {
    if [[ $# -ge 4 && "$1 $2" == 'get -v' ]]; then
        __pronto_into_anyhow "$@"
    else
        __pronto_run "$@"
    fi
}

# What only this shell knows goes along in the environment.
function __pronto_doctor {
    (PRONTO_SHELL_STATE=$(__pronto_state) __pronto_command "$@")
}

# Lines: the stamp, the shell and its version, what "prontodb" means here, whether completion is there.
function __pronto_state {
    \builtin local REPLY='' kind completes=no
    __pronto_stamp
    if [[ -n "${ZSH_VERSION-}" ]]; then
        kind=$(\builtin whence -w prontodb) || \builtin true
        kind=${kind#*: }
        [[ -z "${_comps+x}" || -z "${_comps[prontodb]-}" ]] || completes=yes
    else
        kind=$(\builtin type -t prontodb) || \builtin true
        ! \builtin complete -p prontodb &>/dev/null || completes=yes
    fi
    \builtin printf '%s\n' "$REPLY" "${BASH_VERSION:+bash $BASH_VERSION}${ZSH_VERSION:+zsh $ZSH_VERSION}" "$kind" "$completes"
}

# Away with all of it.
function pronto_unload {
    __prontodb_forget
    __pronto_close
    \builtin unset -f pronto __pronto_any __pronto_door __pronto_is __pronto_command __pronto_stamp __pronto_doctor __pronto_state pronto_unload \
        __prontodb_words __prontodb_takes_value __prontodb_step __prontodb_place __prontodb_places __prontodb_look __prontodb_addresses __prontodb_forget \
        __prontodb_unread
}
