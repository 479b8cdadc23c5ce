"""`list`, `show`, `pick`, and what every command owes: one JSON document or one line of error."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.catalog import SOURCES
from zoo.cli import COMMANDS, main

ROOT = Path(zoo.__file__).parent.parent
FPNLITE = "cityscapes-mobilenetv2-fpnlite-768x384"
OWN = """id,dataset,model,input_width,input_height,gmacs,miou
mine,Cityscapes,Mine,640,320,3.5,71.0
orchard,Orchard,Mine,640,320,1,50
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str):
    status, out, err = run(capsys, *arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.csv"
    path.write_text(OWN)
    return str(path)


def process(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, **options
    )


def test_list_as_json(capsys) -> None:
    rows = document(capsys, "list")
    assert [row["id"] for row in rows] == zoo.load_catalog().index.tolist()
    assert rows[12] == {
        "id": FPNLITE,
        "dataset": "Cityscapes",
        "model": "MobileNetV2+FPNLite",
        "published_name": "MobileNetV2+FPNLite",
        "input_width": 768,
        "input_height": 384,
        "gmacs": 3.84,
        "miou": 70.39,
        "available": False,
        "qat": False,
    }
    missing = {row["id"] for row in rows if row["gmacs"] is None}
    assert missing == {row["id"] for row in rows if row["id"].endswith("-520x520")}


def test_list_for_people_is_aligned(capsys) -> None:
    status, out, _ = run(capsys, "list", "--dataset", "VOC2012")
    header, *rows = out.splitlines()
    assert status == 0
    assert len(rows) == 3
    end = header.index("GMACs") + len("GMACs")
    assert [line[:end].split()[-1] for line in rows] == ["2.77", "8.6", "171.77"]


def test_list_marks_rows_whose_number_belongs_to_another_size(capsys) -> None:
    _, out, _ = run(capsys, "list")
    assert out.count("MobileNetV2+DeepLab* ") == 1
    assert "MobileNetV2+DeepLab*: its published number belongs to an input of 2049x1025" in out


def test_show(capsys) -> None:
    shown = document(capsys, "show", "cityscapes-resnet50-fcn-1040x520")
    assert list(shown) == ["id", *zoo.load_catalog().columns, *SOURCES]
    assert shown["published_name"] == "ResNet50+FCN[3,11]"
    assert shown["group"] == "Cityscapes dataset models"
    assert shown["notes"] is None
    _, out, _ = run(capsys, "show", "cityscapes-resnet50-fcn-1040x520")
    assert "[3] Long, J.; Shelhamer, E.; Darrell, T.: Fully Convolutional Networks" in out
    assert "[11] " in out


def test_catalogs_by_name(capsys) -> None:
    listed = {name: document(capsys, "list", "--catalog", name) for name in ("published", "recent", "both")}
    assert [len(listed[name]) for name in ("published", "recent")] == [35, 42]
    assert listed["both"][:77] == listed["published"] + listed["recent"]
    shown = document(capsys, "show", "cityscapes-stdc1-1920x1024", "--catalog", "recent")
    assert (shown["gmacs"], shown["cost_as_printed"]) == (63.235, "126.47 G OPS")
    assert shown["source"].startswith("hailo-ai/hailo_model_zoo docs/")
    _, out, _ = run(capsys, "show", "cityscapes-stdc1-1920x1024")
    assert "2021. https://github.com/MichaelFan01/STDC-Seg/blob/" in out


def test_pick_by_the_count_takes_rows_without_a_published_cost(capsys) -> None:
    asked = ("pick", "--dataset", "Cityscapes", "--max-gmacs", "17", "--catalog", "both")
    # STDC1-Seg50: 16.8631 counted, and nothing printed.
    assert "cityscapes-stdc1-seg50-1024x512" not in [row["id"] for row in document(capsys, *asked)]
    counted = document(capsys, *asked, "--counted")
    row = next(row for row in counted if row["id"] == "cityscapes-stdc1-seg50-1024x512")
    assert (row["gmacs"], round(row["counted_gmacs"], 4)) == (None, 16.8631)
    assert [row["rank"] for row in counted] == list(range(1, len(counted) + 1))
    status, _, err = run(capsys, *asked, "--counted", "--size", "640x480")
    assert status == 2
    assert "--size counts already" in err


def test_pick_under_a_budget(capsys) -> None:
    rows = document(capsys, "pick", "--dataset", "Cityscapes", "--max-gmacs", "4")
    assert [row["miou"] for row in rows] == [70.39, 69.88, 69.13, 68.94, 68.77, 68.18]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["on_frontier"] for row in rows] == [True, False, True, True, False, False]
    list_row = document(capsys, "list", "--dataset", "Cityscapes")[2]
    extra = {"counted_gmacs": rows[0]["counted_gmacs"], "on_frontier": True, "rank": 1}
    assert rows[0] == list_row | extra
    # By the cost of each stride, as the design gives it, at 768x384.
    strides = {2: 3200, 4: 95984, 8: 116112, 16: 616000, 32: 1796928}
    macs = sum(cost * (768 // stride) * (384 // stride) for stride, cost in strides.items())
    assert rows[0]["counted_gmacs"] == pytest.approx(macs / 1e9, rel=1e-12)


def test_pick_for_an_accuracy(capsys) -> None:
    rows = document(capsys, "pick", "--dataset", "Cityscapes", "--min-miou", "74")
    assert [row["gmacs"] for row in rows] == [15.07, 24.29, 41.0, 111.16, 418.64]


def test_pick_at_a_size_ranks_by_counted_macs(capsys) -> None:
    rows = document(capsys, "pick", "--dataset", "COCOSeg21", "--max-gmacs", "1", "--size", "128x128")
    assert all(row["counted_gmacs"] <= 1 for row in rows)
    assert [row["miou"] for row in rows] == sorted((row["miou"] for row in rows), reverse=True)
    # torchvision's rows have no published GigaMACs and take part once they are counted.
    assert any(row["gmacs"] is None for row in rows)
    assert "cocoseg21-mobilenetv2-fpnlite-512x512" not in [row["id"] for row in rows]  # it has no mIoU


def test_pick_for_people_begins_with_the_answer(capsys) -> None:
    status, out, err = run(capsys, "pick", "--dataset", "Cityscapes", "--max-gmacs", "20")
    assert (status, err) == (0, "")
    assert out.startswith("Under 20 GMACs on Cityscapes: MobileNetV2+FPNLite (1536x768), 74.61 % mIoU")
    assert out.rstrip().endswith("belongs to an input of 2049x1025, not 769x769.")
    _, out, _ = run(capsys, "pick", "--dataset", "Cityscapes", "--max-gmacs", "4", "--size", "640x320")
    assert "counted at 640x320" in out.splitlines()[0]
    assert "for 640x320 none is claimed" in out.splitlines()[0]


def test_nothing_fits_names_the_cheapest(capsys) -> None:
    status, out, err = run(capsys, "pick", "--dataset", "Cityscapes", "--max-gmacs", "1", "--json")
    assert (status, json.loads(out)) == (0, [])
    assert "nothing fits" in err
    assert "cityscapes-mobilenetv2-unetlite-768x384" in err
    assert err.count("\n") == 1


def test_own_rows_take_part(capsys, own: str) -> None:
    assert len(document(capsys, "list", "--catalog", own)) == 37
    assert document(capsys, "show", "mine", "--catalog", own)["section"] == "Own rows"
    rows = document(capsys, "pick", "--dataset", "Cityscapes", "--max-gmacs", "4", "--catalog", own)
    assert rows[0]["id"] == "mine"
    assert rows[0]["counted_gmacs"] is None
    assert document(capsys, "pick", "--dataset", "Orchard", "--catalog", own)[0]["id"] == "orchard"


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["lst"], "There is no command 'lst'. Did you mean list?"),
        (["list", "extra"], "extra"),
        (["list", "--nope"], "--nope"),
        (["list", "--dataset", "Cityscape"], "Did you mean Cityscapes?"),
        (["list", "--catalog", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["show"], "Missing argument 'ID'"),
        (["show", "cityscapes-erfnet-1024x521"], "Did you mean cityscapes-erfnet-1024x512"),
        (["show", "a\nb"], "There is no row"),
        (["pick"], "Missing option '--dataset'"),
        (["pick", "--dataset", "CamVid"], "There are ADE20K32, COCOSeg21, Cityscapes, VOC2012"),
        (["pick", "--dataset", "VOC2012", "--max-gmacs", "-3"], "give a number above 0, such as 4"),
        (["pick", "--dataset", "VOC2012", "--max-gmacs", "0"], "give a number above 0, such as 4"),
        (["pick", "--dataset", "VOC2012", "--max-gmacs", "nan"], "give a number above 0, such as 4"),
        (["pick", "--dataset", "VOC2012", "--max-gmacs", "inf"], "give a number above 0, such as 4"),
        (["pick", "--dataset", "VOC2012", "--max-gmacs", "four"], "'four' is not a budget in GigaMACs"),
        (["pick", "--dataset", "VOC2012", "--min-miou", "101"], "give a number from 0 to 100, such as 72"),
        (["pick", "--dataset", "VOC2012", "--min-miou", "72", "--max-gmacs", "4"], "exclude each other"),
        (["pick", "--dataset", "VOC2012", "--size", "768"], "write width x height, such as 768x384"),
        (["pick", "--dataset", "VOC2012", "--size", "0x384"], "from 32 to 4096"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(capsys, arguments: list[str], cause: str) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert cause in err
    assert err.count("\n") == 1


def test_help_has_examples(capsys) -> None:
    for command in ("list", "show", "pick"):
        status, out, _ = run(capsys, command, "--help")
        assert status == 0
        assert f"Examples:\n    python -m zoo {command}" in out
    for arguments in ([], ["--help"]):
        status, out, _ = run(capsys, *arguments)
        assert status == 0
        assert all(command in out for command in COMMANDS)


def test_version(capsys) -> None:
    assert run(capsys, "--version")[:2] == (0, f"zoo {zoo.__version__}\n")


@pytest.mark.parametrize(
    ("fault", "status", "line"),
    [
        (KeyboardInterrupt(), 1, "stopped."),
        (OSError(28, "No space left on device", "out.png"), 1, "out.png: No space left on device."),
        (ValueError("two\nlines"), 1, "unexpected ValueError, a fault of ours"),
    ],
)
def test_what_fails_is_one_line(capsys, monkeypatch, fault: BaseException, status: int, line: str) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.delenv("ZOO_TRACEBACK", raising=False)
    monkeypatch.setattr("zoo.cli.catalog.catalog_named", fail)
    assert main(["list"]) == status
    err = capsys.readouterr().err.strip()  # a line break first, where ^C stands in the terminal
    assert line in err
    assert "\n" not in err


def test_a_fault_of_ours_can_be_traced(monkeypatch) -> None:
    def fail(_: str) -> None:
        raise LookupError("here")

    monkeypatch.setenv("ZOO_TRACEBACK", "1")
    monkeypatch.setattr("zoo.cli.catalog.catalog_named", fail)
    with pytest.raises(LookupError, match="here"):
        main(["list"])


def test_as_a_process() -> None:
    listed = process("-m", "zoo", "list", "--json")
    assert (listed.returncode, listed.stderr, len(json.loads(listed.stdout))) == (0, "", 35)
    refused = process("-m", "zoo", "show", "nothing")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)


def test_choosing_imports_no_heavy_library() -> None:
    code = f"""
import sys
from zoo.cli import main
status = [main(arguments.split()) for arguments in ("list", "show {FPNLITE}", "pick --dataset VOC2012")]
print(status, [name for name in ("torch", "streamlit", "plotly", "onnxruntime") if name in sys.modules])
"""
    assert process("-c", code).stdout.endswith("[0, 0, 0] []\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close differently there")
def test_a_reader_that_has_enough_gets_no_complaint() -> None:
    code = "import sys; from zoo.cli import main; sys.stdin.read(); sys.exit(main(['list', '--json']))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as writer:
        writer.stdout.close()  # before a line is written
        writer.stdin.close()
        assert writer.stderr.read() == b""
    assert writer.returncode == 1


def test_pick_by_milliseconds_of_one_setup(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["pick", "--dataset", "Cityscapes", "--catalog", "both", "--max-ms", "20", "--json"]
    assert main([*asked, "--device", "Samsung Galaxy S25"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["model"], first["milliseconds"], first["measured_at"]) == ("FFNet-54S", 18.781, "2048x1024")
    assert main(asked) == 2
    assert "give --device too" in capsys.readouterr().err
