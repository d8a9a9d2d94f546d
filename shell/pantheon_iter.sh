# shellcheck shell=bash
# The pantheon flavour, continued: the command line, and iterations.

# NAME LOCK ARGS...
function __pantheon_run {
    \builtin local __me="$1" __locked="$2" __kin='' __session='' __from='' __verb='' __argument='' __status=0
    \builtin local __database='' __home='' __house='' __told='' __fallen='' REPLY=''
    \builtin local -a __words __numbers __others
    \builtin local -A __files __twice __known
    __words=() __known=()
    \builtin shift 2
    \builtin umask 077
    __pantheon_understand "$@" || __status=$?
    if \builtin test "$__status" -ne 0; then
        __pantheon_rescue "$__status" "$@"
        \builtin return "$__status"
    fi
    "__pantheon_do_$__verb" || __status=$?
    \builtin test "$__status" -eq 127 || \builtin return "$__status"
    __pantheon_say 'this needs ProntoDB, which is not installed'
    \builtin return 1
}

function __pantheon_understand {
    __pantheon_parse "$@" || \builtin return "$?"
    __pantheon_choose "${__words[@]}" || \builtin return "$?"
    \builtin test "$__verb" = help || __pantheon_admit
}

function __pantheon_parse {
    while \builtin test $# -gt 0; do
        case $1 in
        --name=* | --session=* | --from=*) __pantheon_option "${1%%=*}" "${1#*=}" || \builtin return "$?" ;;
        --name | --session | --from)
            \builtin test $# -gt 1 || __pantheon_wrong "$1 needs a value" || \builtin return "$?"
            __pantheon_option "$1" "$2" || \builtin return "$?"
            \builtin shift
            ;;
        -h | --help)
            __words=(help)
            \builtin return "$?"
            ;;
        -*) __pantheon_wrong "unknown option '$1'" || \builtin return "$?" ;;
        *) __words+=("$1") ;;
        esac
        \builtin shift
    done
}

# OPTION VALUE
function __pantheon_option {
    case $1 in
    --name)
        __pantheon_kin "$2" || \builtin return "$?"
        __kin=$2
        ;;
    --session)
        __pantheon_number "$2" || __pantheon_wrong "invalid session '$2': a decimal number is wanted" || \builtin return "$?"
        __session=$REPLY
        ;;
    --from)
        __pantheon_absolute "$2"
        __from=$REPLY
        ;;
    esac
}

# WORDS...: what is to be done, and whether the options go with it.
function __pantheon_choose {
    __argument=${3-}
    case "$# ${1-} ${2-}" in
    '1 help ') __verb=help ;;
    '1 iter ' | '2 iter current') __verb=current ;;
    '2 iter save' | '2 iter show' | '3 iter fix' | '3 iter archive') __verb=$2 ;;
    '2 migrate init' | '2 migrate import' | '2 migrate status' | '2 migrate backup') __verb=$2 ;;
    '2 iter '[0-9]*) __verb=where __argument=$2 ;;
    *) __pantheon_wrong "cannot make sense of '$*'" || \builtin return "$?" ;;
    esac
    case $__verb in
    where | archive)
        __pantheon_number "$__argument" || __pantheon_wrong "invalid number '$__argument'" || \builtin return "$?"
        __argument=$REPLY
        ;;
    fix) [[ "$__argument" == pipe.cache.?* ]] || __pantheon_wrong "not in the pipe cache: '$__argument'" || \builtin return "$?" ;;
    esac
    case "$__verb ${__session:+session}${__from:+from}" in
    'save session' | 'fix session' | 'show session' | 'import from') ;;
    'save ' | 'fix ') __pantheon_wrong '--session=N is needed' ;;
    *' ') ;;
    *) __pantheon_wrong "an option that does not go with '$*'" ;;
    esac
}

# Which kin it is, and whether it may be.
function __pantheon_admit {
    if [[ -z "$__kin" ]]; then
        __pantheon_lock "$__locked" || \builtin return "$?"
        __kin=$REPLY
    fi
    [[ -n "$__kin" ]] || __pantheon_wrong '--name=KIN is needed' || \builtin return "$?"
    __pantheon_allowed "$__locked" "$__kin" || \builtin return "$?"
    __pantheon_agrees "$__kin" || __pantheon_deny "another context than that of $__kin is pinned here" || \builtin return "$?"
    __pantheon_database "$__kin"
    __database=$REPLY
    __home=${REPLY%/databases/*}
    __house=$__home/city/house/$__kin
}

# STATUS ARGS...: of a call that is refused. What was piped to a save is kept. Any other call may have been meant as one: with a wrong
# address beside a value the command waits but a moment for something to come in.
function __pantheon_rescue {
    \builtin local __lock=''
    __pantheon_lock "$__locked" 2>/dev/null && __lock=$REPLY
    case " $* " in
    *' save '*)
        if \builtin test "$1" -eq 6; then
            \builtin export "PRONTO_REFUSED=$__me"
            \builtin set -- "iterations.sessions.iter${__session:-}"
        else
            \builtin set --
        fi
        __pantheon_hand_over "$__lock" set "$@" || __pantheon_keep
        ;;
    *) __pantheon_hand_over "$__lock" set '' '' ;;
    esac
    __lock=${__lock:-$__kin}
    # Inside of another pin there is no way for "fix" to get at it.
    if __pantheon_rescued && __pantheon_agrees "$__lock"; then
        __pantheon_advise "${__lock:-KIN}"
    fi
}

# KIN: how to go on with the content that was rescued at $REPLY.
function __pantheon_advise {
    __pantheon_use "$__me iter fix $REPLY --session=${__session:-N} --name=$1"
}

# Where not even the command is there: into a file.
function __pantheon_keep {
    \builtin local __file=''
    __file=$(\builtin command mktemp "${TMPDIR:-/tmp}/pantheon-rescued.XXXXXX") || \builtin return "$?"
    if ! \builtin command cat >"$__file"; then
        __pantheon_say "what came in could not be kept whole in $__file"
    elif \builtin test -s "$__file"; then
        __pantheon_say "what came in is kept in $__file"
    else
        \builtin command rm -f -- "$__file"
    fi
}

# In REPLY the number of the current one.
function __pantheon_current {
    \builtin local __status=0
    __pantheon_read get iterations.counter.current || __status=$?
    case $__status in
    0)
        __pantheon_number "$REPLY" && \builtin return "$?"
        __pantheon_say 'there is no number in iterations.counter.current'
        \builtin return 1
        ;;
    2) ;;
    127) __pantheon_fall_back ;;
    *) \builtin return "$__status" ;;
    esac
    __status=0
    __pantheon_counter_file "$__house/$__kin.iter" || __status=$?
    \builtin test "$__status" -ne 2 || __pantheon_say "$__kin has no current iteration yet"
    \builtin return "$__status"
}

function __pantheon_do_current {
    __pantheon_current && \builtin printf '%s\n' "$REPLY"
}

function __pantheon_do_where {
    \builtin local __kind='' __status=0
    __pantheon_find "$__argument" || __status=$?
    if \builtin test "$__status" -eq 0; then
        \builtin printf '%s\n' "$REPLY"
    fi
    \builtin test "$__status" -eq 2 || \builtin return "$__status"
    for __kind in sessions archive; do
        __status=0
        __pantheon_ask exists "iterations.$__kind.iter$__argument" || __status=$?
        case $__status in
        0) \builtin printf '%s\n' "iterations.$__kind.iter$__argument" && \builtin return "$?" ;;
        2) ;;
        127) __pantheon_fall_back && \builtin break ;;
        *) \builtin return "$__status" ;;
        esac
    done
    __pantheon_none "$__argument"
}

function __pantheon_none {
    __pantheon_say "$__kin has no iteration $1"
    \builtin return 2
}

function __pantheon_do_show {
    \builtin local __kind='' __status=0
    if [[ -z "$__session" ]]; then
        __pantheon_current || \builtin return "$?"
        __session=$REPLY
    fi
    for __kind in sessions archive; do
        __status=0
        __pantheon_ask get "iterations.$__kind.iter$__session" || __status=$?
        case $__status in
        2) ;;
        127) __pantheon_fall_back && \builtin break ;;
        *) \builtin return "$__status" ;;
        esac
    done
    __status=0
    __pantheon_find "$__session" || __status=$?
    case $__status in
    0) \builtin command cat -- "$REPLY" ;;
    2) __pantheon_none "$__session" ;;
    *) \builtin return "$__status" ;;
    esac
}

function __pantheon_do_save {
    \builtin local __status=0
    if \builtin test -t 0; then
        __pantheon_wrong 'save stores what is piped to it, and standard input is a terminal'
        \builtin return "$?"
    fi
    __pantheon_try set "iterations.sessions.iter$__session" || __status=$?
    if __pantheon_rescued; then
        __pantheon_tell
        __pantheon_advise "$__kin"
        \builtin return "$__status"
    elif \builtin test "$__status" -eq 127; then
        __pantheon_fall_back
        __pantheon_save_file
        \builtin return "$?"
    fi
    __pantheon_tell
    \builtin test "$__status" -eq 0 || \builtin return "$__status"
    __pantheon_raise "$__session"
}

# N: the counter is to be N at least, whoever else raises it at the same moment.
function __pantheon_raise {
    \builtin local __status=3 __revision=0
    while \builtin test "$__status" -eq 3; do
        __status=0 __revision=0
        __pantheon_read get iterations.counter.current --rev || __status=$?
        case $__status in
        0) __revision=$REPLY ;;
        2) ;;
        *) \builtin return "$__status" ;;
        esac
        __status=0
        __pantheon_read get iterations.counter.current || __status=$?
        case $__status in
        0) __pantheon_number "$REPLY" && \builtin test "$REPLY" -ge "$1" && \builtin return "$?" ;;
        2) ;;
        *) \builtin return "$__status" ;;
        esac
        __status=0
        __pantheon_try set iterations.counter.current "$1" --if-rev "$__revision" || __status=$?
    done
    __pantheon_tell
    \builtin return "$__status"
}

function __pantheon_do_fix {
    \builtin local __status=0 __to="iterations.sessions.iter$__session"
    __pantheon_ask copy "$__argument" "$__to" || __status=$?
    if \builtin test "$__status" -eq 2; then
        # It may have been piped to a call without any pin.
        __status=0
        __pantheon_with_file __pantheon_take "$__argument" "$__to" || __status=$?
    fi
    \builtin test "$__status" -eq 0 || \builtin return "$__status"
    __pantheon_raise "$__session"
}

# FILE FROM TO: moves content from outside of the pin into it; what is there goes only once it has arrived whole.
function __pantheon_take {
    __pantheon_as '' get "$2" >"$1" || \builtin return "$?"
    __pantheon_ask set "$3" --file "$1" || \builtin return "$?"
    if ! __pantheon_same "$3" "$1"; then
        __pantheon_say "$3 is not what was in $2, which is left there"
        \builtin return 1
    fi
    __pantheon_as '' del "$2"
}

# FUNCTION ARGS...: calls it with a file of its own in front of its arguments.
function __pantheon_with_file {
    \builtin local __file='' __status=0 __function="$1"
    \builtin shift
    __file=$(\builtin command mktemp "$__home/databases/.pantheon.XXXXXX") || \builtin return 1
    "$__function" "$__file" "$@" || __status=$?
    \builtin command rm -f -- "$__file"
    \builtin return "$__status"
}

function __pantheon_do_archive {
    \builtin local __number='' __left=0 __worst=0 __status=0
    __pantheon_stored sessions || __status=$?
    if \builtin test "$__status" -eq 127; then
        __pantheon_fall_back
        __pantheon_archive_files
        \builtin return "$?"
    fi
    \builtin test "$__status" -eq 0 || \builtin return "$__status"
    __left=$((${#__numbers[@]} - __argument))
    for __number in "${__numbers[@]}"; do
        \builtin test "$__left" -gt 0 || \builtin break
        __left=$((__left - 1))
        __status=0
        __pantheon_archive "iterations.sessions.iter$__number" "iterations.archive.iter$__number" || __status=$?
        case $__status in
        0) ;;
        3) __worst=3 ;;
        *) \builtin return "$__status" ;;
        esac
    done
    \builtin return "$__worst"
}

# FROM TO
function __pantheon_archive {
    \builtin local __status=0
    __pantheon_ask exists "$2" || __status=$?
    case $__status in
    0) __pantheon_with_file __pantheon_archive_again "$@" || \builtin return "$?" ;;
    2) __pantheon_ask move "$1" "$2" || \builtin return "$?" ;;
    *) \builtin return "$__status" ;;
    esac
    \builtin printf '%s\n' "$2"
}

# FILE FROM TO: for an iteration that is in the archive already.
function __pantheon_archive_again {
    __pantheon_ask get "$2" >"$1" || \builtin return "$?"
    if ! __pantheon_same "$3" "$1"; then
        __pantheon_say "$2 and $3 differ: left alone"
        \builtin return 3
    fi
    __pantheon_ask del "$2"
}
