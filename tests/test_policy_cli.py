"""`rein-tui policy`, from arguments to printed lines and exit codes."""

import argparse
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rein_tui.cli.policy import add_policy_parser, run_policy
from rein_tui.harness.permissions.cases import read_case
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Decision, PermissionReply, Suggestion
from rein_tui.harness.protocol.events import (
    Event,
    PermissionDecided,
    PermissionResolved,
    SessionStarted,
    ToolCallRequested,
)


class Shell:
    """Runs the command line against one machine."""

    def __init__(self, places: Places, folder: Path) -> None:
        self.places = places
        self.folder = folder
        self.facts: dict[str, list[Event]] = {}

    def sessions(self, names: Sequence[str]) -> Iterable[tuple[str, Iterable[Event]]]:
        return [(name, self.facts[name]) for name in names or self.facts]

    def run(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        add_policy_parser(parser.add_subparsers())
        args = parser.parse_args(["policy", *words, "--cwd", str(self.folder)])
        out, err = io.StringIO(), io.StringIO()
        code = run_policy(args, self.places, io.StringIO(stdin), out, err, self.sessions)
        return code, out.getvalue(), err.getvalue()


BAD_CASES: tuple[dict[str, Any], ...] = (
    {"command": "touch x", "cwd": "/" + "a" * 9000},
    {"command": "touch x", "home": "/" + "a" * 9000},
    {"command": "touch x", "cwd": "\0"},
    {"command": 7},
    {"command": "touch x", "mode": []},
    {"command": "touch x", "ctx": {"symlinks": "x"}},
    {"tool": "Write", "path": "/w/proj/a/x", "mode": "acceptEdits", "ctx": {"symlinks": {"/w/proj/a": "/w/proj/a"}}},
    {"tool": "Read", "path": "/proc/self/cwd/.env", "rules": {"allow": ["Read"]}},
    {"command": "$(" * 4900, "rules": {"allow": ["Bash"]}},
    {"command": "rm x;" * 200_000, "rules": {"allow": ["Bash"], "deny": ["Bash(rm *)"]}},
)


@pytest.fixture
def shell(places: Places, tmp_path: Path) -> Shell:
    folder = tmp_path / "proj"
    folder.mkdir()
    return Shell(places, folder)


def put(path: Path, text: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1), encoding="utf-8")


def test_check_explains_and_exits(shell: Shell) -> None:
    put(shell.places.user_settings, {"permissions": {"allow": ["WebSearch"], "deny": ["Read(.env)"]}})
    code, out, err = shell.run("check", "Read", json.dumps({"file_path": ".env"}))
    assert code == 4 and not err
    assert out.startswith("deny: ") and f"{shell.places.user_settings}:7" in out
    assert shell.run("check", "WebSearch")[0] == 0
    code, out, _ = shell.run("check", "WebFetch", '{"url": "https://x.org"}')
    assert code == 3 and "would pass with: WebFetch(domain:x.org)" in out
    assert shell.run("check", "WebFetch", "{}", "--mode", "dontAsk")[0] == 4
    code, out, _ = shell.run("check", "WebFetch", "{}", "--settings", '{"permissions":{"deny":["WebFetch"]}}', "--json")
    assert code == 4 and json.loads(out)["decision"]["decided_by"] == "rule"


def test_check_reports_bad_input(shell: Shell) -> None:
    for words in ("check", "check Read {", "check Read []", "check Read {} --settings nowhere"):
        code, out, err = shell.run(*words.split())
        assert code == 2 and not out and err
    put(shell.places.user_settings, '{"permissions": {,}}')
    code, out, err = shell.run("check", "Read", '{"file_path": "a"}')
    assert code == 3 and "settings.json:1" in err and "settings" in out


def test_a_folder_that_is_not_trusted_allows_nothing_by_itself(shell: Shell) -> None:
    put(shell.folder / ".claude/settings.json", {"permissions": {"allow": ["WebSearch"], "deny": ["Skill"]}})
    assert shell.run("check", "WebSearch")[0] == 3
    assert shell.run("check", "Skill", '{"skill": "x"}')[0] == 4


def test_batch_knows_only_its_cases(shell: Shell) -> None:
    put(shell.places.user_settings, {"permissions": {"allow": ["Bash"]}})
    allowing = {"allow": ["WebSearch"]}
    given: list[dict[str, Any]] = [
        {"id": "a", "command": "npm test"},
        {"id": "b", "rules": {"allow": ["Bash(npm test)"]}, "command": "npm test"},
        {"id": "c", "layers": {"managed": {"permissions": {"deny": ["mcp__x"]}}}, "tool": "mcp__x__y", "input": {}},
        {"id": "d", "command": "npm test", "interactive": False},
        {"id": "e", "tool": "Read", "path": "a.txt"},
        {"id": "f", "rules_source": "project", "trusted_folder": False, "rules": allowing, "tool": "WebSearch"},
        {"id": "g", "ctx": {"symlinks": {"/w/proj/l": "/etc/passwd"}}, "tool": "Read", "path": "l"},
        {"id": "h", "mode": "nonsense", "tool": "Read", "path": "l"},
        {"id": "i", "tool": "Edit", "path": "a", "hooks": [{"exit": 2, "stderr": "no"}]},
    ]
    code, out, _ = shell.run("check", "--batch", stdin="\n".join(map(json.dumps, given)) + "\n\nnot json\n")
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["decision"] for answer in answers] == [
        *("ask", "allow", "deny", "deny", "allow", "ask", "ask", "deny", "deny", "deny")
    ]
    assert code == 2
    assert answers[1] == {
        "id": "b",
        "decision": "allow",
        "rule": "Bash(npm test)",
        "layer": "user",
        "source": "/home/u/.claude/settings.json",
        "reason": answers[1]["reason"],
    }
    assert answers[2]["layer"] == "managed"
    assert "/etc/passwd" in answers[6]["reason"]
    assert "mode" in answers[7]["reason"]


@pytest.mark.parametrize(
    "hook",
    [
        {"exit": 1},
        {"sleep_s": 9, "timeout_s": 1},
        {"signal": "KILL"},
        {"stdout_raw": '{"hookSpecificOutput": '},
        {"stdout_repeat": {"data": "x", "times": 2_000_000}},
    ],
)
def test_described_gates_that_break_ask(hook: dict[str, Any]) -> None:
    case = {"rules": {"allow": ["WebSearch"]}, "tool": "WebSearch", "hooks": [{"matcher": "Web.*", **hook}]}
    assert read_case(case).decide().outcome == "ask"
    elsewhere = {**case, "hooks": [{"matcher": "Bash", **hook}]}
    assert read_case(elsewhere).decide().outcome == "allow"


def test_cases_of_a_repository(shell: Shell) -> None:
    put(shell.folder / ".claude/settings.json", {"permissions": {"deny": ["Read(secrets/**)"]}})
    cases: list[dict[str, Any]] = [
        {"id": "secrets", "tool": "Read", "path": "secrets/k", "expect": "deny"},
        {"id": "plain", "tool": "Read", "path": "a", "expect": "allow"},
        {"id": "own rules", "rules": {}, "tool": "Read", "path": "secrets/k", "accept": ["allow", "ask"]},
    ]
    put(shell.folder / ".claude/policy-tests.jsonl", "\n".join(map(json.dumps, cases)))
    code, out, _ = shell.run("test")
    assert code == 0 and out == "3 passed, 0 failed\n"
    put(shell.folder / "more.jsonl", json.dumps({**cases[0], "expect": "allow"}))
    code, out, _ = shell.run("test", str(shell.folder / "more.jsonl"))
    assert code == 1 and "FAILED secrets: expected allow, got deny" in out
    assert shell.run("test", str(shell.folder / "none.jsonl"))[0] == 2


def test_lint(shell: Shell) -> None:
    rules = {
        "allow": ["Bash(npm test *)", "Bash(python3 *)", "Edit(//**)", "Wrte(x)", "Write(y)", "Read(docs/**)"],
        "deny": ["Bash(npm *)", "Bash(curl http://x)", "Read(docs/**)"],
    }
    put(shell.places.user_settings, {"permissions": rules})
    code, out, _ = shell.run("lint", "--json")
    found = {(line["fault"], line["text"].split(" (")[0]) for line in map(json.loads, out.splitlines())}
    assert code == 1
    assert found >= {
        ("shadowed", "Bash(npm test *)"),
        ("shadowed", "Read(docs/**)"),
        ("broad", "Bash(python3 *)"),
        ("broad", "Edit(//**)"),
        ("escapable", "Bash(curl http://x)"),
        ("escapable", "Bash(npm *)"),
    }
    assert {fault for fault, _ in found} == {"shadowed", "broad", "misspelt", "inert", "escapable"}
    put(shell.places.user_settings, {"permissions": {"allow": ["Bash(npm test *)"], "deny": ["Read(.env)"]}})
    code, out, _ = shell.run("lint")
    assert (code, out) == (0, "0 findings\n")


def recorded(shell: Shell) -> None:
    asked = Decision(
        outcome="ask",
        reason="r",
        decided_by="default",
        suggestions=(Suggestion(rules=("WebFetch(domain:x.org)",), label="l"),),
    )
    facts: list[Event] = [SessionStarted(session_id="s", cwd=str(shell.folder))]
    calls = [("1", "https://x.org/a", "once"), ("2", "https://x.org/b", "once"), ("3", "https://x.org/secret", "deny")]
    for call_id, url, answer in calls:
        reply = PermissionReply(answer="deny" if answer == "deny" else "once")
        facts += [
            ToolCallRequested(call_id=call_id, name="WebFetch", input={"url": url}),
            PermissionDecided(call_id=call_id, decision=asked),
            PermissionResolved(request_id=call_id, call_id=call_id, reply=reply),
        ]
    shell.facts["s"] = facts


def test_suggestions_from_use(shell: Shell) -> None:
    recorded(shell)
    code, out, _ = shell.run("suggest", "--json")
    assert code == 0
    assert json.loads(out) == {
        "rule": "WebFetch(domain:x.org)",
        "saves": 2,
        "calls": ["1", "2"],
        "risky": ["WebFetch(https://x.org/secret)"],
    }
    assert "saves 2 questions" in shell.run("suggest", "s")[1]
    put(shell.places.user_settings, {"permissions": {"allow": ["WebFetch(domain:x.org)"]}})
    assert "saves" not in shell.run("suggest", "s")[1], "what a rule allows by now asks no more"


def test_what_if(shell: Shell) -> None:
    recorded(shell)
    put(shell.places.user_settings, {"permissions": {"deny": ["WebFetch"]}})
    new = '{"permissions": {"allow": ["WebFetch(domain:x.org)"]}}'
    code, out, _ = shell.run("whatif", "--settings", new)
    assert code == 0 and out.count("ask → allow") == 3
    assert out.endswith("3 of 3 calls would be decided differently\n")
    code, out, _ = shell.run("whatif", "--settings", "{}", "--json")
    assert (code, out) == (0, "")


def test_cases_that_make_no_sense_are_never_allowed(shell: Shell) -> None:
    code, out, _ = shell.run("check", "--batch", stdin="\n".join(map(json.dumps, BAD_CASES)))
    answers = [json.loads(line)["decision"] for line in out.splitlines()]
    assert code == 2 and len(answers) == len(BAD_CASES) and "allow" not in answers


def test_a_denied_file_is_denied_through_proc(shell: Shell) -> None:
    for path in ("/proc/self/cwd/.env", "/proc/1/root/w/proj/.env", "/proc/2/task/3/cwd/./x/../.env"):
        for call in ({"tool": "Read", "path": path}, {"command": f"cat {path}"}):
            case = {**call, "rules": {"deny": ["Read(.env)"]}}
            assert json.loads(shell.run("check", "--batch", stdin=json.dumps(case))[1])["decision"] == "deny"


def test_nothing_to_suggest_says_why(shell: Shell) -> None:
    code, out, _ = shell.run("suggest")
    assert code == 0 and out == "No calls are recorded yet: rules are suggested from what you were asked in sessions.\n"
    assert shell.run("suggest", "--json")[1] == ""
