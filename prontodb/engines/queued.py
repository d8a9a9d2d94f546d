"""How the items of a queue are named: `QUEUE/0000000000000017`, in the order in which they were pushed, and the lease of one of them."""

from ..address import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DIGITS = 16
LEASE = "@lease"


def item(queue: str, number: int) -> str:
    """The name of an item."""
    return f"{queue}/{number:0{DIGITS}}"


def lease(item: Address) -> Address:
    """Where the lease of an item stands, if it has one."""
    return Address(item.project, item.namespace, item.name + LEASE)


def number(queue: str, name: str) -> int:
    """The number of an item; 0 where the name is that of something else."""
    digits = name[len(queue) + 1 :]
    right = len(digits) == DIGITS and digits.isascii() and digits.isdigit() and name.startswith(f"{queue}/")
    return int(digits) if right else 0


def span(queue: str) -> tuple[str, str]:
    """Bounds of names, the second beyond them, between which all items stand, and what belongs to them."""
    return f"{queue}/0", f"{queue}/:"


def free(queue: str, names: "Iterable[str]") -> str:
    """The first item that has no lease; "" where there is none. `names` are those of `span` that live, in their order.

    In that order a lease comes after its item, and before the next: one scan by the key does, however a planner would join the two.
    """
    found = ""
    for name in names:
        if found and not name.startswith(found):
            return found
        if number(queue, name):
            found = name
        elif name == found + LEASE:
            found = ""
    return found
