"""`run`: entries as environment variables; the program is the process, or with --mask watched by it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

from .conftest import COMMAND, Home, Result
from .helping import script
from .pgserver import Database, Server

SECRET = "hunter2-Zq9"
WAIT = 20


@pytest.fixture
def full(home: Home) -> Home:
    """A home with a place of settings and one of secrets."""
    for name, value in (("app.config.db-host", "localhost"), ("app.config.Port", "8080\n"), ("app.sec.token", SECRET)):
        assert home.call("set", name, "--", value).status == 0
    return home


def ran(home: Home, *argv: str, **options: Any) -> Result:
    """What `run` with these words comes to."""
    return home.run("run", *argv, **options)


def environment(home: Home, *argv: str, **options: Any) -> dict[bytes, bytes]:
    """The variables that a program gets."""
    done = ran(home, *argv, "--", "env", "-0", **options)
    assert (done.status, done.err) == (0, ""), done
    pairs = (pair.partition(b"=") for pair in done.out.split(b"\0")[:-1])
    return {name: value for name, _, value in pairs}


def begin(home: Home, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
    """The same, still running; its output is a pipe."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
    return subprocess.Popen([COMMAND, "run", *argv], env=home.env, cwd=home.folder, **options)


def test_entries_become_variables(full: Home) -> None:
    found = environment(full, "--place", "app.config")
    assert (found[b"DB_HOST"], found[b"PORT"], b"TOKEN" in found) == (b"localhost", b"8080", False)
    assert found[b"HOME"] == str(full.folder).encode()
    assert environment(full, "-p", "app", "-n", "config")[b"DB_HOST"] == b"localhost"
    assert set(environment(full, "--place", "app.config.db")) - set(found) == set()
    assert b"PORT" not in environment(full, "--place", "app.config.db")
    both = environment(full, "--place", "app.config", "--place", "app.sec")
    assert (both[b"DB_HOST"], both[b"TOKEN"]) == (b"localhost", SECRET.encode())
    assert environment(full, "--place", "app.config", "--exact")[b"PORT"] == b"8080\n"
    assert environment(full, "--place", "app.config", "--var-prefix", "APP_")[b"APP_DB_HOST"] == b"localhost"
    assert environment(full, "--place", "app.config", env={"DB_HOST": "before"})[b"DB_HOST"] == b"localhost"


def test_any_bytes_but_nul(home: Home) -> None:
    value = bytes(range(1, 256)) + b"\n\n"
    home.call("set", "p.n.bytes", "-", stdin=value)
    home.call("set", "p.n.empty", "")
    for env in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        found = environment(home, "--place", "p.n", env=env)
        assert (found[b"BYTES"], found[b"EMPTY"]) == (value[:-1], b"")
        done = ran(home, "--place", "p.n", "--", "printf", "%s", "\u00e9\udcff".encode("utf-8", "surrogateescape"), env=env)  # type: ignore[arg-type]
        assert done.out == b"\xc3\xa9\xff"
    home.call("set", "p.n.nul", "-", stdin=b"a\0b")
    done = ran(home, "--place", "p.n", "--", "true")
    assert (done.status, "p.n.nul" in done.err, "NUL" in done.err) == (1, True, True)


def test_an_entry_of_a_context_is_none(full: Home) -> None:
    full.call("set", "app.config.db-host__prod", "db1")
    found = environment(full, "--place", "app.config")
    assert found[b"DB_HOST"] == b"localhost"
    assert not [name for name in found if b"PROD" in name.upper()]


def test_what_holds_under_contexts_becomes_variables(full: Home) -> None:
    for name, value in (("db-host__prod", "db.prod"), ("db-host__eu", "db.eu"), ("Port__eu", "9"), ("only__eu", "x"), ("only__dev", "y")):
        full.call("set", f"app.config.{name}", value)
    shown = {over: environment(full, "--place", "app.config", "--context", over) for over in ("prod,eu", "eu,prod", "prod", "-")}
    assert [found[b"DB_HOST"] for found in shown.values()] == [b"db.prod", b"db.eu", b"db.prod", b"localhost"]
    assert [found[b"PORT"] for found in shown.values()] == [b"9", b"9", b"8080", b"8080"]
    assert [found.get(b"ONLY") for found in shown.values()] == [b"x", b"x", None, None]
    assert not [name for found in shown.values() for name in found if b"__" in name]
    assert environment(full, "--place", "app.config.db", "--context", "prod")[b"DB_HOST"] == b"db.prod"


def test_under_contexts_names_and_values_are_held_to_the_same_rules(full: Home) -> None:
    full.call("set", "app.config.db_host__prod", "another")
    done = ran(full, "--place", "app.config", "--context", "prod", "--", "touch", "ran")
    assert (done.status, "app.config.db-host and app.config.db_host__prod would both be DB_HOST" in done.err) == (1, True)
    full.call("set", "app.tools.path__prod", "/evil")
    done = ran(full, "--place", "app.tools", "--context", "prod", "--", "touch", "ran")
    assert (done.status, "app.tools.path__prod" in done.err) == (1, True)
    full.call("set", "app.large.k__prod", "-", stdin=b"x" * 200_000)
    assert ran(full, "--place", "app.large", "--context", "prod", "--", "touch", "ran").status == 1
    assert ran(full, "--place", "app.large", "--context", "dev", "--", "touch", "ran").status == 2
    assert ran(full, "--place", "app.config", "--context", "a,,b", "--", "touch", "ran").status == 64
    assert not (full.folder / "ran").exists()


def test_a_secret_of_a_context_is_masked(full: Home) -> None:
    full.call("set", "app.sec.token__prod", "s3c")
    done = ran(full, "--place", "app.sec", "--context", "prod", "--mask", "--", "sh", "-c", "echo $TOKEN")
    assert (done.out, done.err) == (b"***\n", "")


@pytest.mark.parametrize("name", ["1st", "a/b", "a@b", "a+b", "a%b", "é", "ß"])
def test_a_name_that_is_none(home: Home, name: str) -> None:
    home.call("set", f"p.n.{name}", SECRET)
    done = ran(home, "--place", "p.n", "--", "touch", "ran")
    assert (done.status, f"p.n.{name} cannot become a variable" in done.err, SECRET in done.err) == (1, True, False)
    assert not (home.folder / "ran").exists()
    if name == "1st":
        assert environment(home, "--place", "p.n", "--var-prefix", "N")[b"N1ST"] == SECRET.encode()


def test_two_of_a_name(full: Home) -> None:
    full.call("set", "app.more.db_host", "db2")
    done = ran(full, "--place", "app.config", "--place", "app.more", "--", "touch", "ran")
    assert (done.status, "app.config.db-host and app.more.db_host would both be DB_HOST" in done.err) == (1, True)
    assert "--override" in done.err
    assert environment(full, "--place", "app.config", "--place", "app.more", "--override")[b"DB_HOST"] == b"db2"
    assert environment(full, "--place", "app.more", "--place", "app.config", "--override")[b"DB_HOST"] == b"localhost"
    full.call("set", "app.config.DB_HOST", "third")
    done = ran(full, "--place", "app.config", "--override", "--", "touch", "ran")
    assert (done.status, "would both be DB_HOST" in done.err, "--override" in done.err) == (1, True, False)
    assert not (full.folder / "ran").exists()


@pytest.mark.parametrize("name", ["pronto_force_meta", "PRONTO-USER", "Pronto_DB", "pronto_security", "pantheon-security-mode"])
@pytest.mark.parametrize("options", [(), ("--allow-unsafe",)])
def test_nothing_leads_into_another_context(home: Home, name: str, options: tuple[str, ...]) -> None:
    home.call("set", f"p.n.{name}", "evil")
    done = ran(home, "--place", "p.n", *options, "--", "touch", "ran")
    assert (done.status, f"p.n.{name}" in done.err, (home.folder / "ran").exists()) == (1, True, False)


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "ld-library-path",
        "PATH",
        "IFS",
        "ENV",
        "BASH_ENV",
        "HOME",
        "PYTHONPATH",
        "NODE_OPTIONS",
        "PERL5OPT",
        "RUBYOPT",
        "GIT_SSH_COMMAND",
        "PROMPT_COMMAND",
        "JAVA_TOOL_OPTIONS",
        "ZDOTDIR",
        "EDITOR",
    ],
)
def test_no_entry_takes_the_program_over(home: Home, name: str) -> None:
    home.call("set", f"p.n.{name}", "evil")
    done = ran(home, "--place", "p.n", "--", "touch", "ran")
    assert (done.status, "--allow-unsafe" in done.err, (home.folder / "ran").exists()) == (1, True, False)


def test_ordinary_names_of_services_are_fine(home: Home) -> None:
    names = [
        "NODE_ENV",
        "LANG",
        "TZ",
        "TERM",
        "TMPDIR",
        "GIT_AUTHOR_NAME",
        "DATABASE_URL",
        "USER",
        "GOPATH",
        "LOGNAME",
        "AWS_SECRET_ACCESS_KEY",
    ]
    for name in names:
        home.call("set", f"p.n.{name}", "x")
    assert {environment(home, "--place", "p.n")[name.encode()] for name in names} == {b"x"}
    home.call("set", "p.m.path", "/usr/bin:/bin")
    assert environment(home, "--place", "p.m", "--allow-unsafe")[b"PATH"] == b"/usr/bin:/bin"


def test_too_large(home: Home) -> None:
    home.call("set", "p.n.big", "-", stdin=b"x" * 131_066)
    assert len(environment(home, "--place", "p.n")[b"BIG"]) == 131_066
    home.call("append", "p.n.big", "xx")
    done = ran(home, "--place", "p.n", "--", "true")
    assert (done.status, "p.n.big" in done.err, "131068 bytes" in done.err) == (1, True, True)
    home.call("set", "p.n.big", "small")
    for number in range(40):
        home.call("set", f"p.n.k{number}", "-", stdin=b"x" * 130_000)
    for options in ((), ("--mask",)):
        done = ran(home, *options, "--place", "p.n", "--", "true")
        assert (done.status, "too large" in done.err, "Traceback" in done.err) == (126, True, False)


def test_a_place_that_holds_nothing(full: Home) -> None:
    done = ran(full, "--place", "app.config", "--place", "app.confg", "--", "touch", "ran")
    assert (done.status, "app.confg" in done.err, (full.folder / "ran").exists()) == (2, True, False)
    assert ran(full, "--place", "app.confg", "--allow-empty", "--", "true").status == 0
    assert ran(full, "--place", "bad..", "--", "true").status == 64
    assert ran(full).status == 64
    assert ran(full, "--place", "app.config").status == 64


@pytest.mark.parametrize("options", [(), ("--mask",)], ids=["become", "mask"])
class TestTheProgram:
    """Status, signals and streams are the program's own, whichever way it is run."""

    def test_its_status(self, full: Home, options: tuple[str, ...]) -> None:
        for status in (0, 1, 2, 64, 255):
            assert ran(full, *options, "--place", "app.config", "--", "sh", "-c", f"exit {status}").status == status
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT):
            assert ran(full, *options, "--place", "app.config", "--", "sh", "-c", f"kill -{int(number)} $$").status == -number

    def test_its_words(self, full: Home, options: tuple[str, ...]) -> None:
        done = ran(full, *options, "--place", "app.config", "printf", "<%s>", "-v", "--", "--mask", "a b", "")
        assert done.out == b"<-v><--><--mask><a b><>"

    def test_its_streams(self, full: Home, options: tuple[str, ...]) -> None:
        done = ran(full, *options, "--place", "app.config", "--", "sh", "-c", "cat; echo err >&2; pwd", stdin=b"in\0put\n")
        assert done.out == b"in\0put\n" + f"{full.folder}\n".encode()
        assert done.err == "err\n"

    def test_what_cannot_be_run(self, full: Home, options: tuple[str, ...]) -> None:
        (full.folder / "text").write_text("neither")
        (full.folder / "dead").write_text("#!/no/such/interpreter\n")
        (full.folder / "dead").chmod(0o755)
        for name, status in (("nosuch", 127), ("./nosuch", 127), ("./text", 126), ("./dead", 126), ("", 127)):
            done = ran(full, *options, "--place", "app.config", "--", name)
            assert (done.status, done.out, "Traceback" in done.err, "Internal" in done.err) == (status, b"", False, False), done

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1])
    def test_it_gets_the_signals(self, full: Home, options: tuple[str, ...], number: signal.Signals) -> None:
        name = number.name.removeprefix("SIG")
        code = f"trap 'echo got; exit 9' {name}; echo ready; while :; do sleep 0.05; done"
        process = begin(full, *options, "--place", "app.config", "--", "bash", "-c", code)
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=WAIT)
        assert (process.returncode, out) == (9, b"got\n")

    def test_nothing_of_ours_stays_ignored(self, full: Home, options: tuple[str, ...]) -> None:
        done = ran(full, *options, "--place", "app.config", "--", "grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
        # The caller may have something blocked itself.
        before = subprocess.run(["grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"], capture_output=True, check=True)
        assert done.out == before.stdout

    def test_a_reader_that_leaves_ends_it(self, full: Home, options: tuple[str, ...]) -> None:
        done = full.shell(f"prontodb run {' '.join(options)} --place app.config -- yes | head -1; echo ${{PIPESTATUS[0]}}")
        assert (done.lines, done.err) == (["y", "141"], "")

    def test_no_descriptor_of_ours_is_left_to_it(self, full: Home, options: tuple[str, ...]) -> None:
        done = ran(full, *options, "--place", "app.config", "--", "ls", "-l", "/proc/self/fd")
        assert len([line for line in done.lines if "->" in line and "/proc/" not in line]) == 3

    def test_from_the_helper(self, full: Home, options: tuple[str, ...]) -> None:
        call = f"pronto run {' '.join(options)} --place app.config -- sh -c 'cat; echo ${{#DB_HOST}}; exit 5'"
        for shell in ("bash", "zsh"):
            done = script(full, shell, f"pronto get app.config.db-host; echo; echo input | {call}; echo $?")
            assert (done.lines, done.err) == (["localhost", "input", "9", "5"], "")

    def test_in_a_wrapper(self, full: Home, options: tuple[str, ...]) -> None:
        """Within the wrapper's pin, and the program's own calls are within it, too."""
        full.call("set", "app.config.db-host", "acmes", "--meta", "acme")
        done = full.shell(
            'eval "$(prontodb shell wrapper acme bash --user default --meta acme)"\n'
            f"acme run {' '.join(options)} --place app.config -- sh -c 'echo ${{#DB_HOST}}; prontodb get app.config.db-host | wc -c; "
            "prontodb get app.config.db-host --meta other; echo $?'\n"
            "acme run --meta other --place app.config -- true; echo $?"
        )
        assert done.lines == ["5", "5", "6", "6"]


def test_it_is_the_very_process(full: Home) -> None:
    process = begin(full, "--place", "app.config", "--", "sh", "-c", "echo $$")
    out, _ = process.communicate(timeout=WAIT)
    assert int(out) == process.pid


def test_on_a_server(home: Home, pg: Server) -> None:
    served = Database(pg)
    served.grant("")
    home.env["PRONTO_DB"] = served.url()
    home.call("set", "p.n.token", SECRET, "--secret")
    assert environment(home, "--place", "p.n")[b"TOKEN"] == SECRET.encode()
    assert ran(home, "--mask", "--place", "p.n", "--", "sh", "-c", "echo $TOKEN").out == b"***\n"


# --mask


def masked(home: Home, code: str, *options: str, **more: Any) -> Result:
    """A Python program whose output is masked."""
    return ran(home, "--mask", "--place", "app.sec", *options, "--", sys.executable, "-c", f"import os, sys, time\n{code}", **more)


def test_a_secret_in_two_pieces(full: Home) -> None:
    """The halves come as two writes, a moment apart."""
    done = masked(full, f"os.write(1, b'<{SECRET[:4]}'); time.sleep(0.4); os.write(1, b'{SECRET[4:]}>'); os.write(2, b'{SECRET}')")
    assert (done.status, done.out, done.err) == (0, b"<***>", "***")


def test_byte_after_byte(full: Home) -> None:
    done = masked(full, f"for byte in b'a{SECRET}b{SECRET[:-1]}': os.write(1, bytes([byte])); time.sleep(0.01)")
    assert done.out == b"a***b" + SECRET[:-1].encode()


def test_what_is_no_secret_is_shown_at_once(full: Home) -> None:
    process = begin(full, "--mask", "--place", "app.sec", "--", "sh", "-c", "printf 'Go on? '; read x; echo ok", stdin=subprocess.PIPE)
    assert process.stdout
    assert os.read(process.stdout.fileno(), 100) == b"Go on? "
    assert process.communicate(b"yes\n", timeout=WAIT)[0] == b"ok\n"


def test_a_flood_is_masked_to_the_last(full: Home) -> None:
    """More than any pipe holds, into a reader that is slow to begin."""
    code = f"for _ in range(2000): os.write(1, b'x' * 997 + b'{SECRET}'); os.write(2, b'{SECRET}' + b'y' * 997)"
    process = begin(full, "--mask", "--place", "app.sec", "--", sys.executable, "-c", f"import os\n{code}")
    time.sleep(0.5)
    assert process.stdout
    assert process.stderr
    # One after the other: neither stream waits for the other to be read.
    out, err = process.communicate(timeout=WAIT * 3)
    assert out == (b"x" * 997 + b"***") * 2000
    assert err == (b"***" + b"y" * 997) * 2000


def test_the_streams_do_not_wait_for_each_other(full: Home) -> None:
    code = f"os.write(1, b'o' * 60000); os.write(2, b'e' * 3000000); os.write(1, b'{SECRET}')"
    process = begin(full, "--mask", "--place", "app.sec", "--", sys.executable, "-c", f"import os\n{code}")
    assert process.stdout
    assert process.stderr
    with process:
        assert len(process.stderr.read()) == 3_000_000
        assert process.stdout.read() == b"o" * 60_000 + b"***"
        assert process.wait(WAIT) == 0


def test_those_who_stay_behind_do_not_hold_it(full: Home) -> None:
    begun = time.monotonic()
    done = masked(full, f"print('{SECRET}', flush=True); os.fork() or os.execvp('sleep', ['sleep', '60'])")
    assert (done.status, done.out, time.monotonic() - begun < 30) == (0, b"***\n", True)


def test_one_that_never_falls_silent_does_not_hold_it_either(full: Home) -> None:
    begun = time.monotonic()
    done = masked(full, "os.fork() or os.execvp('sh', ['sh', '-c', 'while echo x; do sleep 0.1; done']); print('end')")
    assert (done.status, b"end\n" in done.out, time.monotonic() - begun < 30) == (0, True, True)


def test_nor_one_that_floods_it(full: Home) -> None:
    """More than the program itself can have left in a pipe is not waited for."""
    done = full.shell(
        "prontodb run --mask --place app.sec -- sh -c 'yes & echo end' | tail -c 1; echo ${PIPESTATUS[0]}", start_new_session=True
    )
    assert done.lines[-1] == "0", done


def test_the_program_ends_when_we_are_killed(full: Home) -> None:
    process = begin(full, "--mask", "--place", "app.sec", "--", "sh", "-c", "echo $$; exec sleep 60")
    assert process.stdout
    with process:
        pid = int(process.stdout.readline())
        process.kill()
        process.wait(WAIT)
    end = time.monotonic() + WAIT
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_short_values(full: Home) -> None:
    """A short value that is no secret is in any output, and told of; a short secret is hidden all the same."""
    full.call("set", "app.sec.pin", "12")
    full.call("set", "app.config.on", "1")
    done = ran(full, "--mask", "--place", "app.sec", "--place", "app.config", "--", "echo", "1", "12", "8080", "localhost")
    assert done.out == b"1 *** *** ***\n"
    assert done.err == "prontodb: Not masked, being no secrets and shorter than 4 bytes: app.config.on\n"
    assert ran(full, "-q", "--mask", "--place", "app.config", "--", "true").err == ""


def test_other_forms(full: Home) -> None:
    value = 'line "one" is long\nanother line of it\n'
    full.call("set", "app.sec.pem", value)
    code = "import json, base64, urllib.parse as u\nv = os.environ['PEM']\n"
    code += "print(json.dumps(v), base64.b64encode(v.encode()).decode(), u.quote(v, safe=''))\nfor line in v.split('\\n'): print('|', line)"
    done = masked(full, code)
    assert done.lines == ['"***" *** ***', "| ***", "| ***"]


def test_an_output_that_cannot_be_written(full: Home) -> None:
    with open("/dev/full", "wb") as sink:
        done = ran(full, "--mask", "--place", "app.sec", "--", "echo", "x", stdout=sink, stderr=subprocess.PIPE)
    assert (done.status, "Cannot write standard output" in done.err) == (1, True)


def spawn(home: Home, *argv: str) -> Any:
    """On a terminal."""
    return pexpect.spawn(
        COMMAND, ["run", *argv], env=home.env, cwd=str(home.folder), encoding="utf-8", timeout=WAIT, dimensions=(33, 111), echo=False
    )


def test_on_a_terminal_it_has_one(full: Home) -> None:
    code = 'test -t 0 && test -t 1 && test -t 2 && echo terminals; stty size <&1; echo $TOKEN; echo $TOKEN >&2; read x; echo "<$x>"; exit 3'
    shell = spawn(full, "--mask", "--place", "app.sec", "--", "sh", "-c", code)
    shell.expect_exact("terminals\r\n33 111\r\n***\r\n***\r\n")
    shell.sendline("typed")
    shell.expect_exact("<typed>\r\n")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3


def test_the_size_of_the_terminal_follows(full: Home) -> None:
    shell = spawn(
        full, "--mask", "--place", "app.sec", "--", "bash", "-c", "trap 'stty size <&1' WINCH; echo ready; while :; do sleep 0.05; done"
    )
    shell.expect_exact("ready")
    shell.setwinsize(44, 122)
    shell.expect(r"(33 111\r\n)?44 122")
    for _ in range(10):
        # bash goes on where the program that it waits for has ended by itself in the same moment: stty has just said its line.
        shell.sendintr()
        if shell.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1) == 0:
            break
    shell.close()
    assert shell.signalstatus == signal.SIGINT


@pytest.mark.parametrize("options", [(), ("--mask",)])
def test_control_c_comes_once(full: Home, options: tuple[str, ...]) -> None:
    code = "import os, signal, sys, time\ncame = []\n"
    code += "signal.signal(2, lambda *_: (came.append(1), os.write(1, b'got %d\\n' % len(came))))\nos.write(1, b'ready\\n')\n"
    code += "while len(came) < 2: time.sleep(0.02)\ntime.sleep(0.3)\nsys.exit(4)"
    shell = spawn(full, *options, "--place", "app.sec", "--", sys.executable, "-c", code)
    shell.expect_exact("ready")
    shell.sendintr()
    shell.expect_exact("got 1")
    assert shell.expect(["got 2", pexpect.TIMEOUT], timeout=0.7) == 1
    shell.sendintr()
    shell.expect_exact("got 2")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 4


def test_job_control(full: Home) -> None:
    """Stopped and continued from a shell, like any program."""
    shell = pexpect.spawn(
        "bash", ["--norc"], env=full.env | {"PS1": "$ "}, cwd=str(full.folder), encoding="utf-8", timeout=WAIT, echo=False
    )
    shell.sendline("prontodb run --mask --place app.sec -- sh -c 'echo rea''dy; sleep 1; echo $TOKEN the end'; echo status=$?")
    shell.expect_exact("ready")
    shell.send("\x1a")
    shell.expect_exact("status=148")
    shell.sendline("fg")
    shell.expect(re.escape("*** the end"))
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
