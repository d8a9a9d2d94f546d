"""How the items of a queue are named: `QUEUE/0000000000000017`, in the order in which they were pushed, and the lease of one of them."""

from ..address import Address

DIGITS = 16
LEASE = "@lease"
_FIRST = "0" * DIGITS


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
    return f"{queue}/{_FIRST[:1]}", f"{queue}/:"
