"""Can plain maximum likelihood learn to reverse? Reversal, copying and sorting, scored with and without teacher.

    uv run sprints/15_encoder_decoder/reversal.py
    uv run sprints/15_encoder_decoder/reversal.py --preset seeds

Every test sequence is new to the model. Beside it stand chance and the direct answer, `torch.flip`, which needs no
model. Theory: notes/02_teacher_forcing.md
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from seq2seq_study.exact_match import free_running, teacher_forced
from seq2seq_study.likelihood import small_model, train_model
from seq2seq_study.sequences import END, FIRST, LETTERS, SequencePair, Sequences, make_pair, read
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.blocks import DecoderBlock
from shared.nn.seq2seq import EncoderDecoder

PRESETS = {"seeds": {"tasks": ("reversal", "copying", "sorting"), "seeds": (0, 1, 2, 3, 4)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    tasks: tuple[Literal["reversal", "copying", "sorting"], ...] = ("reversal",)  # what is learnt
    symbols: Annotated[int, Field(ge=2, le=26)] = 16  # distinct symbols
    shortest: PositiveInt = 3  # symbols of the shortest sequence
    longest: Annotated[int, Field(ge=1, le=31)] = 12  # symbols of the longest sequence
    d_model: Annotated[int, Field(ge=4, le=MOST, multiple_of=4)] = 64  # features of a token
    layers: PositiveInt = 2  # blocks of the encoder, and of the decoder
    steps: PositiveInt = 800  # optimizer steps
    batch_size: PositiveInt = 64  # sequences of a batch
    learning_rate: PositiveFloat = 2e-3  # peak learning rate
    held_out: PositiveInt = 2000  # sequences for validation, and as many for the test
    seeds: Seeds = (0,)  # a training for each; --seed is added

    def check(self) -> None:
        if self.shortest > self.longest:
            raise ValueError(f"--shortest must be at most --longest; got {self.shortest} and {self.longest}")


@dataclass(frozen=True)
class TrainedModel:
    """Exact match on the test, and a map of the cross-attention of one source."""

    validation: float
    teacher_forced: float
    free_running: float
    disagreements: int
    losses: list[float]
    attention: list[list[float]]


@dataclass(frozen=True)
class Results:
    runs: dict[str, list[TrainedModel]]
    means: dict[str, float]
    worst: dict[str, float]
    in_training: int
    disagreements: int
    flip: float
    chance: float
    parameters: int
    word: str


def flip(rows: Tensor, lengths: Tensor) -> list[list[int]]:
    """Return the reversed sequences without a model."""
    return [torch.flip(row[:length], (0,)).tolist() for row, length in zip(rows, lengths.tolist(), strict=True)]


def mixed_word(config: Config) -> str:
    """Return a word of the greatest length in no order."""
    letters = LETTERS[FIRST : FIRST + config.symbols]
    return "".join(letters[(5 * position + 2) % config.symbols] for position in range(config.longest))


@torch.no_grad()
def attention_map(model: EncoderDecoder, pair: SequencePair) -> list[list[float]]:
    """Return where each target of the only row looks in the source: the last layer's cross-attention, mean of heads."""
    block, maps = cast(DecoderBlock, model.decoder.blocks[-1]).cross_attention, []

    def watch(attention, inputs, output):  # noqa: ARG001 (the signature is PyTorch's)
        maps.append(attention.forward_with_weights(*inputs)[1])

    handle = block.register_forward_hook(watch)
    model(pair.source.tokens, pair.target.tokens[:, :-1], pair.source.mask)
    handle.remove()
    return maps[0][0].mean(dim=0).tolist()


def train_and_test(config: Config, task: str, seed: int) -> tuple[TrainedModel, int, int]:
    """Return how a model does, how many test sequences its training saw, and the number of its parameters."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    data = Sequences(config.symbols, config.shortest, config.longest, config.held_out, generator)
    model = small_model(FIRST + config.symbols, generator, d_model=config.d_model, layers=config.layers).to(device)
    seen: list[Tensor] = []

    def watched() -> Iterator[SequencePair]:
        for pair in data.batches(config.batch_size, task, device):
            symbols = pair.source.tokens[:, :-1]
            seen.append(data.keys(symbols.masked_fill(symbols == END, 0).cpu()))
            yield pair

    losses = train_model(model, watched(), config.steps, config.learning_rate, f"{task}, seed {seed}")
    test = make_pair(*data.test, task).to(device)
    forced, free = teacher_forced(model, test), free_running(model, test)
    word = read(mixed_word(config), config.symbols)[None]
    return (
        TrainedModel(
            validation=free_running(model, make_pair(*data.validation, task).to(device)).float().mean().item(),
            teacher_forced=forced.float().mean().item(),
            free_running=free.float().mean().item(),
            disagreements=int((forced != free).sum()),
            losses=losses[:: max(1, config.steps // 100)],
            attention=attention_map(model, make_pair(word, torch.tensor([word.shape[1]]), task).to(device)),
        ),
        int(torch.isin(data.keys(data.test[0]), torch.cat(seen)).sum()),
        model.parameter_count(),
    )


def exact_match_of_flip(config: Config) -> float:
    """Return how often `torch.flip` reverses the test sequences of the first seed."""
    data = Sequences(config.symbols, config.shortest, config.longest, config.held_out, seed_everything(config.seed))
    targets, (rows, lengths) = make_pair(*data.test).target.tokens, data.test
    answers = [target[1 : length + 1].tolist() for target, length in zip(targets, lengths, strict=True)]
    return sum(mine == true for mine, true in zip(flip(rows, lengths), answers, strict=True)) / len(answers)


def main(config: Config) -> Results:
    models: dict[str, list[TrainedModel]] = {}
    in_training = parameters = 0
    for task in config.tasks:
        models[task] = []
        for seed in config.seeds:
            model, seen, parameters = train_and_test(config, task, config.seed + seed)
            models[task].append(model)
            in_training += seen
            print(f"{task:<10} seed {seed}: exact match {model.free_running:.2%} on its own, ", end="")
            print(f"{model.teacher_forced:.2%} with a teacher, {model.disagreements} rows differ")
    shares = {task: [model.free_running for model in seeds] for task, seeds in models.items()}
    lengths = range(config.shortest, config.longest + 1)
    return Results(
        runs=models,
        means={task: sum(values) / len(values) for task, values in shares.items()},
        worst={task: min(values) for task, values in shares.items()},
        in_training=in_training,
        disagreements=sum(model.disagreements for seeds in models.values() for model in seeds),
        flip=exact_match_of_flip(config),
        chance=math.fsum(config.symbols**-length for length in lengths) / len(lengths),
        parameters=parameters,
        word=mixed_word(config),
    )


def plot(results: Results) -> Figure:
    """Draw the loss by task, and where the cross-attention of the last layer looks."""
    rows = (2 + len(results.runs)) // 2
    figure, grid = new_figure(8.4, 3.7 * rows, rows=rows, columns=2)
    axes, word = grid.flatten(), results.word
    answers = {"reversal": word[::-1], "copying": word, "sorting": "".join(sorted(word))}
    for axis, (task, (first, *_)) in zip(axes[1:], results.runs.items(), strict=False):
        axes[0].plot(torch.linspace(0, 100, len(first.losses)), first.losses, label=task)
        axis.imshow(first.attention, cmap="Blues", vmin=0, vmax=1)
        axis.set(title=f"{task}: weights, white 0 to dark 1", xlabel="source", ylabel="token asked for")
        axis.set_xticks(range(len(word) + 1), [*word, "."])
        axis.set_yticks(range(len(word) + 1), [*answers[task], "."])
        axis.grid(False)
    axes[0].set(xlabel="training, per cent", ylabel="nats per token", yscale="log", title="loss, first seed")
    axes[0].legend()
    return figure


if __name__ == "__main__":
    run(
        main,
        Config,
        plot=plot,
        presets=PRESETS,
        tolerance={
            "*": EXACT,  # what is counted, the direct answer and chance
            **dict.fromkeys(("runs.*", "means.*", "worst.*"), TRAINED),
            "runs.*.attention.*": Tolerance(absolute=0.1),
            "runs.*.disagreements": EXACT,
        },
    )
