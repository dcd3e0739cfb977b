"""How long one Bash decision takes: a ten-part line under 500 rules. Prints milliseconds, and the ratio to the limit.

python bench/permissions_shell.py
"""

import statistics
import time

from rein_tui.harness.permissions.shell.evaluate import evaluate
from rein_tui.harness.permissions.shell.types import Access, ShellScene
from rein_tui.harness.protocol.decisions import Outcome, PartDecision, Rule, Source

LIMIT_MS = 3.0
ROUNDS = 300
LINE = (
    "cd src && ls -la | grep -v test && git status --porcelain ; npm run build --silent && npm test -- --watch=false "
    "2>&1 | head -50 ; cargo check --all 2>/dev/null || echo 'check failed' && make lint"
)


class NoFiles:
    """A disk with nothing on it."""

    def exists(self, path: str) -> bool:
        """Nothing exists."""
        del path
        return False

    def is_dir(self, path: str) -> bool:
        """Nothing is a folder."""
        return self.exists(path)

    def realpath(self, path: str) -> str:
        """Nothing is a link."""
        return path

    def read_text(self, path: str, limit: int) -> str | None:
        """Nothing can be read."""
        del path, limit
        return None


def path_check(path: str, access: Access) -> PartDecision:
    """Everything in the project is fine."""
    del access
    return PartDecision(text=path, outcome="allow" if path.startswith("/w/proj") else "ask", reason="a bench")


def rules(behavior: Outcome, texts: list[str]) -> tuple[Rule, ...]:
    """Rules as a settings file would hold them."""
    return tuple(
        Rule(text=text, behavior=behavior, source=Source(layer="user", path="settings.json", line=line))
        for line, text in enumerate(texts, start=1)
    )


def scene() -> ShellScene:
    """500 rules: 200 allow, 100 ask, 200 deny, some of them wildcards that every text must be tried on."""
    wild = [f"Bash(*tool{index}* --force)" for index in range(20)]
    allow = ["Bash(npm *)", "Bash(cargo check *)", "Bash(make lint)", *(f"Bash(npm run task{i} *)" for i in range(197))]
    ask = [f"Bash(npm publish {i} *)" for i in range(90)] + wild[:10]
    deny = [f"Bash(danger{i}:*)" for i in range(190)] + wild[10:]
    return ShellScene(
        mode="default",
        cwd="/w/proj",
        home="/home/u",
        path_check=path_check,
        facts=NoFiles(),
        allow=rules("allow", allow),
        ask=rules("ask", ask),
        deny=rules("deny", deny),
        roots=("/w/proj",),
    )


def main() -> None:
    """Time it."""
    held = scene()
    first = time.perf_counter()
    verdict = evaluate(LINE, held)
    first = time.perf_counter() - first
    times: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        evaluate(LINE, held)
        times.append((time.perf_counter() - start) * 1000)
    median, worst = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"{len(verdict.parts)} parts, {len(verdict.trials)} trials: {verdict.outcome} ({verdict.reason})")
    print(f"median {median:.2f} ms, p95 {worst:.2f} ms, first call with imports {first * 1000:.0f} ms")
    print(f"ratio to the limit of {LIMIT_MS:g} ms: {median / LIMIT_MS:.2f}")


if __name__ == "__main__":
    main()
