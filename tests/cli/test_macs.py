"""`macs`: live counts by id or of all rows, at the published size or another."""

import json
from collections.abc import Callable

import pytest

import zoo.complexity
from zoo.catalog import load_catalog
from zoo.cli import main
from zoo.costs import macs_at

ERFNET = "cityscapes-erfnet-1024x512"
FPNLITE = "cityscapes-mobilenetv2-fpnlite-768x384"
LRASPP = "cocoseg21-lr-aspp-mobilenetv3-large-520x520"
FIELDS = ["id", "width", "height", "macs", "params", "published_gmacs", "error_pct", "verdict", "explanation"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["macs", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def entries(run: Run, *arguments: str) -> list[dict]:
    status, out, err = run(*arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_one_row_as_json(run: Run) -> None:
    (entry,) = entries(run, FPNLITE)
    assert list(entry) == FIELDS
    # The formula's numbers, typed: 768x384 has 384 x 192 positions at stride 2, and so on.
    macs = 3200 * 384 * 192 + 95984 * 192 * 96 + 116112 * 96 * 48 + 616000 * 48 * 24 + 1796928 * 24 * 12
    assert entry["macs"] == macs
    assert (entry["width"], entry["height"]) == (768, 384)
    assert entry["published_gmacs"] == 3.84
    assert entry["error_pct"] == pytest.approx(100 * (macs / 3.84e9 - 1))
    assert entry["verdict"] == "explained"
    assert "3.767" in entry["explanation"]


def test_another_size_has_no_error(run: Run) -> None:
    plain, other = entries(run, FPNLITE)[0], entries(run, FPNLITE, "--size", "640x480")[0]
    assert (other["width"], other["height"], other["error_pct"]) == (640, 480, None)
    assert other["macs"] == macs_at(640, 480)[FPNLITE]
    for field in ("params", "published_gmacs", "verdict", "explanation"):
        assert other[field] == plain[field]
    assert entries(run, FPNLITE, "--size", "768x384") == [plain]


def test_a_row_that_is_not_published(run: Run) -> None:
    (entry,) = entries(run, LRASPP)
    assert [entry[field] for field in FIELDS[5:]] == [None, None, "not published", None]


def test_rows_in_the_order_asked(run: Run) -> None:
    assert [entry["id"] for entry in entries(run, ERFNET, FPNLITE, "--size", "64x64")] == [ERFNET, FPNLITE]


def test_all_rows_where_one_refuses(run: Run) -> None:
    found = entries(run, "--all", "--size", "100x60")
    assert [entry["id"] for entry in found] == load_catalog().index.tolist()
    assert [entry["id"] for entry in found if entry["macs"] is None] == [ERFNET]
    assert all(entry["params"] > 0 and list(entry) == FIELDS for entry in found)
    refused = found[load_catalog().index.get_loc(ERFNET)]
    assert (refused["width"], refused["height"], refused["error_pct"]) == (100, 60, None)
    assert refused["published_gmacs"] == 27.705


def test_layers_sum_to_the_total(run: Run) -> None:
    (entry,) = entries(run, FPNLITE, "--layers", "--size", "64x64")
    assert sum(layer["macs"] for layer in entry["layers"]) == entry["macs"]
    status, out, _ = run(FPNLITE, "--layers", "--size", "64x64")
    assert status == 0
    assert all(layer["name"] in out for layer in entry["layers"])
    assert "not counted: " in out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--all", FPNLITE],
        ["no-such-row"],
        [FPNLITE, "no-such-row"],
        [ERFNET, "--size", "100x60"],
        [FPNLITE, ERFNET, "--size", "100x60"],
        [FPNLITE, "--size", "31x64"],
        [FPNLITE, "--size", "64"],
    ],
)
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_what_is_asked_wrongly(run: Run, arguments: list[str], as_json: list[str]) -> None:
    status, out, err = run(*arguments, *as_json)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1


def test_people_see_each_row_as_it_comes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    count, seen = zoo.complexity.count, []

    def watched(*arguments: object) -> zoo.complexity.Complexity:
        seen.append(capsys.readouterr().out)
        return count(*arguments)

    monkeypatch.setattr(zoo.complexity, "count", watched)
    assert main(["macs", FPNLITE, ERFNET]) == 0
    header, first = seen
    assert header.startswith("id ")
    assert first.split()[:3] == [FPNLITE, "768x384", "3.7673"]
    rest = capsys.readouterr().out
    assert rest.startswith(ERFNET)
    assert "unexplained" in rest
