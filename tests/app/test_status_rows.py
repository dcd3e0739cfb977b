"""The person's own status line on the screen."""

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.ports import StatusLineWish
from tests.app.driving import Stage, on_stage


class Line:
    """ports.StatusLine that says what it is told to, and counts."""

    def __init__(self, text: str = "", problem: str = "") -> None:
        self.wish: StatusLineWish | None = StatusLineWish(command="x", source=Source(layer="user"))
        self.text, self.problem = text, problem
        self.reads = 0

    async def read(self, columns: int, lines: int) -> str:
        self.reads += 1
        if self.problem:
            raise ConfigError(self.problem)
        return self.text

    def payload(self) -> JsonObject:
        return {"model": {"id": "m"}}


async def brought(stage: Stage, line: Line) -> None:
    stage.harness.status_line = line
    stage.app.status_refresh.soon()
    stage.app.status_refresh.soon()
    await stage.pilot.pause(0.35)
    await stage.until(lambda: line.reads)
    await stage.settled()


async def test_what_it_prints_stands_above_ours_and_harms_nothing() -> None:
    async with on_stage() as stage:
        line = Line("\x1b[31mred\x1b[0m \x1b]0;owned\x07[@click=app.quit]x[/]\n" + "w" * 500 + "\n\nthird\nfourth")
        await brought(stage, line)
        rows = stage.text().splitlines()[-4:]
        assert rows[0].strip() == "red [@click=app.quit]x[/]"
        assert rows[1].strip().endswith("…")
        assert rows[2].strip() == "third"
        assert "fourth" not in stage.text()
        assert line.reads == 1
        line.wish = None
        stage.app.status_refresh.soon()
        await stage.pilot.pause(0.35)
        await stage.until(lambda: not stage.app.main.rows.display)


async def test_a_problem_is_told_once_and_the_command_shows_all() -> None:
    async with on_stage() as stage:
        line = Line(problem="the status line failed: exit code 3")
        await brought(stage, line)
        stage.app.status_refresh.soon()
        await stage.pilot.pause(0.35)
        await stage.until(lambda: line.reads == 2)
        await stage.settled()
        assert stage.text().count("exit code 3") == 1
        await stage.say("/statusline")
        assert "Status line" in stage.text()
        assert '"id": "m"' in stage.text()
        await stage.press("escape")
        await stage.say("/statusline model and branch")
        assert "They want: model and branch" in stage.harness.prompts[-1].text
