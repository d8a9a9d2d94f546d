"""What generated shell code is made of: words that are safe in it, and names that a function may have.

After CVE-2024-53899 and its sequels: quotes are the renderer's business, never the template's, and whatever has not passed one of the
functions here does not get into the text (`shellgen.finalize`).
"""

import json
import re

from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SHELLS = ("bash", "zsh", "fish")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
NAME_LENGTH = 64
EXAMPLE = "prontodb shell wrapper acme bash --profile acme"
RESERVED = frozenset(
    """if then else elif fi case esac for select while until do done in function time coproc repeat foreach end nocorrect noglob always
    prontodb pronto pronto_unload pronto_unpin
    alias autoload bg bind bindkey break builtin bye caller cap cd chdir clone command compadd comparguments compcall compctl
    compdescribe compfiles compgen compgroups complete compopt compquote compset comptags comptry compvalues continue declare dirs
    disable disown echo echotc echoti emulate enable eval exec exit export false fc fg float functions getcap getln getopts hash help
    history integer jobs kill let limit local log logout mapfile popd print printf private pushd pushln pwd r read readarray readonly
    rehash return sched set setcap setopt shift shopt source stat strftime suspend syserror sysopen sysread sysseek syswrite test times
    trap true ttyctl type typeset ulimit umask unalias unfunction unhash unlimit unset unsetopt vared wait whence where which zcompile
    zformat zle zmodload zparseopts zprof zpty zregexparse zselect zsocket zstat zstyle zsystem ztcp
    command_not_found_handle command_not_found_handler precmd preexec chpwd periodic zshexit zshaddhistory
    zsh_directory_name""".split()  # noqa: SIM905 - to be read, not to be scrolled
)
"""No function may be called what a shell uses itself: it would change every script that is sourced after it, or be called by the shell."""
RESERVED_STARTS = ("__pronto", "_prontodb", "TRAP")
"""Ours; and in zsh a function TRAPINT is what happens at that signal."""
RESERVED_IN_FISH = frozenset(
    """_ abbr and argparse begin block breakpoint commandline complete contains count emit end function functions math not or path random
    realpath set_color status string switch
    N_ cdh contains_seq diff dirh edit_command_buffer export funced funcsave grep isatty la ll ls man nextd open prevd prompt_hostname
    prompt_login prompt_pwd psub seq setenv suspend vared""".split()  # noqa: SIM905 - to be read, not to be scrolled
)
"""What fish has beyond those: words and builtins, and functions that its own completions and settings call."""
RESERVED_STARTS_IN_FISH = ("fish_", "__fish_", "__terlar", "_validate")
PLAIN = "_-/"
"""What a word of fish may have, apart from letters and digits, so that fish_indent would write it without quotes."""


class Code(str):
    """Text that may stand in a shell script as it is. Made here and nowhere else."""

    __slots__ = ()


def quote(value: object, shell: str = "bash") -> Code:
    """One word, in single quotes: the same in bash and zsh, whatever their options. Raises `UsageError` for a NUL, which none can hold."""
    text = _text(value)
    if "\0" in text:
        raise UsageError(f"A value with a NUL in it cannot stand in a shell script: {text!r}")
    return Code(_fish(text) if shell == "fish" else "'" + text.replace("'", "'\\''") + "'")


def _fish(text: str) -> str:
    """In fish the backslash escapes within single quotes, itself and the quote. What needs no quotes has none, as fish_indent has it."""
    if text and all(mark in PLAIN or mark.isalpha() or (mark.isascii() and mark.isdigit()) for mark in text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def words(values: "Iterable[object]", shell: str = "bash") -> Code:
    """Several words. Raises `UsageError` for a text, whose words would be its letters."""
    if isinstance(values, str):
        raise UsageError("Only a list makes words, not a text")
    return Code(" ".join(quote(value, shell) for value in values))


def name(value: object) -> Code:
    """A function's or a variable's name, for which quoting is no help. Raises `UsageError`."""
    text = _text(value)
    if not NAME.match(text) or len(text) > NAME_LENGTH:
        why = f"letters, digits and '_', no digit first, at most {NAME_LENGTH}"
        raise UsageError(f"Invalid function name '{text}': {why}", cure=EXAMPLE)
    return Code(text)


def remark(value: object) -> Code:
    """Text for a comment: whatever could end it, or confuse a terminal, is escaped as in JSON."""
    return Code(json.dumps(_text(value))[1:-1].replace('\\"', '"'))


def function_name(text: str, shell: str) -> str:
    """The name of a function that is to be generated. Raises `UsageError` where it is no name, or a shell's own."""
    name(text)
    taken = text in RESERVED or text.startswith(RESERVED_STARTS)
    if taken or (shell == "fish" and (text in RESERVED_IN_FISH or text.startswith(RESERVED_STARTS_IN_FISH))):
        why = "a pinned function needs a name of its own" if text.startswith("pronto") else "shells use it themselves"
        raise UsageError(f"Invalid function name '{text}': {why}", cure=EXAMPLE.replace("bash", shell))
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"Only text can be quoted for a shell, not {type(value).__name__}")
    return value
