"""The Demo page, run by Streamlit's own test runner on the sample picture."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import zoo
from pages.shared.masks import IMAGE_TYPES, MODEL_TYPES
from tests.hostile_files import BAD_IMAGES, BAD_MODELS, BAD_WEIGHTS
from zoo import limits

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "samples" / "china.jpg"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> AppTest:
    monkeypatch.setenv("SEGSELECT_CACHE", str(tmp_path_factory.getbasetemp() / "demo-cache"))
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    app.run().switch_page("demo.py").run()
    assert not app.exception
    return app


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
    shown = page.session_state["demo_result"][1]
    alone = zoo.predict("cityscapes-mobilenetv2-unetlite-768x384", SAMPLE)
    assert (shown.labels == alone.labels).all()


def test_says_whose_weights_made_it(page: AppTest) -> None:
    text = "\n".join(element.value for element in [*page.markdown, *page.caption])
    assert "CamVid" in text
    assert "personal and research use" in text


def test_strength_does_not_run_the_network_again(page: AppTest) -> None:
    before = page.session_state["demo_result"][1]
    page.slider(key="demo_strength").set_value(10).run()
    assert page.session_state["demo_result"][1] is before


def test_row_without_weights_names_the_ways(page: AppTest) -> None:
    page.selectbox(key="demo_row").set_value("cityscapes-resnet50-fcn-1040x520").run()
    assert not page.exception
    assert len(page.error) == 1
    assert "cityscapes-resnet50-fcn-1040x520" in page.error[0].value


def test_every_bad_picture_is_one_line_and_the_next_works(page: AppTest) -> None:
    page.segmented_control(key="demo_source").set_value("Upload").run()
    before = page.session_state["demo_result"][1]
    for name, (data, words) in BAD_IMAGES.items():
        if Path(name).suffix[1:] in IMAGE_TYPES:  # the uploader itself refuses the others
            upload(page, name, data)
            assert [bool(re.search(words, error.value)) for error in page.error] == [True], name
            assert page.session_state["demo_result"][1] is before, name
    upload(page, "good.png", png((64, 48)))
    assert not page.error
    assert page.session_state["demo_result"][1].labels.shape == (48, 64)


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's own, on making the files: sparse is in beta
def test_every_bad_file_of_weights_is_one_line_and_the_bundled_ones_work(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SANDBOX_SECONDS", 3)
    files = dict(BAD_MODELS)
    for name, (write, _) in BAD_WEIGHTS.items():
        write(tmp_path / name)
        files[name] = (tmp_path / name).read_bytes()
    before = page.session_state["demo_result"][1]
    page.selectbox(key="demo_weights").set_value("Your own file").run()
    for name, data in files.items():
        if Path(name).suffix[1:] in MODEL_TYPES:
            page.file_uploader(key="demo_own_weights").set_value((name, data, "")).run()
            assert not page.exception, name
            assert len(page.error) == 1, name
            assert name in page.error[0].value, page.error[0].value
            assert "\n" not in page.error[0].value, name
            assert page.session_state["demo_result"][1] is before, name
    assert not (tmp_path / "ran").exists()
    page.selectbox(key="demo_weights").set_value("Bundled").run()
    assert not page.error
