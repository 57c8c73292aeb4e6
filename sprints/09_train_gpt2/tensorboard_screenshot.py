"""What does TensorBoard show? A picture of its page with the curves of a recorded run.

    uv run sprints/09_train_gpt2/tensorboard_screenshot.py

Writes the losses of results/train.json as `train.py --tensorboard` does, starts TensorBoard on them, and lets a browser
without a window take the picture. It needs Chromium. Theory: notes/10_tinyshakespeare.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from shared.lab.browser import find_browser, picture_of_tensorboard, save_picture
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFile, PositiveInt
from shared.lab.results import load_results
from shared.lab.run import run, run_folder

HERE = Path(__file__).parent
CURVES = {"steps", "train_losses", "validation_losses"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    results: ExistingFile = HERE / "results" / "train.json"  # results file of train.py
    width: PositiveInt = 1000  # pixels of the picture
    height: PositiveInt = 600  # pixels of the picture
    patience: PositiveInt = 60  # seconds to wait for TensorBoard

    def check(self) -> None:
        find_browser()


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
        picture = picture_of_tensorboard(Path(logs), config.width, config.height, config.patience)
        save_picture(picture, target / "tensorboard.png")
    return Results(scalars=2 * len(recorded["steps"]))


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
