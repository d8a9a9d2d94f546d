"""Shell code from templates: the one user of Jinja2.

Three guards, each sufficient for the common mistake: a value that did not pass a filter of `shellwords` is refused when the text is
made, a name that the template misspells is an error, and a placeholder within quotes is refused before anything is made. Templates of
the user's own go through the same, in a sandbox.
"""

import os
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from . import __version__, shellwords
from .errors import ProntoError, UsageError
from .paths import config_home, resource
from .templatelint import FishLint, Lint

BUILT_IN = "wrappers"
"""The folder, among the templates, of those that a wrapper can be made from."""
OWN = "own"
"""Before the name of a template, to Jinja: one of the user's own."""
SUFFIX = ".j2"
FISH = ".fish" + SUFFIX
"""Ends the names of templates for fish, whose language is another; all others are for bash and zsh."""
STAMP = "# prontodb-stamp: "
"""Begins the first line of everything generated: version and arguments, from which `shell doctor` tells whether it is stale."""


class InvalidTemplate(ProntoError):
    """A template that would make unsafe code, or none at all."""

    slug = "invalid-template"


class Templates:
    """The templates that a user has: their own first, then those that come with ProntoDB."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        shipped, own = resource("templates"), f"{config_home(environ)}/templates"
        self.folders = {OWN: own, "built-in": f"{shipped}/{BUILT_IN}"}
        # What ProntoDB builds upon comes first: nobody's own `layout` or `init` takes its place by accident.
        within = {"shell": jinja2.FileSystemLoader(resource("shell")), OWN: jinja2.FileSystemLoader(own)}
        loaders = [jinja2.FileSystemLoader([shipped, own]), jinja2.PrefixLoader(within)]
        self._loader = jinja2.ChoiceLoader(loaders)

    def names(self, shell: str) -> dict[str, tuple[str, str]]:
        """What a wrapper for a shell can be made from: name to file, and whether it is `own` or `built-in`."""
        found: dict[str, tuple[str, str]] = {}
        for whose, folder in self.folders.items():
            for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
                if file.endswith(SUFFIX) and file.endswith(FISH) == (shell == "fish") and not file.startswith((".", "_")):
                    found.setdefault(file.removesuffix(suffix(shell)), (f"{folder}/{file}", whose))
        return found

    def wrapper(self, template: str, values: Mapping[str, object]) -> str:
        """The text of a wrapper. Raises `UsageError` where there is no such template, `InvalidTemplate` for a faulty one."""
        shell = str(values["shell"])
        names = self.names(shell)
        if template not in names:
            fault = (
                f"Template '{template}' is not for {shell}" if template in self.names(_other(shell)) else f"Unknown template '{template}'"
            )
            raise UsageError(fault, cure=f"known are {', '.join(names)}; prontodb shell templates tells more")
        folder = OWN if names[template][1] == OWN else BUILT_IN
        return self._render(f"{folder}/{template}{suffix(shell)}", values)

    def lint(self, path: str) -> None:
        """Raises `InvalidTemplate` where a template's file breaks a rule that can be seen before it is used."""
        shell = "fish" if path.endswith(FISH) else "bash"
        try:
            with open(path, encoding="utf-8") as file:
                source = file.read()
            lint(source, path, shell)
            _environment(self._loader, shell).parse(source, filename=path)
        except FAULTS as error:
            raise _invalid(error, path) from error

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The text that the template of that name comes to in the shell that the values name, with one newline at its end."""
        return self._render(name + suffix(str(values["shell"])), values)

    def _render(self, file: str, values: Mapping[str, object]) -> str:
        # All that it includes is looked at as that shell reads it, and quoted for it.
        shell = str(values["shell"])
        environment = _environment(_Linted(self._loader, shell), shell)
        try:
            return environment.get_template(file).render({**values, "version": __version__}).rstrip("\n") + "\n"
        except FAULTS as error:
            raise _invalid(error, file) from error


def suffix(shell: str) -> str:
    """What the name of a template for that shell ends in."""
    return FISH if shell == "fish" else SUFFIX


def _other(shell: str) -> str:
    return "bash" if shell == "fish" else "fish"


FAULTS = (jinja2.TemplateError, ProntoError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, OSError)
"""What a template can do wrong."""


def _invalid(error: Exception, file: str) -> InvalidTemplate:
    """The error, with file and line of the template as far as Jinja has told; `file` where it has not."""
    if isinstance(error, InvalidTemplate) and error.message.startswith("Template "):
        return error
    steps = [(step.filename, step.lineno) for step in traceback.extract_tb(error.__traceback__) if step.filename.endswith(SUFFIX)]
    path, line = steps[-1] if steps else (file, None)
    if isinstance(error, jinja2.TemplateSyntaxError):
        path, line = error.filename or path, error.lineno
    if isinstance(error, jinja2.TemplateNotFound):
        why = f"there is no template '{error.name}'"
    else:
        why = getattr(error, "message", None) or str(error) or type(error).__name__
    return InvalidTemplate(f"Template {path}{f', line {line}' if line else ''}: {why}", cure=getattr(error, "cure", ""))


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which nothing can be done to text that a filter has made: `format`, for one, would make more such text."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.unsafe_undefined(obj, attribute) if type(obj) is shellwords.Code else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.unsafe_undefined(obj, str(argument)) if type(obj) is shellwords.Code else super().getitem(obj, argument)


def _environment(loader: jinja2.BaseLoader, shell: str = "bash") -> jinja2.Environment:
    made = _Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<{",
        variable_end_string="}>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        loader=loader,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    quoting: dict[str, Callable[..., shellwords.Code]] = {filter_.__name__: partial(filter_, shell=shell) for filter_ in QUOTING}
    made.filters = {filter_.__name__: _known(quoting.get(filter_.__name__, filter_)) for filter_ in FILTERS}
    made.globals.clear()
    return made


QUOTING: tuple[Callable[..., shellwords.Code], ...] = (shellwords.quote, shellwords.words)
"""Those that depend on the shell."""
FILTERS: tuple[Callable[..., shellwords.Code], ...] = (*QUOTING, shellwords.name, shellwords.remark)
"""All there are: each makes text that may stand in a script, and no filter may work on such text afterwards."""


def _known(function: Callable[..., shellwords.Code]) -> Callable[[object], shellwords.Code]:
    """The filter, but for a value that there is not."""

    def filter_(value: object) -> shellwords.Code:
        return function(_defined(value))

    return filter_


def _defined(value: object) -> object:
    if isinstance(value, jinja2.Undefined):
        str(value)  # Jinja's own error names what is missing
    return value


def finalize(value: object) -> shellwords.Code:
    """Lets through what a filter has made; raises `InvalidTemplate` for all else, a template's own constants included."""
    value = _defined(value)
    if type(value) is not shellwords.Code:
        raise InvalidTemplate(
            f"A template puts {value!r} into the script unquoted", cure="<{ value | quote }>, | words, | name, or | remark in a comment"
        )
    return value


def lint(source: str, path: str, shell: str) -> None:
    """Raises `InvalidTemplate` at the first fault."""
    for line, fault in (FishLint if shell == "fish" else Lint)(source).faults():
        raise InvalidTemplate(f"Template {path}, line {line}: {fault}", cure="docs/how-to/write-a-template.md tells the rules")


class _Linted(jinja2.BaseLoader):
    """Hands on templates that another loader finds, once the lint has nothing to say."""

    def __init__(self, loader: jinja2.BaseLoader, shell: str) -> None:
        self._loader = loader
        self._shell = shell

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """As Jinja has it. Raises `InvalidTemplate`."""
        source, path, current = self._loader.get_source(environment, template)
        lint(source, path or template, self._shell)
        return source, path, current
