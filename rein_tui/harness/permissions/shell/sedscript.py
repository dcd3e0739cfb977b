"""sed, as far as it only prints: a small positive grammar of its script language."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .options import read_options, table

if TYPE_CHECKING:
    from .readonly import Reading

_OPTIONS = table(
    "nEruszl",
    "e",
    long="quiet silent regexp-extended unbuffered separate null-data posix debug sandbox",
    long_valued="expression line-length:number",
    operands="pattern_then_paths",
    pattern_options="-e --expression",
    globs=False,
)
_ADDRESS = r"(?:[0-9]+(?:~[0-9]+)?|\$|/(?:[^/\\\n]|\\.)*/I?)"
_RANGE = rf"(?:{_ADDRESS}(?:[ ]*,[ ]*(?:{_ADDRESS}|[+~][0-9]+))?[ ]*!?[ ]*)?"
_SUBSTITUTE = (
    r"s(?:/(?:[^/\\\n]|\\.)*/(?:[^/\\\n]|\\.)*/|\|(?:[^|\\\n]|\\.)*\|(?:[^|\\\n]|\\.)*\||#(?:[^#\\\n]|\\.)*#(?:[^#\\\n]|\\.)*#"
    r"|,(?:[^,\\\n]|\\.)*,(?:[^,\\\n]|\\.)*,)[gpIi0-9]*"
)
_TRANSLITERATE = r"y/(?:[^/\\\n]|\\.)*/(?:[^/\\\n]|\\.)*/"
_COMMAND = rf"{_RANGE}(?:[pdPDnNgGhHx=lqQ]|[qQ][ ]?[0-9]+|{_SUBSTITUTE}|{_TRANSLITERATE})"
_SCRIPT = re.compile(rf"[ \n;]*{_COMMAND}(?:[ ]*[;\n][ \n;]*{_COMMAND})*[ \n;]*")


def sed_reading(words: Sequence[str]) -> "Reading":
    """What `sed` reads, when its script can neither write nor run anything."""
    from .readonly import Reading

    options = read_options(words, _OPTIONS)
    if options.problem:
        return Reading(problem=options.problem)
    scripts = _expressions(words) if _OPTIONS.pattern_options & options.seen.keys() else options.operands[:1]
    if not scripts or not all(len(script) <= 500 and _SCRIPT.fullmatch(script) for script in scripts):
        return Reading(problem="the sed script does more than print and replace")
    return Reading(paths=list(options.paths), globs=False)


def _expressions(words: Sequence[str]) -> list[str]:
    """Every -e script; with more than one, or in a cluster, none, so that the whole asks."""
    found = [words[index + 1] for index, word in enumerate(words[:-1]) if word in {"-e", "--expression"}]
    named = sum(1 for word in words if re.match(r"-[A-Za-z]*e|--expression", word))
    return found if named == len(found) else []
