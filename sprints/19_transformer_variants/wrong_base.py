"""Which base does dynamic scaling scale? The right one, beside four that are wrong and raise no error.

    uv run sprints/19_transformer_variants/wrong_base.py
    uv run sprints/19_transformer_variants/wrong_base.py --longest 1024

The text grows from the trained length to --longest. Each way is judged by the slowest plane, whose angle must not leave
what training has seen. Then the same question to keys in a cache, which were turned by an older base: in a Llama of
transformers. Theory: notes/17_slower_clocks.md
"""

from dataclasses import dataclass

import torch

from shared.lab.config import ScriptConfig
from shared.lab.ranges import Even, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.rotary_scaling import DynamicScaling, rotary_speeds

THETA = 10_000.0


@dataclass(frozen=True)
class Config(ScriptConfig):
    context: PositiveInt = 64  # positions of the trained texts
    longest: PositiveInt = 256  # positions to which the text grows
    head_dim: Even = 16  # features of a head

    def check(self) -> None:
        if self.longest <= self.context or self.head_dim < 4:
            raise ValueError(
                f"the text grows beyond the trained length, in heads of 4 features or more; got --longest "
                f"{self.longest}, --context {self.context}, --head-dim {self.head_dim}"
            )


@dataclass(frozen=True)
class Wrong:
    """A way to choose the base at the longest text: the base, and the slowest plane's angle as share of the trained."""

    base: float
    slowest: float
    fastest_kept: bool


@dataclass(frozen=True)
class Results:
    stretch: float
    ways: dict[str, Wrong]
    same_logits: dict[str, float]


def bases(config: Config) -> dict[str, float]:
    """Return the base that each way ends at, when the text has grown one token at a time."""
    stretch = config.longest / config.context
    exponent = config.head_dim / (config.head_dim - 2)
    compounded = THETA
    for tokens in range(config.context + 1, config.longest + 1):
        compounded *= (tokens / config.context) ** exponent
    return {
        "theta · stretch^(d / (d − 2))": THETA * stretch**exponent,
        "theta · stretch: no exponent": THETA * stretch,
        "the base of the step before, scaled again": compounded,
        "stretch of the longest over itself: the context in the configuration was raised": THETA,
        "a base of 10,000 where the model was trained with 500": THETA * stretch**exponent,
    }


@torch.no_grad()
def logits_of_a_llama(config: Config, kind: str) -> float:
    """Return by how much the logits of transformers' Llama differ between no cache and one token at a time."""
    from transformers import LlamaConfig, LlamaForCausalLM

    rotation = {"rope_type": kind, "rope_theta": THETA, "factor": 1.0}
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64, hidden_size=2 * config.head_dim, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=config.context, rope_parameters=rotation,
            bos_token_id=None, eos_token_id=None, initializer_range=0.3,
        )
    ).eval()  # fmt: skip
    tokens = torch.randint(64, (4, config.longest))
    whole = model(tokens, use_cache=False).logits
    cache, found = None, []
    for token in tokens.split(1, dim=1):
        output = model(token, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        found.append(output.logits)
    return (torch.cat(found, dim=1)[:, -1] - whole[:, -1]).abs().max().item()


def main(config: Config) -> Results:
    seed_everything(config.seed)
    trained = {base: rotary_speeds(config.head_dim, base) * config.context for base in (THETA, 500.0)}
    ways = {}
    for name, base in bases(config).items():
        own = 500.0 if "500" in name else THETA
        speeds = rotary_speeds(config.head_dim, base)
        share = (speeds[-1] * config.longest / trained[own][-1]).item()
        ways[name] = Wrong(base, share, bool(speeds[0] == 1))
        print(f"{name}: base {base:.3g}, slowest plane at {share:.2f} of the trained angle")
    right = DynamicScaling(config.context).at(config.longest).slow_down(rotary_speeds(config.head_dim, THETA))
    torch.testing.assert_close(right, rotary_speeds(config.head_dim, ways[next(iter(ways))].base))
    same = {kind: logits_of_a_llama(config, kind) for kind in ("linear", "dynamic")}
    for kind, difference in same.items():
        print(f"transformers' Llama, {kind}: with and without a cache the last logits differ by up to {difference:.1e}")
    return Results(config.longest / config.context, ways, same)


if __name__ == "__main__":
    run(main, Config)
