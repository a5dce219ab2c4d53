"""Who is to be forgotten, and how they are recognised in text and bytes.

A pseudonym is recognised anywhere. An id such as 17 also stands for ratings, days and places, so
an id that could be anything counts only where a user's id stands: beside a field's name.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from mmap import mmap

from orchestration.landing.ledger import Ledger
from orchestration.landing.mapping import Mapping
from serving.home import Home
from serving.pseudonyms import Pseudonyms

DISTINCTIVE = 8
"""An id of so many characters stands for nobody else, unless it is a number."""
DISTINCTIVE_NUMBER = 17
"""So many digits are no moment either: microseconds since 1970 have sixteen."""

Bytes = bytes | mmap

# A token ends where letters, digits, a hyphen, a fraction or a byte of UTF-8 do not go on.
_BEGINS = rb"(?<![\w\x80-\xff-])(?<!\d\.)"
_ENDS = rb"(?![\w\x80-\xff-])(?!\.\d)"
# Between a field's name and its value: quotes, a colon, and MongoDB's wrapper of an id.
_NEAR = 100
_LEADS = r"[^\w]{1,12}(?:\$\w+[^\w]{1,8})?"


@dataclass(frozen=True, repr=False)
class Person:
    """One user by the product's own id and by the pseudonym, never to be written anywhere.

    fields  names under which user ids stand, beside `user_id`
    """

    user_id: str
    pseudonym: str
    fields: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, home: Home, user_id: str) -> "Person":
        """Recognise the user whom the product calls *user_id*.

        Raises:
            KeyFaultError: the home has no pseudonyms, for nothing ever landed in it.
        """
        pseudonym = Pseudonyms(home.keys).of(user_id)
        return cls(user_id, pseudonym, frozenset(_user_columns(home)))

    @property
    def is_distinctive(self) -> bool:
        """Whether the id can be told from everything else by itself."""
        least = DISTINCTIVE_NUMBER if self.user_id.isdigit() else DISTINCTIVE
        return len(self.user_id) >= least

    @property
    def columns(self) -> frozenset[str]:
        """The columns and fields in which a user's id stands."""
        return self.fields | {"user_id"}

    @property
    def hint(self) -> str:
        """A regular expression, also RE2's, that no text that names the person fails."""
        ids = "|".join(map(re.escape, self._forms))
        lead = "" if self.is_distinctive else f"(?:{'|'.join(map(re.escape, self.columns))})"
        lead = lead and lead + _LEADS
        return f"{self.pseudonym}|{lead}(?:{ids})"

    def traces(self, data: Bytes) -> Counter[str]:
        """Count how often *data* names the person, by `id` and `pseudonym`."""
        return Counter(kind for kind, _, _ in self._places(data))

    def traces_of_unreadable(self, line: bytes) -> Counter[str]:
        """Count them where nothing tells what a value means: there, any equal value counts."""
        traces = self.traces(line)
        ids = "|".join(map(re.escape, self._forms)).encode()
        anywhere = len(re.findall(_BEGINS + rb"(?:" + ids + rb")" + _ENDS, line))
        wide = sum(line.count(self.user_id.encode(code)) for code in ("utf-16-le", "utf-16-be"))
        if anywhere + wide:
            traces["id"] = anywhere + wide
        return traces

    def masked(self, document: str) -> str:
        """Put null in the person's place; what was JSON still is."""
        data = document.encode()
        for _, start, stop in sorted(self._places(data), key=lambda found: -found[1]):
            data = data[:start] + b"null" + data[stop:]
        return data.decode()

    def blotted(self, data: bytes) -> bytes:
        """Put as many x in the person's place, so that all else stays where it is."""
        for _, start, stop in self._places(data):
            data = data[:start] + b"x" * (stop - start) + data[stop:]
        return data

    def _places(self, data: Bytes) -> Iterator[tuple[str, int, int]]:
        told = self.pseudonym.encode()
        for needle in (told, bytes.fromhex(self.pseudonym)):
            start = data.find(needle)
            while start >= 0:
                yield "pseudonym", start, start + len(needle)
                start = data.find(needle, start + len(needle))
        before, after = self._before, re.compile(_ENDS)
        for needle in (form.encode() for form in self._forms):
            start = data.find(needle)
            while start >= 0:
                stop = start + len(needle)
                # Only what is near: a search of everything would take its time on long words.
                if before.search(data[max(0, start - _NEAR) : start]) and after.match(data, stop):
                    yield "id", start, stop
                start = data.find(needle, stop)

    @cached_property
    def _before(self) -> re.Pattern[bytes]:
        """Match what must stand right before the id."""
        if self.is_distinctive:
            return re.compile(_BEGINS + rb"\Z")
        own = "".join(f"|{re.escape(name)}" for name in sorted(self.fields))
        return re.compile(rf"(?<!\w)(?:(?:\w*_)?user_id{own}){_LEADS}\Z".encode())

    @cached_property
    def _forms(self) -> list[str]:
        """Give the id as it is, and as JSON writes it."""
        written = (json.dumps(self.user_id, ensure_ascii=plain)[1:-1] for plain in (True, False))
        return list(dict.fromkeys((self.user_id, *written)))


def _user_columns(home: Home) -> Iterator[str]:
    ledger = Ledger(home)
    try:
        mappings = {entry.mapping for entry in ledger.files() if entry.mapping}
    finally:
        ledger.close()
    for mapping in mappings:
        yield Mapping.model_validate_json(mapping).events.user
