"""Code to coloured lines: Pygments tokens in theme colours, lexers kept, long code without colours."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from textual.content import Content, Span

from .safe import clip_line, safe_text

if TYPE_CHECKING:  # Pygments loads with the first code, not with the screen
    from pygments.lexer import Lexer

MAX_COLOURED = 20_000
"""Characters of one piece of code that are worth colouring; beyond, it is shown plain."""
LIVE_CONTEXT = 40
"""Lines above new live lines that are lexed again, so that strings and comments over several lines mostly hold."""

_STYLES = {
    "Token.Comment": "$text-muted italic",
    "Token.Comment.Preproc": "$text-secondary",
    "Token.Keyword": "$text-accent",
    "Token.Keyword.Constant": "$text-warning",
    "Token.Keyword.Type": "$text-secondary",
    "Token.Literal.Number": "$text-warning",
    "Token.Literal.String": "$text-success",
    "Token.Literal.String.Escape": "$text-warning",
    "Token.Literal.String.Interpol": "$text-warning",
    "Token.Literal.String.Doc": "$text-muted italic",
    "Token.Name.Attribute": "$text-secondary",
    "Token.Name.Builtin": "$text-secondary",
    "Token.Name.Class": "bold $text-primary",
    "Token.Name.Constant": "$text-warning",
    "Token.Name.Decorator": "$text-secondary",
    "Token.Name.Exception": "$text-error",
    "Token.Name.Function": "$text-primary",
    "Token.Name.Label": "$text-primary",
    "Token.Name.Namespace": "",
    "Token.Name.Tag": "$text-primary",
    "Token.Operator.Word": "$text-accent",
    "Token.Generic.Deleted": "$text-error",
    "Token.Generic.Inserted": "$text-success",
    "Token.Generic.Heading": "bold",
    "Token.Generic.Subheading": "$text-secondary",
    "Token.Generic.Error": "$text-error",
    "Token.Generic.Prompt": "$text-muted",
    "Token.Generic.Output": "$text-muted",
}


def code_lines(code: str, language: str = "", path: str = "") -> list[Content]:
    """One Content for each line of `code`, coloured if the language is known by name or by the path's suffix."""
    lines = [clip_line(line) for line in safe_text(code, "diff").split("\n")]
    lexer = _lexer(language, PurePath(path).name)
    if lexer is None or len(code) > MAX_COLOURED:
        return [Content(line) for line in lines]
    return _coloured(lexer, lines)


def next_code_lines(before: list[str], new: list[str], language: str) -> list[Content]:
    """The lines `new` of growing code, coloured with a few lines of what came `before`."""
    context = before[-LIVE_CONTEXT:]
    return code_lines("\n".join([*context, *new]), language)[len(context) :]


@lru_cache(64)
def _lexer(language: str, name: str) -> Lexer | None:
    from pygments import lexers
    from pygments.util import ClassNotFound

    untyped = cast("Any", lexers)
    for find, what in ((untyped.get_lexer_by_name, language), (untyped.get_lexer_for_filename, name)):
        if what:
            try:
                return cast("Lexer", find(what, stripnl=False, ensurenl=False))
            except ClassNotFound:
                continue
    return None


@lru_cache(512)
def _style(token: Any) -> str:
    while token is not None:
        if (style := _STYLES.get(str(token))) is not None:
            return style
        token = token.parent
    return ""


def _coloured(lexer: Lexer, lines: list[str]) -> list[Content]:
    spans: list[list[Span]] = [[] for _ in lines]
    row = column = 0
    for token, text in lexer.get_tokens("\n".join(lines)):
        style = _style(token)
        for number, part in enumerate(text.split("\n")):
            if number:
                row, column = row + 1, 0
            if part and style and row < len(lines):
                spans[row].append(Span(column, column + len(part), style))
            column += len(part)
    return [Content(line, row_spans) for line, row_spans in zip(lines, spans, strict=True)]
