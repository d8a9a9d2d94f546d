# shellcheck shell=bash disable=SC2154
# What completion has in common in bash and zsh: a line is read word by word. Only addresses are asked for, from the helper;
# __prontodb_words and __prontodb_takes_value are generated. The variables are local to the caller's.

# One word before the cursor: an option whose value comes next, the value, a further word of the verb, or one of its
# choices; what is no verb where one belongs is followed by nothing either.
function __prontodb_step {
    if [[ -n $value ]]; then
        value=''
    elif [[ $1 == -- ]]; then
        ended=yes
    elif __prontodb_takes_value "$1"; then
        value=yes
        [[ " -p --project -n --namespace --ns-delim --user --database --meta --cursor " != *" $1 "* ]] || elsewhere=yes
    elif [[ $1 == -* ]]; then
        [[ $1 != -[pn]* && $1 != --*=* ]] || elsewhere=yes
    elif [[ -n $1 ]]; then
        __prontodb_words "$trail"
        if [[ " $verbs " == *" $1 "* ]]; then
            trail+=${trail:+ }$1
        elif [[ -n $verbs || " $choices " == *" $1 "* || $choices == '<address>' ]]; then
            chosen=yes
        fi
    fi
}

# What may stand at the cursor, where $1 stands so far: words in "offered", or "files".
function __prontodb_look {
    __prontodb_words "$trail"
    # shellcheck disable=SC2034 # for the caller
    if [[ -n $value || -n $ended || $choices == '<files>' && $1 != -* ]]; then
        files=yes
    elif [[ $1 == -* ]]; then
        offered=$flags
    elif [[ -z $chosen && $choices == '<address'* ]]; then
        # With options that choose a place, the shell cannot tell which one.
        [[ -n $elsewhere ]] || addresses=yes
    elif [[ -z $chosen ]]; then
        offered="$verbs $choices"
    fi
}

# How an address may go on, in the context of the function that is typed: a wrapper has its pin.
function __prontodb_addresses {
    if \builtin typeset -f "$1" &>/dev/null; then
        "$1" __complete "$2"
    else
        __pronto_run __complete "$2"
    fi 2>/dev/null || \builtin true
}
