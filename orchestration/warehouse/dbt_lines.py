"""What a person sees of a dbt build: a line per table made, read from dbt's own log."""

import io
import re

from orchestration.home.console import say

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class DbtLines(io.TextIOBase):
    """Stands for stdout while dbt's log is streamed to it: a line per table made, no more."""

    MADE = re.compile(r"OK created .* model (\S+) \.+ .*in (\S+s)\]")

    def write(self, text: str) -> int:
        """Say which model *text* says was made; the rest is in dbt's own log."""
        if found := self.MADE.search(ANSI.sub("", text)):
            say(f"{found[1]} {found[2]}")
        return len(text)
