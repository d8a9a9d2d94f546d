"""The shape of the code (DESIGN §11): imports go one way, and a cold `get` imports what is on the list and nothing else."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import prontodb
from prontodb import errors
from prontodb.cli.table import GROUPS, POSTGRES_VERBS, VERBS
from prontodb.settings import SETTINGS

from .conftest import COMMAND, Home

PACKAGE = Path(prontodb.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

LAYERS = [
    ("__init__", "errors", "model", "address", "past", "durations", "files"),
    ("xstream", "xstream.*"),
    ("tomlfile", "shellwords", "templatelint", "conditions", "mask", "children", "outlets"),
    ("urls", "paths", "resolve", "suggest", "settings", "features", "saved", "profiles", "credentials"),
    ("session", "guard", "progress", "origin", "spool", "intake", "interchange", "tree"),
    ("engines.base", "engines.driver", "engines.mounts", "engines.failures", "engines.queued"),
    (
        "engines.connect",
        "engines.writer",
        "engines.pulse",
        "engines.schema",
        "engines.bodies",
        "engines.history",
        "engines.table",
        "engines.bulk",
        "engines.sqlite",
        "engines.memory",
        "engines.tenant",
        "engines.pieces",
        "engines.upkeep",
        "engines.snapshot",
        "engines.recover",
    ),
    (
        "engines.pg_driver",
        "engines.pg_failures",
        "engines.pg_roles",
        "engines.pg_schema",
        "engines.pg_link",
        "engines.pg_history",
        "engines.pg_table",
    ),
    ("engines.postgres", "engines.pg_admin", "engines.pg_check", "engines"),
    (
        "ops",
        "ops.kv",
        "ops.secrets",
        "ops.places",
        "ops.overlay",
        "ops.completion",
        "ops.conditional",
        "ops.history",
        "ops.leases",
        "ops.renewal",
        "ops.moments",
        "ops.queues",
        "ops.patience",
        "ops.rescue",
        "ops.rescued",
        "ops.cursors",
        "ops.profiles",
        "ops.users",
        "ops.postgres",
        "ops.health",
        "ops.repair",
        "ops.archive",
        "ops.backup",
        "ops.restore",
        "ops.transfer",
        "ops.variables",
        "ops.flight",
        "ops.memos",
    ),
    ("ops.streamed", "ops.streams", "ops.looks", "ops.waiting", "ops.watching"),
    ("education", "render", "formats", "preview", "browser", "program", "shellgen"),
    ("hot", "salvage"),
    ("environment",),
    ("cli", "cli.*"),
    ("dispatch",),
    ("helper.*", "api.*"),
    ("__main__",),
]
"""Each layer imports from those above it and from itself."""

UPWARD = {("cli.table", "cli"), ("hot", "salvage")}


def name_of(path: Path) -> str:
    """`ops.kv` for prontodb/ops/kv.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def layer_of(name: str) -> int:
    """The number of a module's layer."""
    for number, layer in enumerate(LAYERS):
        if name in layer or f"{name.split('.', maxsplit=1)[0]}.*" in layer:
            return number
    raise AssertionError(f"{name} is in no layer: put it into one")


def run_time_imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, but for types."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    package = path.relative_to(PACKAGE).parent.parts
    types_only = {id(node) for block in ast.walk(tree) if _for_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and id(node) not in types_only:
            base = package[: len(package) - node.level + 1]
            target = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            names = [f"{target}.{alias.name}".strip(".") for alias in node.names]
            known = [name for name in names if (PACKAGE / f"{name.replace('.', '/')}.py").exists()]
            found |= set(known or [target or "__init__"])
    return found


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_no_modules_import_each_other() -> None:
    """Not in a circle of any length, and not where a function imports what it needs either: what does cannot be read by itself."""
    tied = {name_of(path): run_time_imports(path) - {name_of(path)} for path in MODULES}
    TopologicalSorter(tied).prepare()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    name = name_of(path)
    for imported in run_time_imports(path):
        assert layer_of(imported) <= layer_of(name), f"{name} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_modules_stay_where_they_belong(path: Path) -> None:
    homes = {
        "click": "cli.",
        "jinja2": "shellgen",
        "sqlite3": "engines.driver",
        "_sqlite3": "engines.driver",
        "psycopg2": "engines.pg_driver",
        "textual": "browser",
        "rich": "browser",
    }
    for node in ast.walk(ast.parse(path.read_text())):
        for imported in _absolute(node):
            home = homes.get(imported.split(".")[0])
            assert home is None or name_of(path).startswith(home), f"{name_of(path)} imports {imported}"


def _absolute(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


BELOW = [path for path in MODULES if layer_of(name_of(path)) < layer_of("dispatch") and not name_of(path).startswith("cli")]


@pytest.mark.parametrize("path", BELOW, ids=name_of)
def test_below_the_doors_nothing_reads_the_environment_or_prints(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        assert not (
            isinstance(node, ast.Attribute)
            and node.attr in {"environ", "getenv"}
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
        )


OURS = """__main__ address dispatch engines engines.connect engines.driver engines.sqlite errors hot model ops ops.kv paths render
resolve session"""
ALLOWED = {"prontodb", *(f"prontodb.{name}" for name in OURS.split()), "_sqlite3"}


def test_a_cold_get_imports_what_is_on_the_list(home: Home) -> None:
    home.run("set", "a.b.c", "v")
    script = f"import sys; bare = set(sys.modules); sys.argv = ['prontodb', 'get', 'a.b.c']; import os; os._exit = sys.exit\n{CHECK}"
    done = subprocess.run([sys.executable, "-c", script], env=home.env, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("v"), done.stderr
    assert set(done.stdout[1:].split()) <= ALLOWED


CHECK = """
from prontodb.__main__ import main
try:
    main()
except SystemExit:
    print(*(set(sys.modules) - bare))
"""


def test_the_version_does_not_cost_importlib_metadata(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", COMMAND, "--version"], env=home.env, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"prontodb {prontodb.__version__}\n"
    assert "importlib.metadata" not in done.stderr


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name
            positional = [arg for arg in node.args.posonlyargs + node.args.args if arg.arg not in {"self", "cls"}]
            assert len(positional) <= 5 or name_of(path).startswith("cli"), node.name


def error_classes() -> list[type[errors.ProntoError]]:
    """Every error there is, wherever it is defined."""
    for path in MODULES:
        if name_of(path) != "__main__":
            importlib.import_module(f"prontodb.{name_of(path)}".removesuffix(".__init__"))
    found = [errors.ProntoError]
    for kind in found:
        found += kind.__subclasses__()
    return found


def test_every_error_has_a_published_status_and_is_drawn_in_the_tree() -> None:
    for kind in error_classes():
        assert kind.code in {1, 2, 3, 4, 5, 6, 64, 65, 126, 127}
        assert kind.__name__ in (errors.__doc__ or "") or kind.__name__ == "NeedsWriter"


def test_every_verb_has_help_with_an_example(home: Home) -> None:
    verbs = [(verb,) for verb in VERBS] + [(group, verb) for group, rows in GROUPS.items() for verb in rows]
    verbs += [("admin", "postgres", verb) for verb in POSTGRES_VERBS]
    for words in verbs:
        asked = home.call("help", *words)
        assert (asked.status, asked.err) == (0, "")
        assert asked.out == home.call(*words, "--help").out == home.call(*words, "-h").out
        assert b"Example:" in asked.out or words[-1] in GROUPS


def test_help_topics_name_every_setting_and_every_status(home: Home) -> None:
    settings = home.call("help", "settings").out.decode()
    assert all(name in settings for name in SETTINGS)
    codes = home.call("help", "exit-codes").out.decode()
    assert all(f" {kind.code}  " in codes for kind in error_classes())
    assert home.call("help", "nonsense").status == 64
