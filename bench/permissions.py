"""How long a permission decision takes: 500 rules over five layers; median under 1 ms for files.

Run: python bench/permissions.py
"""

import statistics
import tempfile
import time
from pathlib import Path

from rein_tui.harness.permissions.policy import Policy
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Layer, PermissionQuery
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.load import assemble, layer_from_data

LAYERS: tuple[Layer, ...] = ("managed", "command_line", "local", "project", "user")
TEN_PARTS = " && ".join(
    "ls src;npm test;git status;cat a.txt;grep -n x a.txt;pwd;echo hi;wc -l a.txt;head a.txt;npm run build".split(";")
)


def rules(layer: str, count: int) -> JsonObject:
    """A mixed bag of file and command rules."""
    allow = [f"Edit({layer}/part{number}/**)" for number in range(count * 4 // 10)]
    allow += [f"Bash({layer}-tool{number} *)" for number in range(count * 3 // 10)] + ["Bash(npm *)"]
    deny = [f"Read({layer}{number}/**/*.pem)" for number in range(count * 2 // 10)] + [f"Read(.env.{layer})"]
    ask = [f"Read(//srv/{layer}/{number}/**)" for number in range(count // 10)]
    return {"permissions": {"allow": allow, "deny": deny, "ask": ask}}


def build(root: Path) -> Policy:
    """A policy of 500 rules."""
    home = root / "home"
    project = root / "proj"
    (project / "src").mkdir(parents=True)
    (project / "src" / "a.py").write_text("x")
    home.mkdir()
    layers = [layer_from_data(name, f"/s/{name}.json", rules(name, 98), str(project))[0] for name in LAYERS]
    places = Places(home=home, config=home / ".claude", managed=root / "etc", data=root / "data", cache=root / "cache")
    workspace = Workspace(root=project, cwd=project, home=home, trusted=True)
    return Policy(assemble(layers, (), {}, True), workspace, places)


def measure(policy: Policy, query: PermissionQuery, rounds: int = 300) -> str:
    """Median and 95th percentile of one decision in milliseconds."""
    policy.decide(query)
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        policy.decide(query)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return f"median {statistics.median(times):.3f} ms, 95 % {times[int(rounds * 0.95)]:.3f} ms"


def main() -> None:
    """Print one line a case."""
    with tempfile.TemporaryDirectory() as folder:
        policy = build(Path(folder).resolve())
        path = f"{policy.root}/src/a.py"
        cases: dict[str, PermissionQuery] = {
            "Read": PermissionQuery(tool="Read", input={"file_path": path}, cwd=policy.root),
            "Edit": PermissionQuery(tool="Edit", input={"file_path": path}, cwd=policy.root),
            "Bash, ten parts": PermissionQuery(tool="Bash", input={"command": TEN_PARTS}, cwd=policy.root),
            "MCP": PermissionQuery(tool="mcp__a__b", input={}, cwd=policy.root),
        }
        print(f"{len(policy.rules)} rules over {len(LAYERS)} layers")
        for name, query in cases.items():
            print(f"{name:16} {measure(policy, query)}")
        start = time.perf_counter()
        for _ in range(300):
            policy.hides(path)
        print(f"{'search filter':16} {(time.perf_counter() - start) / 300 * 1000:.3f} ms a file")


if __name__ == "__main__":
    main()
