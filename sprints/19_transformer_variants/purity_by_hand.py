"""Do these two experts sort by voice? Four words, two voices, and three questions to the same counts.

    uv run sprints/19_transformer_variants/purity_by_hand.py
    uv run sprints/19_transformer_variants/purity_by_hand.py --router voice

Each word is sent to one of two experts, by the word alone or by the voice alone. Theory: notes/15_two_voices.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from variants.sorting import purity, tally

WORDS = ("warm", "simmer", "the", "darling")
VOICES = ("plain", "flirty")
OCCURRENCES = ((20, 10), (30, 0), (20, 20), (0, 20))  # of each word in each voice
EXPERT_OF_WORD = (0, 0, 1, 1)


@dataclass(frozen=True)
class Config(ScriptConfig):
    router: Literal["word", "voice"] = "word"  # what the router looks at


@dataclass(frozen=True)
class Results:
    """Counts, and the shares of right guesses; "of both" counts the word that both voices use alike."""

    router: str
    expert_voice: list[list[float]]
    word_voice: list[list[float]]
    word_expert: list[list[float]]
    voice_untold: float
    voice_by_expert: float
    voice_by_word: float
    expert_by_word: float
    of_both_by_expert: float


def main(config: Config) -> Results:
    cells = [(word, voice) for word in range(4) for voice in range(2) for _ in range(OCCURRENCES[word][voice])]
    word, voice = torch.tensor(cells).T
    expert = torch.tensor(EXPERT_OF_WORD)[word] if config.router == "word" else voice
    expert_voice, word_voice, word_expert = (
        tally(expert, voice, 2, 2),
        tally(word, voice, 4, 2),
        tally(word, expert, 4, 2),
    )
    both = word == WORDS.index("the")
    untold = max(int((voice == 0).sum()), int((voice == 1).sum())) / len(voice)
    results = Results(
        config.router,
        expert_voice.tolist(),
        word_voice.tolist(),
        word_expert.tolist(),
        untold,
        purity(expert_voice),
        purity(word_voice),
        purity(word_expert),
        purity(tally(expert[both], voice[both], 2, 2)),
    )
    print(f"the voice is guessed right: {untold:.3f} of the time by who is told nothing")
    print(f"  {results.voice_by_expert:.3f} by who is told the expert, {results.voice_by_word:.3f} the word")
    print(f"  {results.of_both_by_expert:.3f} by who is told the expert, of *the* alone")
    print(f"the expert is guessed right: {results.expert_by_word:.3f} by who is told the word")
    return results


def plot(results: Results) -> Figure:
    """Draw the three tables of counts; the guess of each row is dark."""
    figure, axes = drawings.canvas(9.2, 3.0)
    tables = (
        ("voice, by expert", results.expert_voice, ("expert 1", "expert 2"), VOICES, results.voice_by_expert),
        ("voice, by word", results.word_voice, WORDS, VOICES, results.voice_by_word),
        ("expert, by word", results.word_expert, WORDS, ("1", "2"), results.expert_by_word),
    )
    for index, (title, counts, rows, columns, share) in enumerate(tables):
        x = 1.0 + 3.1 * index
        strengths = [[0.65 if column == row.index(max(row)) else 0.12 for column in range(2)] for row in counts]
        whole = [[int(count) for count in row] for row in counts]
        drawings.cells(
            axes, whole, x, 2.35, colour=(drawings.VALUE, drawings.TOKEN, drawings.KEY)[index], size=0.45,
            strengths=strengths, row_names=rows, title=title,
        )  # fmt: skip
        for column, name in enumerate(columns):
            drawings.text(axes, name, x + 0.45 * column + 0.22, 0.38 if len(rows) == 4 else 1.28, size=8)
        drawings.text(axes, f"{share:.0%} right", x + 1.1, 1.9 if len(rows) == 2 else 1.45, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
