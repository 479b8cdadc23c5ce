"""When a page is ready, by what it says of itself."""

from playwright.sync_api import Page, expect


def settled(page: Page) -> None:
    """Wait until the script has ended and its answer is drawn: no spinner, no chart without its picture."""
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator(".js-plotly-plot:not(:has(.main-svg))")).to_have_count(0)
