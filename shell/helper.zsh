# How zsh talks to its helper: a resident process that answers without a fork, over two FIFOs of this shell's own. A subshell has none,
# and whatever goes wrong, the command makes the call instead. __pronto_gather and __pronto_command are generated; the rest is in run.sh,
# whose __pronto_run sets the options that hold here: zsh's own, and lengths in bytes.

# Opens the FIFOs. They lose their names at once: what is open is all there is, and no program inherits it.
function __pronto_open {
    \builtin local base=${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/pronto.$$.$RANDOM$RANDOM opened=''
    if \builtin command mkfifo -m 600 $base.{ask,say} 2>/dev/null &&
        \builtin sysopen -rw -o cloexec -u __pronto_ask $base.ask && \builtin sysopen -rw -o cloexec -u __pronto_say $base.say; then
        opened=yes
    fi
    \builtin command rm -f $base.{ask,say}
    [[ -n $opened ]]
}

# What is needed: variables, and modules, of which __pronto_loaded names those that were not there before.
function __pronto_load {
    \builtin local module
    \builtin typeset -g __pronto_pid=0 __pronto_busy='' __pronto_calls=0 __pronto_until=0 __pronto_ask='' __pronto_say=''
    \builtin typeset -ga __pronto_sent __pronto_loaded
    for module in zsh/system zsh/zselect; do
        if ! \builtin zmodload -e $module; then
            \builtin zmodload $module
            __pronto_loaded+=($module)
        fi
    done
}

# Makes a call: digits that tell which outputs are terminals, then the words. Status 0: __pronto_status, _out, _err and _kind are the
# reply. 1: nothing was done, the command is to be run. 2: it is not known whether it was done.
function __pronto_call {
    ! __pronto_subshell || \builtin return 1
    [[ -n "${__pronto_pid+x}" ]] || __pronto_load
    # In a trap, in the middle of another call, whose reply is still to come.
    [[ -z $__pronto_busy ]] || ((${${funcstack[2,-1]}[(Ie)__pronto_call]} == 0)) || \builtin return 1
    # A call that was interrupted, whose reply may come yet; a helper that is gone; or descriptors that are somebody else's by now: zsh
    # closes those that were opened in a pipeline.
    if [[ -n $__pronto_busy ]] || ! __pronto_ours; then
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

# Sends a request and hears the reply.
function __pronto_talk {
    \builtin local id=${sysparams[pid]}.$((++__pronto_calls)) head='' out err
    __pronto_gather
    \builtin print -rNu $__pronto_ask -- P1 $id "$1" ${#__pronto_sent} $(($# - 1)) "${__pronto_sent[@]}" "${@[2,-1]}" || \builtin return 1
    __pronto_read 256 head || \builtin return 1
    __pronto_kind=${head[21]} __pronto_status=${head[22,24]} out=$((${head[25,34]})) err=$((${head[35,44]}))
    [[ $head == ">$id "* && $__pronto_kind == [abncv] ]] || \builtin return 1
    if [[ $__pronto_kind == a ]] && ((out + err <= 201)); then
        __pronto_out=${head[56,55+out]} __pronto_err=${head[56+out,55+out+err]}
        \builtin return 0
    fi
    # A helper that is out of date has ended.
    [[ $__pronto_kind != v ]] || __pronto_pid=0
    __pronto_read $out __pronto_out && __pronto_read $err __pronto_err
}

# Reads so many bytes into a variable; waits as long as the helper is at work, a minute at most.
function __pronto_read {
    \builtin local part='' left=$1 tries=0
    \builtin local -a parts
    while ((left)); do
        if \builtin sysread -t 0.5 -s $left -i $__pronto_say part; then
            parts+=("$part")
            ((left -= ${#part})) || \builtin true
        else
            ((++tries < 120)) && __pronto_works || \builtin return 1
        fi
    done
    \builtin printf -v $2 %s "${(j::)parts}"
}

# Whether what we write to and read from is what the helper has.
function __pronto_ours {
    [[ $__pronto_pid != 0 && /dev/fd/$__pronto_ask -ef /proc/$__pronto_pid/fd/3 && /dev/fd/$__pronto_say -ef /proc/$__pronto_pid/fd/4 ]]
}

# Whether the helper is there and not stopped, as /proc has it; Z is one that has ended and that nobody has taken note of.
function __pronto_works {
    \builtin local REPLY=''
    [[ -r /proc/$__pronto_pid/stat ]] && \builtin read -r REPLY 2>/dev/null </proc/$__pronto_pid/stat && [[ ${REPLY##*\) } != [TtZX]* ]]
}

# After a failed call: away with a helper that is out of step. Where it has read the request, it may have done what it was asked.
function __pronto_failed {
    \builtin local unread=''
    \builtin local -a reply
    if __pronto_ours; then
        # Stopped first, so that it cannot read on.
        __pronto_signal STOP
        ! \builtin zselect -t 0 -r $__pronto_ask || unread=yes
    fi
    __pronto_mend
    if [[ -n $unread ]] || __pronto_repeatable "$1"; then
        \builtin return 1
    fi
    \builtin return 2
}

# To the helper, and to nobody who has its number by now.
function __pronto_signal {
    \builtin local words=''
    ((__pronto_pid)) && [[ -r /proc/$__pronto_pid/cmdline ]] && \builtin sysread words </proc/$__pronto_pid/cmdline || \builtin return 0
    [[ $words != *__helper* ]] || \builtin kill -s $1 $__pronto_pid 2>/dev/null || \builtin true
}

# Away with the helper and the FIFOs: the next call begins anew. Descriptors that may be somebody else's are left alone.
function __pronto_mend {
    ! __pronto_ours || \builtin exec {__pronto_ask}>&- {__pronto_say}>&-
    __pronto_signal KILL
    __pronto_pid=0 __pronto_busy='' __pronto_calls=0
}

# Starts a helper, which tells its number once it is ready. Not again within a minute of a failure.
function __pronto_start {
    [[ -d /proc/self/fd ]] && ((SECONDS >= __pronto_until)) || \builtin return 1
    if __pronto_open && __pronto_pid=$(__pronto_command __helper $$ 3 4 3<&$__pronto_ask 4<&$__pronto_say </dev/null 2>/dev/null) &&
        [[ $__pronto_pid == [1-9]* ]]; then
        \builtin return 0
    fi
    __pronto_pid=0 __pronto_until=$((SECONDS + 60))
    \builtin return 1
}

function __pronto_subshell {
    ((ZSH_SUBSHELL))
}

# The end: the helper, the FIFOs and the modules go.
function __pronto_close {
    \builtin emulate -L zsh
    \builtin local module
    __pronto_subshell || [[ -z "${__pronto_pid+x}" ]] || __pronto_mend
    for module in ${__pronto_loaded-}; do
        \builtin zmodload -u $module
    done
    \builtin unset __pronto_{pid,busy,calls,until,ask,say,sent,loaded}
    \builtin unset -f __pronto_{open,load,call,talk,read,ours,works,failed,signal,mend,start,subshell,close,gather,run,into,tell,unknown,repeatable}
}
