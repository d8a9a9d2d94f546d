"""Optional parts of ProntoDB, each of which can be switched off (DESIGN §8)."""

from .errors import UsageError
from .settings import FEATURES, Settings
from .tomlfile import InvalidSetting

VARIABLE = "PRONTO_FEATURES"


class FeatureOff(UsageError):
    """The verb belongs to an optional part that is switched off."""

    slug = "feature-off"


def explained(settings: Settings, name: str) -> tuple[bool, str]:
    """Whether a feature is on, and where that comes from: `environment`, `file` or `default`. Raises `InvalidSetting`."""
    asked = _asked(settings.environ.get(VARIABLE, ""))
    if name in asked:
        return asked[name], "environment"
    switches = settings.features()
    return (switches[name], "file") if name in switches else (True, "default")


def enabled(settings: Settings, name: str) -> bool:
    """Whether a feature is on. Raises `InvalidSetting`."""
    return explained(settings, name)[0]


def require(settings: Settings, name: str) -> None:
    """Raises `FeatureOff` unless the feature is on."""
    on, source = explained(settings, name)
    if not on:
        cure = (
            f"{VARIABLE}={name}" if source == "environment" else f"{VARIABLE}={name}, or {name} = true below [features] in {settings.path}"
        )
        raise FeatureOff(f"The feature '{name}' is switched off", cure=cure)


def missing(name: str) -> list[str]:
    """The modules that a feature needs and that are not installed."""
    from importlib.util import find_spec

    return [module for module in FEATURES[name].modules if find_spec(module) is None]


def _asked(text: str) -> dict[str, bool]:
    """`-streaming` switches off, `streaming` or `+streaming` on; several are separated by commas or spaces, and the last one counts."""
    asked = {}
    for word in text.replace(",", " ").split():
        name = word.lstrip("+-")
        if name not in FEATURES or len(word) - len(name) > 1:
            raise InvalidSetting(
                f"Invalid setting {VARIABLE}: '{word}'", cure=f"it takes names with - or + in front: {', '.join(FEATURES)}"
            )
        asked[name] = not word.startswith("-")
    return asked
