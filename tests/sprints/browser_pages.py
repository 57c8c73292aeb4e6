"""A page in a browser without a window, for tests of pages that are served."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def browsed(url: str, ready: str, size: tuple[int, int]) -> Generator[Any]:
    """Open a served page in a browser, and refuse it every other machine; skipped where there is no browser.

    Args:
        url: of the page. What it asks of other machines is noted in `foreign`, its errors in `faults`.
        ready: a selector of what must be there before a test begins.
        size: of the window.
    """
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from shared.lab.browser import find_browser, open_page

    try:
        find_browser()
    except ValueError as error:
        pytest.skip(str(error))
    with open_page(*size) as page:
        opened: Any = page
        opened.set_default_timeout(120_000)  # of a machine that is busy
        opened.foreign, opened.faults = [], []
        opened.route(
            lambda wanted: not wanted.startswith((url, "data:", "blob:")),
            lambda route: (opened.foreign.append(route.request.url), route.abort()),
        )
        opened.on("pageerror", lambda error: opened.faults.append(str(error)))
        opened.goto(url)
        opened.locator(ready).wait_for(timeout=120_000)
        yield opened
