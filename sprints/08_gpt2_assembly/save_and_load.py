"""What has to be in a file so that a model, or a whole training run, comes back exactly?

    uv run sprints/08_gpt2_assembly/save_and_load.py

Three formats: a safetensors file of weights, a transformers folder, and a checkpoint of the run. Each is read back and
compared; then each is damaged, to see what it says. Theory: notes/08_saving_and_loading.md
"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from safetensors.torch import load_model, save_model
from torch import nn
from transformers import AutoModelForCausalLM

from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.training.checkpoints import CheckpointError, check_compatible, load_checkpoint, restore, save_checkpoint
from shared.training.losses import next_token_loss
from shared.training.optimizers import make_optimizers

Features = Annotated[int, Field(ge=4, le=MOST, multiple_of=4)]  # of four heads


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 4  # blocks of the model
    d_model: Features = 128  # features of the model


@dataclass(frozen=True)
class Results:
    sizes_mb: dict[str, float]
    logit_differences: dict[str, float]
    next_losses: dict[str, float]
    errors: dict[str, str]


def train_once(model: nn.Module, optimizers: list, tokens: torch.Tensor) -> float:
    """Take one step and return the loss before it."""
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    size = GPTConfig(vocab_size=512, context=64, layers=config.layers, heads=4, d_model=config.d_model, dropout=0.0)
    tokens = torch.randint(512, (4, 32), generator=generator).to(device)
    model = GPT(size).to(device)
    optimizers = make_optimizers(model, learning_rate=1e-3)
    for _ in range(5):
        train_once(model, optimizers, tokens)
    logits = model(tokens)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_model(model, str(folder / "weights.safetensors"))
        model.to_transformers().save_pretrained(folder / "transformers")
        save_checkpoint(folder / "run.pt", model=model, optimizers=optimizers, step=5, config=asdict(size), data={})

        weights = GPT(size).to(device)
        load_model(weights, str(folder / "weights.safetensors"))
        theirs = AutoModelForCausalLM.from_pretrained(folder / "transformers").to(device)
        resumed = GPT(size).to(device)
        resumed_optimizers = make_optimizers(resumed, learning_rate=1e-3)
        restore(load_checkpoint(folder / "run.pt"), resumed, resumed_optimizers)
        differences = {
            "safetensors": (weights(tokens) - logits).abs().max().item(),
            "transformers folder": (theirs(tokens).logits - logits).abs().max().item(),
            "checkpoint": (resumed(tokens) - logits).abs().max().item(),
        }
        sizes = {
            "safetensors": (folder / "weights.safetensors").stat().st_size / 1e6,
            "transformers folder": (folder / "transformers" / "model.safetensors").stat().st_size / 1e6,
            "checkpoint": (folder / "run.pt").stat().st_size / 1e6,
        }
        # The weights alone continue differently: Adam has forgotten its moments.
        continuations = {
            "uninterrupted": (model, optimizers),
            "checkpoint": (resumed, resumed_optimizers),
            "weights alone": (weights, make_optimizers(weights, learning_rate=1e-3)),
        }
        losses = {name: [train_once(*pair, tokens) for _ in range(5)][-1] for name, pair in continuations.items()}
        errors = damage(folder, size)
    for name, difference in differences.items():
        print(f"{name:<20} {sizes[name]:6.2f} MB, logits differ by {difference:.1e}")
    print("loss five steps later: " + ", ".join(f"{name} {loss:.6f}" for name, loss in losses.items()))
    for name, error in errors.items():
        print(f"{name}: {error}")
    return Results(sizes, differences, losses, errors)


def damage(folder: Path, size: GPTConfig) -> dict[str, str]:
    """Return what is said to a truncated checkpoint, a missing one, and one of another configuration."""
    path, errors = folder / "run.pt", {}
    checkpoint = load_checkpoint(path)
    path.write_bytes(path.read_bytes()[:-1000])
    attempts = {
        "truncated": lambda: load_checkpoint(path),
        "missing": lambda: load_checkpoint(folder / "walk.pt"),
        "other model": lambda: check_compatible(checkpoint, asdict(size) | {"layers": 99}, path),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except CheckpointError as error:
            errors[name] = str(error).replace(f"{folder}/", "").splitlines()[0]
    return errors


if __name__ == "__main__":
    tolerance = {
        "sizes_mb.*": Tolerance(relative=0.01),
        "logit_differences.*": Tolerance(absolute=1e-5),
        "next_losses.*": Tolerance(relative=0.01),
        "errors.*": EXACT,
    }
    run(main, Config, tolerance=tolerance)
