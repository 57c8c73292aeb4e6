"""What happens between a source and the logits? Every shape of a real pass, the masks, and where the parameters are.

    uv run sprints/15_encoder_decoder/data_flow.py

Three words of different lengths are to be reversed by an untrained model. Theory: notes/01_the_encoder_decoder.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn

from seq2seq_study.likelihood import logits_of, maximum_likelihood, small_model
from seq2seq_study.sequences import FIRST, SequencePair, make_pair, mask_of, read, write
from shared.lab.compare import EXACT, ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.attention import MultiHeadAttention
from shared.nn.masks import causal_mask
from shared.nn.seq2seq import EncoderDecoder


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: tuple[str, ...] = ("abcdef", "cab", "dada")  # sources
    d_model: Annotated[int, Field(ge=4, le=MOST, multiple_of=4)] = 64  # features of a token
    layers: PositiveInt = 2  # blocks of the encoder, and of the decoder


@dataclass(frozen=True)
class ModulePass:
    """What goes into a module, what comes out of it, and its parameters."""

    module: str
    inputs: list[list[int]]
    output: list[int]
    parameters: int


@dataclass(frozen=True)
class Results:
    steps: list[ModulePass]
    sources: list[str]
    targets: list[str]
    masks: dict[str, list[list[int]]]
    parameters: dict[str, int]
    by_formula: int
    loss: float
    logits: list[int]


def watch(model: EncoderDecoder) -> list[ModulePass]:
    """Return a list that the next pass fills with what goes into each part and what comes out."""
    steps: list[ModulePass] = []
    kinds = (nn.Linear, nn.Embedding, nn.LayerNorm, MultiHeadAttention)

    def report(name: str):
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            shapes = [list(part.shape) for part in inputs if isinstance(part, Tensor)]
            parameters = sum(part.numel() for part in module.parameters())
            steps.append(ModulePass(name, shapes, list(output.shape), parameters))

        return hook

    for name, module in model.named_modules():
        if isinstance(module, kinds):
            module.register_forward_hook(report(name))
    return steps


def count(model: EncoderDecoder) -> dict[str, int]:
    """Return the parameters of each part."""
    parts = {"embeddings": "input", "self-attention": "attention", "feed-forward": "feed_forward", "head": "head"}
    counts = dict.fromkeys(["embeddings", "self-attention", "cross-attention", "feed-forward", "norms", "head"], 0)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            counts["norms"] += parameter.numel()
        elif "cross_attention" in name:
            counts["cross-attention"] += parameter.numel()
        else:
            counts[next(part for part, word in parts.items() if word in name)] += parameter.numel()
    return counts


def formula(vocab: int, d: int, layers: int) -> int:
    """Return the parameters by formula: 12 d^2 + 13 d for a block of the encoder, 16 d^2 + 19 d for the decoder's."""
    return 3 * vocab * d + layers * (12 * d * d + 13 * d) + layers * (16 * d * d + 19 * d) + 2 * 2 * d


def draw_masks(pair: SequencePair) -> dict[str, Tensor]:
    """Return who may look at whom in the second row, as the three kinds of attention use it."""
    source, targets = mask_of(pair.source)[1], pair.target.tokens.shape[1] - 1
    return {
        "encoder, self-attention": source.expand(len(source), -1),
        # Padding on the right is the future of every real target: causality hides it.
        "decoder, self-attention": causal_mask(targets),
        "decoder, cross-attention": source.expand(targets, -1),
    }


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    rows = [read(word) for word in config.words]
    lengths = torch.tensor([len(row) for row in rows])
    pair = make_pair(nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths)
    model = small_model(FIRST + 26, generator, d_model=config.d_model, layers=config.layers).to(device).eval()
    steps = watch(model)
    with torch.no_grad():
        logits = logits_of(model, pair.to(device))  # (rows, answers, vocab)
        loss, answers = maximum_likelihood(model, pair.to(device))
    steps = steps[: len(steps) // 2]  # the loss was a second pass
    print(f"{'part':<52}{'in':<30}{'out':<18}{'parameters':>10}")
    for step in steps:
        print(f"{step.module:<52}{' '.join(map(str, step.inputs)):<30}{step.output!s:<18}{step.parameters:>10,}")
    masks = draw_masks(pair)
    print("\nsecond row, one line a query, # where it may look:")
    for name, mask in masks.items():
        print(f"{name}\n" + "\n".join("  " + "".join(".#"[looks] for looks in query) for query in mask.int().tolist()))
    parameters = count(model)
    print(f"\nparameters {parameters}, in all {model.parameter_count():,}; loss {loss.item() / answers:.3f}")
    return Results(
        steps=steps,
        sources=[write(row) for row in pair.source.tokens],
        targets=[write(row) for row in pair.target.tokens],
        masks={name: mask.int().tolist() for name, mask in masks.items()},
        parameters=parameters,
        by_formula=formula(FIRST + 26, config.d_model, config.layers),
        loss=loss.item() / answers,
        logits=list(logits.shape),
    )


def plot(results: Results) -> Figure:
    """Draw the three masks of the second row."""
    figure, axes = new_figure(10.5, 3.8, columns=3)
    source, target = results.sources[1], results.targets[1][:-1]
    for axis, (name, mask) in zip(axes, results.masks.items(), strict=True):
        axis.imshow(mask, cmap="Blues", vmin=0, vmax=1.4)
        keys = target if name == "decoder, self-attention" else source
        queries = source if name.startswith("encoder") else target
        axis.set_xticks(range(len(keys)), [*keys])
        axis.set_yticks(range(len(queries)), [*queries])
        axis.set(title=name, xlabel="is looked at", ylabel="looks")
        axis.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT, "loss": ROUNDING})
