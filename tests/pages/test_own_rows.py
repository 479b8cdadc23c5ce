"""Own rows and networks on the pages: joined for the session, told apart, and harmless."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from streamlit.testing.v1 import AppTest

from pages.shared.own import Own
from tests.pages.cards import cards, sentences
from zoo import limits
from zoo.catalog import all_shipped, catalog_named
from zoo.costs import load_costs, params_and_peaks
from zoo.errors import InputError, ModelFileError, TableError, ZooError
from zoo.measurements import Measurements
from zoo.own import own_template, read_counted_rows
from zoo.rows import NO_DATASET
from zoo.sizes import Size
from zoo.tables import as_text, to_csv
from zoo.words import format_gmacs

ROOT = Path(__file__).resolve().parents[2]
HEAD = "id,dataset,model,input_width,input_height,gmacs,miou"
MARKUP = "<b>Mine</b> **x** :red[y] $z$"
OWN = f"{HEAD}\nmine-a,Cityscapes,{MARKUP},320,240,0.5,71.2\nmine-b,Orchard,=1+2,320,240,0.25,60\n"


def with_own(own: Own, page: str = "explore.py", **link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.session_state["own"] = own
    app.session_state["filters"] = True  # the menu is open
    app.query_params.update(link)
    app.run()
    if page != "explore.py":
        app.switch_page(page).run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def sentence(app: AppTest) -> str:
    return sentences(app)[0]


def own_rows(text: str = OWN) -> Own:
    own = Own()
    own.take_rows(text.encode(), "own.csv")
    return own


def network(shape: tuple[object, ...] = (1, 3, "h", "w")) -> bytes:
    """Return a network of one convolution to 5 classes: 15 MACs a pixel."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((5, 3, 1, 1), np.float32), "w")],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return model.SerializeToString()


def test_an_own_row_is_the_answer_where_it_is_the_best() -> None:
    app = with_own(own_rows())
    assert sentence(app).startswith(
        f"Under 4 GMACs on Cityscapes: {MARKUP} (own) (320x240), 71.2 % mIoU for 0.5"
    )
    assert cards(app)[0].title == f"{MARKUP} (own) · 320x240"  # tests/browser: shown as text
    assert not any("<b>" in element.value.replace(r"\<", "") for element in app.markdown)


def test_a_chart_shows_an_own_name_as_text() -> None:
    from pages.shared import loaders

    table = loaders._table_at(own_rows().joined("published"), None)
    assert table.at["mine-a", "card"].startswith("<b>&lt;b&gt;Mine&lt;/b&gt; **x**")
    assert table.at["mine-a", "family_label"] == "Your own"
    assert table.at["mine-a", "on_frontier"]


def test_own_rows_stand_in_the_catalog_and_open_as_text() -> None:
    app = with_own(own_rows(), "catalog.py")
    shown = app.dataframe[0].value
    assert list(shown["name"])[-2:] == [f"{MARKUP} (own)", "'=1+2 (own)"]
    assert len(shown) == 37
    alone = with_own(own_rows(), "catalog.py", catalog="own").dataframe[0].value
    assert list(alone["dataset"]) == ["Cityscapes", "Orchard"]


def test_a_data_set_of_ones_own_has_its_own_answer() -> None:
    app = with_own(own_rows(), dataset="Orchard")
    assert sentence(app).startswith("Under 4 GMACs on Orchard: =1+2 (own) (320x240), 60 % mIoU")


def test_removing_them_takes_them_from_the_choice_and_the_shortlist() -> None:
    own = own_rows()
    app = with_own(own, catalog="own", dataset="Orchard", rows="mine-b")
    assert any("Shortlist" in element.value for element in app.subheader)
    own.drop_rows()
    app.run()
    assert not app.exception
    assert "on Cityscapes: MobileNetV2+FPNLite (768x384)" in sentence(app)
    assert not any("Shortlist" in element.value for element in app.subheader)


def test_a_formula_is_text_in_every_cell_of_a_csv() -> None:
    starts = ["=1", "+1", "-1", "@x", "plain"]
    rows = [f"m{number},D,{start},64,64,1,1" for number, start in enumerate(starts)]
    table = own_rows("\n".join([HEAD, *rows])).joined("own").table
    read = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert [line["model"] for line in read] == ["'=1", "'+1", "'-1", "'@x", "plain"]
    assert [float(line["gmacs"]) for line in read] == [1.0] * 5
    assert as_text("\tx") == "'\tx"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEAD}\n\nx,D,M,320,240,abc,1\n", r"own\.csv, line 3, column gmacs: 'abc'"),
        (f"{HEAD}\nX y,D,M,320,240,1,1\n", "line 2, column id: 'X y'"),
        (f"{HEAD}\nx,D,M,320,240,1,101\n", "line 2, column miou: '101'"),
        (f"{HEAD}\nx,D,M,8,240,1,1\n", "line 2, column input_width: '8'"),
        (f"{HEAD}\ncityscapes-erfnet-1024x512,D,M,320,240,1,1\n", "line 2, column id: .* already"),
        (f"{HEAD},family,encoder,decoder\nx,VOC2012,M,64,64,1,1,deeplab,VGG,b\n", "line 2, column encoder"),
        (HEAD + "\nx,D,M,320,240,1,1" * 3000, "more than 2,000 rows"),
        ("x" * (limits.TABLE_BYTES + 1), "larger than 2 MB"),
        ("", "is empty"),
    ],
)
def test_what_is_refused_is_one_line_and_nothing_is_lost(text: str, told: str) -> None:
    own = own_rows()
    before = own.joined("published")
    with pytest.raises(TableError, match=told) as refused:
        own.take_rows(text.encode(), "own.csv")
    assert "\n" not in str(refused.value)
    assert own.joined("published") is before


def test_too_many_networks_that_nobody_counted_are_refused_before_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "OWN_COUNTED", 0)
    line = "x,Orchard,M,64,64,1,1,edgeailite,MobileNetV2,UNetLite,200"
    with pytest.raises(TableError, match="line 2, column family: more than 0 networks"):
        read_counted_rows(f"{HEAD},family,encoder,decoder,num_classes\n{line}\n".encode(), "own.csv")


def test_the_template_is_a_table_of_own_rows() -> None:
    own = own_rows(own_template())
    assert [row.title for row in own.joined("own").rows] == ["My network (own) · 768x384"]


def test_costs_of_every_shipped_row_are_those_of_its_line() -> None:
    found, lines = params_and_peaks(all_shipped()), load_costs()
    assert len(found) == len(all_shipped().rows)
    for name in ("params", "peak_activation_values"):
        assert found[name].tolist() == lines.loc[found.index, name].tolist()


def test_an_own_network_is_a_row_and_with_an_miou_a_point() -> None:
    own = Own()
    row_id = own.take_network(network(), "../My <net>.onnx")
    assert own.joined("published") is own.joined("published")
    row = own.joined("published").row(row_id)
    assert (row.dataset, row.miou, row.name) == (NO_DATASET, None, "My <net>.onnx (own)")
    assert row.gmacs == 15 * 1024 * 512 / 1e9
    new_id = own.describe_network(row_id, dataset="Cityscapes", miou=75, size=Size(96, 64), classes="abcde")
    assert list(own.networks) == [new_id]
    described = own.networks[new_id]
    assert (described.size, described.gmacs, described.miou) == (Size(96, 64), 15 * 96 * 64 / 1e9, 75)
    app = with_own(own)
    assert sentence(app).startswith("Under 4 GMACs on Cityscapes: My <net>.onnx (own) (96x64), 75 % mIoU")
    params = params_and_peaks(own.joined("own")).loc[new_id, "params"]
    assert params == 15
    path = described.own.path if described.own else Path()
    own.drop_network(new_id)
    assert not path.exists()
    assert own.joined("published") is catalog_named("published")


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"\x00garbage", "bad.onnx", r"bad\.onnx"),
        (network((1, 3)), "flat.onnx", r"flat\.onnx"),
        (network(), "net.pth", "is not an .onnx"),
    ],
)
def test_an_onnx_that_is_refused_leaves_nothing(data: bytes, name: str, told: str) -> None:
    own = own_rows()
    with pytest.raises(ZooError, match=told) as refused:
        own.take_network(data, name)
    assert "\n" not in str(refused.value)
    assert own.networks == {}
    assert [row.id for row in own.joined("own").rows] == ["mine-a", "mine-b"]


def test_own_networks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Own()
    first, second = own.take_network(network(), "a.onnx"), own.take_network(network(), "a.onnx")
    assert (first, second) == ("own-a-1024x512", "own-a-1024x512-2")
    with pytest.raises(InputError, match="5 classes"):
        own.describe_network(first, classes=["one"])
    monkeypatch.setattr(limits, "OWN_NETWORKS", 2)
    with pytest.raises(InputError, match="2 own networks are the most"):
        own.take_network(network(), "b.onnx")
    monkeypatch.setattr(limits, "OWN_NETWORKS", 3)
    monkeypatch.setattr(limits, "MODEL_BYTES", 100)
    with pytest.raises(ModelFileError, match="together"):
        own.take_network(network(), "b.onnx")
    assert list(own.networks) == [first, second]


def test_the_menu_opens_with_both_uploaders() -> None:
    own = own_rows()
    own.take_network(network(), "net.onnx")
    own.refused = "own.csv, line 3, column gmacs: 'abc' cannot be used"
    app = with_own(own)
    app.session_state["own_menu"] = True
    app.run()
    assert not app.exception, [error.message for error in app.exception]
    rows, networks = app.get("file_uploader")
    assert (list(rows.proto.type), list(networks.proto.type)) == ([".csv"], [".onnx"])
    assert rows.proto.label.startswith("A CSV with the catalog's columns")
    assert networks.proto.label.startswith("An .onnx with a picture as input")
    assert any("line 3, column gmacs" in error.value for error in app.error)
    assert any(line.value.startswith("**2 rows** of own.csv") for line in app.markdown)
    assert any(line.value.startswith("**net.onnx**: 0.0079 GigaMACs") for line in app.markdown)


def test_an_own_network_has_its_cost_its_largest_size_and_its_layers() -> None:
    own = Own()
    row_id = own.take_network(network(), "<b>net</b>.onnx")
    app = with_own(own, "complexity.py", rows=row_id, size="640x480", budget="4", complexity_aspect="1:1")
    totals, layers = app.dataframe[0].value, app.dataframe[1].value
    assert totals["gmacs"].tolist() == [15 * 640 * 480 / 1e9]
    # 3 maps in, 5 out, alive at once.
    assert totals["peak_8bit_mb"].tolist() == [8 * 640 * 480 / 1e6]
    assert totals["peak_float_mb"].tolist() == [4 * 8 * 640 * 480 / 1e6]
    assert layers["macs"].tolist() == [15 * 640 * 480]
    assert app.metric[0].value == "4096x4096"  # 0.25 GigaMACs: the largest that is allowed at all
    (said,) = [line.proto.help for line in app.markdown if "check_circle" in line.value]
    assert "counted from the graph" in said
    assert "<b>" not in "".join(line.value.replace("\\<b", "") for line in app.markdown)


def test_an_own_network_stands_in_the_roofline() -> None:
    own = Own()
    row_id = own.take_network(network(), "net.onnx")
    link = {"rows": row_id, "latency_view": "roofline", "latency_chip": "NVIDIA T4"}
    app = with_own(own, "latency.py", **link)
    layers = app.dataframe[1].value
    size = own.joined("published").row(row_id).size
    assert layers["macs"].tolist() == [15 * size.width * size.height]


def test_an_own_row_that_names_no_network_is_one_line_on_complexity() -> None:
    app = with_own(own_rows(), "complexity.py", rows="mine-a")
    assert len(app.error) == 1
    assert "names no network" in app.error[0].value


def test_an_own_network_can_be_timed_and_the_page_says_how() -> None:
    own = Own()
    row_id = own.take_network(network(), "net.onnx")
    app = with_own(own, "latency.py", rows=row_id, latency_view="here")
    assert any("in a process of its own" in line.value for line in app.caption)
    (button,) = [button for button in app.button if button.label.startswith("Time the chosen row")]
    assert not button.disabled


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize(("size", "pixels"), [("", 1024 * 512), ("640x480", 640 * 480)])
def test_an_own_network_without_an_miou_is_a_line_on_every_chart(size: str, pixels: int) -> None:
    own = Own()
    own.take_network(network(), "My <net>.onnx")
    link = {"size": size} if size else {}
    for chart in charts(with_own(own, dataset=["Cityscapes", "VOC2012"], **link)):  # type: ignore[arg-type]
        (line,) = [shape for shape in chart["layout"]["shapes"] if shape.get("name") == "own"]
        (note,) = [note for note in chart["layout"]["annotations"] if note.get("name") == "own"]
        assert line["x0"] == line["x1"] == 15 * pixels / 1e9
        assert 10 ** note["x"] == pytest.approx(15 * pixels / 1e9)
        low, high = chart["layout"]["xaxis"]["range"]
        assert low < note["x"] < high
        at = size or "1024x512"
        assert note["hovertext"] == (
            f"My &lt;net&gt;.onnx (own) · {at}: {format_gmacs(15 * pixels / 1e9)} GMACs, counted"
        )


def test_an_own_network_with_an_miou_is_a_point_and_no_line() -> None:
    own = Own()
    own.describe_network(own.take_network(network(), "net.onnx"), dataset="Cityscapes", miou=75)
    (chart,) = charts(with_own(own))
    assert not [shape for shape in chart["layout"]["shapes"] if shape.get("name") == "own"]


def test_weights_of_own_rows_are_told_and_your_own_is_a_family() -> None:
    own = own_rows()
    row_id = own.describe_network(own.take_network(network(), "net.onnx"), dataset="Cityscapes", miou=75)
    named = (
        f"{HEAD},family,encoder,decoder\nmine-c,Cityscapes,M,768,384,4,1,edgeailite,MobileNetV2,UNetLite\n"
    )
    app = with_own(own, explore_family="Your own")
    ranked = next(table.value for table in app.dataframe if "weights" in table.value)
    assert ranked["weights"].to_dict() == {row_id: "mask now", "mine-a": "names no network"}
    own.take_rows(named.encode(), "own.csv")
    app = with_own(own, explore_family="Your own")
    ranked = next(table.value for table in app.dataframe if "weights" in table.value)
    assert ranked["weights"].to_dict() == {row_id: "mask now", "mine-c": "upload only"}
    assert app.pills(key="explore_family").options[-1] == "Your own"
    assert "Your own" not in with_own(Own()).pills(key="explore_family").options


def test_a_board_of_the_session_is_a_cost_to_choose_by() -> None:
    times = {"cityscapes-mobilenetv2-unetlite-768x384": 12.5, "cityscapes-mobilenetv2-fpnlite-768x384": 40.0}
    lines = tuple(
        {
            "id": row_id,
            "file": None,
            "runtime": "onnx",
            "provider": "CPU",
            "threads": 4,
            "precision": "float",
            "width": 768,
            "height": 384,
            "median_ms": median,
        }
        for row_id, median in times.items()
    )
    board = Measurements({"name": "Board & Co"}, {}, "2026-01-01T00:00:00+00:00", lines, imported=True)
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)
    app.session_state["latency_boards"] = [board]
    app.session_state["cost"] = True  # the menu is open
    setup = "Board & Co (imported) (float, onnx, 4 threads)"
    app.query_params.update({"explore_cost": setup, "explore_ms": "20"})
    app.run()
    assert not app.exception, [error.message for error in app.exception]
    assert "for 12.5 ms" in sentence(app)
    assert sentence(app).startswith("Under 20 ms on Cityscapes: MobileNetV2+UNetLite (768x384)")
    points = {
        ids[0]: at
        for trace in charts(app)[0]["data"]
        for ids, at in zip(trace.get("customdata", []), trace["x"], strict=False)
    }
    assert points == times
    del app.session_state["latency_boards"]
    app.run()
    assert setup not in app.selectbox(key="explore_cost").options
    assert sentence(app).startswith("Under 4 GMACs")
