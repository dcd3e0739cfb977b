"""Where auto memory of a project lies: notes that an assistant of the ecosystem kept for itself. We only read them."""

from pathlib import Path

from ..places import Places
from ..settings.layers import Settings

NAME = "MEMORY.md"


def remembered_in(settings: Settings, places: Places, root: Path) -> Path | None:
    """The file, whether it exists or not; None where settings switch auto memory off.

    Another folder may be named by the person and the administrator only: a project's files could point anywhere.
    """
    if settings.get("autoMemoryEnabled", default=True) is False:
        return None
    folder = settings.get("autoMemoryDirectory", default="")
    if folder:
        given = Path(folder)
        return (places.home.joinpath(*given.parts[1:]) if given.parts[:1] == ("~",) else places.config / given) / NAME
    dashed = "".join(c if c.isascii() and c.isalnum() else "-" for c in str(root))
    return places.config / "projects" / dashed / "memory" / NAME
