"""Pictures: nothing in them leads elsewhere, and every text stands where its cells are."""

import re

from tests.app.driving import on_stage

from .render import CELL, offline


async def test_a_picture_links_nowhere_and_keeps_its_text():
    async with on_stage() as stage:
        await stage.say("hello [b]there[/b] ⚓ 漢字")
        svg = offline(stage.app.export_screenshot())
    assert "@font-face" not in svg
    assert not re.search(r"url\((?!#)|href=", svg)
    assert "cdn" not in svg
    assert "hello" in svg
    anchor = re.search(r'x="([\d.]+)" y="([\d.]+)"[^>]*>⚓<', svg)
    assert anchor is not None
    assert abs(float(anchor[1]) / CELL - round(float(anchor[1]) / CELL)) < 0.01
