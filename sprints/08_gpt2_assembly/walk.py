"""What happens to a tensor on its way through a GPT? Every module's output shape, in the order of the computation.

    uv run sprints/08_gpt2_assembly/walk.py
    uv run sprints/08_gpt2_assembly/walk.py --size gpt2

Theory: notes/01_the_whole_model.md
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.corpora import cookbook_tokenizer
from shared.training.losses import next_token_loss

SIZES = {
    "tiny": GPTConfig(vocab_size=512, context=64, layers=2, heads=4, d_model=32, dropout=0.0),
    "gpt2": GPTConfig(dropout=0.0),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: Literal["tiny", "gpt2"] = "tiny"  # tiny, or gpt2 for the 124 million parameters of GPT-2 small
    text: str = "Warm the butter in a deep pan."  # what the model reads


@dataclass(frozen=True)
class ModuleOutput:
    """A module's name and class, the shape of its output, and its own parameters."""

    module: str
    kind: str
    shape: list[int]
    parameters: int


@dataclass(frozen=True)
class Results:
    steps: list[ModuleOutput]
    parameters: int
    loss: float
    loss_of_guessing: float


def watch(model: nn.Module) -> list[ModuleOutput]:
    """Make every module but lists and dropouts report its output; the list fills when the model runs."""
    steps: list[ModuleOutput] = []

    def report(name: str, module: nn.Module):
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            count = sum(parameter.numel() for parameter in module.parameters(recurse=False))
            steps.append(ModuleOutput(name, type(module).__name__, list(output.shape), count))

        return hook

    for name, module in model.named_modules():
        if name and not isinstance(module, nn.ModuleList | nn.Dropout | nn.Identity):
            module.register_forward_hook(report(name, module))
    return steps


def main(config: Config) -> Results:
    device = pick_device(config.device)
    seed_everything(config.seed)
    tokenizer = cookbook_tokenizer(vocab_size=512, recipes=200)
    model = GPT(SIZES[config.size]).to(device).eval()
    ids, context = tokenizer.encode(config.text), model.config.context
    if not 2 <= len(ids) <= context:
        raise ValueError(f"--text must have 2 to {context} tokens, so that one follows another; got {len(ids)}")
    tokens = torch.tensor([ids], device=device)  # (batch, tokens)
    print(f"{tokens.shape[1]} tokens: {' '.join(map(repr, tokenizer.tokens(config.text)))}\n")
    steps = watch(model)
    with torch.no_grad():
        logits = model(tokens)  # (batch, tokens, vocab)
    print(f"{'module':<38}{'kind':<22}{'output shape':<20}{'own parameters':>14}")
    for step in steps:
        print(f"{step.module:<38}{step.kind:<22}{tuple(step.shape)!s:<20}{step.parameters:>14,}")
    loss, guessing = next_token_loss(logits, tokens).item(), math.log(model.config.vocab_size)
    print(f"\n{model.parameter_count():,} parameters (the head shares the token embedding's)")
    print(f"loss of the untrained model {loss:.3f}, of guessing ln({model.config.vocab_size:,}) = {guessing:.3f}")
    return Results(steps, model.parameter_count(), loss, guessing)


if __name__ == "__main__":
    run(main, Config)
