"""The Evaluate page by value, on small labelled pictures that the test makes."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

import zoo
from pages.shared import evaluating
from zoo import limits
from zoo.evaluation.summary import classes_csv, images_csv, to_json
from zoo.weights.checkpoints import resolve

ROOT = Path(__file__).resolve().parents[2]
UNET = "cityscapes-mobilenetv2-unetlite-768x384"
SIZE = (96, 64)
EVIL = "<img src=x onerror=alert(1)>"


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    coarse = [rng.integers(0, 256, (6, 8, 3), np.uint8) for _ in range(3)]
    return [np.asarray(Image.fromarray(each).resize(SIZE, Image.Resampling.BICUBIC)) for each in coarse]


def truths() -> list[np.ndarray]:
    found = [zoo.predict(UNET, each, size=SIZE).labels.copy() for each in pictures()]
    for labels in found:
        labels[:8] = 3
        labels[8:12] = 11  # CamVid's void
    return found


def packed(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def labelled() -> dict[str, bytes]:
    files = {"images/alone.png": png(pictures()[0])}
    for number, (picture, labels) in enumerate(zip(pictures(), truths(), strict=True)):
        files[f"images/{number}{EVIL.replace('/', '')}.png"] = png(picture)
        files[f"labels/{number}{EVIL.replace('/', '')}.png"] = png(labels)
    return files


def opened(**link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    for key, value in {"rows": UNET, "size": "96x64", **link}.items():
        app.query_params[key] = value
    app.run().switch_page("evaluate.py").run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def give(app: AppTest, data: bytes, name: str = "mine.zip") -> AppTest:
    app.file_uploader(key="evaluate_images").set_value([(name, data, "application/zip")]).run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def start(app: AppTest) -> AppTest:
    next(button for button in app.button if button.label.startswith("Evaluate")).click().run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.text, *app.markdown, *app.caption])


def brute_force() -> np.ndarray:
    matrix = np.zeros((11, 11), np.int64)
    for picture, truth in zip(pictures(), truths(), strict=True):
        found = zoo.predict(UNET, picture, size=SIZE).labels
        for wanted, got in zip(truth.ravel(), found.ravel(), strict=True):
            if wanted < 11:
                matrix[wanted, got] += 1
    return matrix


def miou_of(matrix: np.ndarray) -> float:
    hits, union = np.diag(matrix), matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    return float((100 * hits[union > 0] / union[union > 0]).mean())


def test_before_anything_is_uploaded_the_bundled_figures_stand() -> None:
    table = opened().dataframe[0].value
    files = [json.loads(path.read_text()) for path in (ROOT / "data" / "weights").glob("*.json")]
    assert sorted(table["miou"]) == sorted(file["test"]["miou"] for file in files)
    assert table["lost"].notna().sum() == sum(file.get("precision") == "8bit" for file in files) > 3


def test_a_zip_gives_brute_force_s_confusion_and_its_measures() -> None:
    app = give(opened(evaluate_8bit=UNET), packed(labelled()))
    assert "3 pictures with labels. Not matched by name: 1 images without labels (alone.png)" in texts(app)
    start(app)
    assert not app.error
    assert "Labels: CamVid class ids, as recognised from the files." in texts(app)
    wanted = brute_force()
    means = app.dataframe[0].value
    hits, union = np.diag(wanted), wanted.sum(0) + wanted.sum(1) - np.diag(wanted)
    iou = 100 * hits[union > 0] / union[union > 0]
    assert means["miou"][0] == pytest.approx(iou.mean())
    assert means["accuracy"][0] == pytest.approx(100 * hits.sum() / wanted.sum())
    in_8_bits = zoo.evaluate(UNET, pictures(), truths(), size=SIZE, precision="8bit")
    assert means["miou"][1] == pytest.approx(in_8_bits.miou)
    assert means["lost"][1] == pytest.approx(in_8_bits.miou - iou.mean())
    assert "8 bits" in means["title"][1]
    by_class = app.dataframe[1].value
    assert list(by_class["0"].dropna()) == pytest.approx(list(iou))
    assert list(by_class["pixels"]) == list(wanted.sum(1))
    kept = app.session_state["evaluate_kept"]
    assert (np.array(kept.summaries[0].confusion) == wanted).all()
    assert kept.summaries[0].counted_gmacs == pytest.approx(
        zoo.count(UNET, 96, 64, num_classes=11).macs / 1e9
    )
    (worst,) = kept.looked.values()
    place = next(iter(kept.looked))[1]
    truth, found = truths()[place], zoo.predict(UNET, pictures()[place], size=SIZE).labels
    assert (worst.differ == ((truth < 11) & (truth != found))).all()
    assert EVIL.replace("/", "") in texts(app)
    app.switch_page("explore.py").run()
    app.switch_page("evaluate.py").run()
    assert app.dataframe[0].value["miou"][0] == pytest.approx(iou.mean())


def test_what_is_bad_is_one_line_and_the_result_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    good = labelled()
    app = start(give(opened(), packed(good)))
    before = app.session_state["evaluate_kept"].summaries
    small = {
        name: png(np.zeros((20, 20), np.uint8)) if name.startswith("labels") else data
        for name, data in good.items()
    }
    other = {name.replace("labels/", "labels/other"): data for name, data in good.items()}
    for data, words in (
        (packed({}), "holds no files|is empty|damaged"),
        (packed({"../up.png": b"1"}), "leaves the zip"),
        (packed(other), "no label file has the name"),
        (b"no zip", "is not a zip"),
    ):
        give(app, data)
        assert len(app.error) == 1, words
        assert re.search(words, app.error[0].value), app.error[0].value
        assert "\n" not in app.error[0].value
        assert app.session_state["evaluate_kept"].summaries is before
    with monkeypatch.context() as patch:
        patch.setattr(limits, "ZIP_UNPACKED_BYTES", 1000)
        give(app, packed({**good, "x.png": b"1"}))
    assert ["unpacks to" in error.value for error in app.error] == [True]
    start(give(app, packed(small)))
    assert ["is 20x20, and its picture 96x64" in error.value for error in app.error] == [True]
    assert app.session_state["evaluate_kept"].summaries is before


def test_stopped_it_keeps_the_result_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate_all = evaluating.evaluate_all

    def stopped_after_two(*asked: Any, progress: Callable[[Any], None], **more: Any) -> Any:
        def tell(done: Any) -> None:
            progress(done)
            if done.done == 2:
                raise StopException  # as a click on Stop does within the next call

        return evaluate_all(*asked, progress=tell, **more)

    app = give(opened(), packed(labelled()))
    with monkeypatch.context() as patch:
        patch.setattr(evaluating, "evaluate_all", stopped_after_two)
        start(app)
    app.run()
    assert "Stopped: the result so far, of 2 of 3 pictures." in [warning.value for warning in app.warning]
    kept = app.session_state["evaluate_kept"]
    numbers = [score.number for score in kept.evaluations[0].scores]
    some = zoo.evaluate(
        UNET, [pictures()[n] for n in numbers], [truths()[n] for n in numbers], size=SIZE, weights="bundled"
    )
    assert app.dataframe[0].value["miou"][0] == pytest.approx(some.miou)
    start(app)
    assert not app.warning
    assert app.session_state["evaluate_kept"].evaluations[0].images == 3


def test_a_mapping_says_what_labels_of_other_classes_mean() -> None:
    """Separate uploads: labels 0 and 1 of one's own, road and all else that is not void."""
    app = opened()
    labels = [np.where(truth == 3, 0, 1).astype(np.uint8) for truth in truths()]
    name = zoo.predict(UNET, pictures()[0], size=SIZE).classes[3]
    files = [(f"{n}.png", png(picture), "image/png") for n, picture in enumerate(pictures())]
    app.file_uploader(key="evaluate_images").set_value(files)
    files = [(f"{n}.png", png(each), "image/png") for n, each in enumerate(labels)]
    app.file_uploader(key="evaluate_labels").set_value(files)
    mapping = f"label,class\n0,{name}\n1,\n".encode()
    app.file_uploader(key="evaluate_mapping").set_value(("mine.csv", mapping, "text/csv")).run()
    start(app)
    assert not app.error, [error.value for error in app.error]
    found = np.stack([zoo.predict(UNET, each, size=SIZE).labels for each in pictures()])
    labelled_so = np.stack(labels) == 0
    iou = 100 * (labelled_so & (found == 3)).sum() / labelled_so.sum()
    by_class = app.dataframe[1].value.set_index("class")
    assert by_class.at[name, "0"] == pytest.approx(iou)
    assert by_class["pixels"].sum() == labelled_so.sum()
    app.file_uploader(key="evaluate_mapping").set_value(
        ("bad.csv", b"label,class\n0,unicorn\n1,\n", "")
    ).run()
    start(app)
    assert ["unicorn" in error.value for error in app.error] == [True]


def test_own_weights_are_named_as_the_visitor_knows_them_and_the_files_are_the_library_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: dict[str, str] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *_, **__: read.update({label: data}))
    app = opened()
    app.selectbox(key="evaluate_own_row").set_value(UNET).run()
    data = resolve(UNET).path.read_bytes()
    app.file_uploader(key="evaluate_own_weights").set_value((f"mine{resolve(UNET).path.suffix}", data, ""))
    files = {}
    for number, (picture, truth) in enumerate(zip(pictures(), truths(), strict=True)):
        files[f"images/{number}.png"] = png(picture)
        files[f"labels/{number}.png"] = png(np.where(truth == 11, 255, truth).astype(np.uint8))
    start(give(app, packed(files)))
    assert not app.error, [error.value for error in app.error]
    kept = app.session_state["evaluate_kept"]
    assert "mine" in kept.summaries[0].weights
    assert app.dataframe[0].value["miou"][0] == pytest.approx(miou_of(brute_force()))
    assert read["JSON"] == to_json(kept.summaries)
    assert json.loads(read["JSON"])["miou"] == pytest.approx(app.dataframe[0].value["miou"][0])
    assert read["Classes"] == classes_csv(kept.summaries)
    assert read["Pictures"] == images_csv(kept.evaluations)
