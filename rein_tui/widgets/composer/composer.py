"""The composer: prompt, completion list and queue, and what a submission is. It never talks to the harness."""

import asyncio
from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from rein_tui.harness.protocol.messages import ImageBlock

from ..safe import safe_text
from . import chips
from .area import PromptArea
from .completing import Completing
from .history import History
from .kinds import LABELS, Kind, kind_of
from .popup import CompletionPopup
from .sources import Candidate, CommandHint, Completer

_PLACEHOLDER = "ask anything   @file   /command   !shell"


class Composer(Vertical):
    """Where a person writes. Posts what they submit; shows what waits."""

    BLANK = True  # its parts cover it

    DEFAULT_CSS = """
    Composer {
        height: auto; background: $background; align-horizontal: center;
        & > * { max-width: 122; }
        & > #queue { height: auto; max-height: 5; padding: 0 2; color: $text-muted; display: none; }
        & > #queue.-waiting { display: block; }
        & > #prompt-row {
            height: auto; border: round $border-blurred; padding: 0 1;
            border-title-color: $text-muted; border-subtitle-color: $text-muted;
        }
        & > #prompt-row:focus-within { border: round $border; }
        & #glyph { width: 2; color: $primary; }
        &.-shell #glyph, &.-shell > #prompt-row { color: $warning; border-title-color: $warning; }
        &.-shell > #prompt-row { border: round $warning 60%; }
        &.-private #glyph, &.-private > #prompt-row { color: $secondary; border-title-color: $secondary; }
        &.-private > #prompt-row { border: round $secondary 60%; }
    }
    """

    class Submitted(Message):
        """The person sent something. `text` has its pastes unfolded, `raw` has not; `steer` is for the running turn.

        For a shell line `text` is the command without its `!`.
        """

        def __init__(self, text: str, raw: str, kind: Kind, images: tuple[ImageBlock, ...], steer: bool) -> None:
            super().__init__()
            self.text, self.raw, self.kind, self.images, self.steer = text, raw, kind, images, steer

    class TakeBackRequested(Message):
        """The person wants the last queued prompt back in the composer."""

    class EditorRequested(Message):
        """The person wants to write in their editor."""

    class HistoryRequested(Message):
        """The person wants to search old prompts."""

    class PageRequested(Message):
        """The person wants to read on in the chat: `page_up` or `page_down`."""

        def __init__(self, where: str) -> None:
            super().__init__()
            self.where = where

    class ImageRequested(Message):
        """The person wants to paste from the system clipboard."""

    def __init__(
        self,
        commands: Callable[[], Sequence[CommandHint]],
        files: Completer,
        history: History,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._commands = commands
        self._completing = Completing(lambda: self.area, commands, files, lambda popup: self.mount(popup, before=0))
        self.history = history
        self._stash = ""
        self._glyph = "› "
        self._labels = ("", "")
        self._queued = 0
        self._queue: Static | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="prompt-row"):
            yield Static(Content("› "), id="glyph")
            yield PromptArea(_PLACEHOLDER)

    def on_unmount(self) -> None:
        """Stop searching."""
        self._completing.stop()

    @property
    def area(self) -> PromptArea:
        """The text area."""
        return self.query_one(PromptArea)

    @property
    def text(self) -> str:
        """What stands in the prompt, chips folded."""
        return self.area.text

    @text.setter
    def text(self, value: str) -> None:
        self.area.replace_all(value)

    @property
    def is_searching(self) -> bool:
        """Whether files are being searched."""
        return self._completing.is_searching

    def insert(self, text: str) -> None:
        """Put text at the cursor and take the focus: for keys that arrived elsewhere."""
        self.area.focus()
        self.area.insert_text(text)

    def set_vim(self, on: bool) -> None:
        """Vim's keys, or none."""
        self.area.keys = None
        if on:
            from .vim import Vim
            from .vim_page import VimPage

            self.area.keys = Vim(VimPage(self.area, self.area.show_mode))
        self.area.show_mode("")

    def show_read_only(self, why: str) -> None:
        """Say in place of the invitation why nothing can be sent; an empty `why` invites again."""
        hint = Content.assemble(safe_text(why, "label"), " /fork goes on in a copy.") if why else Content(_PLACEHOLDER)
        self.area.placeholder = hint

    def show_queue(self, waiting: Sequence[str], *, paused: bool) -> None:
        """Show the prompts that wait, the next one first."""
        self._queued = len(waiting)
        if not waiting:
            if self._queue is not None:
                self._queue.remove_class("-waiting")
            return
        hint = "paused · enter sends · ctrl+c drops · ↑ takes back" if paused else "↑ takes the last one back"
        rows = [Content.assemble((f"{len(waiting)} queued", "bold $text-accent"), (f"  {hint}", "$text-muted"))]
        for text in waiting[:4]:
            rows.append(Content.assemble(("  ↳ ", "$text-accent"), safe_text(text, "label")))
        shown = Content("\n").join(row.truncate(max(10, self.size.width - 4), ellipsis=True) for row in rows)
        if self._queue is None:
            self._queue = Static(shown, id="queue", classes="-waiting")
            self.mount(self._queue, before="#prompt-row")
        else:
            self._queue.update(shown)
            self._queue.add_class("-waiting")

    # --- submitting ---

    @on(PromptArea.Meant)
    def _act(self, event: PromptArea.Meant) -> None:
        event.stop()
        match event.wish:
            case "submit" | "steer":
                self._submit(event.text, steer=event.wish == "steer")
            case "older":
                self._recall_older()
            case "newer":
                self._recall(self.history.newer())
            case "history":
                self.post_message(self.HistoryRequested())
            case "editor":
                self.post_message(self.EditorRequested())
            case "stash":
                self._swap_stash()
            case "page_up" | "page_down":
                self.post_message(self.PageRequested(event.wish))
            case "mode":
                self._show_labels()
            case _:
                self.post_message(self.ImageRequested())

    def _submit(self, raw: str, *, steer: bool) -> None:
        raw = raw.strip()
        unfolded = self.area.chips.unfold(raw)
        kind = kind_of(raw)
        text = unfolded.text.lstrip("!").strip() if kind in ("shell", "private_shell") else unfolded.text
        if raw and self.history.add(raw):
            self.run_worker(self.history.store(unfolded.text), group="history")
        self._completing.close()
        self.post_message(self.Submitted(text, raw, kind, unfolded.images, steer))

    def _recall_older(self) -> None:
        if not self.text and self._queued and not self.history.is_walking:
            self.post_message(self.TakeBackRequested())
        else:
            self._recall(self.history.older(self.text))

    def _recall(self, text: str | None) -> None:
        if text is not None:
            self.area.replace_all(text)
            self._completing.close()

    def _swap_stash(self) -> None:
        self._stash, text = self.text, self._stash
        self.area.replace_all(text)
        self._show_labels()

    # --- completing ---

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._show_labels()
        if self.history.is_walking:
            self._completing.close()
        else:
            self._completing.look_up()

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self._completing.close_if_left()

    def _show_labels(self) -> None:
        kind = kind_of(self.text)
        self.set_class(kind == "shell", "-shell")
        self.set_class(kind == "private_shell", "-private")
        row = self.query_one("#prompt-row", Horizontal)
        title = " · ".join(filter(None, [safe_text(self.area.mode, "label"), LABELS[kind]]))
        labels = (title, self._hint(kind) if kind == "command" else self._stash and "stashed · F7")
        if labels != self._labels:  # setting them paints the row anew
            self._labels = labels
            row.border_title, row.border_subtitle = (Content(label) for label in labels)
        glyph = {"shell": "! ", "private_shell": "‼ "}.get(kind, "› ")
        if glyph != self._glyph:  # an update lays the whole screen out
            self._glyph = glyph
            self.query_one("#glyph", Static).update(Content(glyph))

    def _hint(self, kind: Kind) -> str:
        name, _, _ = self.text[1:].partition(" ")
        for command in self._commands():
            if kind == "command" and name in (command.name, *command.aliases):
                usage = f"/{command.name} {command.argument}".rstrip()
                return safe_text(f"{usage} · {command.summary}", "label")
        return ""

    @on(PromptArea.Steered)
    def _choose(self, event: PromptArea.Steered) -> None:
        event.stop()
        candidate = self._completing.press(event.key)
        if candidate is not None:
            self._accept(candidate, run=event.key == "enter")

    @on(CompletionPopup.Chosen)
    def _clicked(self, event: CompletionPopup.Chosen) -> None:
        event.stop()
        self._accept(event.candidate, run=False)
        self.area.focus()

    def _accept(self, candidate: Candidate, *, run: bool) -> None:
        if self._completing.accept(candidate) and run:
            raw, self.text = self.text, ""
            self._submit(raw, steer=False)

    # --- images ---

    @on(PromptArea.ImageDropped)
    async def _dropped(self, event: PromptArea.ImageDropped) -> None:
        event.stop()
        data = await asyncio.to_thread(chips.read_file, event.path)
        read = chips.read_image(data, event.path.name)
        shown = self.area.chips.add_image(*read) if read is not None else safe_text(str(event.path), "path")
        at = self.area.clamp_visitable(event.at)  # before what was typed meanwhile
        self.area.replace(shown, at, at)

    def add_image(self, data: bytes, name: str) -> bool:
        """Put an image chip at the cursor; false when `data` is no image that a model takes."""
        read = chips.read_image(data, name)
        if read is not None:
            self.area.replace(self.area.chips.add_image(*read), *self.area.selection)
        return read is not None
