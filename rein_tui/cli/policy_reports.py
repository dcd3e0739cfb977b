"""What `rein-tui policy` prints beside single checks: tests, lint, suggestions from use, what-if."""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rein_tui.harness.permissions.cases import Case, read_case
from rein_tui.harness.permissions.hindsight import offers, what_if
from rein_tui.harness.permissions.lint import lint, told
from rein_tui.harness.permissions.policy import Policy
from rein_tui.harness.permissions.recorded import RecordedCall
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Decision
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.settings.reader import BadJson, parse_json, read_bytes
from rein_tui.harness.settings.shapes import is_list, is_object

TEST_FILES = (".claude/policy-tests.jsonl", "policy-tests.jsonl", "tests/policy.jsonl")


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a command reads and writes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    def say(self, text: str) -> None:
        """One line of output, without what a terminal would obey."""
        self.stdout.write(printable(text) + "\n")

    def say_json(self, value: Any) -> None:
        """One line of JSON."""
        self.say(json.dumps(value, ensure_ascii=True))

    def warn(self, notices: Iterable[Notice]) -> None:
        """What is wrong, to the error stream."""
        for notice in notices:
            self.stderr.write(printable(f"{notice.where + ': ' if notice.where else ''}{notice.text}") + "\n")


def printable(text: str) -> str:
    """Text whose control and invisible characters are replaced."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def answer(name: Any, decision: Decision) -> JsonObject:
    """One line of batch output."""
    rule, source = decision.rule, decision.source
    return {
        "id": name,
        "decision": decision.outcome,
        "rule": rule.text if rule else "",
        "layer": source.layer if source else decision.decided_by,
        "source": str(source) if source else "",
        "reason": "; ".join((decision.reason, *decision.warnings)),
    }


def json_object(text: str, where: str) -> JsonObject:
    """Decode a strict JSON object. Raises ConfigError."""
    try:
        data = parse_json(text).data
    except BadJson as problem:
        raise ConfigError(f"is not valid JSON: {problem.reason}", where=where) from problem
    if not is_object(data):
        raise ConfigError("must be a JSON object", where=where)
    return data


def run_tests(args: argparse.Namespace, folder: Path, streams: Streams) -> int:
    """Run the cases of a repository; 1 when one fails. Raises ConfigError."""
    path = _test_file(args.file, folder)
    failed = total = 0
    for number, data in _test_cases(path):
        total += 1
        case = _case_here(data, folder)
        decision = case.decide()
        wanted = data.get("accept") or data.get("expect")
        wanted = wanted if is_list(wanted) else [wanted]
        passed = decision.outcome in wanted
        failed += not passed
        if args.json:
            streams.say_json({**answer(case.id, decision), "passed": passed, "expect": wanted})
        elif not passed:
            name = case.id or f"{path.name}:{number}"
            streams.say(f"FAILED {name}: expected {' or '.join(map(str, wanted))}, got {decision.outcome}")
            streams.say(f"  {decision.reason}")
    if not args.json:
        streams.say(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


def _test_file(name: str, folder: Path) -> Path:
    if name:
        return Path(name).absolute()
    for candidate in TEST_FILES:
        if (folder / candidate).exists():
            return folder / candidate
    raise ConfigError("there are no policy cases here", where=str(folder), hint=f"write {TEST_FILES[0]}")


def _test_cases(path: Path) -> Iterable[tuple[int, JsonObject]]:
    content = read_bytes(path)
    if content is None:
        raise ConfigError("there is no such file", where=str(path))
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("//"):
            yield number, json_object(line, f"{path}:{number}")


def _case_here(data: JsonObject, folder: Path) -> Case:
    """A case without rules of its own is about this repository's settings, and happens here."""
    if "rules" in data or "layers" in data:
        return read_case(data)
    layers: JsonObject = {}
    file = folder / ".claude" / "settings.json"
    content = read_bytes(file)
    if content is not None:
        layers["project"] = json_object(content.decode("utf-8-sig", "replace"), str(file))
    return read_case({"cwd": str(folder), **data, "layers": layers})


def run_lint(args: argparse.Namespace, policy: Policy, streams: Streams) -> int:
    """Print what is wrong with the rules; 1 when something is."""
    findings = lint(policy)
    if args.json:
        for finding in findings:
            streams.say_json(
                {"fault": finding.fault, "text": finding.text, "where": finding.where, "hint": finding.hint}
            )
    else:
        for line in told(findings):
            streams.say(line)
        streams.say(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


def run_suggest(args: argparse.Namespace, policy: Policy, calls: Sequence[RecordedCall], streams: Streams) -> int:
    """Print rules from use, and why there are none."""
    found = tuple(offers(calls, policy))
    if not found and not args.json:
        streams.say(_nothing_to_suggest(calls))
    for offer in found:
        if args.json:
            saves, risky = [call.call_id for call in offer.saves], [_shown(call) for call in offer.risky]
            streams.say_json({"rule": offer.rule, "saves": len(saves), "calls": saves, "risky": risky})
            continue
        times = "question" if len(offer.saves) == 1 else "questions"
        streams.say(f"{offer.rule}: saves {len(offer.saves)} {times}")
        for call in offer.risky:
            streams.say(f"  would also pass, though it was refused: {_shown(call)}")
    return 0


def _nothing_to_suggest(calls: Sequence[RecordedCall]) -> str:
    if not calls:
        return "No calls are recorded yet: rules are suggested from what you were asked in sessions."
    asked = sum(call.decision.outcome == "ask" for call in calls)
    if not asked:
        return f"Nobody was asked about any of {len(calls)} recorded calls: there is nothing to save."
    return f"No rule would save any of {asked} questions: each was refused, asks every time, or passes by now."


def run_whatif(args: argparse.Namespace, policy: Policy, calls: Sequence[RecordedCall], streams: Streams) -> int:
    """Print recorded calls with their old and new outcome."""
    total = different = 0
    for change in what_if(calls, policy):
        total += 1
        different += change.is_different
        if not (change.is_different or args.all):
            continue
        old, new = change.call.decision.outcome, change.new.outcome
        if args.json:
            streams.say_json(
                {
                    "session": change.call.session,
                    "call": change.call.call_id,
                    "what": _shown(change.call),
                    "old": old,
                    "new": new,
                    "reason": change.new.reason,
                }
            )
        else:
            streams.say(f"{old} → {new}  {_shown(change.call)}\n  {change.new.reason}")
    if not args.json:
        streams.say(f"{different} of {total} calls would be decided differently")
    return 0


def _shown(call: RecordedCall) -> str:
    text = next((value for value in call.input.values() if isinstance(value, str)), "")
    line = " ".join(text.split())
    return f"{call.tool}({line if len(line) <= 100 else line[:99] + '…'})"
