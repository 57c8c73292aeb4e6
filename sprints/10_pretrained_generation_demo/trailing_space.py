"""Why does a prompt that ends in a space spoil the text, and what helps?

    uv run sprints/10_pretrained_generation_demo/trailing_space.py

A word's token contains the space before it, so a prompt that ends in a space (or inside a word) ends where no text of
the training data was ever cut. Remedies: strip the space, or take the last piece back and write only what begins with
it ("token healing"). Theory: notes/06_where_a_prompt_ends.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from decoding_demo.exact_next_token import next_words
from decoding_demo.shipped_model import ShippedModel
from shared.generation.decoding import generate
from shared.generation.sampling import sample
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.text.cookbook import Cookbook

EXAMPLE = "Smoky Soup with"
LABELS = {"can_follow": "next token can follow", "valid": "valid recipes"}
# A draw near the border of two tokens falls to either, by the last digit of a logit, and another recipe follows.
TOLERANCE = {"*.valid": Tolerance(absolute=0.05), "*.healed.can_follow": Tolerance(absolute=0.05)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    prompts: PositiveInt = 100  # validation recipes to cut


@dataclass(frozen=True)
class PromptOutcome:
    """Of prompts that end in one way: probability of next tokens that can follow (mean), and finished recipes."""

    can_follow: float
    valid: float


@dataclass(frozen=True)
class Results:
    spelling: dict[str, list[str]]
    example: dict[str, list[tuple[str, float]]]
    between_words: dict[str, PromptOutcome]
    inside_words: dict[str, PromptOutcome]


def cut(text: str, generator: torch.Generator, *, inside: bool) -> str:
    """Return the beginning of a text up to a random space (which is included), or up to the middle of a word."""
    first = text.index("\n")
    if inside:
        places = [i for i in range(first, len(text) - 2) if text[i - 2 : i + 2].isalpha()]
    else:
        places = [i + 1 for i in range(first, len(text) - 1) if text[i] == " "]
    return text[: places[int(torch.randint(len(places), (), generator=generator))]]


@dataclass(frozen=True)
class Start:
    """How a model starts on a prompt: the text that it goes on from, what it drew first from, and the tokens so far."""

    text: str
    first: torch.Tensor  # (vocab,)
    tokens: list[int]


def as_it_is(model: ShippedModel, text: str, generator: torch.Generator) -> Start:  # noqa: ARG001 (all ways have one signature)
    """Take the prompt as it is."""
    tokens = model.encode(text)
    return Start(text, model.logits(tokens).softmax(-1), tokens)


def stripped(model: ShippedModel, text: str, generator: torch.Generator) -> Start:
    """Take the prompt without the space at its end."""
    return as_it_is(model, text.rstrip(" "), generator)


def healed(model: ShippedModel, text: str, generator: torch.Generator) -> Start:
    """Take back the last piece of the prompt (a word with its space, or a lone space) and let the model write it anew.

    Until it has been spelled out again, only tokens may be drawn that begin with what is left of it, or that it begins
    with.
    """
    start = model.last_piece(text)
    tokens, left, first = model.encode(text[:start]), text[start:], []
    while left:
        fits = [bool(token) and (token.startswith(left) or left.startswith(token)) for token in model.spelled]
        logits = model.logits(tokens).masked_fill(~torch.tensor(fits), -torch.inf)
        first.append(logits.softmax(-1))
        tokens.append(int(sample(logits[None], generator=generator)))
        left = left[len(model.spelled[tokens[-1]]) :]
    return Start(text[:start], first[0], tokens)


def can_follow(model: ShippedModel, text: str, probabilities: torch.Tensor) -> float:
    """Return the probability of the tokens that can follow a text in the cookbook."""
    words = next_words(Cookbook().write, model.tokenizer, text)
    return sum(
        probabilities[token].item()
        for token, spelled in enumerate(model.spelled)
        if spelled and any(word.startswith(spelled) for word in words)
    )


def finish(model: ShippedModel, prompts: list[list[int]], seed: int) -> float:
    """Return the share of prompts that become valid recipes when the model finishes them."""
    end, cookbook, valid = model.tokenizer.end_token, Cookbook(), 0
    generator = torch.Generator().manual_seed(seed)
    prompts = sorted(prompts, key=len)  # a short prompt beside a long one would find too little room in the context
    for start in range(0, len(prompts), 25):
        batch = prompts[start : start + 25]
        room = model.gpt.config.context - len(batch[-1])
        rows = generate(model.gpt, batch, max_new_tokens=room, end_token=end, generator=generator)
        texts = [model.tokenizer.decode([*prompt[1:], *row]) for prompt, row in zip(batch, rows, strict=True)]
        valid += sum(cookbook.fault(text) is None for text in texts)
    return valid / len(prompts)


WAYS: dict[str, Callable[[ShippedModel, str, torch.Generator], Start]] = {
    "as it is": as_it_is,
    "stripped": stripped,
    "healed": healed,
}


def compare(model: ShippedModel, texts: list[str], ways: tuple[str, ...], seed: int) -> dict[str, PromptOutcome]:
    """Return what becomes of prompts in each of the ways to start on them."""
    generator, outcomes = torch.Generator().manual_seed(seed), {}
    for name in ways:
        starts = [WAYS[name](model, text, generator) for text in tqdm(texts, desc=name, unit="prompt")]
        follows = sum(can_follow(model, start.text, start.first) for start in starts) / len(starts)
        outcomes[name] = PromptOutcome(follows, finish(model, [start.tokens for start in starts], seed))
        print(f"{name:<12}{follows:.1%} of the next token can follow, {outcomes[name].valid:.1%} valid recipes")
    return outcomes


def main(config: Config) -> Results:
    model, generator = ShippedModel(), torch.Generator().manual_seed(config.seed)
    spelling, example = {}, {}
    for text in (EXAMPLE, f"{EXAMPLE} "):
        tokens = model.encode(text)
        spelling[text] = [model.spelled[token] for token in tokens[1:]]
        best = model.logits(tokens).softmax(-1).topk(4)
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        example[text] = [(model.spelled[token], probability) for token, probability in pairs]
        print(f"{spelling[text]} -> {', '.join(f'{token!r} {p:.1%}' for token, p in example[text])}")
    recipes = [Cookbook().recipe("validation", index).text for index in range(config.prompts)]
    behind, inside = ([cut(text, generator, inside=where) for text in recipes] for where in (False, True))
    print("\nprompts that end in a space")
    between_words = compare(model, behind, tuple(WAYS), config.seed)
    print("\nprompts that end inside a word")
    inside_words = compare(model, inside, ("as it is", "healed"), config.seed)
    return Results(spelling, example, between_words, inside_words)


def plot(results: Results) -> Figure:
    """Draw the share of valid recipes for each way of treating the prompt."""
    figure, axes = new_figure(width=9, height=3.6, columns=2)
    both = (("prompt ends in a space", results.between_words), ("prompt ends inside a word", results.inside_words))
    for side, (title, outcomes) in zip(axes, both, strict=True):
        positions = range(len(outcomes))
        for offset, label in ((-0.2, "can_follow"), (0.2, "valid")):
            heights = [vars(outcome)[label] for outcome in outcomes.values()]
            bars = side.bar([position + offset for position in positions], heights, 0.4, label=LABELS[label])
            side.bar_label(bars, [f"{height:.0%}" for height in heights], fontsize=9)
        side.set_xticks(positions, list(outcomes))
        side.set(title=title, ylim=(0, 1.1), ylabel="share")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
