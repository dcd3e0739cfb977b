"""A server's form as questions, and the answers as the values that its schema wants."""

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...protocol.base import JsonObject
from ...protocol.decisions import Option, Question, QuestionReply
from ...settings.shapes import is_list, is_object

Value: TypeAlias = str | int | float | bool | list[str] | None
Ask: TypeAlias = Callable[[tuple[Question, ...]], Awaitable[QuestionReply]]

MOST_FIELDS = 30
TRIES = 3
_ACCEPT, _DECLINE = "Accept", "Decline"


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

    def question(self, complaint: str = "") -> Question:
        """The field as a question; `complaint` says what was wrong with the last answer."""
        notes = ["required" if self.required else "may be left empty"]
        if self.default is not None:
            notes.append(f"default: {self.default}")
        text = f"{self.label} ({', '.join(notes)})" + (f"\n{complaint}" if complaint else "")
        options = tuple(Option(label=shown) for _, shown in self.choices)
        return Question(question=text, header=self.name[:24], options=options, multi_select=self.kind == "array")

    def value(self, answer: str) -> Value:
        """What an answer means. Raises ValueError with words for the person."""
        answer = answer.strip()
        if not answer:
            if self.default is not None:
                return self.default
            if self.required:
                raise ValueError("This one is required.")
            return None
        match self.kind:
            case "boolean":
                return self._boolean(answer)
            case "integer" | "number":
                return self._number(answer)
            case "array":
                return [self._choice(part.strip()) for part in answer.split(",") if part.strip()]
            case _:
                return self._choice(answer) if self.choices else self._text(answer)

    def _boolean(self, answer: str) -> bool:
        if answer.lower() in ("yes", "true", "y", "1"):
            return True
        if answer.lower() in ("no", "false", "n", "0"):
            return False
        raise ValueError("Say yes or no.")

    def _number(self, answer: str) -> int | float:
        try:
            number = int(answer) if self.kind == "integer" else float(answer)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError("This must be a whole number." if self.kind == "integer" else "This must be a number.")
        low, high = (self.schema or {}).get("minimum"), (self.schema or {}).get("maximum")
        if (isinstance(low, int | float) and number < low) or (isinstance(high, int | float) and number > high):
            raise ValueError(
                f"This must be from {low if low is not None else '…'} to {high if high is not None else '…'}."
            )
        return number

    def _choice(self, answer: str) -> str:
        for value, shown in self.choices:
            if answer in (value, shown):
                return value
        raise ValueError(f"This must be one of {', '.join(shown for _, shown in self.choices)}.")

    def _text(self, answer: str) -> str:
        schema = self.schema or {}
        low, high = schema.get("minLength"), schema.get("maxLength")
        if isinstance(low, int) and len(answer) < low:
            raise ValueError(f"This needs at least {low} characters.")
        if isinstance(high, int) and len(answer) > high:
            raise ValueError(f"This may have at most {high} characters.")
        if schema.get("format") == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", answer):
            raise ValueError("This must be an e-mail address.")
        return answer


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


async def put(fields: tuple[Field, ...], ask: Ask, message: str) -> dict[str, Value] | None:
    """Put all fields to the person, those with bad answers again; None when they would not answer."""
    if not fields:
        options = (Option(label=_ACCEPT), Option(label=_DECLINE))
        reply = await ask((Question(question=message or "Accept?", header="Confirm", options=options),))
        return {} if _ACCEPT in reply.answers.values() else None
    content: dict[str, Value] = {}
    waiting = [(field, field.question()) for field in fields]
    for _ in range(TRIES):
        reply = await ask(tuple(question for _, question in waiting))
        if reply.cancelled:
            return None
        again: list[tuple[Field, Question]] = []
        for field, question in waiting:
            try:
                value = field.value(reply.answers.get(question.question, ""))
            except ValueError as problem:
                again.append((field, field.question(str(problem))))
                continue
            if value is not None:
                content[field.name] = value
        if not again:
            return content
        waiting = again
    return None
