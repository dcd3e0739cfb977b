"""`rein-tui -p` as a script sees it: a real process, a real loopback server, real files."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.chat_server import ChatServer, say, use

ROOT = Path(__file__).parent.parent


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha\n")
    return folder


def rein(
    project: Path, server: ChatServer | None, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in `project`, with a home of its own."""
    home = project.parent / "home"
    home.mkdir(exist_ok=True)
    chosen = ["--local-url", server.url, "--local-model", "m"] if server is not None else []
    keep = {k: v for k, v in os.environ.items() if k in {"PATH", "LANG", "LC_ALL", "SYSTEMROOT"}}
    return subprocess.run(
        [sys.executable, "-m", "rein_tui", *arguments, *chosen],
        cwd=project,
        env={**keep, "HOME": str(home), "PYTHONPATH": str(ROOT), **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_model_that_nobody_named_is_one_that_the_server_has(server: ChatServer, project: Path) -> None:
    server.plays(say("Here."))
    done = rein(project, None, "-p", "hello", "--local-url", server.url, "--output-format", "json")
    assert json.loads(done.stdout)["result"] == "Here."
    assert {request["model"] for request in server.requests} == {"m"}


def test_text_is_the_answer_and_nothing_else(server: ChatServer, project: Path) -> None:
    server.plays(say("All is well."))
    done = rein(project, server, "-p", "hello")
    assert (done.returncode, done.stdout) == (0, "All is well.\n")


def test_piped_text_joins_the_prompt(server: ChatServer, project: Path) -> None:
    server.plays(say("ok"))
    rein(project, server, "-p", "explain", stdin="the log says no")
    prompt = server.requests[-1]["messages"][-1]["content"]
    assert "explain" in str(prompt)
    assert "the log says no" in str(prompt)


def test_stream_json_tells_the_story_in_the_known_shapes(server: ChatServer, project: Path) -> None:
    server.plays(use("Read", file_path=str(project / "a.txt")), say("It says alpha."))
    plugin = project.parent / "hello"
    (plugin / "commands").mkdir(parents=True)
    (plugin / "commands" / "wave.md").write_text("Wave.")
    done = rein(project, server, "-p", "read it", "--output-format", "stream-json", "--plugin-dir", str(plugin))
    told = records(done)
    assert [(r["type"], r.get("subtype")) for r in told] == [
        ("system", "init"),
        ("assistant", None),
        ("user", None),
        ("assistant", None),
        ("result", "success"),
    ]
    assert told[0]["cwd"] == str(project)
    assert "Read" in told[0]["tools"]
    assert told[0]["slash_commands"] == ["hello:wave"]
    assert told[0]["plugins"] == [{"name": "hello@inline", "path": str(plugin)}]
    assert {"general-purpose", "Explore"} <= set(told[0]["agents"])
    assert told[2]["message"]["content"][0]["type"] == "tool_result"
    assert told[2]["tool_use_result"]["file"]["filePath"] == str(project / "a.txt")
    assert told[-1]["result"] == "It says alpha."
    assert len({r["session_id"] for r in told}) == 1


def test_what_would_ask_is_denied_and_says_so(server: ChatServer, project: Path) -> None:
    target = project / "new.txt"
    server.plays(use("Write", file_path=str(target), content="x"), say("I could not."))
    done = rein(project, server, "-p", "write", "--output-format", "json")
    result = json.loads(done.stdout)
    assert not target.exists()
    assert result["permission_denials"][0]["tool_name"] == "Write"
    assert "Nobody can answer here" in done.stderr


def test_allowed_tools_and_modes_let_it_pass(server: ChatServer, project: Path) -> None:
    target = project / "new.txt"
    server.plays(use("Write", file_path=str(target), content="x"), say("Done."))
    rein(project, server, "-p", "write", "--permission-mode", "acceptEdits")
    assert target.read_text() == "x"
    server.plays(use("Bash", command="touch made"), say("Done."))
    rein(project, server, "-p", "touch", "--allowedTools", "Bash(touch *)")
    assert (project / "made").exists()


def test_a_disallowed_tool_is_not_even_offered(server: ChatServer, project: Path) -> None:
    server.plays(say("ok"))
    rein(project, server, "-p", "x", "--disallowedTools", "Bash,WebFetch")
    names = {t["function"]["name"] for t in server.requests[-1]["tools"]}
    assert "Read" in names
    assert not names & {"Bash", "WebFetch"}


def test_the_turn_limit_is_an_error_result(server: ChatServer, project: Path) -> None:
    server.plays(*[use("Read", file_path=str(project / "a.txt"))] * 4)
    done = rein(project, server, "-p", "loop", "--max-turns", "2", "--output-format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["subtype"] == "error_max_turns"


def test_continue_and_resume_go_on_with_the_same_session(server: ChatServer, project: Path) -> None:
    server.plays(say("The word is plum."))
    first = json.loads(rein(project, server, "-p", "tell me a word", "--output-format", "json").stdout)
    server.plays(say("plum"))
    second = json.loads(rein(project, server, "-p", "which word?", "-c", "--output-format", "json").stdout)
    assert second["session_id"] == first["session_id"]
    assert "The word is plum." in str(server.requests[-1]["messages"])
    server.plays(say("forked"))
    note = {"type": "command", "command": "cat >>sources.jsonl"}
    settings = json.dumps({"hooks": {"SessionStart": [{"hooks": [note]}]}})
    command = ("-p", "and?", "-r", first["session_id"], "--output-format", "json", "--settings", settings)
    third = json.loads(rein(project, server, *command, "--fork-session").stdout)
    assert third["session_id"] != first["session_id"]
    assert "which word?" in str(server.requests[-1]["messages"])
    rein(project, server, *command)
    told = [json.loads(line) for line in (project / "sources.jsonl").read_text().splitlines()]
    ids = [(hook["source"], hook["session_id"]) for hook in told]
    assert ids == [("fork", third["session_id"]), ("resume", first["session_id"])]


def test_the_end_of_a_background_hook_is_told(server: ChatServer, project: Path) -> None:
    hook = {"type": "command", "command": "echo behind; touch ended", "async": True}
    settings = {"hooks": {"UserPromptSubmit": [{"hooks": [hook]}]}, "permissions": {"allow": ["Bash"]}}
    server.plays(use("Bash", command="until [ -e ended ]; do sleep 0.02; done"), say("ok"))
    flags = ("--output-format", "stream-json", "--include-hook-events", "--settings", json.dumps(settings))
    told = [r for r in records(rein(project, server, "-p", "go", *flags)) if r.get("hook_event")]
    assert [r["subtype"] for r in told] == ["hook_started", "hook_response"]
    assert told[1]["stdout"] == "behind\n"


def test_messages_on_stdin_are_turns_of_one_session(server: ChatServer, project: Path) -> None:
    server.plays(say("one"), say("two"))
    lines = [json.dumps({"type": "user", "message": {"role": "user", "content": t}}) for t in ("first", "second")]
    done = rein(
        project, server, "-p", "--input-format", "stream-json", "--output-format", "stream-json", stdin="\n".join(lines)
    )
    assert [r["result"] for r in records(done) if r["type"] == "result"] == ["one", "two"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "said"),
    [
        (("-p", "hi", "--no-such-flag"), "", 2, "--no-such-flag"),
        (("-p",), "", 2, "There is no prompt"),
        (("-p", "hi", "--settings", "{broken"), "", 1, "--settings"),
        (("-p", "hi", "--permission-mode", "yolo"), "", 2, "yolo"),
        (("-p", "hi", "--resume", "nothing-like-it"), "", 1, "nothing-like-it"),
        (("-p", "--input-format", "stream-json"), "not json\n", 1, "stdin:1"),
    ],
)
def test_bad_input_names_itself(
    server: ChatServer, project: Path, arguments: tuple[str, ...], stdin: str, code: int, said: str
) -> None:
    done = rein(project, server, *arguments, stdin=stdin)
    assert said in done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_without_any_model_it_says_what_to_do(project: Path) -> None:
    done = rein(project, None, "-p", "hi")
    assert done.returncode == 2
    assert "--local" in done.stderr
    assert "--demo" in done.stderr


def test_a_server_that_is_down_is_a_failed_turn_with_a_reason(server: ChatServer, project: Path) -> None:
    server.close()
    done = rein(project, server, "-p", "hi", "--output-format", "json")
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert result["subtype"] == "error_during_execution"
    assert "Traceback" not in done.stderr


def test_a_blocked_prompt_is_a_failure_and_leaves_the_conversation(server: ChatServer, project: Path) -> None:
    settings = project.parent / "home/.claude/settings.json"
    settings.parent.mkdir(parents=True)
    hook = {"type": "command", "command": "grep -q quagga && { echo no quaggas here >&2; exit 2; }; exit 0"}
    settings.write_text(json.dumps({"hooks": {"UserPromptSubmit": [{"hooks": [hook]}]}}))
    server.plays(say("Fine."))
    lines = [{"type": "user", "message": {"role": "user", "content": text}} for text in ("a quagga", "a cow")]
    stdin = "".join(json.dumps(line) + "\n" for line in lines)
    streams = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
    done = rein(project, server, "-p", *streams, stdin=stdin)
    blocked, fine = [record for record in records(done) if record["type"] == "result"]
    assert (blocked["subtype"], blocked["is_error"], fine["subtype"]) == ("error_during_execution", True, "success")
    assert blocked["terminal_reason"] == "hook" and "no quaggas here" in blocked["errors"][0]
    assert "a quagga" not in str(server.requests) and done.returncode == 0
    alone = rein(project, server, "-p", "a quagga")
    assert alone.returncode == 1 and alone.stdout == "" and "no quaggas here" in alone.stderr


def test_a_folder_that_nobody_trusted_runs_nothing_of_its_own(server: ChatServer, project: Path) -> None:
    (project / ".claude").mkdir()
    hook = {"type": "command", "command": f"touch {project}/hook-ran"}
    settings = {
        "permissions": {"allow": ["Bash(touch *)"], "deny": ["Read(a.txt)"]},
        "hooks": {"SessionStart": [{"hooks": [hook]}]},
    }
    (project / ".claude/settings.json").write_text(json.dumps(settings))
    plays = (use("Bash", command="touch owned"), use("Read", file_path=str(project / "a.txt")), say("hm"))
    server.plays(*plays)
    done = rein(project, server, "-p", "x")
    assert "not trusted" in done.stderr
    assert not (project / "hook-ran").exists()
    assert not (project / "owned").exists()
    assert "alpha" not in str(server.requests[-1])
    server.plays(*plays)
    rein(project, server, "-p", "x", "--trust")
    assert (project / "hook-ran").exists()
    assert (project / "owned").exists()
    assert "alpha" not in str(server.requests[-1])


def test_without_a_disk_words_go_on_and_no_call_runs(server: ChatServer, project: Path) -> None:
    (project.parent / "data").write_text("a file in the way")
    data = str(project.parent / "data")
    flags = ("--native-tools", "--permission-mode", "bypassPermissions")
    plays = (use("Bash", command="echo made > out.txt"), say("Done."))
    server.plays(*plays)
    done = rein(project, server, "-p", "go", *flags, REIN_TUI_DATA_DIR=data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Not run: the session cannot be stored" in done.stderr
    assert not (project / "out.txt").exists()
    server.plays(*plays)
    done = rein(project, server, "-p", "go", *flags, "--no-session-persistence", REIN_TUI_DATA_DIR=data)
    assert (done.returncode, done.stdout) == (0, "Done.\n"), done.stderr
    assert (project / "out.txt").read_text() == "made\n"
    server.plays(say("Hello."))
    done = rein(project, server, "-p", "hi", *flags, REIN_TUI_DATA_DIR=data)
    assert (done.returncode, done.stdout) == (0, "Hello.\n")
    assert "The session was not stored" in done.stderr


def test_a_session_leaves_no_empty_folder(server: ChatServer, project: Path) -> None:
    server.plays(say("Hello."))
    rein(project, server, "-p", "hi")
    assert not list((project.parent / "home/.local/share/rein-tui/scratch").iterdir())


def test_a_command_that_nobody_knows_fails(server: ChatServer, project: Path) -> None:
    done = rein(project, server, "-p", "/misspelt x")
    assert (done.returncode, done.stdout, server.requests) == (1, "", [])
    assert done.stderr.count("There is no command /misspelt.") == 1
