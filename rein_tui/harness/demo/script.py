"""What the demo's model says and does. It looks at what really happened before it goes on."""

from collections.abc import Callable, Generator
from pathlib import Path

from ..protocol.base import JsonObject
from ..protocol.messages import Message, TextBlock, ToolResultBlock
from ..protocol.models import ModelRequest
from ..providers.scripted import Respond, ScriptedCall, Step

FIRST_PROMPT = "Find out why check_cart.py fails, and fix it."

_WELCOME = """\
Hello! I am a **script**, not a model; everything around me is real. I work in a scratch project, so say yes or no \
as you like.

I look around first. Reading needs no permission inside the project, so these three calls run *side by side*.
"""

_FOUND = """\
There is the bug: `total` multiplies by the discount instead of taking it off.

| call | expected | got |
| --- | ---: | ---: |
| `total([10, 20])` | 30.0 | 30.0 |
| `total([10, 20], discount=0.1)` | 27.0 | 3.0 |

Next I want to **edit** `cart.py`. You will see the diff before anything happens: `y` allows it once, `?` shows why \
you are asked, `e` edits my call, `n` says no.
"""

_AFTER_EDIT = """\
Done. The dim ⚓ line below the edit is a **hook** of this project: it ran after the edit and reminded me to run the \
check. Press `F3` for the hook log, with what went in and out.

Now the check. A rule in `.claude/settings.json` says that this command always asks; the question names the rule, \
the file and the line.
"""

_REFUSED_EDIT = """\
You said no, so nothing was changed, and I was told what you said. Let me at least run the check, so that you see \
the failure. A rule in `.claude/settings.json` says that this command always asks.
"""

_TURN_ONE_END = """\
{verdict}

What you can look at now:

- `F2` **Inspector**: each request and each call, with input, result, and *why* it was allowed
- `F3` **Hooks**: every hook that ran, or did not, and the reason
- `F4` **Timeline**: where the time went, also the time that you took
- `F5` **Context**: what fills the window
- `F6` **Sessions**: this one is stored like any other

Then send me anything, `go on` will do: I shall try two things that this project forbids.
"""

_CLEAN = """\
First I try to delete a file. A **PreToolUse hook** guards this project; let us see. And I try to read `.env`, which \
a **deny rule** protects. Both are stopped without asking you, and I get the reason.
"""

_ASK = "One thing that only you can know, so I ask. That is a tool too:"

_GOODBYE = """\
{thanks}That was the tour:

1. a **hook** blocked the deletion, a **deny rule** the file; `F2` opens the inspector, *Why* is a tab of each call
2. `/replay` plays this session again, step by step; nothing runs a second time
3. `Shift+Tab` changes the permission mode, `/permissions` lists every rule and lets you take grants back
4. `Ctrl+P` finds everything else, `F1` the keys that are valid now

To work with a real model: `/model`. It finds Ollama, LM Studio, llama.cpp and vLLM on this machine by itself, or \
takes a key for Claude's API.
"""

_OVER = """\
The script is over, so I can only repeat myself. Choose a model with `/model`, or leave with `Ctrl+C` twice; the \
scratch folder goes away by itself.
"""


def demo_script(root: Path) -> Respond:
    """The demo's model for a scratch project at `root`: answers each request with the next step of the tour."""
    tour = _tour(root)
    next(tour)

    def respond(request: ModelRequest) -> Step:
        return tour.send(_last_results(request))

    return respond


def _tour(root: Path) -> Generator[Step, list[ToolResultBlock], None]:
    step = _say(root)
    yield Step()
    yield step(_WELCOME, ("Read", {"file_path": "cart.py"}), ("Read", {"file_path": "check_cart.py"}), _GREP, _TODO_1)
    edited = yield step(_FOUND, _EDIT)
    did_edit = not any(r.is_error for r in edited)
    checked = yield step(_AFTER_EDIT if did_edit else _REFUSED_EDIT, _CHECK)
    passed = any("all checks passed" in str(r.content) for r in checked)
    verdict = "**All checks pass.**" if passed else "The check did not pass, as you can see in its output."
    yield step(_TURN_ONE_END.format(verdict=verdict))
    yield step(_CLEAN, ("Bash", {"command": "rm README.md", "description": "Delete a file"}), _SECRET)
    answered = yield step(_ASK, _QUESTION)
    thanks = f"Thank you. {_answer(answered)}\n\n" if answered else ""
    yield step(_GOODBYE.format(thanks=thanks))
    while True:
        yield step(_OVER)


_GREP = ("Grep", {"pattern": "total", "output_mode": "files_with_matches"})
_TODO_1 = (
    "TodoWrite",
    {
        "todos": [
            {"content": "Find the bug", "status": "in_progress", "activeForm": "Finding the bug"},
            {"content": "Fix it", "status": "pending", "activeForm": "Fixing it"},
            {"content": "Run the check", "status": "pending", "activeForm": "Running the check"},
        ]
    },
)
_EDIT = (
    "Edit",
    {
        "file_path": "cart.py",
        "old_string": "    return sum(prices) * discount if discount else sum(prices)",
        "new_string": "    return sum(prices) * (1 - discount)",
    },
)
_CHECK = ("Bash", {"command": "python3 check_cart.py", "description": "Run the project's check"})
_SECRET = ("Read", {"file_path": ".env"})
_QUESTION = (
    "AskUserQuestion",
    {
        "questions": [
            {
                "question": "What would you look at first?",
                "header": "Tour",
                "multiSelect": False,
                "options": [
                    {"label": "The inspector", "description": "Every request and call, and why it was allowed"},
                    {"label": "The hook log", "description": "What hooks did, and what they were told"},
                    {"label": "A real model", "description": "/model finds local servers by itself"},
                ],
            }
        ]
    },
)


def _say(root: Path) -> Callable[..., Step]:
    def step(text: str, *calls: tuple[str, JsonObject]) -> Step:
        return Step(
            text=text, calls=tuple(ScriptedCall(name=name, input=_rooted(i, root)) for name, i in calls), chunk=6
        )

    return step


def _rooted(tool_input: JsonObject, root: Path) -> JsonObject:
    if "file_path" in tool_input:
        return {**tool_input, "file_path": str(root / tool_input["file_path"])}
    return dict(tool_input)


def _last_results(request: ModelRequest) -> list[ToolResultBlock]:
    last: Message | None = request.messages[-1] if request.messages else None
    return [b for b in last.blocks if isinstance(b, ToolResultBlock)] if last is not None else []


def _answer(results: list[ToolResultBlock]) -> str:
    content = results[0].content if results else ""
    text = content if isinstance(content, str) else "".join(b.text for b in content if isinstance(b, TextBlock))
    answer = text.strip().rpartition('"="')[2].rstrip('"')
    return f"You answered: *{answer[:120]}*" if answer else ""
