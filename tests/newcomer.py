"""Does what the README and the tutorial say, to the letter, as somebody who has nothing yet: `python -m tests.newcomer`.

In an empty home, with no variable but those that any login has. First the lines that install it, each in an environment of its own (those of
a tool that is not here are passed over, and said so). Then each page is typed into bash on a terminal, line by line, and what comes is
compared with what the page shows. At last the commonest mistakes are made, and status and message compared with what they are to be. Every
difference is told; the exit status is 1 where there is one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pexpect

from .mistakes import MISTAKES, Mistake, faults

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/tutorial.md")
KEY = re.compile(r"\d{10}_[0-9a-f]{8}_")
PROMPT = "\x1e"
"""What no page shows and no command prints."""
SYSTEM = "/usr/local/bin:/usr/bin:/bin"


class Terminal:
    """bash on a terminal, in a home; `type` gives what a line prints. Keys of rescued content are copied from where they were shown."""

    def __init__(self, home: Path, path: str, **env: str) -> None:
        self.keys = [""]
        env = {"HOME": str(home), "PATH": path, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PS1": PROMPT, **env}
        bash = ["--norc", "--noprofile", "--noediting"]
        self.child = pexpect.spawn("bash", bash, env=env, cwd=str(home), dimensions=(50, 400), encoding="utf-8", timeout=60)
        self.child.expect_exact(PROMPT)

    def type(self, line: str) -> str:
        """Types a line; its output, without what the terminal does to newlines."""
        self.child.sendline(KEY.sub(self.keys[-1], line) if "copy" in line else line)
        self.child.expect_exact(PROMPT)
        said = str(self.child.before).replace("\r\n", "\n").partition("\n")[2]
        self.keys += KEY.findall(said)
        return said

    def close(self) -> None:
        """Hangs up."""
        self.child.close()


def examples(text: str) -> Iterator[tuple[str, str]]:
    """Each line that a page says to type, and what it shows below it."""
    for session in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            yield line, shown


def follow(page: Path, home: Path, path: str) -> list[str]:
    """Types a page; the differences."""
    terminal, found = Terminal(home, path, NO_COLOR="1"), []
    try:
        for line, shown in examples(page.read_text()):
            said = terminal.type(line)
            if KEY.sub("KEY_", said).rstrip("\n") != KEY.sub("KEY_", shown).rstrip("\n"):
                found.append(f"{page.name}: $ {line}\n--- the page shows\n{shown}--- what came\n{said}")
    finally:
        terminal.close()
    return found


def err(mistake: Mistake, home: Path, path: str) -> list[str]:
    """Makes a mistake; what is wrong with the answer."""
    env = {"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8"}
    argv = ["prontodb", *shlex.split(mistake[0])]
    done = subprocess.run(
        argv, env=env, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    wrong = faults(mistake, done.returncode, done.stderr.replace(f"{home}/", ""))
    return [f"$ prontodb {mistake[0]}: {'; '.join(wrong)}\n--- what came\n{done.stderr}"] if wrong else []


def blunder(home: Path, path: str) -> list[str]:
    """Makes all of them, one after the other in one home; what is wrong, also where one has changed what was there."""
    env = {"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8"}
    subprocess.run(["prontodb", "set", "p.n.k", "v"], env=env, check=True)
    found = [fault for mistake in MISTAKES for fault in err(mistake, home, path)]
    left = subprocess.run(["prontodb", "scan", "p.n"], env=env, capture_output=True, text=True, check=True).stdout
    return found if left == "k\tv\n" else [*found, f"The mistakes have left this: {left}"]


def installations() -> list[str]:
    """The lines that install it from a checkout, without their comments."""
    block = next(block for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL) if "pip install" in block)
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def install(line: str, checkout: Path, home: Path) -> str | None:
    """Runs one of these lines in the checkout, with a Python environment switched on that holds nothing; the PATH on which the command is then.

    None where the tool is not here. Raises `CalledProcessError`.
    """
    tool = line.split(maxsplit=1)[0]
    if tool != "pip" and not shutil.which(tool):
        return None
    subprocess.run([sys.executable, "-m", "venv", home / "own"], check=True)
    tools = os.path.dirname(shutil.which(tool) or "/bin/sh")
    path = f"{home}/own/bin:{home}/.local/bin:{SYSTEM}:{tools}"
    env = {"HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", **{name: value for name, value in os.environ.items() if name in PASSED}}
    subprocess.run(["bash", "-euc", line], cwd=checkout, env=env, check=True, stdout=subprocess.DEVNULL)
    return path


PASSED = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_CERT",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "SSL_CERT_FILE",
    "https_proxy",
)
"""Where packages come from is the machine's affair."""


def checkout(folder: Path) -> Path:
    """The files of the project, as a clone has them."""
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", ".demo", ".coverage*", "__pycache__", "build", "dist")
    return Path(shutil.copytree(ROOT, folder / "prontodb", ignore=ignored))


def main() -> int:
    """All of it; 1 where something is not as it is said to be."""
    with tempfile.TemporaryDirectory() as folder:
        found, paths = [], []
        for number, line in enumerate(installations()):
            home = Path(folder, f"home{number}")
            home.mkdir()
            path = install(line, checkout(home), home)
            print(f"{line}: {'done' if path else 'NOT TRIED: the tool is not here'}")
            paths += [path] if path else []
            if path and shutil.which("prontodb", path=path) is None:
                found.append(f"README.md: after {line} there is no command prontodb")
        for number, page in enumerate(PAGES):
            home = Path(folder, f"reader{number}")
            home.mkdir()
            found += follow(ROOT / page, home, paths[-1])
            print(f"{page}: {sum(1 for _ in examples((ROOT / page).read_text()))} lines typed")
        home = Path(folder, "blunderer")
        home.mkdir()
        found += blunder(home, paths[-1])
        print(f"{len(MISTAKES)} mistakes made")
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
