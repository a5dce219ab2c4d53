"""What a person reads about a forgetting; the id and the pseudonym are not in it."""

from orchestration.forgetting.forget import Forgotten
from orchestration.forgetting.proof import Found, Proof


def sentences(done: Forgotten | None, proof: Proof) -> str:
    """Tell what was done, if anything was, and what the proof says."""
    return "\n".join([*(_told(done) if done else []), *_proven(proof)])


def _told(done: Forgotten) -> list[str]:
    if not done.was_in:
        return ["Nothing is known here of that user. What was known before now will be refused."]
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
        f"{name} {store['files']:,} ({store['bytes'] / 1e6:.1f} MB)"
        for name, store in sorted(proof.searched.items())
    )
    verdict = "Neither id nor pseudonym was found." if proof.holds else "STILL THERE:"
    return [
        f"Searched, decoded and as bytes: {stores}.",
        *(f"Not searched: {place}: {why}." for place, why in proof.left_out.items()),
        "There is no MLflow in this project.",
        verdict,
        *map(_place, proof.found),
    ]


def _place(found: Found) -> str:
    return f"  {found.place}: {found.what}, {found.times:,} times"
