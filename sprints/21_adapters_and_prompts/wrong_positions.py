"""What must change in a call when something stands before the text? Positions, mask and logits, right and wrong.

    uv run sprints/21_adapters_and_prompts/wrong_positions.py
    uv run sprints/21_adapters_and_prompts/wrong_positions.py --prompt 40 --padding 60

The prompt is made of the first words of a recipe, as vectors or as keys and values, and the text is the rest. So it is
known what has to come out: what the model says of the recipe as a whole. Theory: notes/05_prompts_and_prefixes.md
"""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from adaptation.prompts import PromptConfig, inject, remove
from adaptation.written_on import LIBRARIES, written_on
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import context_length, load_causal_model
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook
from shared.training.losses import token_losses

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

SHIFTS = (0, 1, 4, 16, 64)  # places by which a whole recipe is moved


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 16  # recipes of the test stream
    prompt: PositiveInt = 12  # tokens of each that become the prompt
    padding: PositiveInt = 20  # places of padding on the left of the text
    new_tokens: PositiveInt = 8  # that are written behind the prompt and as many words of the text


@dataclass(frozen=True)
class Treated:
    """Nats per token of the texts, and the largest difference of a logit from what it must be."""

    loss: float
    difference: float


@dataclass(frozen=True)
class Results:
    treatments: dict[str, Treated]
    by_shift: dict[str, float]
    written: dict[str, dict[str, int | None]]  # tokens as full passes write them (None: it ends with an error)
    tokens: int


def treat(model: "PreTrainedModel", words: Tensor, text: Tensor, padding: int) -> dict[str, Tensor]:
    """Return the logits of a text behind words that are a prompt, by the name of the treatment, (tokens, vocab)."""
    length, tokens = len(words), len(text)
    pad, places = text.new_zeros(padding), torch.arange(length + padding + tokens)
    real = torch.ones(length + tokens, dtype=torch.long)
    embed = model.get_input_embeddings()

    def ours(kind: str, padded: int = 0, keep: bool = False) -> Tensor:
        config = PromptConfig(kind, length, words=tuple(words.tolist()), keep_positions=keep)  # ty: ignore[invalid-argument-type]
        inject(model, config)
        mask = torch.cat([real.new_zeros(padded), real[:tokens]])
        logits = model(input_ids=torch.cat([pad[:padded], text])[None], attention_mask=mask[None]).logits[0, padded:]
        remove(model)
        return logits

    def by_vectors(parts: list[Tensor], positions: Tensor, mask: Tensor | None = None) -> Tensor:
        vectors = torch.cat([embed(part) for part in parts])[None]
        seen = None if mask is None else mask[None]
        return model(inputs_embeds=vectors, position_ids=positions[None], attention_mask=seen, use_cache=False).logits[
            0
        ]

    whole, padded, hidden = [words, text], [words, pad, text], real.new_zeros(padding)
    mask = torch.cat([real[:length], hidden, real[:tokens]])
    from_zero = torch.cat([places[:length], places[:tokens]])
    return {
        "prompt, as it must be": ours("prompt"),
        "the same, text padded on the left": ours("prompt", padding),
        "positions of the text begin at 0 again": by_vectors(whole, from_zero)[length:],
        "text padded on the left, positions by place": by_vectors(padded, places, mask)[-tokens:],
        "the same, mask grown at its end": by_vectors(padded, places, torch.cat([hidden, real]))[-tokens:],
        "logits of the prompt's places not cut off": by_vectors(whole, places[: len(real)])[:tokens],
        "prefix, as it must be": ours("prefix"),
        "prefix, positions of the text begin at 0": ours("prefix", keep=True),
    }


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    model, tokenizer = load_causal_model()
    room = context_length(model) - max(SHIFTS[-1], config.padding)
    every = recipe_part(Cookbook(), "test", 4 * config.recipes, tokenizer).documents
    rows = [torch.tensor(row) for row in every if config.prompt + 2 * config.new_tokens < len(row) <= room]
    rows = rows[: config.recipes]
    if not rows:
        raise ValueError(
            f"no recipe has more than {config.prompt + 2 * config.new_tokens} and at most {room} tokens: give a "
            "smaller --prompt, --padding or --new-tokens"
        )
    losses: dict[str, list[Tensor]] = {}
    differences: dict[str, float] = {}
    shifted: dict[str, list[Tensor]] = {}
    with torch.no_grad():
        for row in tqdm(rows, desc="recipes", leave=False):
            words, text = row[: config.prompt], row[config.prompt :]
            right = model(input_ids=row[None], use_cache=False).logits[0, config.prompt :]
            for name, logits in treat(model, words, text, config.padding).items():
                losses.setdefault(name, []).append(token_losses(logits[None], text[None])[0])
                difference = (logits - right).abs().max().item()
                differences[name] = max(differences.get(name, 0.0), difference)
            for shift in SHIFTS:
                places = torch.arange(shift, shift + len(row))[None]
                logits = model(input_ids=row[None], position_ids=places, use_cache=False).logits
                shifted.setdefault(str(shift), []).append(token_losses(logits, row[None])[0])
    treated = {name: Treated(torch.cat(parts).mean().item(), differences[name]) for name, parts in losses.items()}
    by_shift = {shift: torch.cat(parts).mean().item() for shift, parts in shifted.items()}
    for name, found in treated.items():
        print(f"{name}: {found.loss:.3f} nats per token, logits differ by {found.difference:.1e}")
    print("moved by " + ", ".join(f"{shift}: {loss:.3f}" for shift, loss in by_shift.items()))
    lengths = (config.prompt, config.new_tokens)
    written: dict[str, dict[str, int | None]] = {
        library: {
            f"{kind}, padding {padding}": written_on(copy.deepcopy(model), library, kind, rows, *lengths, padding)
            for kind in ("prompt", "prefix")
            for padding in (0, config.padding)
        }
        for library in LIBRARIES
    }
    print(f"of {len(rows) * config.new_tokens} tokens as full passes write them: {written}")
    return Results(treated, by_shift, written, len(rows) * config.new_tokens)


def plot(results: Results) -> Figure:
    """Draw what each treatment costs, and what it costs to move a whole recipe."""
    figure, (left, right) = new_figure(10.0, 3.6, columns=2)
    names = list(results.treatments)
    for row, found in enumerate(results.treatments.values()):
        colour = "C0" if found.difference < 1e-3 else "C3"
        left.plot(found.loss, row, "o", color=colour)
        left.annotate(f"{found.loss:.2f}", (found.loss, row), xytext=(7, -3), textcoords="offset points")
    left.set_yticks(range(len(names)), names)
    left.set(xscale="log", xlabel="nats per token", ylim=(len(names) - 0.5, -0.5))
    left.set_xticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
    left.minorticks_off()
    left.set_xlim(right=3 * max(found.loss for found in results.treatments.values()))
    right.plot(range(len(results.by_shift)), list(results.by_shift.values()), "o-")
    right.set_xticks(range(len(results.by_shift)), list(results.by_shift))
    right.set(xlabel="positions by which a recipe is moved", ylabel="nats per token", ylim=(0, None))
    return figure


TOLERANCE = {"treatments.*.difference": Tolerance(relative=0.01, absolute=1e-3), "written.*": TRAINED}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
