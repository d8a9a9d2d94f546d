# shellcheck shell=bash disable=SC2154,SC2034
# How bash talks to its helper: a resident process that answers without a fork, through FIFOs in a folder of this shell's own. The shell
# has the first pair for itself, each subshell that calls claims another. Whatever goes wrong, the command makes the call instead.
# __pronto_gather, __pronto_same and __pronto_command are generated; the rest is in run.sh.
#
# Variables are global, not local, since "local" would take a tenth of a call; __pronto_busy keeps two calls from meeting in them.
#
# No descriptor is held between calls: what a script opens is its own, and no program inherits anything. During a call 61 is what the
# helper says and 62 what it is asked; where a script has these numbers, the command makes the call.

# Where the helper lives: a name that no other shell has, so that subshells find what the shell or one of them has started.
function __pronto_settle {
    \builtin local base
    [[ "${__pronto_home-}" != */"$$".* ]] || \builtin return 0
    for base in "${XDG_RUNTIME_DIR-}" "${TMPDIR-}" /tmp; do
        [[ $base != /* || ! -w $base ]] || \builtin break
    done
    __pronto_home=$base/prontodb-$UID/$$.$RANDOM$RANDOM$RANDOM
    __pronto_busy='' __pronto_calls=0 __pronto_awake=32 __pronto_until=0 __pronto_holder='' __pronto_helper='' __pronto_line='' __pronto_known='' __pronto_told='' __pronto_sent=() __pronto_vars=() __pronto_pins=()
    # For subshells, which would each have to do it.
    __pronto_gather
}

# The calls of loops, `get -v VAR ADDRESS`, are made here, and as short as can be: bash copies a function whenever it is called. Whatever is
# out of the ordinary goes the way of all calls.
#
# What is no condition of asking is looked at while the helper is at work: an answer under other variables than these is let go.
#
# FIFOs are opened for both reading and writing: that never waits, and a helper's end raises no SIGPIPE, which would close a terminal. The
# request alone is redirected: what a trap prints meanwhile goes where it would without us.
function pronto {
    if [[ "$# ${1-} ${2-} $__pronto_busy$__pronto_told" != "4 get -v $BASHPID" || -n ${__pronto_pins+x} || $4 == -* || ${#4} -ge 4000 || ! -p $__pronto_line.ask || -e /dev/fd/61 ]]; then
        __pronto_apart "$@"
        \builtin return "$?"
    fi
    __pronto_busy=yes __pronto_head='' __pronto_id=$__pronto_told.$((++__pronto_calls))
    if {
        \builtin printf 'P4 %s 00 2\0=\0\0get\0%s\0%s\0' "$__pronto_id" "$4" "$__pronto_id" 1<>"$__pronto_line.ask" && {
            __pronto_same && [[ $3 == [A-Za-z]*([A-Za-z0-9_]) ]] || __pronto_busy=other
            __pronto_frame
        }
    } 61<>"$__pronto_line.say" && [[ $__pronto_busy$__pronto_head == yes[1-9]">s  0  0$__pronto_id "* ]]; then
        \builtin printf -v "$3" %s "${__pronto_head:31:${__pronto_head:28:3}}"
        __pronto_busy=''
    else
        __pronto_otherwise "$@"
    fi
}

# The first call of a subshell, `$(pronto get ADDRESS)`, in one go: by way of all calls it takes twice the instructions. Its line is the one
# that the process's number comes to, where that is free. What is no condition of asking comes while the helper is at work. All else goes the
# way of all calls, also what does not come back as a value: it was a "get", which changes nothing.
function __pronto_apart {
    if [[ "$# ${1-}$__pronto_busy" != "2 get" || $BASHPID == "$$" || $__pronto_holder == "$BASHPID" || -n ${__pronto_pins+x} || ${#2} -ge 4000 || $- == *C* || -z $__pronto_known || -e /dev/fd/61 ]] ||
        { [[ -z $__pronto_helper ]] && ! __pronto_find; }; then
        __pronto_any "$@"
        \builtin return "$?"
    fi
    __pronto_busy=yes __pronto_head='' __pronto_status=0 __pronto_id=$BASHPID.$((++__pronto_calls)) __pronto_line=$__pronto_home/$__pronto_helper.$((1 + BASHPID % 63))
    \builtin set -C
    if [[ -p $__pronto_line.ask ]] && { \builtin printf %s "$BASHPID" >"$__pronto_line.taken"; } 2>/dev/null && {
        \builtin printf '%s\0' "P4 $__pronto_id 00 2" ${HOME+"HOME=$HOME"} ${TERM+"TERM=$TERM"} "${__pronto_sent[@]}" '' get "$2" "$__pronto_id" 1<>"$__pronto_line.ask" && {
            \builtin set +C
            __pronto_holder=$BASHPID __pronto_told=$BASHPID
            \builtin trap '' PIPE
            __pronto_same && [[ ! -t 1 ]] || __pronto_busy=other
            __pronto_frame
        }
    } 61<>"$__pronto_line.say" && [[ $__pronto_busy$__pronto_head == yes[1-9]">s  0  0$__pronto_id "* ]]; then
        \builtin printf %s "${__pronto_head:31:${__pronto_head:28:3}}" 2>/dev/null || __pronto_unwritten || __pronto_status=1
        \builtin trap - PIPE
        __pronto_busy=''
        \builtin return "$((__pronto_status))"
    else
        \builtin set +C
        \builtin trap - PIPE
        __pronto_busy='' __pronto_told=''
        __pronto_any "$@"
    fi
}

# A long value, an error, an answer that is not wanted, or none.
function __pronto_otherwise {
    __pronto_heard || __pronto_failed get || \builtin true
    if [[ $__pronto_busy == yes && (-z $__pronto_err || ! -t 2) ]]; then
        __pronto_outcome "$3" "$4"
    else
        # Whoever reads an error on a terminal may get it with a hint.
        __pronto_busy=''
        __pronto_any "$@"
    fi
}

# Makes a call: digits that tell which outputs are terminals, then the words. Status 0: __pronto_status, _out, _err and _kind are the
# reply. 1: nothing was done, the command is to be run. 2: it is not known whether it was done.
function __pronto_call {
    __pronto_kind='' __pronto_head=''
    [[ $__pronto_holder == "$BASHPID" && -p $__pronto_line.ask ]] || __pronto_open || \builtin return 1
    [[ ! -e /dev/fd/61 && ! -e /dev/fd/62 ]] || \builtin return 1
    __pronto_id=$__pronto_holder.$((++__pronto_calls))
    {
        # What the helper knows from the call before is not said again.
        if [[ -z $__pronto_known ]] || ! __pronto_same; then
            __pronto_gather
            __pronto_told=''
        fi
        if [[ -n $__pronto_told && -z ${__pronto_pins+x} ]]; then
            __pronto_vars=("=")
        else
            __pronto_vars=(${HOME+"HOME=$HOME"} ${TERM+"TERM=$TERM"} "${__pronto_sent[@]}" "${__pronto_pins[@]}")
            [[ -z ${__pronto_pins+x} ]] && __pronto_told=$BASHPID || __pronto_told=''
        fi
        if ! { \builtin printf '%s\0' "P4 $__pronto_id $1 $(($# - 1))" "${__pronto_vars[@]}" '' "${@:2}" "$__pronto_id" 1>&62 &&
            __pronto_frame && __pronto_heard; }; then
            __pronto_failed "${@:2}"
        fi
    } 61<>"$__pronto_line.say" 62<>"$__pronto_line.ask"
}

# What the helper says: a frame, which is there at once when it is there. It is waited for awake as long as that was worth it lately: to be
# woken takes longer than most calls.
function __pronto_frame {
    __pronto_tries=0
    until \builtin read -t 0 -u 61; do
        ((++__pronto_tries <= __pronto_awake)) || {
            __pronto_patiently
            \builtin return "$?"
        }
    done
    \builtin read -r -N 64 -u 61 __pronto_head && { [[ $__pronto_head == 1* ]] || __pronto_rest; }
}

# Where it takes longer, or there is one processor for both: less of it for some calls, then another try.
#
# Without a timeout, since bash does not bear a trap that breaks into a "read" that has one and takes longer. The helper's end is the end of
# the file once we cannot write to it ourselves; one that is stopped is ended by its guard. A trap ends the "read" where bash is as POSIX
# has it. It has to be "command exec": "builtin exec" keeps what was open, and "exec" alone may end the shell.
function __pronto_patiently {
    __pronto_awake=$((__pronto_calls % 16 ? __pronto_awake / 2 : 32))
    ! \builtin declare -F command >/dev/null && { \command exec 61</dev/fd/61; } 2>/dev/null || \builtin return 1
    until \builtin read -r -N 64 -u 61 __pronto_head; do
        (($? > 128)) || \builtin return 1
    done
    [[ $__pronto_head == 1* ]] || __pronto_rest
}

# As many times 64 bytes as the first of them says.
function __pronto_rest {
    [[ $__pronto_head == [2-9]* ]] && \builtin read -r -N "$((64 * (${__pronto_head:0:1} - 1)))" -u 61 __pronto_out || \builtin return 1
    __pronto_head+=$__pronto_out
}

# Takes a frame, and what belongs to it, apart; if it is the reply: with the call's number in its place, and not behind half a frame of
# somebody else's that was being read when the helper took away the rest of it.
function __pronto_heard {
    __pronto_kind=${__pronto_head:2:1} __pronto_status=${__pronto_head:3:3}
    if [[ $__pronto_head == [1-9]">s"??????"$__pronto_id "* ]]; then
        __pronto_size=${__pronto_head:28:3}
        __pronto_out=${__pronto_head:31:__pronto_size} __pronto_err=${__pronto_head:31+__pronto_size:${__pronto_head:6:3}}
    elif [[ $__pronto_head == "1>b"?????????????"$__pronto_id "* ]]; then
        __pronto_body
    elif [[ $__pronto_head == "1>"[ncv]?????????????"$__pronto_id "* ]]; then
        __pronto_out='' __pronto_err=''
    else
        __pronto_kind=''
        \builtin return 1
    fi
}

# Finds this process's line, after starting a helper where there is none. Its files carry the helper's number: whoever comes after a helper
# that was replaced finds that they are gone, and never meets another caller on its line.
function __pronto_open {
    __pronto_holder='' __pronto_told=''
    [[ -p $__pronto_home/$__pronto_helper.0.ask ]] || __pronto_find || __pronto_start || \builtin return 1
    if [[ $BASHPID == "$$" ]]; then
        __pronto_line=$__pronto_home/$__pronto_helper.0
    else
        __pronto_claim || \builtin return 1
    fi
    __pronto_holder=$BASHPID
}

# The helper that another process of this shell's family has started.
function __pronto_find {
    \builtin read -r __pronto_helper 2>/dev/null <"$__pronto_home/pid" && __pronto_usable
}

# Whether it can be talked to: where few files may be open, there are no such descriptors.
function __pronto_usable {
    [[ -n $__pronto_helper && -p $__pronto_home/$__pronto_helper.0.ask && -r /proc/$__pronto_helper/fd ]] && \builtin : 2>/dev/null 62<>"$__pronto_home/$__pronto_helper.0.ask"
}

# A line for this subshell: the first that nobody has, which the file system tells. The helper takes it back when the subshell ends.
function __pronto_claim {
    \builtin local number=0 mine='' tries
    [[ $- == *C* ]] || mine=yes
    \builtin set -C
    __pronto_line=''
    for ((tries = 0; tries < 300; tries++)); do
        ((number = tries < 63 ? 1 + (BASHPID + tries) % 63 : tries + 1))
        if [[ ! -p $__pronto_home/$__pronto_helper.$number.ask ]]; then
            # There may be fewer than the first 63.
            ((tries >= 63)) || \builtin continue
            \builtin break
        fi
        if \builtin printf %s "$BASHPID" >"$__pronto_home/$__pronto_helper.$number.taken"; then
            __pronto_line=$__pronto_home/$__pronto_helper.$number
            \builtin break
        fi
    done 2>/dev/null
    [[ -z $mine ]] || \builtin set +C
    [[ -n $__pronto_line ]]
}

# Whether this is a trap, in the middle of another call, whose reply is still to come.
function __pronto_nested {
    \builtin local IFS=' ' own=1
    while [[ ${FUNCNAME[own]} == __pronto_!(door) ]]; do
        ((++own))
    done
    [[ " ${FUNCNAME[*]:own+1} " == *' '@(pronto|__pronto_door|__pronto_run)' '* ]]
}

# Both outputs, of which the frame tells the place: they lie in the helper's memory, behind the number of the call.
function __pronto_body {
    \builtin local place=${__pronto_head:45}
    \builtin local -a parts
    parts=()
    if \builtin mapfile -d '' -t parts 2>/dev/null <"/proc/${place%% *}" && [[ ${#parts[@]} -eq 3 && ${parts[0]} == "$__pronto_id" ]]; then
        __pronto_out=${parts[1]} __pronto_err=${parts[2]}
    else
        __pronto_kind=''
        \builtin return 1
    fi
}

function __pronto_print {
    \builtin printf %s "$__pronto_out" 2>/dev/null
}

# Gives a variable of the caller's what the helper has said; "printf -v" takes ten times as long for what is large.
function __pronto_assign {
    \builtin local -n __pronto_target=$1
    __pronto_target=$__pronto_out
}

# Whether the helper is there and not stopped, as /proc has it; Z is one that has ended and that nobody has taken note of.
function __pronto_works {
    \builtin local REPLY='' pid=''
    \builtin read -r pid 2>/dev/null <"$__pronto_home/pid" && \builtin read -r REPLY 2>/dev/null <"/proc/$pid/stat" &&
        [[ ${REPLY##*) } != [TtZX]* ]]
}

# After a failed call: away with a helper that is out of step. Where it has read the request, it may have done what it was asked.
function __pronto_failed {
    \builtin local unread='' ours=''
    __pronto_kind=''
    # The one that is there now may be another, which a subshell has started.
    [[ ! -p $__pronto_line.ask ]] || ours=yes
    # A subshell leaves one alone that is at work for others.
    ! __pronto_subshell || ! __pronto_works || ours=''
    # Stopped first, so that it cannot read on.
    [[ -z $ours ]] || __pronto_signal STOP
    __pronto_repeatable "$@" || [[ -z $ours ]] || ! \builtin read -r -t 0 -u 62 || unread=yes
    [[ -z $ours ]] || __pronto_mend
    __pronto_holder='' __pronto_told=''
    if [[ -n $unread ]] || __pronto_repeatable "$@"; then
        \builtin return 1
    fi
    \builtin return 2
}

# To the helper, and to nobody who has its number by now.
function __pronto_signal {
    \builtin local pid='' words
    words=()
    \builtin read -r pid 2>/dev/null <"$__pronto_home/pid" && \builtin mapfile -d '' -t words 2>/dev/null <"/proc/$pid/cmdline" ||
        \builtin return 0
    [[ "${words[*]}" != *__helper*"$__pronto_home"* ]] || \builtin kill -s "$1" "$pid" 2>/dev/null || \builtin true
}

# Away with the helper and its folder: the next call begins anew.
function __pronto_mend {
    __pronto_signal KILL
    [[ ! -e $__pronto_home ]] || \builtin command rm -rf -- "$__pronto_home" || \builtin true
}

# Starts a helper for the shell, which tells its number once it is ready. Not again within a minute of a failure, and not where a function
# named "command" stands between us and what a wait needs.
function __pronto_start {
    ! \builtin declare -F command >/dev/null || \builtin return 1
    [[ -d /proc/self/fd ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 && SECONDS >= __pronto_until)) &&
        [[ -w ${__pronto_home%/*/*} ]] || \builtin return 1
    __pronto_helper=$(__pronto_command __helper "$$" "$__pronto_home" </dev/null 2>/dev/null) || \builtin true
    ! __pronto_usable || \builtin return 0
    __pronto_helper='' __pronto_until=$((SECONDS + 60))
    \builtin return 1
}

function __pronto_subshell {
    [[ $BASHPID != "$$" ]]
}

# The end: the helper goes.
function __pronto_close {
    if ! __pronto_subshell && [[ -n $__pronto_home ]]; then
        __pronto_mend
    fi
    \builtin unset __pronto_{home,busy,calls,awake,tries,until,holder,helper,line,id,known,told,sent,vars,pins,out,err,head,size,kind,status,tty,done}
    \builtin unset -f __pronto_{settle,apart,otherwise,call,frame,patiently,rest,heard,open,find,usable,claim,nested,body,print,assign,works,failed,signal,mend,start,subshell,close} \
        __pronto_{gather,same,note,run,long,into_anyhow,outcome,alone,fetch,directly,interrupted,tell,unwritten,unknown,repeatable}
}

__pronto_settle
