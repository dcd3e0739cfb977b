"""What a person wants done with something that is shown; whoever shows it posts, the app does it."""

from textual.message import Message


class Copied(Message):
    """`text` is to be put on the clipboard."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class LinkOpened(Message):
    """A link is to be followed. `targets` are where it really goes, several where one of them is to be chosen; ask."""

    def __init__(self, *targets: str) -> None:
        super().__init__()
        self.targets = targets
