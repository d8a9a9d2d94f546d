"""A shell that has been given the pantheon functions, and a home of kin, for the tests of both."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from .conftest import COMMAND, Home, Result
from .shells import require

SHELLS = {"bash": ["bash", "--norc", "-c"], "posix": ["bash", "--posix", "--norc", "-c"], "zsh": ["zsh", "-f", "-c"]}
STATIC = sorted((Path(__file__).parent.parent / "shell").glob("pantheon*.sh"))
NOTES = b"# Notes\n\n- one\n- two\n\n\n"
BINARY = bytes(range(256)) * 3 + b"\n\0\n"
SESSIONS, COUNTER = "iterations.sessions.iter", "iterations.counter.current"


@functools.cache
def rendered(shell: str, name: str = "pantheon", kin: str = "") -> str:
    """The text of a wrapper."""
    argv = ["shell", "wrapper", name, "zsh" if shell == "zsh" else "bash", "--template", "pantheon"]
    with tempfile.TemporaryDirectory() as folder:
        made = Home(Path(folder)).run(*argv, *(["--user", kin] if kin else []))
    assert made.status == 0, made
    return made.out.decode()


class Pantheon:
    """A shell of one kind, and the home of some kin."""

    def __init__(self, home: Home, shell: str, root: Path | None = None) -> None:
        self.home, self.shell = home, shell
        self.root = root or home.folder / "pantheon"
        self.house = self.root / "city/house/keeper"
        self.text = rendered(shell)

    @property
    def file(self) -> str:
        """The functions, as a user would keep them."""
        path = self.home.folder / "pantheon.functions"
        path.write_text(self.text)
        return str(path)

    def run(self, script: str, *args: str, stdin: bytes | int | None = None, env: dict[str, str] | None = None, before: str = "") -> Result:
        """Runs a script after `before` and the functions; standard input is a pipe with these bytes, a descriptor, or /dev/null."""
        argv = [*SHELLS[self.shell], f'{before}\n. "$0"\n{script}', self.file, *args]
        feed = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": subprocess.DEVNULL if stdin is None else stdin}
        env = {**self.home.env, "PANTH_HOME": str(self.root), **(env or {})}
        done = subprocess.run(argv, capture_output=True, env=env, cwd=self.home.folder, timeout=60, check=False, **feed)
        return Result(done.returncode, done.stdout, done.stderr)

    def __call__(self, *args: str, stdin: bytes | int | None = None, env: dict[str, str] | None = None) -> Result:
        """`pantheon ARGS`."""
        return self.run('pantheon "$@"', *args, stdin=stdin, env=env)

    def ask(self, *argv: str, kin: str = "keeper", stdin: bytes | None = None) -> Result:
        """What ProntoDB itself has for a kin."""
        return self.home.call(*argv, "--user", kin, "--meta", kin, "--cursor", f"pantheon_{kin}", stdin=stdin)

    def init(self, *kin: str) -> Pantheon:
        """As `migrate init`, but quicker."""
        (self.root / "databases").mkdir(parents=True, exist_ok=True)
        for name in kin or ("keeper",):
            target = f"{self.root}/databases/{name}.db"
            assert self.home.call("cursor", "set", f"pantheon_{name}", target, "--meta", name, "--user", name).status == 0
        return self

    def store(self, *numbers: int, kind: str = "sessions") -> None:
        """Iterations that say which they are."""
        for number in numbers:
            assert self.ask("set", f"iterations.{kind}.iter{number}", f"{kind} {number}").status == 0

    def files(self, **contents: bytes | str) -> None:
        """Files in the house of the keeper: `iter_3_md` is iter_3.md."""
        for name, content in contents.items():
            stem, _, ending = name.rpartition("_")
            self.note(f"{stem}.{ending}", content)

    def note(self, name: str, content: bytes | str) -> Path:
        """A file in the house of the keeper."""
        path = self.house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def uninstall(self) -> Pantheon:
        """From here on the command is not there."""
        self.text = self.text.replace(COMMAND, "/nonexistent/prontodb")
        return self


def made(home: Home, shell: str) -> Pantheon:
    """For a fixture: a shell, with nothing made yet."""
    require("zsh" if shell == "zsh" else "bash")
    return Pantheon(home, shell)


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
