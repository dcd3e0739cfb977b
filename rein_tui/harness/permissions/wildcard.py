"""Match text against patterns with `*`, in time linear in practice and never exponential: no regular expressions."""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits a pattern in which `*` stands for any characters."""
    if "*" not in pattern:
        return pattern == text
    head, *middle, tail = pattern.split("*")
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def host_matches(pattern: str, host: str) -> bool:
    """Whether a host fits: `*.x.org` any subdomain but not x.org, a bare `*` all, other `*` within one label."""
    pattern, host = _plain(pattern), _plain(host)
    if pattern == "*":
        return bool(host)
    if pattern.startswith("*."):
        rest = pattern[1:]
        labels = rest.count(".")
        parts = host.split(".")
        tail = "." + ".".join(parts[-labels:]) if len(parts) > labels else ""
        return bool(tail) and len(parts) > labels and _labels_match(rest[1:], tail[1:])
    return _labels_match(pattern, host)


def _labels_match(pattern: str, host: str) -> bool:
    wanted, given = pattern.split("."), host.split(".")
    return len(wanted) == len(given) and all(matches(*pair) for pair in zip(wanted, given, strict=True))


def _plain(host: str) -> str:
    return host.strip().lower().removesuffix(".")
