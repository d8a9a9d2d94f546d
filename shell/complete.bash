# shellcheck shell=bash disable=SC2034
# Completion of verbs, options and addresses in bash.

function __prontodb_complete {
    \builtin local IFS=$' \t\n' word="${COMP_WORDS[COMP_CWORD]-}" offered='' files='' one
    \builtin local verbs='' choices='' flags='' trail='' value='' chosen='' ended='' elsewhere='' addresses='' pending='' after=.
    \builtin local -a place
    \builtin local -i at
    place=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        # Bash splits words at "=".
        if [[ ${COMP_WORDS[at]} == '=' ]]; then
            value=yes
        else
            __prontodb_step "${COMP_WORDS[at]}"
        fi
    done
    __prontodb_look "$word"
    COMPREPLY=()
    if [[ -n $addresses ]]; then
        offered=$(__prontodb_addresses "${COMP_WORDS[0]}" "${place[@]}" "$word")
        # More of the address follows.
        [[ $offered != *"$after" ]] || \builtin compopt -o nospace
    fi
    [[ -z $files ]] || \builtin compopt -o default
    for one in $offered; do
        [[ $one != "$word"* ]] || COMPREPLY+=("$one")
    done
}

# Takes completion away again, with what wrappers have registered.
function __prontodb_forget {
    \builtin local line
    while IFS='' \builtin read -r line; do
        [[ $line != *'-F __prontodb_complete '* ]] || \builtin complete -r "${line##* }"
    done <<<"$(\builtin complete -p)"
    \builtin unset -f __prontodb_complete
}

\builtin complete -F __prontodb_complete prontodb pronto
