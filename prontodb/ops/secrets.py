"""Which entries are secrets, and where their values may be shown: on a terminal, or where somebody says `--reveal`.

A secret is what lies in a namespace `sec`, or was stored as one: then its note begins with `model.SECRET`, which goes along with copies
and exports and stays when the value is overwritten.
"""

from ..errors import Denied
from ..model import SECRETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..address import Address
    from ..model import Entry
    from ..session import Session
    from . import Store


class Secret(Denied):
    """A secret was to be printed where others might read it."""

    slug = "secret"


def is_secret(address: "Address", entry: "Entry | None") -> bool:
    """Whether the value of an entry is one; None: of an entry that is still to be made."""
    return address.namespace == SECRETS or (entry is not None and entry.marked)


def check(session: "Session", address: "Address", entry: "Entry | None") -> None:
    """Raises `Secret` for one, unless standard output is a terminal."""
    if not session.stdout.terminal and is_secret(address, entry):
        raise refusal(address)


def standing(store: "Store", address: "Address") -> "Entry | None":
    """What lives at an address."""
    found = store.engine.get(address, store.now)
    return found.entry if found else None


def refusal(address: "Address") -> Secret:
    """The error for a secret that is not shown."""
    return Secret(f"{address} is a secret, and standard output is no terminal", cure="--reveal, where you mean it", address=str(address))
