"""The full command line, on click: imported only where a call is none of the hot forms."""

from .group import run

__all__ = ["run"]
