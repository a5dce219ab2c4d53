"""The command `tastemate`, a module per kind of work; heavy imports stay inside the verbs."""

from orchestration.cli.main import main

__all__ = ["main"]
