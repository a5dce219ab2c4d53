"""How long a newcomer waits: `tastemate demo` with set-up done, and a city of a million events.

python -m tests.bench.demo
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure, publish

TASTEMATE = Path(sys.executable).with_name("tastemate")
MANY = 1_000_000
GENERATE = f"""
import sys
from pathlib import Path
from orchestration.sample import generate
generate(Path(sys.argv[1]), events={MANY}, seed=0)
"""


def main() -> None:
    """Run both as processes of their own and write `.bench/demo.json`."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = _seconds(TASTEMATE, "--home", f"{scratch}/home", "demo")
        city = _seconds(sys.executable, "-c", GENERATE, f"{scratch}/city")
    publish(
        "demo",
        [
            Figure("demo, set-up done", demo / 60, "minutes", 4, "lower", "must"),
            Figure(f"a city of {MANY:,} events made", city, "s", 60, "lower", "must"),
        ],
    )


def _seconds(*command: str | Path) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
