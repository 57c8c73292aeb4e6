"""What does TensorBoard show? A picture of its page with the curves of a recorded run.

    uv run sprints/09_train_gpt2/tensorboard_screenshot.py

Writes the losses of results/train.json as `train.py --tensorboard` does, starts TensorBoard on them, and lets a browser
without a window take the picture. It needs Chromium. Theory: notes/10_tinyshakespeare.md
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.files import replacing
from shared.lab.ranges import ExistingFile, PositiveInt
from shared.lab.results import load_results
from shared.lab.run import run, run_folder

HERE = Path(__file__).parent
CURVES = {"steps", "train_losses", "validation_losses"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Config(ScriptConfig):
    results: ExistingFile = HERE / "results" / "train.json"  # results file of train.py
    width: PositiveInt = 1000  # pixels of the picture
    height: PositiveInt = 600  # pixels of the picture
    patience: PositiveInt = 60  # seconds to wait for TensorBoard

    def check(self) -> None:
        if not any(map(shutil.which, BROWSERS)):
            raise ValueError(f"the picture is taken by a browser: install one of {', '.join(BROWSERS)}")


@dataclass(frozen=True)
class Results:
    scalars: int


def main(config: Config) -> Results:
    recorded = load_results(config.results)["results"]
    if CURVES - recorded.keys():
        raise ValueError(f"--results must be a results file of train.py, with {', '.join(sorted(CURVES))}")
    target = HERE / "figures" if config.record is not None else run_folder(config, __file__)
    with tempfile.TemporaryDirectory() as logs:
        writer = SummaryWriter(logs)
        curves = zip(recorded["steps"], recorded["train_losses"], recorded["validation_losses"], strict=True)
        for step, train, validation in curves:
            writer.add_scalars("loss", {"train": train, "validation": validation}, step)
        writer.close()
        with tensorboard(Path(logs), config.patience) as address:
            take_picture(address, target / "tensorboard.png", config)
    return Results(scalars=2 * len(recorded["steps"]))


@contextmanager
def tensorboard(logs: Path, patience: int) -> Generator[str]:
    """Serve a folder of logs by TensorBoard while the block runs.

    Raises:
        ValueError: it does not answer in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(2 * patience):
            try:
                urllib.request.urlopen(f"{address}data/runs", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        else:
            raise ValueError(f"TensorBoard did not answer within {patience} seconds: give it more --patience")
        yield address
    finally:
        process.terminate()
        process.wait()


def take_picture(address: str, path: Path, config: Config) -> None:
    """Let a browser without a window draw the page of scalars and save it."""
    from playwright.sync_api import sync_playwright  # a tool of the tests, which a learner may lack

    browser_path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright, replacing(path) as temporary:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": config.width, "height": config.height})
        page.goto(f"{address}#timeseries")
        page.wait_for_selector("line-chart", timeout=1000 * config.patience)
        page.locator("button:has-text('Settings')").first.click()  # makes room
        page.wait_for_timeout(3000)
        page.screenshot(path=str(temporary), type="png")
        browser.close()


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
