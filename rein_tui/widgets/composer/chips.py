"""Chips: long pastes and images that stand in the prompt as one short word and are expanded on submission."""

import base64
import re
import struct
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from rein_tui.harness.protocol.messages import ImageBlock

FOLD_CHARACTERS = 800
FOLD_LINES = 2
"""A paste of more characters, or more lines, than these becomes a chip."""
MAX_IMAGE_BYTES = 5_000_000

_CHIP = re.compile(r"\[(?:Pasted|Image) #\d+ · [^\[\]\n]*\]")
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


class Unfolded(msgspec.Struct, frozen=True):
    """A prompt with its chips put back: the text, and the images that it mentions."""

    text: str
    images: tuple[ImageBlock, ...]


def is_long(text: str) -> bool:
    """Whether a paste should become a chip."""
    return len(text) > FOLD_CHARACTERS or text.rstrip("\n").count("\n") >= FOLD_LINES


class Chips:
    """The chips of one prompt, by their label."""

    def __init__(self) -> None:
        self._pastes: dict[str, str] = {}
        self._images: dict[str, ImageBlock] = {}
        self._count = 0

    def add_paste(self, text: str) -> str:
        """Keep a paste aside; returns the label that stands for it."""
        self._count += 1
        lines = text.rstrip("\n").count("\n") + 1
        size = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        label = f"[Pasted #{self._count} · {size}]"
        self._pastes[label] = text
        return label

    def add_image(self, image: ImageBlock, size: tuple[int, int] | None) -> str:
        """Keep an image aside; returns the label that stands for it."""
        self._count += 1
        measure = f"{size[0]}×{size[1]}" if size else image.media_type.removeprefix("image/")
        label = f"[Image #{self._count} · {measure}]"
        self._images[label] = image
        return label

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where known chips stand in `line`."""
        if "[" not in line:
            return []
        known = (m for m in _CHIP.finditer(line) if m.group() in self._pastes or m.group() in self._images)
        return [m.span() for m in known]

    def paste_at(self, line: str, column: int) -> tuple[tuple[int, int], str] | None:
        """The paste whose chip touches `column`: its span and its text."""
        for start, end in self.spans(line):
            if start <= column <= end and line[start:end] in self._pastes:
                return ((start, end), self._pastes[line[start:end]])
        return None

    def unfold(self, text: str) -> Unfolded:
        """The prompt as the model gets it: pastes in place, images beside it."""
        images: list[ImageBlock] = []

        def replaced(found: re.Match[str]) -> str:
            label = found.group()
            if label in self._images:
                images.append(self._images[label])
            return self._pastes.get(label, label)

        return Unfolded(_CHIP.sub(replaced, text), tuple(images))


def dropped_image(text: str) -> Path | None:
    """The image file that a paste names: terminals paste the path of a file that was dropped on them."""
    line = text.strip().strip("'\"")
    if not line or "\n" in line or len(line) > 4096:
        return None
    if line.startswith("file://"):
        line = unquote(urlsplit(line).path)
    path = Path(line.replace("\\ ", " "))
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".gif", ".webp"):
        return None
    return path if path.is_absolute() else None


def read_file(path: Path) -> bytes:
    """The bytes of an image file; none when it is missing, no file, or too large."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_IMAGE_BYTES:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def read_image(data: bytes, name: str) -> tuple[ImageBlock, tuple[int, int] | None] | None:
    """The image in `data` with its size in pixels; None when it is no image that models take, or too large."""
    media = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")
    if not media or len(data) > MAX_IMAGE_BYTES or (media == "image/webp" and data[8:12] != b"WEBP"):
        return None
    block = ImageBlock(media_type=media, data=base64.b64encode(data).decode(), name=name)
    return block, _measure(data, media)


def _measure(data: bytes, media: str) -> tuple[int, int] | None:
    try:
        if media == "image/png":
            width, height = struct.unpack(">II", data[16:24])
            return (width, height)
        if media == "image/gif":
            width, height = struct.unpack("<HH", data[6:10])
            return (width, height)
        if media == "image/jpeg":
            return _measure_jpeg(data)
    except struct.error:
        pass
    return None


def _measure_jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return (width, height)
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None
