"""What each verb gives with `--json`: the type of it, or, where there is none yet, its shape."""

import json

from orchestration.cli.doctor import Finding
from orchestration.cli.reference import shapes
from orchestration.cli.reference.json_schema import (
    ANYTHING,
    FLAG,
    TEXT,
    WHOLE,
    Schema,
    by_name,
    fixed,
    listed,
    of_type,
    whole,
)
from orchestration.forgetting.forget import Forgotten
from orchestration.forgetting.proof import Proof
from orchestration.landing import LandedFile
from orchestration.landing.replay import Replayed
from orchestration.release.diff import Difference
from orchestration.warehouse.recheck import Rechecked
from orchestration.warehouse.table_diff import Differences
from orchestration.warehouse.validate import Verdict

_HOLDS = {"holds": FLAG}
_PROOF = {"Proof": {**_HOLDS, "searched": by_name(fixed({"files": WHOLE, "bytes": WHOLE}))}}
_REASONS = by_name(fixed({"lines": WHOLE, "first_lines": listed(WHOLE)}))
_EXAMPLES = by_name(listed(by_name(ANYTHING)))

# Where fields stand beside a type, or a shape instead of one, a type is to replace them.
VALUES: dict[str, Schema] = {
    "demo": shapes.DEMO,  # a type is to replace it
    "run": shapes.RUN,  # a type is to replace it
    "ingest": of_type(list[LandedFile]),
    "validate": of_type(list[Verdict], {"Verdict": {"is_fit": FLAG, "reasons": _REASONS}}),
    "replay": of_type(list[Replayed]),
    "forget": {
        "anyOf": [
            of_type(Forgotten, {**_PROOF, "Forgotten": {"is_on_record": FLAG}}),
            of_type(Proof, {"Proof": {**_PROOF["Proof"], "is_on_record": FLAG}}),
        ]
    },
    "recheck": of_type(Rechecked, {"Rechecked": _HOLDS}),
    "rebuild": shapes.REBUILT,  # a type is to replace it
    "diff": of_type(Differences, {"Differences": {"is_equal": FLAG, "examples": _EXAMPLES}}),
    "plan": fixed({"differences": listed(TEXT), "accepted": FLAG}),  # a type is to replace it
    "materialize": fixed({**shapes.PUBLISHED, **shapes.PARITY}),  # a type is to replace it
    "parity": fixed(shapes.PARITY),  # a type is to replace it
    "evaluate": shapes.EVALUATION,  # a type is to replace it
    "release ls": listed(shapes.RELEASE),  # a type is to replace it
    "release show": shapes.CARD,  # a type is to replace it
    "release diff": of_type(
        list[Difference], {"Difference": {"first": ANYTHING, "second": ANYTHING}}
    ),
    "slo": listed(shapes.STANDING),  # a type is to replace it
    "slo --interval": shapes.PROPOSAL,  # a type is to replace it
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
