import socket
from pathlib import Path

import pytest

from serving import server
from serving.home import Home


def test_a_port_that_is_taken_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((server.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(server.ServerError, match=f"{port}: Address already in use"):
            server.start(Home(tmp_path), port)
