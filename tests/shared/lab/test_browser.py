"""A browser without a window: found, opened, or missed with a sentence; pictures are small and whole."""

import contextlib
import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from torch.utils.tensorboard import SummaryWriter

from shared.lab import browser
from shared.lab.browser import BROWSERS, find_browser, open_page, picture_of_tensorboard, save_picture


def test_a_machine_without_a_browser_is_told_which_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name == "google-chrome" else None)
    assert find_browser() == "/bin/google-chrome"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ValueError, match=r"install one of chromium, .*chrome, or do without"):
        find_browser(", or do without")


def test_a_browser_that_gives_up_ends_in_a_sentence():
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not any(map(shutil.which, BROWSERS)):
        pytest.skip("there is no browser on the path")

    def open_what_is_not_there() -> None:
        with open_page(200, 100) as page:
            assert page.viewport_size == {"width": 200, "height": 100}
            page.goto("http://127.0.0.1:9/")

    with pytest.raises(ValueError, match=r"gave up .*: try again when"):
        open_what_is_not_there()


def test_a_picture_is_no_larger_than_a_figure_may_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    target = tmp_path / "page.png"
    save_picture(b"small", target)
    assert target.read_bytes() == b"small"
    assert "page.png: 5 bytes" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"at most 300,000 bytes, this one has 300,001: make it smaller"):
        save_picture(bytes(300_001), target)
    assert target.read_bytes() == b"small"


def test_tensorboard_serves_the_logs_that_are_photographed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with contextlib.closing(SummaryWriter(str(tmp_path / "one"))) as writer:
        writer.add_scalar("loss", 0.5, 1)
    served: list[Any] = []

    class Page:
        """Opens nothing, but asks the server which runs it has."""

        def goto(self, address: str) -> None:
            with urllib.request.urlopen(f"{address.partition('?')[0]}data/runs", timeout=60) as answer:
                served.extend(json.load(answer))

        def screenshot(self) -> bytes:
            return b"picture"

        def __getattr__(self, name: str) -> Any:
            return self

        def __call__(self, *_: object, **__: object) -> "Page":
            return self

    monkeypatch.setattr(browser, "open_page", lambda *_: contextlib.nullcontext(Page()))
    assert picture_of_tensorboard(tmp_path, 300, 200) == b"picture"
    assert served == ["one"]
