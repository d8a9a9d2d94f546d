"""ProntoDB: a namespaced key-value store whose first client is the shell.

In Python: `prontodb.open()` gives a `Database`; see docs/reference/python.md. What is named in `__all__` is imported when it is asked
for: a cold command pays nothing for it.
"""

__version__ = "0.1.0"
__all__ = [
    "Busy",
    "Change",
    "ClosedDatabase",
    "Database",
    "Denied",
    "Difference",
    "Entry",
    "Event",
    "InvalidAddress",
    "Item",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Miss",
    "PreconditionFailed",
    "ProntoError",
    "Rescued",
    "RescuedContent",
    "StorageError",
    "TimedOut",
    "Undone",
    "UsageError",
    "Value",
    "Watch",
    "open",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api import (
        Busy,
        Change,
        ClosedDatabase,
        Database,
        Denied,
        Difference,
        Entry,
        Event,
        InvalidAddress,
        Item,
        Lease,
        LeaseHeld,
        LeaseLost,
        Miss,
        PreconditionFailed,
        ProntoError,
        Rescued,
        RescuedContent,
        StorageError,
        TimedOut,
        Undone,
        UsageError,
        Value,
        Watch,
        open,  # noqa: A004 - it is meant to be written `prontodb.open`
    )


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'prontodb' has no attribute '{name}'")
    from importlib import import_module

    found: object = getattr(import_module(".api", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
