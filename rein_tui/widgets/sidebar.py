"""The session list at the left: who is working, who waits for you, what lies further back.

It draws `SessionInfo`s and posts wishes; it never touches a store.
"""

import time
from collections.abc import Callable, Sequence

from textual import events, on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.events import Event, Fact
from rein_tui.harness.protocol.ports import SessionInfo

from .figures import short_age
from .hints import KeyLine, hint_lines
from .safe import safe_text
from .sidebar_list import SessionList
from .sidebar_rows import Look, row

_Made = tuple[tuple[object, ...], Content]
"""A row, after what it was made of."""

_KEYS = (
    ("space", "preview"),
    ("r", "rename"),
    ("d", "delete"),
    ("f", "fork"),
    ("e", "export"),
    ("n", "new"),
    ("a", "all folders"),
    ("/", "search"),
)
_LEAST_FOR_KEYS = 16
"""Rows of the list below which its keys are not named under it."""


class Sidebar(Vertical):
    """Sessions: title, age, branch, turns, cost, state; search in their text; rename, delete, fork."""

    DEFAULT_CSS = """
    Sidebar {
        width: 30; background: $background; border-right: vkey $border-blurred;
        & > #sessions-head { height: 1; padding: 0 1; color: $text-muted; }
        & > Input {
            display: none; height: 1; border: none; padding: 0 1; background: $surface; color: $foreground;
            &.-open { display: block; }
        }
        & > SessionList {
            height: 1fr; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
            &:focus { border: none; background-tint: $background 0%; }
        }
        & > #sessions-keys { display: none; height: auto; padding: 0 1; }
        &.-keys > #sessions-keys { display: block; }
    }
    """

    class OpenRequested(Message):
        """The person wants this session on the screen; an empty id is a new one."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    class PreviewRequested(OpenRequested):
        """The person wants to look at a session without opening it."""

    class ForkRequested(OpenRequested):
        """The person wants a new session that shares this one's story."""

    class DeleteRequested(OpenRequested):
        """The person pressed delete twice."""

    class UndeleteRequested(OpenRequested):
        """The person takes the last deletion back."""

    class RenameRequested(OpenRequested):
        """The person gave a session this title."""

        def __init__(self, session_id: str, title: str) -> None:
            super().__init__(session_id)
            self.title = title

    class ExportRequested(OpenRequested):
        """The person wants a session in this file."""

        def __init__(self, session_id: str, path: str) -> None:
            super().__init__(session_id)
            self.path = path

    class MoreRequested(Message):
        """The person came to the end of the list: it should go on."""

    class SearchChanged(Message):
        """The list should hold the sessions whose text holds this."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class EverywhereToggled(Message):
        """The list should hold the sessions of all folders, or of this one again."""

    class Left(Message):
        """The person is done here."""

    def __init__(self, *, clock: Callable[[], float] = time.time, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self._sessions: tuple[SessionInfo, ...] = ()
        self._current = ""
        self._doomed = ""
        self._deleted: list[str] = []
        self._edited: tuple[str, str] = ("", "")
        self._searched = ""
        self._everywhere = False
        self._has_more = False
        self._head = Static(id="sessions-head")
        self._foot = KeyLine(hint_lines(_KEYS, 27), id="sessions-keys")
        self._rows: SessionList | None = None
        self._input: Input | None = None
        self._made: dict[str, _Made] = {}

    @property
    def rows(self) -> SessionList:
        """The rows. Mounted when first wanted, their head with them: no start waits for a list that is empty yet."""
        if self._rows is None:
            self._rows = SessionList()
            self.mount(self._head, self._rows, self._foot)
        return self._rows

    @property
    def _field(self) -> Input:
        """Where searches and titles are written."""
        if self._input is None:
            self._input = Input(compact=True)  # else its own border, while it has the focus, hides the words
            self.mount(self._input, before=self.rows)
        return self._input

    async def apply(self, event: Event) -> None:
        """Rows come from the store, not from events: nothing to fold."""

    def load(self, facts: Sequence[Fact]) -> None:
        """Rows come from the store, not from events: nothing to fold."""

    def show(
        self, sessions: Sequence[SessionInfo], current: str, *, everywhere: bool = False, has_more: bool = False
    ) -> None:
        """Draw these sessions, newest first; the highlight stays where it was.

        `everywhere`: of all folders. `has_more`: the list goes on beyond them.
        """
        self._everywhere, self._has_more = everywhere, has_more
        self._sessions, self._current = tuple(sessions), current
        rows, kept = self.rows, self._highlighted
        ids = [session.id for session in self._sessions]
        self._made = {s.id: self._row_once(n, s) for n, s in enumerate(self._sessions, 1)}
        texts = [text for _, text in self._made.values()]
        old = [option.id for option in rows.options]
        if old and old == ids[: len(old)]:
            rows.renew(texts[: len(old)])
            rows.add_options(Option(text, id=id) for text, id in zip(texts[len(old) :], ids[len(old) :], strict=True))
        else:
            rows.set_options(Option(text, id=id) for text, id in zip(texts, ids, strict=True))
        target = kept.id if kept is not None and kept.id in ids else current
        if target in ids:
            rows.highlighted = ids.index(target)
        count = f"  {len(sessions) or ''}{'+' if has_more else ''}{' · all folders' if everywhere else ''}"
        words = f"  /{safe_text(self._searched, 'label')}" if self._searched else ""
        parts = ("Sessions", "bold $text-muted"), (count, "$text-disabled"), (words, "$text-primary")
        head = Content.assemble(*parts).truncate(27, ellipsis=True)
        self._head.update(head, layout=False)

    @property
    def _highlighted(self) -> SessionInfo | None:
        index = self.rows.highlighted
        return self._sessions[index] if index is not None and index < len(self._sessions) else None

    def _row_once(self, number: int, session: SessionInfo) -> _Made:
        """The row of a session and what it was made of; the last one, if that is the same."""
        age = short_age(self._clock() - (session.updated or session.created))
        look = Look(session.id == self._current, session.id == self._doomed, self._everywhere)
        made_of = (number, session, look, age)
        last = self._made.get(session.id)
        return last if last is not None and last[0] == made_of else (made_of, row(session, number, age, look))

    def _redraw(self) -> None:
        self.show(self._sessions, self._current, everywhere=self._everywhere, has_more=self._has_more)

    @on(SessionList.EndNeared)
    def _near_end(self, event: SessionList.EndNeared) -> None:
        event.stop()
        if self._has_more:
            self._has_more = False
            self.post_message(self.MoreRequested())

    # --- wishes ---

    @on(SessionList.Wished)
    def _wished(self, event: SessionList.Wished) -> None:
        event.stop()
        wish = event.wish
        if wish.startswith("switch-"):
            self._switch(int(wish.removeprefix("switch-")))
        elif wish == "new":
            self.post_message(self.OpenRequested(""))
        elif wish == "undo":
            if self._deleted:
                self.post_message(self.UndeleteRequested(self._deleted.pop()))
        elif wish == "search":
            self.search()
        elif wish == "everywhere":
            self.post_message(self.EverywhereToggled())
        elif wish == "leave":
            self._leave()
        elif self._highlighted is not None:
            self._with(self._highlighted, wish)

    def _with(self, session: SessionInfo, wish: str) -> None:
        match wish:
            case "preview":
                self.post_message(self.PreviewRequested(session.id))
            case "fork":
                self.post_message(self.ForkRequested(session.id))
            case "rename":
                self._edit("rename", session.id, "title", session.title)
            case "export":
                self._edit("export", session.id, "file: .md, .html, .jsonl", f"rein-{session.id[:8]}.md")
            case _:
                self._delete(session)

    def _delete(self, session: SessionInfo) -> None:
        if self._doomed == session.id:
            self._doomed = ""
            self._deleted.append(session.id)
            self.post_message(self.DeleteRequested(session.id))
        else:
            self._doomed = session.id
            self._redraw()

    def _switch(self, number: int) -> None:
        if number <= len(self._sessions):
            self.post_message(self.OpenRequested(self._sessions[number - 1].id))

    def _leave(self) -> None:
        if self._doomed:
            self._doomed = ""
            self._redraw()
        elif self._searched:
            self._search_for("")
        else:
            self.post_message(self.Left())

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._doomed and event.option_id != self._doomed:
            self._doomed = ""
            self._redraw()

    @on(OptionList.OptionSelected)
    def _opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.OpenRequested(event.option_id))

    # --- the one input, for searching, renaming and exporting ---

    def _edit(self, what: str, session_id: str, placeholder: str, value: str) -> None:
        self._edited = what, session_id
        field = self._field
        field.placeholder = placeholder
        field.value = safe_text(value, "label")
        field.add_class("-open")
        field.focus()

    def search(self) -> None:
        """Let the person search."""
        self._edit("search", "", "search all text", "")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._edited[0] == "search" and event.input.has_class("-open"):
            self._search_for(event.value)

    def _search_for(self, words: str) -> None:
        self._searched = words.strip()
        self.post_message(self.SearchChanged(words))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        (what, session_id), value = self._edited, event.value.strip()
        if what == "rename" and value:
            self.post_message(self.RenameRequested(session_id, value))
        elif what == "export" and value:
            self.post_message(self.ExportRequested(session_id, value))
        self.close_input(keep_search=True)

    def close_input(self, *, keep_search: bool = False) -> bool:
        """Close the input; false when it was not open. A search is taken back unless it is kept."""
        field = self._input
        if field is None or not field.has_class("-open"):
            return False
        field.remove_class("-open")
        if not keep_search and self._edited[0] == "search" and field.value:
            self._search_for("")
        self._edited = ("", "")
        self.rows.focus()
        return True

    def key_escape(self, event: events.Key) -> None:
        """Close the input, and no more than that."""
        if self.close_input():
            event.stop()

    def focus_list(self) -> None:
        """Give the rows the focus."""
        self.rows.focus()

    def on_click(self, event: events.Click) -> None:
        """A click on the head goes to the rows without opening one."""
        if event.widget is self._head:
            self.focus_list()

    def on_descendant_focus(self) -> None:
        """The keys are named while they mean something, where that leaves room for sessions."""
        self.set_class(self.size.height >= _LEAST_FOR_KEYS, "-keys")

    def on_descendant_blur(self) -> None:
        """The list is all there is to see."""
        self.remove_class("-keys")
