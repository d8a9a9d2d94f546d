"""Templates: what may stand in them, what a value can become, and what somebody who writes one is told (DESIGN §9)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prontodb import shellgen, shellwords
from prontodb.errors import ProntoError
from prontodb.paths import resource
from prontodb.shellgen import InvalidTemplate
from prontodb.templatelint import FILTERS, FishLint, Lint

from .conftest import Home
from .shells import require
from .wrapping import ALL, EVERYBODY, HOSTILE, MODES, canary, kind, raw, rendered, run, wrap

VALUES: dict[str, object] = {"v": "it's $(touch canary)", "words": ["a b", "c"], "empty": "", "yes": True, "no": False}


def alone(source: str, shell: str = "bash", **values: object) -> str:
    """What a template comes to with no lint to look at it."""
    return shellgen._environment(jinja2.DictLoader({}), shell).from_string(source).render(VALUES | values)


def faults(source: str, shell: str = "bash") -> list[tuple[int, str]]:
    """What the lint says of a template."""
    return list((FishLint if shell == "fish" else Lint)(source).faults())


# The last guard: nothing gets into the text but what a filter has made.

ACCEPTED = {
    "<{ v|quote }>": "'it'\\''s $(touch canary)'",
    "<{ ('x' ~ v)|quote }>": "'xit'\\''s $(touch canary)'",
    "<{ words|words }>": "'a b' 'c'",
    "<{ 'acme'|name }>": "acme",
    "<% for w in words %><{ w|quote }> <% endfor %>": "'a b' 'c' ",
    "<{ words[0]|quote }>": "'a b'",
    "<{ v.upper()|quote }>": "'IT'\\''S $(TOUCH CANARY)'",
    "<{ v|quote|quote }>": "''\\''it'\\''\\'\\'''\\''s $(touch canary)'\\'''",
    "<{ 'text'|quote }>": "'text'",
    "<{ empty|quote }>": "''",
    "# <{ 'a\\nb\\x1b\\x7f\\u2028\"'|remark }>": '# a\\nb\\u001b\\u007f\\u2028"',
}
REFUSED = [
    "<{ v }>",
    "<{ v|upper }>",
    "<{ v|quote|upper }>",
    "<{ v|safe }>",
    "<{ v|e }>",
    '<{ "text" }>',
    "<{ 3 }>",
    "<{ none }>",
    "<{ true }>",
    "<{ missing }>",
    "<{ missing|quote }>",
    "<{ missing|remark }>",
    "<{ v.missing|quote }>",
    "<{ words[7]|quote }>",
    '<{ v|quote ~ "y" }>',
    '<{ (v|quote) ~ "y" }>',
    "<{ (v|quote) + (v|quote) }>",
    "<{ (v|quote) * 2 }>",
    "<{ (v|quote)[1:] }>",
    "<{ (v|quote)[0] }>",
    "<{ (v|quote).upper() }>",
    "<{ ('{}'|quote).format(v) }>",
    "<{ ('{}'|quote).format_map({}) }>",
    "<{ ('%s'|quote) % v }>",
    "<{ [v|quote] }>",
    "<{ (v|quote, v|quote) }>",
    "<{ v if yes else v|quote }>",
    "<{ v or v|quote }>",
    "<% for c in v|quote %><{ c }><% endfor %>",
    "<% for w in words %><{ w }><% endfor %>",
    "<% set w = v %><{ w }>",
    "<% set w = (v|quote)[1:] %><{ w }>",
    "<% set w %><{ v|quote }>x<% endset %><{ w }>",
    "<% macro m() %><{ v|quote }><% endmacro %><{ m() }>",
    "<{ words|join }>",
    "<{ words }>",
    "<{ words|quote }>",
    "<{ v|words }>",
    "<{ 3|words }>",
    "<{ v|name }>",
    "<{ ''|name }>",
    "<{ v|quote|name }>",
]


@pytest.mark.parametrize("source", ACCEPTED)
def test_a_filter_lets_a_value_in(source: str) -> None:
    assert alone(source) == ACCEPTED[source]


@pytest.mark.parametrize("source", REFUSED)
def test_what_passed_no_filter_stays_out(source: str) -> None:
    with pytest.raises((ProntoError, jinja2.TemplateError, TypeError)):
        alone(source)


def test_the_lint_knows_the_filters() -> None:
    assert {filter_.__name__ for filter_ in shellgen.FILTERS} == set(FILTERS)


# The first: where a placeholder stands.

SOUND = [
    "echo <{ v | quote }>\n",
    'echo "$(printf %s <{ v | quote }>)"\n',
    'echo "${x:-$(printf %s <{ v | quote }>)}"\n',
    "echo '<{ v | name }>' \"<{ v | name }>\" `<{ v | name }>` ${<{ v | name }>+x}\n",
    "# <{ v | remark }>\necho 'it'\\''s' <{ v | quote }>\n",
    "# it's \"\n<{ v | quote }>\n",
    "echo \\' <{ v | quote }> \\\n    <{ v | quote }> # <{ v | remark }>\n",
    "x=${y#'a'} z=$#; echo $# ${#x} a#b <{ v | quote }>\n",
    "cat <<'EOF'\nit's\nEOF\necho <{ v | quote }>\n",
    "cat <<-EOF <<\"E F\"\n\tit's\n\tEOF\n'\nE F\necho <{ v | quote }>\n",
    "cat <<EOF\nEOF\necho <{ v | quote }>\n",
    'cat <<<"$x" <{ v | quote }>\n',
    "((x << 2)); x=$((1 << 2)); ((x = (1) * 2)); echo <{ v | quote }>\n",
    "case $x in\nit\\'s) echo <{ v | quote }> ;;\nesac\n",
    "f() { (cd <{ v | quote }>); }\n",
    "printf $'it\\'s' <{ v | quote }>\n",
    "<% if yes %>\necho <{ v | quote }>\n<% else %>\n# no\n<% endif %>\necho <{ v | quote }>\n",
    "<% for w in words %><{ w | quote }><% if not loop.last %> | <% endif %><% endfor %>)\n",
    "<# it's a note \" #>\n<{ v | quote }>\n",
    '<% if x == "|" %><{ "a|b" | quote }><% endif %>\n',
    '<% extends "layout.j2" %>\n<% block functions %>\n<% include "shell/pronto.sh" %>\n<% endblock %>\n',
    "<%if(yes)%>x<%endif%>\n",
]
"""A placeholder in each of these is where a shell wants a word."""
UNSOUND = {
    "double quotes": 'echo "<{ v | quote }>"',
    "single quotes": "echo '<{ v | quote }>'",
    "backquotes": "echo `<{ v | quote }>`",
    "$'…'": "echo $'<{ v | quote }>'",
    "${ } within double quotes": 'echo "${x:-<{ v | quote }>}"',
    "a here-document": "cat <<E\n<{ v | quote }>\nE\n",
    "(( ))": "((x = <{ v | quote }>))",
    "a backslash": "echo \\<{ v | quote }>",
    "a comment needs it": "# <{ v | quote }>",
    "is for comments": "echo <{ v | remark }>",
    "one filter": "<{ v }>",
    "join lines": "# x\n<{- v | quote }>",
    "could change quoted text": "<% filter quote %>x<% endfilter %>",
    "where it can be seen": "<% set w = v | remark %>",
    "ends here ends within a comment": "<% if yes %># x<% endif %>",
    "known beforehand": "cat <<<{ v | name }>\nE\n",
    "write $(( ))": "x=$[ <{ v | quote }> ]",
    "put a space": "(# <{ v | quote }>)",
    "stands within a comment": "# <% block x %><% endblock %>",
    "the text ends within double quotes": 'echo "',
    "the text ends within a comment": "# x",
    "the text ends within a here-document": "cat <<E",
}
"""A fault of each kind, by what is said."""
SUBTLE = [
    'echo "`echo "<{ v | quote }>"`"',
    'echo "$(echo "<{ v | quote }>")"',
    'echo "${x:-"<{ v | quote }>"}"',
    "echo $(( <{ v | quote }> ))",
    'echo "$(( <{ v | quote }> ))"',
    "cat <<-E\n\t<{ v | quote }>\n\tE\n",
    "cat <<\\E\n<{ v | quote }>\nE\n",
    "cat <<!\n<{ v | quote }>\n!\n",
    "cat <<E\n E\n<{ v | quote }>\nE\n",
    "cat <<E\n\\\nE\n<{ v | quote }>\nE\n",
    "cat <<E\\\nF\n<{ v | quote }>\nE\n",
    "cat <<E<% if yes %>\n",
    "# x <% if yes %>\n<{ v | quote }>\n<% endif %>\n",
    "# x <# note #>\n<{ v | quote }>\n",
    "# x <% if yes %>y<% endif %>\n<{ v | quote }>\n",
    "<% if yes %># x\n<{ v | quote }><% else %># y <% endif %>\n",
    "<% if no %>'<% endif %><{ v | quote }>\n",
    "<% for w in words %>\n# x <% endfor %>\n<{ v | quote }>\n",
    "<% if yes %># <{ v | quote }>\n<% endif %>\n",
    "x;# <{ v | quote }>\n",
    "x\\\n # <{ v | quote }>\n",
    "<{ (v | remark) if yes else (v | quote) }>",
    "<{ v | quote | upper }>",
    "<{ ('{}' | quote).format(v) }>",
    "<{ v | quote ~ 'x' }>",
    "<%+ raw %><{ v }><%+ endraw %>",
    "<% macro m() %><% endmacro %>",
    "<% set w %>x<% endset %>",
    "<% import 'x' as y %>",
    "<% call m() %><% endcall %>",
    "<% autoescape true %><% endautoescape %>",
    "<% with %><% endwith %>",
    "'<% include \"x\" %>'",
    "\"$(<% include 'x' %>)\"",
]


@pytest.mark.parametrize("source", SOUND)
def test_sound_templates_pass(source: str) -> None:
    assert faults(source) == []


@pytest.mark.parametrize("said", UNSOUND)
def test_each_fault_is_told(said: str) -> None:
    found = faults(f"first\n{UNSOUND[said]}\n" if "ends within" not in said else f"first\n{UNSOUND[said]}")
    assert found
    assert said in found[0][1]
    assert found[0][0] >= 2


@pytest.mark.parametrize("source", SUBTLE)
def test_subtle_faults_are_found(source: str) -> None:
    assert faults(source)


def test_every_template_and_every_shell_file_is_sound() -> None:
    files = [*Path(resource("templates")).rglob("*.j2"), *Path(resource("shell")).glob("*.*sh")]
    assert len(files) > 10
    fish = (shellgen.FISH, ".fish", "layout.j2")
    assert sum(path.name.endswith(fish) for path in files) > 7
    languages = {path: ["bash"] * (not path.name.endswith(fish[:2])) + ["fish"] * path.name.endswith(fish) for path in files}
    assert {str(path): found for path in files for shell in languages[path] if (found := faults(path.read_text(), shell))} == {}


IN_FISH = [
    "echo <{ v | quote }>\n",
    'echo "$(printf %s <{ v | quote }>)" (printf %s <{ v | quote }>)\n',
    "echo 'it\\'s \\\\' <{ v | quote }> 'a\\b' \\' <{ v | quote }> \"\\\"\" <{ v | quote }>\n",
    "echo '<{ v | name }>' \"$<{ v | name }>\" `<{ v | quote }>`\n",
    "# <{ v | remark }> it's \"\necho a#b $x[(count $y)] <{ v | quote }>\n",
    "if test <{ v | quote }> = '('; echo; end\n",
    "cat <<E\n<{ v | quote }>\n",
]
NOT_IN_FISH = {
    "single quotes": "echo 'it\\'<{ v | quote }>'",
    "double quotes": 'echo "<{ v | quote }>"',
    "a backslash": "echo \\<{ v | quote }>",
    "a comment needs it": "# <{ v | quote }>",
    "is for comments": "echo <{ v | remark }>",
    "a comment within ( )": "echo (echo # )\n)",
    "put a space": "(# <{ v | quote }>)",
    "the text ends within $( )": "echo (",
    "ends here ends within a comment": "<% if yes %># x<% endif %>",
}


def test_the_lint_reads_fish_as_fish_does() -> None:
    assert [faults(source, "fish") for source in IN_FISH] == [[]] * len(IN_FISH)
    found = {said: faults(source if "the text ends" in said else f"{source}\n", "fish") for said, source in NOT_IN_FISH.items()}
    assert all(said in faults_[0][1] for said, faults_ in found.items()), found
    # What one of the languages takes for the end of a quote, the other does not.
    assert faults("echo 'it\\'<{ v | quote }>\n") == []
    assert faults("echo 'it\\'s' <{ v | quote }>\n")


MARKS = [
    "<{",
    "}>",
    "<%",
    "%>",
    "<#",
    "#>",
    "|",
    "quote",
    "if",
    "endif",
    "'",
    '"',
    "`",
    "$(",
    "${",
    "((",
    ")",
    "}",
    "\\",
    "\n",
    "#",
    " ",
    "<<E",
    "\nE\n",
    "x",
]


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(st.sampled_from(MARKS)).map("".join), st.sampled_from(["bash", "fish"]))
def test_the_lint_survives_anything(source: str, shell: str) -> None:
    lines = [line for line, _ in faults(source, shell)]
    assert all(1 <= line <= source.count("\n") + 1 for line in lines)


PARTS = ["echo ", '"', "'", "$(", ")", "`", "# ", " #", "\n", "<{ v | quote }>", "<{ words | words }>", "<{ v | remark }>", "<% if yes %>"]
PARTS += [
    "<% if no %>\n",
    "<% else %>",
    "<% endif %>",
    "<% endif %>\n",
    "<% for w in words %>",
    "<% endfor %>\n",
    "${x:-",
    "}",
    "cat <<E",
    "\nE\n",
]
PARTS += [
    "cat <<-\\E",
    "\n\tE\n",
    "\\",
    "$'",
    "x",
    ";",
    " ",
    "<<<",
    "((",
    "))",
    "<# n #>\n",
    "case x in x)",
    ";; esac",
    "$[",
    "[[ x ]]",
    "|",
]
EVIL = (
    "it's\"$(touch canary)`touch canary`\ntouch canary\n\ttouch canary; touch canary\nE\ntouch canary\n'\ntouch canary\n\"\ntouch canary\n"
)


@settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(sources=st.lists(st.lists(st.sampled_from(PARTS), min_size=2, max_size=9).map("".join), min_size=50, max_size=100))
def test_what_the_lint_lets_through_runs_no_value(home: Home, sources: list[str]) -> None:
    """Templates put together at random, most of them nonsense; all that is sound to the lint is run."""
    for shells in (["bash", "zsh"], ["fish"]):
        texts = []
        for source in {source + "<{ v | quote }>\n" for source in sources if not faults(source + "<{ v | quote }>\n", shells[0])}:
            try:
                texts.append(alone(source, shells[0], v=EVIL, words=[EVIL]))
            except (jinja2.TemplateError, InvalidTemplate):
                continue
        for number, text in enumerate(texts):
            (home.folder / f"{number}").write_text(text)
        for shell in shells:
            apart = "fish --no-config ./{} </dev/null &>/dev/null\n" if shell == "fish" else "( . ./{} ) </dev/null &>/dev/null\n"
            run(home, shell, "".join(apart.format(number) for number in range(len(texts))) + "wait")
            assert not canary(home).exists(), texts


# Quoting, in the real shells.

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)
)
CODELIKE = st.lists(st.sampled_from([*HOSTILE, "'", '"', "\\", "\n", "!", "$(", "`", "%"])).map("".join)


@pytest.mark.parametrize("mode", ALL)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXT | CODELIKE, min_size=1, max_size=80))
def test_quoted_text_is_the_same_text(home: Home, mode: str, values: list[str]) -> None:
    require(kind(mode))
    options = "setopt rc_quotes sh_word_split glob_subst ksh_arrays extended_glob" if mode == "zsh" else "shopt -s extglob nocasematch"
    options = "set IFS ''" if mode == "fish" else options
    (home.folder / "script").write_bytes(raw(f"{options}\nprintf '%s\\0' {shellwords.words(values, kind(mode))}\n"))
    done = run(home, mode, ". ./script")
    assert (done.status, done.err) == (0, "")
    assert done.out == b"".join(raw(value) + b"\0" for value in values)
    assert not canary(home).exists()


@given(TEXT)
def test_a_remark_is_one_line_of_plain_characters(text: str) -> None:
    made = shellwords.remark(text)
    assert made.isascii()
    assert made.isprintable()


# Templates of a user's own.

GREETING = """\
<% extends "layout.j2" %>
<% block about %>
# <{ name | name }>: greets <{ label | remark }>.
<% endblock %>
<% block functions %>
\\builtin unalias <{ name | quote }> &>/dev/null || \\builtin true
function <{ name | name }> {
    printf '%s\\n' <% for pin in pins %><{ pin.value | quote }> <% endfor %>"$@"
}
function <{ name | name }>_path {
    printf '%s\\n' <{ program | words }>
}
<% endblock %>
<% block completion %>
<% include "complete.j2" %>
<% endblock %>
"""


def own(home: Home, name: str, source: str | bytes) -> Path:
    """Writes a template of the user's own."""
    folder = home.folder / ".config/prontodb/templates"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.j2"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return path


@pytest.mark.parametrize("mode", MODES)
def test_ones_own_template_works(home: Home, mode: str) -> None:
    require(kind(mode))
    own(home, "greeting", GREETING)
    source = wrap(home, mode, "--user", "alice", "--database", "./it's $(touch canary).db", "--template", "greeting")
    done = run(home, mode, f'set -eu; {source}; acme "a b"; acme_path | tail -1', options=("-e",))
    assert (done.status, done.err) == (0, "")
    assert done.lines == ["alice", "-", f"{home.folder}/it's $(touch canary).db", "a b", rendered_program(home)]
    away = rendered(home, "unload", kind(mode), "acme", "--template", "greeting").decode()
    done = run(home, mode, f"{source}; {away}\nacme; acme_path")
    assert (done.out, done.err.count("not found")) == (b"", 2)
    assert not canary(home).exists()


def rendered_program(home: Home) -> str:
    """The command that wrappers call."""
    return os.path.join(home.env["PATH"].split(":")[0], "prontodb")


def test_ones_own_template_is_listed_and_comes_before_a_built_in_one(home: Home) -> None:
    path = own(home, "fx", GREETING)
    own(home, "_part", "x")
    (path.parent / "notes.txt").write_text("no template")
    listed = home.call("shell", "templates").lines
    assert listed[0] == f"fx\town\t{path}\tbash zsh"
    assert not any("_part" in line or "notes" in line for line in listed)
    assert b"greets" in rendered(home, "wrapper", "acme", "bash", *EVERYBODY)


def test_ones_own_templates_build_on_one_another_and_on_built_in_ones(home: Home) -> None:
    own(home, "_part", "    echo <{ name | quote }>\n")
    own(home, "parted", 'function <{ name | name }> {\n<% include "_part.j2" %>\n}\n')
    assert rendered(home, "wrapper", "acme", "bash", *EVERYBODY, "--template", "parted") == b"function acme {\n    echo 'acme'\n}\n"
    own(home, "more", '<% extends "wrappers/fx.j2" %>\n<% block about %>\n# <{ name | name }>: more.\n<% endblock %>\n')
    more = rendered(home, "wrapper", "acme", "bash", *EVERYBODY, "--template", "more").decode().splitlines()
    plain = rendered(home, "wrapper", "acme", "bash", *EVERYBODY).decode().splitlines()
    assert (more[1], more[2:]) == ("# acme: more.", plain[2:])


def test_what_prontodb_builds_upon_is_replaced_by_nobody(home: Home) -> None:
    before = rendered(home, "unload", "bash", "acme"), rendered(home, "wrapper", "acme", "bash", *EVERYBODY)
    for name in ("layout", "unload", "complete", "init", "pin"):
        own(home, name, "echo mine\n")
    assert (rendered(home, "unload", "bash", "acme"), rendered(home, "wrapper", "acme", "bash", *EVERYBODY)) == before
    assert rendered(home, "wrapper", "acme", "bash", *EVERYBODY, "--template", "layout") == b"echo mine\n"


def test_ones_own_template_for_fish(home: Home) -> None:
    """It has a name of its own, is read and quoted as fish does, and is used for fish only."""
    require("fish")
    own(home, "greeting.fish", GREETING_IN_FISH)
    own(home, "_part", "echo 'it\\'s' <{ name | quote }>\n")
    source = wrap(home, "fish", "--user", "alice", "--database", "./it's $(touch canary).db", "--template", "greeting")
    done = run(home, "fish", f"{source}; acme 'a b'; acme_path | tail -n 1")
    assert (done.lines, done.err) == (
        [
            "alice",
            "-",
            f"{home.folder}/it's $(touch canary).db",
            "a b",
            rendered_program(home),
        ],
        "",
    )
    away = rendered(home, "unload", "fish", "acme", "--template", "greeting").decode()
    done = run(home, "fish", f"{source}; {away}\nacme; acme_path")
    assert (done.out, done.err.count("Unknown command")) == (b"", 2)
    listed = [line.split("\t") for line in home.call("shell", "templates").lines]
    assert ["greeting", "own", str(home.folder / ".config/prontodb/templates/greeting.fish.j2"), "fish"] in listed
    refused = home.call("shell", "wrapper", "acme", "bash", *EVERYBODY, "--template", "greeting")
    assert (refused.status, "Template 'greeting' is not for bash" in refused.err) == (64, True)
    assert home.call("shell", "check", ".config/prontodb/templates/greeting.fish.j2").out.endswith(b"\ttemplate\tok\n")
    # A part that bash would read in one way and fish in another.
    own(home, "parted.fish", '<% include "_part.j2" %>\n')
    own(home, "parted", '<% include "_part.j2" %>\n')
    for shell, status in (("bash", 1), ("fish", 0)):
        assert home.call("shell", "wrapper", "acme", shell, *EVERYBODY, "--template", "parted").status == status
    assert not canary(home).exists()


GREETING_IN_FISH = """\
<% extends "layout.j2" %>
<% block about %>
# <{ name | name }>: greets <{ label | remark }>.
<% endblock %>
<% block functions %>
function <{ name | name }>
    builtin printf '%s\\n' <% for pin in pins %><{ pin.value | quote }> <% endfor %>$argv
end

function <{ name | name }>_path
    builtin printf '%s\\n' <{ program | words }>
end
<% endblock %>
<% block completion %>
<% include "complete.fish.j2" %>
<% endblock %>
"""

FAULTY = {
    "a\n\n<{ missing | quote }>\n": (3, "'missing' is undefined"),
    "a\n<{ pins[0].nothing | quote }>\n": (2, "has no attribute 'nothing'"),
    "a\n<{ name }>\n": (2, "one filter"),
    'a\n"<{ name | quote }>"\n': (2, "double quotes"),
    "a\n<{ label | name }>\n": (2, "Invalid function name"),
    "a\n<{ name | words }>\n": (2, "Only a list"),
    "a\n<{ name if kin == '' else name | quote }>\n": (2, "unquoted"),
    "a\n<{ ''.__class__ | quote }>\n": (2, "access to attribute '__class__' of 'str' object is unsafe"),
    "a\n<% if ''.__class__.__mro__ %><% endif %>\n": (2, "unsafe"),
    "a\n<{ ''['__class__'] | quote }>\n": (2, "unsafe"),
    "a\n<{ name.format.__globals__ | quote }>\n": (2, "unsafe"),
    "a\n<{ '{0.__class__}'.format(name) | quote }>\n": (2, "unsafe"),
    "a\n<% if pins.append(1) %><% endif %>\n": (2, "unsafe"),
    "a\n<% if pins[0].update(x=1) %><% endif %>\n": (2, "unsafe"),
    "a\n<% for i in range(9) %><% endfor %>\n": (2, "'range' is undefined"),
    "a\n<{ lipsum() | quote }>\n": (2, "'lipsum' is undefined"),
    "a\n<{ name() | quote }>\n": (2, "not callable"),
    "a\n<% if 1/0 %><% endif %>\n": (2, "division by zero"),
    "a\n<% if %>\n<% endif %>\n": (2, "Expected an expression"),
    "a\n<% if yes %>\n": (2, "Unexpected end of template"),
    "a\n<{ name | quote\n": (2, "unexpected end of template"),
    'a\n<% include "own/faulty.j2" %>\n': (2, "recursion"),
    'a\n<% include "nothing.j2" %>\n': (2, "there is no template 'nothing.j2'"),
    'a\n<% include "../../secret" %>\n': (2, "there is no template '../../secret'"),
    'a\n<% include "/etc/passwd" %>\n': (2, "there is no template '/etc/passwd'"),
}


@pytest.mark.parametrize("source", FAULTY)
def test_a_fault_is_told_with_file_and_line(home: Home, source: str) -> None:
    line, why = FAULTY[source]
    path = own(home, "faulty", source)
    done = home.call("shell", "wrapper", "acme", "bash", *EVERYBODY, "--template", "faulty")
    assert (done.status, done.out) == (1, b"false\n")
    assert done.err.startswith(f"prontodb: Template {path}, line {line}: "), done.err
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.err.count("\n") <= 2


def test_what_is_no_template_is_told(home: Home) -> None:
    own(home, "latin", b"\xff\n")
    own(home, "folder", "").unlink()
    (home.folder / ".config/prontodb/templates/folder.j2").mkdir()
    (home.folder / ".config/prontodb/templates/dangling.j2").symlink_to("nowhere")
    for name in ("latin", "folder", "dangling"):
        done = home.call("shell", "wrapper", "acme", "bash", *EVERYBODY, "--template", name)
        assert (done.status, done.out) == (1, b"false\n")
        assert re.match(rf"prontodb: Template own/{name}\.j2: ", done.err)
        assert home.call("shell", "check", f".config/prontodb/templates/{name}.j2").status != 0


def test_a_template_can_be_checked_before_it_is_used(home: Home) -> None:
    sound, faulty = own(home, "sound", GREETING), own(home, "faulty", 'a\n"<{ name | quote }>"\n')
    assert home.call("shell", "check", str(sound)).out.endswith(b"\ttemplate\tok\n")
    done = home.call("shell", "check", str(faulty))
    assert done.status == 1
    assert f"Template {faulty}, line 2: a placeholder stands within double quotes" in done.err


def test_the_worked_example_works(home: Home) -> None:
    """The one in the document: its session is run, once its template is where it says."""
    page = (Path(__file__).parent.parent / "docs/how-to/write-a-template.md").read_text()
    source, session = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("jinja", "sh-session"))
    own(home, "log", source[0])
    for part in re.split(r"^\$ ", session[0], flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        done = home.shell(f"\n{line}")
        assert (done.out.decode() + done.err).rstrip("\n") == shown.rstrip("\n"), line
