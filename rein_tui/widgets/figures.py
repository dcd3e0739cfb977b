"""How figures read everywhere on the screen: ages, durations, counts, money. Short, aligned, never misleading."""


def short_age(seconds: float) -> str:
    """How long ago, in at most four characters: `now`, `5m`, `3h`, `12d`, `2y`."""
    if seconds < 60:
        return "now"
    for size, unit in ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "now"


def short_duration(seconds: float) -> str:
    """How long something took: `41 ms`, `2.4 s`, `38 s`, `3m 05s`, `1h 02m`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def elapsed(seconds: float) -> str:
    """A running clock in whole seconds: `0s`, `38s`, `3m05s`, `1h02m`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def short_count(number: int) -> str:
    """A count in at most four characters: `980`, `1.2k`, `34k`, `1.2M`."""
    if number < 1000:
        return str(number)
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            value = number / size
            return f"{value:.1f}{unit}" if value < 9.95 else f"{round(value)}{unit}"
    return str(number)


def short_cost(usd: float) -> str:
    """Money: `$0.12`, and `<$0.01` rather than a zero that is none."""
    if 0 < usd < 0.005:
        return "<$0.01"
    return f"${usd:.2f}" if usd < 100 else f"${usd:,.0f}"


def short_bytes(size: int) -> str:
    """A size for people: `812 B`, `4.7 GB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{size} B"
