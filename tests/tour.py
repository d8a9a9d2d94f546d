"""Records the tour of the README in a real terminal, as the picture docs/tour.svg: `make tour`; with --check, says whether it is of another tour.

What is typed is the first example of the README. It runs in bash, on a terminal of its own, in an empty home; what the terminal shows
becomes the picture, but for the keys of rescued content, which the README shows as they were one day.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from .newcomer import KEY, Terminal, examples

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs/tour.svg"
WIDTH = 104
FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>A tour of ProntoDB in a terminal</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; \
line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect fill="#0c0c0c" width="{width}" height="{height}" rx="8"/>
<g transform="translate(0, -12)"><g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g></g>
</svg>
"""
"""As the library's, but without a window around it, and without fonts from elsewhere."""


def typed() -> list[str]:
    """The lines of the tour."""
    text = (ROOT / "README.md").read_text()
    return [line for line, _ in examples(text[: text.index("```\n", text.index("```console\n") + 3) + 4])]


def recorded(folder: Path) -> str:
    """What the terminal shows while somebody types the tour."""
    terminal, shown = Terminal(folder, f"{Path(sys.executable).parent}:{os.environ['PATH']}"), ""
    for line in typed():
        said = terminal.type(line).rstrip("\n")
        shown += f"\x1b[1;32m$\x1b[0m \x1b[1m{line}\x1b[0m\n" + (f"{said}\n" if said else "")
    terminal.close()
    return KEY.sub("1757569450_85e49569_", shown)


def picture(shown: str) -> str:
    """The same as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(shown.rstrip("\n")))
    return console.export_svg(title="", theme=MONOKAI, code_format=FORMAT, unique_id="tour")


def words(svg: str) -> str:
    """What can be read in a picture, without the gaps."""
    import html

    return re.sub(r"\s+", "", html.unescape("".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))))


def stale() -> list[str]:
    """The lines of the tour that the picture does not show."""
    seen = words(PICTURE.read_text()) if PICTURE.exists() else ""
    return [line for line in typed() if re.sub(r"\s+", "", line) not in seen]


def main() -> int:
    """Records it; or with --check, 1 where it is out of date."""
    if "--check" in sys.argv:
        if found := stale():
            print(f"docs/tour.svg does not show: {found}; run make tour", file=sys.stderr)
        return 1 if found else 0
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(picture(recorded(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
