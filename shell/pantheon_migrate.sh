# shellcheck shell=bash disable=SC2154
# The pantheon flavour, continued: from files into ProntoDB, and back.
# Variables that nobody assigns here are those of __pantheon_run.

function __pantheon_do_init {
    \builtin local __status=0
    __pantheon_installed || \builtin return 127
    \builtin command mkdir -p -- "$__home/databases" || \builtin return 1
    \builtin command chmod 700 "$__home/databases" || \builtin return 1
    # A cursor that leads to another file stays as it is: what is stored there would seem to be gone.
    __told=$(\builtin : "${PRONTO_FORCE_DATABASE=$__database}" && __pantheon_as "$__kin" where 2>&1 >/dev/null) || __status=$?
    case "$__status $__told" in
    '0 '*) ;;
    *'Unknown cursor '*)
        __pantheon_as '' cursor set "pantheon_$__kin" "$__database" --meta "$__kin" --user "$__kin" --database "$__database"
        ;;
    *'The cursor says database '*)
        __pantheon_say "the cursor pantheon_$__kin is there, and leads to another file than $__database"
        __pantheon_use "prontodb cursor delete pantheon_$__kin --user $__kin, if it is of no use any more"
        \builtin return 3
        ;;
    *)
        \builtin printf '%s\n' "$__told" >&2
        \builtin return "$__status"
        ;;
    esac
}

function __pantheon_do_import {
    \builtin local __kind='' __from="${__from:-$__house}" __folder='' __worst=0 __status=0
    __pantheon_know || \builtin return "$?"
    if ! \builtin test -d "$__from"; then
        __pantheon_say "there is no folder $__from"
        \builtin return 1
    fi
    for __kind in sessions archive; do
        __pantheon_import_folder "$__kind" || __status=$?
        case $__status in
        0) ;;
        3) __worst=3 ;;
        *) \builtin return "$__status" ;;
        esac
    done
    __status=0
    __pantheon_counter_file "$__from/$__kin.iter" || __status=$?
    case $__status in
    0) __pantheon_raise "$REPLY" || \builtin return "$?" ;;
    1) __worst=1 ;;
    esac
    \builtin return "$__worst"
}

# In __known what ProntoDB has: sessions_3.
function __pantheon_know {
    \builtin local __kind='' __number=''
    __known=()
    for __kind in sessions archive; do
        __pantheon_stored "$__kind" || \builtin return "$?"
        for __number in "${__numbers[@]}"; do
            __known[${__kind}_$__number]=yes
        done
    done
}

# KIND: the folder of its files below $1.
function __pantheon_folder {
    REPLY=$1
    \builtin test "$2" = sessions || REPLY=$1/archive
}

# KIND
function __pantheon_import_folder {
    \builtin local __number='' __status=0 __worst=0
    __pantheon_folder "$__from" "$1"
    __pantheon_scan "$REPLY"
    for __number in "${__numbers[@]}"; do
        __status=0
        __pantheon_import "$1" "$__number" || __status=$?
        case $__status in
        0) ;;
        3) __worst=3 ;;
        *) \builtin return "$__status" ;;
        esac
    done
    \builtin return "$__worst"
}

# KIND N
function __pantheon_import {
    \builtin local __address="iterations.$1.iter$2" __file="${__files[$2]}"
    if [[ -n "${__twice[$2]-}" ]]; then
        __pantheon_is_twice "$2"
        \builtin return "$?"
    fi
    if [[ -n "${__known[sessions_$2]-}${__known[archive_$2]-}" ]]; then
        ! __pantheon_has "$2" "$__file" || \builtin return 0
        __pantheon_say "ProntoDB has another content for iteration $2 than $__file: left alone"
        \builtin return 3
    fi
    __pantheon_ask set "$__address" --file "$__file" || \builtin return "$?"
    if ! __pantheon_same "$__address" "$__file"; then
        __pantheon_say "$__address is not what $__file holds"
        \builtin return 1
    fi
    \builtin printf '%s\n' "$__address"
}

# N FILE: whether what ProntoDB had at first holds this very content for the iteration, as a session or in the archive.
function __pantheon_has {
    [[ -n "${__known[sessions_$1]-}" ]] && __pantheon_same "iterations.sessions.iter$1" "$2" && \builtin return "$?"
    [[ -n "${__known[archive_$1]-}" ]] && __pantheon_same "iterations.archive.iter$1" "$2"
}

function __pantheon_do_status {
    \builtin local __kind='' __number='' __database_counter=none __file_counter=none __status=0
    __pantheon_know || \builtin return "$?"
    \builtin printf 'folder\t%s\n' "$__house"
    for __kind in sessions archive; do
        __pantheon_stored "$__kind" || \builtin return "$?"
        \builtin printf '%s: in prontodb\t%s\n' "$__kind" "${#__numbers[@]}"
        __pantheon_folder "$__house" "$__kind"
        __pantheon_scan "$REPLY"
        \builtin printf '%s: iteration files\t%s\n' "$__kind" "${#__numbers[@]}"
        \builtin printf '%s: other files\t%s\n' "$__kind" "${#__others[@]}"
        for __number in "${__numbers[@]}"; do
            __pantheon_compare "$__kind" "$__number"
        done
    done
    __pantheon_read get iterations.counter.current && __database_counter=$REPLY
    __pantheon_counter_file "$__house/$__kin.iter" && __file_counter=$REPLY
    \builtin printf 'counter: in prontodb\t%s\ncounter: in its file\t%s\n' "$__database_counter" "$__file_counter"
}

# KIND N
function __pantheon_compare {
    \builtin local __file="${__files[$2]}"
    if [[ -n "${__twice[$2]-}" ]]; then
        \builtin printf 'twice\t%s\t%s\n' "$__file" "${__twice[$2]}"
    elif [[ -z "${__known[sessions_$2]-}${__known[archive_$2]-}" ]]; then
        \builtin printf 'missing\t%s\n' "$__file"
    elif ! __pantheon_has "$2" "$__file"; then
        \builtin printf 'differs\t%s\n' "$__file"
    fi
}

function __pantheon_do_backup {
    \builtin local __folder="$__home/backups/$__kin" __stamp='' __name='' __count=1 __status=0
    __pantheon_know || \builtin return "$?"
    __stamp=$(\builtin command date +%Y%m%d-%H%M%S) && \builtin command mkdir -p -- "$__folder" || \builtin return 1
    __name=$__stamp
    # Who makes the folder under its temporary name may rename it: two at the same second get two names.
    until ! \builtin test -e "$__folder/$__name" && \builtin command mkdir "$__folder/.$__name.partial" 2>/dev/null; do
        __count=$((__count + 1))
        __name=$__stamp-$__count
        \builtin test "$__count" -lt 100 || __pantheon_say "cannot make a folder in $__folder" || \builtin return 1
    done
    __pantheon_backup "$__folder/.$__name.partial" || __status=$?
    if \builtin test "$__status" -ne 0; then
        \builtin command rm -rf -- "$__folder/.$__name.partial"
        \builtin return "$__status"
    fi
    \builtin command mv -- "$__folder/.$__name.partial" "$__folder/$__name" && \builtin printf '%s\n' "$__folder/$__name"
}

# FOLDER
function __pantheon_backup {
    \builtin local __kind='' __number='' __other='' __status=0
    for __kind in sessions archive; do
        __pantheon_stored "$__kind" || \builtin return "$?"
        __pantheon_folder "$1" "$__kind"
        \builtin command mkdir -p -- "$REPLY" || \builtin return 1
        for __number in "${__numbers[@]}"; do
            __pantheon_backup_one "iterations.$__kind.iter$__number" "$REPLY/iter-$__number.md" || \builtin return "$?"
        done
        for __other in "${__others[@]}"; do
            __pantheon_say "not an iteration, and left out: $__other"
        done
    done
    __pantheon_read get iterations.counter.current || __status=$?
    case $__status in
    0) \builtin printf '%s\n' "$REPLY" >"$1/$__kin.iter" ;;
    2) ;;
    *) \builtin return "$__status" ;;
    esac
}

# ADDRESS FILE
function __pantheon_backup_one {
    __pantheon_ask get "$1" >"$2" || \builtin return "$?"
    if ! __pantheon_same "$1" "$2"; then
        __pantheon_say "$2 is not what $1 holds"
        \builtin return 1
    fi
}
