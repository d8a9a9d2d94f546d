"""Small files and folders of our own: made private, replaced whole, durable."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def make_folders(folder: str) -> None:
    """Makes a folder and those above it, each 0700 whatever the umask. Raises `OSError`."""
    if os.path.isdir(folder):
        return
    make_folders(os.path.dirname(folder))
    try:
        os.mkdir(folder, 0o700)
        os.chmod(folder, 0o700)
    except FileExistsError:
        # Another process was quicker.
        pass


def write_all(fd: int, data: bytes) -> None:
    """Writes all of it. Raises `OSError`."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def replace_file(path: str, data: bytes) -> None:
    """Replaces a small file whole, 0600 and durable: a reader sees the old one or the new one. Raises `OSError`."""
    folder, name = os.path.split(path)
    draft = f"{folder}/.{name}.{os.getpid()}-{os.urandom(4).hex()}.new"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        write_all(fd, data)
        os.fsync(fd)
        os.replace(draft, path)
        sync_folder(folder)
    finally:
        os.close(fd)
        unlink(draft)


def replace_from(path: str, parts: "Iterable[bytes]") -> None:
    """The same from parts of any number, for a file of the user's: one that is there keeps its mode. Raises `OSError`."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    draft = f"{folder}/.{name[:100]}.{os.getpid()}-{os.urandom(4).hex()}.new"
    mode = os.stat(path).st_mode & 0o777 if os.path.isfile(path) else 0o600
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device: there is nothing to replace.
        with open(path, "wb", buffering=0) as file:
            for part in parts:
                write_all(file.fileno(), part)
        return
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, mode)
        for part in parts:
            write_all(fd, part)
        os.fsync(fd)
        os.replace(draft, path)
        sync_folder(folder)
    finally:
        os.close(fd)
        unlink(draft)


def unlink(path: str) -> None:
    """Removes a file that may be gone already."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def sync_folder(folder: str) -> None:
    """Makes names in a folder durable, where the file system can."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        # Some file systems (FUSE, a few network ones) cannot sync a folder; the file itself is synced.
        pass
    finally:
        os.close(fd)
