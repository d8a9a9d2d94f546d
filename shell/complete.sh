# shellcheck shell=bash disable=SC2154,SC2034
# What completion has in common in bash and zsh: a line is read word by word. Only addresses are asked for, from the helper;
# __prontodb_words and __prontodb_takes_value are generated. The variables are local to the caller's.

# One word before the cursor: an option whose value comes next, the value, a further word of the verb, or one of its
# choices; what is no verb where one belongs is followed by nothing either.
function __prontodb_step {
    if [[ -n $value ]]; then
        [[ -z $pending ]] || __prontodb_place "$pending" "$1"
        value='' pending=''
    elif [[ $1 == -- ]]; then
        ended=yes
    elif __prontodb_takes_value "$1"; then
        value=yes
        ! __prontodb_places "$1" || pending=$1
    elif [[ $1 == -* ]]; then
        if [[ $1 == -[pn]* ]] || { [[ $1 == *=* ]] && __prontodb_places "${1%%=*}"; }; then
            __prontodb_place "$1"
        fi
    elif [[ -n $1 ]]; then
        __prontodb_words "$trail"
        if [[ " $verbs " == *" $1 "* ]]; then
            trail+=${trail:+ }$1
        elif [[ -n $verbs || " $choices " == *" $1 "* || $choices == '<address>' ]]; then
            chosen=yes
        fi
    fi
}

# Whether an option says where an address is.
function __prontodb_places {
    [[ " -p --project -n --namespace --ns-delim --user --database --meta --cursor --password-file " == *" $1 "* ]]
}

# Words that say where an address is. What the shell would still expand or take out of quotes nobody can tell yet.
function __prontodb_place {
    [[ "$*" != *[\'\"\\\$\`~*?{}\<\>\(\)\;\&\|]* ]] || elsewhere=yes
    place+=("$@")
    case "$1" in
    --ns-delim) after=$2 ;;
    --ns-delim=*) after=${1#*=} ;;
    esac
}

# What may stand at the cursor, where $1 stands so far: words in "offered", or "files".
function __prontodb_look {
    __prontodb_words "$trail"
    if [[ -n $value || -n $ended || $choices == '<files>' && $1 != -* ]]; then
        files=yes
    elif [[ $1 == -* ]]; then
        offered=$flags
    elif [[ -z $chosen && $choices == '<address'* ]]; then
        [[ -n $elsewhere ]] || addresses=yes
    elif [[ -z $chosen ]]; then
        offered="$verbs $choices"
    fi
}

# How an address may go on, in the context of the function that is typed, where a wrapper has its pin, and of the options that were.
function __prontodb_addresses {
    if \builtin typeset -f "$1" &>/dev/null; then
        "$1" __complete "${@:2}"
    else
        __pronto_run __complete "${@:2}"
    fi 2>/dev/null || \builtin true
}
