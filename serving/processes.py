"""How a process that was started here has ended, in words."""

import signal

KILLED = "was killed, probably for want of memory"
"""What SIGKILL stands for: it leaves a process no word, and seldom comes from a person."""


def is_killed(returncode: int) -> bool:
    """Say whether a process was killed; shells and supervisors report it as 137."""
    return returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}


def ending(returncode: int) -> str:
    """Say how a process with this return code has ended."""
    return KILLED if is_killed(returncode) else f"ended with {returncode}"
