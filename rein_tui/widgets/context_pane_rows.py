"""The rows of the context pane: groups and their sources, and the headline that says how full the window is."""

from collections.abc import Sequence

from textual.content import Content

from .context_pane_fold import GROUPS, Filling, Item
from .figures import short_cost, short_count
from .lines import EMPTY, joined
from .rows import ListRow, columns, share_bar
from .safe import safe_content

CACHED, FRESH = "●", "○"


class GroupRow(ListRow):
    """One kind of items: its name, its tokens, its share of all."""

    selectable = True

    def __init__(self, kind: str, items: Sequence[Item], filling: Filling, folded: bool, off: int) -> None:
        self.kind = kind
        self._items = items
        self._filling = filling
        self._folded = folded
        self._off = off

    @property
    def source(self) -> str:
        return f"{GROUPS[self.kind]}: {sum(item.tokens for item in self._items):.0f} tokens"

    def draw(self, width: int) -> Content:
        tokens = sum(item.tokens for item in self._items)
        cached = sum(item.cached_tokens for item in self._items)
        glyph = "▸" if self._folded else "▾"
        note = f"  {len(self._items)}" if len(self._items) > 1 else ""
        note += f", {self._off} off" if self._off else ""
        left = Content.assemble((f"{glyph} ", "$text-muted"), (GROUPS[self.kind], "bold"), (note, "$text-disabled"))
        return _line(width, left, tokens, cached, self._filling, "$text-primary")


class ItemRow(ListRow):
    """One source."""

    def __init__(self, item: Item, filling: Filling, off: bool) -> None:
        self.item = item
        self._filling = filling
        self._off = off

    @property
    def source(self) -> str:
        return f"{self.item.name}: {self.item.tokens:.0f} tokens"

    def draw(self, width: int) -> Content:
        item = self.item
        style = "strike $text-disabled" if self._off else ""
        times = f"  ×{item.count}" if item.count > 1 else ""
        left = Content.assemble(
            "    ",
            safe_content(item.name, "path", style),
            (times, "$text-disabled"),
            (" off" if self._off else "", "$text-warning"),
        )
        if self._off:
            return left
        return _line(width, left, item.tokens, item.cached_tokens, self._filling, "$text-primary 60%")


def _line(width: int, left: Content, tokens: float, cached: float, filling: Filling, style: str) -> Content:
    share = tokens / filling.tokens if filling.tokens else 0.0
    room = 16 if width >= 72 else 8 if width >= 50 else 0
    usage = filling.usage
    mark = EMPTY
    if usage.cache_read_tokens or usage.cache_write_tokens:
        whole = cached > tokens * 0.95
        mark = Content.styled(
            CACHED if whole else "◐" if cached else FRESH, "$text-success" if cached else "$text-muted"
        )
    figures: list[tuple[Content, int]] = [
        (share_bar(share, room, style), room),
        (Content(f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"), 5),
        (Content.styled(short_count(round(tokens)), "$text-muted"), 5),
    ]
    if filling.turn_cost and width >= 60:
        figures.append((Content.styled(short_cost(share * filling.turn_cost), "$text-muted"), 6))
    figures.append((mark, 1))
    return columns(width, left, figures, gap=1)


def headline(filling: Filling, width: int) -> Content:
    """How full the window is, and a bar of it."""
    tokens, window, usage = filling.tokens, filling.window, filling.usage
    about = "" if filling.is_measured else "about "
    if not window:
        size = Content.assemble(
            (f"{about}{short_count(round(tokens))} tokens", "bold"), ("  window unknown", "$text-muted")
        )
        bar = EMPTY
    else:
        share = tokens / window
        style = "$text-error" if share > 0.9 else "$text-warning" if share > 0.7 else "$text-primary"
        of = f"  {about}{short_count(round(tokens))} of {short_count(window)} tokens"
        size = Content.assemble((f"{100 * share:.0f} % full", f"bold {style}"), (of, "$text-muted"))
        bar = joined([Content("\n"), share_bar(min(1.0, share), width, f"{style} on $foreground 8%")])
    sent = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    if usage.cache_read_tokens and sent:
        hit = 100 * usage.cache_read_tokens / sent
        size = joined([size, Content.styled(f" · {hit:.0f} % of the last request came from the cache", "$text-muted")])
    return joined([size, bar])


def server_tools(filling: Filling) -> str:
    """What tools of servers take of their budget, and how many wait to be searched for; empty without servers."""
    if not filling.tool_budget:
        return ""
    taken = sum(item.tokens for item in filling.items if item.kind == "mcp")
    waiting = f" · {filling.held_back} wait for a search" if filling.held_back else ""
    return f"tools of servers: {short_count(round(taken))} of {short_count(filling.tool_budget)} tokens{waiting}"
