"""The details of one hook run: its story, what went in and came out, and what a dry run of it did."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from textual.content import Content

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookOutcome, HookRun, HookSkip

from .block import Block
from .figures import short_duration
from .hook_log_rows import BROKEN, outcome
from .hook_words import did
from .lines import BLANK, Piece
from .page import Leaf
from .passages import (
    Passage,
    changes,
    facts_table,
    heading,
    json_passages,
    muted,
    pretty_text,
    prose,
    text_passages,
)
from .safe import safe_content

STORY, STDIN, STDOUT, STDERR, DRY = range(1, 6)
_POLICIES = {
    "ask": "A gate that breaks asks you.",
    "block": "onError says that it blocks when it breaks.",
    "continue": "The work went on as if it were not there.",
}


def _sentence(run: HookRun) -> str:
    match run.result:
        case "nothing":
            return "It ran and changed nothing."
        case "message":
            return "It had something to say."
        case "timeout":
            return "It took too long and was ended."
        case "bad_output":
            return "What it printed could not be read."
        case _:
            return f"It {did(run)}."


def run_leaves(run: HookRun, dry: tuple[Sequence[HookRun], HookOutcome] | None) -> list[Leaf]:
    """The tabs of a run."""
    stdin, _ = pretty_text(run.stdin)
    leaves = [Leaf(STORY, "Story", lambda: story(run), lambda: "\n\n".join(b.source for b in story(run)))]
    streams = ((STDIN, "stdin", run.stdin), (STDOUT, "stdout", run.stdout), (STDERR, "stderr", run.stderr))
    for number, title, text in streams:
        if text:
            leaves.append(_text_leaf(number, title, text))
    if dry is not None:
        leaves.append(Leaf(DRY, "Dry run", lambda: dry_story(*dry), lambda: stdin))
    return leaves


def _text_leaf(number: int, title: str, text: str) -> Leaf:
    readable, language = pretty_text(text)
    suffix = ".json" if language else ".txt"
    return Leaf(number, title, lambda: text_passages(readable, language), lambda: readable, suffix)


def story(run: HookRun) -> Iterator[Block]:
    """All about a run, what it did first."""
    words, style = outcome(run)
    sentence = Content.assemble((words, f"bold {style}"), "  ", _sentence(run))
    yield Passage(lambda _: [Piece(sentence)], sentence.plain)
    if run.reason:
        yield prose(run.reason)
    if run.result in BROKEN:
        policy = run.hook.on_error or ("ask" if words.endswith("ask") else "continue")
        yield muted(_POLICIES[policy])
    yield Passage(lambda _: [BLANK], "")
    yield _facts(run)
    yield from _effects(run)
    if run.parsed is not None:
        yield heading("its answer", "as read")
        yield from json_passages(run.parsed)
    elif run.stdout:
        yield heading("stdout")
        yield from text_passages(run.stdout.rstrip())
    if run.stderr:
        yield heading("stderr")
        yield from text_passages(run.stderr.rstrip())
    if run.stdin:
        yield heading("stdin", "what it was told")
        yield from text_passages(*pretty_text(run.stdin))
    if run.environment:
        yield heading("environment", "added to its own")
        yield facts_table(sorted(run.environment.items()))
    if run.spilled:
        yield heading("too long to keep here")
        yield facts_table([("file", path) for path in run.spilled])


def _facts(run: HookRun) -> Block:
    hook = run.hook
    command = next((str(hook.config[key]) for key in ("command", "prompt", "url", "tool") if hook.config.get(key)), "")
    arguments = hook.config.get("args")
    if isinstance(arguments, list):
        command += " " + json.dumps(arguments)
    wait = f" of at most {short_duration(hook.timeout)}" if hook.timeout else ""
    took = f"{short_duration(run.duration)}{wait}"
    return facts_table(
        [
            (hook.handler.replace("_", " "), command),
            ("event", hook.point),
            ("matcher", hook.matcher),
            ("only if", hook.condition),
            ("written in", str(hook.source)),
            ("layer", hook.source.layer),
            ("plugin", hook.plugin_id),
            ("exit", "" if run.exit_code is None else str(run.exit_code)),
            ("took", f"{took}, in the background" if hook.is_async else took),
            ("started", time.strftime("%H:%M:%S", time.localtime(run.started)) if run.started else ""),
        ]
    )


def _effects(run: HookRun) -> Iterator[Block]:
    if run.updated_input is not None:
        yield heading("what it changed", "in the input")
        before = _tool_input(run.stdin)
        yield from [changes(before, run.updated_input)] if before is not None else json_passages(run.updated_input)
    if run.context:
        yield heading("what it told the model")
        yield prose(run.context)
    if run.message and run.message != run.reason:
        yield heading("what it told you")
        yield prose(run.message)


def _tool_input(stdin: str) -> JsonObject | None:
    try:
        payload: Any = json.loads(stdin)
        found = payload["tool_input"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]  JSON


def skipped_leaf(skipped: Sequence[HookSkip]) -> Leaf:
    """Why handlers did not run."""

    def blocks() -> Iterator[Block]:
        for skip in skipped:
            yield heading(skip.hook.point, skip.hook.title)
            yield facts_table(
                [
                    ("why not", safe_content(skip.reason, "prompt", "$text-warning")),
                    ("matcher", skip.hook.matcher),
                    ("only if", skip.hook.condition),
                    ("written in", str(skip.hook.source)),
                ]
            )

    return Leaf(STORY, "Not run", blocks, lambda: "\n\n".join(b.source for b in blocks()))


def dry_story(runs: Sequence[HookRun], result: HookOutcome) -> Iterator[Block]:
    """What running it again showed: nothing of it took effect."""
    yield muted("Run again on the same input. Nothing of this took effect.")
    yield facts_table(
        [
            ("verdict", result.verdict or ("blocked" if result.blocked else "none")),
            ("reason", result.reason),
            ("stops", result.stop_reason or "yes" if result.stop else ""),
            ("context", "\n".join(result.context)),
        ]
    )
    if result.updated_input is not None:
        yield heading("the input would be")
        yield from json_passages(result.updated_input)
    if not runs:
        yield muted("No handler matched this time.")
    for run in runs:
        words, style = outcome(run)
        code = "" if run.exit_code is None else f" · exit {run.exit_code}"
        yield heading(run.hook.title)
        yield prose(f"{words}{code} · {short_duration(run.duration)}", style)
        for title, text in (("stdout", run.stdout), ("stderr", run.stderr), ("stdin", run.stdin)):
            if text:
                yield muted(title)
                yield from text_passages(*pretty_text(text))
