"""Which sources a home takes its files from, so that a daily run looks there again."""

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from orchestration.home.atomic_files import write_atomically
from orchestration.home.console import say
from orchestration.home.sources import Registered, registered
from orchestration.home.state_files import StateFile
from orchestration.landing import LandedFile, Mapping, land, load_mapping
from orchestration.landing.kafka.config import KAFKA, load_kafka
from orchestration.landing.mapping import SAMPLE
from orchestration.landing.sources import Source, arrivals
from serving.home import Home

__all__ = [
    "Registered",
    "land_registered",
    "last_landing",
    "register",
    "registered",
    "resolve",
    "sentence",
]


def register(home: Home, entry: Registered) -> None:
    """Remember *entry*, once.

    Raises:
        LandingError: its mapping is wrong or does not fit its files, or its topics cannot be
            read; then it is not remembered, for each later run would stumble over it again.
    """
    _check(entry)
    root = home.root.resolve()
    if Path(entry.path).is_relative_to(root):
        entry = replace(entry, path=str(Path(entry.path).relative_to(root)))
    entries = registered(home)
    if entry not in entries:
        text = json.dumps([asdict(known) for known in [*entries, entry]], indent=2)
        write_atomically(home.sources, text)


def resolve(source: str, path: Path, mapping: Path | None) -> Registered:
    """Make an entry with paths that mean the same from anywhere."""
    return Registered(source, str(path.resolve()), str(mapping.resolve()) if mapping else None)


def land_registered(home: Home, day: date | None = None) -> list[LandedFile]:
    """Land what is new in each of the home's sources; tell what became of every file.

    Of a *day*, UTC, only what arrived on it: files by when they were last written. Of a topic come
    the messages up to the end of that day, for offsets land in their order.
    """
    landed = [file for entry in registered(home) for file in _land(home, entry, day)]
    last_landing(home).write(landed)
    return landed


def last_landing(home: Home) -> StateFile[list[LandedFile]]:
    """Tell where it is kept what became of every file when sources were last landed."""
    return StateFile(home.last_landed, list[LandedFile])


def _check(entry: Registered) -> None:
    if entry.source != KAFKA:
        arrivals(_source(entry), Path(entry.path))
        return
    from orchestration.landing.kafka.land import check_topics

    check_topics(load_kafka(Path(entry.path), _mapping(entry)))


def _land(home: Home, entry: Registered, day: date | None) -> list[LandedFile]:
    path = home.root / entry.path
    if entry.source != KAFKA:
        return land(home, _source(entry), path, _tell, day=day)
    from orchestration.landing.kafka.land import land_topics

    mapping = _mapping(entry)
    landed = land_topics(home, mapping, load_kafka(path, mapping), _tell, day=day)
    if not landed:
        say(f"{path.name}: no new messages")
    return landed


def _source(entry: Registered) -> Source:
    return _mapping(entry) if entry.mapping else SAMPLE


def _mapping(entry: Registered) -> Mapping:
    return load_mapping(Path(str(entry.mapping)))


def sentence(file: LandedFile) -> str:
    """Say what became of one file."""
    if file.status == "already_landed":
        also = "; its mapping has changed, and holds from the next build on"
        return f"{file.source} {file.name} ({file.kind}): already landed" + also * file.is_remapped
    landed = f"{file.name} ({file.kind}): {file.lines_in:,} lines landed"
    if file.is_truncated:
        landed += " up to where the packed data is cut off or spoilt"
    if file.returned:
        landed += (
            f", telling anew of {file.returned:,} who had been forgotten: what it tells of them "
            "counts from now on (docs/how-to/forget-a-person.md)"
        )
    unreadable = sum(file.unreadable.values())
    if not unreadable:
        return landed
    reasons = "; ".join(
        f"{count:,} {reason}, {_lines(file.first_unreadable[reason], count)}"
        for reason, count in file.unreadable.items()
    )
    told = f"{landed}, {unreadable:,} of them unreadable and kept in quarantine ({reasons})"
    if unreadable == file.lines_in:
        told += (
            ". Not one could be read: is this the mapping of these files? See what it takes and "
            "what is there: tastemate validate FILE --mapping MAPPING"
        )
    return told


def _lines(firsts: list[int], count: int) -> str:
    named = ", ".join(f"{number:,}" for number in firsts)
    return f"line{'s' if count > 1 else ''} {named}{' ...' if count > len(firsts) else ''}"


def _tell(name: str, done: int, total: int) -> None:
    if done == total:
        say(f"{name}: {total / 1e6:.1f} MB")
