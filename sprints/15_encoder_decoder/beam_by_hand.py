"""What does beam search keep? Six answers of different length, every beginning and every score.

    uv run sprints/15_encoder_decoder/beam_by_hand.py
    uv run sprints/15_encoder_decoder/beam_by_hand.py --width 1
    uv run sprints/15_encoder_decoder/beam_by_hand.py --length-power 1

The model is a table of two letters and an end. The search is the library's, the one that trained models use. Theory:
notes/04_beam_search.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from seq2seq_study.table_model import TableModel
from shared.generation.beam_search import beam_search
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeFloat, PositiveInt
from shared.lab.run import run

TABLE = {
    "": {"a": 0.5, "b": 0.4, ".": 0.1},
    "a": {"a": 0.4, "b": 0.3, ".": 0.3},
    "b": {".": 0.8, "a": 0.2},
    "aa": {".": 1.0},
    "ab": {".": 1.0},
    "ba": {".": 1.0},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    width: PositiveInt = 2  # beginnings that stay at each step
    length_power: NonNegativeFloat = 0.0  # 0 compares probabilities, 1 means over tokens


@dataclass(frozen=True)
class Results:
    answers: dict[str, float]
    kept: list[dict[str, float]]
    found: dict[str, str]
    width: int


def steps_by_hand(width: int) -> list[dict[str, float]]:
    """Return what a beam keeps after each step, with its probability: one that has ended stays as it is."""
    kept, beam = [], {"": 1.0}
    while any("." not in text for text in beam):
        longer = {
            text + letter: probability * more
            for text, probability in beam.items()
            for letter, more in ({"": 1.0} if "." in text else TABLE[text]).items()
        }
        beam = dict(sorted(longer.items(), key=lambda pair: -pair[1])[:width])
        kept.append(beam)
    return kept


def every_answer(beginning: str = "", probability: float = 1.0) -> dict[str, float]:
    """Return all answers and their probabilities."""
    if "." in beginning:
        return {beginning: probability}
    parts = (every_answer(beginning + letter, probability * more) for letter, more in TABLE[beginning].items())
    return {answer: chance for part in parts for answer, chance in part.items()}


def main(config: Config) -> Results:
    model, source = TableModel("ab.", TABLE), torch.zeros(1, 1, dtype=torch.long)

    def find(width: int, power: float) -> str:
        found, _ = beam_search(model, source, width=width, max_new_tokens=3, length_power=power)
        return model.write(found.tokens[0])

    answers, kept = every_answer(), steps_by_hand(config.width)
    for answer, probability in sorted(answers.items(), key=lambda pair: -pair[1]):
        log = math.log(probability)
        print(f"{answer:<4} probability {probability:.2f}, log {log:.3f}, per token {log / len(answer):.3f}")
    for number, beam in enumerate(kept, start=1):
        print(f"after step {number}:", ", ".join(f"{text} {probability:.2f}" for text, probability in beam.items()))
    found = {
        "greedy": find(1, 0),
        f"beam of {config.width}": find(config.width, config.length_power),
        "per token": find(config.width, 1),
        "most probable": max(answers, key=lambda answer: answers[answer]),
    }
    print(", ".join(f"{name}: {answer}" for name, answer in found.items()))
    return Results(answers, kept, found, config.width)


def plot(results: Results) -> Figure:
    """Draw the tree of beginnings; blue ones were kept by the beam, green ones are answers that some way finds."""
    figure, axes = drawings.canvas(8.0, 4.0)
    y = {"a": 2.9, "b": 1.2, ".": 0.3, "aa": 3.7, "ab": 2.9, "a.": 2.1, "b.": 1.5, "ba": 0.8}
    y |= {"aa.": y["aa"], "ab.": y["ab"], "ba.": y["ba"]}
    middle = {"": 2.0} | y
    kept = {text for beam in results.kept for text in beam}
    drawings.box(axes, ">", 0.2, 1.8, 0.5, 0.4)
    for text, height in y.items():
        before, x = text[:-1], 0.4 + 1.7 * len(text)
        start = (x - 1.7 + (0.3 if before == "" else 0.5), middle[before])
        drawings.arrow(axes, start, (x, height))
        chance = TABLE[before][text[-1]]
        drawings.text(axes, f"{chance:g}", (start[0] + x) / 2, (start[1] + height) / 2 + 0.16)
        names = [name for name, answer in results.found.items() if answer == text]
        colour = drawings.VALUE if names else drawings.QUERY if text in kept else drawings.TOKEN
        drawings.box(axes, text, x, height - 0.17, 0.5, 0.34, colour)
        if text in results.answers:
            shown = f"{results.answers[text]:.2f}   {', '.join(names)}"
            drawings.text(axes, shown, x + 0.62, height, align="left", bold=bool(names))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
