"""Backup archives: a tar whose last members, a manifest and its checksum, vouch for all the others.

databases/NAME.db          a database as of one moment, as one file
databases/NAME.db-bulk/N   its large values
cursors/USER/NAME.json     cursors, and `.active`
users/USER.json            passwords, hashed
profiles.toml              the profiles
manifest.json              format, version, time, users, databases; name, size and SHA-256 of every member
manifest.sha256            of the manifest
"""

import hashlib
import json
import os
import re
import tarfile
from io import BytesIO

from .. import __version__
from ..errors import ProntoError
from ..files import make_folders, sync_folder, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

FORMAT = 1
PIECE = 1 << 20
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
_USER = r"[A-Za-z][A-Za-z0-9]{0,31}"
_MEMBER = re.compile(
    rf"(?:databases/[0-9]{{1,4}}-[^/\x00]{{1,200}}\.db(?:-bulk/[0-9]{{1,18}})?|cursors/{_USER}/(?:[\w-]{{1,255}}\.json|\.active)|users/{_USER}\.json"
    rf"|profiles\.toml|{re.escape(MANIFEST)}|{re.escape(SEAL)})\Z"
)
"""What may be in an archive. No name leads out of the folder that it is unpacked into, and nothing but plain files is taken."""


class DamagedBackup(ProntoError):
    """An archive that is cut, changed, not of ProntoDB's making or of a newer one's. Nothing was changed."""

    slug = "damaged-backup"


class Maker:
    """Writes an archive under a name that nobody takes for a good one; `finish` gives it that, once it was read back."""

    def __init__(self, folder: str, name: str) -> None:
        make_folders(folder)
        self._folder = folder
        self._name = name
        self.draft = f"{folder}/.{name}.{os.getpid()}-{os.urandom(4).hex()}.new"
        fd = os.open(self.draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.fchmod(fd, 0o600)
        self._file = os.fdopen(fd, "w+b")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `finish`
        self._members: list[dict[str, object]] = []

    def add(self, name: str, source: "IO[bytes]", size: int, mtime: int) -> None:
        """A member of `size` bytes. Raises `OSError`."""
        digest = _Digest(source)
        self._put(name, digest, size, mtime)
        self._members.append({"name": name, "size": size, "sha256": digest.hexdigest()})

    def finish(self, told: dict[str, object], mtime: int, *, exact: bool) -> str:
        """Seals, verifies and names it; the path. With `exact` a name that is taken is an error (`FileExistsError`), else gets a number."""
        manifest = json.dumps({"format": FORMAT, "prontodb": __version__, "created": mtime, **told, "members": self._members}, indent=1)
        for name, data in ((MANIFEST, manifest.encode()), (SEAL, hashlib.sha256(manifest.encode()).hexdigest().encode())):
            self._put(name, BytesIO(data), len(data), mtime)
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        verify(self.draft)
        return self._publish(exact=exact)

    def discard(self) -> None:
        """Closes it, and deletes what has no good name."""
        self._file.close()
        unlink(self.draft)

    def _put(self, name: str, source: "IO[bytes] | _Digest", size: int, mtime: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, mtime, 0o600
        self._tar.addfile(member, source)

    def _publish(self, *, exact: bool) -> str:
        stem = self._name.removesuffix(".tar")
        for number in range(1, 1000):
            path = f"{self._folder}/{self._name if number == 1 else f'{stem}-{number}.tar'}"
            try:
                os.link(self.draft, path)
            except FileExistsError:
                if exact:
                    raise
                continue
            sync_folder(self._folder)
            return path
        raise FileExistsError(17, "no free name", self._name)


class _Digest:
    """A file that is read once, and its checksum."""

    def __init__(self, file: "IO[bytes]") -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        data = self._file.read(size)
        self._sum.update(data)
        return data

    def hexdigest(self) -> str:
        """Of all that was read."""
        return self._sum.hexdigest()


def verify(path: str) -> dict[str, object]:
    """Reads an archive to its end; its manifest. Raises `DamagedBackup`."""
    return unpack(path, None)


def unpack(path: str, folder: "str | None") -> dict[str, object]:
    """Reads an archive to its end, into an empty folder if one is given; its manifest. Raises `DamagedBackup`.

    What is in the folder counts only when this has returned.
    """
    found: dict[str, tuple[int, str]] = {}
    texts: dict[str, bytes] = {}
    for member, file in _members(path):
        if member.name in found:
            raise _damaged(path, f"it holds {member.name!r} twice")
        target = f"{folder}/{member.name}" if folder and member.name not in (MANIFEST, SEAL) else None
        found[member.name] = _taken(path, member, file, target)
        if member.name in (MANIFEST, SEAL):
            file.seek(0)
            texts[member.name] = file.read()
    return _checked(path, found, texts)


def manifest(path: str) -> dict[str, object]:
    """An archive's manifest, without a look at the rest. Raises `DamagedBackup`."""
    try:
        texts = {member.name: file.read() for member, file in _members(path) if member.name in (MANIFEST, SEAL)}
    except tarfile.TarError as error:
        raise _damaged(path, f"cut off: {error}") from error
    return _sealed(path, texts)


def _members(path: str) -> "Iterator[tuple[tarfile.TarInfo, IO[bytes]]]":
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if not member.isreg() or not _MEMBER.match(member.name) or ".." in member.name.split("/"):
                    raise _damaged(path, f"it holds {member.name!r}, which no backup does")
                file = tar.extractfile(member)
                assert file
                yield member, file
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _damaged(path, f"no backup, or cut off: {error}") from error
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from error


def _taken(path: str, member: tarfile.TarInfo, file: "IO[bytes]", target: "str | None") -> tuple[int, str]:
    """Size and checksum of a member, copied to `target`."""
    digest, size = hashlib.sha256(), 0
    out = None
    if target:
        make_folders(os.path.dirname(target))
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while piece := file.read(PIECE):
            size += len(piece)
            digest.update(piece)
            if out is not None:
                _write(out, piece)
        if out is not None:
            os.fsync(out)
    except tarfile.TarError as error:
        raise _damaged(path, f"cut off: {error}") from error
    finally:
        if out is not None:
            os.close(out)
    if size != member.size:
        raise _damaged(path, f"{member.name} is cut off")
    return size, digest.hexdigest()


def _write(fd: int, piece: bytes) -> None:
    """Its own error, since an `OSError` would be taken for the archive's."""
    from ..files import write_all

    try:
        write_all(fd, piece)
    except OSError as error:
        raise ProntoError(f"Cannot unpack the backup: {error.strerror}", cure="free some space and run it again") from error


def _sealed(path: str, texts: dict[str, bytes]) -> dict[str, object]:
    if MANIFEST not in texts or SEAL not in texts:
        raise _damaged(path, "it has no manifest: no backup of ProntoDB's, or cut off")
    if hashlib.sha256(texts[MANIFEST]).hexdigest().encode() != texts[SEAL]:
        raise _damaged(path, "its manifest was changed")
    try:
        told = json.loads(texts[MANIFEST])
        newer = told["format"] > FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "its manifest makes no sense") from error
    if newer:
        raise DamagedBackup(f"Backup {path} was made by a newer ProntoDB ({told.get('prontodb')})", cure="upgrade prontodb")
    return dict(told)


def _checked(path: str, found: dict[str, tuple[int, str]], texts: dict[str, bytes]) -> dict[str, object]:
    told = _sealed(path, texts)
    try:
        promised = {member["name"]: (member["size"], member["sha256"]) for member in told["members"]}  # type: ignore[attr-defined]
    except (KeyError, TypeError) as error:
        raise _damaged(path, "its manifest makes no sense") from error
    for name in (MANIFEST, SEAL):
        found.pop(name)
    for name in {*promised, *found}:
        if promised.get(name) != found.get(name):
            raise _damaged(path, f"{name} is {'missing' if name not in found else 'not what was saved'}")
    return told


def _damaged(path: str, why: str) -> DamagedBackup:
    return DamagedBackup(f"Cannot use backup {path}: {why}", cure="prontodb backup --list shows others")
