# How zsh talks to its helper: a resident process that answers without a fork, through FIFOs in a folder of this shell's own. The shell has
# the first pair for itself, each subshell that calls claims another. Whatever goes wrong, the command makes the call instead.
# __pronto_gather and __pronto_command are generated; the rest is in run.sh, whose __pronto_run sets the options that hold here: zsh's own,
# and lengths in bytes.

# Where the helper lives: a name that no other shell has, so that subshells find what the shell or one of them has started. And the modules
# that are needed, of which __pronto_loaded names those that were not there before.
function __pronto_settle {
    \builtin emulate -L zsh
    \builtin local base module
    [[ "${__pronto_home-}" != */$$.* ]] || \builtin return 0
    for base in "${XDG_RUNTIME_DIR-}" "${TMPDIR-}" /tmp; do
        [[ $base != /* || ! -w $base ]] || \builtin break
    done
    \builtin typeset -g __pronto_home=$base/prontodb-$UID/$$.$RANDOM$RANDOM$RANDOM
    \builtin typeset -g __pronto_busy='' __pronto_calls=0 __pronto_awake=32 __pronto_tries=0 __pronto_until=0 __pronto_holder='' __pronto_helper='' __pronto_ask='' __pronto_say=''
    \builtin typeset -g __pronto_line='' __pronto_known='' __pronto_id='' __pronto_out='' __pronto_err='' __pronto_head='' __pronto_process='' __pronto_size=''
    \builtin typeset -g __pronto_kind='' __pronto_status='' __pronto_tty='' __pronto_done=''
    \builtin typeset -ga __pronto_sent __pronto_pins __pronto_loaded
    for module in zsh/system zsh/zselect; do
        if ! \builtin zmodload -e $module; then
            \builtin zmodload $module
            __pronto_loaded+=($module)
        fi
    done
}

# The calls of loops, `get -v VAR ADDRESS`, are made here: a function costs zsh a page of memory each time it is called. Whatever is out of
# the ordinary goes the way of all calls.
function pronto {
    \builtin emulate -L zsh -o no_multibyte -o extended_glob
    # zsh closes descriptors that were opened in the middle of a pipeline, and whatever comes next gets their numbers.
    if [[ "$# ${1-} ${2-} $__pronto_busy$__pronto_holder" != "4 get -v ${sysparams[pid]}" || ${#__pronto_pins} -ne 0 ||
        ! /dev/fd/$__pronto_ask -ef $__pronto_line.ask || ! /dev/fd/$__pronto_say -ef $__pronto_line.say ||
        $3 != [A-Za-z][A-Za-z0-9_]# || $4 == -* || ${#4} -gt 4000 ]]; then
        __pronto_any "$@"
        \builtin return "$?"
    fi
    __pronto_gather
    [[ -t 2 ]] && __pronto_tty=01 || __pronto_tty=00
    __pronto_busy=yes __pronto_head='' __pronto_id=$__pronto_holder.$((++__pronto_calls))
    if \builtin print -rNu $__pronto_ask -- "P4 $__pronto_id $__pronto_tty 2" ${HOME+"HOME=$HOME"} ${TERM+"TERM=$TERM"} "${__pronto_sent[@]}" \
        '' get "$4" $__pronto_id && __pronto_frame && [[ $__pronto_head == ?'>s  0  0'"$__pronto_id "* ]]; then
        \builtin printf -v $3 %s "${__pronto_head[32,31+${__pronto_head[29,31]}]}"
        __pronto_busy=''
    else
        __pronto_heard || __pronto_failed get || \builtin true
        __pronto_outcome $3 $4
    fi
    \builtin return "$?"
}

# Makes a call: digits that tell which outputs are terminals, then the words. Status 0: __pronto_status, _out, _err and _kind are the
# reply. 1: nothing was done, the command is to be run. 2: it is not known whether it was done.
function __pronto_call {
    __pronto_kind=''
    [[ $__pronto_holder == ${sysparams[pid]} && /dev/fd/$__pronto_ask -ef $__pronto_line.ask && /dev/fd/$__pronto_say -ef $__pronto_line.say ]] ||
        __pronto_open || \builtin return 1
    __pronto_gather
    __pronto_id=$__pronto_holder.$((++__pronto_calls))
    \builtin print -rNu $__pronto_ask -- "P4 $__pronto_id $1 $(($# - 1))" ${HOME+"HOME=$HOME"} ${TERM+"TERM=$TERM"} "${__pronto_sent[@]}" "${__pronto_pins[@]}" '' \
        "${@[2,-1]}" $__pronto_id && __pronto_frame && __pronto_heard || __pronto_failed "${@:2}"
}

# Takes a frame, and what follows it, apart; if it is the reply.
function __pronto_heard {
    __pronto_kind=${__pronto_head[3]} __pronto_status=${__pronto_head[4,6]}
    # An answer that is cut or doubled is none.
    [[ $__pronto_head == [1-9]* ]] && ((${#__pronto_head} == ${__pronto_head[1]} * 64)) || __pronto_head=''
    if [[ $__pronto_head == ?'>s'???'  0'"$__pronto_id "* ]]; then
        __pronto_out=${__pronto_head[32,31+${__pronto_head[29,31]}]} __pronto_err=''
    elif [[ $__pronto_head == [1-9]">s"??????"$__pronto_id "* ]]; then
        __pronto_size=$((${__pronto_head[29,31]}))
        __pronto_out=${__pronto_head[32,31+__pronto_size]} __pronto_err=${__pronto_head[32+__pronto_size,31+__pronto_size+${__pronto_head[7,9]}]}
    elif [[ $__pronto_head == "1>b"?????????????"$__pronto_id "* ]]; then
        __pronto_body $((${__pronto_head[36,45]})) $((${__pronto_head[7,16]}))
    elif [[ $__pronto_head == "1>"[ncv]?????????????"$__pronto_id "* ]]; then
        __pronto_out='' __pronto_err=''
    else
        __pronto_kind=''
        \builtin return 1
    fi
}

# Opens this process's line, after starting a helper where there is none; no program inherits the descriptors. The helper alone can write
# to what it says: so its end is the end of that file. What it is asked is open for reading, too: so its end raises no SIGPIPE. The files
# carry the helper's number: whoever comes after a helper that was replaced finds that they are gone.
function __pronto_open {
    \builtin local __pronto_fd=''
    __pronto_hang_up
    [[ -p $__pronto_home/$__pronto_helper.0.ask ]] || __pronto_find || __pronto_start || \builtin return 1
    if ((ZSH_SUBSHELL == 0)); then
        __pronto_line=$__pronto_home/$__pronto_helper.0
    elif [[ $__pronto_process != ${sysparams[pid]} || ! -e $__pronto_line.taken ]]; then
        __pronto_claim || \builtin return 1
    fi
    __pronto_process=${sysparams[pid]}
    \builtin sysopen -rw -o cloexec -u __pronto_fd $__pronto_line.say 2>/dev/null || \builtin return 1
    \builtin sysopen -r -o cloexec -u __pronto_say $__pronto_line.say 2>/dev/null &&
        \builtin sysopen -rw -o cloexec -u __pronto_ask $__pronto_line.ask 2>/dev/null && __pronto_holder=${sysparams[pid]}
    \builtin exec {__pronto_fd}>&-
    [[ -n $__pronto_holder ]]
}

# A small file into the variable named by $1, and no word where there is none: another process may take away what was there just now. zsh
# tells of a file that it cannot open before a 2>/dev/null of the same command is in force, so that the braces are needed.
function __pronto_look {
    { \builtin sysread $1 <$2; } 2>/dev/null && \builtin printf -v $1 %s ${${(P)1}%$'\n'}
}

# The helper that another process of this shell's family has started.
function __pronto_find {
    __pronto_look __pronto_helper $__pronto_home/pid && [[ -p $__pronto_home/$__pronto_helper.0.ask && -r /proc/$__pronto_helper/fd ]]
}

# A line for this subshell: the first that nobody has, which the file system tells. The helper takes it back when the subshell ends.
function __pronto_claim {
    \builtin local number=0 tries __pronto_fd=''
    __pronto_line=''
    for ((tries = 0; tries < 300; tries++)); do
        ((number = tries < 63 ? 1 + (sysparams[pid] + tries) % 63 : tries + 1))
        if [[ ! -p $__pronto_home/$__pronto_helper.$number.ask ]]; then
            # There may be fewer than the first 63.
            ((tries >= 63)) || \builtin continue
            \builtin break
        fi
        if \builtin sysopen -w -o creat,excl,cloexec -u __pronto_fd $__pronto_home/$__pronto_helper.$number.taken 2>/dev/null; then
            \builtin print -rnu $__pronto_fd -- ${sysparams[pid]}
            \builtin exec {__pronto_fd}>&-
            __pronto_line=$__pronto_home/$__pronto_helper.$number
            \builtin break
        fi
    done
    [[ -n $__pronto_line ]]
}

# Closes what is ours; a script may have opened something of its own under these numbers.
function __pronto_hang_up {
    [[ -z $__pronto_ask || ! /dev/fd/$__pronto_ask -ef $__pronto_line.ask ]] || \builtin exec {__pronto_ask}>&-
    [[ -z $__pronto_say || ! /dev/fd/$__pronto_say -ef $__pronto_line.say ]] || \builtin exec {__pronto_say}<&-
    __pronto_holder='' __pronto_ask='' __pronto_say=''
}

# Whether this is a trap, in the middle of another call, whose reply is still to come.
function __pronto_nested {
    \builtin local -a outer
    outer=(${funcstack[2,-1]})
    while [[ ${outer[1]} == __pronto_* && ${outer[1]} != __pronto_door ]]; do
        \builtin shift outer
    done
    [[ " ${outer[2,-1]} " == *' '(pronto|__pronto_door|__pronto_run)' '* ]]
}

# What the helper says: a frame, which is there at once when it is there. It is waited for awake as long as that was worth it lately: to be
# woken takes longer than most calls.
function __pronto_frame {
    __pronto_tries=0
    until \builtin sysread -t 0 -s 576 -i $__pronto_say __pronto_head; do
        if ((++__pronto_tries > __pronto_awake)); then
            __pronto_patiently
            \builtin return "$?"
        fi
    done
    \builtin return 0
}

# Where it takes longer, or there is one processor for both: less of it for some calls, then another try.
function __pronto_patiently {
    \builtin local tries
    __pronto_awake=$((__pronto_calls % 16 ? __pronto_awake / 2 : 32))
    for ((tries = 0; tries < 120; tries++)); do
        ! \builtin sysread -t 0.5 -s 576 -i $__pronto_say __pronto_head || \builtin return 0
        __pronto_works || \builtin return 1
    done
    \builtin return 1
}

# Both outputs, of which the frame tells the place: they lie in the helper's memory, behind the number of the call.
function __pronto_body {
    \builtin local __pronto_part='' __pronto_fd='' __pronto_was=$__pronto_kind
    __pronto_kind=''
    \builtin sysopen -r -o cloexec -u __pronto_fd /proc/${${__pronto_head[46,-1]}%% *} 2>/dev/null || \builtin return 1
    if __pronto_piece __pronto_part $((${#__pronto_id} + 1)) && [[ $__pronto_part == "$__pronto_id"$'\0' ]] &&
        __pronto_piece __pronto_out $1 && __pronto_piece __pronto_part 1 && [[ $__pronto_part == $'\0' ]] &&
        __pronto_piece __pronto_err $2; then
        __pronto_kind=$__pronto_was
    fi
    \builtin exec {__pronto_fd}<&-
    [[ -n $__pronto_kind ]]
}

# So many bytes, straight into a variable: to cut them out of more would take longer than to read them.
function __pronto_piece {
    \builtin local __pronto_more='' __pronto_got=0 __pronto_left=$2
    \builtin printf -v $1 %s ''
    ((__pronto_left == 0)) || \builtin sysread -c __pronto_got -s $__pronto_left -i $__pronto_fd $1 || \builtin return 1
    while ((__pronto_left -= __pronto_got)); do
        \builtin sysread -c __pronto_got -s $__pronto_left -i $__pronto_fd __pronto_more || \builtin return 1
        \builtin printf -v $1 %s "${(P)1}$__pronto_more"
    done
}

# Its "printf" does not notice everything that goes wrong.
function __pronto_print {
    \builtin syswrite -- "$__pronto_out" 2>/dev/null
}

function __pronto_assign {
    \builtin printf -v $1 %s "$__pronto_out"
}

# Whether the helper is there and not stopped, as /proc has it; Z is one that has ended and that nobody has taken note of.
function __pronto_works {
    \builtin local REPLY='' pid=''
    __pronto_look pid $__pronto_home/pid && __pronto_look REPLY /proc/$pid/stat && [[ ${REPLY##*\) } != [TtZX]* ]]
}

# After a failed call: away with a helper that is out of step. Where it has read the request, it may have done what it was asked.
function __pronto_failed {
    \builtin local unread='' ours=''
    \builtin local -a reply
    __pronto_kind=''
    # The one that is there now may be another, which a subshell has started.
    [[ ! /dev/fd/$__pronto_ask -ef $__pronto_line.ask ]] || ours=yes
    # A subshell leaves one alone that is at work for others.
    ! __pronto_subshell || ! __pronto_works || ours=''
    # Stopped first, so that it cannot read on.
    [[ -z $ours ]] || __pronto_signal STOP
    [[ -z $ours ]] || ! \builtin zselect -t 0 -r $__pronto_ask || unread=yes
    __pronto_hang_up
    [[ -z $ours ]] || __pronto_mend
    if [[ -n $unread ]] || __pronto_repeatable "$@"; then
        \builtin return 1
    fi
    \builtin return 2
}

# To the helper, and to nobody who has its number by now.
function __pronto_signal {
    \builtin local pid='' words=''
    __pronto_look pid $__pronto_home/pid && __pronto_look words /proc/$pid/cmdline || \builtin return 0
    [[ $words != *__helper*$__pronto_home* ]] || \builtin kill -s $1 $pid 2>/dev/null || \builtin true
}

# Away with the helper and its folder: the next call begins anew.
function __pronto_mend {
    __pronto_signal KILL
    [[ ! -e $__pronto_home ]] || \builtin command rm -rf -- $__pronto_home || \builtin true
}

# Starts a helper for the shell, which tells its number once it is ready. Not again within a minute of a failure.
function __pronto_start {
    [[ -d /proc/self/fd ]] && ((SECONDS >= __pronto_until)) && [[ -w ${__pronto_home:h:h} ]] || \builtin return 1
    __pronto_helper=$(__pronto_command __helper $$ $__pronto_home </dev/null 2>/dev/null) || \builtin true
    if [[ -n $__pronto_helper && -p $__pronto_home/$__pronto_helper.0.ask && -r /proc/$__pronto_helper/fd ]]; then
        \builtin return 0
    fi
    __pronto_helper='' __pronto_until=$((SECONDS + 60))
    \builtin return 1
}

function __pronto_subshell {
    ((ZSH_SUBSHELL))
}

# The end: the helper and the modules go.
function __pronto_close {
    \builtin emulate -L zsh
    \builtin local module
    if ! __pronto_subshell && [[ -n "${__pronto_home-}" ]]; then
        __pronto_hang_up
        __pronto_mend
    fi
    for module in ${__pronto_loaded-}; do
        \builtin zmodload -u $module
    done
    \builtin unset __pronto_{home,busy,calls,awake,tries,until,holder,process,helper,ask,say,line,id,sent,known,pins,out,err,head,size,kind,status,tty,done,loaded}
    \builtin unset -f __pronto_{settle,call,heard,open,look,find,claim,hang_up,nested,frame,patiently,body,piece,print,assign,works,failed,signal,mend,start,subshell,close} \
        __pronto_{gather,gather_all,note,run,long,into_anyhow,outcome,alone,fetch,directly,interrupted,tell,unwritten,unknown,repeatable}
}

__pronto_settle
