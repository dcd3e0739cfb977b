"""Text in files: which encoding, which line ends, and back again byte for byte where nothing changed."""

import codecs
import re
from dataclasses import dataclass

PROBED = 8 * 1024
"""Bytes at the start of a file that tell whether it is binary."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes are text. `mark` is its byte order mark; `errors` makes decoding lossless."""

    name: str = "utf-8"
    mark: bytes = b""
    errors: str = "surrogateescape"

    def decode(self, data: bytes) -> str:
        """Bytes to text, without the mark."""
        return data.removeprefix(self.mark).decode(self.name, self.errors)

    def encode(self, text: str) -> bytes:
        """Text to bytes, with the mark. Raises UnicodeEncodeError for what the encoding does not have."""
        return self.mark + text.encode(self.name, self.errors)


def find_encoding(data: bytes) -> Encoding:
    """The encoding of a file's bytes: by mark, else UTF-8, else a one-byte encoding if nothing in it is UTF-8."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Encoding(name, mark, "surrogateescape" if name == "utf-8" else "surrogatepass")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return Encoding() if _MULTIBYTE.search(data) else _one_byte(data)
    return Encoding()


def _one_byte(data: bytes) -> Encoding:
    if re.search(rb"[\x80-\x9f]", data):
        try:
            data.decode("cp1252")
        except UnicodeDecodeError:
            return Encoding("latin-1", errors="strict")
        return Encoding("cp1252", errors="strict")
    return Encoding("latin-1", errors="strict")


def is_binary(start: bytes) -> bool:
    """Whether a file that starts so is no text: a NUL byte in its first PROBED bytes, and no mark of UTF-16 or 32."""
    return b"\0" in start[:PROBED] and not is_wide(start)


def is_wide(start: bytes) -> bool:
    """Whether a file that starts so is marked as UTF-16 or UTF-32."""
    return any(start.startswith(mark) for mark, name in _MARKS if name != "utf-8")


def line_end(text: str) -> str:
    """The line end that most lines have."""
    windows = text.count("\r\n")
    return "\r\n" if windows > text.count("\n") - windows else "\n"


def shown(text: str) -> str:
    """Text that can go anywhere: undecodable bytes as replacement characters, Windows line ends as newlines."""
    return text.replace("\r\n", "\n").encode("utf-8", "replace_surrogates").decode("utf-8")


def _replace_surrogates(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "\N{REPLACEMENT CHARACTER}".encode() * (error.end - error.start), error.end


codecs.register_error("replace_surrogates", _replace_surrogates)
