# What the function pronto consists of in fish, apart from the program that it calls, which is generated.

# A call of pronto or of a wrapper, by the program in __pronto_program. What follows get -v is a variable's name, or else the command's
# to refuse.
function __pronto_door --no-scope-shadowing
    __prontodb_unread $__pronto_program -- $argv
    or builtin return $status
    if builtin set -q argv[4]
        and builtin test "$argv[1..2]" = 'get -v'
        and builtin string match -qr '^(?!argv$|__pronto_)[A-Za-z_][A-Za-z0-9_]*$' -- $argv[3]
        and not builtin string match -q -- '-*' $argv[4]
        builtin set -l __pronto_end 0
        builtin set -l __pronto_value
        # With all of its newlines, whatever IFS is.
        builtin set __pronto_value (begin
                $__pronto_program get --no-nul $argv[4..]
                builtin set __pronto_end $status
            end | builtin string collect --no-trim-newlines --allow-empty)
        builtin test $__pronto_end -eq 0
        or builtin return $__pronto_end
        # More than fish_read_limit: fish has said so.
        builtin set -q __pronto_value[1]
        or builtin return 1
        builtin set $argv[3] $__pronto_value
    else
        $__pronto_program $argv
    end
end

# What only this shell knows, in lines: the stamp, the shell and its version, what "prontodb" means here, whether completion is there.
function __pronto_state
    builtin set -l kind (builtin type -t prontodb 2>/dev/null)
    builtin set -l completes no
    builtin complete -c prontodb | builtin string match -q '*__prontodb_complete*'
    and builtin set completes yes
    builtin printf '%s\n' (__pronto_stamp) "fish $version" "$kind" $completes
end

# Away with all of it.
function pronto_unload --description 'Take away what prontodb shell init has brought'
    for __pronto_name in $__prontodb_names
        builtin complete -c $__pronto_name -e
    end
    builtin set -e __prontodb_names __prontodb_places
    builtin functions -e pronto __pronto_door __prontodb_unread __pronto_stamp __pronto_state pronto_unload \
        __prontodb_words __prontodb_takes_value __prontodb_step __prontodb_place __prontodb_look __prontodb_complete __prontodb_files \
        __prontodb_addresses __prontodb_complete_for
end
