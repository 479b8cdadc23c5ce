"""The Demo page, run by Streamlit's own test runner on the sample picture."""

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import zoo
from pages.shared.masks import IMAGE_TYPES, MODEL_TYPES
from pages.shared.views import SCREEN_SIDE, masked, wiped
from tests.hostile_files import BAD_IMAGES, BAD_MODELS, BAD_WEIGHTS
from tests.tiny_tflite import channels_of
from zoo import limits
from zoo.cache import weights_dir

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "samples" / "china.jpg"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppTest]:
    monkeypatch.setenv("SEGSELECT_CACHE", str(tmp_path_factory.getbasetemp() / "demo-cache"))
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.run().switch_page("demo.py").run()
    assert not app.exception
    yield app
    # Else it goes with the session at any moment, with a warning that a later test would hear of.
    if "demo_folder" in app.session_state:
        app.session_state["demo_folder"].cleanup()


def png(size: tuple[int, int]) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.segmented_control(key="demo_source").set_value("Upload").run()
    page.file_uploader(key="demo_upload").set_value((name, data, "image/png")).run()
    assert not page.exception
    return page


def test_sample_gets_the_mask_that_the_library_gives(page: AppTest) -> None:
    shown = page.session_state["demo_kept"].prediction
    alone = zoo.predict("cityscapes-mobilenetv2-unetlite-768x384", SAMPLE)
    assert (shown.labels == alone.labels).all()


def test_says_whose_weights_made_it(page: AppTest) -> None:
    text = "\n".join(element.value for element in [*page.markdown, *page.caption])
    assert "CamVid" in text
    assert "personal and research use" in text


def test_strength_does_not_run_the_network_again(page: AppTest) -> None:
    before = page.session_state["demo_kept"].prediction
    page.slider(key="demo_strength").set_value(10).run()
    assert page.session_state["demo_kept"].prediction is before


def test_row_without_weights_offers_what_can_be_done(page: AppTest) -> None:
    page.selectbox(key="demo_row").set_value("cityscapes-resnet50-fcn-1040x520").run()
    assert not page.exception
    assert not page.error
    assert [entry.value for entry in page.subheader] == ["No weights for this network here yet"]
    assert "Download the published weights" not in [button.label for button in page.button]
    page.selectbox(key="demo_row").set_value("cityscapes-erfnet-1024x512").run()
    assert "Download the published weights" in [button.label for button in page.button]


def test_a_failure_is_not_tried_again(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(page, "broken.png", b"no picture at all")
    assert len(page.error) == 1
    monkeypatch.setattr("pages.shared.masks.carry_out", lambda *_, **__: pytest.fail("tried again"))
    monkeypatch.setattr("pages.shared.masks.read_image", lambda *_: pytest.fail("read again"))
    page.slider(key="demo_strength").set_value(10).run()
    assert not page.exception
    assert len(page.error) == 1


def test_published_weights_take_over_once_they_are_here(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = "cocoseg21-mobilenetv2-unetlite-512x512"
    page.selectbox(key="demo_row").set_value(row).run()
    assert page.session_state["demo_kept"].prediction.weights.kind == "bundled"
    state = zoo.build_model(row).state_dict()
    torch.save(state, tmp_path / "x.pth")
    data = (tmp_path / "x.pth").read_bytes()
    folder = weights_dir()
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{row}.{hashlib.sha256(data).hexdigest()}.pth"
    place.write_bytes(data)
    try:
        page.run()
        assert not page.exception
        assert page.session_state["demo_kept"].prediction.weights.kind == "published"
    finally:
        place.unlink()


def test_an_uploaded_picture_stays_when_pages_change(page: AppTest) -> None:
    upload(page, "mine.png", png((64, 48)))
    assert page.session_state["demo_kept"].prediction.labels.shape == (48, 64)
    page.switch_page("catalog.py").run()
    page.switch_page("demo.py").run()
    assert not page.exception
    assert page.session_state["demo_kept"].prediction.labels.shape == (48, 64)
    page.segmented_control(key="demo_source").set_value("Sample").run()
    page.segmented_control(key="demo_source").set_value("Upload").run()
    assert page.session_state["demo_kept"].prediction.labels.shape == (48, 64)


def test_pictures_on_the_screen_are_the_library_s(page: AppTest) -> None:
    made = page.session_state["demo_kept"].prediction
    whole = np.asarray(Image.open(io.BytesIO(masked(made.rgb, made.label_map, 1))).convert("RGB")).astype(int)
    step = -(-max(made.labels.shape) // SCREEN_SIDE)
    wanted = np.asarray(made.label_map.classes.palette)[made.labels[::step, ::step]]
    assert np.median(np.abs(whole - wanted)) <= 3  # JPEG
    half = wiped(made.rgb, masked(made.rgb, made.label_map, 1), 0.5)
    both = np.asarray(Image.open(io.BytesIO(half)).convert("RGB")).astype(int)
    middle = both.shape[1] // 2
    assert (
        np.median(np.abs(both[:, : middle - 5] - made.rgb[::step, ::step][:, : middle - 5].astype(int))) <= 4
    )
    assert np.median(np.abs(both[:, middle + 5 :] - wanted[:, middle + 5 :])) <= 3


def test_every_bad_picture_is_one_line_and_the_next_works(page: AppTest) -> None:
    page.segmented_control(key="demo_source").set_value("Upload").run()
    before = page.session_state["demo_kept"].prediction
    for name, (data, words) in BAD_IMAGES.items():
        if Path(name).suffix[1:] in IMAGE_TYPES:  # the uploader itself refuses the others
            upload(page, name, data)
            assert [bool(re.search(words, error.value)) for error in page.error] == [True], name
            assert page.session_state["demo_kept"].prediction is before, name
    upload(page, "good.png", png((64, 48)))
    assert not page.error
    assert page.session_state["demo_kept"].prediction.labels.shape == (48, 64)


def test_an_own_file_takes_the_place_of_the_one_before_and_is_read_once(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, kind: (read.append(file.name), digest(file, kind))[1]
    )
    page.selectbox(key="demo_weights").set_value("Your own file").run()
    for name, count in (("first.tflite", 2), ("second.tflite", 3)):
        page.file_uploader(key="demo_own_weights").set_value((name, channels_of("float32", 0, count), ""))
        page.run()
        assert not page.error
        assert name in "\n".join(element.value for element in page.markdown).replace("\\", "")
    page.slider(key="demo_strength").set_value(10).run()
    here = Path(page.session_state["demo_folder"].name)
    assert len(list(here.iterdir())) == 1
    assert len([name for name in read if Path(name).parent == here]) == 2


def test_an_own_model_is_named_as_itself_with_the_classes_that_are_picked(page: AppTest) -> None:
    # float32 (1, 32, 48, 3) in, its first 2 channels out: with mean 0 and deviation 1 the labels are whether
    # green is above red.
    page.selectbox(key="demo_weights").set_value("Your own file").run()
    page.file_uploader(key="demo_own_weights").set_value(("my net.tflite", channels_of("float32", 0, 2), ""))
    page.run()
    assert not page.exception
    assert not page.error
    made = page.session_state["demo_kept"].prediction
    assert made.classes == ("class 0", "class 1")
    assert made.weights.row.model == "my net.tflite"
    text = "\n".join(element.value for element in page.markdown)
    assert "my net" in text
    assert "UNetLite" not in text
    assert page.text_input(key="demo_mean").placeholder == "123.675 116.28 103.53"
    page.selectbox(key="demo_classes").set_value("Typed below").run()
    page.text_area(key="demo_names").set_value("not green\ngreen").run()
    page.text_input(key="demo_mean").set_value("0 0 0").run()
    page.text_input(key="demo_std").set_value("1, 1, 1").run()
    made = page.session_state["demo_kept"].prediction
    assert made.classes == ("not green", "green")
    small = np.asarray(Image.fromarray(made.rgb).resize((48, 32), Image.Resampling.BILINEAR)).astype(int)
    greener = 100 * (small[..., 1] > small[..., 0]).mean()
    assert made.shares[1] == pytest.approx(greener, abs=3)
    page.selectbox(key="demo_classes").set_value("Cityscapes").run()
    assert page.session_state["demo_kept"].prediction.classes == ("class 0", "class 1")
    notes = "\n".join(entry.value for entry in page.caption)
    assert "The network has 2 classes, and the 19 classes of Cityscapes are 19" in notes
    page.text_input(key="demo_std").set_value("1 0 1").run()
    assert "std above 0" in page.error[0].value


def test_a_row_trained_for_8_bits_runs_in_them_and_its_difference_is_counted(page: AppTest) -> None:
    row = "cityscapes-mobilenetv2-unetlite-qat-768x384"
    page.selectbox(key="demo_row").set_value(row).run()
    assert not page.exception
    eight = page.session_state["demo_kept"].prediction
    assert eight.weights.precision == "8bit"
    assert (eight.labels == zoo.predict(row, SAMPLE).labels).all()
    text = "\n".join(element.value for element in page.markdown)
    assert "in 8 bits: bundled weights trained on CamVid, **62.06 % mIoU** measured" in text
    page.segmented_control(key="demo_precision_8bit").set_value("difference").run()
    assert not page.exception
    alone = zoo.predict(row, SAMPLE, precision="float")
    differ = 100 * float((alone.labels != eight.labels).mean())
    text = "\n".join(element.value for element in page.markdown)
    assert f"**{differ:.2f} % of the pixels** get another class" in text
    assert 0 < differ < 20


@pytest.mark.slow  # calibrates a network
def test_8_bits_that_are_not_here_are_made_from_pictures_of_the_visitor(
    page: AppTest, tmp_path: Path
) -> None:
    torch.save(zoo.build_model("cityscapes-mobilenetv2-unetlite-768x384").state_dict(), tmp_path / "x.pth")
    page.selectbox(key="demo_weights").set_value("Your own file").run()
    page.file_uploader(key="demo_own_weights").set_value(("x.pth", (tmp_path / "x.pth").read_bytes(), ""))
    page.selectbox(key="size").set_value("512x512").run()
    page.segmented_control(key="demo_precision_float").set_value("8bit").run()
    assert not page.exception
    assert not page.error
    assert "python -m" not in "\n".join(element.value for element in page.markdown)
    assert page.button[-1].label == "Make it in 8 bits"
    assert page.button[-1].disabled
    pictures = [(f"{place}.png", png((96, 64)), "image/png") for place in range(limits.CALIBRATION_PICTURES)]
    page.file_uploader(key="demo_calibration").set_value(pictures).run()
    page.button[-1].click().run()
    assert not page.exception
    assert not page.error
    made = page.session_state["demo_kept"].prediction.weights
    assert made.precision == "8bit"
    assert f"over {limits.CALIBRATION_PICTURES} pictures at 512x512" in made.calibration


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's own, on making the files: sparse is in beta
def test_every_bad_file_of_weights_is_one_line_and_the_bundled_ones_work(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SANDBOX_SECONDS", 2)
    files = dict(BAD_MODELS)
    for name, (write, _) in BAD_WEIGHTS.items():
        write(tmp_path / name)
        files[name] = (tmp_path / name).read_bytes()
    before = page.session_state["demo_kept"].prediction
    page.selectbox(key="demo_weights").set_value("Your own file").run()
    for name, data in files.items():
        if Path(name).suffix[1:] in MODEL_TYPES:
            page.file_uploader(key="demo_own_weights").set_value((name, data, "")).run()
            assert not page.exception, name
            assert len(page.error) == 1, name
            assert name in page.error[0].value, page.error[0].value
            assert "\n" not in page.error[0].value, name
            assert page.session_state["demo_kept"].prediction is before, name
    assert not (tmp_path / "ran").exists()
    page.selectbox(key="demo_weights").set_value("Bundled").run()
    assert not page.error


def test_the_network_is_taken_away_as_the_onnx_that_made_the_mask(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, bytes] = {}
    monkeypatch.setattr(st, "download_button", lambda _, data, name, *__, **___: offered.update({name: data}))
    page.selectbox(key="size").set_value("512x512").run()
    page.session_state["demo_onnx"] = True
    page.run()
    next(button for button in page.button if button.label == "Make the file").click().run()
    assert not page.exception, [error.message for error in page.exception]
    assert not page.error
    name = "cityscapes-mobilenetv2-unetlite-768x384-any-size.onnx"
    session = onnxruntime.InferenceSession(offered[name], providers=["CPUExecutionProvider"])
    made = page.session_state["demo_kept"].prediction
    image = Image.fromarray(made.rgb).resize((512, 512), Image.Resampling.BILINEAR)
    values = (np.asarray(image, np.float32) - made.weights.mean) / made.weights.std
    (logits,) = session.run(None, {"image": values.transpose(2, 0, 1)[None].astype(np.float32)})
    small = np.asarray(Image.fromarray(made.labels).resize((512, 512), Image.Resampling.NEAREST))
    assert (logits[0].argmax(0) == small).mean() > 0.95
    page.session_state["demo_export_folder"].cleanup()
