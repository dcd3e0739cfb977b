"""Strict JSON with places."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.settings.reader import BadJson, Document, decode_json, parse_json, read_json
from rein_tui.harness.settings.shapes import is_list, is_object

plain = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | plain
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4), max_leaves=20
)


def every(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(way, value)]
    if is_object(value):
        for key, item in value.items():
            found += every(item, (*way, key))
    elif is_list(value):
        for index, item in enumerate(value):
            found += every(item, (*way, index))
    return found


@given(values, st.sampled_from([None, 1, 2, "\t"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_values_and_their_places(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    document = parse_json(text)
    assert document.data == json.loads(text)
    for way, item in every(value):
        span = document.spans[way]
        assert json.loads(text[span.start : span.end]) == item or item != item
        assert document.line(*way) == text.count("\n", 0, span.key) + 1
        if way and isinstance(way[-1], str):
            assert text.startswith(json.dumps(way[-1], ensure_ascii=ascii_only), span.key)


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        document = decode_json(content, "f")
    except ConfigError as problem:
        assert problem.where.startswith("f:")
        return
    assert isinstance(document, Document)
    assert document.data == json.loads(content.decode("utf-8-sig"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ('{"a":1,}', "comma"),
        ("[1,]", "comma"),
        ('{"a":1,"a":2}', "twice"),
        ('{"a":{"b":1,"b":1}}', "twice"),
        ("NaN", "NaN"),
        ('{"a":-Infinity}', "Infinity"),
        ("1e999", "large"),
        ("1" * 5000, "digits"),
        ("[" * 100_000, "nested"),
        ('{"a":' * 1000, "nested"),
        ("{} x", "more text"),
        ("// c\n{}", "Expecting"),
        ("{'a':1}", "double quotes"),
        ('{"a" 1}', "':'"),
        ('"\\ud800"', "surrogate"),
        ('"\t"', "control"),
        ('{"a":tru}', "Expecting"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    with pytest.raises(BadJson, match=reason):
        parse_json(text)


def test_line_of_an_unknown_value_is_its_nearest_parents() -> None:
    document = parse_json('{\n "a": {\n  "b": [1,\n 2]\n}}')
    assert document.line("a", "b", 1) == 4
    assert document.line("a", "b", 7) == 3
    assert document.line("a", "c") == 2
    assert document.line("z") == 1


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none.json") is None
    folder = tmp_path / "folder"
    folder.mkdir()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    device = tmp_path / "device"
    device.symlink_to("/dev/zero")
    large = tmp_path / "large"
    large.write_bytes(b" " * (2 * 1024 * 1024 + 1))
    for path in (folder, loop, dangling, device, large):
        with pytest.raises(ConfigError):
            read_json(path)
    assert read_json(folder / "inside" / "x.json") is None
    assert read_json(large.parent / "large" / "below") is None


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(b"\xef\xbb\xbf{}")
    document = read_json(path)
    assert document is not None and document.data == {}
