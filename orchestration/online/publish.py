"""Publishing features, and comparing what is online with what it should be.

Feast is imported by who publishes, not by who reads what was found.
"""

from dataclasses import dataclass

from feature_repo.parity_report import ParityReport
from orchestration.home.console import say
from orchestration.online.comparison import last_comparison
from orchestration.reliability.history import ONLINE, LoggedCheck, remember
from serving.home import Home, now


class NothingPublishedError(RuntimeError):
    """The online store in use has never been filled."""


@dataclass(frozen=True)
class Materialized(ParityReport):
    """What was published, and how online compares with offline now."""

    rows: int
    bytes: int
    deleted: int
    unchanged: int
    seconds: float


def publish_and_compare(home: Home, *, may_take_offline: bool = False) -> Materialized:
    """Publish, compare every key, and publish anew in full once if they differ.

    A store that somebody wrote to by hand is mended that way; what still differs is left to
    whoever looks at the figures.

    Raises:
        OnlineStoreUnavailable: the online store does not answer.
        TooManyOfflineError: many keys would go offline, and they may not be taken.
    """
    from feature_repo import publish

    published = publish.publish(home.root, progress=_tell, may_take_offline=may_take_offline)
    first = last = _compared(home)
    if not first.holds:
        say("online differs from offline; publishing every row anew")
        published = publish.publish(
            home.root, progress=_tell, full=True, may_take_offline=may_take_offline
        )
        last = _compared(home)
    # How the rows did since the last check is what the first comparison found.
    _remember(home, first, is_right_after=last.holds)
    return Materialized(**vars(last), **vars(published))


def compare(home: Home) -> ParityReport:
    """Compare online and offline features for every key; keep the figures for the run report.

    What was found is added to the log of checks.

    Raises:
        NothingPublishedError: the store in use was never filled, so it cannot differ.
    """
    from feature_repo.still_online import never_filled

    unused = never_filled(home.root)
    if unused:
        raise NothingPublishedError(
            f"{unused}: nothing of this home was ever put into this online store, so there is "
            "nothing to compare. Fill it: tastemate materialize; or look at TASTEMATE_ONLINE."
        )
    compared = _compared(home)
    _remember(home, compared, is_right_after=compared.holds)
    return compared


def _compared(home: Home) -> ParityReport:
    from feature_repo import parity

    compared = parity.check(home.root)
    last_comparison(home).write(compared)
    return compared


def _remember(home: Home, compared: ParityReport, *, is_right_after: bool) -> None:
    wrong = compared.keys - compared.equal
    remember(home, LoggedCheck(ONLINE, now().isoformat(), compared.keys, wrong, is_right_after))


def _tell(view: str, done: int, todo: int) -> None:
    if done == todo or done % 20_000 == 0:
        say(f"{view}: {done:,} of {todo:,} rows")
