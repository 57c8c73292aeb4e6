"""When may a character be shown? A text that arrives in tokens, some of which are a part of a character.

    uv run sprints/10_pretrained_generation_demo/half_a_character.py
    uv run sprints/10_pretrained_generation_demo/half_a_character.py --text "naïve"

The tokens of a byte-level tokenizer are bytes, and a character may need several. After each token the drawing shows
what decoding gives, and what a page may show of it. Theory: notes/08_streaming.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from decoding_demo.chosen_model import load
from decoding_demo.streaming import HALF, readable
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    text: str = "Crème brûlée"  # what arrives

    def check(self) -> None:
        if not 1 <= len(self.text) <= 16:
            raise ValueError(f"a text must have 1 to 16 characters, to fit in the drawing; got {self.text!r}")


@dataclass(frozen=True)
class Results:
    """Each token alone, what all up to it decode to, and what of that may be shown."""

    tokens: list[str]
    decoded: list[str]
    shown: list[str]


def main(config: Config) -> Results:
    chosen = load(config.model)
    start, *ids = chosen.encode(config.text, chat=False)
    results = Results([str(chosen.tokenizer.decode([token])) for token in ids], [], [])
    for count, token in enumerate(results.tokens, start=1):
        so_far = [start, *ids[:count]]
        results.decoded.append(readable(chosen, so_far, 1, is_last=True))
        results.shown.append(readable(chosen, so_far, 1, is_last=False))
        print(f"{token!r:<8} {results.decoded[-1]!r:<18} {results.shown[-1]!r}")
    return results


def plot(results: Results) -> Figure:
    """Draw a line for each token: itself, the text so far, and what is shown of it; orange is half a character."""
    rows = list(zip(results.tokens, results.decoded, results.shown, strict=True))
    figure, axes = drawings.canvas(7.6, 0.46 * len(rows) + 0.6)
    for x, words in ((1.0, "token"), (3.2, "decoded so far"), (6.1, "shown")):
        drawings.text(axes, words, x, 0.46 * len(rows) + 0.3, bold=True)
    for row, (token, decoded, shown) in enumerate(rows):
        y, is_half = 0.46 * (len(rows) - row) - 0.36, decoded.endswith(HALF)
        for x, width, words in ((0.4, 1.2, token), (2.0, 2.4, decoded), (4.9, 2.4, shown)):
            colour = drawings.KEY if is_half and words is not shown else drawings.QUERY
            drawings.box(axes, words.replace(" ", "␣"), x, y, width, 0.38, colour)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
