"""How do texts become the rows of a batch? Whole documents, blocks of one text, and prompts to be continued.

    uv run sprints/09_train_gpt2/rows_of_a_batch.py

Tokens are words here; a dot is padding. Theory: notes/08_data.md and notes/09_generating.md
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.batches import BlockBatches, pad_rows

WORDS = ("·", "|", "the", "cat", "sat", "dog", "ran", "home", "a", "bird", "sang", "so", "it", "went")
DOCUMENTS = ("| the cat sat |", "| a bird sang so it went home |")
TEXT = "the cat sat so the dog ran home so a bird sang"
PROMPTS = ("| a bird", "| the cat sat so")


@dataclass(frozen=True)
class Config(ScriptConfig):
    """The options that all scripts have."""


@dataclass(frozen=True)
class Results:
    documents: list[list[str]]
    text: list[str]
    starts: list[int]
    blocks: list[list[str]]
    prompts: list[list[str]]
    positions: list[list[int]]


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    padded = pad_rows([[WORDS.index(word) for word in document.split()] for document in DOCUMENTS])
    text = np.arange(len(TEXT.split()))  # places, so that one sees where a block came from
    blocks = next(BlockBatches(text, 2, 4, generator)).tokens  # (batch, context + 1)
    prompts = [prompt.split() for prompt in PROMPTS]
    longest = max(map(len, prompts))
    results = Results(
        documents=[[WORDS[token] for token in row] for row in padded.tokens.tolist()],
        text=[*map(str, TEXT.split())],
        starts=blocks[:, 0].tolist(),
        blocks=[[TEXT.split()[place] for place in row] for row in blocks.tolist()],
        prompts=[["·"] * (longest - len(prompt)) + prompt for prompt in prompts],
        positions=[(torch.arange(longest) - (longest - len(prompt))).clamp(min=0).tolist() for prompt in prompts],
    )
    print(f"documents {results.documents}\nblocks {results.blocks} from places {results.starts}")
    print(f"prompts {results.prompts}")
    return results


def plot(results: Results) -> Figure:
    """Draw the three kinds of rows."""
    figure, axes = drawings.canvas(9.6, 5.9)
    size = 0.55

    def rows(content: list[list[str]], x: float, y: float, title: str, names: list[str], colour: str) -> None:
        strengths = [[0.0 if word == "·" else 0.3 for word in row] for row in content]
        drawings.cells(axes, content, x, y, size=size, strengths=strengths, colour=colour, row_names=names)
        drawings.text(axes, title, x, y + 0.22, align="left", bold=True)

    rows(results.documents, 1.0, 5.4, "documents: padded on the right; | begins and ends one", ["", ""], drawings.TOKEN)
    rows([results.text], 1.0, 3.8, "one text: blocks of 4 + 1 tokens from random places", ["text"], drawings.TOKEN)
    for index, (start, block) in enumerate(zip(results.starts, results.blocks, strict=True)):
        x, y = 1.0 + 5.0 * index, 3.05
        drawings.cells(axes, [block[:-1]], x, y, size=size, colour=drawings.QUERY, row_names=["reads"])
        drawings.cells(axes, [block[1:]], x, y - 0.6, size=size, colour=drawings.VALUE, row_names=["predicts"])
        drawings.text(axes, f"from place {start}", x + 2.3, y - 0.3, align="left")
    title = "prompts: padded on the left, so that all go on at the same place"
    rows(results.prompts, 1.0, 1.2, title, ["", ""], drawings.TOKEN)
    drawings.cells(axes, results.positions, 5.2, 1.2, size=size, colour=drawings.KEY)
    drawings.text(axes, "their positions", 8.1, 0.65, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
