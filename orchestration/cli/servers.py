"""What is told of the servers of a home: who answers with which release, and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass

from serving.servers import Serving


@dataclass(frozen=True)
class Promoted:
    """What the home's pointer says is live now, and who answers with what."""

    release_id: str
    index_id: str
    promoted_at: str
    reason: str
    servers: list[Serving]


def words(promoted: Promoted) -> str:
    """Tell it to a person, with what to do about servers that go on with another release."""
    lines = [
        f"Promoted: release {promoted.release_id}, index {promoted.index_id}.",
        *served(promoted.servers, promoted.release_id),
        *(f"To do: {what}" for what in to_start_again(promoted.servers, promoted.release_id)),
    ]
    if not promoted.servers:
        lines.append("Nobody serves this home now; whoever starts answers with it: tastemate serve")
    return "\n".join(lines)


def served(servers: list[Serving], live_id: str | None) -> Iterator[str]:
    """Tell who answers with what, a line for each server."""
    for one in servers:
        where = f"port {one.port}" if one.port else "no port of its own"
        where += "" if one.is_here else f" of {one.host}"
        is_live = one.release_id == live_id
        with_what = "what is live" if is_live else f"release {one.release_id}, which is not live"
        yield f"{where} (process {one.pid}) answers with {with_what}"


def to_start_again(servers: list[Serving], release_id: str) -> Iterator[str]:
    """Tell what to do about each server that answers with another release."""
    for one in servers:
        if one.release_id != release_id:
            again = f"tastemate serve --port {one.port}" if one.port else "as it was started"
            yield f"end process {one.pid} and serve again, to answer with what is live: {again}"
