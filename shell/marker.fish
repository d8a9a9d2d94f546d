# The marker in the prompt, by reference, where the user's own prompt does not show it. Not in fish_prompt, which would then see another
# status than the last command's; fish calls fish_mode_prompt before it.
function __pronto_mark
    builtin status is-interactive
    and builtin test -z "$PRONTO_DISABLE_PROMPT"
    and not builtin functions fish_prompt fish_mode_prompt | builtin string match -q '*PRONTO_PROMPT*'
    or builtin return 0
    if builtin functions -q fish_mode_prompt
        builtin functions -c fish_mode_prompt __pronto_mode_prompt
    end
    function fish_mode_prompt
        builtin printf %s "$PRONTO_PROMPT"
        if builtin functions -q __pronto_mode_prompt
            __pronto_mode_prompt
        end
    end
end

# Takes it away, where it is still there.
function __pronto_unmark
    if builtin functions fish_mode_prompt | builtin string match -q '*__pronto_mode_prompt*'
        builtin functions -e fish_mode_prompt
        if builtin functions -q __pronto_mode_prompt
            builtin functions -c __pronto_mode_prompt fish_mode_prompt
        end
    end
    builtin functions -e __pronto_mode_prompt
end
