# shellcheck shell=bash
# The pantheon flavour: functions for tools that keep the iteration notes of kin. The same text for bash (4.4 or later) and zsh (5.4 or
# later). What is rendered around it: __pantheon_command, the command itself, __pantheon_installed, whether it is there, __pantheon_named
# and __pantheon_locked, what it was made for, and the function that a user calls.
#
# Variables start with "__" so that no readonly variable of the caller's can take their place. Functions hand on values in REPLY.

\builtin unalias pantheon_cursor_name &>/dev/null || \builtin true
function pantheon_cursor_name {
    __pantheon_enter __pantheon_cursor "$@"
}

\builtin unalias get_secure_pronto_context &>/dev/null || \builtin true
function get_secure_pronto_context {
    __pantheon_enter __pantheon_context "$@"
}

\builtin unalias validate_pantheon_permission &>/dev/null || \builtin true
function validate_pantheon_permission {
    __pantheon_enter __pantheon_permission "$@"
}

\builtin unalias secure_pronto_call &>/dev/null || \builtin true
function secure_pronto_call {
    __pantheon_enter __pantheon_call "$@"
}

\builtin unalias pantheon_secure_iter &>/dev/null || \builtin true
function pantheon_secure_iter {
    __pantheon_enter __pantheon_secure_iter "$@"
}

# NAME LOCK ARGS...: what the user's function calls. The lock comes as an argument, since several such functions share this text.
function __pantheon_main {
    __pantheon_enter __pantheon_run "$@"
}

# Everything happens in a subshell with options that are known, whatever the caller has set: what comes back is a status and output.
function __pantheon_enter {
    (
        # Bash has no "emulate", which tells the two apart.
        if ! \builtin emulate -L zsh -o null_glob -o pipe_fail -o no_err_exit -o no_err_return -o unset -o no_all_export 2>/dev/null; then
            __pantheon_tame
        fi
        IFS=$' \t\n'
        "$@"
    )
}

function __pantheon_tame {
    \builtin set +o errexit +o nounset +o noglob +o noclobber +o allexport +o keyword +o errtrace +o functrace -o pipefail
    \builtin shopt -u nocasematch failglob dotglob
    \builtin unset -v GLOBIGNORE
}

# What the public functions do, but for iterations.

function __pantheon_cursor {
    \builtin local __me=pantheon_cursor_name
    __pantheon_kin "$@" && \builtin printf 'pantheon_%s\n' "$1"
}

# Where it is refused it prints what prontodb refuses: with nothing in its place, prontodb $(...) get A would run in no context at all.
function __pantheon_context {
    \builtin local __me=get_secure_pronto_context __status=0 REPLY=''
    __pantheon_locked
    __pantheon_allowed "$REPLY" "$@" || __status=$?
    if \builtin test "$__status" -eq 0; then
        \builtin printf -- '--user %s --cursor pantheon_%s --meta %s\n' "$1" "$1" "$1"
    else
        \builtin printf '%s\n' '--user refused-by-pantheon'
    fi
    \builtin return "$__status"
}

function __pantheon_permission {
    \builtin local __me=validate_pantheon_permission REPLY=''
    __pantheon_locked
    __pantheon_allowed "$REPLY" "$@"
}

# A call that is refused goes to the command all the same, inside the lock, to be denied.
function __pantheon_call {
    \builtin local __me=secure_pronto_call __kin='' __status=0 REPLY=''
    __pantheon_locked
    __pantheon_allowed "$REPLY" "${1-}" || __status=$?
    if \builtin test "$__status" -eq 0; then
        __pantheon_as "$@"
        \builtin return "$?"
    fi
    __pantheon_locked
    __pantheon_lock "$REPLY" 2>/dev/null || REPLY=''
    \builtin test $# -eq 0 || \builtin shift
    \builtin export "PRONTO_REFUSED=$__me"
    __pantheon_hand_over "$REPLY" "$@"
    \builtin return "$__status"
}

function __pantheon_secure_iter {
    \builtin local __name='' __locked='' REPLY=''
    __pantheon_named
    __name=$REPLY
    __pantheon_locked
    case "$# ${1-}" in
    '2 save' | '2 show' | '2 current') __pantheon_run "$__name" "$REPLY" iter "$1" "--name=$2" ;;
    '3 save' | '3 show') __pantheon_run "$__name" "$REPLY" iter "$1" "--name=$2" "--session=$3" ;;
    *) __pantheon_run "$__name" "$REPLY" pantheon_secure_iter "$@" ;;
    esac
}

# Who may be whom.

# KIN: a name as ProntoDB's users have. Ranges mean ASCII in the C locale only.
function __pantheon_is_kin {
    \builtin local LC_ALL=C
    case $1 in
    '' | [!A-Za-z]* | *[!A-Za-z0-9]*) \builtin return 1 ;;
    esac
    \builtin test "${#1}" -le 32
}

function __pantheon_kin {
    if \builtin test $# -ne 1 || ! __pantheon_is_kin "$1"; then
        __pantheon_say "invalid kin '${1-}': letters and digits, a letter first, at most 32"
        \builtin return 64
    fi
}

# LOCKED: in REPLY the one kin that this shell may be, '' where any. Half a lock is none, and an error.
function __pantheon_lock {
    REPLY=$1
    [[ -n "${PANTHEON_ACTIVE_KIN+x}" ]] || \builtin return 0
    if ! __pantheon_is_kin "$PANTHEON_ACTIVE_KIN"; then
        __pantheon_say "PANTHEON_ACTIVE_KIN is set to '$PANTHEON_ACTIVE_KIN', which locks nothing: name a kin, or unset it"
        \builtin return 64
    fi
    if [[ -n "$1" ]] && ! \builtin test "$1" = "$PANTHEON_ACTIVE_KIN"; then
        __pantheon_say "made for $1, but PANTHEON_ACTIVE_KIN is $PANTHEON_ACTIVE_KIN"
        \builtin return 6
    fi
    REPLY=$PANTHEON_ACTIVE_KIN
}

# LOCKED KIN: whether this shell may work as the kin.
function __pantheon_allowed {
    \builtin local __locked="$1"
    \builtin shift
    __pantheon_kin "$@" || \builtin return "$?"
    __pantheon_lock "$__locked" || \builtin return "$?"
    case ${PANTHEON_SECURITY_MODE-} in
    '' | normal) ;;
    strict) [[ -n "$REPLY" ]] || __pantheon_deny 'strict mode: PANTHEON_ACTIVE_KIN names no kin' || \builtin return "$?" ;;
    *)
        __pantheon_say "PANTHEON_SECURITY_MODE is '$PANTHEON_SECURITY_MODE': it takes strict or normal"
        \builtin return 64
        ;;
    esac
    [[ -z "$REPLY" ]] || \builtin test "$REPLY" = "$1" || __pantheon_deny "locked to $REPLY, and not for $1" || \builtin return "$?"
    __pantheon_current_user "$1"
}

function __pantheon_current_user {
    [[ -n "${PANTHEON_CURRENT_USER+x}" ]] || \builtin return 0
    if [[ -z "$PANTHEON_CURRENT_USER" ]]; then
        __pantheon_say 'PANTHEON_CURRENT_USER is set, but empty: name a kin, or unset it'
        \builtin return 64
    fi
    \builtin test "$PANTHEON_CURRENT_USER" = "$1" || __pantheon_deny "PANTHEON_CURRENT_USER is $PANTHEON_CURRENT_USER, and not $1"
}

function __pantheon_deny {
    __pantheon_say "$1"
    \builtin return 6
}

# The command, pinned.

# KIN: whether no other pin is in force than this kin's.
function __pantheon_agrees {
    \builtin local REPLY=''
    __pantheon_database "$1"
    [[ -z "${PRONTO_FORCE_PROFILE+x}" ]] &&
        \builtin test "${PRONTO_FORCE_USER-$1}" = "$1" &&
        \builtin test "${PRONTO_FORCE_META-$1}" = "$1" &&
        \builtin test "${PRONTO_FORCE_CURSOR-pantheon_$1}" = "pantheon_$1" &&
        \builtin test "${PRONTO_FORCE_DATABASE-$REPLY}" = "$REPLY"
}

# KIN ARGS...: the command as this kin; '' for as whoever is pinned. A pin in force is never replaced, so that it may be readonly. Where
# it says otherwise the command runs to deny the call, and to keep inside that pin what was piped to it.
function __pantheon_as {
    (
        if [[ -n "$1" ]] && __pantheon_agrees "$1"; then
            \builtin : "${PRONTO_FORCE_USER=$1}" "${PRONTO_FORCE_META=$1}" "${PRONTO_FORCE_CURSOR=pantheon_$1}"
        elif [[ -n "$1" ]]; then
            \builtin export "PRONTO_REFUSED=$__me"
        fi
        # What is in force must reach the command, also where nobody has exported it.
        [[ -z "${PRONTO_FORCE_USER+x}" ]] || \builtin export PRONTO_FORCE_USER
        [[ -z "${PRONTO_FORCE_META+x}" ]] || \builtin export PRONTO_FORCE_META
        [[ -z "${PRONTO_FORCE_CURSOR+x}" ]] || \builtin export PRONTO_FORCE_CURSOR
        [[ -z "${PRONTO_FORCE_DATABASE+x}" ]] || \builtin export PRONTO_FORCE_DATABASE
        [[ -z "${PRONTO_FORCE_PROFILE+x}" ]] || \builtin export PRONTO_FORCE_PROFILE
        [[ -z "${PANTHEON_SECURITY_MODE+x}" ]] || \builtin export PANTHEON_SECURITY_MODE
        \builtin shift
        __pantheon_command "$@"
    )
}

# ARGS...: the command as $__kin, and what it says in __told; 127 where there is no such command.
function __pantheon_try {
    \builtin local __status=0
    __told=''
    __pantheon_installed || \builtin return 127
    { __told=$(__pantheon_as "$__kin" "$@" 2>&1 >&3 3>&-) || __status=$?; } 3>&1
    \builtin test "$__status" -ne 126 || \builtin return 127
    \builtin return "$__status"
}

# The same, and passes on what it says, but for a miss, which each caller knows what to make of.
function __pantheon_ask {
    \builtin local __status=0
    __pantheon_try "$@" || __status=$?
    case $__status in
    2 | 127) \builtin return "$__status" ;;
    esac
    __pantheon_tell
    \builtin return "$__status"
}

# The same, with what it prints in REPLY: for numbers and names only, since this drops newlines at the end.
function __pantheon_read {
    REPLY=$(__pantheon_ask "$@")
}

function __pantheon_tell {
    \builtin local __rest="${__told#*Unknown cursor \'pantheon_}"
    [[ -z "$__told" ]] || \builtin printf '%s\n' "$__told" >&2
    \builtin test "$__rest" = "$__told" || __pantheon_use "$__me migrate init --name=${__rest%%\'*}"
}

# Whether the command told of a rescue: its status is a setting, its words are not. In REPLY the address.
function __pantheon_rescued {
    REPLY=${__told#*cached as: }
    ! \builtin test "$REPLY" = "$__told" || \builtin return "$?"
    REPLY=${REPLY%%[!A-Za-z0-9._-]*}
}

# LOCK ARGS...: for a call that the shell refuses. The command gets it, and what is piped to it, inside the lock: it knows what of that
# is to be rescued, and says where. Where nothing is, enough was said.
function __pantheon_hand_over {
    \builtin local __status=0
    __told=''
    \builtin test -p /dev/stdin || \builtin test -S /dev/stdin || \builtin return 0
    __pantheon_installed || \builtin return 127
    __told=$(__pantheon_as "$@" 2>&1 >/dev/null) || __status=$?
    case $__status in
    6 | 64) ! __pantheon_rescued || __pantheon_tell ;;
    126 | 127) \builtin return 127 ;;
    *) __pantheon_tell ;;
    esac
}

# Whether an entry and a file hold the same bytes.
function __pantheon_same {
    __pantheon_ask get "$1" | \builtin command cmp -s - "$2"
}

# Words for people.

function __pantheon_say {
    \builtin printf '%s: %s\n' "$__me" "${1//[[:cntrl:]]/?}" >&2
}

function __pantheon_use {
    \builtin printf 'Use: %s\n' "$1" >&2
}

function __pantheon_wrong {
    __pantheon_say "$1"
    __pantheon_use "$__me iter [N|save|show|fix|archive], or $__me migrate init|import|status|backup; $__me help tells more"
    \builtin return 64
}

function __pantheon_do_help {
    \builtin printf '%s\n' "Usage: $__me iter|migrate ... [--name=KIN]" '' \
        'iter, iter current          print the number of the current iteration' \
        'iter N                      print where iteration N is' \
        'iter save --session=N       store standard input as iteration N' \
        'iter show [--session=N]     print an iteration: the current one, or N' \
        'iter fix pipe.cache.X --session=N' \
        '                            store what was rescued as iteration N' \
        'iter archive N              put all but the last N iterations into the archive' \
        'migrate init                make the database and the cursor of the kin' \
        'migrate import [--from=DIR] store the files of iterations' \
        'migrate status              compare files and ProntoDB' \
        'migrate backup              write everything to files' '' \
        'Where PANTHEON_ACTIVE_KIN names a kin, --name may be left out.'
}
