"""Where files lie: the XDG folders, from an environment that is passed in (DESIGN §5, §6)."""

from .errors import InvalidDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environ = Mapping[str, str]


SYSTEM_PROFILES = "/etc/prontodb/profiles.toml"
"""Root's file of profiles."""


def data_home(environ: "Environ") -> str:
    """The folder of databases."""
    return _xdg(environ, "XDG_DATA_HOME", ".local/share")


def state_home(environ: "Environ") -> str:
    """The folder of what must survive, but is no database: the spool of rescued content."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state")


def config_home(environ: "Environ") -> str:
    """The folder of settings."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config")


def database_file(target: str, environ: "Environ", cwd: str, user: str = "default") -> str:
    """The SQLite file that a database name, a path (absolute or `./`) or a `sqlite://` URL stands for.

    A name is a file of that user's own: names hold no `_`, so no user and no name can be made to meet.
    """
    if target.startswith("sqlite://"):
        target = target[len("sqlite://") :]
    if target.startswith("/"):
        return _path(target, target)
    if target.startswith("./"):
        if not cwd:
            raise InvalidDatabase(f"Invalid database '{target}': the working directory is gone", cure="change to another one")
        return _path(f"{cwd}/{target[2:]}", target)
    own = "" if user == "default" else f"_{user}"
    return f"{data_home(environ)}/{_name(target)}{own}.db"


def resource(name: str) -> str:
    """The folder `templates` or `shell`: inside the package where it was installed, beside it in a checkout."""
    from os.path import dirname, isdir, join

    package = dirname(__file__)
    installed = join(package, name)
    return installed if isdir(installed) else join(dirname(package), name)


def _xdg(environ: "Environ", variable: str, fallback: str) -> str:
    """As the XDG base directory specification has it: a relative value is ignored."""
    folder = environ.get(variable, "")
    base = folder if folder.startswith("/") else f"{_home(environ)}/{fallback}"
    return f"{base.rstrip('/')}/prontodb"


def _home(environ: "Environ") -> str:
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return home.rstrip("/")
    if home:
        from .tomlfile import InvalidSetting

        raise InvalidSetting(f"HOME is not an absolute path: '{home}'", cure="set HOME, or XDG_DATA_HOME and XDG_STATE_HOME")
    import os
    import pwd

    return pwd.getpwuid(os.getuid()).pw_dir


def _path(path: str, shown: str) -> str:
    if "\0" in path or path.endswith("/") or "/../" in f"{path}/":
        raise InvalidDatabase(
            f"Invalid database '{shown}': a path to a file, without '..' in it, is wanted",
            cure="--database /absolute/path/NAME.db",
        )
    return path


def _name(target: str) -> str:
    bare = target.replace("-", "")
    if target[:1].isalpha() and target.isascii() and bare.isalnum():
        return target
    raise InvalidDatabase(
        f"Invalid database '{target}': a name is a letter, then letters, digits and '-'; a path starts with / or ./",
        cure="--database NAME, --database ./FILE.db or --database /path/FILE.db",
    )
