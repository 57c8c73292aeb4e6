"""How many multiplications does a layer take, and at which length is attention the more expensive one?

    uv run sprints/18_sequence_models/costs_by_hand.py
    uv run sprints/18_sequence_models/costs_by_hand.py --d-model 128

Counted, not measured: an LSTM and attention of equal width. Theory: notes/17_what_it_costs.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run

LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
Width = Annotated[int, Field(ge=2, le=65536)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    d_model: Width = 64  # features of a token, and of the hidden state


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    text: dict[str, list[int]]
    token: dict[str, list[int]]
    kept: dict[str, list[int]]
    text_crossing: int
    token_crossing: int


def lstm(tokens: int, width: int) -> int:
    """Return the multiplications for a text: four gates, each reads the token and the hidden state."""
    return tokens * 8 * width**2


def attention(tokens: int, width: int) -> int:
    """Return the multiplications for a text: four projections, and a score and a share of a value for each pair."""
    pairs = tokens * (tokens + 1) // 2  # each token with itself and those before it
    return tokens * 4 * width**2 + pairs * 2 * width


def next_token(tokens: int, width: int) -> int:
    """Return the multiplications of attention for the token after a text whose keys and values are kept."""
    return attention(tokens + 1, width) - attention(tokens, width)


def main(config: Config) -> Results:
    width = config.d_model
    longest = range(1, 8 * width + 2)
    text_crossing = next(tokens for tokens in longest if attention(tokens, width) > lstm(tokens, width))
    token_crossing = next(tokens for tokens in longest if next_token(tokens, width) > lstm(1, width))
    print(f"a text: attention takes more from {text_crossing} tokens on")
    print(f"one more token: from {token_crossing} tokens on")
    return Results(
        list(LENGTHS),
        {"LSTM": [lstm(n, width) for n in LENGTHS], "attention": [attention(n, width) for n in LENGTHS]},
        {
            "LSTM": [lstm(1, width)] * len(LENGTHS),
            "attention, cache": [next_token(n, width) for n in LENGTHS],
            "attention, no cache": [attention(n + 1, width) for n in LENGTHS],
        },
        {"LSTM": [2 * width] * len(LENGTHS), "attention, cache": [2 * width * n for n in LENGTHS]},
        text_crossing, token_crossing,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the three counts against the length; lines with the same colour are the same layer."""
    figure, panels = new_figure(10.0, 3.9, columns=3)
    colours = {"LSTM": "C0", "attention": "C1", "attention, cache": "C1", "attention, no cache": "C2"}
    drawn = (
        ("multiplications for a text", results.text, results.text_crossing),
        ("multiplications for one more token", results.token, results.token_crossing),
        ("numbers kept of the text", results.kept, None),
    )
    for axes, (label, rows, crossing) in zip(panels, drawn, strict=True):
        for name, row in rows.items():
            axes.plot(results.lengths, row, color=colours[name], label=name)
        if crossing:
            axes.axvline(crossing, color="0.6", linestyle=":", zorder=0)
            axes.annotate(f" from {crossing}", (crossing, 0.02), xycoords=("data", "axes fraction"))
        axes.set(xscale="log", yscale="log", xlabel="tokens of the text", ylabel=label)
        axes.legend(loc="upper left", fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
