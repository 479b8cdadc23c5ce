"""The Complexity page by deep link in a real browser."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_deep_link_is_confirmed_live(page: Page) -> None:
    page.goto("/complexity?rows=cityscapes-mobilenetv2-fpnlite-768x384&size=1280x720")
    expect(page.get_by_text("check_circle")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
