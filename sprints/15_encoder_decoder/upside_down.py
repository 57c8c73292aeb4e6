"""What does each token see if a mask is upside down? The masks of one padded pair, as they should be and inverted.

    uv run sprints/15_encoder_decoder/upside_down.py
    uv run sprints/15_encoder_decoder/upside_down.py --word be --padding 3

Nothing is trained. Theory: notes/03_the_inverted_mask.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt
from shared.lab.run import run
from shared.nn.masks import causal_mask, padding_mask


@dataclass(frozen=True)
class Config(ScriptConfig):
    word: str = "cab"  # the source; the target is the word backwards
    padding: NonNegativeInt = 1  # places behind the source that only fill the row up

    def check(self) -> None:
        if not 1 <= len(self.word) + self.padding <= 8:
            raise ValueError(f"--word and --padding must have 1 to 8 places; got {self.word!r} and {self.padding}")


@dataclass(frozen=True)
class Results:
    source: str
    inputs: str
    answers: str
    self_attention: list[list[bool]]
    cross_attention: list[list[bool]]


def main(config: Config) -> Results:
    source = config.word + "." + "_" * config.padding
    inputs, answers = ">" + config.word[::-1], config.word[::-1] + "."
    past = causal_mask(len(inputs))  # (targets, targets)
    real = padding_mask(torch.tensor([len(config.word) + 1]), len(source))[0, 0].expand(len(inputs), -1)
    for name, mask, keys in (("self-attention", past, inputs), ("cross-attention", real, source)):
        print(name)
        for letter, answer, row in zip(inputs, answers, mask, strict=True):
            seen, inverted = ("".join(k for k, s in zip(keys, r, strict=True) if s) for r in (row, ~row))
            print(f"  {letter}, which has to say {answer}, sees {seen}; inverted: {inverted or 'nothing'}")
    return Results(source, inputs, answers, past.tolist(), real.tolist())


def plot(results: Results) -> Figure:
    """Draw both masks, as they should be on the left and inverted on the right; the token to be said is outlined."""
    size, places = 0.36, len(results.inputs)
    widths = (places * size, len(results.source) * size)
    figure, axes = drawings.canvas(2 * sum(widths) + 3.4, places * size + 1.25)
    x, y = 0.5, places * size + 0.3
    for inverted in (False, True):
        for name, mask, keys in (
            ("self", results.self_attention, results.inputs),
            ("cross", results.cross_attention, results.source),
        ):
            marks = [["•" if seen != inverted else None for seen in row] for row in mask]
            title = f"{name}, inverted" if inverted else f"{name}-attention"
            drawings.cells(
                axes, marks, x, y, colour=drawings.VALUE if not inverted else drawings.KEY, size=size, title=title,
                row_names=list(results.inputs), column_names=list(keys),
            )  # fmt: skip
            if name == "self":
                for place in range(places - 1):
                    corner = (x + (place + 1) * size, y - (place + 1) * size)
                    axes.add_patch(drawings.Rectangle(corner, size, size, fill=False, edgecolor="black", linewidth=1.6))
            x += len(keys) * size + 0.75
    drawings.text(axes, "framed: the token that the row has to say", 1.6, 0.12)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
