"""A look at a template for what no filter can see: where in the script a placeholder stands (DESIGN §9).

Quoting twice is not quoting: `echo "<{ value | quote }>"` would run what the value says, and so would a value with a newline in a
comment. So the lint reads a template as a shell would. Where a shell's grammar would need more than that, it says no.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    State = tuple[tuple[str, ...], tuple[tuple[str, bool], ...]]

TAGS = frozenset({"if", "elif", "else", "endif", "for", "endfor", "block", "endblock", "extends", "include", "set"})
"""What a template may use: no tag that could change text after it was quoted."""
FILTERS = ("quote", "words", "name", "remark")
MARK = re.compile(r"<(?:\{(?P<placeholder>.*?)\}>|%(?P<tag>.*?)%>\n?|#(?P<note>.*?)#>\n?)", re.DOTALL)
"""A template's own marks. Jinja takes the newline after a tag or a note away, so that what was a comment before is still one after."""
LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")
HEREDOC = re.compile(r"<<(-?)[ \t]*(?!\d)((?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s;&|<>()'\"\\])+)")
RUN = re.compile(r"[A-Za-z0-9_ \t.,:=+*/%?!@^~\[\]-]+")
"""What means nothing by itself: in long texts, most of it."""
PULLS = frozenset({"include", "block", "extends"})
OPENS = frozenset({"if", "for", "block"})
CODE, NESTED, COMMENT, HERE = "code", "$( )", "a comment", "a here-document"
SINGLE, DOUBLE, BACK, ANSI, BRACED = "single quotes", "double quotes", "backquotes", "$'…'", "${ } within double quotes"
PLAIN = (CODE, NESTED)
ESCAPE, SUM = "a backslash", "(( ))"
OLD_SUM = "`$[ ]` is a sum: write $(( ))"
UNCLEAR_COMMENT = "`#` behind a parenthesis may begin a comment: put a space between them"
UNKNOWN_END = "the end of a here-document must be known beforehand"
NESTED_COMMENT = "a comment within ( ) may end it or not: put it elsewhere"


class Lint:
    """One pass over a template, knowing at each place what it would be to a shell."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._escaped = -1
        self._within = [CODE]
        self._heredocs: list[tuple[str, bool]] = []
        self._branches: list[tuple[str, State]] = []

    def faults(self) -> "Iterator[tuple[int, str]]":
        """Line numbers, and what is wrong there."""
        while self._at < len(self._source):
            at = self._at
            match = MARK.match(self._source, at)
            if fault := self._mark(match) if match else self._shell():
                yield self._source.count("\n", 0, at) + 1, fault
        if len(self._within) > 1 or self._heredocs:
            yield self._source.count("\n") + 1, f"the text ends within {self._within[-1] if len(self._within) > 1 else HERE}"

    def _mark(self, match: "re.Match[str]") -> str:
        self._at = match.end()
        kind = match.lastgroup or ""
        inner = match[kind]
        if inner.startswith(("-", "+")) or inner.endswith(("-", "+")):
            return "'-' and '+' in a mark join lines or part them: leave them out"
        if kind == "note":
            return ""
        filters = [part.strip() for part in LITERAL.sub("", inner).split("|")[1:]]
        return self._placeholder(filters, match.start()) if kind == "placeholder" else self._tag(inner, filters)

    def _placeholder(self, filters: list[str], at: int) -> str:
        state = self._within[-1]
        if state == ESCAPE:
            self._within.pop()
        if len(filters) != 1 or filters[0] not in FILTERS:
            return f"a placeholder ends in one filter, and has no other: {', '.join(FILTERS)}"
        if re.search(r"<<-?\s*\Z", self._source[:at]):
            return UNKNOWN_END
        if filters == ["name"]:
            # Letters, digits and '_' mean the same everywhere.
            return ""
        if (state == COMMENT) != (filters == ["remark"]):
            return "the filter `remark` is for comments, and a comment needs it"
        return "" if state in (*PLAIN, COMMENT) else f"a placeholder stands within {state}: the filter `quote` brings its own quotes"

    def _tag(self, inner: str, filters: list[str]) -> str:
        tag = re.sub(r"\W.*", "", inner.lstrip(), flags=re.DOTALL)
        if tag not in TAGS:
            return f"the tag `{tag}` could change quoted text"
        if filters:
            return "filters belong into placeholders, where it can be seen what they are for"
        if tag in PULLS and self._within[-1] != CODE:
            return f"`{tag}` stands within {self._within[-1]}"
        return self._branch(tag)

    def _branch(self, tag: str) -> str:
        """Whichever way a template goes, the shell must be at the same point of its grammar afterwards."""
        here: State = (tuple(self._within), tuple(self._heredocs))
        if tag in OPENS:
            self._branches.append((tag, here))
        elif tag.startswith(("el", "end")) and self._branches:
            opened, there = self._branches.pop() if tag.startswith("end") else self._branches[-1]
            self._within, self._heredocs = [*there[0]], [*there[1]]
            if here != there:
                return f"`{opened}` begins within {there[0][-1]}, and its part that ends here ends within {here[0][-1]}"
        return ""

    def _shell(self) -> str:
        state, mark = self._within[-1], self._source[self._at]
        if state == ESCAPE:
            self._step(ends=True)
            self._escaped = self._at
        elif run := RUN.match(self._source, self._at):
            self._at = run.end()
        elif mark == "\n":
            self._newline()
        elif state == SINGLE:
            self._step(ends=mark == "'")
        elif state in (COMMENT, HERE):
            self._at += 1
        elif mark == "\\":
            self._enter(ESCAPE, 1)
        elif state in (*PLAIN, SUM):
            return self._code(mark)
        else:
            self._quoted(state, mark)
        return ""

    def _quoted(self, state: str, mark: str) -> None:
        ends = mark == {DOUBLE: '"', BACK: "`", ANSI: "'", BRACED: "}"}[state]
        opens = {"$((": SUM, "$(": NESTED, "${": BRACED, "`": BACK, '"': DOUBLE}
        for text, entered in opens.items():
            if state in (DOUBLE, BRACED) and not ends and self._source.startswith(text, self._at):
                self._enter(entered, len(text))
                return
        self._step(ends=ends)

    def _code(self, mark: str) -> str:
        opens = {"'": SINGLE, '"': DOUBLE, "`": BACK}
        if self._within[-1] != SUM and (fault := self._unclear(mark)):
            self._at += 1
            return fault
        if self._source.startswith("$'", self._at):
            self._enter(ANSI, 2)
        elif mark in opens:
            self._enter(opens[mark], 1)
        elif mark == "#" and self._starts_word() and self._within[-1] != SUM:
            self._enter(COMMENT, 1)
        elif mark in "()":
            self._parenthesis(mark)
        elif mark == "<" and self._within[-1] != SUM:
            return self._less()
        else:
            self._at += 1
        return ""

    def _unclear(self, mark: str) -> str:
        if mark == "#" and self._source[self._at - 1 : self._at] in ("(", ")"):
            return UNCLEAR_COMMENT
        return OLD_SUM if self._source.startswith("$[", self._at) else ""

    def _parenthesis(self, mark: str) -> None:
        """Outside of double quotes only a sum matters: a shell reads it as if it were within double quotes."""
        state = self._within[-1]
        if self._source.startswith("((", self._at) and state != SUM:
            self._enter(SUM, 1)
            self._enter(SUM, 1)
        elif state == CODE:
            self._at += 1
        elif mark == "(":
            self._enter(NESTED if state == NESTED or self._source[self._at - 1] in "$<>" else SUM, 1)
        else:
            self._step(ends=True)

    def _starts_word(self) -> bool:
        before = self._source[: self._at]
        if self._escaped == self._at:
            if not before.endswith("\n"):
                return False
            while before.endswith("\\\n"):
                before = before[:-2]
        return not before or before[-1] in " \t\n;&|" or before.endswith(("%>", "#>"))

    def _less(self) -> str:
        if self._source.startswith("<<<", self._at):
            self._at += 2 if MARK.match(self._source, self._at + 2) else 3
        elif match := HEREDOC.match(self._source, self._at):
            self._heredocs.append((re.sub(r"['\"\\]", "", match[2]), bool(match[1])))
            self._at = match.end()
            joined = self._source.startswith("\\", self._at) or MARK.match(self._source, self._at)
            return UNKNOWN_END if joined else ""
        else:
            self._at += 1
        return ""

    def _newline(self) -> None:
        if self._within[-1] == COMMENT:
            self._within.pop()
        self._at += 1
        if self._heredocs and self._within[-1] in PLAIN:
            self._within.append(HERE)
        if self._within[-1] == HERE:
            line, (end, tabbed) = self._source[self._at :].split("\n", 1)[0], self._heredocs[0]
            # A backslash may have joined it to the line before.
            if (line.lstrip("\t") if tabbed else line) == end and self._source[self._at - 2 : self._at - 1] != "\\":
                self._heredocs.pop(0)
                self._within.pop()
                self._at += len(line)

    def _enter(self, state: str, width: int) -> None:
        self._within.append(state)
        self._at += width

    def _step(self, *, ends: bool) -> None:
        if ends:
            self._within.pop()
        self._at += 1


class FishLint(Lint):
    """The same for fish, where a backslash escapes within single quotes, backquotes are letters, and there is no here-document."""

    def _shell(self) -> str:
        state, mark = self._within[-1], self._source[self._at]
        if state == ESCAPE:
            self._step(ends=True)
            self._escaped = self._at
        elif run := RUN.match(self._source, self._at):
            self._at = run.end()
        elif state == COMMENT:
            self._step(ends=mark == "\n")
        elif mark == "\\":
            self._enter(ESCAPE, 1)
        elif state == SINGLE:
            self._step(ends=mark == "'")
        elif state == DOUBLE:
            self._double(mark)
        else:
            return self._code(mark)
        return ""

    def _double(self, mark: str) -> None:
        if self._source.startswith("$(", self._at):
            self._enter(NESTED, 2)
        else:
            self._step(ends=mark == '"')

    def _code(self, mark: str) -> str:
        if mark == "#":
            return self._hash()
        if mark in "'\"":
            self._enter(SINGLE if mark == "'" else DOUBLE, 1)
        elif mark == "(":
            self._enter(NESTED, 1)
        else:
            self._step(ends=mark == ")" and self._within[-1] == NESTED)
        return ""

    def _hash(self) -> str:
        fault = self._unclear("#") or (NESTED_COMMENT if self._within[-1] == NESTED and self._starts_word() else "")
        if not fault and self._starts_word():
            self._enter(COMMENT, 1)
        else:
            self._at += 1
        return fault
