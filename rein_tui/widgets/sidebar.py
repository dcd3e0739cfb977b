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
from rein_tui.harness.protocol.ports import MOST_LISTED, SessionInfo

from .figures import short_age, short_cost
from .safe import safe_text
from .sidebar_list import SessionList

_Made = tuple[tuple[object, ...], Content]
"""A row, after what it was made of."""

_OLDER = "-older"
_OLDER_TEXT = Content.styled("  older ones are not listed\n  / finds them too", "$text-muted")
_DOTS = {
    "running": ("●", "$text-primary"),
    "waiting": ("●", "bold $text-accent"),
    "idle": ("○", "$text-muted"),
    "done": ("✓", "$text-muted"),
}


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
        self._renaming = ""
        self._everywhere = False
        self._head = Static(id="sessions-head")
        self._rows: SessionList | None = None
        self._input: Input | None = None
        self._made: dict[str, _Made] = {}

    @property
    def rows(self) -> SessionList:
        """The rows. Mounted when first wanted, their head with them: no start waits for a list that is empty yet."""
        if self._rows is None:
            self._rows = SessionList()
            self.mount(self._head, self._rows)
        return self._rows

    @property
    def _field(self) -> Input:
        """Where searches and titles are written."""
        if self._input is None:
            self._input = Input()
            self.mount(self._input, before=self.rows)
        return self._input

    async def apply(self, event: Event) -> None:
        """Rows come from the store, not from events: nothing to fold."""

    def load(self, facts: Sequence[Fact]) -> None:
        """Rows come from the store, not from events: nothing to fold."""

    def show(self, sessions: Sequence[SessionInfo], current: str, *, everywhere: bool = False) -> None:
        """Draw these sessions, newest first; the highlight stays where it was. `everywhere`: of all folders."""
        self._everywhere = everywhere
        self._sessions, self._current = tuple(sessions), current
        rows, kept = self.rows, self._highlighted
        ids = [session.id for session in self._sessions]
        self._made = {s.id: self._row_once(n, s) for n, s in enumerate(self._sessions, 1)}
        texts = [text for _, text in self._made.values()]
        if len(ids) >= MOST_LISTED:
            ids, texts = [*ids, _OLDER], [*texts, _OLDER_TEXT]
        if ids == [option.id for option in rows.options]:
            rows.renew(texts)
        else:
            rows.set_options(Option(text, id=id, disabled=id == _OLDER) for text, id in zip(texts, ids, strict=True))
        target = kept.id if kept is not None and kept.id in ids else current
        if target in ids:
            rows.highlighted = ids.index(target)
        count = f"  {len(sessions) or ''}{' · all folders' if everywhere else ''}"
        head = Content.assemble(("Sessions", "bold $text-muted"), (count, "$text-disabled"))
        self._head.update(head, layout=False)

    @property
    def _highlighted(self) -> SessionInfo | None:
        index = self.rows.highlighted
        return self._sessions[index] if index is not None and index < len(self._sessions) else None

    def _row_once(self, number: int, session: SessionInfo) -> _Made:
        """The row of a session and what it was made of; the last one, if that is the same."""
        age = short_age(self._clock() - (session.updated or session.created))
        made_of = (number, session, session.id == self._current, session.id == self._doomed, self._everywhere, age)
        last = self._made.get(session.id)
        return last if last is not None and last[0] == made_of else (made_of, self._row(number, session, age))

    def _row(self, number: int, session: SessionInfo, age: str) -> Content:
        width = 26
        dot, colour = _DOTS[session.state]
        doomed = session.id == self._doomed
        title = safe_text(session.title, "label") or "new session"
        style = "bold $text" if session.id == self._current else "$text"
        name = Content.styled(title, style).truncate(width - 3 - len(age), ellipsis=True, pad=True)
        key = str(number) if number < 10 else " "
        first = Content.assemble((f"{key} ", "$text-disabled"), (dot, colour), " ", name, " ", (age, "$text-muted"))
        if doomed:
            return Content("\n").join([first, Content.styled("    d again deletes it", "$text-error")])
        facts = ["read only"] if session.read_only else []
        if self._everywhere:
            facts.append(safe_text(session.cwd.rstrip("/").rpartition("/")[2], "path"))
        if session.branch:
            facts.append(safe_text(session.branch, "path"))
        facts.append(f"{session.turns} turn{'s' if session.turns != 1 else ''}")
        if session.cost_usd is not None:
            facts.append(short_cost(session.cost_usd))
        if session.state == "waiting":
            facts = ["waits for you"]
        facts_line = Content.styled(" · ".join(facts), "$text-accent" if session.state == "waiting" else "$text-muted")
        return Content("\n").join([first, Content.assemble("    ", facts_line.truncate(width - 2, ellipsis=True))])

    def _redraw(self) -> None:
        self.show(self._sessions, self._current, everywhere=self._everywhere)

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
            self._edit("", "search all text", "")
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
                self._edit(session.id, "title", session.title)
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

    # --- the one input, for searching and renaming ---

    def _edit(self, renaming: str, placeholder: str, value: str) -> None:
        self._renaming = renaming
        field = self._field
        field.placeholder = placeholder
        field.value = safe_text(value, "label")
        field.add_class("-open")
        field.focus()

    def search(self) -> None:
        """Let the person search."""
        self._edit("", "search all text", "")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if not self._renaming and event.input.has_class("-open"):
            self.post_message(self.SearchChanged(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._renaming and event.value.strip():
            self.post_message(self.RenameRequested(self._renaming, event.value.strip()))
        self.close_input(keep_search=True)

    def close_input(self, *, keep_search: bool = False) -> bool:
        """Close the input; false when it was not open. A search is taken back unless it is kept."""
        field = self._input
        if field is None or not field.has_class("-open"):
            return False
        field.remove_class("-open")
        if not keep_search and not self._renaming and field.value:
            self.post_message(self.SearchChanged(""))
        self._renaming = ""
        self.rows.focus()
        return True

    def key_escape(self, event: events.Key) -> None:
        """Close the input, and no more than that."""
        if self.close_input():
            event.stop()

    def focus_list(self) -> None:
        """Give the rows the focus."""
        self.rows.focus()
