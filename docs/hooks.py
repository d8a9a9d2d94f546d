"""What the site's generator does beyond its own: the README is the first page, and pages may link to files of the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

README = Path(__file__).parent.parent / "README.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the first page, and the pictures that it shows."""
    files.append(File.generated(config, "index.md", content=re.sub(r"(?<=\]\()docs/", "", README.read_text())))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - the generator's signature
    """Links to the README lead to the first page, links to the folder of decisions to their list."""
    depth = page.file.src_uri.count("/")
    markdown = markdown.replace(f"]({'../' * (depth + 1)}README.md", f"]({'../' * depth}index.md")
    return re.sub(r"(\]\((?:\.\./)*decisions/)\)", r"\1README.md)", markdown)
