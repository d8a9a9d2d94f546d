"""The environment variables that ProntoDB looks at: what a shell has to send to its helper, which has no environment of its own."""

from .resolve import PINS, REFUSED, VARIABLES
from .urls import VARIABLES as POSTGRES

ALWAYS = ("HOME", "TERM")
"""Sent whenever they are set: nobody keeps these from programs."""
EXPORTED = (
    *VARIABLES.values(),
    *(f"PRONTO_FORCE_{pin.upper()}" for pin in PINS),
    REFUSED,
    "PRONTO_SECURITY",
    "PANTHEON_SECURITY_MODE",
    "PRONTO_ACTOR",
    "PRONTO_BUSY_TIMEOUT",
    "PRONTO_HISTORY_TTL",
    "PRONTO_HISTORY_COUNT",
    "PRONTO_HISTORY_BYTES",
    "PRONTO_FEATURES",
    "PRONTO_LEASE",
    "NO_COLOR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    *POSTGRES,
)
"""Sent where they are exported: a variable of the shell's own is none of the environment."""


EMPTY = (*(f"PRONTO_FORCE_{pin.upper()}" for pin in PINS), REFUSED)
"""Of these, the ones that are something else when they are empty than when they are not set."""


class Sent(dict[str, str]):
    """An environment of which the rest is not known. `unknown` is raised for whatever else is looked for: a call that needs it is the
    caller's own.
    """

    __slots__ = ("unknown",)

    def __init__(self, pairs: "dict[str, str]", unknown: type[BaseException]) -> None:
        super().__init__(pairs)
        self.unknown = unknown

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The value, if it was sent."""
        if name not in KNOWN:
            raise self.unknown
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        if name not in KNOWN:
            raise self.unknown
        return super().__contains__(name)


KNOWN = frozenset({*ALWAYS, *EXPORTED})
