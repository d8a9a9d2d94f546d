"""Hints on token streams for somebody whose content was rescued, by what that content shows they know (DESIGN §6).

    looks like nothing of the kind      none of these
    looks like tokens, with a fault     where the fault is, and the command that tells more; the two forms
    could be stored as it is            the command that does so; the two forms

No hint repeats anything of the content.
"""

import re

from .ops.streamed import Entries, MalformedStream, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .address import Scope
    from .model import Content

FORMS = (
    'XStream format: echo "ns=project; key=value;" | prontodb stream',
    'With meta: echo "meta:path=project.namespace; key=data;" | prontodb stream',
)
CHECKED = 1 << 20
"""Bytes of content that are tried out; of more, nothing is promised."""
LOOKED_AT = 1 << 12
"""Bytes in which content must begin to look like tokens."""
_TOKEN = re.compile(rb"""\s*(?:[\w.\-]+:)?[\w\-/@+%.]+=(?:"[^"]*"|'[^']*'|[^;\n]*);""")
_DIRECTIVE = re.compile(rb"""\s*(?:(?:meta|sec):[\w\-]+|ns)\s*=""")


def looks_like_tokens(content: "Content") -> bool:
    """Whether content begins as a token stream does: with `k=v;`, or with one of `ns=`, `meta:…=`, `sec:…=`."""
    head = next(content.pieces(), b"")[:LOOKED_AT]
    return bool(_TOKEN.match(head) or _DIRECTIVE.match(head))


def hints(content: "Content", scope: "Scope", source: str) -> tuple[str, ...]:
    """At most three lines; `source` are the words that name the content to a command."""
    return (_first(content, scope, source), *FORMS) if looks_like_tokens(content) else ()


def _first(content: "Content", scope: "Scope", source: str) -> str:
    if content.size > CHECKED:
        return f"It looks like a token stream: prontodb stream --from {source}"
    stream = Stream(content)
    try:
        stream.secrets()
        for _ in Entries(stream, scope):
            pass
    except MalformedStream as error:
        line, column = error.place
        return f"It looks like a token stream with a fault in line {line}, column {column}: prontodb stream --dry-run --from {source}"
    return f"It is a token stream: prontodb stream --from {source}"
