"""Reads what the head of a GGUF model file says: architecture, context length, chat template. Loads no model."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..protocol.errors import ConfigError

_FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_LONGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GgufHead:
    """`context_length` is what the model was trained for, 0 when not told; `size` is that of the file in bytes."""

    name: str
    architecture: str
    context_length: int
    template: str
    size: int

    @property
    def takes_tools(self) -> bool:
        """Whether the model's own chat template speaks of tools."""
        return "tools" in self.template


def read_gguf(path: Path) -> GgufHead:
    """The head of a model file. Raises ConfigError when it cannot be read or is no GGUF file."""
    try:
        with path.open("rb") as file:
            fields = _fields(file)
        size = path.stat().st_size
    except OSError as error:
        raise ConfigError(f"The model file cannot be read: {error.strerror or error}", where=str(path)) from error
    except (ValueError, struct.error, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"This is not a GGUF model file: {error}", where=str(path), hint="Give a complete .gguf file."
        ) from error
    architecture = str(fields.get("general.architecture", ""))
    length = fields.get(f"{architecture}.context_length", 0)
    return GgufHead(
        name=path.stem,
        architecture=architecture,
        context_length=length if isinstance(length, int) else 0,
        template=str(fields.get("tokenizer.chat_template", "")),
        size=size,
    )


def _fields(file: BinaryIO) -> dict[str, Any]:
    if file.read(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version, _tensors, count = struct.unpack("<IQQ", _exactly(file, 20))
    if not 2 <= version <= 3:
        raise ValueError(f"version {version} is unknown")
    fields: dict[str, Any] = {}
    for _ in range(min(count, 100_000)):
        key = _string(file)
        fields[key] = _value(file, _number(file, 4))
    return fields


def _value(file: BinaryIO, kind: int) -> Any:
    """One value; arrays (the vocabulary) are passed over."""
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        _skip(file, _number(file, 4), _number(file, 8))
        return None
    layout = _FORMATS[kind] if kind in _FORMATS else _unknown(kind)
    return struct.unpack(layout, _exactly(file, struct.calcsize(layout)))[0]


def _skip(file: BinaryIO, kind: int, count: int) -> None:
    if kind in _FORMATS:
        _exactly(file, struct.calcsize(_FORMATS[kind]) * count)
        return
    for _ in range(count):
        if kind == _STRING:
            _exactly(file, _number(file, 8))
        elif kind == _ARRAY:
            _skip(file, _number(file, 4), _number(file, 8))
        else:
            _unknown(kind)


def _unknown(kind: int) -> str:
    raise ValueError(f"value type {kind} is unknown")


def _string(file: BinaryIO) -> str:
    return _exactly(file, _number(file, 8)).decode("utf-8", "replace")


def _number(file: BinaryIO, size: int) -> int:
    return int.from_bytes(_exactly(file, size), "little")


def _exactly(file: BinaryIO, size: int) -> bytes:
    if size > _LONGEST:
        raise ValueError("a length is out of bounds")
    data = file.read(size)
    if len(data) != size:
        raise EOFError("it ends in the middle of its head")
    return data
