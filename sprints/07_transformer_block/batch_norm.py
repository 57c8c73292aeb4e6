"""Why not batch norm? Because a token's features would depend on other rows, on padding, and on the future.

    uv run sprints/07_transformer_block/batch_norm.py

First the three dependences are measured on one layer. Then the same small language model is trained with each norm on
recipes, character by character, and asked whether it reads the future. Theory: notes/10_batch_norm.md
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from tqdm import tqdm

from block_study.token_batch_norm import TokenBatchNorm
from shared.checks.invariants import InvariantError, check_causality
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import BlockBatches, whole_text
from shared.text.cookbook import Cookbook
from shared.text.ngrams import WittenBell
from shared.text.tokenizers import character_tokenizer
from shared.training.loop import train_steps
from shared.training.losses import count_targets, evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "layer norm": nn.LayerNorm,
    "RMSNorm": nn.RMSNorm,
    "batch norm": TokenBatchNorm,
    "no norm": lambda _features: nn.Identity(),
}
Context = Annotated[int, Field(ge=12, le=MOST)]  # so many tokens are checked
Features = Annotated[int, Field(ge=4, le=MOST, multiple_of=4)]  # of four heads


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 300  # recipes to train on
    validation_recipes: PositiveInt = 20  # recipes to validate on
    context: Context = 64  # characters that the model sees
    d_model: Features = 64  # features
    layers: PositiveInt = 3  # blocks
    steps: PositiveInt = 200  # optimizer steps of a run
    batch_size: PositiveInt = 16  # rows of a batch
    learning_rate: PositiveFloat = 3e-3  # learning rate of AdamW, constant
    runs: PositiveInt = 3  # runs of each norm, each with its own seed


@dataclass(frozen=True)
class Results:
    """Of each norm: how far a token's output moves, and what a language model with it does.

    Args:
        moved: root mean square change of a token's output when only something else changes.
        losses: validation loss in nats per character, run by run, in evaluation mode.
        losses_as_trained: the same in training mode, where batch norm takes its averages from the batch.
        future_seen: of the trained model, the complaint of the causality check in either mode, or None.
        bigram: loss of a bigram model of the same text.
    """

    moved: dict[str, dict[str, float]]
    losses: dict[str, list[float]]
    losses_as_trained: dict[str, list[float]]
    future_seen: dict[str, dict[str, str | None]]
    bigram: float


def dependences(norm: nn.Module, x: Tensor, other: Tensor) -> dict[str, float]:
    """Return how far the first token of the first row moves when only other things change."""
    rows, later, padding = x.clone(), x.clone(), torch.zeros_like(x)
    rows[1:] = other[1:]
    later[:, 1:] = other[:, 1:]
    changes = {
        "other rows change": rows,
        "later tokens change": later,
        "as much padding is added": torch.cat([x, padding], dim=1),
    }
    before = norm(x)[0, 0]
    return {change: (norm(new)[0, 0] - before).square().mean().sqrt().item() for change, new in changes.items()}


def make_model(config: Config, vocab: int, norm: str, generator: torch.Generator) -> GPT:
    """Return a GPT whose norms are of a kind."""
    size = GPTConfig(vocab, config.context, config.layers, heads=4, d_model=config.d_model, dropout=0.0)
    model = GPT(size, generator)
    for name in [name for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)]:
        owner, _, leaf = name.rpartition(".")
        model.get_submodule(owner).add_module(leaf, NORMS[norm](config.d_model))
    return model


def read_text(stream: str, recipes: int) -> str:
    cookbook = Cookbook()
    return "\n\n".join(cookbook.recipe(stream, index).text for index in range(recipes))


def future_seen(model: GPT, tokens: Tensor) -> dict[str, str | None]:
    """Return what the causality check says of the model in either mode; None if it is content."""
    complaints: dict[str, str | None] = {}
    for mode, training in (("training", True), ("evaluation", False)):
        model.train(training)
        complaints[mode] = None
        try:
            check_causality(model, tokens, vocab_size=model.config.vocab_size, tolerance=1e-4)
        except InvariantError as error:
            complaints[mode] = str(error).partition(":")[0]
    return complaints


@torch.no_grad()
def loss_as_trained(model: GPT, tokens: np.ndarray, config: Config) -> float:
    """Return the loss in training mode, without learning."""
    model.train()
    batches = list(whole_text(tokens, config.batch_size, config.context))
    total = sum(language_model_loss(model, batch)[0].item() for batch in batches)
    return total / sum(count_targets(batch.tokens, batch.mask) for batch in batches)


def norms_and_seeds(config: Config) -> Iterator[tuple[str, int]]:
    return ((norm, config.seed + index) for norm in NORMS for index in range(config.runs))


def main(config: Config) -> Results:
    device, generator = pick_device(config.device), seed_everything(config.seed)
    x, other = (torch.randn(8, 16, config.d_model, generator=generator) for _ in range(2))
    moved = {norm: dependences(make(config.d_model), x, other) for norm, make in NORMS.items()}
    train_text, unseen_text = read_text("train", config.recipes), read_text("validation", config.validation_recipes)
    tokenizer = character_tokenizer(train_text + unseen_text)
    tokens, unseen = (np.array(tokenizer.encode(text)) for text in (train_text, unseen_text))
    losses: dict[str, list[float]] = {norm: [] for norm in NORMS}
    as_trained: dict[str, list[float]] = {norm: [] for norm in NORMS}
    future: dict[str, dict[str, str | None]] = {}
    for norm, seed in tqdm(list(norms_and_seeds(config)), desc="runs"):
        generator = seed_everything(seed)
        model = make_model(config, tokenizer.vocab_size, norm, generator).to(device)
        batches = BlockBatches(tokens, config.batch_size, config.context, generator)
        optimizers = make_optimizers(model, learning_rate=config.learning_rate)
        for _ in train_steps(
            model, batches, loss_function=language_model_loss, optimizers=optimizers, steps=config.steps
        ):
            pass
        losses[norm].append(evaluate_loss(model, whole_text(unseen, config.batch_size, config.context))[0])
        future[norm] = future_seen(model, torch.from_numpy(unseen[:48]).view(4, 12).to(device))
        as_trained[norm].append(loss_as_trained(model, unseen, config))
    bigram = WittenBell(2, tokenizer.vocab_size).fit([tokens.tolist()]).loss([unseen.tolist()])
    for norm in NORMS:
        print(f"{norm:<11}" + ", ".join(f"{change}: {by:.2g}" for change, by in moved[norm].items()))
        print(f"  loss {losses[norm]}, in training mode {as_trained[norm]}; future: {future[norm]}")
    print(f"bigram     {bigram:.3f}")
    return Results(moved, losses, as_trained, future, bigram)


if __name__ == "__main__":
    # A complaint about the future quotes what it measured; that there is one is exact.
    run(main, Config, tolerance={"losses*": TRAINED, "future_seen.*.evaluation": EXACT})
