"""What does LoRA save of the memory of a training step, and what does it not save?

    uv run sprints/13_peft_lora/memory.py

Counted at the full size of GPT-2 small with random weights: weights, gradients, the two moments of Adam, and what the
forward pass keeps for the backward pass. Theory: notes/03_what_it_saves.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from transformers import GPT2Config, GPT2LMHeadModel

from adapter_study.model_defaults import FAMILIES
from adapter_study.tuning_methods import count, prepare
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import Logits
from shared.text.batches import Batch
from shared.training.kept_memory import kept_for_backward
from shared.training.losses import language_model_loss

ADAPTERS = {"LoRA on c_attn": ("c_attn",), "LoRA on all linear layers": FAMILIES["gpt2"].linear}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 12  # blocks of the model
    d_model: PositiveInt = 768  # features of a token
    heads: PositiveInt = 12  # attention heads of a block
    vocab_size: PositiveInt = 50_257  # tokens of the vocabulary
    rank: PositiveInt = 8  # rank of LoRA
    batch_size: PositiveInt = 4  # rows of a batch
    tokens: Annotated[int, Field(ge=2, le=1024)] = 128  # tokens of a row

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Memory:
    """Megabytes of a training step in float32."""

    trained: int
    share: float
    weights: float
    gradients: float
    moments: float
    activations: float
    total: float


@dataclass(frozen=True)
class Results:
    parameters: int
    methods: dict[str, Memory]


def measure(name: str, config: Config) -> Memory:
    """Return what a training step of a fresh model needs."""
    generator = seed_everything(config.seed)
    size = GPT2Config(
        vocab_size=config.vocab_size, n_layer=config.layers, n_embd=config.d_model, n_head=config.heads,
    )  # fmt: skip
    model = GPT2LMHeadModel(size).to(pick_device(config.device)).train()
    lora = LoRAConfig(ADAPTERS.get(name, ("c_attn",)), config.rank)
    prepare("lora" if name in ADAPTERS else name, model, lora, generator)
    trained, everything = count(model), sum(parameter.numel() for parameter in model.parameters())
    tokens = torch.randint(config.vocab_size, (config.batch_size, config.tokens), generator=generator)
    logits, batch = Logits(model), Batch(tokens, None)
    parts = {
        "weights": 4 * everything,
        "gradients": 4 * trained,
        "moments": 8 * trained,
        "activations": kept_for_backward(lambda: language_model_loss(logits, batch), model.parameters()),
    }
    megabytes = {part: size / 1e6 for part, size in parts.items()}
    return Memory(trained=trained, share=trained / everything, total=sum(megabytes.values()), **megabytes)


def main(config: Config) -> Results:
    methods = {}
    for name in ("full", *ADAPTERS, "head"):
        methods[name] = measure(name, config)
        print(f"{name:26s} trains {methods[name].trained:11,}: {methods[name].total:7,.0f} MB")
    # What full fine-tuning trains is the model as it is.
    return Results(methods["full"].trained, methods)


def plot(results: Results) -> Figure:
    """Draw the four parts of the memory of each method on top of each other."""
    figure, axes = new_figure(7, 3.2)
    names = list(results.methods)
    left = [0.0] * len(names)
    for part in ("weights", "gradients", "moments", "activations"):
        widths = [vars(results.methods[name])[part] / 1000 for name in names]
        axes.barh(names, widths, left=left, label=part)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="GB of a training step in float32")
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
