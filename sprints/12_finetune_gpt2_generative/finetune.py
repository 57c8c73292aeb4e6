"""How does one fine-tune a real model on a text of one's own, and was it worth it?

    uv run sprints/12_finetune_gpt2_generative/finetune.py
    uv run sprints/12_finetune_gpt2_generative/finetune.py --model smollm2 --book my.txt
    uv run sprints/12_finetune_gpt2_generative/finetune.py --preset smollm2
    uv run sprints/12_finetune_gpt2_generative/finetune.py --model smollm2 --book my.txt --resume

Any UTF-8 text, with chapters or without; any GPT-2 or Llama. Rates and blocks follow the model's size. The best weights
on the validation part go to checkpoints/fine-tuned in the folder of the run. Theory: notes/09_a_real_model.md
"""

import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from matplotlib.figure import Figure

from book_finetuning.any_text import Parts, cut_into_blocks, open_text
from book_finetuning.memory_needed import Choice, StepMemory, available_megabytes, choose_checkpointing
from book_finetuning.real_models import (
    block_length,
    fresh_model,
    is_small,
    load_model,
    rates_of,
    sample,
    save_model,
    score,
)
from book_finetuning.resumable_tuning import TuningHistory, TuningPlan, make_plan, tune
from shared.lab.compare import TIMING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.datasets import fetch
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFile, NonNegativeFloat, PositiveFloat, PositiveInt, Share
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK
from shared.text.tokenizers import encode_texts
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.checkpoints import check_room, load_checkpoint
from shared.training.losses import perplexity

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TUNED, SCRATCH = "fine-tuned", "from scratch"
AFTERWARDS = ("resume", "device", "prompt", "new_tokens", "temperature")  # options that training does not depend on
PRESETS = {
    "smollm2": {
        "model": "smollm2", "text": "tinyshakespeare", "blocks": 240, "scored": 40, "epochs": 2, "batch_size": 2,
        "accumulate": 2, "prompt": "ROMEO:",
    },
}  # fmt: skip
TOLERANCE = {
    "loss.*": TRAINED, "perplexity.*": TRAINED, "history.*": TRAINED, "seconds.*": TIMING,
    "samples.*": Tolerance(compared=False),
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    text: Literal["book", "tinyshakespeare"] = "book"  # what to learn: --book, or Shakespeare
    book: ExistingFile = SHIPPED_BOOK  # the book: any UTF-8 text, with chapters or without
    blocks: PositiveInt | None = None  # blocks to learn from, the first ones (None: all)
    scored: PositiveInt | None = None  # blocks to choose by, and as many to be tested on (None: all)
    epochs: PositiveInt = 5  # times through the blocks
    batch_size: PositiveInt = 4  # blocks that are computed at once
    accumulate: PositiveInt = 1  # batches whose gradients are added up for a step
    learning_rate: PositiveFloat | None = None  # peak learning rate (None: by the size of the model)
    scratch_rate: PositiveFloat | None = None  # peak learning rate from scratch (None: by the size)
    weight_decay: NonNegativeFloat = 0.1  # decay of matrices
    dropout: Share = 0.0  # probability of dropping a feature
    block: AtLeastTwo | None = None  # tokens read at once (None: all that a small model can, 256 of a real one)
    every: PositiveInt | None = None  # steps between two scorings, each of which may be resumed from (None: an epoch)
    gradient_checkpointing: Choice = "auto"  # compute blocks twice (auto: if memory is short)
    scratch: bool = True  # train a model with random weights as well, with the same budget
    prompt: str | None = None  # what the models continue (None: the first 16 tokens of the test part)
    new_tokens: PositiveInt = 80  # tokens to write
    temperature: NonNegativeFloat = 0.8  # of sampling
    resume: bool = False  # go on where a run with the same options was interrupted
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products


@dataclass(frozen=True)
class Results:
    """`targets` are tokens to learn from, to choose by and tested on; `memory` is the estimate for a step."""

    parameters: int
    targets: dict[str, int]
    learning_rate: dict[str, float]
    block: int
    steps: int
    checkpointing: bool
    memory: StepMemory
    loss: dict[str, float | None]
    perplexity: dict[str, float | None]
    history: dict[str, TuningHistory]
    prompt: str
    samples: dict[str, str]
    seconds: dict[str, float]


def train(
    config: Config, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", parts: Parts, plan: TuningPlan,
    folder: Path,
) -> TuningHistory:  # fmt: skip
    """Train in place; the best weights on the validation part go to the folder."""
    block = block_length(model, config.block)
    options = {field.name: str(getattr(config, field.name)) for field in fields(config) if field.name not in AFTERWARDS}
    return tune(
        model, parts.train, plan,
        validate=lambda: score(model, parts.validation, block),
        keep=lambda: save_model(model, tokenizer, folder),
        file=folder.with_suffix(".pt"), config=options, resume=config.resume,
    )  # fmt: skip


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    device, folder = pick_device(config.device), run_folder(config, __file__) / "checkpoints"
    model, tokenizer = load_model(config.model, config.dropout)
    block, rates = block_length(model, config.block), rates_of(model, config.learning_rate, config.scratch_rate)
    memory = available_megabytes(device)
    twice, needed = choose_checkpointing(model, config.batch_size, block, config.gradient_checkpointing, memory)
    print(f"a step needs about {needed.total / 1000:.1f} GB{', blocks are computed twice' if twice else ''}")
    path = fetch("tinyshakespeare", "input.txt") if config.text == "tinyshakespeare" else config.book
    parts = cut_into_blocks(open_text(path, tokenizer, block), block, config.blocks, config.scored)
    if config.resume:
        load_checkpoint(folder / f"{TUNED}.pt")  # or an error that says what to do
    check_room(folder / TUNED, model, copies=11)  # of both models weights, weights and two moments; one file twice
    prompt = encode_texts([config.prompt], tokenizer)[0] if config.prompt else parts.test[0][:16]
    loss: dict[str, float | None] = {}
    samples, histories, seconds, steps = {}, {}, {}, 0

    def look(name: str, model: "PreTrainedModel") -> None:
        loss[name] = score(model, parts.test, block)
        samples[name] = sample(model, tokenizer, prompt, config.new_tokens, config.temperature, config.seed)

    look("before", model.to(device))
    for name, rate in list(zip((TUNED, SCRATCH), rates, strict=True))[: 1 + config.scratch]:
        generator, began = seed_everything(config.seed), time.perf_counter()
        if name == SCRATCH:
            model = fresh_model(model, config.dropout).to(device)
        elif is_small(model):  # a real model knows every token that the text may need
            weight = model.get_input_embeddings().get_parameter("weight")
            renew(weight, unseen_tokens(weight), generator)
        if twice:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        plan = make_plan(
            len(parts.train), config.epochs, config.batch_size, config.accumulate, config.every, rate,
            config.weight_decay, config.precision, config.seed,
        )  # fmt: skip
        histories[name], steps = train(config, model, tokenizer, parts, plan, folder / name), plan.steps
        seconds[name] = time.perf_counter() - began
        model = load_model(str(folder / name), config.dropout)[0].to(device)  # the best weights
        look(name, model)
    for name in histories:  # what is only needed to go on may go
        (folder / name).with_suffix(".pt").unlink()
    loss["optimum"] = parts.optimum
    for name, nats in loss.items():
        print(name, "" if nats is None else f"{nats:.4f} nats per token, perplexity {perplexity(nats):,.2f}")
    given = str(tokenizer.decode(prompt))
    for name, text in samples.items():
        print(f"--- {name}\n{given}|{text}\n")
    return Results(
        parameters=model.num_parameters(),
        targets={name: sum(len(row) - 1 for row in getattr(parts, name)) for name in ("train", "validation", "test")},
        learning_rate=rates._asdict(), block=block, steps=steps, checkpointing=twice, memory=needed, loss=loss,
        perplexity={name: None if nats is None else perplexity(nats) for name, nats in loss.items()},
        history=histories, prompt=given, samples=samples, seconds=seconds,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the loss by step, on the validation part and as it was learnt."""
    figure, axes = new_figure()
    for name, history in results.history.items():
        (line,) = axes.plot(history.steps, history.validation, marker="o", label=f"{name}, validation")
        axes.plot(history.steps, history.train, ":", color=line.get_color(), label=f"{name}, as it was learnt")
    axes.set(xlabel="step", ylabel="nats per token", ylim=(0, None))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
