# shellcheck shell=bash disable=SC2154,SC2034
# From a call of the function to its reply, in bash and zsh alike: by the helper where it can, else by the command.
#
# Every function ends with "return": under "emulate" a status that merely falls off the end would not end a strict script of zsh.

function __pronto_run {
    [[ -z "${ZSH_VERSION-}" ]] || \builtin emulate -L zsh -o no_multibyte
    if { [[ -n $__pronto_busy ]] && __pronto_nested; } || __pronto_long "$@"; then
        __pronto_alone "$@"
        \builtin return "$?"
    fi
    [[ -z $__pronto_busy ]] || __pronto_interrupted
    __pronto_busy=yes __pronto_done=0
    [[ -t 1 ]] && __pronto_tty=1 || __pronto_tty=0
    [[ -t 2 ]] && __pronto_tty="${__pronto_tty}1" || __pronto_tty="${__pronto_tty}0"
    __pronto_call "$__pronto_tty" "$@" || __pronto_done=$?
    if ((__pronto_done == 2)); then
        __pronto_unknown
    elif ((__pronto_done)) || [[ $__pronto_kind != [sb] ]]; then
        # Not for the helper, or nothing that a variable can hold, or a helper that has become out of date.
        __pronto_busy=''
        __pronto_directly "$@"
    else
        __pronto_tell
    fi
    \builtin return "$?"
}

# What is long goes to the command: a helper that is stopped would let a long request block its caller.
function __pronto_long {
    \builtin local words="$*"
    ((${#words} >= 15000))
    \builtin return "$?"
}

# get -v VAR ADDRESS [OPTION...], as in printf -v: the value in a variable, with all its newlines. What none can hold is refused, with
# status 65. The usual case, without options, is in the function pronto itself.
function __pronto_into_anyhow {
    if [[ $3 != [A-Za-z_]* || $3 == *[!A-Za-z0-9_]* || $3 == __pronto_* || $4 == -* ]]; then
        __pronto_run "$@"
    elif { [[ -n $__pronto_busy ]] && __pronto_nested; } || __pronto_long "${@:4}"; then
        __pronto_fetch "${@:3}"
    else
        [[ -z $__pronto_busy ]] || __pronto_interrupted
        __pronto_busy=yes
        [[ -t 2 ]] && __pronto_tty=01 || __pronto_tty=00
        __pronto_call "$__pronto_tty" get "${@:4}" || __pronto_kind=''
        __pronto_outcome "${@:3}"
    fi
    \builtin return "$?"
}

# What has become of it: a value, an error, a warning, or no reply. The next call, also that of a trap, is let in last: it has the same
# variables.
function __pronto_outcome {
    if [[ $__pronto_kind != [sb] ]]; then
        __pronto_busy=''
        __pronto_fetch "$@"
        \builtin return "$?"
    fi
    \builtin local __pronto_end="$((__pronto_status))"
    [[ -z $__pronto_err ]] || \builtin printf %s "$__pronto_err" >&2
    ((__pronto_end)) || __pronto_assign "$1"
    __pronto_busy='' __pronto_out=''
    \builtin return "$__pronto_end"
}

# By the command, also what only the function knows.
function __pronto_alone {
    if [[ $# -ge 4 && $1 == get && $2 == -v && $3 == [A-Za-z_]* && $3 != *[!A-Za-z0-9_]* && $3 != __pronto_* && $4 != -* ]]; then
        __pronto_fetch "${@:3}"
    else
        __pronto_directly "$@"
    fi
    \builtin return "$?"
}

# The same by the command. The x keeps the newlines at the end, which a substitution drops. In backquotes, since bash parses $( ) each time,
# and does not bear a trap in the middle of that.
function __pronto_fetch {
    \builtin local __pronto_value='' __pronto_end=0
    # shellcheck disable=SC2016
    \builtin eval '__pronto_value=`__pronto_directly get --no-nul "${@:2}" && \builtin printf x`' || __pronto_end=$?
    ((__pronto_end)) || \builtin printf -v "$1" %s "${__pronto_value%x}"
    \builtin return "$__pronto_end"
}

# The command, with the pins of the wrapper that calls.
function __pronto_directly {
    if ((${#__pronto_pins[@]} == 0)); then
        __pronto_command "$@"
    else
        (\builtin export "${__pronto_pins[@]}" && __pronto_command "$@")
    fi
    \builtin return "$?"
}

# The last call was interrupted: nobody has to wait until the helper is done with it.
function __pronto_interrupted {
    [[ -z $__pronto_holder ]] || __pronto_failed get || \builtin true
    __pronto_busy=''
}

# Prints a reply. A subshell that nobody reads from any more has done its work, as the command would have.
function __pronto_tell {
    \builtin local __pronto_end="$((__pronto_status))"
    if [[ -n $__pronto_out ]]; then
        ! __pronto_subshell || \builtin trap '' PIPE
        __pronto_print || __pronto_unwritten || __pronto_end=1
        ! __pronto_subshell || \builtin trap - PIPE
    fi
    [[ -z $__pronto_err ]] || \builtin printf %s "$__pronto_err" >&2
    __pronto_busy='' __pronto_out=''
    \builtin return "$__pronto_end"
}

# What could not be printed: whether all is well nevertheless, since it is a pipe that nobody reads from any more.
function __pronto_unwritten {
    [[ ! -p /dev/stdout && ! -S /dev/stdout ]] || \builtin return 0
    \builtin printf 'prontodb: Cannot write standard output\n' >&2
    \builtin return 1
}

function __pronto_unknown {
    __pronto_busy=''
    \builtin printf 'prontodb: The helper ended in the middle of the call: it is not known whether it was done\nCure: look before you do it again\n' >&2
    \builtin return 5
}

# Verbs that may be done twice.
function __pronto_repeatable {
    case "$1" in
    # One with a condition would find what it has done itself; and a lease may be over by the second time.
    set) [[ "$*" != *--if-* && "$*" != *--fence* ]] ;;
    __complete | get | exists | keys | scan | ls | projects | namespaces | nss | ttl | expire | persist | where | help | version | create-cache) ;;
    *) \builtin return 1 ;;
    esac
}
