"""Into which tokens is a prompt cut, and which of them does the model know from training?

    uv run sprints/10_pretrained_generation_demo/cut_prompts.py
    uv run sprints/10_pretrained_generation_demo/cut_prompts.py --preset smollm2

The same beginning four times: in a whole text, as a prompt, as a prompt with a space at its end, and as one that ends
inside the next word. With each goes what the model would write next. Theory: notes/06_where_a_prompt_ends.md
"""

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from matplotlib.figure import Figure

from decoding_demo.chosen_model import load
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED, SMOLLM2

SHOWN = 4  # most probable next tokens
PRESETS: dict[str, dict[str, Any]] = {
    "smollm2": {"model": SMOLLM2, "text": "The capital of France is", "word": " Paris"}
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    text: str = "Smoky Soup with"  # the beginning
    word: str = " Artichokes"  # what goes on, with its space

    def check(self) -> None:
        if not self.word.startswith(" ") or len(self.word) < 4 or not self.text.strip():
            raise ValueError(f"a word must start with a space and have three letters; got {self.word!r}")


@dataclass(frozen=True)
class Results:
    """Of each prompt: its tokens, how many from the left are those of the whole text, and the likeliest next ones."""

    tokens: dict[str, list[str]]
    shared: dict[str, int]
    best: dict[str, list[tuple[str, float]]]


@torch.no_grad()
def main(config: Config) -> Results:
    chosen = load(config.model)
    prompts = {
        "the whole text": config.text + config.word,
        "the prompt": config.text,
        "with a space": f"{config.text} ",
        "inside the word": (config.text + config.word)[:-3],
    }
    ids = {name: chosen.encode(text, chat=False) for name, text in prompts.items()}
    tokens = {name: [str(chosen.tokenizer.decode([token])) for token in row[1:]] for name, row in ids.items()}
    shared, best = {}, {}
    for name, row in ids.items():
        pairs = zip(row, ids["the whole text"], strict=False)
        shared[name] = sum(takewhile(bool, (a == b for a, b in pairs))) - 1  # without the token that starts a text
        top = chosen.model(torch.tensor([row]))[0, -1].softmax(dim=-1).topk(SHOWN)
        likely = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        best[name] = [(str(chosen.tokenizer.decode([token])), probability) for token, probability in likely]
        print(f"{name:<16} {' | '.join(map(repr, tokens[name]))}")
        print(f"{'':<16} -> {', '.join(f'{token!r} {probability:.1%}' for token, probability in best[name])}")
    return Results(tokens, shared, best)


def plot(results: Results) -> Figure:
    """Draw a row of boxes for each prompt; orange are the tokens that the whole text does not have there."""
    widths = {name: [0.26 + 0.105 * len(token) for token in row] for name, row in results.tokens.items()}
    figure, axes = drawings.canvas(2.2 + max(sum(row) + 0.06 * len(row) for row in widths.values()), 2.5)
    for line, (name, row) in enumerate(results.tokens.items()):
        x, y = 1.7, 1.95 - 0.55 * line
        drawings.text(axes, name, x - 0.15, y + 0.19, align="right")
        for index, (token, width) in enumerate(zip(row, widths[name], strict=True)):
            colour = drawings.QUERY if index < results.shared[name] else drawings.KEY
            drawings.box(axes, token.replace(" ", "␣"), x, y, width, 0.38, colour)
            x += width + 0.06
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
