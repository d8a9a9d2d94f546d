# shellcheck shell=bash disable=SC2154,SC2004
# The pantheon flavour, continued: numbers, files, and what works without ProntoDB.
# Variables that nobody assigns here are those of __pantheon_run, and __files and __twice have numbers for names, not for places.

# TEXT: in REPLY the decimal number that it is, without leading zeros.
function __pantheon_number {
    \builtin local LC_ALL=C __zeros=''
    case $1 in
    '' | *[!0-9]*) \builtin return 1 ;;
    esac
    __zeros=${1%%[!0]*}
    REPLY=${1#"$__zeros"}
    REPLY=${REPLY:-0}
    \builtin test "${#REPLY}" -le 18
}

# NAME: in REPLY the number of the iteration that a file of this name holds, if it does: keeper.iter-03.md has 3.
function __pantheon_number_of {
    \builtin local __rest="${1##*[Ii][Tt][Ee][Rr]}"
    case $1 in
    *[Ii][Tt][Ee][Rr][0-9]* | *[Ii][Tt][Ee][Rr][-_][0-9]*) ;;
    *) \builtin return 1 ;;
    esac
    __rest=${__rest#[-_]}
    __pantheon_number "${__rest%.*}"
}

function __pantheon_absolute {
    case $1 in
    /*) REPLY=$1 ;;
    *) REPLY=$PWD/$1 ;;
    esac
}

# KIN: in REPLY the path of its database.
function __pantheon_database {
    __pantheon_absolute "${PANTH_HOME:-${HOME-}/repos/realms/pantheon}"
    REPLY=${REPLY%/}/databases/$1.db
}

# The numbers in __numbers, in order.
function __pantheon_sort {
    \builtin local __number=''
    \builtin set -- "${__numbers[@]}"
    __numbers=()
    for __number in $(\builtin printf '%s\n' "$@" | \builtin command sort -n); do
        __numbers+=("$__number")
    done
}

# FOLDER: the files of iterations there: __numbers in order, __files by number, __twice where another file of that number differs;
# __others that are none.
function __pantheon_scan {
    \builtin local __file='' REPLY=''
    __numbers=() __others=() __files=() __twice=()
    for __file in "$1"/*; do
        if ! \builtin test -f "$__file" || \builtin test "${__file##*/}" = "$__kin.iter"; then
            \builtin continue
        elif ! __pantheon_number_of "${__file##*/}"; then
            __others+=("$__file")
        elif [[ -z "${__files[$REPLY]-}" ]]; then
            __numbers+=("$REPLY")
            __files[$REPLY]=$__file
        elif ! \builtin command cmp -s -- "${__files[$REPLY]}" "$__file"; then
            __twice[$REPLY]=$__file
        fi
    done
    __pantheon_sort
}

# FOLDER N: in REPLY the file of an iteration, '' where there is none.
function __pantheon_find_in {
    __pantheon_scan "$1"
    REPLY=${__files[$2]-}
    [[ -z "${__twice[$2]-}" ]] || __pantheon_is_twice "$2"
}

function __pantheon_is_twice {
    __pantheon_say "iteration $1 is there twice, and differs: ${__files[$1]} and ${__twice[$1]}"
    \builtin return 3
}

# N: in REPLY the file of an iteration; 2 where there is none.
function __pantheon_find {
    __pantheon_find_in "$__house" "$1" || \builtin return "$?"
    [[ -z "$REPLY" ]] || \builtin return 0
    __pantheon_find_in "$__house/archive" "$1" || \builtin return "$?"
    [[ -n "$REPLY" ]] || \builtin return 2
}

# KIND: the iterations of this kind in ProntoDB: __numbers in order; __others that are none.
function __pantheon_stored {
    \builtin local __key=''
    __numbers=() __others=()
    __pantheon_read keys "iterations.$1" || \builtin return "$?"
    for __key in $(\builtin printf '%s\n' "$REPLY"); do
        if __pantheon_number "${__key#iter}" && \builtin test "iter$REPLY" = "$__key"; then
            __numbers+=("$REPLY")
        else
            __others+=("iterations.$1.$__key")
        fi
    done
    __pantheon_sort
}

# FILE: in REPLY the number in it; 2 where there is no such file.
function __pantheon_counter_file {
    \builtin test -f "$1" || \builtin return 2
    REPLY=''
    \builtin read -r REPLY <"$1" || \builtin true
    __pantheon_number "${REPLY%%[[:space:]]*}" || {
        __pantheon_say "there is no number in $1"
        \builtin return 1
    }
}

function __pantheon_fall_back {
    [[ -n "$__fallen" ]] || __pantheon_say "ProntoDB is not installed: working with the files in $__house"
    __fallen=yes
}

# First into a file beside the iterations, or where that cannot be into any: whatever goes wrong then, the content is there.
function __pantheon_save_file {
    \builtin local __file=''
    \builtin command mkdir -p -- "$__house"
    __file=$(\builtin command mktemp "$__house/.iter-$__session.XXXXXX") || {
        __pantheon_keep
        \builtin return 4
    }
    if ! \builtin command cat >"$__file"; then
        __pantheon_say "could not be written whole: $__file"
        \builtin return 1
    elif ! \builtin test -s "$__file"; then
        \builtin command rm -f -- "$__file"
        __pantheon_say 'nothing came in'
        \builtin return 64
    elif ! __pantheon_file_in "$__file"; then
        __pantheon_say "the content is kept in $__file"
        \builtin return 4
    fi
    __pantheon_raise_file "$__session"
}

# FILE: makes it the file of the iteration; another content that was there stays beside it.
function __pantheon_file_in {
    \builtin local __old=1
    __pantheon_find_in "$__house" "$__session" || \builtin return "$?"
    REPLY=${REPLY:-$__house/iter-$__session.md}
    if \builtin test -e "$REPLY" && ! \builtin command cmp -s -- "$1" "$REPLY"; then
        while \builtin test -e "$REPLY.old-$__old"; do
            __old=$((__old + 1))
        done
        \builtin command cp -p -- "$REPLY" "$REPLY.old-$__old" || \builtin return "$?"
    fi
    \builtin command mv -f -- "$1" "$REPLY"
}

function __pantheon_raise_file {
    \builtin local __file="$__house/$__kin.iter"
    if __pantheon_counter_file "$__file" && \builtin test "$REPLY" -ge "$1"; then
        \builtin return 0
    fi
    \builtin printf '%s\n' "$1" >"$__file.new" && \builtin command mv -f -- "$__file.new" "$__file"
}

function __pantheon_archive_files {
    \builtin local __number='' __left=0 __last=-1 __file='' __worst=0
    __pantheon_scan "$__house"
    __left=$((${#__numbers[@]} - __argument))
    for __number in "${__numbers[@]}"; do
        \builtin test "$__left" -gt 0 || \builtin break
        __left=$((__left - 1))
        __last=$__number
    done
    for __file in "$__house"/*; do
        if \builtin test -f "$__file" && __pantheon_number_of "${__file##*/}" && \builtin test "$REPLY" -le "$__last"; then
            __pantheon_archive_file "$__file" || __worst=$?
        fi
    done
    \builtin return "$__worst"
}

function __pantheon_archive_file {
    \builtin local __to="$__house/archive/${1##*/}"
    \builtin command mkdir -p -- "$__house/archive" || \builtin return "$?"
    if \builtin test -e "$__to" && ! \builtin command cmp -s -- "$1" "$__to"; then
        __pantheon_say "$1 and $__to differ: left alone"
        \builtin return 3
    fi
    \builtin command mv -f -- "$1" "$__to" && \builtin printf '%s\n' "$__to"
}
