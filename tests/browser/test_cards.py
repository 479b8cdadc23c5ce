"""The cards of rows as a person meets them: they lead on, are copied, and show names as they are."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.waiting import settled

pytestmark = pytest.mark.browser
ERFNET = "cityscapes-erfnet-1024x512"


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article").filter(has_text=name)


def opened(page: Page, path: str) -> None:
    page.goto(path)
    settled(page)


def test_a_link_leads_on_within_the_session_and_back(page: Page) -> None:
    opened(page, "/?budget=9")
    card(page, "One better").get_by_role("link", name="Try it on a picture").click()
    expect(page).to_have_url(re.compile(r"/demo\?budget=9&demo_row=cityscapes-mobilenetv2-fpnlite-1536x768"))
    expect(page.locator("h1")).not_to_contain_text("Which network")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Which network fits?")
    settled(page)
    card(page, "Take this").get_by_role("link", name="See its cost").click()
    expect(page.locator("h1")).to_contain_text("at what size does it fit?", timeout=60_000)
    expect(page).to_have_url(re.compile("rows=cityscapes-regnetx800mf-fpnlite-768x384"))
    expect(page).to_have_url(re.compile("budget=9"))


def test_a_page_within_another_stays_so(page: Page) -> None:
    opened(page, "/?embed=true&budget=9")
    card(page, "Take this").get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile(r"/compare\?.*embed=true"))
    settled(page)
    expect(page).to_have_url(re.compile(r"/compare\?.*embed=true"))
    expect(page).to_have_url(re.compile(r"rows=cityscapes-regnetx800mf-fpnlite-768x384"))


def test_a_click_with_ctrl_opens_a_tab_of_its_own(page: Page) -> None:
    opened(page, "/?budget=9")
    link = card(page, "Take this").get_by_role("link", name="Compare")
    with page.context.expect_page() as tab:
        link.click(modifiers=["Control"])
    expect(tab.value).to_have_url(re.compile(r"/compare\?budget=9&rows=cityscapes-regnetx800mf-fpnlite"))
    expect(page.locator("h1")).to_have_text("Which network fits?")


@pytest.mark.parametrize("allowed", [True, False])
def test_copy_link_gives_this_page_with_the_row_chosen(page: Page, allowed: bool) -> None:
    if allowed:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:  # as on a server without https
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    opened(page, "/?budget=9")
    take = card(page, "Take this")
    take.get_by_role("button", name="Copy link").click()
    if allowed:
        expect(take.get_by_role("button", name="Copied")).to_be_visible()
        address = page.evaluate("navigator.clipboard.readText()")
    else:
        address = take.get_by_role("textbox").input_value()
        assert page.evaluate("document.activeElement.selectionEnd") == len(address)
    assert address == re.sub(r"\?.*", "", page.url) + "?budget=9&rows=cityscapes-regnetx800mf-fpnlite-768x384"
    if allowed:
        sentence = page.locator(".sentence").first
        sentence.get_by_role("button", name="Copy").click()
        expect(sentence.get_by_role("button", name="Copied")).to_be_visible()
        answer = page.evaluate("navigator.clipboard.readText()")
        assert answer.startswith("Under 9 GMACs on Cityscapes: RegNetX800MF+FPNLite")
        expect(sentence.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_drop_takes_a_row_from_the_shortlist(page: Page) -> None:
    opened(page, f"/?rows={ERFNET}&rows=cityscapes-mobilenetv2-fpnlite-768x384")
    card(page, "ERFNet · 1024x512").get_by_role("button", name="Drop").click()
    expect(page).to_have_url(re.compile(r"\?rows=cityscapes-mobilenetv2-fpnlite-768x384$"))
    expect(card(page, "ERFNet · 1024x512")).to_have_count(0)
    page.locator("article").filter(has_text="Drop").get_by_role("button", name="Drop").click()
    expect(page.get_by_role("heading", name="Shortlist")).to_have_count(0)


def test_an_own_name_is_text_on_its_card(page: Page) -> None:
    name = "<img src=x onerror=alert(1)> **bold**"
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    opened(page, "/")
    page.get_by_role("button", name="Own", exact=True).click()
    columns = "id,dataset,model,input_width,input_height,gmacs,miou"
    content = f"{columns}\nmine,Cityscapes,{name},512,256,1.5,75\n"
    file = {"name": "mine.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.locator('input[type="file"]').first.set_input_files(files=[file])  # type: ignore[list-item]
    expect(card(page, "Take this").locator("b").first).to_have_text(f"{name} (own) · 512x256")
    expect(card(page, "Take this").locator("img")).to_have_count(0)
