"""Settings: `PRONTO_NAME` in the environment, else `name` in `$XDG_CONFIG_HOME/prontodb/config.toml`, else the default."""

from .errors import ProntoError
from .paths import config_home
from .tomlfile import InvalidSetting, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _lifetime(text: str) -> float:
    if text.isascii() and text.isdigit() and len(text) < 10:
        # Sure to be below the longest lifetime; the usual case spares the module.
        return int(text)
    from . import durations

    return durations.parse(text)


def _status(text: str) -> float:
    return _between(int(text), 255)


def _milliseconds(text: str) -> float:
    return _between(int(text), 3_600_000) / 1000


def _seconds(text: str) -> float:
    return _between(float(text), 3_600)


def _switch(text: str) -> float:
    return {"true": 1, "1": 1, "yes": 1, "on": 1, "false": 0, "0": 0, "no": 0, "off": 0}[text.lower()]


def _count(text: str) -> float:
    return _between(int(text), 10_000, 1)


def _bytes(text: str) -> float:
    unit = _UNITS.get(text[-1:].lower(), 1)
    return _between(int(text[:-1] if unit > 1 else text) * unit, 1 << 50)


_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _between(number: float, high: int, low: int = 0) -> float:
    if not low <= number <= high:
        raise ValueError(f"from {low} to {high}")
    return number


class Setting:
    """How one setting is read: `wanted` tells a person what it takes."""

    __slots__ = ("default", "read", "wanted")

    def __init__(self, read: "Callable[[str], float]", default: str, wanted: str) -> None:
        self.read = read
        self.default = default
        self.wanted = wanted


SETTINGS = {
    "pipe_ttl": Setting(_lifetime, "900", "how long rescued content is kept: seconds or 15m, 1h, 7d; 0 keeps it until it is copied"),
    "rescue_exit": Setting(_status, "4", "the exit status of a call whose content was rescued: 0 to 255"),
    "hints": Setting(_switch, "true", "whether to offer a likely address or command: true or false"),
    "stdin_wait": Setting(_milliseconds, "200", "milliseconds to wait for a pipe beside a value with an invalid address"),
    "history_ttl": Setting(_lifetime, "86400", "how long replaced and deleted values are kept: seconds or 15m, 1h, 7d; 0 keeps none"),
    "history_count": Setting(_count, "100", "how many earlier values of a key are kept: 1 to 10000"),
    "history_bytes": Setting(_bytes, "256m", "how many bytes of them a meta keeps in a database: bytes, or 64k, 256m, 2g"),
    "busy_timeout": Setting(_seconds, "5", "seconds to wait for a database that another process holds, or for a server"),
}


class Feature:
    """An optional part: what it is, and the modules of others that it needs."""

    __slots__ = ("modules", "summary")

    def __init__(self, summary: str, *modules: str) -> None:
        self.summary = summary
        self.modules = modules


FEATURES = {
    "streaming": Feature("token streams: the verbs stream and xstream, and hints on the format"),
    "browse": Feature("a picker at the terminal: the verb browse", "textual"),
}
"""Those there are, and what each is. All are on unless `PRONTO_FEATURES` or the settings file says otherwise."""


class Settings:
    """The settings of one call; the file is read once, when the environment does not answer."""

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.environ = environ
        self._file: dict[str, str] | None = None
        self._features: dict[str, bool] = {}

    def number(self, name: str) -> float:
        """The value of a setting; a switch is 1 or 0, times are in seconds. Raises `InvalidSetting`."""
        text, source = self.explained(name)
        where = f"PRONTO_{name.upper()}" if source == "environment" else f"{name} in {self.path}"
        return _read(SETTINGS[name], text, where)

    def explained(self, name: str) -> tuple[str, str]:
        """The text of a setting and where it comes from: `environment`, `file` or `default`."""
        if text := self.environ.get(f"PRONTO_{name.upper()}", ""):
            return text, "environment"
        text = self._from_file().get(name, "")
        return (text, "file") if text else (SETTINGS[name].default, "default")

    def lenient(self, name: str) -> float:
        """The same where content is at stake: a setting that cannot be read must not stop a rescue."""
        try:
            return self.number(name)
        except ProntoError:
            return SETTINGS[name].read(SETTINGS[name].default)

    @property
    def path(self) -> str:
        """The settings file."""
        return f"{config_home(self.environ)}/config.toml"

    def _from_file(self) -> dict[str, str]:
        if self._file is None:
            table = load(self.path)
            self._features = _switches(table.pop("features", {}), self.path)
            self._file = _checked(table, self.path)
        return self._file

    def features(self) -> dict[str, bool]:
        """The switches of optional parts that the file has. Raises `InvalidSetting`."""
        self._from_file()
        return self._features


def _read(setting: Setting, text: str, where: str) -> float:
    try:
        return setting.read(text)
    except (ValueError, KeyError, ProntoError) as error:
        raise InvalidSetting(f"Invalid setting {where}: '{text}'", cure=f"it takes {setting.wanted}") from error


def _switches(table: object, path: str) -> dict[str, bool]:
    if isinstance(table, dict) and all(name in FEATURES and isinstance(value, bool) for name, value in table.items()):
        return table
    raise InvalidSetting(f"Invalid [features] in {path}", cure=f"it takes true or false for each of: {', '.join(FEATURES)}")


def _checked(table: dict[str, object], path: str) -> dict[str, str]:
    for name, value in table.items():
        if name not in SETTINGS or not isinstance(value, (str, int, float)):
            raise InvalidSetting(f"Unknown setting '{name}' in {path}", cure=f"known are {', '.join(sorted(SETTINGS))}")
    return {name: str(value).lower() for name, value in table.items()}
