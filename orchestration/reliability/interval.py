"""How often to check what is online: the proposal for a home, in words and as a picture."""

import math
from dataclasses import dataclass

from orchestration.reliability.history import ONLINE, checks_of
from orchestration.reliability.survival import CONFIDENCE, TARGET, Basis, naive, propose
from serving.home import Home

_BASIS: dict[Basis, str] = {
    "curve": "by a curve through what checks found after different gaps",
    "counts": "as after gaps as long; the checks found too little, or came too evenly, for a curve",
    "constant hazard": "scaled down from the shortest gap, as if rows went wrong at a steady pace: "
    "let gaps differ, some twice as long as others, for a better answer",
}


@dataclass(frozen=True)
class NaiveDays:
    """Intervals from those rows alone that were seen wrong, and from all others taken as good."""

    dropped: float
    good: float


@dataclass(frozen=True)
class CheckInterval:
    """The proposal for a home, in days, and on what it rests.

    ``checks`` are the gaps between checks, after which so many ``rows`` were looked at and so many
    were ``wrong``. ``estimate`` and ``bound`` are the shares wrong after the interval proposed;
    ``naive_days`` are other intervals, for comparison. ``picture`` is a file.
    """

    table: str
    target: float
    confidence: float
    checks: int
    rows: int
    wrong: int
    days: float
    estimate: float
    bound: float
    basis: Basis
    naive_days: NaiveDays
    picture: str


def propose_for(home: Home) -> CheckInterval:
    """Propose the interval between checks of what is online, and draw `reports/check-interval.png`.

    Raises:
        HistoryError: the log of checks tells no interval.
        CheckLogError: the log of checks cannot be read.
    """
    from orchestration.reliability.charts import draw

    checks = checks_of(home, ONLINE)
    proposal = propose(checks)
    naive_days = NaiveDays(
        dropped=naive(checks, TARGET, censored="dropped"),
        good=naive(checks, TARGET, censored="good"),
    )
    picture = home.check_interval
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(checks, proposal, vars(naive_days), TARGET).savefig(picture, dpi=120)
    return CheckInterval(
        table=ONLINE,
        target=TARGET,
        confidence=CONFIDENCE,
        checks=len(checks),
        rows=sum(check.rows for check in checks),
        wrong=sum(check.wrong for check in checks),
        days=proposal.days,
        estimate=proposal.estimate,
        bound=proposal.bound,
        basis=proposal.basis,
        naive_days=naive_days,
        picture=str(picture),
    )


def sentence(proposed: CheckInterval) -> str:
    """Tell a person what is proposed, and on what grounds."""
    naive_days = proposed.naive_days
    return (
        f"{_caution(proposed.rows)}"
        f"Check what is online every {_time(proposed.days)}: with {CONFIDENCE:.0%} confidence no "
        f"more than {proposed.bound:.2g} of the rows are wrong then (target {TARGET:g}), "
        f"{_BASIS[proposed.basis]}.\n"
        f"From {proposed.checks:,} gaps between checks, {proposed.rows:,} rows seen after one and "
        f"{proposed.wrong:,} of them wrong. Naively: {_time(naive_days.dropped)} with "
        f"rows never seen wrong dropped, {_time(naive_days.good)} with them taken as "
        "good.\n"
        f"Picture: {proposed.picture}"
    )


def _caution(rows: int) -> str:
    """Say so where not even rows that were all right could have shown that the target is kept."""
    needed = math.ceil(-math.log(1 - CONFIDENCE) / TARGET)
    if rows >= needed:
        return ""
    return (
        f"Too little is known yet: what follows is no more than a bound. {needed:,} rows, all "
        "right, would show that the target is kept over a gap; until so many have been seen, check "
        "at every run.\n"
    )


def _time(days: float) -> str:
    for unit, length in (("days", 1.0), ("hours", 24.0), ("minutes", 1440.0)):
        if days * length >= 1:
            return f"{days * length:.1f} {unit}"
    return f"{days * 86_400:.2g} seconds"
