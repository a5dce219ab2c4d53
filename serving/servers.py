"""Which processes serve a home: each leaves a note in `state/servers/` of what it answers with.

A release that is promoted is answered with by whoever starts after that; the notes tell who goes on
with another one.
"""

import json
import logging
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from serving.files import write_durably
from serving.home import Home

LOG = logging.getLogger("bentoml.tastemate")


@dataclass(frozen=True)
class Serving:
    """A server that answers requests.

    pid   the process that ends it: another worker takes the place of one that ends
    port  where it listens; None where it listens on no port of its own
    host  on which computer
    began_at  when the process began, in seconds since 1970, by which it is told from a later
              process of the same id
    """

    pid: int
    port: int | None
    release_id: str
    host: str
    began_at: float

    @property
    def is_here(self) -> bool:
        """Whether it runs on this computer."""
        return self.host == socket.gethostname()

    @property
    def lives(self) -> bool:
        """Whether it still runs, as far as can be told from here."""
        if not self.is_here:
            return True
        try:
            return bool(psutil.Process(self.pid).create_time() == self.began_at)
        except psutil.NoSuchProcess:
            return False


def announce(home: Home, release_id: str) -> None:
    """Leave a note that the server to which this process belongs answers with that release.

    A home that cannot be written to can be served all the same.
    """
    process = psutil.Process()
    head = _head(process)
    note = Serving(head.pid, _port(process), release_id, socket.gethostname(), head.create_time())
    try:
        home.servers.mkdir(parents=True, exist_ok=True)
        write_durably(home.server_note(note.host, note.pid), json.dumps(asdict(note)))
    except OSError as error:
        LOG.warning("%s: no note could be left of what is served here: %s", home.servers, error)


def running(home: Home) -> list[Serving]:
    """List who serves the home, by port; notes of processes that have ended are removed."""
    found = []
    for path in home.server_notes():
        try:
            note = Serving(**json.loads(path.read_text()))
        except (ValueError, TypeError, FileNotFoundError):
            continue  # of another version, or gone by now
        if note.lives:
            found.append(note)
        else:
            with suppress(OSError):  # on a disk that cannot be written to it stays
                path.unlink(missing_ok=True)
    return sorted(found, key=lambda one: (one.port or 0, one.pid))


def _head(process: psutil.Process) -> psutil.Process:
    """Find the command that was typed: ``tastemate serve`` or ``bentoml serve``."""
    head = process
    for parent in process.parents():
        try:
            names = {Path(word).name for word in parent.cmdline()}
        except psutil.Error:
            break
        if "serve" not in names or not names & {"bentoml", "tastemate"}:
            break
        head = parent
    return head


def _port(process: psutil.Process) -> int | None:
    """Find where the process listens: BentoML's own parent has opened the socket for it."""
    ports = [
        connection.laddr.port
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    return min(ports, default=None)
