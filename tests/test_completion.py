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
    "fish": """. ./init.fish
complete -c prontodb -e
complete -c prontodb -f -a '(__prontodb_complete)'
complete -c prontodb -n __prontodb_files -a '"<files>"'
set PATH
while read line
    set -l found (complete -C $line | string replace -r '\\t.*' '')
    echo $found
end <lines""",
}
"""Reads lines of words, and answers with what is offered for the last one, with no command to start. That bash's compopt and zsh's
compadd work in completion alone is got round. In fish the words are a line, and files have one name."""
EVERY = ["bash", "zsh", "fish"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What there is to load, generated once."""
    home = Home(tmp_path_factory.mktemp("made"))
    calls = {f"init.{shell}": ("init", shell) for shell in EVERY}
    calls |= {f"wrapper.{shell}": ("wrapper", "acme", shell, "--user", "alice", "--meta", "acme") for shell in EVERY}
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
    between = " " if shell == "fish" else "\x1f"
    (home.folder / "lines").write_text("".join(between.join(["prontodb", *line]) + "\n" for line in lines))
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


@pytest.mark.parametrize("shell", EVERY)
def test_every_verb_and_every_option_is_offered(loaded: Home, shell: str) -> None:
    tree = list(commands())
    lines = [[*words, last] for words, _ in tree for last in ("", "-")]
    offers = dict(zip(map(tuple, lines), asked(loaded, shell, lines), strict=True))
    # fish has an order of its own.
    order = sorted if shell == "fish" else list
    assert offers["",] == order(VERBS)
    for group, rows in GROUPS.items():
        assert offers[group, ""] == order(rows)
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
    "shell init ": EVERY,
    "shell init bash ": [],
    "shell init zsh --q": OPTIONS,
    "shell wrapper acme z": ["zsh"],
    "shell wrapper acme zsh --t": ["--template"],
    "shell unload ": EVERY,
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


@pytest.mark.parametrize("shell", EVERY)
def test_what_is_offered(loaded: Home, shell: str) -> None:
    answers = dict(zip(CASES, asked(loaded, shell, [split(line, shell) for line in CASES]), strict=True))
    if shell == "fish":
        # Only what begins with the word is offered; the files there do, `<files>` does not.
        assert [answers.pop(line) for line in ("set --file=", "set --file=x", "set -- -")] == [[], [], []]
        assert answers == {line: sorted(words) for line, words in CASES.items() if line in answers}
    else:
        assert answers == CASES


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_it_is_the_shell_alone_that_answers(loaded: Home, shell: str) -> None:
    """Nothing in these functions can start a process: no substitution, no pipeline, no background, no subshell; but for addresses."""
    require(shell)
    names = "__prontodb_words __prontodb_takes_value __prontodb_step __prontodb_place __prontodb_places __prontodb_look"
    own = "__prontodb_complete" if shell == "bash" else "_prontodb"
    text = loaded.shell(f". ./init.{shell}; typeset -f {names} {own}", shell).out.decode()
    assert text.count("{") >= 5
    code = re.sub(r"'[^']*'|\(\(.*?\)\)|\$\(\(|\$\{[^}]*\}", "", text)
    code = re.sub(r"\$\(__prontodb_addresses [^)]*\)", "", code)
    assert not re.search(r"`|\$\(|<\(|(?<!\|)\|(?!\|)|(?<!&)&(?!&)|^\s*\((?!\))", code, re.MULTILINE), code


def test_fish_starts_no_process_but_for_addresses(loaded: Home) -> None:
    """Its functions call builtins, themselves and each other, and nothing else."""
    require("fish")
    names = "__prontodb_words __prontodb_takes_value __prontodb_step __prontodb_place __prontodb_look __prontodb_complete __prontodb_files"
    text = loaded.shell(f". ./init.fish; for name in {names}; functions --no-details $name; end", "fish").out.decode()
    code = re.sub(r"'([^'\\]|\\.)*'", "''", re.sub(r"^ *(#|case ).*\n|^function \w+|for \w+ in", "", text, flags=re.MULTILINE))
    keywords = r"(?:if|else|and|or|not|begin|end|switch)\b"
    called = set(re.findall(rf"(?:^|\()\s*(?:{keywords}\s+)*(?!{keywords}|builtin\b)(\w+)", code, re.MULTILINE))
    assert called == {*names.split()[:2], "__prontodb_step", "__prontodb_place", "__prontodb_look", "__prontodb_addresses"}
    assert code.count("builtin ") > 100


def test_fish_shows_what_words_are_for(loaded: Home) -> None:
    require("fish")
    done = loaded.shell(
        ". ./init.fish; set PATH; for line in 'prontodb she' 'prontodb set --tt' 'help resc'; complete -C $line; end", "fish"
    )
    assert done.lines[0] == f"shell\t{VERBS['shell'].summary}"
    assert done.lines[1].startswith("--ttl\t")


def test_the_table_has_no_word_that_needs_quoting() -> None:
    made = completions()
    lines = made["completions"]
    assert isinstance(lines, list)
    for line in [*lines, {"words": made["common"], "verbs": made["valued"], "choices": "", "flags": ""}]:
        words = [text for name, text in line.items() if name != "told"]
        assert all(re.fullmatch("[a-z0-9 -]*|<files>|<address(es)?>", text, re.IGNORECASE) for text in words), line


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
    first = compinit(home) if shell == "zsh" else "set +m" if shell == "bash" else ":"
    return f"{first}; . ./init.{shell}; . ./wrapper.{shell}"


@pytest.fixture(params=EVERY)
def typist(request: pytest.FixtureRequest, loaded: Home) -> Iterator[Typist]:
    """Somebody at a shell into which all of it is loaded, and which finds no command to start."""
    shell: str = request.param
    require(shell)
    (loaded.folder / "unusual.txt").touch()
    typing = Typist.at(loaded, shell)
    typing.record(shell)
    assert typing.run(f"{load(loaded, shell)}; {'set PATH' if shell == 'fish' else 'PATH='}") == ""
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
