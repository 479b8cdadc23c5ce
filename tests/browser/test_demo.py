"""A person puts a mask on a picture and takes it away."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, Page, expect

from tests.browser.waiting import until

pytestmark = pytest.mark.browser
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "china.jpg"


def test_upload_mask_slider_and_download(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "mine.jpg"
    Image.open(SAMPLE).resize((320, 213)).save(picture)
    page.goto("/demo?demo_source=Upload")
    page.locator('input[type="file"]').first.set_input_files(picture)
    expect(page.get_by_text("Classes: click to highlight")).to_be_visible(timeout=60_000)
    slider = page.get_by_role("slider", name="Mask strength")
    slider.focus()
    slider.press("ArrowLeft")
    expect(page).to_have_url(re.compile("demo_strength=59"))
    page.get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_role("button", name="Overlay", exact=True)).to_be_visible()
    files: list[Download] = []
    page.on("download", lambda file: files.append(file))
    # Both within a moment: the second one was lost when each click made the files anew.
    page.get_by_role("button", name="Overlay", exact=True).click()
    page.get_by_role("button", name="Mask", exact=True).click()
    until(page, lambda: len(files) == 2)
    assert [file.suggested_filename for file in files] == ["overlay.png", "mask.png"]
    assert Image.open(files[0].path()).size == (320, 213)
    mask = Image.open(io.BytesIO(files[1].path().read_bytes()))
    ids = np.asarray(mask)
    assert mask.mode == "P"
    assert ids.shape == (213, 320)
    assert set(np.unique(ids)) <= set(range(11))
    assert len(np.unique(ids)) > 2


def test_broken_upload_says_why_and_the_next_one_works(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(SAMPLE.read_bytes()[:30_000])
    page.goto("/demo?demo_source=Upload")
    page.locator('input[type="file"]').first.set_input_files(broken)
    expect(page.get_by_text("cut short")).to_be_visible(timeout=60_000)
    page.locator('input[type="file"]').first.set_input_files(SAMPLE)
    expect(page.get_by_text("Classes: click to highlight")).to_be_visible(timeout=60_000)


def test_a_phone_shows_the_mask_on_its_first_screen(page: Page) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto("/demo")
    picture = page.get_by_test_id("stImage").locator("img").first
    expect(picture).to_be_visible(timeout=60_000)
    page.get_by_text("Details of the mask").wait_for()
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 380
    assert box["y"] + box["height"] < 800
    legend = page.get_by_text("Classes: click to highlight").bounding_box()
    assert legend is not None
    assert 0 < legend["y"] - box["y"] - box["height"] < 60
