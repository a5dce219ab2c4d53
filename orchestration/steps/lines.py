"""What a person sees while a run goes on: a line per step, and the step's own steps below it.

Dagster's events are followed through a logger, so that the lines appear
however the run was started.
"""

import logging
from collections.abc import Callable

import dagster as dg

from orchestration.home.console import console
from orchestration.steps.interrupts import was_asked_to_end


class StepLines(logging.Handler):
    """Prints a line when a step starts, and one when it ended."""

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None or event.step_key is None:
            return
        line = STEP_LINES.get(event.event_type_value)
        if line is not None:
            console.print(line(event), soft_wrap=True)


def _succeeded(event: dg.DagsterEvent) -> str:
    seconds = event.step_success_data.duration_ms / 1000
    return f"  [green]✓[/green] {event.step_key} [dim]{seconds:.1f} s[/dim]"


def _failed(event: dg.DagsterEvent) -> str:
    if was_asked_to_end():
        return f"  [yellow]■ {event.step_key} stopped[/yellow]"
    return f"  [red]✗ {event.step_key} failed[/red]"


def _retried(event: dg.DagsterEvent) -> str:
    return f"  [yellow]↻ {event.step_key} failed and will be tried again[/yellow]"


STEP_LINES: dict[str, Callable[[dg.DagsterEvent], str]] = {
    "STEP_START": lambda event: f"  [bold]▸[/bold] {event.step_key}",
    "STEP_SUCCESS": _succeeded,
    "STEP_FAILURE": _failed,
    "STEP_UP_FOR_RETRY": _retried,
}


@dg.logger(description="A line per step, for a person at a terminal.")
def step_lines(_: dg.InitLoggerContext) -> logging.Logger:
    """Give Dagster the logger that prints `StepLines`."""
    logger = logging.Logger("tastemate.steps", level=logging.DEBUG)  # noqa: LOG001 - outside the tree, so nothing else prints it
    logger.addHandler(StepLines())
    return logger
