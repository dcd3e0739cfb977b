"""/probe: what trying the model out showed, on a page."""

from rein_tui.harness.protocol.workbench import ModelProbe
from rein_tui.widgets.sheet import Sheet
from tests.app.driving import on_stage


async def test_what_the_model_wrote_is_shown_as_it_is():
    found = ModelProbe(
        model="qwen:7b",
        server="ollama 0.12",
        verdict="text",
        sent="tools tag",
        dialect="fence",
        raw='```json\n{"name": "echo"} [/bold]\n```',
    )
    async with on_stage(probed=found) as stage:
        await stage.type("/probe")
        await stage.pilot.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet))
        await stage.settled()
        text = stage.text()
        for words in ("qwen:7b writes its tool calls as text", "ollama 0.12", "prompted as tools tag", "[/bold]"):
            assert words in text


async def test_a_model_that_cannot_be_tried_out_is_told():
    async with on_stage() as stage:
        await stage.type("/probe")
        await stage.pilot.press("enter")
        await stage.until(lambda: "Only local models are tried out" in stage.text())
