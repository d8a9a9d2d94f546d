# Completion of verbs, options and addresses in fish: a line is read word by word, as in complete.sh, and only addresses are asked for.
# __prontodb_words and __prontodb_takes_value are generated. The variables are local to __prontodb_complete or __prontodb_files.

# Options that say where an address is.
builtin set -g __prontodb_places -p --project -n --namespace --ns-delim --user --database --meta --cursor --password-file

# One word before the cursor: an option whose value comes next, the value, a further word of the verb, or one of its
# choices; what is no verb where one belongs is followed by nothing either.
function __prontodb_step --no-scope-shadowing
    if builtin test -n "$value"
        if builtin test -n "$pending"
            __prontodb_place "$pending" "$argv[1]"
        end
        builtin set value ''
        builtin set pending ''
    else if builtin test "$argv[1]" = --
        builtin set ended yes
    else if __prontodb_takes_value "$argv[1]"
        builtin set value yes
        if builtin contains -- "$argv[1]" $__prontodb_places
            builtin set pending "$argv[1]"
        end
    else if builtin string match -q -- '-*' "$argv[1]"
        if builtin string match -qr -- '^-[pn]' "$argv[1]"
            or builtin contains -- (builtin string replace -r '=.*' '' -- "$argv[1]") $__prontodb_places
            __prontodb_place "$argv[1]"
        end
    else if builtin test -n "$argv[1]"
        __prontodb_words "$trail"
        if builtin contains -- "$argv[1]" (builtin string replace -r '\t.*' '' -- $verbs)
            builtin set trail (builtin string trim -- "$trail $argv[1]")
        else if builtin set -q verbs[1]
            or builtin test "$choices" = '<address>'
            or builtin contains -- "$argv[1]" (builtin string replace -r '\t.*' '' -- $choices)
            builtin set chosen yes
        end
    end
end

# Words that say where an address is. What the shell would still expand nobody can tell yet.
function __prontodb_place --no-scope-shadowing
    if builtin string match -qr -- '[\'"\\\\$`~*?{}<>();&|]' $argv
        builtin set elsewhere yes
    end
    builtin set -a place $argv
end

# What may stand at the cursor: words in "offered", or "files", or "addresses".
function __prontodb_look --no-scope-shadowing
    builtin set -l word (builtin commandline -ct)
    for before in (builtin commandline -opc)[2..]
        __prontodb_step "$before"
    end
    if builtin test -z "$ended"
        and builtin string match -q -- '--*=*' "$word"
        builtin set value yes
    end
    __prontodb_words "$trail"
    if builtin test -n "$value$ended"
        or begin
            builtin test "$choices" = '<files>'
            and not builtin string match -q -- '-*' "$word"
        end
        builtin set files yes
    else if builtin string match -q -- '-*' "$word"
        builtin set offered $flags
    else if builtin test -z "$chosen"
        and builtin string match -q -- '<address*' "$choices"
        builtin test -n "$elsewhere"
        or builtin set addresses yes
    else if builtin test -z "$chosen"
        builtin set offered $verbs $choices
    end
end

function __prontodb_complete
    builtin set -l offered
    builtin set -l verbs
    builtin set -l choices
    builtin set -l flags
    builtin set -l trail
    builtin set -l value
    builtin set -l chosen
    builtin set -l ended
    builtin set -l elsewhere
    builtin set -l pending
    builtin set -l place
    builtin set -l files
    builtin set -l addresses
    __prontodb_look
    if builtin set -q addresses[1]
        __prontodb_addresses (builtin commandline -opc)[1] $place (builtin commandline -ct)
    else if builtin set -q offered[1]
        builtin printf '%s\n' $offered
    end
end

# Whether it is files that may stand there.
function __prontodb_files
    builtin set -l offered
    builtin set -l verbs
    builtin set -l choices
    builtin set -l flags
    builtin set -l trail
    builtin set -l value
    builtin set -l chosen
    builtin set -l ended
    builtin set -l elsewhere
    builtin set -l pending
    builtin set -l place
    builtin set -l files
    builtin set -l addresses
    __prontodb_look
    builtin set -q files[1]
end

# How an address may go on, in the context of the function that is typed, where a wrapper has its pin, and of the options that were.
function __prontodb_addresses
    if builtin functions -q -- $argv[1]
        $argv[1] __complete $argv[2..] 2>/dev/null
    else
        pronto __complete $argv[2..] 2>/dev/null
    end
end

# Completion for a command or a function of that name.
function __prontodb_complete_for
    builtin complete -c $argv[1] -e
    builtin complete -c $argv[1] -f -a '(__prontodb_complete)'
    builtin complete -c $argv[1] -n __prontodb_files -F
    builtin contains -- $argv[1] $__prontodb_names
    or builtin set -g -a __prontodb_names $argv[1]
end

__prontodb_complete_for prontodb
__prontodb_complete_for pronto
