"""Paths are told from where the person is, and never so that another place is read."""

from pathlib import Path

import pytest

from rein_tui.widgets.nearby import nearby


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Edit /p/shop/cart.py", "Edit cart.py"),
        ("asks (settings, /p/shop/.claude/settings.json:7)", "asks (settings, .claude/settings.json:7)"),
        ("Denied for '/p/shop/.env' by", "Denied for '.env' by"),
        ("Edit /p/shopping/cart.py", "Edit /p/shopping/cart.py"),
        ("Edit /q/p/shop/cart.py", "Edit /q/p/shop/cart.py"),
        ("Edit /p/shop//etc/passwd", "Edit /p/shop//etc/passwd"),
        ("Edit /p/shop/~/x", "Edit /p/shop/~/x"),
        ("Edit /p/shop/ x", "Edit /p/shop/ x"),
        ("Edit /p/shop/../x", "Edit ../x"),
    ],
)
def test_a_path_is_told_from_here(text: str, told: str):
    assert nearby(text, "/p/shop") == told


def test_the_root_of_the_disk_is_no_place_to_tell_from_but_home_is():
    assert nearby("Read /etc/hosts", "/") == "Read /etc/hosts"
    assert nearby("Read /etc/hosts", "") == "Read /etc/hosts"
    assert nearby(f"Edit {Path.home()}/notes.md", "/p/shop") == "Edit ~/notes.md"
