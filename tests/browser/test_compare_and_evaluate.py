"""A person compares, evaluates on labels of their own, and takes the report away."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.receiver import received
from tests.browser.waiting import settled

pytestmark = pytest.mark.browser
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "china.jpg"
UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
ERFNET = "cityscapes-erfnet-1024x512"


def open_report(browser: Browser, path: Path) -> str:
    """Return what a report says to its receiver."""
    with received(browser, path) as page:
        page.wait_for_selector("#frontier .main-svg")
        return page.locator("body").inner_text()


def downloaded(page: Page, to: Path) -> Path:
    settled(page)  # a download is made for the run that the button belongs to
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Report", exact=False).click()
    download.value.save_as(to)
    return to


def test_three_rows_on_an_uploaded_picture_and_the_report(
    page: Page, browser: Browser, tmp_path: Path
) -> None:
    picture = tmp_path / "mine.jpg"
    Image.open(SAMPLE).resize((320, 213)).save(picture)
    page.goto(f"/compare?rows={UNET}&rows={FPN}&rows={ERFNET}&size=256x160&compare_source=Upload")
    page.locator('input[type="file"]').first.set_input_files(picture)
    expect(page.get_by_text("Where they disagree")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("No weights for this network here")).to_be_visible()
    expect(page.get_by_text("of those compared")).to_be_visible()
    expect(page.locator("img[alt^='The picture with']")).to_have_count(3)
    text = open_report(browser, downloaded(page, tmp_path / "report.html"))
    assert "Where the masks disagree" in text
    assert "ERFNet" in text
    assert "/compare?" in text


def labelled_zip(to: Path, count: int) -> Path:
    """Write pictures of 160x107 with labels in stripes."""
    street = Image.open(SAMPLE).resize((160, 107))
    labels = Image.fromarray(np.repeat(np.arange(11, dtype=np.uint8), 16)[:160][None].repeat(107, 0))
    labels.save(to / "labels.png")
    with zipfile.ZipFile(to / "mine.zip", "w") as archive:
        for number in range(count):
            street.rotate(number * 5).save(to / "picture.png")
            archive.write(to / "picture.png", f"images/{number}.png")
            archive.write(to / "labels.png", f"labels/{number}.png")
    return to / "mine.zip"


def upload_pictures(page: Page, path: Path) -> None:
    # By its words: of two uploaders, either may be there first.
    pictures = page.get_by_test_id("stFileUploader").filter(has_text="Pictures, or a zip")
    pictures.locator('input[type="file"]').set_input_files(path)


def test_a_labelled_zip_is_evaluated_and_reported(page: Page, browser: Browser, tmp_path: Path) -> None:
    page.goto(f"/evaluate?rows={UNET}&size=160x96&evaluate_8bit={UNET}")
    expect(page.get_by_text("What the bundled networks reach on CamVid")).to_be_visible()
    upload_pictures(page, labelled_zip(tmp_path, 3))
    expect(page.get_by_text("3 pictures with labels")).to_be_visible()
    page.get_by_role("button", name="Evaluate 2 variants").click()
    expect(page.get_by_text("Worst pictures")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("Where they differ")).to_be_visible()
    text = open_report(browser, downloaded(page, tmp_path / "report.html"))
    assert "Measured on labelled images" in text
    assert "8 bits" in text
    assert "/evaluate?" in text


def test_a_click_on_stop_keeps_the_result_so_far(page: Page, tmp_path: Path) -> None:
    page.goto(f"/evaluate?rows={UNET}&size=768x384")
    upload_pictures(page, labelled_zip(tmp_path, 150))
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_text(re.compile(r"^\d+ of 150 pictures"))).to_be_visible(timeout=60_000)
    # The frame around the page has a Stop of Streamlit's own.
    page.get_by_test_id("stMainBlockContainer").get_by_role("button", name="Stop").click()
    stopped = page.get_by_text(re.compile(r"Stopped: the result so far, of \d+ of 150 pictures"))
    expect(stopped).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Worst pictures")).to_be_visible()
    expect(page.get_by_role("button", name="Evaluate")).to_be_enabled()
