"""What tests of all folders share."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from unittest.mock import patch

import pytest
import redis
from xdist.scheduler import LoadScopeScheduling

# Colours, telemetry and the environment of whoever runs the tests change nothing.
for name in ("TASTEMATE_HOME", "TASTEMATE_ONLINE", "TASTEMATE_KEYS", "TASTEMATE_NOW"):
    os.environ.pop(name, None)


HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Take back what a test sets, such as what the command exports for the stock tools."""
    with patch.dict(os.environ):
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole jobs, which take longest."""
    items.sort(key=lambda item: item.path.parent != HERE)


class ByFolder(LoadScopeScheduling):
    """Keeps a folder, or a file beside the folders, on one worker: its tests share homes.

    Of `orchestration`, which takes half of the time, each room by itself.

    xdist has groups for that, but its 3.8 cannot tell pytest 9 of them.
    """

    def _split_scope(self, nodeid: str) -> str:
        _, folder, *rest = Path(nodeid.partition("::")[0]).parts
        return f"{folder}/{rest[0]}" if folder == "orchestration" else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """Let xdist share the tests out by folder."""
    return ByFolder(config, log)


class RedisServer(NamedTuple):
    """A running server: where it listens, and its process."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@pytest.fixture(scope="session")
def cannot_be_run():
    """Skip a test that something is missing for; fail it where everything is required."""

    def end(why: str) -> NoReturn:
        if os.environ.get("TASTEMATE_REQUIRE") == "all":
            pytest.fail(why)
        pytest.skip(why)

    return end


@pytest.fixture(scope="session")
def needs_command(cannot_be_run):
    """Give the path of a service; without it, the test cannot be run."""

    def need(command: str) -> str:
        found = shutil.which(command)
        if found is None:
            cannot_be_run(
                f"{command} is not installed, so this was not run: apt-get install {command}"
            )
        return found

    return need


@pytest.fixture(scope="session")
def redis_server(needs_command, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A redis-server of our own on a free loopback port."""
    server = needs_command("redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder = str(tmp_path_factory.mktemp("redis"))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with subprocess.Popen([server, *options], stdout=subprocess.DEVNULL) as process:
        client = redis.Redis(port=port)
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.02)
        yield RedisServer(port, process.pid)
        process.terminate()
