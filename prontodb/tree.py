"""Entries as a tree of folders: `PROJECT/NAMESPACE/NAME`, a file each; and what a file cannot say in `.prontodb.ndjson`.

In the name of a file `/` is `%2F` and `%` is `%25`; a name that is too long for the file system goes on in the folder `…%-`, so that
any name of an entry can be told from any other. A tree is built under another name, and gets its own when it is whole.
"""

import json
import os

from .errors import ProntoError, UsageError
from .files import make_folders, sync_folder, write_all
from .interchange import Item, MalformedImport, lines, spelled
from .model import PIECE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIDE = ".prontodb.ndjson"
PART = 200
"""Bytes of a name that one folder takes."""
ON = "%-"


def write(folder: str, items: "Iterable[Item]") -> int:
    """Makes the tree in `folder`, which must not exist; how many files. Raises `OSError`."""
    draft = f"{os.path.dirname(folder)}/.{os.path.basename(folder)}.{os.getpid()}-{os.urandom(4).hex()}.new"
    os.mkdir(draft, 0o700)
    try:
        count = 0
        side: list[bytes] = []
        for item in items:
            _put(f"{draft}/{file_name(item)}", item.pieces)
            count += 1
            if item.expires is not None or item.secret:
                marked = {"secret": True} if item.secret else {}
                side.append(json.dumps({"address": str(item.address), "expires": item.expires, **marked}).encode() + b"\n")
        if side:
            _put(f"{draft}/{SIDE}", iter(side))
        os.rename(draft, folder)
        sync_folder(os.path.dirname(folder))
    except BaseException:
        from shutil import rmtree

        rmtree(draft, ignore_errors=True)
        raise
    return count


def file_name(item: Item) -> str:
    """The path of an entry's file within the tree."""
    coded = item.address.name.replace("%", "%25").replace("/", "%2F").encode()
    parts = []
    while len(coded) > PART:
        # Not within a character, nor within an escape.
        cut = PART
        while coded[cut] & 0xC0 == 0x80 or b"%" in coded[cut - 2 : cut]:
            cut -= 1
        parts.append(coded[:cut].decode() + ON)
        coded = coded[cut:]
    return "/".join((item.address.project, item.address.namespace, *parts, coded.decode()))


def read(folder: str) -> "Iterator[Item]":
    """The entries of a tree, in the order of their names. Raises `MalformedImport`, and `UsageError` for a folder that cannot be read."""
    known = dict(_known(f"{folder}/{SIDE}"))
    for path in _files(folder):
        inner = os.path.relpath(path, folder)
        if inner == SIDE:
            continue
        if os.path.islink(path) or not os.path.isfile(path):
            raise MalformedImport(0, f"{path} is no file")
        project, namespace, *parts = inner.split("/") if inner.count("/") >= 2 else ("", "", inner)
        if any(not part.endswith(ON) for part in parts[:-1]) or not project:
            raise MalformedImport(0, f"{path} is not PROJECT/NAMESPACE/NAME")
        name = "".join(part.removesuffix(ON) for part in parts).replace("%2F", "/").replace("%25", "%")
        try:
            address = spelled(f"{project}.{namespace}.{name}", 0)
        except MalformedImport as error:
            raise MalformedImport(0, f"{path}: {error.message.partition(': ')[2]}") from error
        expires, secret = known.get(str(address), (None, False))
        item = Item(address, expires, _pieces(path), os.stat(path).st_size)
        item.secret = secret
        yield item


def _known(path: str) -> "Iterator[tuple[str, tuple[int | None, bool]]]":
    """By address, when an entry ends and whether it is a secret, of those of which there is something to say."""
    try:
        with open(path, "rb") as file:
            told = [json.loads(line) for line in lines(iter(lambda: file.read(PIECE), b""))]
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise MalformedImport(0, f"{path}: {error}") from error
    for record in told:
        expires, secret = (record.get("expires"), record.get("secret", False)) if isinstance(record, dict) else ("", False)
        if not (type(expires) is int or (expires is None and secret)) or not isinstance(secret, bool):
            raise MalformedImport(0, f"{path}: objects with address and expires are wanted, and with secret where it is one")
        yield str(record.get("address")), (expires, secret)


def _files(folder: str) -> "Iterator[str]":
    def failed(error: OSError) -> None:
        raise UsageError(f"Cannot read {error.filename}: {error.strerror}", cure="name a folder that can be read")

    for at, folders, names in os.walk(folder, onerror=failed):
        folders.sort()
        for name in sorted([*names, *(name for name in folders if os.path.islink(f"{at}/{name}"))]):
            yield f"{at}/{name}"


def _put(path: str, pieces: "Iterator[bytes]") -> None:
    make_folders(os.path.dirname(path))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for piece in pieces:
            write_all(fd, piece)
        os.fsync(fd)
    finally:
        os.close(fd)


def _pieces(path: str) -> "Iterator[bytes]":
    try:
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        raise ProntoError(f"Cannot read {path}: {error.strerror}") from error
