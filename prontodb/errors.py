"""What can go wrong, and the exit status of each (DESIGN §4; published, stable).

    ProntoError                   1   error
    ├── StorageError              1   storage-error
    │   ├── DamagedDatabase       1   damaged
    │   ├── ForeignDatabase       1   not-a-prontodb-database
    │   ├── NewerDatabase         1   newer-schema
    │   ├── ReadOnlyDatabase      1   read-only
    │   ├── StorageFull           1   storage-full
    │   ├── SchemaMissing         1   schema-missing
    │   ├── NotDurable            1   not-durable
    │   └── Busy                  5   busy
    │       └── Unconfirmed       5   unconfirmed
    ├── OutputError               1   output-error
    ├── Unrepresentable           1   unrepresentable
    ├── ContentLost               1   content-lost
    ├── DamagedBackup             1   damaged-backup
    ├── InvalidTemplate           1   invalid-template
    ├── MalformedImport           1   malformed-import
    ├── NoVariable                1   no-variable
    ├── Unwritable                1   unwritable
    ├── TimedOut                  5   timeout
    ├── Miss                      2   no-such-key
    ├── PreconditionFailed        3   precondition-failed
    ├── LeaseHeld                 3   lease-held
    ├── LeaseLost                 3   lease-lost
    ├── Rescued                   4   (the slug of what went wrong)
    ├── Interrupted               4   interrupted
    ├── Denied                    6   denied
    │   └── Secret                6   secret
    ├── HoldsNul                 65   nul
    ├── NotRun                  126   not-run
    ├── NoProgram               127   no-such-program
    └── UsageError               64   usage
        ├── InvalidAddress       64   invalid-address
        ├── InvalidDuration      64   invalid-duration
        ├── InvalidDatabase      64   invalid-database
        ├── InvalidSetting       64   invalid-setting
        ├── ClosedDatabase       64   closed-database
        ├── FeatureOff           64   feature-off
        ├── MalformedCondition   64   malformed-condition
        ├── MalformedStream      64   malformed-stream
        └── NoContent            64   no-content

`dispatch` is the only place where one of these becomes an exit status. Those that a cold `get` has no use for are defined where they
arise (a class costs a start 10 µs): the kinds of `StorageError`, `PreconditionFailed` and `LeaseLost` in `engines.failures` and
`engines.pg_failures`, the others in `spool`, `intake`, `formats`, `ops.archive`, `interchange`, `durations`, `tomlfile`, `features`,
`shellgen`, `salvage`, `conditions`, `ops.streamed`, `ops.leases`, `ops.patience`, `ops.secrets`, `ops.variables`, `children`, `cli.many`
and `api.seats`.
"""


class ProntoError(Exception):
    """Anything ProntoDB says no to.

    `message` names the address and the reason in one line; `cure` is the command or the step that mends it, or "".
    """

    code = 1
    slug = "error"
    rescued = ""
    """Where the content is that was piped to the call, if it was; see `salvage.Rescued`."""
    hints: "tuple[str, ...]" = ()
    """Further lines for a person."""

    def __init__(self, message: str, *, cure: str = "", address: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.address = address

    @property
    def headline(self) -> str:
        """The message in its shortest form, for a line that has more to say."""
        return self.message


class StorageError(ProntoError):
    """The database could not do it; content for it goes to the spool, not back to the same database."""

    slug = "storage-error"


class Busy(StorageError):
    """Another process held the database, or its server was not to be had, for longer than `busy_timeout`."""

    code = 5
    slug = "busy"


class OutputError(ProntoError):
    """Standard output could not be written (a full disk; a closed pipe is not an error)."""

    slug = "output-error"


class Miss(ProntoError):
    """No such key, or it has expired."""

    code = 2
    slug = "no-such-key"


class Denied(ProntoError):
    """A pin, a profile or an owner forbids it."""

    code = 6
    slug = "denied"


class UsageError(ProntoError):
    """The command line is wrong. 64, because click's own 2 would read as a miss."""

    code = 64
    slug = "usage"


class InvalidAddress(UsageError):
    """Not an address, or not one that is spelled out where it has to be (DESIGN §3)."""

    slug = "invalid-address"

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"Invalid address '{text}': {why}", cure="prontodb help addresses tells what one looks like", address=text)

    @property
    def headline(self) -> str:
        """Without the reason: a rescue says this much, and what the content is kept as."""
        return f"Invalid address '{self.address}'"


class InvalidDatabase(UsageError):
    """Neither a database name, a path nor a known URL (DESIGN §5)."""

    slug = "invalid-database"


class NoContent(UsageError):
    """`set` was given no value, or standard input held nothing at all; `stream` got no token."""

    slug = "no-content"
