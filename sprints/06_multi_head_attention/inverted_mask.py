"""What does training look like when the mask is inverted, and what tells?

    uv run sprints/06_multi_head_attention/inverted_mask.py
    uv run sprints/06_multi_head_attention/inverted_mask.py --steps 800 --layers 4

Two GPTs learn the same recipes from the same seed. One hides the past and shows the future: its loss falls below that
of the grammar that writes the recipes, which no honest model can reach. Theory: notes/08_the_inverted_mask.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn
from tqdm import tqdm

from attention_study.language_model_checks import check_language_model
from shared.generation.decoding import generate
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.inverted import InvertedLookAhead, invert_masks
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.ngrams import KneserNey, NGram
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

Vocabulary = Annotated[int, Field(ge=257, le=MOST)]  # the bytes and a control token
Context = Annotated[int, Field(ge=24, le=MOST)]  # so many tokens are checked


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 2  # blocks
    heads: PositiveInt = 4  # attention heads of a block
    d_model: PositiveInt = 128  # features of a token
    vocab_size: Vocabulary = 1024  # tokens of the vocabulary
    tokenizer_recipes: PositiveInt = 500  # recipes of each voice that the tokenizer is made from
    context: Context = 320  # tokens that a model looks at
    steps: PositiveInt = 300  # optimizer steps
    batch_size: PositiveInt = 8  # recipes of a batch
    eval_every: PositiveInt = 20  # steps between measurements
    validation_recipes: PositiveInt = 64  # recipes to validate on
    recipes: PositiveInt = 50  # recipes to write
    ngram_tokens: PositiveInt = 300_000  # tokens that the n-gram model is fitted to, which judges what is written

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.eval_every > self.steps:
            raise ValueError(f"something must be measured; got --eval-every {self.eval_every} of --steps {self.steps}")


@dataclass(frozen=True)
class MaskResult:
    """Curves of training, and what the trained model writes, judged by the grammar and by an n-gram model."""

    train_losses: list[float]
    validation_losses: list[float]
    gradient_norms: list[float]
    validation_loss: float
    valid: float
    characters_before_fault: float
    judged_by_ngram: float
    sample: str
    invariants: dict[str, str]


@dataclass(frozen=True)
class Results:
    steps: list[int]
    models: dict[str, MaskResult]
    optimum: float
    ngram: float
    parameters: int


def build(config: Config, vocab_size: int, inverted: bool) -> GPT:
    """Return a GPT with the weights of the seed, and its mask upside down if asked for."""
    size = GPTConfig(vocab_size, config.context, config.layers, config.heads, config.d_model, dropout=0.0)
    model = GPT(size, torch.Generator().manual_seed(config.seed))
    if inverted:
        # Same weights, another forward: only the meaning of the mask differs.
        invert_masks(model, InvertedLookAhead)
    return model


def gradient_norm(model: nn.Module) -> float:
    return nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None]).item()


def judge(model: GPT, corpus: CookbookCorpus, ngram: NGram, config: Config) -> tuple[float, float, float, str]:
    """Return how much of what the model writes is valid, how far it is, the n-gram's loss on it, and a sample."""
    end, device = corpus.tokenizer.end_token, next(model.parameters()).device
    rows = generate(
        model,
        [[end]] * config.recipes,
        max_new_tokens=config.context - 1,
        end_token=end,
        generator=torch.Generator(device).manual_seed(config.seed),
    )
    texts = [corpus.tokenizer.decode(row) for row in rows]
    faults = [corpus.cookbook.fault(text) for text in texts]
    reached = [len(text) if fault is None else fault.position for text, fault in zip(texts, faults, strict=True)]
    loss = ngram.loss([[end, *row, end] for row in rows])
    return faults.count(None) / len(faults), sum(reached) / len(reached), loss, texts[0]


def train(config: Config, corpus: CookbookCorpus, ngram: NGram, inverted: bool) -> MaskResult:
    generator = seed_everything(config.seed)
    model = build(config, corpus.tokenizer.vocab_size, inverted).to(pick_device(config.device))
    verdicts = check_language_model(model.eval(), corpus.documents("train", 0, 4))
    validation = list(corpus.validation_batches(64, config.context))
    curves: list[tuple[float, float, float]] = []
    trained = train_steps(
        model,
        corpus.train_batches(config.batch_size, config.context, generator),
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=3e-3, muon_learning_rate=0.02),
        steps=config.steps,
        schedule=partial(warmup_linear, steps=config.steps, warmup=20),
        clip=None,  # so that the gradient keeps the norm that is reported
    )
    for step, loss in tqdm(trained, total=config.steps, desc="inverted" if inverted else "right"):
        if step % config.eval_every == 0:
            curves.append((loss, evaluate_loss(model, validation)[0], gradient_norm(model)))
    valid, reached, judged, sample = judge(model.eval(), corpus, ngram, config)
    losses, validation_losses, norms = (list(values) for values in zip(*curves, strict=True))
    return MaskResult(losses, validation_losses, norms, validation_losses[-1], valid, reached, judged, sample, verdicts)


def main(config: Config) -> Results:
    keep_freed_memory()
    corpus = CookbookCorpus(
        cookbook_tokenizer(config.vocab_size, config.tokenizer_recipes), validation_recipes=config.validation_recipes
    )
    ngram = KneserNey(4, corpus.tokenizer.vocab_size).fit(corpus.train_documents(config.ngram_tokens))
    models = {name: train(config, corpus, ngram, name == "inverted") for name in ("right", "inverted")}
    results = Results(
        steps=list(range(config.eval_every, config.steps + 1, config.eval_every)),
        models=models,
        optimum=corpus.optimum(),
        ngram=ngram.loss(corpus.validation_documents()),
        parameters=build(config, corpus.tokenizer.vocab_size, False).parameter_count(),
    )
    print(f"optimum {results.optimum:.3f} nats per token: no honest model is below; 4-gram {results.ngram:.3f}")
    for name, model in models.items():
        print(f"\nmask {name}: training {model.train_losses[-1]:.3f}, validation {model.validation_loss:.3f}, ", end="")
        print(f"gradient norm {model.gradient_norms[-1]:.2f}; {model.valid:.0%} of its recipes are valid, ", end="")
        print(f"the first fault comes after {model.characters_before_fault:.0f} characters, ", end="")
        print(f"the 4-gram gives them {model.judged_by_ngram:.2f} nats per token\n{model.sample[:200]!r}")
        for check, verdict in model.invariants.items():
            print(f"  {check:<20}{verdict}")
    return results


def plot(results: Results) -> Figure:
    """Draw what one looks at during training, for both masks."""
    figure, axes = new_figure(11.0, 3.8, columns=3)
    for name, model in results.models.items():
        axes[0].plot(results.steps, model.train_losses, label=f"mask {name}")
        axes[1].plot(results.steps, model.validation_losses, label=f"mask {name}")
        axes[2].plot(results.steps, model.gradient_norms, label=f"mask {name}")
    for panel, label in zip(axes, ("training loss", "validation loss", "norm of the gradient"), strict=True):
        panel.set(xlabel="step", title=label, ylim=(0, None))
    for panel in axes[:2]:
        panel.axhline(results.optimum, color="black", label="optimum")
        panel.set(ylabel="nats per token")
    for panel in axes:
        panel.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"models.*": TRAINED, "models.right.invariants.*": EXACT})
