"""A browser without a window, that opens pages and takes pictures of them."""

import contextlib
import logging
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from shared.lab.figures import MOST_BYTES
from shared.lab.files import replacing
from shared.lab.paths import shown

if TYPE_CHECKING:  # a tool of the tests, which a learner may lack
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser(or_else: str = "") -> str:
    """Return the path of Chromium or Chrome.

    Args:
        or_else: another way out that an error names.

    Raises:
        ValueError: there is none.
    """
    if path := next(filter(None, map(shutil.which, BROWSERS)), None):
        return path
    raise ValueError(f"there is no browser on the path: install one of {', '.join(BROWSERS)}{or_else}")


@contextlib.contextmanager
def open_page(width: int, height: int) -> "Generator[Page]":
    """Give an empty page of so many pixels while the block runs.

    Raises:
        ValueError: there is no browser, or it gives up.
    """
    from playwright.sync_api import Error, sync_playwright

    path = find_browser()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            yield browser.new_page(viewport={"width": width, "height": height})
            browser.close()
    except Error as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"the browser gave up ({reason}): try again when the machine is less busy") from None


def save_picture(picture: bytes, target: Path) -> None:
    """Write a picture, whole or not at all.

    Raises:
        ValueError: it is larger than a figure may be.
    """
    if len(picture) > MOST_BYTES:
        raise ValueError(
            f"a figure must be at most {MOST_BYTES:,} bytes, this one has {len(picture):,}: make it smaller"
        )
    with replacing(target) as temporary:
        temporary.write_bytes(picture)
    print(f"{shown(target)}: {len(picture):,} bytes")


def picture_of_tensorboard(logs: Path, width: int, height: int, patience: int = 60) -> bytes:
    """Return a picture of the page on which TensorBoard shows the scalars of a folder of logs.

    Args:
        logs: the folder.
        width, height: of the picture in pixels.
        patience: seconds to wait for the page.

    Raises:
        ValueError: as in `open_page`.
    """
    from tensorboard import program

    server = program.TensorBoard()
    server.configure(argv=[None, "--logdir", str(logs), "--port", "0", "--load_fast", "false"])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would print every request
    with open_page(width, height) as page:
        page.goto(f"{server.launch()}?darkMode=false#timeseries")
        page.locator("scalar-card").first.wait_for(timeout=1000 * patience)
        page.get_by_text("Settings").first.click()  # closes the settings, which leaves more room
        page.wait_for_timeout(6000)  # until the curves are drawn, for which nothing can be waited
        return page.screenshot()
