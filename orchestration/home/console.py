"""The console: what a person sees on stderr while work goes on."""

from rich.console import Console

from orchestration.home.hints import typed

console = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a line below the step that is running."""
    console.print(f"    [dim]{typed(text)}[/dim]", soft_wrap=True)
