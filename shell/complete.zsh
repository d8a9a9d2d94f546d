# Completion of verbs, options and addresses in zsh.

# Under the options that compinit's functions run with.
function _prontodb {
    \builtin local offered='' files='' before
    \builtin local verbs='' choices='' flags='' trail='' value='' chosen='' ended='' elsewhere='' addresses='' pending='' after=.
    \builtin local -a found place
    for before in "${(@)words[2,CURRENT-1]}"; do
        __prontodb_step "$before"
    done
    if [[ -z $ended && $PREFIX == --*=* ]]; then
        \builtin compset -P 1 '*='
        value=yes
    fi
    __prontodb_look "${words[CURRENT]}"
    if [[ -n $files ]]; then
        _files
    elif [[ -n $addresses ]]; then
        found=("${(@f)$(__prontodb_addresses "${words[1]}" "${place[@]}" "$PREFIX")}")
        # Behind a delimiter more of the address follows.
        \builtin compadd -S '' -- ${(M)found:#*"$after"}
        \builtin compadd -- ${found:#*"$after"}
    else
        \builtin compadd -- ${=offered}
    fi
}

# Takes completion away again, with what wrappers have registered.
function __prontodb_forget {
    \builtin emulate -L zsh
    \builtin local completed
    for completed in ${(k)_comps[(R)_prontodb]-}; do
        compdef -d "$completed"
    done
    \builtin unset -f _prontodb
}

# Without compinit there is nothing to complete with.
if \builtin typeset -f compdef &>/dev/null; then
    compdef _prontodb prontodb pronto
fi
