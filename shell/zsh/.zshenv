# The start of a zsh that `prontodb shell use` opens. ZDOTDIR has led here and goes on as the user has it, so that all files that follow,
# the system's too, find theirs: history, say, or what compinit keeps.
if [[ -n "${PRONTO_ZDOTDIR+x}" ]]; then
    ZDOTDIR=$PRONTO_ZDOTDIR
    \builtin unset PRONTO_ZDOTDIR
else
    \builtin unset ZDOTDIR
fi

# The marker in the prompt, by reference. It waits for the first prompt: what the user's files make of theirs is not known before.
function __pronto_marker {
    if [[ -o prompt_percent && -z "${PRONTO_DISABLE_PROMPT-}" ]]; then
        \builtin emulate -L zsh
        psvar[19]=${PRONTO_PROMPT-}
        PS1="%19v${PS1/'%19v'/}"
    fi
    \builtin emulate -L zsh
    precmd_functions=("${(@)precmd_functions:#__pronto_marker}")
    ((${#precmd_functions})) || \builtin unset precmd_functions
    \builtin unset -f __pronto_marker
}
if [[ -o interactive ]]; then
    precmd_functions+=(__pronto_marker)
else
    \builtin unset -f __pronto_marker
fi

if [[ -r "${ZDOTDIR-$HOME}/.zshenv" ]]; then
    \builtin source "${ZDOTDIR-$HOME}/.zshenv"
fi
