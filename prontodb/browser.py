"""The picker: places, keys and a preview on a terminal. What it draws goes to standard error, so standard output is free for the choice.

Only the verb `browse` imports this module, since textual takes a third of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Label, Static, Tree

from . import preview
from .address import Address, Place, parse
from .errors import ProntoError
from .model import INHERIT, Write
from .ops import kv, places

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from textual.binding import BindingType

    from .address import Scope
    from .ops import Store

    T = TypeVar("T")

PAGE = 1000
"""Keys that are loaded at a time: the next ones when the last of these is reached."""
HIDDEN = "hidden: press s to see it"


class Ask(ModalScreen[str]):
    """A question with one line as its answer; None where somebody leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "Leave")]

    def __init__(self, question: str, answer: str = "") -> None:
        super().__init__()
        self._question = question
        self._answer = answer

    def compose(self) -> ComposeResult:
        """The question, and a line to write on."""
        yield Label(Text(self._question))
        yield Input(self._answer)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The answer."""
        self.dismiss(event.value.strip())


class Browser(App[str]):
    """Returns the address that was picked, or None."""

    CSS = """
    Tree { width: 26; }
    DataTable { width: 2fr; height: 100%; }
    VerticalScroll { width: 3fr; padding: 0 1; }
    #facts { color: $text-muted; margin-bottom: 1; }
    Tree, DataTable, VerticalScroll { border: round $surface-lighten-2; }
    Tree:focus, DataTable:focus, VerticalScroll:focus { border: round $accent; }
    Ask { align: center middle; }
    Ask Label { width: 80%; background: $panel; padding: 1 2; }
    Ask Input { width: 80%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", "Quit"),
        ("escape", "quit", "Quit"),
        ("slash", "filter", "Prefix"),
        ("c", "copy", "Copy"),
        ("d", "delete", "Delete"),
        ("s", "show", "Show secret"),
        ("r", "reload", "Reload"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, store: Store, place: Place | None, scope: Scope) -> None:
        super().__init__()
        self._store = store
        self._scope = scope
        self._place = place
        self._last = ""
        self._more = False
        self._revealed: Address | None = None

    def compose(self) -> ComposeResult:
        """Places, keys, preview."""
        with Horizontal():
            yield Tree[Place]("projects")
            yield DataTable[Text](cursor_type="row", zebra_stripes=True)
            with VerticalScroll():
                yield Static(id="facts")
                yield Static(id="value")
        yield Footer()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def on_mount(self) -> None:
        """The first look."""
        self._table.add_columns("key", "size")
        self.query_one(Tree).show_root = False
        self.action_reload()
        self._table.focus()

    def action_reload(self) -> None:
        """Everything anew."""
        self._plant()
        self._fill()

    def _plant(self) -> None:
        """The tree of projects and namespaces."""
        tree: Tree[Place] = self.query_one(Tree)
        tree.clear()
        found = self._tried(lambda: places.spaces(self._store)) or []
        projects = dict.fromkeys(space.project for space in found)
        branches = {project: tree.root.add(Text(project), expand=True) for project in projects}
        for space in found:
            branches[space.project].add_leaf(Text(space.namespace), data=Place(space.project, space.namespace))
        if self._place is None and found:
            self._place = Place(found[0].project, found[0].namespace)

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Place]) -> None:
        """Another namespace, once somebody moves in the tree."""
        if event.node.data and event.node.tree.has_focus:
            self._place = event.node.data
            self._fill()

    def _fill(self) -> None:
        """The first keys of the place."""
        self._table.clear()
        self._last = ""
        self._table.border_title = "nothing stored yet" if self._place is None else str(self._place)
        self._load()
        if not self._table.row_count:
            self._tell("", "")

    def _load(self) -> None:
        """The next keys."""
        place = self._place
        if place is None:
            return
        found = self._tried(lambda: self._store.engine.entries(place, self._last, PAGE, self._store.now)) or []
        self._more = len(found) == PAGE
        for entry in found:
            self._last = entry.name
            self._table.add_row(Text(entry.name), Text(str(entry.size), justify="right"), key=entry.name)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """The preview of a key; at the last one, more keys."""
        if self._more and event.cursor_row == self._table.row_count - 1:
            self._load()
        self._preview()

    def on_data_table_row_selected(self) -> None:
        """Enter: this is the one."""
        if address := self._current():
            self.exit(str(address))

    def _current(self) -> Address | None:
        if self._place is None or not self._table.row_count:
            return None
        row = self._table.coordinate_to_cell_key(self._table.cursor_coordinate).row_key.value
        return self._place.address(str(row))

    def _preview(self) -> None:
        if not (address := self._current()):
            return
        found = self._tried(lambda: kv.get(self._store, address))
        if found is None:
            self._tell("", "")
            return
        hidden = address.namespace == "sec" and self._revealed != address
        text = f"{preview.UNSEEN}  {HIDDEN}" if hidden else self._tried(lambda: preview.value(found)) or ""
        self._tell("\n".join([str(address), ", ".join(preview.facts(found.entry, self._store.now))]), text)

    def _tell(self, facts: str, value: str) -> None:
        self.query_one("#facts", Static).update(Text(preview.shown(facts)))
        self.query_one("#value", Static).update(Text(value))

    def action_show(self) -> None:
        """A value that is hidden, once."""
        self._revealed = self._current()
        self._preview()

    def action_filter(self) -> None:
        """Only the keys that begin so."""
        if place := self._place:
            self.push_screen(Ask(f"Keys of {place.project}.{place.namespace} that begin with:", place.prefix), self._filtered)

    def _filtered(self, prefix: str | None) -> None:
        if self._place and prefix is not None:
            self._place = Place(self._place.project, self._place.namespace, prefix)
            self._fill()

    def action_copy(self) -> None:
        """To another address, which must be free."""
        if address := self._current():
            self.push_screen(Ask(f"Copy {address} to:", str(address)), lambda answer: self._copied(address, answer or ""))

    def _copied(self, source: Address, answer: str) -> None:
        if answer:
            self._tried(lambda: kv.copy(self._store, source, parse(answer, self._scope), Write(INHERIT, absent=True)))
            self.action_reload()

    def action_delete(self) -> None:
        """Once the key has been written out."""
        if address := self._current():
            self.push_screen(Ask(f"Delete {address}? Write yes:"), lambda answer: self._deleted(address, answer or ""))

    def _deleted(self, address: Address, answer: str) -> None:
        if answer.lower() in {"y", "yes"}:
            self._tried(lambda: kv.delete(self._store, [address]))
            self._fill()

    def _tried(self, work: Callable[[], T]) -> T | None:
        """What `work` returns; None, and the reason on the screen, where it fails."""
        try:
            return work()
        except ProntoError as error:
            self.notify(preview.shown(f"{error.message}\n{error.cure}".strip()), severity="error", markup=False)
            return None
