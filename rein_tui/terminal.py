"""The few escape sequences that we write ourselves, beside Textual's: title, bell, notification, mouse."""

import re

from rein_tui.widgets.clipboard import past_tmux
from rein_tui.widgets.safe import safe_text

MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
BELL = "\a"
_ASKED_FOR = r"(?:\x1b\](?:[0129]|99|777);[^\x00-\x1f\x7f-\x9f]{0,1000}(?:\x07|\x1b\\)|\x07){1,8}"


def title(text: str) -> str:
    """Set the window's title."""
    return f"\x1b]0;{safe_text(text, 'label')[:80]}\a"


def notification(text: str) -> str:
    """A desktop notification: OSC 9 and OSC 777, of which terminals know one or none."""
    words = safe_text(text, "label").replace(";", ",")[:200]
    return past_tmux(f"\x1b]9;{words}\a\x1b]777;notify;rein-tui;{words}\a")


def asked_for(sequence: object) -> str:
    """What a hook may write to the terminal: titles, notifications (OSC 0, 1, 2, 9, 99, 777) and bells; else empty."""
    return sequence if isinstance(sequence, str) and re.fullmatch(_ASKED_FOR, sequence) else ""
