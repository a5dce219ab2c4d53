"""How long a step took and how much memory it peaked at."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestration.steps.interrupts import stopped_if_asked

MB_PER_KIB = 1024 / 1_000_000


@dataclass
class Measured:
    """Filled when the block ends. Seconds; peak resident memory in MB."""

    seconds: float = 0.0
    peak_mb: float = 0.0

    def metadata(self) -> dict[str, float]:
        """Give the figures as Dagster metadata."""
        return {"seconds": round(self.seconds, 3), "peak_mb": round(self.peak_mb, 1)}


@contextmanager
def measured() -> Iterator[Measured]:
    """Measure a step; an error in it that came of Ctrl-C stops it without another try."""
    result = Measured()
    _reset_peak()
    start = time.perf_counter()
    try:
        with stopped_if_asked():
            yield result
    finally:
        result.seconds = time.perf_counter() - start
        result.peak_mb = peak_mb()


def peak_mb(process: int | None = None) -> float:
    """Read the peak of resident memory of a running process, this one by default, in MB."""
    try:
        status = Path(f"/proc/{process or 'self'}/status").read_text()
        kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):  # not Linux, or the process has just ended
        kind = resource.RUSAGE_CHILDREN if process else resource.RUSAGE_SELF
        return resource.getrusage(kind).ru_maxrss * MB_PER_KIB
    return int(kib) * MB_PER_KIB


def _reset_peak() -> None:
    """Make Linux forget the peak so far; elsewhere it is the peak since the process began."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return
