"""What a file says of itself: read back as written, by our reader and by onnx; nonsense is refused."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from zoo.classes import ClassList
from zoo.errors import ModelFileError
from zoo.onnx_metadata import FileFacts, facts_of, file_facts
from zoo.sizes import Size

FACTS = FileFacts(
    row_id="cityscapes-erfnet-1024x512",
    weights="somebody's weights",
    notice="Licence: CC BY-NC 4.0.",
    size=Size(96, 64),
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
    classes=ClassList(("road", "car, parked"), ((1, 2, 3), (0, 255, 0)), "two classes", 255),
    versions="segselect 1, torch 2",
)


def saved(path: Path, properties: dict[str, str]) -> Path:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 96])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor("w", TensorProto.FLOAT, [1000], [0.5] * 1000)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, properties)
    onnx.save(model, path)
    return path


def test_it_is_read_back_as_written(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", {"other": "words", **FACTS.as_properties()})
    assert file_facts(path) == FACTS
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert facts_of(properties) == FACTS


text = st.text(max_size=80)


@given(st.dictionaries(text, text, max_size=8), st.sampled_from(["classes", "mean", "size", "palette"]), text)
def test_any_properties_are_read_or_refused(others: dict[str, str], key: str, value: str) -> None:
    properties = {**others, f"segselect.{key}": value}
    try:
        found = facts_of(properties)
    except ValueError as refused:
        words = str(refused)
    else:
        words = "" if found is None else "read"
    assert words == "read" or "must be" in words  # a reason of ours, not of Python


def test_a_file_of_others_says_nothing(tmp_path: Path) -> None:
    assert file_facts(saved(tmp_path / "net.onnx", {"author": "somebody"})) is None
    (tmp_path / "text.onnx").write_bytes(b"just some words\n" * 99)
    assert file_facts(tmp_path / "text.onnx") is None


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("std", "0 1 1", "std must be"),
        ("std", "nan 1 1", "std must be"),
        ("mean", "1 2", "mean must be"),
        ("size", "31x5", "size must be"),
        ("classes", "[]", "classes must be"),
        ("classes", "[" * 10_000, "classes must be"),
        ("classes", '["road"]', "palette must be"),
        ("palette", "[[1, 2, 256]]", "palette must be"),
        ("void", "1e3", "void must be"),
    ],
)
def test_nonsense_is_one_line_that_names_the_file(tmp_path: Path, key: str, value: str, words: str) -> None:
    properties = {"segselect.palette": "[[1, 2, 3]]", "segselect.classes": '["road"]'}
    if words == "palette must be" and key == "classes":
        del properties["segselect.palette"]
    path = saved(tmp_path / "net.onnx", {**properties, f"segselect.{key}": value})
    with pytest.raises(
        ModelFileError, match=f"net.onnx says of itself what cannot be used: {words}"
    ) as caught:
        file_facts(path)
    assert "\n" not in str(caught.value)


def test_markup_and_endless_words_are_text_of_one_line(tmp_path: Path) -> None:
    properties = {"segselect.weights": "a\n<b>\x1b[31m" + "x" * 10_000, "segselect.row": "\n" * 9}
    found = file_facts(saved(tmp_path / "net.onnx", properties))
    assert found is not None
    assert found.weights.startswith("a <b> [31mxxx")
    assert len(found.weights) == 300
    assert found.row_id == ""


def test_properties_beyond_the_limit_are_not_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", {"segselect.row": "x" * 1_000_000})
    assert file_facts(path) is None
