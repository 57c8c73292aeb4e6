"""Is our decoder each of the library's? Logits and all gradients, with padding on either side, and the cache.

    uv run sprints/19_transformer_variants/decoder_equals.py

One class, five settings of its switches, beside five classes of transformers with the same weights. Every parameter has
been moved away from where it starts. Theory: notes/13_the_ladder.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.decoder import Decoder
from shared.nn.decoder_conversions import their_weight
from variants.library_decoders import CLASSES, VOCAB_SIZE, library_decoder

PADDINGS = ("no padding", "on the right", "on the left")


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 4  # blocks
    d_model: PositiveInt = 32  # features of a token
    tokens: PositiveInt = 24  # of a row; of the padded rows fewer are real
    batch: PositiveInt = 4  # rows
    noise: PositiveFloat = 0.1  # standard deviation of what is added to every parameter

    def check(self) -> None:
        if self.d_model % 8 or self.tokens < 8:
            raise ValueError(
                f"--d-model must be a multiple of 8 and --tokens at least 8; got {self.d_model} and {self.tokens}"
            )


@dataclass(frozen=True)
class Difference:
    """The largest differences of logits, of gradients by any parameter, and of logits with a cache and without."""

    logits: float
    gradients: float
    cache: float


@dataclass(frozen=True)
class Results:
    parameters: dict[str, int]
    differences: dict[str, dict[str, Difference]]


def real_tokens(config: Config, padding: str) -> Tensor:
    """Return which tokens are real (batch, tokens)."""
    lengths = torch.linspace(config.tokens, 3, config.batch).long()
    real = torch.arange(config.tokens) < lengths[:, None]
    return {"no padding": torch.ones_like(real), "on the right": real, "on the left": real.flip(1)}[padding]


def with_cache(decoder: Decoder, tokens: Tensor, real: Tensor) -> Tensor:
    """Return the logits when the tokens come in pieces: a third at once, one by one, and the last five at once."""
    cache, pieces, total = decoder.new_cache(*tokens.shape), [], tokens.shape[1]
    ends = [total // 3, *range(total // 3 + 1, total - 4), total]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        pieces.append(decoder(tokens[:, start:end], cache=cache, mask=real[:, :end]))
    return torch.cat(pieces, dim=1)


def compare(config: Config, family: str, padding: str) -> tuple[int, Difference]:
    """Return the parameters of our decoder, and how far it is from the library's."""
    seed_everything(config.seed)
    theirs = library_decoder(family, config.layers, config.d_model, 2 * config.tokens, config.noise)
    ours, real = Decoder.from_transformers(theirs), real_tokens(config, padding)
    tokens = torch.randint(1, VOCAB_SIZE, (config.batch, config.tokens))
    left, right = ours(tokens, mask=real)[real], theirs(tokens, attention_mask=real.long()).logits[real]
    for logits in (left, right):  # the mean of squares of what is read at real tokens
        logits.square().mean().backward()
    gradients = {name: weight.grad for name, weight in theirs.named_parameters() if weight.grad is not None}
    kind = theirs.config.model_type
    apart = [
        (parameter.grad - their_weight(name, gradients, kind)).abs().max().item()  # ty: ignore[unsupported-operator]
        for name, parameter in ours.named_parameters()
    ]
    with torch.no_grad():
        cached = (with_cache(ours, tokens, real)[real] - left).abs().max().item()
    return ours.parameter_count(), Difference((left - right).abs().max().item(), max(apart), cached)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    parameters: dict[str, int] = {}
    found: dict[str, dict[str, Difference]] = {}
    for family, (_, name) in CLASSES.items():
        found[name] = {}
        for padding in PADDINGS:
            parameters[name], difference = compare(config, family, padding)
            found[name][padding] = difference
            print(
                f"{name}, {padding}: logits {difference.logits:.0e}, gradients {difference.gradients:.0e}, "
                f"cache {difference.cache:.0e}"
            )
    return Results(parameters, found)


if __name__ == "__main__":
    run(main, Config, tolerance={"differences.*": Tolerance(absolute=1e-5)})
