"""The report in a real Chromium: no network, no error, charts that answer."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.browser.receiver import received
from zoo.evaluation.summary import ClassFigure, Summary
from zoo.images import read_image
from zoo.report import Decision, make_report
from zoo.sizes import Size

UNET = "cityscapes-mobilenetv2-unetlite-768x384"
FPN = "cityscapes-mobilenetv2-fpnlite-768x384"
EVIL = "<img src=x onerror=window.broken=1>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("report")
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    measured = Summary(
        UNET,
        EVIL,
        62.59,
        89.62,
        (ClassFigure(EVIL, 91.0, 5), ClassFigure("pole", 26.0, 7)),
        233,
        {"void": EVIL},
        size=Size(480, 352),
        counted_gmacs=1.2,
        num_classes=2,
        interval=(61.0, 64.0),
        confusion=((4, 1), (2, 5)),
    )
    decision = Decision(
        "Cityscapes",
        4,
        Size(128, 96),
        rows=(UNET, FPN),
        picture=read_image(noise, EVIL),
        evaluations=(measured,),
    )
    (home / "report.html").write_text(make_report(decision), encoding="utf-8")
    return home / "report.html"


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_opens_without_error_or_network_and_answers(
    browser: Browser, report: Path, width: int, scheme: str
) -> None:
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with received(browser, report, **look) as page:
        for name in ("frontier", "measured", "classes", "confusion"):
            page.wait_for_selector(f"#{name} .main-svg")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("window.broken") is None
        assert page.locator("img[src=x]").count() == 0
        points = page.evaluate(
            "document.getElementById('frontier').data.filter(trace => trace.mode.includes('markers'))"
            ".flatMap(trace => Array.from(trace.y._inputArray || trace.y))"
        )
        assert max(points) == pytest.approx(78.9)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = page.evaluate("document.getElementById('frontier').layout.font.color")
        assert (background, ink) == {
            "light": ("rgb(255, 255, 255)", "#1c2329"),
            "dark": ("rgb(20, 24, 28)", "#e6eaed"),
        }[scheme]
        page.locator("#measured").scroll_into_view_if_needed()
        page.evaluate(
            "Plotly.Fx.hover(document.getElementById('measured'), [{curveNumber: 1, pointNumber: 0}])"
        )
        hover = page.locator("#measured .hovertext").first
        hover.wait_for()
        assert "62.59" in (hover.text_content() or "")
        assert EVIL in (hover.text_content() or "")


@pytest.mark.browser
def test_it_can_be_printed(browser: Browser, report: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("#confusion .main-svg")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    pages = printed.count(b"/Type /Page\n") or printed.count(b"/Type/Page")
    assert math.isclose(pages, 6, abs_tol=5)
    context.close()
