# shellcheck shell=bash disable=SC2154,SC2034
# How bash talks to its helper: a resident process that answers without a fork, over two FIFOs of this shell's own. A subshell has none,
# and whatever goes wrong, the command makes the call instead. __pronto_gather and __pronto_command are generated; the rest is in run.sh.

# Opens the FIFOs. They lose their names at once: what is open is all there is.
function __pronto_open {
    \builtin local base="${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/pronto.$$.$RANDOM$RANDOM" opened=''
    if \builtin command mkfifo -m 600 "$base".{ask,say} 2>/dev/null &&
        \builtin exec {__pronto_ask}<>"$base.ask" {__pronto_say}<>"$base.say"; then
        opened=yes
    fi
    \builtin command rm -f "$base".{ask,say}
    [[ -n $opened ]]
}

# Makes a call: digits that tell which outputs are terminals, then the words. Status 0: __pronto_status, _out, _err and _kind are the
# reply. 1: nothing was done, the command is to be run. 2: it is not known whether it was done.
function __pronto_call {
    [[ $BASHPID == "$$" ]] || \builtin return 1
    # In a trap, in the middle of another call, whose reply is still to come.
    [[ -z ${__pronto_busy-} ]] || ! __pronto_nested || \builtin return 1
    # A call that was interrupted, whose reply may come yet; a helper that is gone; or descriptors that are somebody else's by now.
    if [[ -n ${__pronto_busy-} ]] || ! __pronto_ours; then
        __pronto_mend
    fi
    __pronto_busy=yes
    if ! ((__pronto_pid)) && ! __pronto_start; then
        __pronto_busy=''
        \builtin return 1
    fi
    if __pronto_talk "$@"; then
        __pronto_busy=''
        \builtin return 0
    fi
    __pronto_failed "${2-}"
}

function __pronto_nested {
    \builtin local IFS=' '
    [[ " ${FUNCNAME[*]:2} " == *' __pronto_call '* ]]
}

# Sends a request and hears the reply. A timeout costs "read" three system calls for each byte, but what is written at once is there at
# once: so only the first byte of a frame has one.
function __pronto_talk {
    \builtin local id="$BASHPID.$((++__pronto_calls))" first='' head='' block=3840 out err IFS=''
    __pronto_gather
    \builtin printf '%s\0' P1 "$id" "$1" "${#__pronto_sent[@]}" "$(($# - 1))" "${__pronto_sent[@]}" "${@:2}" 1>&"$__pronto_ask" || \builtin return 1
    __pronto_byte first || \builtin return 1
    \builtin read -r -N 255 -u "$__pronto_say" head || \builtin return 1
    __pronto_kind=${head:19:1} __pronto_status=${head:20:3} out=${head:23:10} err=${head:33:10}
    [[ $first == '>' && $head == "$id "* && $__pronto_kind == [abncv] ]] || \builtin return 1
    if [[ $__pronto_kind == a ]] && ((out + err <= 201)); then
        __pronto_out=${head:54:out} __pronto_err=${head:54+out:err}
        \builtin return 0
    fi
    # A helper that is out of date has ended.
    [[ $__pronto_kind != v ]] || __pronto_pid=0
    # A reply that is not ASCII is read byte by byte, not character by character.
    [[ $__pronto_kind != b ]] || \builtin local LC_ALL=C
    __pronto_read "$out" __pronto_out && __pronto_read "$err" __pronto_err
}

# A byte, which takes its time: as long as the helper is at work, a minute at most. A trap that breaks in may have taken it along.
function __pronto_byte {
    \builtin local tries status
    for ((tries = 0; tries < 120; tries++)); do
        \builtin read -r -t 0.5 -N 1 -u "$__pronto_say" "$1" && \builtin return 0 || status=$?
        # 142 is a timeout.
        ((status == 142)) && __pronto_works || \builtin return 1
    done
    \builtin return 1
}

# Reads so many bytes into a variable. The helper writes pieces of 4096, the frame included: "block" is what is left of one.
function __pronto_read {
    \builtin local first='' part='' left="$1" size IFS=''
    \builtin local -a parts
    parts=()
    while ((left)); do
        first=''
        if ((block == 0)); then
            __pronto_byte first || \builtin return 1
            block=4095
            ((--left)) || \builtin true
        fi
        size=$((left < block ? left : block))
        part=''
        ((size == 0)) || \builtin read -r -N "$size" -u "$__pronto_say" part || \builtin return 1
        parts+=("$first$part")
        ((left -= size, block -= size)) || \builtin true
    done
    \builtin printf -v "$2" %s "${parts[@]}"
}

# Whether what we write to and read from is what the helper has.
function __pronto_ours {
    [[ ${__pronto_pid:-0} != 0 && /dev/fd/$__pronto_ask -ef /proc/$__pronto_pid/fd/$__pronto_ask && /dev/fd/$__pronto_say -ef /proc/$__pronto_pid/fd/$__pronto_say ]]
}

# Whether the helper is there and not stopped, as /proc has it; Z is one that has ended and that nobody has taken note of.
function __pronto_works {
    \builtin local REPLY=''
    \builtin read -r REPLY 2>/dev/null <"/proc/$__pronto_pid/stat" && [[ ${REPLY##*) } != [TtZX]* ]]
}

# After a failed call: away with a helper that is out of step. Where it has read the request, it may have done what it was asked.
function __pronto_failed {
    \builtin local unread=''
    if __pronto_ours; then
        # Stopped first, so that it cannot read on.
        __pronto_signal STOP
        ! \builtin read -r -t 0 -u "$__pronto_ask" || unread=yes
    fi
    __pronto_mend
    if [[ -n $unread ]] || __pronto_repeatable "$1"; then
        \builtin return 1
    fi
    \builtin return 2
}

# To the helper, and to nobody who has its number by now.
function __pronto_signal {
    \builtin local words
    words=()
    ((${__pronto_pid:-0})) && \builtin mapfile -d '' -t words 2>/dev/null <"/proc/$__pronto_pid/cmdline" || \builtin return 0
    [[ "${words[*]}" != *__helper* ]] || \builtin kill -s "$1" "$__pronto_pid" 2>/dev/null || \builtin true
}

# Away with the helper and the FIFOs: the next call begins anew. Descriptors that may be somebody else's are left alone.
function __pronto_mend {
    ! __pronto_ours || \builtin exec {__pronto_ask}>&- {__pronto_say}>&-
    __pronto_signal KILL
    __pronto_pid=0 __pronto_busy='' __pronto_calls=0
}

# Starts a helper, which tells its number once it is ready. Not again within a minute of a failure.
function __pronto_start {
    [[ -d /proc/self/fd ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 && SECONDS >= ${__pronto_until:-0})) || \builtin return 1
    if __pronto_open && __pronto_pid=$(__pronto_command __helper "$$" "$__pronto_ask" "$__pronto_say" </dev/null 2>/dev/null) &&
        [[ $__pronto_pid == [1-9]* ]]; then
        \builtin return 0
    fi
    __pronto_pid=0 __pronto_until=$((SECONDS + 60))
    \builtin return 1
}

function __pronto_subshell {
    [[ $BASHPID != "$$" ]]
}

# The end: the helper and the FIFOs go.
function __pronto_close {
    __pronto_subshell || __pronto_mend
    \builtin unset __pronto_{pid,busy,calls,until,ask,say,sent}
    \builtin unset -f __pronto_{open,call,nested,talk,byte,read,ours,works,failed,signal,mend,start,subshell,close,gather,run,into,tell,unknown,repeatable}
}
