"""What settings add to the system prompt, and whether git has a part in it."""

from collections.abc import Mapping

from ..settings.layers import Settings

LONGEST = 2000
"""Characters of one setting that reach the prompt."""

_ENDINGS = {
    "commit": "End the message of every commit that you make with these lines, word for word:",
    "pr": "End the description of every pull request that you open with these lines, word for word:",
}


def tells_of_git(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether the prompt holds the state of the repository and what is to be said in it; a variable goes first."""
    off = environment.get("CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS", "")
    if off:
        return off in {"0", "false"}
    return settings.get("includeGitInstructions", default=True) is not False


def wished_words(settings: Settings, *, with_git: bool = True) -> list[tuple[str, str]]:
    """Parts of the system prompt as (source, text): the language of answers, the last lines of commits."""
    words: list[tuple[str, str]] = []
    language = _line(settings.get("language", default=""))
    if language:
        words.append(("language", f"Talk to the person in {language}, whatever language files and tools speak."))
    if with_git:
        for kind, said in _ENDINGS.items():
            text = settings.get("attribution", kind, default="")
            if isinstance(text, str) and text.strip():
                words.append(("attribution", f"{said}\n{text.strip()[:LONGEST]}"))
    return words


def _line(text: object) -> str:
    return " ".join(text.split())[:100] if isinstance(text, str) else ""
