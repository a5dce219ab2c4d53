"""The report for a person, as Markdown and as a page."""

import re
from html.parser import HTMLParser
from pathlib import Path

from orchestration.delivery.report_page import as_page
from orchestration.delivery.report_tables import folded_files, reason_text
from orchestration.delivery.report_text import as_markdown
from orchestration.delivery.run_report import (
    FailedCheck,
    FileCounts,
    Headline,
    RunVerdict,
    SetAside,
)
from orchestration.reliability.budget import Standing
from tests.command import ROOT
from tests.made import RANKS, run_report

WELL = RunVerdict(is_well=True, sentence="All is well.", next=[])
TO_DO = RunVerdict(
    is_well=False, sentence="Something failed.", next=["Mend it, then: tastemate run"]
)
MANY = [FileCounts(f"likes-{day}.jsonl", "likes", 10, 7, 1, 2, 0) for day in range(30)]
FIGURES = [Headline("events", 1200, 1000), Headline("people", 9, 9), Headline("NDCG", 0.25, None)]


def held(name: str) -> Standing:
    return Standing(
        table=name, indicator="freshness", target=0.99, value=1.0, met=True, budget_left=1.0,
        window_days=7.0,
    )  # fmt: skip


class _Page(HTMLParser):
    """What a browser would see, the folded parts apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._folded = 0
        self.open = ""
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._folded += tag == "details"
        told = dict(attrs)
        if tag == "a":
            self.links.append(str(told["href"]))
        if tag in {"script", "link", "img", "iframe"}:
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._folded -= tag == "details"

    def handle_data(self, data: str) -> None:
        if not self._folded:
            self.open += data


def test_the_verdict_and_three_figures_come_first() -> None:
    report = run_report(verdict=TO_DO, figures=FIGURES)
    text = as_markdown(report)
    assert text.startswith("# Something is to be done\n\nSomething failed.\n\n- Mend it, then: ")
    assert "| events | 1,200 | +200 |" in text
    assert "| people | 9 | as before |" in text
    assert "| NDCG | 0.2500 | first measured |" in text
    assert text.index("| events |") < text.index("## ")
    seen = _Page(as_page(report)).open
    order = ["Something is to be done", "Something failed.", "tastemate run", "1,200",
             "+200 since the last run", "More of the run"]  # fmt: skip
    assert sorted(order, key=seen.index) == order


def test_why_a_model_was_refused_and_lines_are_in_quarantine_stands_on_the_first_screen() -> None:
    waiting = SetAside("city", "likes", "not_json", 5, 2, "likes.jsonl", 4)
    reasons = [f"no better than {name}" for name in ("ease", "item_knn", "own", "popularity")]
    report = run_report(verdict=WELL, figures=FIGURES, refusals=reasons, quarantine=[waiting])
    text, seen = as_markdown(report), _Page(as_page(report)).open
    for told in (text, seen):
        assert "Why the model was refused" in told
        assert "no better than ease" in told
        assert "it is no JSON" in told
        assert "likes.jsonl line 4" in told
        assert "tastemate replay --dry-run" in told
    assert "| not_json | 5 | 3 | it is no JSON | likes.jsonl line 4 |" in text
    assert all(reason in text and reason in as_page(report) for reason in reasons)
    assert reasons[-1] not in seen


def test_a_reason_is_one_row_though_files_of_several_kinds_have_it() -> None:
    waiting = [SetAside("city", kind, "no_place", 2, 0, f"{kind}.jsonl", 7) for kind in ("a", "b")]
    text = as_markdown(run_report(verdict=WELL, quarantine=waiting))
    first = "a.jsonl line 7; b.jsonl line 7"
    assert f"| no_place | 4 | 4 | it names no place | {first} |" in text


def test_the_gates_own_checks_are_not_told_twice() -> None:
    gate = FailedCheck("passes_the_gate", "model/evaluation", is_warning=True, why="")
    alone = run_report(verdict=WELL, failed_checks=[gate])
    refused = run_report(verdict=WELL, failed_checks=[gate], refusals=["too slow"])
    for written in (as_markdown, as_page):
        assert "passes_the_gate" in written(alone)
        assert "passes_the_gate" not in written(refused)


def test_many_files_of_a_kind_are_one_row_that_adds_up() -> None:
    (row,) = folded_files(MANY)
    assert row == FileCounts("30 files", "likes", 300, 210, 30, 60, 0)
    assert folded_files(MANY[:3]) == MANY[:3]
    text = as_markdown(run_report(files=MANY, verdict=WELL))
    assert "| 30 files | likes | 300 | 210 | 30 | 60 | 0 |" in text
    assert "likes-7.jsonl" not in text
    page = as_page(run_report(files=MANY, verdict=WELL))
    assert "likes-7.jsonl" in page
    assert "likes-7.jsonl" not in _Page(page).open


def test_objectives_that_differ_in_their_name_alone_are_one_row() -> None:
    report = run_report(slo=[held(name) for name in "fedcba"], verdict=WELL)
    assert "| a and 5 more | freshness | 0.9900 | 1.0 | yes | 1.0 | 7.0 |" in as_markdown(report)
    assert "a, b |" not in as_markdown(report)
    assert "| a, b | freshness |" in as_markdown(run_report(slo=[held("b"), held("a")]))
    assert all(f'<td class="text">{name}</td>' in as_page(report) for name in "abcdef")


def test_the_page_leads_to_the_release_and_loads_nothing_from_outside() -> None:
    page = as_page(run_report(verdict=WELL, release_page="../releases/x/card.html"))
    assert _Page(page).links == ["../releases/x/card.html"]
    assert _Page(page).loads == []
    assert "url(" not in page
    assert not re.search(r"https?:", page)
    assert "[Its page](../releases/x/card.html)" in as_markdown(
        run_report(release_page="../releases/x/card.html")
    )


def test_words_of_others_are_escaped() -> None:
    bad = RunVerdict(is_well=False, sentence="<b>", next=["Type: tastemate validate <x>"])
    page = as_page(run_report(verdict=bad, files=[FileCounts("<i>.csv", "e", 1, 1, 0, 0, 0)]))
    assert "<code>tastemate validate &lt;x&gt;</code>" in page
    assert "&lt;i&gt;.csv" in page


def test_all_that_a_report_had_is_still_told() -> None:
    report = run_report(verdict=WELL, quality={"time": {"model": RANKS}, "loo": {"ease": RANKS}})
    for told in (as_markdown(report), as_page(report)):
        for word in ("r1", "succeeded", "model", "ease", "elt", "likes.jsonl"):
            assert word in told


def test_a_report_of_an_earlier_version_is_written_as_well() -> None:
    assert as_markdown(run_report()).startswith("# Run r1\n")
    assert "Run r1" in as_page(run_report())


def test_every_reason_that_the_docs_name_has_words() -> None:
    page = (Path(ROOT) / "docs" / "how-to" / "write-a-model.md").read_text()
    table = page.partition("Landing's reasons:")[2].partition("\n\nValues")[0]
    codes = set(re.findall(r"`([a-z0-9_]+)`", table)) - {"reason"}
    assert len(codes) > 10
    assert {code for code in codes if reason_text(code) == code} == set()
