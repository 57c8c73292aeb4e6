"""What does each format cost? Perplexity on the test text, logit error, agreement, and what the future can move.

    uv run --group quantization sprints/14_quantization/quality.py
    uv run sprints/14_quantization/quality.py --ways float32 bfloat16 dynamic static
    uv run --group quantization --group models sprints/14_quantization/quality.py --preset smollm2
    uv run --group quantization sprints/14_quantization/quality.py --model gpt2 --text my_text.txt

torchao is in a dependency group of its own, hence the first command; the second does without it. Every choice was made
on validation text (static_observers.py, perplexity_against_bits.py). Theory: notes/10_judging_a_format.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from tqdm import tqdm

from quantizing.converted import converted_layers, linear_layers
from quantizing.eager_mode import deprecation, use_engine
from quantizing.logit_errors import Tally, future_moves
from quantizing.passages import Block, how_many, passages_for
from quantizing.weight_formats import FORMATS, LABELS, WeightFormat, check_formats, in_format, that_differ
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import Logits, load_causal_model
from shared.text.batches import Batch
from shared.training.losses import count_targets, perplexity

PRESETS = {"smollm2": {"model": "smollm2"}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    ways: tuple[WeightFormat, ...] = FORMATS  # formats to compare
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: AtLeastTwo | None = None  # test passages to score (default: 500 recipes, or 8 blocks of a text)
    # validation passages to calibrate on (default: 64 recipes, or 4 blocks of a text)
    calibration: PositiveInt | None = None
    replacements: PositiveInt = 32  # tokens to put in the middle of a text, to see whether what comes before moves
    engine: str = "auto"  # library that multiplies quantized matrices


@dataclass(frozen=True)
class FormatQuality:
    label: str
    converted: int
    perplexity: float
    excess: float
    excess_standard_error: float
    largest_logit_error: float
    mean_logit_error: float
    kl: float
    agreement: float
    agreement_when_sure: float
    future_moves: float


@dataclass(frozen=True)
class Results:
    linear_layers: int
    engine: str
    deprecation: str
    passages: int
    tokens: int
    optimum: float | None
    ways: dict[str, FormatQuality]


@torch.no_grad()
def tally(reference: nn.Module, models: dict[str, nn.Module], batches: Sequence[Batch]) -> dict[str, Tally]:
    """Return what each model does on the text, beside the reference."""
    tallies = {name: Tally([]) for name in models}
    for batch in tqdm(batches, unit="batch"):
        expected = Logits(reference)(batch.tokens)
        for name, model in models.items():
            tallies[name].add(Logits(model)(batch.tokens), expected, batch)
    return tallies


def main(config: Config) -> Results:
    check_formats(config.ways, "quality")
    engine = use_engine(config.engine)
    generator = seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    count = how_many(config.texts, passages, recipes=500, blocks=8)
    shown = how_many(config.calibration, passages, recipes=64, blocks=4)
    batches = passages.batches("test", 0, count)
    texts = [batch.tokens for batch in passages.batches("validation", 0, shown, batch_size=1)]
    ways = that_differ(config.ways, model)
    models: dict[str, nn.Module] = {name: in_format(name, model, texts) for name in ways}
    targets = sum(count_targets(*batch) for batch in batches)
    tallies = tally(model, {"reference": model, **models}, batches)
    base = torch.cat(tallies.pop("reference").losses)  # nats of each passage
    others = torch.randint(model.config.vocab_size, (config.replacements,), generator=generator)
    by_format = {}
    for name, sums in tallies.items():
        losses = torch.cat(sums.losses)
        rise = (losses - base) / (targets / count)  # of each passage, in nats per token
        by_format[name] = FormatQuality(
            label=LABELS[name],
            converted=converted_layers(models[name]),
            perplexity=perplexity(losses.sum().item() / targets),
            excess=perplexity(rise.mean().item()) - 1,
            excess_standard_error=rise.std().item() / count**0.5,
            largest_logit_error=sums.largest,
            mean_logit_error=sums.error / targets,
            kl=max(sums.kl / targets, 0.0),
            agreement=sums.same / targets,
            agreement_when_sure=sums.same_when_sure / max(1, sums.sure),
            future_moves=future_moves(models[name], texts[0], others),
        )
    nats = passages.optimum("test", 0, count, targets)
    best = None if nats is None else perplexity(nats)
    known = "unknown" if best is None else f"{best:.4f}"
    print(f"\n{targets:,} tokens, engine {engine}; perplexity of the best possible model: {known}")
    for quality in by_format.values():
        print(f"{quality.label:<38}{quality.converted:>3} layers  {quality.perplexity:.4f}", end="")
        print(f" ({quality.excess:+.2%} +- {quality.excess_standard_error:.2%})", end="")
        print(
            f"  logits {quality.largest_logit_error:.2g} at most, {quality.mean_logit_error:.2g} on average,", end=" "
        )
        print(f"KL {quality.kl:.1e}, same choice {quality.agreement:.2%}", end=" ")
        print(f"({quality.agreement_when_sure:.2%} when sure), future {quality.future_moves:.1e}")
    print(f"\nPyTorch says: {deprecation()}")
    return Results(linear_layers(model), engine, deprecation(), count, targets, best, by_format)


# Kernels of another processor round otherwise.
TOLERANCE = {
    "ways.*": Tolerance(relative=0.3, absolute=1e-4),
    "ways.*.perplexity": Tolerance(relative=1e-3),
    "ways.*.excess": Tolerance(absolute=1e-3),
    "ways.*.agreement*": Tolerance(absolute=0.01),
    "ways.*.converted": EXACT,
}

if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance=TOLERANCE)
