# shellcheck shell=bash
# The start of a bash that `prontodb shell use` opens: the user's own, then the marker in the prompt, by reference.
if [[ -r ~/.bashrc ]]; then
    # shellcheck disable=SC1090
    \builtin source ~/.bashrc
fi
# shellcheck disable=SC2016
if \builtin shopt -q promptvars && [[ -n "${PS1-}" && -z "${PRONTO_DISABLE_PROMPT-}" ]]; then
    PS1='${PRONTO_PROMPT-}'${PS1/'${PRONTO_PROMPT-}'/}
fi
