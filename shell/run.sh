# shellcheck shell=bash disable=SC2154
# From a call of the function to its reply, in bash and zsh alike: by the helper where it can, else by the command.

function __pronto_run {
    [[ -z "${ZSH_VERSION-}" ]] || \builtin emulate -L zsh -o no_multibyte
    \builtin local __pronto_status='' __pronto_out='' __pronto_err='' __pronto_kind='' __pronto_tty=0 __pronto_done=0
    if [[ $# -eq 4 && $1 == get && $2 == -v && $3 == [A-Za-z_]* && $3 != *[!A-Za-z0-9_]* && $3 != __pronto_* && $4 != -* ]]; then
        __pronto_into "$3" "$4"
        \builtin return
    fi
    [[ ! -t 1 ]] || __pronto_tty=1
    [[ -t 2 ]] && __pronto_tty=${__pronto_tty}1 || __pronto_tty=${__pronto_tty}0
    # A helper that is stopped would let a long request block its caller: what is long goes to the command.
    __pronto_out="$*"
    ((${#__pronto_out} < 15000)) && __pronto_call "$__pronto_tty" "$@" || __pronto_done=$?
    # With "return": under "emulate" a status that merely falls off the end would not end a strict script of zsh.
    if ((__pronto_done == 2)); then
        __pronto_unknown
    elif ((__pronto_done)) || [[ $__pronto_kind != [ab] ]]; then
        # Not for the helper, or nothing that a variable can hold, or a helper that has become out of date.
        __pronto_command "$@"
    else
        __pronto_tell
    fi
    \builtin return
}

# As in printf -v: the value of an address in a variable, with all its newlines. What no variable can hold is refused, with status 65.
function __pronto_into {
    [[ -t 2 ]] && __pronto_tty=01 || __pronto_tty=00
    if ((${#2} < 15000)) && __pronto_call "$__pronto_tty" get "$2" && [[ $__pronto_kind == [ab] ]]; then
        [[ -z $__pronto_err ]] || \builtin printf %s "$__pronto_err" >&2
    else
        # The x keeps the newlines at the end, which $( ) would drop.
        __pronto_out=$(__pronto_command get --no-nul "$2" && \builtin printf x) && __pronto_status=0 || __pronto_status=$?
        __pronto_out=${__pronto_out%x}
    fi
    ((__pronto_status)) || \builtin printf -v "$1" %s "$__pronto_out"
    \builtin return "$((__pronto_status))"
}

# Prints a reply. A subshell that nobody reads from any more has done its work, as the command would have.
function __pronto_tell {
    if [[ -n $__pronto_out ]]; then
        if __pronto_subshell; then
            \builtin trap '' PIPE
            \builtin printf %s "$__pronto_out" 2>/dev/null || \builtin true
            \builtin trap - PIPE
        else
            \builtin printf %s "$__pronto_out"
        fi
    fi
    [[ -z $__pronto_err ]] || \builtin printf %s "$__pronto_err" >&2
    \builtin return "$((__pronto_status))"
}

function __pronto_unknown {
    \builtin printf 'prontodb: The helper ended in the middle of the call: it is not known whether it was done\nCure: look before you do it again\n' >&2
    \builtin return 5
}

# Verbs that may be done twice.
function __pronto_repeatable {
    case "$1" in
    get | set | exists | keys | scan | ls | projects | namespaces | nss | ttl | expire | persist | where | help | version | create-cache) ;;
    *) \builtin return 1 ;;
    esac
}
