"""Whether a file lies on a network file system, where SQLite's WAL does not work: its index is shared memory of one machine."""

import os

NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ncpfs",
        "afs",
        "9p",
        "virtiofs",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "gfs2",
        "ocfs2",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.rclone",
    }
)
MOUNTINFO = "/proc/self/mountinfo"


def on_network(path: str) -> bool:
    """Whether the file, or the nearest folder above it that exists, is on a network file system."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    device = os.stat(path).st_dev
    # A major number other than 0 is a real block device: no need to read and parse the table of mounts.
    return os.major(device) == 0 and kind(f"{os.major(device)}:{os.minor(device)}", _table()) in NETWORK


def kind(device: str, table: str) -> str:
    """The file system type of `major:minor` in the text of mountinfo (proc(5)); "" where it is not there."""
    for line in table.splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split(" ")[2:3] == [device]:
            return rest.split(" ", 1)[0]
    return ""


def _table() -> str:
    try:
        with open(MOUNTINFO, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
