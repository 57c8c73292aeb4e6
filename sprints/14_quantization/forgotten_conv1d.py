"""Easy to get wrong: quantize GPT-2 as transformers has it, and nearly nothing is quantized. What shows it?

    uv run sprints/14_quantization/forgotten_conv1d.py

PyTorch's eager mode knows Linear; the matrices in GPT-2's blocks are Conv1D. No error is raised. Beside it the same
calls after Conv1D was turned into Linear. Theory: notes/05_what_is_converted.md
"""

import copy
import warnings
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.ao import quantization as eager
from transformers import PreTrainedModel

from quantizing.converted import check_converted, converted_layers, linear_layers, saved_bytes
from quantizing.eager_mode import HEAD, calibrate, convert_static, prepare_static, quantize_dynamically, use_engine
from quantizing.timed_turns import Ratio, decode_seconds, random_gpt2, ratio, take_turns
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

NAMES = {
    "float32": "float32, not quantized",
    "dynamic, as it is": "quantize_dynamic on the model as it is",
    "static, as it is": "prepare and convert on the model as it is",
    "dynamic, Linear": "quantize_dynamic after Conv1D became Linear",
    "static, Linear": "prepare and convert after Conv1D became Linear",
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 12  # blocks; the default is GPT-2 small, with random weights
    d_model: Annotated[int, Field(ge=64, le=MOST, multiple_of=64)] = 768  # features of a token
    vocab_size: PositiveInt = 50_257  # distinct tokens
    turns: PositiveInt = 20  # turns of each contender
    new_tokens: Annotated[int, Field(ge=1, le=1000)] = 8  # tokens of a turn
    engine: str = "auto"  # library that multiplies quantized matrices


@dataclass(frozen=True)
class QuantizationOutcome:
    converted: int
    megabytes: float
    logit_difference: float
    speed: Ratio | None
    caught: str


@dataclass(frozen=True)
class Results:
    linear_layers: int
    outcomes: dict[str, QuantizationOutcome]
    warning: str


def dynamic_as_it_is(model: PreTrainedModel) -> nn.Module:
    """Return what the call of every tutorial makes of the model."""
    return eager.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)  # ty: ignore[deprecated]


def static_as_it_is(model: PreTrainedModel, texts: list[Tensor]) -> nn.Module:
    """Return what prepare and convert make of it, the head left in float32 as is common for the last layer."""
    model = copy.deepcopy(model)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name != HEAD:
            module.qconfig = eager.get_default_qconfig(torch.backends.quantized.engine)
    prepared = eager.prepare(eager.add_quant_dequant(model))  # ty: ignore[deprecated]
    calibrate(prepared, texts)
    return eager.convert(prepared)  # ty: ignore[deprecated]


def caught_by(check: nn.Module, layers: int) -> str:
    """Return what the check of the converted layers says."""
    try:
        check_converted(check, layers)
    except ValueError as error:
        return str(error)
    return "nothing to object to"


def main(config: Config) -> Results:
    use_engine(config.engine)
    generator = seed_everything(config.seed)
    model = random_gpt2(config.layers, config.d_model, config.vocab_size)
    tokens = torch.randint(config.vocab_size, (1, 16), generator=generator)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        models = {
            "float32": model,
            "dynamic, as it is": dynamic_as_it_is(model),
            "static, as it is": static_as_it_is(model, [tokens]),
        }
    warning = next((str(w.message) for w in heard if "qconfig" in str(w.message)), "")
    models["dynamic, Linear"] = quantize_dynamically(model)
    prepared = prepare_static(model)
    calibrate(prepared, [tokens])
    models["static, Linear"] = convert_static(prepared)

    seconds = take_turns(
        {name: lambda m=m: decode_seconds(m, tokens, config.new_tokens) for name, m in models.items()}, config.turns
    )
    layers, outcomes = linear_layers(model), {}
    with torch.inference_mode():
        logits = model(tokens).logits
        for name, other in models.items():
            outcomes[name] = QuantizationOutcome(
                converted=converted_layers(other),
                megabytes=saved_bytes(other) / 1e6,
                logit_difference=(other(tokens).logits - logits).abs().max().item(),
                speed=None if name == "float32" else ratio(seconds["float32"], seconds[name], generator),
                caught=caught_by(other, layers),
            )
    for name, outcome in outcomes.items():
        print(f"{NAMES[name]:<48}{outcome.converted:>3} of {layers} layers, {outcome.megabytes:6.1f} MB,", end=" ")
        print(f"logits differ by {outcome.logit_difference:.2g}", end="")
        if outcome.speed:
            print(f", {outcome.speed.estimate:.2f} x ({outcome.speed.low:.2f} to {outcome.speed.high:.2f})", end="")
        print()
    print(f"\nPyTorch warned: {warning}\nOur check says: {outcomes['dynamic, as it is'].caught}")
    return Results(layers, outcomes, warning)


TOLERANCE = {
    "*.speed*": TIMING,
    "*.logit_difference": Tolerance(relative=0.3),
    "*.megabytes": Tolerance(relative=0.01),
}

if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
