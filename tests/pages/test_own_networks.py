"""A visitor's own .onnx as the network of Demo, Compare and Evaluate: as itself, with its own classes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.shared.own import Own

ROOT = Path(__file__).resolve().parents[2]
UNET = "cityscapes-mobilenetv2-unetlite-768x384"
NAMES = ("reddish", "building", "sky")
"""Two of them are CamVid's, under other numbers."""
SIDES = (48, 32)


def brightest_channel() -> bytes:
    """Return a network of one convolution that hands on its input: the label is the brightest channel."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDES[1], SIDES[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1), "w")],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


def picture() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (SIDES[1], SIDES[0], 3), np.uint8)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def opened(page: str, *more: str, **link: str) -> tuple[AppTest, str]:
    own = Own()
    row_id = own.take_network(brightest_channel(), "my net.onnx")
    row_id = own.describe_network(row_id, classes=NAMES, mean=(0, 0, 0), std=(1, 1, 1))
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.session_state["own"] = own
    app.query_params.update({"rows": [row_id, *more], **link})
    app.run().switch_page(page).run()
    assert not app.exception, [error.message for error in app.exception]
    return app, row_id


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.text, *app.markdown, *app.caption, *app.info])


def brightest(pixels: np.ndarray) -> np.ndarray:
    return pixels.argmax(axis=2)


def test_demo_runs_it_with_its_own_classes_and_offers_no_8_bits() -> None:
    app, row_id = opened("demo.py", demo_source="Upload")
    app.selectbox(key="demo_row").set_value(row_id).run()
    app.file_uploader(key="demo_upload").set_value(("mine.png", png(picture()), "image/png")).run()
    assert not app.exception, [error.message for error in app.exception]
    assert not app.error
    made = app.session_state["demo_kept"].prediction
    assert made.classes == NAMES
    assert (made.labels == brightest(picture())).all()
    assert "my net" in texts(app)
    assert "nothing measured" in texts(app)
    assert not [control for control in app.segmented_control if control.label == "Precision"]
    assert not [button for button in app.button if button.label.startswith("Download the published")]


def test_compare_takes_the_classes_that_both_have_and_says_which() -> None:
    app, _ = opened("compare.py", UNET, compare_source="Upload", size="48x32")
    app.file_uploader(key="demo_upload").set_value(("mine.png", png(picture()), "image/png")).run()
    assert not app.exception, [error.message for error in app.exception]
    assert not app.error
    ours, theirs = (each.prediction for each in app.session_state["compare_kept"].shown)
    assert (ours.labels == brightest(picture())).all()
    named = [np.asarray(each.classes)[each.labels] for each in (ours, theirs)]
    compared = np.all([np.isin(names, ("building", "sky")) for names in named], axis=0)
    differ = int((compared & (named[0] != named[1])).sum())
    assert compared.any()
    assert f"{differ:,} pixels, {100 * differ / compared.sum():.2f} % of those compared" in texts(app)
    assert "Compared on the 2 classes that all have: building, sky." in texts(app)
    assert set(app.dataframe[1].value["class"]) <= {"building", "sky"}


def test_evaluate_measures_it_on_labels_of_its_classes() -> None:
    app, _ = opened("evaluate.py", size="48x32")
    truth = brightest(picture()).astype(np.uint8)
    truth[:10] = 2
    app.file_uploader(key="evaluate_images").set_value([("a.png", png(picture()), "image/png")])
    app.file_uploader(key="evaluate_labels").set_value([("a.png", png(truth), "image/png")]).run()
    next(button for button in app.button if button.label.startswith("Evaluate")).click().run()
    assert not app.exception, [error.message for error in app.exception]
    assert not app.error, [error.value for error in app.error]
    found = brightest(picture())
    iou = [((truth == n) & (found == n)).sum() / ((truth == n) | (found == n)).sum() for n in range(3)]
    means = app.dataframe[0].value
    assert means["miou"][0] == pytest.approx(100 * np.mean(iou))
    assert means["title"][0].startswith("my net")
    assert list(app.dataframe[1].value["class"]) == list(NAMES)
    # 3 x 3 weights at each pixel.
    assert means["gmacs"][0] == pytest.approx(9 * SIDES[0] * SIDES[1] / 1e9)
