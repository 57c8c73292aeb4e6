"""What does each format cost? Perplexity on the test text, logit error, agreement, and what the future can move.

    uv run --group quantization sprints/14_quantization/quality.py
    uv run sprints/14_quantization/quality.py --ways float32 bfloat16 dynamic static
    uv run --group quantization sprints/14_quantization/quality.py --model gpt2 --recipes 50

torchao is in a dependency group of its own, hence the first command; the second does without it. Every choice was made
on validation text (static_observers.py, perplexity_against_bits.py). Theory: notes/05_eager_mode.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from tqdm import tqdm

from quantizing.logit_errors import Tally, future_moves
from quantizing.quantized_gpt2 import converted_layers, deprecation, linear_layers, use_engine
from quantizing.recipe_batches import optimum, recipe_batches
from quantizing.weight_formats import FORMATS, LABELS, WeightFormat, check_formats, in_format
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import Logits, load_causal_model
from shared.text.batches import Batch
from shared.training.losses import count_targets, perplexity


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), a folder, or a name of the hub
    ways: tuple[WeightFormat, ...] = FORMATS  # formats to compare
    recipes: AtLeastTwo = 500  # recipes of the test stream to score
    calibration: PositiveInt = 64  # recipes of the validation stream to calibrate on
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
    tokens: int
    optimum: float
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
    texts = [batch.tokens for batch in recipe_batches(tokenizer, "validation", 0, config.calibration, batch_size=1)]
    models: dict[str, nn.Module] = {name: in_format(name, model, texts) for name in config.ways}
    batches = recipe_batches(tokenizer, "test", 0, config.recipes)
    targets = sum(count_targets(*batch) for batch in batches)
    tallies = tally(model, {"reference": model, **models}, batches)
    base = torch.cat(tallies.pop("reference").losses)  # nats of each recipe
    others = torch.randint(model.config.vocab_size, (config.replacements,), generator=generator)
    by_format = {}
    for name, sums in tallies.items():
        losses = torch.cat(sums.losses)
        rise = (losses - base) / (targets / config.recipes)  # of each recipe, in nats per token
        by_format[name] = FormatQuality(
            label=LABELS[name],
            converted=converted_layers(models[name]),
            perplexity=perplexity(losses.sum().item() / targets),
            excess=perplexity(rise.mean().item()) - 1,
            excess_standard_error=rise.std().item() / config.recipes**0.5,
            largest_logit_error=sums.largest,
            mean_logit_error=sums.error / targets,
            kl=max(sums.kl / targets, 0.0),
            agreement=sums.same / targets,
            agreement_when_sure=sums.same_when_sure / sums.sure,
            future_moves=future_moves(models[name], texts[0], others),
        )
    best = perplexity(optimum("test", 0, config.recipes, targets))
    print(f"\n{targets:,} tokens, engine {engine}; perplexity of the best possible model {best:.4f}")
    for quality in by_format.values():
        print(f"{quality.label:<38}{quality.converted:>3} layers  {quality.perplexity:.4f}", end="")
        print(f" ({quality.excess:+.2%} +- {quality.excess_standard_error:.2%})", end="")
        print(
            f"  logits {quality.largest_logit_error:.2g} at most, {quality.mean_logit_error:.2g} on average,", end=" "
        )
        print(f"KL {quality.kl:.1e}, same choice {quality.agreement:.2%}", end=" ")
        print(f"({quality.agreement_when_sure:.2%} when sure), future {quality.future_moves:.1e}")
    print(f"\nPyTorch says: {deprecation()}")
    return Results(linear_layers(model), engine, deprecation(), targets, best, by_format)


# Kernels of another processor round otherwise.
TOLERANCE = {
    "ways.*": Tolerance(relative=0.3, absolute=1e-4),
    "ways.*.perplexity": Tolerance(relative=1e-3),
    "ways.*.excess": Tolerance(absolute=1e-3),
    "ways.*.agreement*": Tolerance(absolute=0.01),
    "ways.*.converted": EXACT,
}

if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
