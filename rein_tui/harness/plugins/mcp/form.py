"""A server's form as questions, and the answers as the values that its schema wants."""

import json
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec.structs import replace

from ...protocol.base import JsonObject
from ...protocol.decisions import Option, Question, QuestionReply
from ...settings.shapes import is_list, is_object

Value: TypeAlias = str | int | float | bool | list[str] | None
Ask: TypeAlias = Callable[[tuple[Question, ...]], Awaitable[QuestionReply]]
Action: TypeAlias = Literal["accept", "decline", "cancel"]

MOST_FIELDS = 30
TRIES = 3
_ACCEPT, _DECLINE = "Accept", "Decline"
_NOTHING = "(leave it empty)"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `choices` are (value, what the person sees)."""

    name: str
    kind: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    default: Any = None
    schema: JsonObject | None = None

    @property
    def _given(self) -> str:
        """The default as a person would answer it."""
        values = self.default if is_list(self.default) else [] if self.default is None else [self.default]
        shown = dict(self.choices)
        words = [json.dumps(value) if isinstance(value, bool) else str(value) for value in values]
        return ", ".join(shown.get(word, word) for word in words)

    def question(self, complaint: str = "", answer: str | None = None) -> Question:
        """The field as a question; `complaint` says what was wrong with the last `answer`."""
        need = "required" if self.required else "may be left empty"
        text = f"{self.label} ({need})" + (f"\n{complaint}" if complaint else "")
        labels = [shown for _, shown in self.choices]
        if labels and not self.required:
            labels.append(_NOTHING)
        return Question(
            question=text,
            header=self.name[:24],
            options=tuple(Option(label=label) for label in labels),
            multi_select=self.kind == "array",
            given=self._given if answer is None else answer,
            optional=not self.required,
        )

    def value(self, answer: str) -> Value:
        """What an answer means. Raises ValueError with words for the person."""
        answer = answer.strip()
        if not answer or answer == _NOTHING:
            if self.required:
                raise ValueError("This one is required.")
            return None
        match self.kind:
            case "boolean":
                return self._boolean(answer)
            case "integer" | "number":
                return self._number(answer)
            case "array":
                return self._several(answer)
            case _:
                return self._choice(answer) if self.choices else self._text(answer)

    def _boolean(self, answer: str) -> bool:
        if answer.lower() in ("yes", "true", "y", "1"):
            return True
        if answer.lower() in ("no", "false", "n", "0"):
            return False
        raise ValueError("Say yes or no.")

    def _number(self, answer: str) -> int | float:
        answer = self._choice(answer) if self.choices else answer
        try:
            number = int(answer) if self.kind == "integer" else float(answer)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError("This must be a whole number." if self.kind == "integer" else "This must be a number.")
        low, high = self._limits("minimum", "maximum")
        if (low is not None and number < low) or (high is not None and number > high):
            raise ValueError(
                f"This must be from {low if low is not None else '…'} to {high if high is not None else '…'}."
            )
        return number

    def _several(self, answer: str) -> list[str]:
        """The choices that an answer names, commas between them; a choice may hold commas of its own."""
        names = sorted({word for choice in self.choices for word in choice if word}, key=len, reverse=True)
        rest, picked = answer, list[str]()
        while rest:
            name = next((n for n in names if rest == n or re.match(re.escape(n) + r"\s*,", rest)), None)
            word = rest.partition(",")[0].strip() if name is None else name
            if word and word != _NOTHING:
                picked.append(self._choice(word) if self.choices else word)
            rest = rest[len(word) :].lstrip().removeprefix(",").lstrip() if word else rest.partition(",")[2].lstrip()
        picked = list(dict.fromkeys(picked))
        low, high = self._limits("minItems", "maxItems")
        if low is not None and len(picked) < low:
            raise ValueError(f"Pick at least {low}.")
        if high is not None and len(picked) > high:
            raise ValueError(f"Pick at most {high}.")
        return picked

    def _choice(self, answer: str) -> str:
        for value, shown in self.choices:
            if answer in (value, shown):
                return value
        raise ValueError(f"This must be one of {', '.join(shown for _, shown in self.choices)}.")

    def _text(self, answer: str) -> str:
        low, high = self._limits("minLength", "maxLength")
        if low is not None and len(answer) < low:
            raise ValueError(f"This needs at least {low} characters.")
        if high is not None and len(answer) > high:
            raise ValueError(f"This may have at most {high} characters.")
        kind = (self.schema or {}).get("format")
        if isinstance(kind, str) and kind in _FORMATS:
            fits, words = _FORMATS[kind]
            if not fits(answer):
                raise ValueError(words)
        return answer

    def _limits(self, low: str, high: str) -> tuple[int | float | None, int | float | None]:
        found = [(self.schema or {}).get(key) for key in (low, high)]
        first, last = (v if isinstance(v, int | float) and not isinstance(v, bool) else None for v in found)
        return first, last


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and not re.search(r"\s", text)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return bool(re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", text))


_FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "email": (
        lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None,
        "This must be an e-mail address.",
    ),
    "uri": (_is_address, "This must be an address such as https://example.org."),
    "date": (_is_date, "This must be a date such as 2026-02-28."),
    "date-time": (_is_moment, "This must be a date with a time, such as 2026-02-28T12:00:00Z."),
}


def fields_of(schema: Any) -> tuple[Field, ...]:
    """The fields of a form's schema; the first MOST_FIELDS."""
    properties = schema.get("properties") if is_object(schema) else None
    if not is_object(properties) or not is_object(schema):
        return ()
    required = schema.get("required")
    wanted = [str(name) for name in required] if is_list(required) else []
    items = [(name, value) for name, value in properties.items() if is_object(value)]
    return tuple(_field(name, value, name in wanted) for name, value in items[:MOST_FIELDS])


def _field(name: str, schema: JsonObject, required: bool) -> Field:
    kind = str(schema.get("type", "string"))
    title, description = str(schema.get("title") or name), str(schema.get("description") or "")
    label = f"{title}: {description}" if description and description != title else title
    items = schema.get("items")
    choices = _choices(items if kind == "array" and is_object(items) else schema)
    if kind == "boolean":
        choices = (("true", "Yes"), ("false", "No"))
    return Field(name, kind, label, choices, required, schema.get("default"), schema)


def _choices(schema: JsonObject) -> tuple[tuple[str, str], ...]:
    values = schema.get("enum")
    if is_list(values):
        names = schema.get("enumNames")
        shown = names if is_list(names) and len(names) == len(values) else values
        return tuple((str(value), str(name)) for value, name in zip(values, shown, strict=True))
    for key in ("oneOf", "anyOf"):
        options = schema.get(key)
        if is_list(options):
            return tuple(
                (str(option["const"]), str(option.get("title") or option["const"]))
                for option in options
                if is_object(option) and "const" in option
            )
    return ()


async def put(fields: tuple[Field, ...], ask: Ask, message: str) -> tuple[Action, dict[str, Value]]:
    """Put all fields to the person, those with bad answers again: what they did, and the values they gave."""
    if not fields:
        options = (Option(label=_ACCEPT), Option(label=_DECLINE))
        reply = await ask((Question(question=message or "Accept?", header="Confirm", options=options),))
        if _ACCEPT in reply.answers.values():
            return "accept", {}
        return ("cancel" if reply.cancelled else "decline"), {}
    content: dict[str, Value] = {}
    waiting = _apart([(field, field.question()) for field in fields])
    for _ in range(TRIES):
        reply = await ask(tuple(question for _, question in waiting))
        if reply.cancelled or reply.declined:
            return ("decline" if reply.declined else "cancel"), {}
        again: list[tuple[Field, Question]] = []
        for field, question in waiting:
            answer = reply.answers.get(question.question, question.given)
            try:
                value = field.value(answer)
            except ValueError as problem:
                again.append((field, field.question(str(problem), answer)))
                continue
            if value is not None:
                content[field.name] = value
        if not again:
            return "accept", content
        waiting = _apart(again)
    return "cancel", {}


def _apart(asked: list[tuple[Field, Question]]) -> list[tuple[Field, Question]]:
    """No two questions with the same words: answers are known by them."""
    texts = Counter(question.question for _, question in asked)
    return [
        (field, replace(question, question=f"{field.name}: {question.question}"))
        if texts[question.question] > 1
        else (field, question)
        for field, question in asked
    ]
