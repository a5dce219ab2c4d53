"""What libraries say of a machine that refuses something, in one sentence that names a path."""

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.home.machine_faults import in_words, killed, words_in
from serving.home import Home

HOME = Home(Path("/h"))
NO_MEMORY = "/h: there is not enough memory. "


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), NO_MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), NO_MEMORY),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
         NO_MEMORY),
        (RuntimeError("can't start new thread"), NO_MEMORY),
        (ImportError("libx.so: failed to map segment from shared object"), NO_MEMORY),
        (RuntimeError("Out of Memory Error: Failed to allocate block (bad allocation)"), NO_MEMORY),
        (RuntimeError("Out of Memory Error: could not allocate block of size 256.0 KiB"),
         "/h: a build needs more memory than TASTEMATE_MEMORY"),
        (OSError(errno.EIO, "Input/output error", "/mnt/a.csv"), "/mnt/a.csv: it cannot be read. "),
        (OSError(errno.ESTALE, "Stale file handle", "/mnt/a.csv"), "/mnt/a.csv: it cannot be read"),
        (OSError(errno.EROFS, "Read-only file system", "/mnt/a"), "/mnt/a: it lies on a disk that"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), "/a: this user may not write"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/h"),
         "/h: no folder can be made there. Choose another: tastemate --home DIR"),
    ],
)  # fmt: skip
def test_a_fault_is_a_sentence(error: Exception, said: str) -> None:
    told = in_words(error, HOME)
    assert told
    assert told.startswith(said)


def test_what_caused_an_error_is_told() -> None:
    error = RuntimeError("it did not work")
    error.__cause__ = MemoryError()
    assert str(in_words(error, HOME)).startswith(NO_MEMORY)


@pytest.mark.parametrize(
    "error",
    [ValueError("a bug of ours"), FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere")],
)
def test_what_is_no_fault_of_the_machine_is_left_to_others(
    error: Exception, tmp_path: Path
) -> None:
    assert in_words(error, Home(tmp_path / "home")) is None


def test_who_was_killed_is_named_with_what_to_do() -> None:
    told = killed("dbt build", HOME)
    assert told.startswith("/h: dbt build was killed, probably for want of memory. End something")
    assert str(words_in("failed with exit code `-9`.", HOME)).startswith("/h: dbt was killed")


@given(st.text())
def test_of_any_text_it_says_a_line_or_nothing(text: str) -> None:
    told = words_in(text, HOME)
    assert told is None or "\n" not in told
