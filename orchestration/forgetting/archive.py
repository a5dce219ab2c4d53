"""A person's lines in the archive and in quarantine."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.forgetting.person import Person
from orchestration.landing.archive import quarantined_lines, set_strays_aside
from orchestration.landing.erasing import archived, erased, rewrite
from orchestration.landing.land import alone_landing
from orchestration.landing.ledger import Ledger
from serving.home import Home

_TOUCHED = """
select distinct filename from read_parquet($files, filename = true, hive_partitioning = false)
where user_id = $pseudonym or regexp_matches(doc, $hint)
"""


@dataclass(frozen=True)
class Erased:
    """What was erased: lines, those of them that lay in quarantine, and mentions by others."""

    lines: int = 0
    quarantined: int = 0
    mentions: int = 0


def erase_lines(home: Home, person: Person) -> Erased:
    """Erase the person's own lines, and their id and pseudonym from the lines of others.

    The archive comes first: a line whose bytes have left quarantine must already count as erased.

    Raises:
        LandingBusyError: something is landing.
    """
    with alone_landing(home):
        with closing(Ledger(home)) as ledger:
            set_strays_aside(home, {entry.file_id for entry in ledger.files()})
        unreadable = _unreadable(home, person)
        done = Erased(quarantined=sum(map(len, unreadable.values())))
        for path in _touched(home, person, unreadable):
            found = _Lines(person, unreadable.get(path.relative_to(home.lines), set()))
            rewrite(path, found.without_the_person)
            done = replace(
                done, lines=done.lines + found.erased, mentions=done.mentions + found.masked
            )
        for place, numbers in unreadable.items():
            _take_out(home.quarantine / place, numbers)
    return done


class _Lines:
    """Rewrites the lines of one file, and counts."""

    def __init__(self, person: Person, unreadable: set[int]) -> None:
        self._person = person
        self._unreadable = pa.array(sorted(unreadable), pa.int64())
        self.erased = 0
        self.masked = 0

    def without_the_person(self, lines: pa.Table) -> pa.Table:
        is_theirs = pc.or_(
            pc.fill_null(pc.equal(lines["user_id"], self._person.pseudonym), False),  # noqa: FBT003 - pyarrow's order
            pc.is_in(lines["line_number"], value_set=self._unreadable),
        )
        self.erased += pc.sum(is_theirs).as_py() or 0
        lines = erased(lines, is_theirs)
        where = lines.schema.get_field_index("doc")
        return lines.set_column(where, "doc", self._without_mentions(lines["doc"]))

    def _without_mentions(self, docs: pa.ChunkedArray) -> pa.ChunkedArray:
        may_mention = pc.match_substring_regex(docs, self._person.hint)
        if not pc.any(may_mention).as_py():
            return docs
        told = docs.filter(may_mention).to_pylist()
        masked = [self._person.masked(doc) for doc in told]
        self.masked += sum(before != after for before, after in zip(told, masked, strict=True))
        may_mention = pc.fill_null(may_mention, False).combine_chunks()  # noqa: FBT003 - as above
        return pa.chunked_array(
            [pc.replace_with_mask(docs.combine_chunks(), may_mention, pa.array(masked, docs.type))]
        )


def _unreadable(home: Home, person: Person) -> dict[Path, set[int]]:
    """Find, by place in the archive, the lines in quarantine that name the person."""
    found = {}
    for path in archived(home.quarantine):
        lines = quarantined_lines(home, path)
        numbers = {number for number, line in lines if person.traces_of_unreadable(line)}
        if numbers:
            found[path.relative_to(home.quarantine)] = numbers
    return found


def _touched(home: Home, person: Person, unreadable: dict[Path, set[int]]) -> list[Path]:
    files = [str(path) for path in archived(home.lines)]
    if not files:
        return []
    asked = {"files": files, "pseudonym": person.pseudonym, "hint": person.hint}
    with duckdb.connect() as connection:
        found = {Path(file) for (file,) in connection.execute(_TOUCHED, asked).fetchall()}
    return sorted(found | {home.lines / place for place in unreadable})


def _take_out(path: Path, numbers: set[int]) -> None:
    """Take lines out of quarantine; a file that has none left goes."""
    theirs = pa.array(sorted(numbers), pa.int64())

    def others(lines: pa.Table) -> pa.Table:
        return lines.filter(pc.invert(pc.is_in(lines["line_number"], value_set=theirs)))

    rewrite(path, others)
    if not pq.read_metadata(path).num_rows:
        path.unlink()
