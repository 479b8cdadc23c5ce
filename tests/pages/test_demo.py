"""The Demo page, run by Streamlit's own test runner on the sample picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import zoo

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


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("empty.png", b"", "empty"),
        ("text.png", b"hello", "not an image"),
        ("cut.jpg", SAMPLE.read_bytes()[:40_000], "cut short"),
    ],
)
def test_bad_picture_is_one_line_and_the_next_works(page: AppTest, name: str, data: bytes, word: str) -> None:
    before = page.session_state["demo_result"][1]
    upload(page, name, data)
    assert [word in error.value for error in page.error] == [True]
    assert page.session_state["demo_result"][1] is before
    upload(page, "good.png", png((64, 48)))
    assert not page.error
    assert page.session_state["demo_result"][1].labels.shape == (48, 64)
