"""What is to be generated, as data: the same data make the same text, and stand in its stamp, so that a stale file can be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..session import Session

    Spec = dict[str, Any]

from .. import __version__, program
from ..environment import ALWAYS, EMPTY, EXPORTED
from ..resolve import NO_META, PINS
from ..shellgen import STAMP, Templates

VARIABLES = {pin: f"PRONTO_FORCE_{pin.upper()}" for pin in PINS}
MARKER = "({}) "
"""What the prompt of a pinned shell begins with."""


def text(session: Session, spec: Spec) -> str:
    """The generated text. `spec["make"]` is `init`, `wrapper`, `unload` or `pin`."""
    templates, stamp = Templates(session.environ), json.dumps({"prontodb": __version__, **spec})
    common = {"program": program.command(session.program, session.cwd), "stamp": stamp, "shell": spec["shell"]}
    values = VALUES[spec["make"]](spec)
    if spec["make"] == "wrapper":
        return templates.wrapper(spec["template"], {**common, **values})
    return templates.render(spec["make"], {**common, **values})


def stamped(line: str) -> Spec | None:
    """The spec that a generated file's first line holds, with the version under `prontodb`; None where it holds none."""
    if not line.startswith(STAMP):
        return None
    try:
        found = json.loads(json.loads('"' + line.removeprefix(STAMP).strip().replace('"', '\\"') + '"'))
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("make") in VALUES else None


def _init(_: Spec) -> Mapping[str, object]:
    from .completions import completions

    return {**completions(), "always": ALWAYS, "exported": EXPORTED, "pins": EMPTY}


def _wrapper(spec: Spec) -> Mapping[str, object]:
    pins: dict[str, str] = spec["pins"]
    defaults = {f"PRONTO_{name.upper()}": value for name, value in spec["defaults"].items()}
    return {
        "name": spec["name"],
        "kin": spec["kin"],
        "label": ", ".join(f"no {pin}" if value == NO_META else f"{pin} {value}" for pin, value in pins.items()),
        "pins": [{"variable": VARIABLES[pin], "value": value} for pin, value in pins.items()],
        "others": [variable for pin, variable in VARIABLES.items() if pin not in pins],
        "variables": list(VARIABLES.values()),
        "defaults": [{"variable": variable, "value": value} for variable, value in defaults.items()],
        "assignments": [
            f"{variable}={value}" for variable, value in [*((VARIABLES[pin], value) for pin, value in pins.items()), *defaults.items()]
        ],
    }


def _unload(spec: Spec) -> Mapping[str, object]:
    return {"names": spec["names"], "functions": spec["functions"]}


def _pin(spec: Spec) -> Mapping[str, object]:
    return {"profile": spec["profile"], "marker": MARKER.format(spec["profile"])}


VALUES: dict[str, Callable[[Spec], Mapping[str, object]]] = {"init": _init, "wrapper": _wrapper, "unload": _unload, "pin": _pin}
