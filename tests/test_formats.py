"""Values in and out, and every format of a listing read back to the same data (DESIGN §4)."""

from __future__ import annotations

import io
import json
import re
import subprocess
from base64 import b64decode

import dotenv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Home, Result

KEYS = ("a", "b-c", "d__prod", "Zeta", "e/f@g+h%")
VARIABLES = ("alpha", "be_ta", "g-amma", "d__prod", "Zeta")

again = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
anything = st.binary(max_size=200)
no_nul = st.lists(st.integers(1, 255), max_size=80).map(bytes)


def store(home: Home, values: list[bytes], keys: tuple[str, ...] = KEYS) -> dict[str, bytes]:
    """Stores these values in `p.n`, in place of whatever is there."""
    for name in home.call("keys", "p.n").lines:
        home.call("del", "--", f"p.n.{name}")
    stored = dict(zip(keys, values, strict=False))
    for key, value in stored.items():
        assert home.call("set", f"p.n.{key}", "-", stdin=value).status == 0
    return stored


def scan(home: Home, *options: str) -> Result:
    """Lists `p.n` in a format."""
    done = home.call("scan", "p.n", *options)
    assert (done.status, done.err) == (0, ""), done
    return done


def some(values: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    """As many values as there are keys to try them on."""
    return st.lists(values, min_size=1, max_size=5)


@again
@given(st.binary(max_size=3000))
def test_any_bytes_come_out_as_they_went_in(home: Home, value: bytes) -> None:
    home.call("set", "a.b.c", "-", stdin=value)
    assert home.call("get", "a.b.c").out == value


@again
@given(some(anything))
def test_json_reads_back(home: Home, values: list[bytes]) -> None:
    stored = store(home, values)
    for text in (scan(home, "--json").out, b"[" + b",".join(scan(home, "--ndjson").out.splitlines()) + b"]"):
        found = {item["address"]: _json_value(item) for item in json.loads(text)}
        assert found == {f"p.n.{key}": value for key, value in stored.items()}


def _json_value(item: dict[str, str]) -> bytes:
    return b64decode(item["value_b64"]) if "value_b64" in item else item["value"].encode()


@again
@given(some(anything))
def test_lines_read_back(home: Home, values: list[bytes]) -> None:
    stored = store(home, values)
    found = {}
    for line in scan(home).out.split(b"\n")[:-1]:
        name, value = line.split(b"\t")
        found[name.decode()] = re.sub(rb"\\([\\nt])", lambda match: {b"\\": b"\\", b"n": b"\n", b"t": b"\t"}[match[1]], value)
    assert found == stored


@again
@given(some(anything))
def test_the_token_stream_reads_back(home: Home, values: list[bytes]) -> None:
    stored = store(home, values, (*KEYS[:4], "ns"))
    data = scan(home, "--stream").out
    base, rest = data.split(b";\n", 1)
    assert base == b"meta:path=p.n"
    token = re.compile(rb'(?:p\.n:)?([^="]+)="((?:[^"\\]|\\["\\])*)";\n', re.DOTALL)
    found = {match[1].decode(): re.sub(rb'\\(["\\])', rb"\1", match[2]) for match in token.finditer(rest)}
    assert b"".join(match[0] for match in token.finditer(rest)) == rest
    assert found == stored


@again
@given(some(no_nul))
def test_nul_separated_reads_back(home: Home, values: list[bytes]) -> None:
    stored = store(home, values)
    fields = scan(home, "-0").out.split(b"\0")[:-1]
    assert {name.decode(): value for name, value in zip(fields[::2], fields[1::2], strict=True)} == stored


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=some(no_nul))
def test_shell_assignments_read_back_in_the_real_shell(home: Home, need: None, shell: str, values: list[bytes]) -> None:
    stored = store(home, values, VARIABLES)
    script = scan(home, "--sh").out + b"".join(b"printf '%%s\\0' \"$%s\"\n" % key.replace("-", "_").encode() for key in stored)
    done = subprocess.run(
        [shell, "-f"] if shell == "zsh" else [shell, "--norc"], input=script, env=home.env, capture_output=True, check=False
    )
    assert done.stderr == b""
    assert done.stdout.split(b"\0")[:-1] == list(stored.values())


@pytest.fixture
def need(request: pytest.FixtureRequest) -> None:
    """Skips, or fails in CI, where the shell of this test is not installed."""
    from .shells import require

    require(request.getfixturevalue("shell"))


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_evaluating_hostile_values_runs_nothing(home: Home, need: None, shell: str) -> None:
    hostile = ["'; touch PWN; '", "$(touch PWN)", "`touch PWN`", "\\'; touch PWN #", "!touch", "a\n touch PWN\n", "${IFS}", "'\"'\"'"]
    store(home, [value.encode() for value in hostile], tuple(f"v{number}" for number in range(len(hostile))))
    checks = "".join(f'printf "%s\\0" "$v{number}"; ' for number in range(len(hostile)))
    done = home.shell(f'eval "$(prontodb scan p.n --sh)"; {checks}', shell)
    assert (done.status, done.err) == (0, "")
    assert done.out.decode().split("\0")[:-1] == hostile
    assert not (home.folder / "PWN").exists()


@again
@given(some(st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t\r"), max_size=40).map(str.encode)))
def test_dotenv_reads_back_or_is_refused(home: Home, values: list[bytes]) -> None:
    stored = store(home, values, VARIABLES)
    done = home.call("scan", "p.n", "--env")
    if done.status == 0:
        found = dotenv.dotenv_values(stream=io.StringIO(done.out.decode(), newline=""), interpolate=False)
        assert found == {key.replace("-", "_"): value.decode() for key, value in stored.items()}
    else:
        assert (done.status, "Cannot write p.n." in done.err) == (1, True)
        assert any(value.endswith(b"\\") or b"\r" in value for value in stored.values())


@pytest.mark.parametrize("key", ["PATH", "IFS", "LD_PRELOAD", "BASH_ENV", "path", "status", "1st", "a/b", "é", "PS1", "PROMPT_COMMAND"])
@pytest.mark.parametrize("kind", ["--sh", "--env"])
def test_names_that_no_variable_should_have_are_refused(home: Home, key: str, kind: str) -> None:
    home.call("set", f"p.n.{key}", "v")
    done = home.call("scan", "p.n", kind)
    assert (done.status, done.out) == (1, b"")
    assert f"p.n.{key}" in done.err


def test_a_prefix_makes_them_harmless(home: Home) -> None:
    home.call("set", "p.n.PATH", "v")
    assert home.call("scan", "p.n", "--sh", "--var-prefix", "APP_").out == b"APP_PATH='v'\n"


def test_two_names_that_become_one_variable_are_an_error(home: Home) -> None:
    home.call("set", "p.n.a-b", "1")
    home.call("set", "p.n.a_b", "2")
    done = home.call("scan", "p.n", "--sh")
    assert (done.status, "a_b" in done.err) == (1, True)


@pytest.mark.parametrize("kind", ["-0", "--sh", "--env"])
def test_a_nul_byte_is_refused_where_it_cannot_be_written(home: Home, kind: str) -> None:
    home.call("set", "p.n.k", stdin=b"a\0b")
    done = home.call("scan", "p.n", kind)
    assert (done.status, "p.n.k" in done.err, "--json" in done.err) == (1, True, True)


def test_empty_listings(home: Home) -> None:
    expected = {"": b"", "-0": b"", "--json": b"[]\n", "--ndjson": b"", "--stream": b"meta:path=p.n;\n", "--env": b"", "--sh": b""}
    for option, empty in expected.items():
        done = home.call("scan", "p.n", *filter(None, [option]))
        assert (done.status, done.out) == (0, empty), option
    assert home.call("keys", "p.n", "--json").out == b"[]\n"


def test_two_formats_are_a_usage_error(home: Home) -> None:
    assert home.call("scan", "p.n", "--sh", "--env").status == 64
    assert home.call("scan", "p.n", "--json", "-0").status == 64


def test_listings_are_in_byte_order_and_large_values_are_whole(home: Home) -> None:
    keys = ["a", "a-b", "a__b", "Z", "z", "é", "日"]
    for key in keys:
        home.call("set", f"p.n.{key}", "-", stdin=key.encode() * 700_000)
    assert home.call("keys", "p.n").lines == sorted(keys, key=str.encode)
    found = json.loads(home.call("scan", "p.n", "--json").out)
    assert [item["value"] for item in found] == [key * 700_000 for key in sorted(keys, key=str.encode)]
