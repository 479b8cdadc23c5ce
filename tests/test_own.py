"""Networks from outside: counted in their own process, beside the rows in costs, counts and masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import zoo
from tests.hostile_files import BAD_GRAPHS
from zoo import limits
from zoo.audit import audit
from zoo.catalog import PUBLISHED, catalog_named, check_row_size
from zoo.cli import main
from zoo.complexity import count
from zoo.costs import TERMS, costs_of, counted_gmacs, largest_size, load_costs, macs_at, macs_over
from zoo.errors import BudgetError, InferenceError, InputError, ModelFileError, SizeError
from zoo.export import export
from zoo.own import ASSUMED, DEFAULT_SIZE, describe, own_row, read_own_network
from zoo.rows import OwnNetwork
from zoo.sizes import Size

UNETLITE = "cityscapes-mobilenetv2-unetlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> OwnNetwork:
    path = tmp_path_factory.mktemp("free") / "My Net.onnx"
    export(UNETLITE, path, size=(96, 64), dynamic=True)
    return read_own_network(path)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> OwnNetwork:
    path = tmp_path_factory.mktemp("fixed") / "fixed.onnx"
    export(UNETLITE, path, size=(96, 64))
    return read_own_network(path)


def small(path: Path, shape: tuple[object, ...] = (1, 3, "h", "w"), pool: int = 1) -> Path:
    """Write a network of others: one convolution to 5 classes, and sides that are multiples of `pool`."""
    nodes = [helper.make_node("Conv", ["x", "w"], ["y" if pool == 1 else "c"])]
    if pool > 1:
        wanted = {"kernel_shape": [pool, pool], "strides": [pool, pool]}
        nodes += [
            helper.make_node("MaxPool", ["c"], ["down"], **wanted),
            helper.make_node("MaxPool", ["c"], ["up"], ceil_mode=1, **wanted),
            helper.make_node("Add", ["down", "up"], ["y"]),
        ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((5, 3, 1, 1), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def test_its_formula_is_that_of_the_row_it_came_from(free: OwnNetwork) -> None:
    bundled = load_costs().loc["camvid-mobilenetv2-unetlite", TERMS]
    assert free.formula == tuple(bundled)
    assert (free.size, free.only_size, free.multiple, free.num_classes) == (Size(96, 64), False, 1, 11)
    assert free.macs == count(UNETLITE, 96, 64, num_classes=11).macs
    assert free.facts.classes == zoo.classes.dataset_classes("CamVid")


def test_it_stands_beside_the_rows(free: OwnNetwork) -> None:
    row = own_row(free, "Cityscapes", 61.5)
    catalog = catalog_named(PUBLISHED).with_rows([row])
    assert row.id == "own-my-net-96x64"
    assert catalog.table.loc[row.id, ["dataset", "model", "miou"]].tolist() == [
        "Cityscapes",
        "My Net.onnx",
        61.5,
    ]
    for width, height in ((1000, 750), (513, 257)):
        live = count(UNETLITE, width, height, num_classes=11)
        assert macs_at(width, height, catalog)[row.id] == live.macs
        assert macs_over(row, [width], [height]).tolist() == [live.macs]
        own = count(row, width, height)
        assert (own.macs, own.id) == (live.macs, row.id)
        assert own.layers["macs"].tolist() == live.layers["macs"].tolist()
        assert own.peak_activation_values == live.peak_activation_values
    assert counted_gmacs(catalog)[row.id] == free.macs / 1e9
    assert audit(catalog).loc[row.id, "verdict"] == "not published"
    assert macs_at(1000, 750, catalog).drop(row.id).equals(macs_at(1000, 750))


def test_the_largest_size_within_a_budget(free: OwnNetwork) -> None:
    row = own_row(free)
    found = largest_size(row, 2.0)
    assert (found.width % 32, found.height % 32) == (0, 0)
    assert count(row, *found).macs <= 2e9
    next_width = found.width // 64 * 64 + 64  # exactly 2:1, so it would have been taken if it fitted
    assert count(row, next_width, next_width // 2).macs > 2e9


def test_one_size_only(fixed: OwnNetwork) -> None:
    row = own_row(fixed)
    catalog = catalog_named(PUBLISHED).with_rows([row])
    assert (fixed.only_size, fixed.formula, fixed.size) == (True, None, Size(96, 64))
    assert macs_at(96, 64, catalog)[row.id] == fixed.macs
    assert macs_at(128, 64, catalog).isna()[row.id]
    assert counted_gmacs(catalog)[row.id] == fixed.macs / 1e9
    assert largest_size(row, 1.0) == fixed.size
    with pytest.raises(BudgetError, match="the only size that is known"):
        largest_size(row, 0.001)
    for refuse in (lambda: count(row, 128, 64), lambda: check_row_size(row, 128, 64)):
        with pytest.raises(SizeError, match=r"fixed\.onnx: it takes 96x64 only"):
            refuse()
    with pytest.raises(SizeError, match="it takes 96x64"):
        read_own_network(fixed.path, Size(128, 64))


def test_the_multiple_that_its_graph_asks_for(tmp_path: Path) -> None:
    own = read_own_network(small(tmp_path / "pooled.onnx", pool=8))
    assert (own.multiple, own.size, own.num_classes) == (8, DEFAULT_SIZE, 5)
    row = own_row(own)
    assert row.own is own
    with pytest.raises(SizeError, match="multiples of 8, such as 104x72"):
        count(row, 100, 70)
    catalog = catalog_named(PUBLISHED).with_rows([row])
    assert macs_at(100, 70, catalog).isna()[row.id]
    assert macs_at(104, 72, catalog)[row.id] == 15 * 104 * 72


def test_a_network_without_a_formula_is_counted_at_every_size(tmp_path: Path) -> None:
    # A product of all positions with all others, at full size: a grid that no row has.
    nodes = [
        helper.make_node("Reshape", ["x", "rows"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["b", "a"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([0, 3, -1]), "rows")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "all.onnx")
    own = read_own_network(tmp_path / "all.onnx", Size(64, 32))
    row = own_row(own)
    assert (own.formula, own.only_size, own.macs) == (None, False, 3 * (64 * 32) ** 2)
    assert count(row, 40, 50).macs == 3 * (40 * 50) ** 2
    assert costs_of(row).formula.sum() == own.macs


def test_what_multiplies_and_is_not_counted_is_said_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [helper.make_node("Einsum", ["x", "x"], ["y"], equation="nchw,nkhw->nckw")]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 96])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    path = tmp_path / "sum.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    assert read_own_network(path).missed == ("Einsum",)
    assert main(["macs", str(path), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)[0]["macs"] == 0
    assert told.err == "zoo: sum.onnx multiplies in Einsum too, which is not counted: it costs more.\n"


def test_who_says_how_it_is_prepared_and_what_its_classes_are(tmp_path: Path) -> None:
    own = read_own_network(small(tmp_path / "others.onnx"))
    assert own.facts.prepared == ASSUMED
    assert own.facts.mean == (123.675, 116.28, 103.53)
    told = describe(own, classes=["a", "b", "c", "d", "e"], mean=(0, 0, 0), std=(255, 255, 255))
    assert told.facts.classes is not None
    assert told.facts.classes.names == ("a", "b", "c", "d", "e")
    found = zoo.predict(own_row(told), np.zeros((64, 96, 3), np.uint8), size=(96, 64))
    assert found.classes == ("a", "b", "c", "d", "e")
    assert (found.weights.mean, found.weights.std) == ((0, 0, 0), (255, 255, 255))
    assert "others.onnx" in found.weights.label
    for wrong in ({"classes": ["a"]}, {"classes": [""] * 5}, {"std": (0, 1, 1)}, {"mean": (np.nan, 1, 1)}):
        with pytest.raises(InputError):
            describe(own, **wrong)


def test_its_mask_needs_no_row(free: OwnNetwork) -> None:
    picture = Path(zoo.__file__).parents[1] / "data" / "samples" / "china.jpg"
    expected = zoo.predict(UNETLITE, picture, weights="bundled", size=(96, 64))
    found = zoo.predict(own_row(free), picture)
    assert (found.size, found.classes) == (Size(96, 64), expected.classes)
    assert (found.labels != expected.labels).mean() < 1e-3
    with pytest.raises(InputError, match="brings its own weights"):
        zoo.predict(own_row(free), picture, weights="bundled")


# The others are refused by the same code without a process: tests/complexity/test_onnx_graph.py.
@pytest.mark.parametrize(
    "name", ["garbage.onnx", "outside.onnx", "huge.onnx", "endless.onnx", "two-million.onnx"]
)
def test_what_is_refused_is_one_line_that_names_it(name: str, tmp_path: Path) -> None:
    make, reason = BAD_GRAPHS[name]
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(ModelFileError, match=reason) as caught:
        read_own_network(path, Size(96, 64))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_endless_shape_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SANDBOX_SECONDS", 2)
    constant = helper.make_tensor("s0", TensorProto.INT64, [1], [1])
    nodes = [helper.make_node("Add", [f"s{at}", "s0"], [f"s{at + 1}"]) for at in range(90_000)]
    graph = helper.make_graph(
        [*nodes, helper.make_node("Expand", ["x", "s90000"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 96])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [constant],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "shape.onnx")
    with pytest.raises(InferenceError, match=r"shape\.onnx was stopped after 2 s"):
        read_own_network(tmp_path / "shape.onnx")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    for name, words in (
        ("empty.onnx", "is empty"),
        ("none.onnx", "no such file"),
        ("net.tflite", "not an .onnx"),
    ):
        with pytest.raises(ModelFileError, match=words):
            read_own_network(tmp_path / name)


def test_the_command_counts_a_file_in_place_of_an_id(
    free: OwnNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["macs", str(free.path), UNETLITE, "--size", "160x96", "--layers", "--json"]) == 0
    own, row = json.loads(capsys.readouterr().out)
    assert own["id"] == str(free.path)
    assert (own["width"], own["height"]) == (160, 96)
    assert own["macs"] == count(UNETLITE, 160, 96, num_classes=11).macs
    assert (own["published_gmacs"], own["verdict"]) == (None, "not published")
    assert own["layers"][0]["name"] == row["layers"][0]["name"]
    assert set(own) == set(row)
    assert main(["macs", str(free.path)]) == 0
    assert "96x64" in capsys.readouterr().out
    assert main(["macs", str(tmp_path / "none.onnx")]) == 2
