"""Does it matter in which pieces a Mamba reads its text, ours and transformers'?

    uv run sprints/18_sequence_models/second_chunk.py
    uv run sprints/18_sequence_models/second_chunk.py --first 3 --second 1 2 8

Both get the same random weights and read a text at once and in two pieces, with what they kept of the first one.
Theory: notes/08_mamba.md
"""

from dataclasses import dataclass
from typing import Any

import torch

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.mamba import mamba_from_transformers
from shared.nn.mamba2 import mamba2_from_transformers


@dataclass(frozen=True)
class Config(ScriptConfig):
    first: PositiveInt = 12  # tokens of the first piece
    second: tuple[PositiveInt, ...] = (1, 2, 4, 12)  # tokens of the second piece
    vocab_size: PositiveInt = 32  # distinct tokens
    d_model: PositiveInt = 16  # features of a token
    noise: PositiveFloat = 0.3  # standard deviation of what is added to each weight, so that states count


@dataclass(frozen=True)
class Results:
    """The largest difference of a logit of the second piece, by the length of that piece."""

    transformers: str
    second: list[int]
    differences: dict[str, list[float]]


def build(kind: str, config: Config, generator: torch.Generator) -> Any:
    """Return a model of transformers with two layers and random weights."""
    from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

    sizes: dict[str, Any] = {"vocab_size": config.vocab_size, "hidden_size": config.d_model, "num_hidden_layers": 2}
    if kind == "Mamba":
        model = MambaForCausalLM(MambaConfig(state_size=8, **sizes))
    else:
        heads: dict[str, Any] = {"num_heads": 4, "head_dim": config.d_model // 2, "n_groups": 1, "chunk_size": 8}
        model = Mamba2ForCausalLM(Mamba2Config(state_size=8, **heads, **sizes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += config.noise * torch.randn(parameter.shape, generator=generator)
    return model.eval()


@torch.no_grad()
def main(config: Config) -> Results:
    import transformers

    generator = seed_everything(config.seed)
    differences: dict[str, list[float]] = {}
    length = config.first + max(config.second)
    tokens = torch.randint(config.vocab_size, (1, length), generator=generator)
    for kind, convert in (("Mamba", mamba_from_transformers), ("Mamba-2", mamba2_from_transformers)):
        theirs = build(kind, config, generator)
        ours = convert(theirs)
        at_once = ours(tokens)[0]
        rows: dict[str, list[float]] = {f"{kind}, transformers": [], f"{kind}, ours": []}
        for second in config.second:
            piece = slice(config.first, config.first + second)
            kept = theirs(tokens[:, : config.first], use_cache=True).cache
            answers = theirs(tokens[:, piece], cache=kept, use_cache=True).logits
            _, state = ours(tokens[:, : config.first])
            for name, logits in zip(rows, (answers, ours(tokens[:, piece], state)[0]), strict=True):
                rows[name].append((logits - at_once[:, piece]).abs().max().item())
        differences |= rows
    print(f"largest difference from the text read at once, transformers {transformers.__version__}")
    for name, row in differences.items():
        print(f"{name:<24}", *(f"{tokens:>3}: {value:.1e}" for tokens, value in zip(config.second, row, strict=True)))
    return Results(transformers.__version__, list(config.second), differences)


if __name__ == "__main__":
    run(main, Config, tolerance={"differences.*": Tolerance(relative=0.1, absolute=1e-4)})
