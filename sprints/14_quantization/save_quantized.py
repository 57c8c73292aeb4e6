"""Can a quantized model be saved, loaded and served? Integers packed into bytes, with their scales, in a folder.

    uv run sprints/14_quantization/save_quantized.py
    uv run sprints/10_pretrained_generation_demo/demo.py --model runs/14_quantization/save_quantized/model
    uv run --group models sprints/14_quantization/save_quantized.py --preset smollm2

The folder is loaded again and compared bit for bit; then one bit of a copy is flipped, and the scheme of another copy
is renamed: both must be refused. Theory: notes/13_saved_and_served.md
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from quantizing.converted import with_linears
from quantizing.layer_by_layer import gptq_all, round_all
from quantizing.passages import Block, how_many, loss_on, passages_for
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.model_folders import seal
from shared.nn.packed_weights import DESCRIPTION, WEIGHTS, read_packed, save_packed
from shared.nn.pretrained import load_causal_model

PRESETS = {"smollm2": {"model": "smollm2", "group": 32}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    # recipes, tinyshakespeare or a text file (default: recipes for the shipped model, tinyshakespeare for another)
    text: str | None = None
    block: Block | None = None  # tokens of a passage of a text (default: 512, or what the model can look at)
    texts: PositiveInt | None = None  # test passages to score (default: 50 recipes, or 4 blocks of a text)
    calibration: PositiveInt | None = None  # training passages that GPTQ sees (default: 100 recipes, or 16 blocks)
    bits: Literal[4, 8] = 4  # size of the integers
    group: PositiveInt = 64  # weights of a group
    gptq: bool = True  # round by GPTQ, or to the nearest


@dataclass(frozen=True)
class Results:
    megabytes_float32: float
    megabytes: float
    bits_per_weight: float
    weights_that_differ: int
    loss: dict[str, float]
    refused: dict[str, str]


def megabytes(folder: Path) -> float:
    """Return the size of the weights in a folder."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6


def differing(saved: PreTrainedModel, loaded: PreTrainedModel) -> int:
    """Return how many numbers of two models are not the same, bit for bit."""
    theirs = dict(with_linears(loaded).named_parameters())
    pairs: list[tuple[Tensor, Tensor]] = [(mine, theirs[name]) for name, mine in saved.named_parameters()]
    return sum(int((mine.view(torch.int32) != other.view(torch.int32)).sum()) for mine, other in pairs)


def refusal(folder: Path) -> str:
    """Return with what sentence a folder is refused."""
    try:
        load_causal_model(str(folder))
    except ValueError as error:
        return str(error).replace(str(folder), folder.name)
    raise ValueError("a model that is not as it was written was loaded without a word")


def damaged(folder: Path) -> dict[str, str]:
    """Return the sentences by which two damaged copies of a folder are refused."""
    refused = {}
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / "model"))
        content = bytearray((copy / WEIGHTS).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / WEIGHTS).write_bytes(content)
        refused["one bit flipped"] = refusal(copy)
        shutil.rmtree(copy)
        shutil.copytree(folder, copy)
        described = json.loads((copy / DESCRIPTION).read_text(encoding="utf-8"))
        (copy / DESCRIPTION).write_text(json.dumps(described | {"scheme": "affine"}), encoding="utf-8")
        seal(copy)  # its checksums are as they should be: it is the scheme that nobody here can read
        refused["another scheme"] = refusal(copy)
    return refused


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    passages = passages_for(model, tokenizer, config.model, config.text, config.block)
    batches = passages.batches("test", 0, how_many(config.texts, passages, recipes=50, blocks=4))
    seen = how_many(config.calibration, passages, recipes=100, blocks=16)
    if config.gptq:
        made = gptq_all(model, passages.batches("train", 0, seen, batch_size=1), config.bits, config.group)
    else:
        made = round_all(model, config.bits, config.group)
    folder = (config.out or Path(tempfile.mkdtemp())) / "model"
    save_packed(folder, made.model, tokenizer, made.weights, config.bits)
    loaded, _ = load_causal_model(str(folder))
    packed, _ = read_packed(folder)
    numbers = sum(weight.integers.numel() for weight in packed.values())
    scales = sum(weight.scales.numel() for weight in packed.values())
    results = Results(
        megabytes_float32=4 * sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        megabytes=megabytes(folder),
        bits_per_weight=config.bits + 16 * scales / numbers,
        weights_that_differ=differing(made.model, loaded),
        loss={
            "float32": loss_on(model, batches),
            "quantized": loss_on(made.model, batches),
            "saved and loaded": loss_on(loaded, batches),
        },
        refused=damaged(folder),
    )
    print(f"{results.megabytes_float32:.1f} MB in float32, {results.megabytes:.1f} MB packed", end="")
    print(f", {results.bits_per_weight:.2f} bits a weight; {results.weights_that_differ} numbers differ after loading")
    for name, nats in results.loss.items():
        print(f"{name:<24}{nats:10.4f} nats a token")
    for name, sentence in results.refused.items():
        print(f"{name}: {sentence}")
    print(f"to talk to it: uv run sprints/10_pretrained_generation_demo/demo.py --model {folder}")
    return results


if __name__ == "__main__":
    TOLERANCE = {"*": Tolerance(relative=0.02), "weights_that_differ": EXACT, "bits_per_weight": EXACT}
    run(main, Config, presets=PRESETS, tolerance=TOLERANCE)
