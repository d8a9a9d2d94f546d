"""Completion of verbs and options (DESIGN §9): by asking the functions, and by typing TAB."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from prontodb.cli.completions import completions
from prontodb.cli.group import Verbs, common, root
from prontodb.cli.table import GROUPS, VERBS
from prontodb.cli.topics import TOPICS

from .conftest import Home
from .interactive import Typist, compinit, made
from .shells import require

FILES = "<files>"
ASK = {
    "bash": """. ./init.bash
PATH=
while IFS= read -r line; do
    IFS=$'\\x1f' read -ra COMP_WORDS <<<"$line"$'\\x1f'
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    __prontodb_complete 2>said
    IFS= read -r said <said
    [[ $said != *compopt* ]] || COMPREPLY+=('<files>')
    echo "${COMPREPLY[@]}"
done <lines""",
    "zsh": """. ./init.zsh
functions[_prontodb]=${functions[_prontodb]//\\\\builtin comp/comp}
function compset { PREFIX=${PREFIX#*=}; }
function compadd { shift; answer=(${(M)@:#$PREFIX*}); }
function _files { answer=('<files>'); }
PATH=
while IFS= read -r line; do
    words=("${(@ps:\\x1f:)line}") CURRENT=${#words} PREFIX=$words[-1] answer=()
    _prontodb
    echo $answer
done <lines""",
}
"""Reads lines of words, and answers with what is offered for the last one, with no command to start. That bash's compopt and zsh's
compadd work in completion alone is got round."""


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What there is to load, generated once."""
    home = Home(tmp_path_factory.mktemp("made"))
    calls = {f"init.{shell}": ("init", shell) for shell in ("bash", "zsh")}
    calls |= {f"wrapper.{shell}": ("wrapper", "acme", shell, "--user", "alice", "--meta", "acme") for shell in ("bash", "zsh")}
    return {name: made(home, *words) for name, words in calls.items()}


@pytest.fixture
def loaded(home: Home, texts: dict[str, str]) -> Home:
    """A home with these files in it."""
    for name, text in texts.items():
        (home.folder / name).write_text(text)
    return home


def asked(home: Home, shell: str, lines: list[list[str]]) -> list[list[str]]:
    """What a shell offers for each line, in one process."""
    require(shell)
    (home.folder / "lines").write_text("".join("\x1f".join(["prontodb", *line]) + "\n" for line in lines))
    done = home.shell(ASK[shell], shell)
    assert (done.status, done.err) == (0, "")
    assert len(done.lines) == len(lines)
    return [line.split() for line in done.lines]


def split(line: str, shell: str) -> list[str]:
    """The words of a line as the shell's completion sees them; bash splits at "=" too."""
    words = line.split(" ")
    return [part for word in words for part in re.split("(=)", word) if part or word == ""] if shell == "bash" else words


def commands() -> Iterator[tuple[list[str], click.Command]]:
    """Every verb there is, and what click knows of it."""
    tree = root()
    yield [], tree
    for verb in VERBS:
        command = tree.get_command(click.Context(tree), verb)
        assert command
        yield [verb], command
        for below in GROUPS.get(verb, {}):
            assert isinstance(command, Verbs)
            found = command.get_command(click.Context(command), below)
            assert found
            yield [verb, below], found


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_every_verb_and_every_option_is_offered(loaded: Home, shell: str) -> None:
    tree = list(commands())
    lines = [[*words, last] for words, _ in tree for last in ("", "-")]
    offers = dict(zip(map(tuple, lines), asked(loaded, shell, lines), strict=True))
    assert offers["",] == list(VERBS)
    for group, rows in GROUPS.items():
        assert offers[group, ""] == list(rows)
    for words, command in tree:
        options = [param.opts for param in [*command.params, *common()] if isinstance(param, click.Option)]
        offered = offers[(*words, "-")]
        assert all(set(names) & set(offered) for names in options), words
        assert len(offered) == len(set(offered)) == len({tuple(names) for names in options}) + 1
        assert "--help" in offered


OPTIONS = ["--quiet"]
CASES = {
    "sh": ["shell"],
    "se": ["set", "self-check"],
    "nonsense ": [],
    "set ": [],
    "set a.b.c ": [],
    "shell ": list(GROUPS["shell"]),
    "shell init ": ["bash", "zsh"],
    "shell init bash ": [],
    "shell init zsh --q": OPTIONS,
    "shell wrapper acme z": ["zsh"],
    "shell wrapper acme zsh --t": ["--template"],
    "shell unload ": ["bash", "zsh"],
    "rescue d": ["drop"],
    "rescue --json --quiet li": ["list"],
    "--json rescue li": ["list"],
    "-p work -n notes resc": ["rescue"],
    "--user alice --meta acme shell w": ["wrapper"],
    "--user shell shell w": ["wrapper"],
    "-q shell -v wr": ["wrapper"],
    "-pwork resc": ["rescue"],
    "--user=alice resc": ["rescue"],
    "shell --user=alice --q": OPTIONS,
    "--user ": [FILES],
    "-p ": [FILES],
    "set a.b.c --file ": [FILES],
    "set a.b.c --file x --q": OPTIONS,
    "set --file=": [FILES],
    "set --file=x": [FILES],
    "set --file=x --tt": ["--ttl"],
    "shell check ": [FILES],
    "shell check one ": [FILES],
    "shell check one --sh": ["--shell"],
    "shell doctor ": [FILES],
    "shell use acme -- ": [FILES],
    "set -- -": [FILES],
    "help ": [*GROUPS, *(verb for verb in VERBS if verb not in GROUPS), *TOPICS],
    "help resc": ["rescue"],
    "help rescue ": list(GROUPS["rescue"]),
    "help set ": [],
    "help set --q": OPTIONS,
    "version rescue ": [],
    "--ver": ["--version", "--verbose"],
    "set * ": [],
    "set '$(touch x)' ": [],
    "get  ": [],
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_is_offered(loaded: Home, shell: str) -> None:
    answers = asked(loaded, shell, [split(line, shell) for line in CASES])
    assert dict(zip(CASES, answers, strict=True)) == CASES


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_it_is_the_shell_alone_that_answers(loaded: Home, shell: str) -> None:
    """Nothing in these functions can start a process: no substitution, no pipeline, no background, no subshell; but for addresses."""
    require(shell)
    names = "__prontodb_words __prontodb_takes_value __prontodb_step __prontodb_look"
    own = "__prontodb_complete" if shell == "bash" else "_prontodb"
    text = loaded.shell(f". ./init.{shell}; typeset -f {names} {own}", shell).out.decode()
    assert text.count("{") >= 5
    code = re.sub(r"'[^']*'|\(\(.*?\)\)|\$\(\(|\$\{[^}]*\}", "", text)
    code = re.sub(r"\$\(__prontodb_addresses [^)]*\)", "", code)
    assert not re.search(r"`|\$\(|<\(|(?<!\|)\|(?!\|)|(?<!&)&(?!&)|^\s*\((?!\))", code, re.MULTILINE), code


def test_the_table_has_no_word_that_needs_quoting() -> None:
    made = completions()
    lines = made["completions"]
    assert isinstance(lines, list)
    for line in [*lines, {"words": made["common"], "verbs": made["valued"], "choices": "", "flags": ""}]:
        assert all(re.fullmatch("[a-z0-9 -]*|<files>|<address(es)?>", text, re.IGNORECASE) for text in line.values()), line


TYPED = {
    "{} sh": "{} shell ",
    "{} shell wr": "{} shell wrapper ",
    "{} --user alice -p p resc": "{} --user alice -p p rescue ",
    "{} --user=alice help resc": "{} --user=alice help rescue ",
    "{} set a.b.c --trim --fi": "{} set a.b.c --trim --file ",
    "{} set a.b.c --file unus": "{} set a.b.c --file unusual.txt ",
    "{} set a.b.c --file=unus": "{} set a.b.c --file=unusual.txt ",
    "{} shell doctor unus": "{} shell doctor unusual.txt ",
    "{} shell init z": "{} shell init zsh ",
    "{} nonsense": "{} nonsense",
}


def load(home: Home, shell: str) -> str:
    """All of it, after what has to come first."""
    return f"{compinit(home) if shell == 'zsh' else 'set +m'}; . ./init.{shell}; . ./wrapper.{shell}"


@pytest.fixture(params=["bash", "zsh"])
def typist(request: pytest.FixtureRequest, loaded: Home) -> Iterator[Typist]:
    """Somebody at a shell into which all of it is loaded, and which finds no command to start."""
    shell: str = request.param
    require(shell)
    (loaded.folder / "unusual.txt").touch()
    typing = Typist.at(loaded, shell)
    typing.record(shell)
    assert typing.run(f"{load(loaded, shell)}; PATH=") == ""
    yield typing
    typing.close()


def test_typing_tab(typist: Typist) -> None:
    for name in ("prontodb", "pronto", "acme"):
        for typed, line in TYPED.items():
            assert typist.completed(typed.format(name)) == line.format(name)


def test_typing_tab_where_words_are_ambiguous(typist: Typist) -> None:
    typist.child.send("prontodb rescue \t\t")
    for verb in sorted(GROUPS["rescue"]):
        typist.shown(verb)


@pytest.mark.parametrize(
    "hostile", ["set -fu; shopt -s nocasematch failglob; IFS=_b/", "setopt ksh_arrays sh_word_split no_unset; IFS=_b/"]
)
def test_typing_tab_under_odd_options(loaded: Home, hostile: str) -> None:
    shell = "zsh" if "setopt" in hostile else "bash"
    require(shell)
    typist = Typist.at(loaded, shell)
    typist.record(shell)
    assert typist.run(f"{load(loaded, shell)}; {hostile}") == ""
    assert typist.completed("prontodb --user alice shell wr") == "prontodb --user alice shell wrapper "
    assert typist.completed("prontodb shell init b") == "prontodb shell init bash "
    assert typist.run("echo $?") == "0\n"
    typist.close()


def test_before_compinit_it_loads_silently_and_completes_nothing(loaded: Home) -> None:
    require("zsh")
    done = loaded.shell(f". ./init.zsh; . ./wrapper.zsh; {compinit(loaded)}; print ${{_comps[prontodb]-none}}; pronto_unload", "zsh")
    assert (done.status, done.out, done.err) == (0, b"none\n", "")
