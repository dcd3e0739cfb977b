"""The scratch project of the demo: small, with one bug, two hooks and a few rules, so that every pane has a story."""

import json
import shutil
import tempfile
from pathlib import Path

_CART = '''\
"""A shopping cart, with one bug."""


def total(prices: list[float], discount: float = 0.0) -> float:
    """The sum of all prices, less the discount (0.1 is ten percent)."""
    return sum(prices) * discount if discount else sum(prices)


def cheapest(prices: list[float]) -> float:
    """The lowest price."""
    return min(prices)
'''

_TEST = '''\
"""Run me: python3 check_cart.py"""

from cart import cheapest, total

assert total([10.0, 20.0]) == 30.0
assert cheapest([3.0, 1.0, 2.0]) == 1.0
assert total([10.0, 20.0], discount=0.1) == 27.0, f"expected 27.0, got {total([10.0, 20.0], discount=0.1)}"
print("all checks passed")
'''

_GUARD = '''\
"""A PreToolUse hook: stops commands that delete, tells the model why."""

import json
import sys

call = json.load(sys.stdin)
command = call["tool_input"].get("command", "")
if "rm " in command:
    print("The project's guard hook does not allow deleting files.", file=sys.stderr)
    sys.exit(2)
'''

_REMINDER = '''\
"""A PostToolUse hook: after an edit, reminds the model of the project's check."""

import json
import sys

call = json.load(sys.stdin)
name = call["tool_input"].get("file_path", "").rsplit("/", 1)[-1]
text = f"{name} changed: run python3 check_cart.py before you say that it works."
print(json.dumps({"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": text}}))
'''

_README = """\
# The demo's scratch project

Everything that happens here is real: the tools run, the hooks fire, the rules below `.claude/` decide.
Only the model is a script. The folder is thrown away when you leave.
"""


def _settings() -> dict[str, object]:
    def hook(script: str) -> list[dict[str, str]]:
        return [{"type": "command", "command": f'python3 "$CLAUDE_PROJECT_DIR/.claude/hooks/{script}"'}]

    return {
        "permissions": {
            "allow": ["Bash(python3 --version)"],
            "ask": ["Bash(python3 check_cart.py)"],
            "deny": ["Read(.env)"],
        },
        "hooks": {
            "PreToolUse": [{"matcher": "Bash", "hooks": hook("guard.py")}],
            "PostToolUse": [{"matcher": "Edit|Write", "hooks": hook("reminder.py")}],
        },
    }


def make_scratch_project(parent: Path) -> Path:
    """Lay the demo's project into a fresh private folder below `parent` and return it."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = Path(tempfile.mkdtemp(prefix="demo-", dir=parent)) / "cart"
    (root / ".claude/hooks").mkdir(parents=True)
    files = {
        "README.md": _README,
        "cart.py": _CART,
        "check_cart.py": _TEST,
        ".env": "SHOP_KEY=not-a-real-key\n",
        ".claude/hooks/guard.py": _GUARD,
        ".claude/hooks/reminder.py": _REMINDER,
        ".claude/settings.json": json.dumps(_settings(), indent=2) + "\n",
    }
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def remove_scratch_project(root: Path) -> None:
    """Throw the project away."""
    shutil.rmtree(root.parent, ignore_errors=True)
