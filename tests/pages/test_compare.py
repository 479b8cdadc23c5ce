"""The Compare page by value, from the frame that visitors get."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import zoo
from zoo.catalog import catalog_named
from zoo.costs import costs_of
from zoo.selection import answer, counted_at, with_counted
from zoo.sizes import Size

ROOT = Path(__file__).resolve().parents[2]
UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"


def opened(rows: list[str], **link: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.query_params["rows"] = rows
    app.query_params["size"] = "128x96"
    for key, value in link.items():
        app.query_params[key] = value
    app.run().switch_page("compare.py").run()
    assert not app.exception, [error.message for error in app.exception]
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info])


def upload(app: AppTest, name: str, data: bytes) -> None:
    app.file_uploader(key="demo_upload").set_value((name, data, "image/png")).run()
    assert not app.exception


def png(size: tuple[int, int]) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_numbers_masks_and_disagreement_are_those_of_the_library() -> None:
    app = opened([UNET, FPN, ERFNET], compare_source="Upload")
    upload(app, "street.png", png((60, 44)))
    numbers = app.dataframe[0].value
    assert list(numbers["miou"]) == [68.94, 70.39, 69.7]
    assert list(numbers["miou_difference"]) == pytest.approx([0, 1.45, 0.76])
    assert list(numbers["gmacs"]) == [2.2, 3.84, 27.705]
    counted = zoo.macs_at(128, 96)[[UNET, FPN, ERFNET]].to_numpy(float) / 1e9
    assert list(numbers["counted_gmacs"]) == pytest.approx(list(counted))
    assert list(numbers["counted_gmacs_difference"]) == pytest.approx(list(100 * (counted / counted[0] - 1)))
    params = np.array([costs_of(row_id).params for row_id in (UNET, FPN, ERFNET)])
    assert list(numbers["params_difference"]) == pytest.approx(list(100 * (params / params[0] - 1)))
    image = np.asarray(Image.open(io.BytesIO(png((60, 44)))))
    one, other = (zoo.predict(row_id, image, size=(128, 96)).labels for row_id in (UNET, FPN))
    differ = int((one != other).sum())
    assert differ > 0
    assert f"{differ:,} pixels, {100 * differ / one.size:.2f} % of those compared" in texts(app)
    shares = app.dataframe[1].value.set_index("class")
    for place, labels in enumerate((one, other)):
        for number, name in enumerate(zoo.predict(UNET, image, size=(128, 96)).classes):
            if name in shares.index:
                assert shares.loc[name, str(place)] == pytest.approx(100 * np.mean(labels == number))
    assert [entry.value.startswith("No weights for this network here") for entry in app.info] == [True]
    assert "Download the published weights" in [button.label for button in app.button]
    assert not app.error
    assert "Off the frontier" in texts(app)


def test_a_row_in_8_bits_is_a_variant_beside_the_float_one() -> None:
    app = opened([UNET, FPN], compare_8bit=[UNET])
    kept = app.session_state["compare_kept"]
    assert [each.variant.title for each in kept.shown] == [
        "MobileNetV2+UNetLite · 768x384",
        "MobileNetV2+UNetLite · 768x384 · 8 bits",
        "MobileNetV2+FPNLite · 768x384",
    ]
    sample = ROOT / "data" / "samples" / "china.jpg"
    alone = zoo.predict(UNET, sample, size=(128, 96), precision="8bit").labels
    assert (kept.shown[1].prediction.labels == alone).all()
    assert (kept.shown[0].prediction.labels != alone).any()
    assert "in 8 bits" in texts(app)
    before = kept.shown[0].prediction
    app.slider(key="compare_strength").set_value(20).run()
    assert app.session_state["compare_kept"].shown[0].prediction is before


def test_a_bad_picture_is_one_line_and_the_masks_stay() -> None:
    app = opened([UNET, FPN], compare_source="Upload")
    upload(app, "good.png", png((60, 44)))
    before = app.session_state["compare_kept"].shown
    upload(app, "broken.png", b"no picture")
    assert [bool(re.search("broken.png", error.value)) for error in app.error] == [True]
    assert app.session_state["compare_kept"].shown is before
    upload(app, "good.png", png((64, 48)))
    assert not app.error
    assert app.session_state["compare_kept"].shown[0].prediction.labels.shape == (48, 64)


def test_too_few_rows_are_filled_with_the_answer() -> None:
    app = opened([])
    assert len(app.dataframe[0].value) == 2
    cost = counted_at(Size(128, 96))
    best = answer(with_counted(catalog_named("published"), cost.size), "Cityscapes", max_cost=4, cost=cost)
    assert list(app.dataframe[0].value.index) == [best.chosen, best.next_cheaper]
    assert best.next_better is None
    assert "No row is chosen: the answer under your budget stands in." in texts(app)
