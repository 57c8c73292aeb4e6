"""Train a GPT from scratch, and say how far it is from the best that any model can reach.

    uv run sprints/09_train_gpt2/train.py
    uv run sprints/09_train_gpt2/train.py --preset tinyshakespeare
    uv run sprints/09_train_gpt2/train.py --data my_text.txt --tokenizer bpe --steps 2000
    uv run torchrun --standalone --nproc-per-node 2 sprints/09_train_gpt2/train.py

Without options it trains on an endless cookbook whose entropy is known exactly, for about three minutes on two cores.
Theory: notes/04_the_training_loop.md, notes/03_the_optimum.md; for --resume notes/11_resuming.md; for several processes
sprint 24, note 9
"""

import shutil
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from pretraining_study.curves import plot
from pretraining_study.final_score import FinalScore
from pretraining_study.history import History
from pretraining_study.named_corpora import BpeSize, Kind, load_corpus
from pretraining_study.resuming import begin
from pretraining_study.scored_once import score_trained
from shared.lab.compare import EXACT, ROUNDING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Share
from shared.lab.run import run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.corpora import Corpus
from shared.training.launched import run, was_restarted
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.parallel import Parallel, RankBatches, evaluate_of_all, loss_of_all, present, seed_step, spread
from shared.training.schedules import warmup_cosine, warmup_linear
from shared.training.whole_states import save_whole, whole

PRESETS = {
    # The size of nanoGPT's demonstration for a CPU, 4 layers of 128, with twice its 64 characters of context
    "tinyshakespeare": {"data": "tinyshakespeare", "tokenizer": "char", "context": 128, "steps": 2000},
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
    tokenizer: Kind = "bpe"  # bpe, char or gpt2 (the cookbook is always bpe)
    vocab_size: BpeSize = 2048  # tokens of a bpe vocabulary
    context: AtLeastTwo = 256  # tokens that the model looks at
    layers: PositiveInt = 4  # blocks
    heads: PositiveInt = 4  # attention heads of a block
    d_model: PositiveInt = 128  # features of a token
    dropout: Share = 0.0  # probability of dropping a feature
    attention_dropout: Share | None = None  # probability of dropping an attention weight (default: as features)
    positions: Literal["learned", "sinusoidal"] = "learned"  # learned or sinusoidal
    steps: PositiveInt = 1350  # optimizer steps
    batch_size: PositiveInt = 16  # rows of a batch
    accumulate: PositiveInt = 1  # batches whose gradients are added up before a step
    learning_rate: PositiveFloat = 3e-3  # peak learning rate of AdamW: embeddings, biases and norms
    muon_learning_rate: NonNegativeFloat = 0.02  # peak learning rate of Muon: matrices of the blocks (0: all by AdamW)
    weight_decay: NonNegativeFloat = 0.0  # decay of matrices
    warmup: NonNegativeInt = 20  # steps until the learning rate is at its peak
    schedule: Literal["linear", "cosine"] = "linear"  # how the learning rate falls
    clip: PositiveFloat = 1.0  # largest norm of the gradient
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products
    parallel: Parallel = "ddp"  # ddp or fsdp: whether processes of torchrun keep all weights, or rows of each
    compile: bool = False  # compile the model (needs a C++ compiler)
    eval_every: PositiveInt = 150  # steps between evaluations
    save_every: PositiveInt = 150  # steps between checkpoints
    validation_recipes: PositiveInt = 256  # recipes to validate on
    recipes: PositiveInt = 100  # recipes to write at the end
    ngram_tokens: AtLeastTwo = 2_000_000  # tokens that the n-gram baseline is fitted to
    tensorboard: bool = False  # write scalars to tensorboard/ in the folder of the run
    resume: bool = False  # go on from the checkpoint in the folder of the run

    def check(self) -> None:
        size_of(self, vocab_size=1)
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise ValueError(f"sinusoidal positions need an even --d-model; got {self.d_model}")
        if self.compile and not any(map(shutil.which, ("g++", "c++", "clang++", "cl"))):
            raise ValueError("--compile needs a C++ compiler, and there is none on the PATH: leave it out")


SCHEDULES = {"linear": warmup_linear, "cosine": warmup_cosine}
# What may differ when a run is resumed
FREE = {"device", "parallel", "resume", "tensorboard", "save_every", "recipes", "ngram_tokens"}


@dataclass(frozen=True)
class Results(FinalScore):
    steps: list[int]
    train_losses: list[float]
    validation_losses: list[float]
    training_seconds: float


def main(config: Config) -> Results:
    keep_freed_memory()
    # A head that is sure where to look gives other places weights below the normal numbers, which are slow on a CPU.
    torch.set_flush_denormal(True)
    generator = seed_everything(config.seed)
    corpus = load_corpus(config.data, config.tokenizer, config.vocab_size, config.validation_recipes)
    model = GPT(size_of(config, corpus.tokenizer.vocab_size)).to(pick_device(config.device))
    history = train(config, model, corpus, generator)
    settings = {"ngram_tokens": config.ngram_tokens, "recipes": config.recipes, "seed": config.seed}
    results = Results(
        **vars(score_trained(model, corpus, **settings)),
        steps=history.steps,
        train_losses=history.train_losses(),
        validation_losses=history.validation_losses,
        training_seconds=history.seconds,
    )
    print(f"\n{results.samples[0]}\n\n{results.summary()}")
    return results


def size_of(config: Config, vocab_size: int) -> GPTConfig:
    """Return the size of the model that the options ask for."""
    return GPTConfig(
        vocab_size=vocab_size, context=config.context, layers=config.layers, heads=config.heads, d_model=config.d_model,
        dropout=config.dropout, attention_dropout=config.attention_dropout, positions=config.positions,
    )  # fmt: skip


def train(config: Config, model: GPT, corpus: Corpus, generator: torch.Generator) -> History:
    """Train the model in place and return the curves; checkpoints are written on the way."""
    ranks = present()
    batches = RankBatches(corpus.train_batches(config.batch_size, config.context, generator), ranks)
    spread_model = spread(model, config.parallel, next(model.parameters()).device)
    optimizers = make_optimizers(
        spread_model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate or None,
        weight_decay=config.weight_decay,
    )  # fmt: skip
    path = run_folder(config, __file__) / "checkpoints" / f"{Path(config.data).stem}.pt"
    fixed = {name: value for name, value in config.options().items() if name not in FREE}
    fixed["corpus"] = corpus.fingerprint  # a text may change while its name stays
    resume = config.resume or (was_restarted() and path.exists())
    start, history = begin(path, fixed, *whole(spread_model, optimizers), batches, steps=config.steps, resume=resume)
    seed_step(config.seed, start, ranks)
    if config.compile:
        spread_model.compile()
    schedule = partial(SCHEDULES[config.schedule], steps=config.steps, warmup=config.warmup)
    trained = train_steps(
        spread_model, batches, loss_function=loss_of_all(language_model_loss, ranks, config.accumulate),
        optimizers=optimizers, steps=config.steps, start=start, schedule=schedule, clip=config.clip,
        accumulate=config.accumulate, precision=config.precision,
    )  # fmt: skip
    logged = config.tensorboard and ranks.rank == 0
    writer = SummaryWriter(str(run_folder(config, __file__) / "tensorboard")) if logged else None
    batches_to_validate = list(corpus.validation_batches(64, config.context))
    few = batches_to_validate[:: max(1, len(batches_to_validate) // 4)]  # enough for a curve
    began = time.perf_counter()
    for step, loss in (bar := tqdm(trained, initial=start, total=config.steps, unit="step")):
        seed_step(config.seed, step, ranks)
        history.losses.append(loss)
        if step % config.eval_every == 0 or step == config.steps:
            history.seconds += time.perf_counter() - began
            history.steps.append(step)
            history.validation_losses.append(evaluate_of_all(spread_model, few, ranks)[0])
            bar.set_postfix(loss=f"{loss:.3f}", validation=f"{history.validation_losses[-1]:.3f}")
            if writer:
                writer.add_scalars("loss", {"train": loss, "validation": history.validation_losses[-1]}, step)
            began = time.perf_counter()
        if step % config.save_every == 0 or step == config.steps:
            state = {"step": step, "config": fixed, "data": batches.state_dict(), "extra": asdict(history)}
            save_whole(path, model=spread_model, optimizers=optimizers, **state)
    return history


TOLERANCE = {
    "*": TRAINED, "parameters": EXACT, "steps.*": EXACT, "validation_tokens": EXACT, "optimum": ROUNDING,
    "*gram": ROUNDING, "valid": Tolerance(absolute=0.15), "faults*": Tolerance(compared=False),  # of a hundred recipes
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
