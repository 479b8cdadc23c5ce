"""The page that is sent: what is in it, that it holds no markup from outside, and that it stays small."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from zoo import limits
from zoo.catalog import catalog_named
from zoo.charts import plotly_script
from zoo.cli import main
from zoo.comparison import disagreement
from zoo.complexity import count
from zoo.errors import BudgetError, InputError, UnknownIdError
from zoo.evaluation.summary import ClassFigure, Summary, to_json
from zoo.images import Picture, read_image
from zoo.prediction import predict
from zoo.report import Decision, make_report
from zoo.selection import answer, counted_at, with_counted
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"
EVIL = "<img src=x onerror=alert(1)>&\"'"


class Page(HTMLParser):
    """A page as its reader sees it: text, table cells, elements, charts; scripts apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.charts: dict[str, dict[str, object]] = {}
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self._chart: str | None = None
        self._hidden = False
        self._cell = False
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._hidden = tag in ("script", "style")
        self._chart = dict(attrs).get("data-chart") if tag == "script" else None
        self._cell = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        if self._cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = self._cell = False

    def handle_data(self, data: str) -> None:
        if self._chart is not None:
            self.charts[self._chart] = json.loads(data)
            self._chart = None
        elif not self._hidden:
            self.words.append(data)
            if self._cell:
                self.rows[-1][-1] += data

    def row(self, name: str) -> list[str]:
        """The first row of a table whose first cell begins so."""
        return next(row for row in self.rows if row and row[0].startswith(name))


def picture() -> Picture:
    rng = np.random.default_rng(1)
    return read_image(rng.integers(0, 256, (96, 128, 3), np.uint8), "street.jpg")


def measured(**change: object) -> Summary:
    base = Summary(
        id=UNET,
        weights="bundled weights",
        miou=62.59,
        accuracy=89.62,
        classes=(ClassFigure("sky", 91.46, 500), ClassFigure("pole", None, 0)),
        images=233,
        rules={"void": "left out"},
        size=Size(480, 352),
        counted_gmacs=1.2123,
        num_classes=11,
        interval=(61.1, 63.8),
        confusion=((490, 10), (0, 0)),
    )
    return replace(base, **change)  # type: ignore[arg-type]


def test_it_holds_question_answer_table_sources_and_link() -> None:
    html = make_report(Decision("Cityscapes", 4, rows=(UNET, FPN)))
    page = Page(html)
    catalog = catalog_named("published")
    found = answer(catalog.table, "Cityscapes", max_cost=4)
    assert "Which network for Cityscapes within 4 GMACs, as published?" in page.text
    assert found.text in page.text
    assert page.row("MobileNetV2+FPNLite")[1:5] == [
        "768x384",
        "70.39",
        "3.84",
        f"{count(FPN, 768, 384).macs / 1e9:.4f}",
    ]
    assert page.row("MobileNetV2+FPNLite (the answer)")[5:7] == ["yes", "yes"]
    side = next(row for row in page.rows if row and row[0].startswith("MobileNetV2+FPNLite · 768x384"))
    assert side[1:4] == ["70.39", "+1.45", "3.84"]
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    held = parse_qs(urlsplit(str(links[-1])).query)
    assert held == {"dataset": ["Cityscapes"], "budget": ["4"], "rows": [UNET, FPN]}
    points = [point for trace in page.charts["frontier"]["data"] for point in trace.get("customdata", [])]  # type: ignore[attr-defined]
    of_cityscapes = catalog.table.query("dataset == 'Cityscapes'")
    assert len(points) == of_cityscapes[["gmacs", "miou"]].notna().all(axis=1).sum()
    assert len(html.encode()) <= limits.REPORT_BYTES
    assert html.count(plotly_script()) == 1


def test_at_another_size_the_answer_is_the_counted_one_and_the_link_says_so() -> None:
    page = Page(
        make_report(Decision("Cityscapes", 4, size=Size(800, 600), address="https://zoo.example/app/"))
    )
    table = with_counted(catalog_named("published"), Size(800, 600))
    found = answer(table, "Cityscapes", max_cost=4, cost=counted_at(Size(800, 600)))
    assert found.text in page.text
    link = [attributes["href"] for tag, attributes in page.elements if tag == "a"][-1]
    assert link == "https://zoo.example/app/?dataset=Cityscapes&budget=4&size=800x600"
    assert found.warnings[0] in page.text
    assert page.text.count(found.warnings[0]) == 1


def test_masks_are_those_of_predict_and_what_is_missing_is_said() -> None:
    page = Page(
        make_report(Decision("Cityscapes", 4, Size(128, 96), rows=(UNET, FPN, ERFNET), picture=picture()))
    )
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    titles = [attributes["alt"] for attributes in images]
    assert titles == [
        "The picture",
        "MobileNetV2+UNetLite · 768x384",
        "MobileNetV2+FPNLite · 768x384",
        "Where the masks disagree",
    ]
    assert all(str(attributes["src"]).startswith("data:image/jpeg;base64,") for attributes in images)
    predictions = [predict(row_id, picture(), size=(128, 96)) for row_id in (UNET, FPN)]
    differ = disagreement([found.label_map for found in predictions])
    assert f"{differ.pixels:,} pixels, {differ.percent:.2f} % of those compared" in page.text
    largest = int(np.argmax(predictions[0].shares))
    assert f"{predictions[0].classes[largest]} {predictions[0].shares[largest]:.1f} %" in page.text
    assert f"weights get {ERFNET}" in page.text
    assert "personal and research use only" in page.text


def test_measured_figures_have_their_table_charts_and_rules() -> None:
    page = Page(
        make_report(Decision("Cityscapes", 4, evaluations=(measured(), measured(id=FPN, miou=66.15))))
    )
    row = next(row for row in page.rows if row[1:3] == ["480x352", "62.59"])
    assert row[3:] == ["61.10 to 63.80", "89.62", "1.2123", "233"]
    assert {"frontier", "measured", "classes", "confusion"} == page.charts.keys()
    assert page.charts["classes"]["data"][1]["x"] == [91.46, None]  # type: ignore[index]
    assert "left out" in page.text
    assert (
        "confusion"
        not in Page(make_report(Decision("Cityscapes", 4, evaluations=(measured(confusion=()),)))).charts
    )


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    quoted = EVIL.replace('"', '""')
    own.write_text(
        "id,dataset,model,input_width,input_height,gmacs,miou,published_name,notes\n"
        f'evil,Cityscapes,"{quoted}",512,512,1,90,"{quoted}","{quoted}"\n'
    )
    catalog = catalog_named("published").with_own(own)
    summary = measured(
        id=EVIL,
        weights=EVIL,
        classes=(ClassFigure(EVIL, 50.0, 1), ClassFigure("b", 1.0, 1)),
        rules={EVIL: EVIL},
    )
    shown = replace(picture(), name=EVIL, changes=(EVIL,))
    html = make_report(
        Decision("Cityscapes", 4, rows=("evil", UNET), catalog=catalog, evaluations=(summary,))
    )
    with_picture = make_report(
        Decision("Cityscapes", 4, Size(128, 96), rows=(UNET,), catalog=catalog, picture=shown)
    )
    for text in (html, with_picture):
        page = Page(text)
        assert EVIL in page.text
        assert not [element for element in page.elements if "onerror" in element[1]]
        assert "<img src=x" not in text
        for chart in page.charts.values():
            for trace in chart["data"]:  # type: ignore[attr-defined]
                trace.pop("customdata", None)  # ids for machines: no template of ours shows them
            assert "<img" not in json.dumps(chart)
    assert "&lt;img src=x" in json.dumps(Page(html).charts["frontier"])


def test_a_picture_that_compresses_badly_still_fits() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), np.uint8)
    html = make_report(Decision("Cityscapes", 4, Size(128, 96), rows=(UNET, FPN), picture=read_image(noise)))
    assert len(html.encode()) <= limits.REPORT_BYTES
    widths = [int(str(attributes["width"])) for tag, attributes in Page(html).elements if tag == "img"]
    assert len(set(widths)) == 1
    assert widths[0] < 1000


def test_nothing_fits_is_an_answer_too() -> None:
    page = Page(make_report(Decision("Cityscapes", 0.5)))
    assert "nothing fits" in page.text
    assert "Nothing fits." in page.text


@pytest.mark.parametrize(
    ("decision", "error"),
    [
        (Decision("Citiscapes", 4), UnknownIdError),
        (Decision("Cityscapes", -1), BudgetError),
        (Decision("Cityscapes", 4, rows=("no-such-row",)), UnknownIdError),
        (Decision("Cityscapes", 4, rows=(UNET,) * 5), InputError),
    ],
)
def test_what_cannot_be_reported_is_refused(decision: Decision, error: type[Exception]) -> None:
    with pytest.raises(error):
        make_report(decision)


def test_the_command_writes_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.json").write_text(to_json([measured()]))
    command = ["report", "--dataset", "Cityscapes", "--max-gmacs", "4", "--rows", f"{UNET},{FPN}"]
    assert main([*command, "--evaluation", "mine.json", "--out", "report.html", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"path": "report.html", "bytes": Path("report.html").stat().st_size}
    page = Page(Path("report.html").read_text(encoding="utf-8"))
    assert "62.59" in page.text
    assert page.row("MobileNetV2+FPNLite · 768x384")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--max-gmacs", "4", "--out", "a.html"], "--dataset"),
        (["--dataset", "Cityscapes", "--out", "a.html"], "--max-gmacs"),
        (["--dataset", "Cityscapes", "--max-gmacs", "4"], "--out"),
        (["--dataset", "Cityscapes", "--max-gmacs", "4", "--out", "a.pdf"], "name in .html"),
        (["--dataset", "Cityscapes", "--max-gmacs", "nan", "--out", "a.html"], "nan"),
        (["--dataset", "Cityscapes", "--max-gmacs", "4", "--out", "a.html", "--image", "no.jpg"], "no.jpg"),
        (
            ["--dataset", "Cityscapes", "--max-gmacs", "4", "--out", "a.html", "--evaluation", "no.json"],
            "no.json",
        ),
        (
            ["--dataset", "Cityscapes", "--max-gmacs", "4", "--out", "a.html", "--address", "javascript:1"],
            "http",
        ),
        (
            ["--dataset", "Cityscapes", "--max-gmacs", "4", "--out", "a.html", "--rows", "x"],
            "There is no row 'x'",
        ),
    ],
)
def test_the_command_refuses_in_one_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", *arguments]) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not list(tmp_path.iterdir())


def test_the_page_forbids_itself_the_network() -> None:
    html = make_report(Decision("Cityscapes", 4))
    policy = next(
        attributes["content"] for tag, attributes in Page(html).elements if attributes.get("http-equiv")
    )
    assert "default-src 'none'" in str(policy)
    outside = re.findall(
        r'(?:src|href)="(?!data:|#)([^"]*)"', re.sub(r"<script>.*?</script>", "", html, flags=re.S)
    )
    assert [address for address in outside if not address.startswith("http://localhost:8501/?")] == []
