"""What small commands cost: processor time beside commit d71da48, in one run.

python -m tests.bench.commands

Both builds make the demo's home each for itself; then each command is typed in turn on the one and
the other. Processor time is that of the process and of all that it starts and waits for, and after
each command nothing that it started may be left running.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from serving.home import Home
from tests.bench.before import built
from tests.bench.figures import Figure, publish
from tests.made import another_release

BEFORE = "d71da48"
ROUNDS = 5
SMALL_S, NOTHING_NEW_S = 1.0, 4.0
LEFT_WITHIN_S = 10.0
"""How long what a command has started may take to end after it."""


@dataclass(frozen=True)
class Command:
    """A command, what it may cost, and whether the build before has it."""

    typed: Callable[[Home], list[str]]
    most_s: float | None = None
    is_new: bool = False


def _plainly(*words: str) -> Callable[[Home], list[str]]:
    return lambda _: list(words)


def _live_first(home: Home) -> list[str]:
    return sorted(path.name for path in home.releases.iterdir() if path.is_dir())


COMMANDS = {
    "env": Command(_plainly("env"), SMALL_S),
    "status": Command(_plainly("status"), SMALL_S, is_new=True),
    "doctor": Command(_plainly("doctor"), SMALL_S),
    "release ls": Command(_plainly("release", "ls"), SMALL_S),
    "release show": Command(lambda home: ["release", "show", _live_first(home)[0]], SMALL_S),
    "release promote": Command(lambda home: ["release", "promote", _live_first(home)[0]], SMALL_S),
    "release rollback": Command(_plainly("release", "rollback"), SMALL_S),
    "slo": Command(_plainly("slo"), SMALL_S),
    "run, nothing new": Command(_plainly("run"), NOTHING_NEW_S),
    "plan": Command(_plainly("plan")),
    "materialize, nothing new": Command(_plainly("materialize")),
    "parity": Command(_plainly("parity")),
}


def main() -> None:
    """Measure both builds and write `.bench/commands.json`."""
    sides = {"now": Path(sys.executable).with_name("tastemate"), "before": built(BEFORE)}
    with tempfile.TemporaryDirectory() as scratch:
        homes = {side: Home(Path(scratch) / side) for side in sides}
        for side, tastemate in sides.items():
            click.echo(f"{side}: the demo's home")
            _cost(tastemate, homes[side], ["demo"])
            # A second release, so that there is one to go back to; both are known to MLflow.
            other = another_release(homes[side])
            for release_id in (other, *(one for one in _live_first(homes[side]) if one != other)):
                _cost(tastemate, homes[side], ["release", "promote", release_id])
            _cost(tastemate, homes[side], ["run"])
        figures = [
            figure
            for name, command in COMMANDS.items()
            for figure in _figures(name, command, sides, homes)
        ]
    publish("commands", figures)


def _figures(
    name: str, command: Command, sides: dict[str, Path], homes: dict[str, Home]
) -> list[Figure]:
    measured = [side for side in sides if side == "now" or not command.is_new]
    costs: dict[str, list[float]] = {side: [] for side in measured}
    for _ in range(ROUNDS):
        for side in measured:
            costs[side].append(_cost(sides[side], homes[side], command.typed(homes[side])))
    now = statistics.median(costs["now"])
    figures = [Figure(name, now, "s of processor time", command.most_s, "lower", "must")]
    if not command.is_new:
        before = statistics.median(costs["before"])
        figures += [
            Figure(f"{name}, {BEFORE}", before, "s of processor time", None, "lower", "goal"),
            Figure(f"{name}, ratio to {BEFORE}", now / before, "", None, "lower", "goal"),
        ]
    click.echo("; ".join(f"{figure.name} {figure.value:.2f}" for figure in figures))
    return figures


def _cost(tastemate: Path, home: Home, typed: list[str]) -> float:
    """Type a command; give the processor time of it and of all that it started."""
    command = [tastemate, "--home", home.root, *typed]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {said[-2000:]}")
    until = time.monotonic() + LEFT_WITHIN_S
    while _is_any_left(process.pid):
        if time.monotonic() > until:
            raise RuntimeError(f"{' '.join(typed)} left something running.")
        time.sleep(0.05)
    return used.ru_utime + used.ru_stime


def _is_any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
