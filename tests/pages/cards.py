"""Rows as a page's cards name them."""

from dataclasses import dataclass
from xml.etree import ElementTree

from streamlit.testing.v1 import AppTest


@dataclass
class Shown:
    """What a card shows and where it leads."""

    title: str
    badge: str
    lines: list[str]
    """Below the title."""
    links: dict[str, str]
    """Addresses by what they say."""
    copied: str | None
    """The query of the link that is copied."""
    drops: str | None
    """The row that its button drops."""


def cards(app: AppTest) -> list[Shown]:
    """Return all cards of a page in their order."""
    return [_shown(article) for drawn in _drawn(app) for article in drawn.iter("article")]


def sentences(app: AppTest) -> list[str]:
    """Return the texts that a button beside them copies."""
    beside = [drawn for drawn in _drawn(app) if drawn.attrib["class"] == "rows sentence"]
    texts = [drawn.findtext("p") or "" for drawn in beside]
    assert texts == [button.attrib["data-text"] for drawn in beside for button in drawn.iter("button")]
    return texts


def _drawn(app: AppTest) -> list[ElementTree.Element]:
    bodies = [drawn.proto.body for drawn in app.get("html")]
    return [ElementTree.fromstring(body) for body in bodies if 'class="rows' in body]


def _shown(article: ElementTree.Element) -> Shown:
    def button(kind: str) -> str | None:
        found = [one.attrib[kind] for one in article.iter("button") if kind in one.attrib]
        return found[0] if found else None

    lines = ["".join(line.itertext()) for line in article.findall("p")]
    badge = article.findtext("p/span") or ""
    return Shown(
        title=lines[0].removeprefix(badge).strip() if lines else "",
        badge=badge,
        lines=lines[1:],
        links={"".join(link.itertext()): link.attrib["href"] for link in article.iter("a")},
        copied=button("data-query"),
        drops=button("data-drop"),
    )
