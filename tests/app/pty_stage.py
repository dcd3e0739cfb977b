"""The app over fakes as a program of its own, for tests on a real pseudo-terminal."""

import signal

from rein_tui.app import ReinApp
from rein_tui.modal_prompter import ModalPrompter
from tests import stories
from tests.app.fake_harness import SESSIONS, FakeWorkbench


def main() -> None:
    """Run until the person leaves; print what the app returns."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it
    prompter = ModalPrompter(typing_pause=0, grace=0)
    bench = FakeWorkbench(lambda: [stories.fix()], prompter=prompter, stored=SESSIONS)
    print("returned:", ReinApp(bench, prompter=prompter).run())


if __name__ == "__main__":
    main()
