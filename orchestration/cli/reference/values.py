"""What each verb gives with `--json`, as the type that it is made of."""

import json
from dataclasses import MISSING, fields

from feature_repo.parity_report import ParityReport
from models_ml.evaluation.report import Evaluation, RecommenderFigures
from orchestration.cli.demo import Demo
from orchestration.cli.doctor import Finding
from orchestration.cli.features import Plan
from orchestration.cli.reference.json_schema import Schema, by_name, of_type, whole
from orchestration.cli.servers import Promoted
from orchestration.cli.sources import Who
from orchestration.cli.status import Status
from orchestration.delivery.run_report import RunReport
from orchestration.forgetting.report import ForgetReport, ProofReport
from orchestration.landing import LandedFile
from orchestration.landing.replay import Replayed
from orchestration.online.publish import Materialized
from orchestration.release.diff import Difference
from orchestration.release.live import ListedRelease
from orchestration.reliability.budget import Standing
from orchestration.reliability.interval import CheckInterval
from orchestration.sample.next_day import NextDay
from orchestration.warehouse.rebuild import RebuildReport
from orchestration.warehouse.recheck import Rechecked
from orchestration.warehouse.table_diff import Differences
from orchestration.warehouse.validate import Verdict
from serving.card import Card


def _card() -> Schema:
    """Describe the card as it lies there, with figures that serving does not read.

    A release that was packed by hand, or by an earlier version, may lack what has a default.
    """
    card = of_type(Card)
    card["properties"]["metrics"] = by_name(by_name(of_type(RecommenderFigures)))
    card["required"] = [
        one.name
        for one in fields(Card)
        if one.default is MISSING and one.default_factory is MISSING
    ]
    return card


VALUES: dict[str, Schema] = {
    "demo": of_type(Demo),
    "sample next-day": of_type(NextDay),
    "run": of_type(RunReport),
    "ingest": of_type(list[LandedFile]),
    "validate": of_type(list[Verdict]),
    "replay": of_type(list[Replayed]),
    "forget": of_type(ForgetReport | ProofReport),
    "who": of_type(Who),
    "recheck": of_type(Rechecked),
    "rebuild": of_type(RebuildReport),
    "diff": of_type(Differences),
    "plan": of_type(Plan),
    "materialize": of_type(Materialized),
    "parity": of_type(ParityReport),
    "evaluate": of_type(Evaluation),
    "release ls": of_type(list[ListedRelease]),
    "release show": _card(),
    "release diff": of_type(list[Difference]),
    "release promote": of_type(Promoted),
    "release rollback": of_type(Promoted),
    "status": of_type(Status),
    "slo": of_type(list[Standing]),
    "slo --interval": of_type(CheckInterval),
    "doctor": of_type(list[Finding]),
}
"""By verb; an option that changes what is given has a line of its own."""


def file_name(name: str) -> str:
    """Name the file of a schema: `release ls` has `release-ls.schema.json`."""
    return f"{'-'.join(name.replace('--', '').split())}.schema.json"


def schema_text(name: str) -> str:
    """Write the schema of what the verb *name* gives."""
    document = whole(f"tastemate {name} --json", VALUES[name])
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
