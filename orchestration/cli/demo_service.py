"""The packaged service beside a first run: up as soon as there is something to answer with."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from serving import server
from serving.home import Home

_LOOK_EVERY_S = 0.2


@contextmanager
def service_beside(home: Home) -> Iterator[Callable[[], server.Server]]:
    """Start the service beside what is done in the block, once a first release has gone live.

    Gives what waits for it, to be called when that is done: where something was live before, which
    may have been replaced, the service starts only then. At the block's end it is ended, whatever
    has become of it.
    """
    is_done = threading.Event()
    with ExitStack() as stack, ThreadPoolExecutor(1) as beside:
        begun = beside.submit(_start_when_live, home, is_done, stack)

        def ready() -> server.Server:
            is_done.set()
            return begun.result() or stack.enter_context(server.start(home))

        try:
            yield ready
        finally:
            is_done.set()


def _start_when_live(
    home: Home, is_done: threading.Event, stack: ExitStack
) -> server.Server | None:
    """Give the service, or None where something is live already or nothing came to be."""
    if home.champion.exists():
        return None
    while not home.champion.exists():
        if is_done.wait(_LOOK_EVERY_S) and not home.champion.exists():
            return None
    return stack.enter_context(server.start(home))
