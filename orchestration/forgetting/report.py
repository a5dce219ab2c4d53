"""What a person reads about a forgetting; the id and the pseudonym are not in it."""

from dataclasses import dataclass

from orchestration.forgetting.forget import Forgotten
from orchestration.forgetting.proof import Found, Proof


@dataclass(frozen=True, kw_only=True)
class ForgetReport(Forgotten):
    """What the command tells of a forgetting; ``is_on_record``: whether it ever took place."""

    is_on_record: bool


@dataclass(kw_only=True)
class ProofReport(Proof):
    """What the command tells where it only looked."""

    is_on_record: bool


def sentences(done: Forgotten | None, proof: Proof, *, is_on_record: bool = True) -> str:
    """Tell what was done, if anything was, and what the proof says.

    is_on_record: whether the user was ever forgotten here; an id with a slip in it never was.
    """
    lines = _told(done, is_on_record=is_on_record) if done else []
    if not is_on_record:
        lines.append(
            "No forgetting of a user with that id is on record here. If they were to be forgotten, "
            "look whether the id is as the product writes it."
        )
    return "\n".join([*lines, *_proven(proof)])


def _told(done: Forgotten, *, is_on_record: bool) -> list[str]:
    if not done.was_in:
        refused = "What was known before now will be refused." if is_on_record else (
            "Nothing was done, and nothing of theirs will be refused: tastemate forget "
            "USER --even-if-unknown would."
        )  # fmt: skip
        return [f"Nothing is known here of that user. {refused}"]
    return [
        "The user was in:",
        *map(_place, done.was_in),
        (
            f"Erased: {done.erased.lines:,} lines ({done.erased.quarantined:,} in quarantine), "
            f"{done.erased.mentions:,} mentions by others, {done.indexes} indexes made anew, "
            f"{done.training_sets} training sets and all rebuilt days removed, "
            f"{done.records} logs and records blotted."
        ),
    ]


def _proven(proof: Proof) -> list[str]:
    stores = ", ".join(
        f"{name} {store.files:,} ({store.bytes / 1e6:.1f} MB)"
        for name, store in sorted(proof.searched.items())
    )
    return [
        f"Searched, decoded and as bytes: {stores}.",
        *(f"Not searched: {place}: {why}." for place, why in proof.left_out.items()),
        *(f"NOT REACHED: {store}: {why}." for store, why in proof.not_reached.items()),
        "STILL THERE:" if proof.found else "Neither id nor pseudonym was found.",
        *map(_place, proof.found),
    ]


def _place(found: Found) -> str:
    return f"  {found.place}: {found.what}, {found.times:,} times"
