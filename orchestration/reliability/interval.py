"""How often to check what is online: the proposal for a home, in words and as a picture."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.reliability.history import ONLINE, checks_of
from orchestration.reliability.survival import CONFIDENCE, TARGET, Check, Proposal, naive, propose
from serving.home import Home

_BASIS = {
    "curve": "by a curve through what checks found after different gaps",
    "counts": "as after gaps as long; the checks found too little, or came too evenly, for a curve",
    "constant hazard": "scaled down from the shortest gap, as if rows went wrong at a steady pace: "
    "let gaps differ, some twice as long as others, for a better answer",
}


@dataclass(frozen=True)
class HomeProposal:
    """The proposal for a home; naive intervals in days, for comparison; where the picture lies."""

    checks: list[Check]
    proposal: Proposal
    naive_days: dict[str, float]
    picture: Path

    def as_json(self) -> dict[str, Any]:
        """Give the facts as the command reports them."""
        return {
            "table": ONLINE,
            "target": TARGET,
            "confidence": CONFIDENCE,
            "checks": len(self.checks),
            "rows": sum(check.rows for check in self.checks),
            "wrong": sum(check.wrong for check in self.checks),
            "days": self.proposal.days,
            "estimate": self.proposal.estimate,
            "bound": self.proposal.bound,
            "basis": self.proposal.basis,
            "naive_days": self.naive_days,
            "picture": str(self.picture),
        }


def propose_for(home: Home) -> HomeProposal:
    """Propose the interval between checks of what is online, and draw `reports/check-interval.png`.

    Raises:
        HistoryError: the log of checks tells no interval.
        CheckLogError: the log of checks cannot be read.
    """
    from orchestration.reliability.charts import draw

    checks = checks_of(home, ONLINE)
    proposal = propose(checks)
    naive_days = {
        "dropped": naive(checks, TARGET, censored="dropped"),
        "good": naive(checks, TARGET, censored="good"),
    }
    picture = home.check_interval
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(checks, proposal, naive_days, TARGET).savefig(picture, dpi=120)
    return HomeProposal(checks, proposal, naive_days, picture)


def sentence(found: HomeProposal) -> str:
    """Tell a person what is proposed, and on what grounds."""
    facts, proposal = found.as_json(), found.proposal
    return (
        f"{_caution(facts)}"
        f"Check what is online every {_time(proposal.days)}: with {CONFIDENCE:.0%} confidence no "
        f"more than {proposal.bound:.2g} of the rows are wrong then (target {TARGET:g}), "
        f"{_BASIS[proposal.basis]}.\n"
        f"From {facts['checks']:,} gaps between checks, {facts['rows']:,} rows seen after one and "
        f"{facts['wrong']:,} of them wrong. Naively: {_time(found.naive_days['dropped'])} with "
        f"rows never seen wrong dropped, {_time(found.naive_days['good'])} with them taken as "
        "good.\n"
        f"Picture: {found.picture}"
    )


def _caution(facts: dict[str, Any]) -> str:
    """Say so where not even rows that were all right could have shown that the target is kept."""
    needed = math.ceil(-math.log(1 - CONFIDENCE) / TARGET)
    if facts["rows"] >= needed:
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
