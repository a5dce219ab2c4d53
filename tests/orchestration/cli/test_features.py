"""What a comparison of online and offline features tells a person."""

from dataclasses import replace

from feature_repo.parity_report import ParityReport
from orchestration.cli.features import sentences
from orchestration.online.publish import Materialized

FOUND = Materialized(
    keys=1200, equal=1200, different=0, missing=0, extra=0, examples=[], holds=True,
    rows=1000, bytes=2_500_000, deleted=3, unchanged=200, seconds=1.26,
)  # fmt: skip


def test_what_holds_is_two_sentences() -> None:
    assert sentences(FOUND) == (
        "Published 1,000 rows (2.5 MB) in 1.3 s; took 3 keys offline; 200 were as they are.\n"
        "All 1,200 keys are online as they are offline."
    )


def test_what_differs_is_told_with_examples() -> None:
    examples = ["a", "b"]
    other = replace(FOUND, equal=1190, missing=8, different=2, holds=False, examples=examples)
    told = sentences(other)
    assert told.splitlines()[1:] == [
        (
            "Online is NOT as offline: of 1,200 keys 1,190 are equal; 2 differ, 8 are not online. "
            "Such as:"
        ),
        "  a",
        "  b",
    ]


def test_who_only_compares_is_told_how_to_mend_it() -> None:
    told = sentences(ParityReport(9, 8, 1, 0, 0, ["a"], holds=False))
    assert told.splitlines()[-1] == "Publish what differs anew: tastemate materialize"
