"""Who is sent a report: a browser with nothing but the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page


@contextmanager
def received(browser: Browser, path: Path, **options: Any) -> Iterator[Page]:
    """Give a report opened in a context of its own; afterwards: no error was said, nothing asked outside."""
    context = browser.new_context(**options)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert said == []
    assert [address for address in asked if not address.startswith(("data:", "blob:"))] == [path.as_uri()]
    context.close()
