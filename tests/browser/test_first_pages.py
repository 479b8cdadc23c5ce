"""Explore and Catalog as a person meets them."""

import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import zoo
from tests.browser.waiting import clickable, settled, until

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
POINTS = ".scatterlayer .points path"
ANSWER = "Under {} GMACs on Cityscapes"


def open_page(page: Page, path: str = "/") -> None:
    page.goto(path)
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)


def test_a_fresh_server_opens_the_catalog_whose_downloads_read_back_to_it(
    page: Page, fresh_server: str
) -> None:
    open_page(page, f"{fresh_server}/catalog")
    expect(page.locator("h1")).to_have_text("Catalog")
    expect(page.get_by_role("link", name="Explore")).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.get_by_role("button", name="Download", exact=True).click()

    def download(label: str) -> str:
        with page.expect_download() as info:
            page.get_by_role("button", name=label, exact=True).click()
        return info.value.path().read_text(encoding="utf-8")

    catalog = zoo.load_catalog().reset_index()
    from_csv = pd.read_csv(io.StringIO(download("CSV")))
    assert list(from_csv["id"]) == list(catalog["id"])
    pd.testing.assert_series_equal(from_csv["gmacs"], catalog["gmacs"])
    pd.testing.assert_series_equal(from_csv["miou"], catalog["miou"])
    from_json = json.loads(download("JSON"))
    assert [row["gmacs"] for row in from_json] == [
        value if value == value else None for value in catalog["gmacs"]
    ]
    assert len(download("Markdown").splitlines()) == 2 + 35


def test_the_first_screen_answers_and_a_budget_draws_what_it_changes_alone(page: Page) -> None:
    came: list[ForwardMsg] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: came.append(ForwardMsg.FromString(frame))),
    )
    open_page(page)
    expect(page.get_by_text("Take this")).to_be_in_viewport(ratio=1)
    chart = page.locator(".js-plotly-plot")
    expect(chart).to_be_in_viewport(ratio=1)
    assert chart.bounding_box()["height"] >= 500  # type: ignore[index]
    expect(page.get_by_label("Budget, exact")).to_be_in_viewport(ratio=1)
    expect(page).to_have_title("Explore · SegSelect")
    assert page.locator("h1").bounding_box()["y"] < 110  # type: ignore[index]
    settled(page)
    came.clear()
    budget = page.get_by_label("Budget, exact")
    budget.fill("9")
    budget.press("Enter")
    expect(page.get_by_text(ANSWER.format("9"))).to_be_visible()
    expect(page).to_have_url(re.compile("budget=9"))
    settled(page)
    drawn = {part.delta.new_element.WhichOneof("type") for part in came if part.HasField("delta")}
    assert {"text_input", "html", "plotly_chart", "dataframe"} <= drawn
    assert "selectbox" not in drawn  # the input size's
    page.go_back()
    expect(page.get_by_text(ANSWER.format("4"))).to_be_visible()
    expect(budget).to_have_value("4")


def test_offered_smaller_input_acts_on_the_whole_page(page: Page) -> None:
    open_page(page, "/?budget=0.5")
    page.get_by_role("button", name="Count at").click()
    expect(page).to_have_url(re.compile("size="))
    size = re.search(r"size=(\d+x\d+)", page.url)
    assert size is not None
    expect(page.get_by_role("combobox", name="Input size")).to_have_value(size[1])
    expect(page.get_by_text("Take this")).to_be_visible()
    expect(page.get_by_text(f"counted at {size[1]}").first).to_be_visible()


def test_offered_rows_of_the_other_catalog_act_on_the_whole_page(page: Page) -> None:
    open_page(page, "/?explore_ms=12&explore_cost=Arduino+VENTUNO+Q+%28float%2C+tflite%29")
    expect(page.get_by_text("no row has both").first).to_be_visible()
    page.get_by_role("button", name="Take the rows of both catalogs").click()
    expect(page.get_by_text("The cheapest is DDRNet-23-slim · 2048x1024")).to_be_visible()
    expect(page).to_have_url(re.compile("catalog=published"))


def test_fast_arrow_keys_lose_no_step_and_the_budget_survives_a_reload(page: Page) -> None:
    open_page(page)
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(12):
        slider.press("ArrowRight", delay=0)
    expect(page).to_have_url(re.compile("budget=5.2"))
    expect(page.get_by_label("Budget, exact")).to_have_value("5.2")
    page.reload()
    expect(page.get_by_text(ANSWER.format("5.2"))).to_be_visible()


def test_quick_walk_through_pages_keeps_the_settings(page: Page) -> None:
    link = "dataset=Cityscapes&dataset=VOC2012&explore_qat=Without+QAT"
    open_page(page, f"/?budget=9.0&size=1280x720&rows=cityscapes-erfnet-1024x512&{link}")
    expect(page.get_by_text("Under 9 GMACs on VOC2012")).to_be_visible()
    for name in ("Demo", "Catalog", "Complexity", "Demo", "Catalog"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page).to_have_title(f"{name} · SegSelect")  # it has begun, and is not waited for
    expect(page.get_by_text("What words mean")).to_be_visible(timeout=60_000)  # the last one may end
    page.get_by_role("link", name="Explore", exact=True).first.click()
    expect(page.get_by_text("Under 9 GMACs on VOC2012")).to_be_visible(timeout=60_000)
    for part in ("budget=9", "size=1280x720", "rows=cityscapes-erfnet-1024x512", "explore_qat=Without"):
        expect(page).to_have_url(re.compile(part))


def test_the_filters_button_counts_them_and_stays_open_while_they_change(page: Page) -> None:
    open_page(page, "/?explore_qat=Without+QAT")
    page.get_by_role("button", name="Filters (1)").click()
    page.get_by_text("Weights can be had here").click()
    expect(page).to_have_url(re.compile("explore_weights=true"))
    settled(page)
    expect(page.get_by_text("Published input size")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Filters (2)")).to_be_visible()


def test_clicked_point_is_chosen_and_survives_a_slider_move(page: Page) -> None:
    open_page(page)
    clickable(page)
    page.locator(POINTS).nth(3).click(force=True)
    expect(page).to_have_url(re.compile("rows=cityscapes-"))
    chosen = re.search(r"rows=([a-z0-9-]+)", page.url)
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("budget=4.1"))
    assert chosen
    expect(page).to_have_url(re.compile(chosen[0]))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()


def test_a_ticked_row_stays_the_same_row_when_the_lines_move(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1900})
    open_page(page, "/?budget=9")
    settled(page)

    def tick(line: int) -> None:
        box = page.get_by_test_id("stDataFrame").first.bounding_box()
        assert box
        page.mouse.click(box["x"] + 14, box["y"] + 33 + 31 * line - 15)

    tick(2)
    expect(page).to_have_url(re.compile("rows=cityscapes-mobilenetv2-fpnlite-768x384$"))
    exact = page.get_by_label("Budget, exact")
    exact.fill("4")  # the second line is now another network's
    exact.press("Enter")
    expect(page.get_by_text(ANSWER.format("4"))).to_be_visible()
    settled(page)
    tick(3)
    expect(page).to_have_url(re.compile("s16-deeplabv3lite-768x384"))
    assert sorted(re.findall("rows=([a-z0-9-]+)", page.url)) == [
        "cityscapes-mobilenetv2-fpnlite-768x384",
        "cityscapes-mobilenetv2s16-deeplabv3lite-768x384",
    ]


def test_a_slider_moved_before_a_clicks_answer_arrives_drops_no_chosen_row(page: Page) -> None:
    # The click replaces a table; until the browser hears of it, its requests tell of the one that was.
    browsers: list[WebSocketRoute] = []
    held_back: list[str | bytes] = []
    sent: list[str | bytes] = []
    slow = False

    def delay(browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda message: (held_back.append if slow else browser.send)(message))
        browser.on_message(lambda message: (sent.append(message), server.send(message)))
        browsers.append(browser)

    def ended() -> bool:
        messages = [ForwardMsg.FromString(one) for one in held_back if isinstance(one, bytes)]
        return any(message.HasField("script_finished") for message in messages)

    page.route_web_socket(re.compile("/_stcore/stream"), delay)
    open_page(page)
    clickable(page)
    slow = True
    page.locator(POINTS).nth(3).click(force=True)
    until(page, ended)
    before = len(sent)
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    until(page, lambda: len(sent) > before)
    slow = False
    for message in held_back:
        browsers[-1].send(message)
    expect(page).to_have_url(re.compile("budget=4.1&rows=cityscapes-mobilenetv2-fpnlite-1536x768"))


def test_link_with_nonsense_gives_a_usable_page(page: Page) -> None:
    open_page(page, "/?budget=lots&rows=nothing")
    expect(page.get_by_text("Ignored in this link")).to_be_visible()
    expect(page.get_by_text(ANSWER.format("4"))).to_be_visible()


ERFNET, FPNLITE = "cityscapes-erfnet-1024x512", "cityscapes-mobilenetv2-fpnlite-768x384"
COMPLEXITY = f"/complexity?rows={FPNLITE}&size=1280x720"
SEEN = {
    f"/?rows={ERFNET}": "Shortlist",
    "/catalog": "What words mean",
    COMPLEXITY: "check_circle",  # of the live count
    "/demo": "Classes: click to highlight",
    "/latency": "Float against 8 bits",
    "/latency?latency_view=here": "Nothing is measured yet",
    "/latency?latency_view=roofline": "Layers of",
    f"/compare?rows={FPNLITE}&rows={ERFNET}": "Where: MACs by stride",
    "/evaluate": "What the bundled networks reach on CamVid",
}
"""What is to be seen behind a deep link before the page is judged."""


# Width and theme together; the other two pairs by hand.
VIEWS = [(1280, "light"), (420, "dark")]
OTHER_VIEWS = [(1280, "dark"), (420, "light")]


def background(scheme: str) -> str:
    """Return the colour behind everything, as a browser tells it."""
    themes = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    red, green, blue = bytes.fromhex(themes[scheme]["backgroundColor"].removeprefix("#"))
    return f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("views", [VIEWS, pytest.param(OTHER_VIEWS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", SEEN)
def test_a_deep_link_shows_its_page_and_axe_finds_nothing_serious(
    page: Page, path: str, views: list[tuple[int, Any]]
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path)
    expect(page.get_by_text(SEEN[path]).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    settled(page)
    if path == COMPLEXITY:
        expect(page.locator(".js-plotly-plot")).to_have_count(3)
    for width, scheme in views:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        expect(page.locator(".stApp")).to_have_css("background-color", background(scheme))
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        violations = Axe().run(page).response["violations"]
        serious = [
            (width, scheme, found["id"], [node["target"] for node in found["nodes"]][:3])
            for found in violations
            if found["impact"] in ("serious", "critical")
        ]
        assert serious == []
    assert errors == []
