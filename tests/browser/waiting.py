"""When a page is ready, by what it says of itself."""

from collections.abc import Callable

from playwright.sync_api import Page, expect


def settled(page: Page) -> None:
    """Wait until the script has ended and its answer is drawn: no spinner, no chart without its picture."""
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator(".js-plotly-plot:not(:has(.main-svg))")).to_have_count(0)


def clickable(page: Page) -> None:
    """Wait until a click on a chart's point is heard: Plotly draws points before it listens."""
    settled(page)
    page.wait_for_function(
        """() => [...document.querySelectorAll(".js-plotly-plot")].every(
            (chart) => chart._ev?.listenerCount("plotly_selected") > 0
        )"""
    )


def until(page: Page, happened: Callable[[], bool]) -> None:
    """Wait until something that the browser does not show has happened."""
    for _ in range(600):
        if happened():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it has not happened in 30 s")
