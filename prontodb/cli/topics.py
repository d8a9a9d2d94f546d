"""Help that belongs to no single verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

from ..settings import FEATURES, SETTINGS
from .statuses import STATUSES

ADDRESSES = """\
Addresses

  project.namespace.key              work.notes.todo
  project.namespace.key__context     work.notes.todo__mobile

  A shorter one is completed: namespace.key takes the project, key takes project and namespace,
  from -p and -n, from PRONTO_PROJECT and PRONTO_NAMESPACE, else from `default`. Piped content
  needs them named by one of these; otherwise it is rescued, never stored where nobody looks.

  Project, namespace and context: a letter or digit, then letters, digits, _ and -.
  Key: letters, digits and _ - / @ + %. Each part at most 255 bytes.
  Listings take a place: project.namespace or project.namespace.prefix.
  --context prod,eu reads key__prod, else key__eu, else key; get, exists, mget, keys, scan, diff.
  --ns-delim C reads C between the parts instead of the dot."""

FORMATS = """\
Formats of listings

  (none)     name, tab, value; in a value \\n, \\t and \\\\ stand for newline, tab and backslash
  -0         name NUL value NUL
  --json     one array; `value` for text, `value_b64` for other bytes
  --ndjson   the same objects, one a line
  --stream   tokens, as prontodb stream reads them: meta:path=p.n; key="value"; with lifetimes
  --env      lines of a dotenv file
  --sh       assignments: eval "$(prontodb scan work.config --sh)"

  A secret has "secret": true for its value in JSON, and is left out of -0, --stream, --env and
  --sh (status 6), unless --reveal. In --env and --sh, `-` in a name becomes `_`. Names that mean something to a shell, such as
  PATH, are refused; --var-prefix APP_ gives them another one."""

STREAMS = """\
Token streams

  key=value; ns=notes; todo="buy milk; and bread"; other:key='one token elsewhere'; ns=global; last=1

  A token is [namespace:]key=value and ends with ; (the last may omit it). White space between
  tokens is free. Values with ; or newlines in them are quoted, with \" or '; within \" the escapes
  \\\" and \\\\ are undone. ns= switches the namespace, ns=global switches back, a prefix counts for
  one token. A namespace a.b is project and namespace, a is a namespace of the base project.

  meta:path=project.namespace     the base place (meta:p too)
  meta:project=P, meta:namespace=N (meta:ns)
  meta:ttl=15m                    the lifetime; none: for ever
  meta:secret=yes                 secrets from here on; no: ordinary values
  meta:delim=/                    what stands between project and namespace, instead of .
  sec:user=U; sec:pass=P          before the first entry: as user U, with their password

  Each directive holds for the tokens after it. prontodb stream stores all of a stream or none of
  it; what scan --stream prints, it reads back."""


def _exit_codes() -> str:
    lines = [f"{status:4}  {meaning}" for status, meaning in STATUSES.items()]
    return "\n".join(["Exit codes", "", *lines, "", "prontodb help errors tells which errors have each."])


def _errors() -> str:
    from . import errorpages

    return errorpages.text()


def _settings() -> str:
    lines = [f"  {name:13} PRONTO_{name.upper():13} {setting.default:6} {setting.wanted}" for name, setting in SETTINGS.items()]
    switches = [
        f"  [features]    PRONTO_FEATURES      {name} = true or false in the file; -{name} or {name} in the variable" for name in FEATURES
    ]
    return "\n".join(["Settings: in the environment, or in $XDG_CONFIG_HOME/prontodb/config.toml", "", *lines, *switches])


TOPICS: dict[str, Callable[[], str]] = {
    "addresses": lambda: ADDRESSES,
    "formats": lambda: FORMATS,
    "streams": lambda: STREAMS,
    "errors": _errors,
    "exit-codes": _exit_codes,
    "settings": _settings,
}
