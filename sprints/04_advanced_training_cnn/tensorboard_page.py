"""What does TensorBoard show? The curves of the recorded training, as event files, opened in a browser.

    uv run sprints/04_advanced_training_cnn/tensorboard_page.py

Nothing is trained: what train.py has recorded is written as a log again, read back, and photographed. Needs Chromium or
Chrome on the machine; a run of train.py writes its log by itself. Theory: notes/08_tensorboard.md
"""

import logging
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tensorboard import program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import MOST_BYTES
from shared.lab.files import replacing
from shared.lab.paths import shown
from shared.lab.results import load_results
from shared.lab.run import run, run_folder

RESULTS = Path(__file__).with_name("results") / "train.json"
TAGS = {"loss/train": "train_losses", "loss/validation": "validation_losses",
        "accuracy/validation": "validation_accuracies"}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    picture: bool = True  # open the page in a browser and take a picture of it


@dataclass(frozen=True)
class Results:
    runs: list[str]
    tags: list[str]
    points: int
    bytes: int | None


def write_log(folder: Path) -> list[Path]:
    """Write the recorded curves, a folder for each seed, and return the folders."""
    folders = []
    for recorded in load_results(RESULTS)["results"]["runs"]:
        folders.append(folder / f"seed{recorded['seed']}")
        shutil.rmtree(folders[-1], ignore_errors=True)
        with closing(SummaryWriter(str(folders[-1]))) as writer:
            for tag, name in TAGS.items():
                for step, value in zip(recorded["steps"], recorded[name], strict=True):
                    writer.add_scalar(tag, value, step)
    return folders


def read_back(folder: Path) -> EventAccumulator:
    """Return what the event files of a folder hold."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def find_browser() -> str:
    """Return the path of Chromium or Chrome.

    Raises:
        ValueError: there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    raise ValueError("there is no chromium or google-chrome on the path: install one of them, or give --no-picture")


def photograph(folder: Path, target: Path) -> int:
    """Open the page of a log in a browser, write a picture of it, and return its bytes."""
    from playwright.sync_api import sync_playwright

    browser_path = find_browser()
    server = program.TensorBoard()
    server.configure(argv=[None, "--logdir", str(folder), "--port", "0", "--load_fast", "false"])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 1180})
        page.goto(f"{server.launch()}?darkMode=false#timeseries")
        page.locator("scalar-card").first.wait_for(timeout=120_000)
        page.get_by_text("Settings").first.click()  # closes the settings, so that two panels stand side by side
        page.wait_for_timeout(6000)  # until the curves are drawn, for which nothing can be waited
        picture = page.screenshot()
        browser.close()
    if len(picture) > MOST_BYTES:
        raise ValueError(f"a figure must be at most {MOST_BYTES:,} bytes, this one has {len(picture):,}")
    with replacing(target) as temporary:
        temporary.write_bytes(picture)
    print(f"{shown(target)}: {len(picture):,} bytes")
    return len(picture)


def main(config: Config) -> Results:
    folder = run_folder(config, __file__)
    folders = write_log(folder / "tensorboard")
    events = [read_back(each) for each in folders]
    tags = sorted(events[0].Tags()["scalars"])
    points = sum(len(each.Scalars(tag)) for each in events for tag in tags)
    print(f"{len(folders)} runs with {', '.join(tags)}: {points} points")
    size = None
    if config.picture:
        into = folder if config.record is None else Path(__file__).parent / "figures"
        size = photograph(folder / "tensorboard", into / "tensorboard.png")
    return Results([each.name for each in folders], tags, points, size)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "bytes": TIMING})  # fonts differ between machines
