"""Starts and stops the packaged service as a process of its own, on this computer only."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from serving import champion
from serving.bento import build, environment
from serving.home import Home
from serving.processes import ending

HOST = "127.0.0.1"
READY_WITHIN = 300.0
STOPPED_WITHIN = 15.0
GAVE_UP = b"Application startup failed"  # what uvicorn writes to the log
_OPENER = build_opener(ProxyHandler({}))


class ServerError(Exception):
    """The service did not start, or has ended; the message says why as far as its log does."""


@dataclass
class Server:
    """A running service. Leaving its `with` block stops it."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Wait until the service ends, which by itself it never should.

        Raises:
            ServerError: it has ended.
        """
        self.process.wait()
        raise ServerError(_story(self, f"the service {ending(self.process.returncode)}"))

    def stop(self) -> None:
        """Let it finish what it is answering, then end it with all its workers."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOPPED_WITHIN)
        # The group outlives its leader if a worker hangs.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(home: Home, port: int = 0, release_id: str | None = None) -> Server:
    """Serve a release, by default the champion, and return when it is ready to answer.

    *port* 0 takes one that is free.
    """
    port = _free_port(port)
    tag = build(home, release_id or champion.read(home).release_id)
    log = home.service_log(port)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 -- our own command and tag
            [sys.executable, "-m", "bentoml", "serve", tag, "--host", HOST, "--port", str(port)],
            cwd=home.root,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process=process, url=f"http://{HOST}:{port}", log=log)
    try:
        _await_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def _await_ready(server: Server) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise ServerError(_story(server, f"the service {ending(server.process.returncode)}"))
        # BentoML would start its worker again and again; each would fail alike.
        if GAVE_UP in server.log.read_bytes():
            raise ServerError(_story(server, "the service cannot start"))
        try:
            with _OPENER.open(f"{server.url}/readyz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise ServerError(_story(server, f"the service was not ready within {READY_WITHIN:.0f} s"))


def _story(server: Server, what: str) -> str:
    lines = server.log.read_text(errors="replace").splitlines()
    return f"{server.log}: {what}. Its last lines:\n" + "\n".join(lines[-20:])


def _free_port(port: int) -> int:
    """Check that nobody listens on *port*, or find one where nobody does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerError(
                f"{HOST}:{port}: {error.strerror}. Stop what listens there, or choose another "
                "port: tastemate serve --port N"
            ) from None
        return int(probe.getsockname()[1])
