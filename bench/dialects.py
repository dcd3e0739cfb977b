"""How many documented outputs of models become the calls that they meant: one line a dialect.

    python -m bench.dialects              the table
    python -m bench.dialects --markdown   every output and its call, as in docs/local-models.md

Also: what never may become a call, and the CPU time of reading a stream of 50,000 tokens. The outputs are the lines of
tests/harness/providers/dialects.jsonl.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rein_tui.harness.protocol.messages import ToolUseBlock
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.providers.text_mode.mode import ToolText, read_text
from tests.harness.providers.dialect_cases import CASES, NEVER, TOOLS, Case


@dataclass(slots=True)
class Count:
    """Outputs of one dialect: read as they stood, read after a repair, not read."""

    parsed: int = 0
    repaired: int = 0
    missed: int = 0


def found(text: str) -> tuple[tuple[str, object], ...]:
    """The calls that we make of a text."""
    blocks = read_text(text, TOOLS).blocks
    return tuple((block.name, block.malformed or block.input) for block in blocks if isinstance(block, ToolUseBlock))


def counts(cases: Iterable[Case]) -> dict[str, Count]:
    """The table."""
    table: defaultdict[str, Count] = defaultdict(Count)
    for case in cases:
        count = table[case.dialect]
        parse = read_text(case.text, TOOLS).parse
        if parse is None or found(case.text) != case.calls:
            count.missed += 1
        elif parse.repairs:
            count.repaired += 1
        else:
            count.parsed += 1
    return table


def markdown() -> str:
    """Every output with its source, the call, and the repairs."""
    lines = ["| dialect | documented in | what the model wrote | the call | repairs |", "|---|---|---|---|---|"]
    for case in CASES:
        parse = read_text(case.text, TOOLS).parse
        steps = "; ".join(parse.repairs) if parse else "missed"
        calls = " · ".join(f"{name} {json.dumps(given, ensure_ascii=False)}" for name, given in found(case.text))
        cells = (case.dialect, case.source, _code(case.text), _code(calls), steps.replace("|", "\\|"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _code(text: str) -> str:
    shown = text.replace("\n", "⏎").replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    fence = "````" if "```" in shown else fence
    return f"{fence} {shown} {fence}" if len(fence) > 1 else f"{fence}{shown}{fence}"


def reading_time(tokens: int = 50_000) -> float:
    """Seconds of CPU to read prose and one long call in that many tokens."""
    reader = ToolText().reader(ModelRequest(model="m", system="", messages=(), tools=TOOLS))
    prose = ["I ", "look ", "at ", "`a` ", "and ", "b < c ", "{x}.\n"]
    began = time.process_time()
    for number in range(tokens // 2):
        list(reader.feed(prose[number % len(prose)]))
    list(reader.feed('\n<tool_call>{"name": "Write", "arguments": {"file_path": "a", "content": "'))
    for _ in range(tokens // 2):
        list(reader.feed("x = y"))
    list(reader.feed('"}}</tool_call>'))
    reader.finish(())
    return time.process_time() - began


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--markdown", action="store_true")
    if parser.parse_args().markdown:
        print(markdown())
        return
    print(f"{'dialect':<14}{'parsed':>8}{'repaired':>10}{'missed':>8}")
    total = Count()
    for name, count in counts(CASES).items():
        print(f"{name:<14}{count.parsed:>8}{count.repaired:>10}{count.missed:>8}")
        total.parsed += count.parsed
        total.repaired += count.repaired
        total.missed += count.missed
    print(f"{'all':<14}{total.parsed:>8}{total.repaired:>10}{total.missed:>8}")
    wrong = sum(bool(found(text)) for text in NEVER)
    print(f"{'no calls':<14}{len(NEVER) - wrong:>8}{'':>10}{wrong:>8}")
    print(f"reading 50,000 tokens: {reading_time():.2f} s of CPU")


if __name__ == "__main__":
    main()
