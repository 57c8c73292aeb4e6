"""Train a GPT from scratch, and say how far it is from the best that any model can reach.

    uv run sprints/09_train_gpt2/train.py
    uv run sprints/09_train_gpt2/train.py --preset tinyshakespeare
    uv run sprints/09_train_gpt2/train.py --data my_text.txt --tokenizer bpe --steps 2000

Without options it trains on an endless cookbook whose entropy is known exactly, for about three minutes on two cores.
Theory: notes/01_the_training_loop.md and notes/02_the_optimum.md
"""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from shared.generation.decoding import generate
from shared.lab.config import ScriptConfig
from shared.lab.datasets import fetch
from shared.lab.figures import new_figure
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.corpora import CookbookCorpus, Corpus, TextCorpus, cookbook_tokenizer
from shared.text.ngrams import KneserNey
from shared.training.checkpoints import check_compatible, load_checkpoint, restore, save_checkpoint
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss, perplexity
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine, warmup_linear

PRESETS = {
    # The size of nanoGPT's demonstration for a CPU, 4 layers of 128, with twice its 64 characters of context
    "tinyshakespeare": {
        "data": "tinyshakespeare", "tokenizer": "char", "context": 128, "steps": 2000,
    },
    "tinyshakespeare-hour": {
        "data": "tinyshakespeare", "tokenizer": "char", "context": 256, "batch_size": 16, "steps": 6500,
        "layers": 6, "d_model": 192, "dropout": 0.1, "attention_dropout": 0.0, "learning_rate": 2e-3,
        "weight_decay": 0.05, "eval_every": 250, "save_every": 250,
    },
    # The model that the repository ships and later sprints start from
    "cookbook-gpt2": {
        "d_model": 192, "steps": 15_000, "learning_rate": 2e-3, "warmup": 100, "eval_every": 500,
        "validation_recipes": 1000, "recipes": 1000, "ngram_tokens": 10_000_000,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: str = "cookbook"  # cookbook, tinyshakespeare, a text file, or a folder of prepare_data.py
    tokenizer: str = "bpe"  # bpe, char or gpt2 (the cookbook is always bpe)
    vocab_size: int = 2048  # tokens of a bpe vocabulary
    context: int = 256  # tokens that the model looks at
    layers: int = 4  # blocks
    heads: int = 4  # attention heads of a block
    d_model: int = 128  # features of a token
    dropout: float = 0.0  # probability of dropping a feature
    attention_dropout: float | None = None  # probability of dropping an attention weight (default: as features)
    positions: Literal["learned", "sinusoidal"] = "learned"  # learned or sinusoidal
    steps: int = 1350  # optimizer steps
    batch_size: int = 16  # rows of a batch
    accumulate: int = 1  # batches whose gradients are added up before a step
    learning_rate: float = 3e-3  # peak learning rate of AdamW: embeddings, biases and norms
    muon_learning_rate: float = 0.02  # peak learning rate of Muon: matrices of the blocks (0: all by AdamW)
    weight_decay: float = 0.0  # decay of matrices
    warmup: int = 20  # steps until the learning rate is at its peak
    schedule: Literal["linear", "cosine"] = "linear"  # how the learning rate falls
    clip: float = 1.0  # largest norm of the gradient
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products
    compile: bool = False  # compile the model (needs a C++ compiler)
    eval_every: int = 150  # steps between evaluations
    save_every: int = 150  # steps between checkpoints
    validation_recipes: int = 256  # recipes to validate on
    recipes: int = 100  # recipes to write at the end
    ngram_tokens: int = 2_000_000  # tokens that the n-gram baseline is fitted to
    tensorboard: bool = False  # write scalars to runs/ in the output folder
    resume: bool = False  # go on from the checkpoint in the output folder


SCHEDULES = {"linear": warmup_linear, "cosine": warmup_cosine}
# What may differ between a run and the run that resumes it.
FREE = {"out", "device", "preset", "resume", "tensorboard", "save_every", "recipes", "ngram_tokens"}


@dataclass
class History:
    """What a run has seen so far; saved in its checkpoints."""

    losses: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Results:
    steps: list[int]
    train_losses: list[float]
    validation_losses: list[float]
    parameters: int
    training_seconds: float
    validation_loss: float
    validation_perplexity: float
    validation_tokens: int
    nats_per_character: float
    optimum: float | None
    above_optimum: float | None
    ngram: float
    unigram: float
    valid: float | None
    faults: dict[str, int]
    samples: list[str]


def load_corpus(config: Config) -> Corpus:
    """Return the corpus that the options name."""
    if config.data == "cookbook":
        return CookbookCorpus(cookbook_tokenizer(config.vocab_size), validation_recipes=config.validation_recipes)
    path = fetch("tinyshakespeare", file="input.txt") if config.data == "tinyshakespeare" else Path(config.data)
    if path.is_dir():
        return TextCorpus.load(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"--data must be cookbook, tinyshakespeare or a UTF-8 text; cannot read {path}: {error}"
        ) from error
    folder = fetch("gpt2") if config.tokenizer == "gpt2" else None
    return TextCorpus.from_text(text, config.tokenizer, config.vocab_size, folder)


def build_model(config: Config, vocab_size: int) -> GPT:
    """Return a freshly initialised GPT of the size that the options ask for."""
    return GPT(
        GPTConfig(
            vocab_size=vocab_size,
            context=config.context,
            layers=config.layers,
            heads=config.heads,
            d_model=config.d_model,
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            positions=config.positions,
        )
    )


def train(config: Config, model: GPT, corpus: Corpus, generator: torch.Generator) -> History:
    """Train the model in place and return the curves; checkpoints are written on the way."""
    batches = corpus.train_batches(config.batch_size, config.context, generator)
    optimizers = make_optimizers(
        model,
        learning_rate=config.learning_rate,
        muon_learning_rate=config.muon_learning_rate or None,
        weight_decay=config.weight_decay,
    )
    path = checkpoint_path(config)
    fixed = {name: value for name, value in asdict(config).items() if name not in FREE}
    start, history = 0, History()
    if config.resume:
        checkpoint = load_checkpoint(path)
        check_compatible(checkpoint, fixed, path)
        batches.load_state_dict(checkpoint["data"])
        start, history = restore(checkpoint, model, optimizers), History(**checkpoint["extra"])
    if config.compile:
        model.compile()
    trained = train_steps(
        model,
        batches,
        loss_function=language_model_loss,
        optimizers=optimizers,
        steps=config.steps,
        schedule=partial(SCHEDULES[config.schedule], steps=config.steps, warmup=config.warmup),
        clip=config.clip,
        accumulate=config.accumulate,
        precision=config.precision,
        start=start,
    )
    writer = SummaryWriter(str(output_folder(config) / "runs")) if config.tensorboard else None
    batches_to_validate = list(corpus.validation_batches(64, config.context))
    few = batches_to_validate[:: max(1, len(batches_to_validate) // 4)]  # enough for a curve
    began = time.perf_counter()
    for step, loss in (bar := tqdm(trained, initial=start, total=config.steps, unit="step")):
        history.losses.append(loss)
        if step % config.eval_every == 0 or step == config.steps:
            history.seconds += time.perf_counter() - began
            history.steps.append(step)
            history.validation_losses.append(evaluate_loss(model, few)[0])
            bar.set_postfix(loss=f"{loss:.3f}", validation=f"{history.validation_losses[-1]:.3f}")
            if writer:
                writer.add_scalars("loss", {"train": loss, "validation": history.validation_losses[-1]}, step)
            began = time.perf_counter()
        if step % config.save_every == 0 or step == config.steps:
            state = {"step": step, "config": fixed, "data": batches.state_dict(), "extra": asdict(history)}
            save_checkpoint(path, model=model, optimizers=optimizers, **state)
    return history


def measure(config: Config, model: GPT, corpus: Corpus, history: History) -> Results:
    """Score the trained model on all validation tokens, beside the optimum and the n-gram models."""
    model.eval()
    loss, targets = evaluate_loss(model, corpus.validation_batches(64, config.context))
    documents, unseen = corpus.train_documents(config.ngram_tokens), corpus.validation_documents()
    size = corpus.tokenizer.vocab_size
    unigram, ngram = (KneserNey(order, size).fit(documents).loss(unseen) for order in (1, 5))
    texts = write_samples(config, model, corpus)
    faults = Counter(fault_of(text, corpus) for text in texts)
    optimum = corpus.optimum()
    return Results(
        steps=history.steps,
        train_losses=smooth(history.losses, history.steps),
        validation_losses=history.validation_losses,
        parameters=model.parameter_count(),
        training_seconds=history.seconds,
        validation_loss=loss,
        validation_perplexity=perplexity(loss),
        validation_tokens=targets,
        nats_per_character=loss / corpus.characters_per_token(),
        optimum=optimum,
        above_optimum=None if optimum is None else loss / optimum - 1,
        ngram=ngram,
        unigram=unigram,
        valid=None if optimum is None else faults["none"] / len(texts),
        faults={} if optimum is None else dict(faults.most_common()),
        samples=texts[:3],
    )


def write_samples(config: Config, model: GPT, corpus: Corpus) -> list[str]:
    """Return texts that the model writes at temperature 1, each from the end token on."""
    end, generator = corpus.tokenizer.end_token, torch.Generator(next(model.parameters()).device)
    # A text of characters has no documents in it, so it starts with a line break and ends where the context ends.
    start = [end] if isinstance(corpus, CookbookCorpus) else corpus.tokenizer.encode("\n")
    rows = generate(
        model,
        [start] * (config.recipes if isinstance(corpus, CookbookCorpus) else 3),
        max_new_tokens=config.context - 1,
        end_token=end,
        generator=generator.manual_seed(config.seed),
    )
    return [corpus.tokenizer.decode(row) for row in rows]


def fault_of(text: str, corpus: Corpus) -> str:
    """Return the rule of the grammar that a recipe breaks first, or "none"."""
    fault = corpus.cookbook.fault(text) if isinstance(corpus, CookbookCorpus) else None
    return "none" if fault is None else fault.rule


def smooth(losses: list[float], steps: list[int]) -> list[float]:
    """Return the mean training loss between one evaluation and the next."""
    return [sum(losses[start:end]) / (end - start) for start, end in pairwise([0, *steps])]


def output_folder(config: Config) -> Path:
    """Return where checkpoints and logs go."""
    return run_folder(config, __file__)


def checkpoint_path(config: Config) -> Path:
    """Return the checkpoint of a run: one for each data set or preset."""
    return output_folder(config) / "checkpoints" / f"{run_name(config)}.pt"


def run_name(config: Config) -> str:
    """Return "train", or "train_" and the preset or the data that is not the default."""
    other = config.preset or (Path(config.data).stem if config.data != "cookbook" else "")
    return f"train_{other}" if other else "train"


def main(config: Config) -> Results:
    keep_freed_memory()
    # A head that is sure where to look gives other places weights below the normal numbers, which are slow on a CPU.
    torch.set_flush_denormal(True)
    generator = seed_everything(config.seed)
    corpus = load_corpus(config)
    model = build_model(config, corpus.tokenizer.vocab_size).to(pick_device(config.device))
    history = train(config, model, corpus, generator)
    results = measure(config, model, corpus, history)
    print(f"\n{results.samples[0]}\n")
    print(
        f"validation loss {results.validation_loss:.4f} nats per token, perplexity {results.validation_perplexity:.3f}"
    )
    print(f"5-gram          {results.ngram:.4f}")
    if results.optimum is not None:
        print(f"optimum         {results.optimum:.4f}: the model is {results.above_optimum:.1%} above it")
        print(f"{results.valid:.0%} of {config.recipes} recipes it wrote are valid")
    return results


def plot(results: Results) -> Figure:
    """Draw the loss over the steps between the floor that no model can pass and the n-gram model."""
    figure, axes = new_figure()
    axes.plot(results.steps, results.train_losses, label="training")
    axes.plot(results.steps, results.validation_losses, label="validation")
    axes.axhline(results.ngram, linestyle="--", color="grey", label="5-gram")
    if results.optimum is not None:
        axes.axhline(results.optimum, color="black", label="optimum")
    axes.set(xlabel="step", ylabel="nats per token", ylim=(0, None))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
