"""How can a model say what it never learnt to say? By pointing at it: reversal with symbols that training did not have.

    uv run sprints/15_encoder_decoder/copy_mechanism.py

An output layer cannot name such a symbol; a pointer (Vinyals et al. 2015) copies what stands at a place, and a gate
mixes both (See et al. 2017). To read it is another matter: either the symbol has an embedding of its own, which no
training step ever touched, or all rare symbols share one, which learns from those that training does have.
Theory: notes/10_pointers.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn

from seq2seq_study.exact_match import free_running
from seq2seq_study.likelihood import small_size, train_model
from seq2seq_study.sequences import FIRST, PAD, SequencePair, Sequences, make_pair
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.attention import attend
from shared.nn.masks import for_all_queries
from shared.nn.seq2seq import EncoderDecoder


class CopyKind(NamedTuple):
    """What a model answers with, and whether all rare symbols have the same embedding."""

    answers: Literal["layer", "pointer", "both"]
    shared: bool


KINDS = {
    "output layer": CopyKind("layer", shared=False),
    "pointer": CopyKind("pointer", shared=False),
    "pointer, one embedding for rare symbols": CopyKind("pointer", shared=True),
    "pointer and layer, one embedding": CopyKind("both", shared=True),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: PositiveInt = 16  # frequent symbols
    rare: PositiveInt = 8  # rare symbols of training, and as many others of the test alone
    rare_share: Fraction = 0.1  # probability that a symbol of training is a rare one
    longest: Annotated[int, Field(ge=3, le=31)] = 8  # symbols of the longest sequence; the shortest has 3
    steps: PositiveInt = 500  # optimizer steps of each training
    batch_size: PositiveInt = 64  # sequences of a batch
    learning_rate: PositiveFloat = 2e-3  # peak learning rate
    held_out: PositiveInt = 500  # sequences of each test


@dataclass(frozen=True)
class CopyScores:
    """Exact match by kind of test, the mean share of the output layer, the last loss, and the size."""

    known: float
    mixed: float
    unseen: float
    gate: float
    loss: float
    parameters: int


@dataclass(frozen=True)
class Results:
    models: dict[str, CopyScores]
    chance: float


class CopyModel(EncoderDecoder):
    """An encoder-decoder that says symbols, or points at those of its source.

    p(token) = gate x p_layer(token) + (1 - gate) x sum of the attention to the source places that hold the token

    The gate is 1 where it answers with the layer, and 0 where it answers with the pointer alone.

    Args:
        frequent, rare: tokens; the rare ones come last.
        kind: how it answers, and how it reads rare tokens.
        generator: draws the initial weights.
        d_model: features of a token.
    """

    def __init__(self, frequent: int, rare: int, kind: CopyKind, generator: torch.Generator, d_model: int = 64) -> None:
        super().__init__(small_size(frequent + rare, d_model=d_model), generator)
        self.kind, self.frequent = kind, frequent
        self.query, self.key = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.gate = nn.Linear(d_model, 1)

    def forward(
        self, source: Tensor, target: Tensor, source_mask: Tensor | None = None, target_mask: Tensor | None = None
    ) -> Tensor:
        """Return log-probabilities (rows, answers, vocab), which are logits too."""
        hidden, says, points = self._parts(source, target, source_mask, target_mask)
        if self.kind.answers == "layer":
            return says.log_softmax(dim=-1)
        gate = torch.zeros_like(says[..., :1]) if self.kind.answers == "pointer" else self.gate(hidden).sigmoid()
        # The logarithm of nothing would be no number: a millionth is left for what is not in the source.
        return (gate * says.softmax(dim=-1) + (1 - gate) * points).add(1e-6).log()

    def _parts(
        self, source: Tensor, target: Tensor, source_mask: Tensor | None, target_mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return hidden states, the layer's logits, and for each token the attention to the places that hold it."""
        memory = self.encoder(self._read(source), source_mask)
        hidden = self.decoder.hidden(self._read(target), memory, source_mask, target_mask)
        one_head = (part[:, None] for part in (self.query(hidden), self.key(memory), memory))
        weights = attend(*one_head, for_all_queries(source_mask))[1][:, 0]  # (rows, answers, source)
        says = self.decoder.head(hidden)
        pointed_at = source[:, None].expand_as(weights)
        return hidden, says, torch.zeros_like(says).scatter_add(-1, pointed_at, weights)

    def _read(self, tokens: Tensor) -> Tensor:
        """Return the tokens that are looked up: the first rare one stands for all where they share an embedding."""
        return tokens.clamp(max=self.frequent) if self.kind.shared else tokens

    @torch.no_grad()
    def mean_gate(self, pair: SequencePair) -> float:
        """Return the mean share of the output layer."""
        if self.kind.answers != "both":
            return float(self.kind.answers == "layer")
        hidden, _, _ = self._parts(pair.source.tokens, pair.target.tokens[:, :-1], pair.source.mask, None)
        real = pair.target.tokens[:, 1:] != PAD
        return self.gate(hidden).sigmoid()[..., 0][real].mean().item()


def with_rare(
    drawn: tuple[Tensor, Tensor], first: int, rare: int, share: float, generator: torch.Generator
) -> SequencePair:
    """Return pairs in which about a share of the symbols is replaced by one of the `rare` tokens from `first` on."""
    rows, lengths = drawn
    others = first + torch.randint(rare, rows.shape, generator=generator)
    replaced = (torch.rand(rows.shape, generator=generator) < share) & (rows > 0)
    return make_pair(torch.where(replaced, others, rows), lengths)


def train_and_test(config: Config, name: str) -> CopyScores:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    data = Sequences(config.symbols, 3, config.longest, config.held_out, generator)
    frequent = FIRST + config.symbols
    model = CopyModel(frequent, 2 * config.rare, KINDS[name], generator).to(device)

    def batches() -> Iterator[SequencePair]:
        while True:
            drawn = data.draw(config.batch_size)
            yield with_rare(drawn, frequent, config.rare, config.rare_share, generator).to(device)

    losses = train_model(model, batches(), config.steps, config.learning_rate, name)
    unseen = frequent + config.rare
    tests = [with_rare(data.test, unseen, config.rare, share, generator).to(device) for share in (0.0, 0.3, 1.0)]
    scores = [free_running(model, test, use_cache=False).float().mean().item() for test in tests]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return CopyScores(*scores, model.mean_gate(tests[0]), losses[-1], parameters)


def main(config: Config) -> Results:
    models = {}
    for name in KINDS:
        models[name] = scores = train_and_test(config, name)
        print(f"{name:<40} exact match {scores.known:.1%} on frequent symbols, {scores.mixed:.1%} with a few ", end="")
        print(f"unseen, {scores.unseen:.1%} on unseen alone; share of the layer {scores.gate:.2f}")
    vocab = config.symbols + 2 * config.rare
    lengths = range(3, config.longest + 1)
    return Results(models, sum(vocab**-length for length in lengths) / len(lengths))


def plot(results: Results) -> Figure:
    """Draw exact match by kind of test."""
    figure, axes = new_figure(7.5, 4.0)
    for index, (name, model) in enumerate(results.models.items()):
        bars = [test + 0.2 * (index - 1.5) for test in range(3)]
        drawn = axes.bar(bars, [model.known, model.mixed, model.unseen], 0.19, label=name)
        axes.bar_label(drawn, fmt="{:.0%}", fontsize=8)
    axes.set_xticks(range(3), ["frequent symbols", "some unseen", "unseen alone"])
    axes.set(ylabel="exact match (one seed)", ylim=(0, 1.08))
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED, "models.*.parameters": EXACT, "chance": EXACT})
