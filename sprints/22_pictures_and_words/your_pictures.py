"""Which caption belongs to which of your pictures? Two towers on a folder, or on a data set of the Hugging Face hub.

    uv run sprints/22_pictures_and_words/your_pictures.py
    uv run sprints/22_pictures_and_words/your_pictures.py --pictures my_photos --steps 2000
    uv run sprints/22_pictures_and_words/your_pictures.py --pictures hub:OWNER/NAME --most 2000

Without --pictures it makes a folder to try with: glyphs in three styles, and captions that name both. What a folder has
to hold says seeing/own_pictures.py. Theory: notes/11_glyphs_and_digits.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from seeing.contrasting import Contrast, PairBatch, train_towers
from seeing.contrastive import ContrastiveLoss
from seeing.glyphs import SIDE, draw_style
from seeing.own_pictures import OwnPairs, own_pairs, write_folder
from seeing.retrieval import recall
from seeing.two_towers import TextConfig, TwoTowers, text_tokens
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device
from shared.nn.pretrained import load_tokenizer
from shared.nn.vision_config import VisionConfig

HEADS = 4
EXAMPLE_STYLES = {"Sans": "", "Serif": " with serifs", "Sans Bold": " in bold"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    pictures: str | None = None  # a folder with captions.csv, or hub:OWNER/NAME (default: an example is made)
    most: PositiveInt | None = None  # pictures (default: all of a folder, 1,000 of a data set)
    held_out: Fraction = 0.2  # share of the pictures that test, with all their captions
    size: PositiveInt = 48  # pixels of a side
    patch: PositiveInt = 8  # pixels on a side of a patch
    steps: PositiveInt = 300  # optimizer steps
    batch_size: AtLeastTwo = 64  # pairs in a step
    rate: PositiveFloat = 0.02  # learning rate
    d_model: PositiveInt = 64  # features of a token in both towers
    layers: PositiveInt = 2  # blocks of each tower

    def check(self) -> None:
        check_heads(self.d_model, HEADS)
        if self.size % self.patch:
            raise ValueError(f"patches must fill the picture; got --size {self.size} and --patch {self.patch}")


@dataclass(frozen=True)
class Results:
    pictures: int
    captions: int
    tested: int
    first_loss: float
    last_loss: float
    recalls: dict[str, float]  # among the held-out pictures; captions that say the same share their places
    chance: dict[str, float]


def example(folder: Path, most: int = 160) -> Path:
    """Write a folder of glyphs in three styles, with captions, and return it."""
    pairs = []
    for style, ending in EXAMPLE_STYLES.items():
        glyphs = draw_style(style, most)
        for name, picture in zip(glyphs.names, glyphs.pictures, strict=True):
            pairs.append(((255 - picture).expand(3, SIDE, SIDE), f"{name}{ending}"))
    return write_folder(folder, pairs)


def batches(
    pairs: OwnPairs, tokens: Tensor, rows: Tensor, size: int, generator: torch.Generator
) -> Iterator[PairBatch]:
    """Yield batches of different pictures, each with one of its captions, without end."""
    of_picture = {row: (pairs.picture_of == row).nonzero()[:, 0] for row in rows.tolist()}
    while True:
        for some in rows[torch.randperm(len(rows), generator=generator)].split(size):
            if len(some) > 1:
                mine = [of_picture[row] for row in some.tolist()]
                chosen = [one[int(torch.randint(len(one), (), generator=generator))] for one in mine]
                yield pairs.pictures[some], tokens[torch.stack(chosen)]


@torch.inference_mode()
def test(towers: TwoTowers, pairs: OwnPairs, tokens: Tensor, rows: Tensor) -> dict[str, float]:
    """Return recall both ways among pictures, each with its first caption."""
    first = torch.stack([(pairs.picture_of == row).nonzero()[0, 0] for row in rows.tolist()])
    scores = towers.encode_texts(tokens[first]) @ towers.encode_pictures(pairs.pictures[rows]).mT
    ways = {"caption to picture": scores, "picture to caption": scores.mT}
    return {f"{way} @{k}": recall(table, k=min(k, len(rows))) for way, table in ways.items() for k in (1, 10)}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    keep_freed_memory()
    device = pick_device(config.device)
    source = config.pictures or example(run_folder(config, __file__) / "example")
    pairs = own_pairs(source, config.size, config.most)
    count = len(pairs.pictures)
    generator = torch.Generator().manual_seed(config.seed)
    order = torch.randperm(count, generator=generator)
    tested = order[: round(config.held_out * count)]
    rows = order[len(tested) :]
    if len(tested) < 2 or len(rows) < 2:
        raise ValueError(f"two pictures must train and two must test; got {len(rows)} and {len(tested)}: take more")
    tokenizer = load_tokenizer()
    tokens = text_tokens(tokenizer, pairs.captions)
    vision = VisionConfig(config.size, config.patch, layers=config.layers, heads=HEADS, d_model=config.d_model)
    text = TextConfig(
        len(tokenizer), tokens.shape[1], config.layers, heads=HEADS, d_model=config.d_model,
        end_token=int(tokens[0, -1]),
    )  # fmt: skip
    contrast = Contrast(TwoTowers(vision, text, config.d_model, generator), ContrastiveLoss()).to(device)
    training = train_towers(
        contrast, batches(pairs, tokens, rows, config.batch_size, generator), steps=config.steps, rate=config.rate
    )
    losses = [loss for _, loss in tqdm(training, total=config.steps, desc="steps", leave=False)]
    found = test(contrast.towers.eval().cpu(), pairs, tokens, tested)
    chance = {name: min(1.0, int(name.rpartition("@")[2]) / len(tested)) for name in found}
    for name, share in found.items():
        print(f"{name} among {len(tested)}: {share:.1%} (chance: {chance[name]:.1%})")
    return Results(count, len(pairs.captions), len(tested), losses[0], losses[-1], found, chance)


TOLERANCE = {"*": TRAINED, "pictures": EXACT, "captions": EXACT, "tested": EXACT}

if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
