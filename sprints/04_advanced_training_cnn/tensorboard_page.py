"""What does TensorBoard show? The curves of the recorded training, as event files, opened in a browser.

    uv run sprints/04_advanced_training_cnn/tensorboard_page.py

Nothing is trained: what train.py has recorded is written as a log again, read back, and photographed. Needs Chromium or
Chrome on the machine; a run of train.py writes its log by itself. Theory: notes/08_tensorboard.md
"""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from shared.lab.browser import find_browser, picture_of_tensorboard, save_picture
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.results import load_results
from shared.lab.run import run, run_folder

RESULTS = Path(__file__).with_name("results") / "train.json"
TAGS = {"loss/train": "train_losses", "loss/validation": "validation_losses",
        "accuracy/validation": "validation_accuracies"}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    picture: bool = True  # open the page in a browser and take a picture of it

    def check(self) -> None:
        if self.picture:
            find_browser(or_else=", or give --no-picture")


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
        picture = picture_of_tensorboard(folder / "tensorboard", 1180, 1180)
        save_picture(picture, into / "tensorboard.png")
        size = len(picture)
    return Results([each.name for each in folders], tags, points, size)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "bytes": TIMING})  # fonts differ between machines
