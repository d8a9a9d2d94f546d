"""TOML files: settings and profiles."""

import sys

from .errors import UsageError


class InvalidSetting(UsageError):
    """A setting with an unknown name or a value that it cannot have."""

    slug = "invalid-setting"


def load(path: str) -> dict[str, object]:
    """What a file holds; {} where there is none. Raises `InvalidSetting`."""
    try:
        with open(path, "rb") as file:
            return _parse(file.read())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidSetting(f"Cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidSetting(f"Cannot read {path}: {error}", cure="mend the file, or move it away") from error


def _parse(data: bytes) -> dict[str, object]:
    if sys.version_info >= (3, 11):
        import tomllib as toml
    else:
        import tomli as toml
    return toml.loads(data.decode())
