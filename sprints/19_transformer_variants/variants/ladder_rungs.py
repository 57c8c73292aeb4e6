"""The rungs from GPT-2 to a modern decoder: each is the one below with one switch turned."""

from dataclasses import replace
from typing import Any, Literal

from shared.nn.decoder import DecoderConfig

Rung = Literal[
    "gpt2", "no_biases", "rms_norm", "rotary", "swiglu", "grouped", "qk_norm", "untied", "soft_cap", "window"
]  # fmt: skip
# What is changed at each rung; everything below it stays changed.
CHANGES: dict[Rung, dict[str, Any]] = {
    "gpt2": {},
    "no_biases": {"bias": False},
    "rms_norm": {"norm": "rms"},
    "rotary": {"positions": "rotary"},
    # Three matrices of 8/3 d_model hidden features where there were two of 4 d_model: as many weights.
    "swiglu": {"feed_forward": "gated", "activation": "silu"},
    "grouped": {"key_value_heads": 1},
    "qk_norm": {"qk_norm": True},
    "untied": {"tie_weights": False},
    "soft_cap": {"logit_cap": 30.0},
    "window": {"window": 32, "global_every": 3},
}
NAMES: dict[Rung, str] = {
    "gpt2": "GPT-2",
    "no_biases": "no biases",
    "rms_norm": "RMSNorm",
    "rotary": "rotary positions",
    "swiglu": "SwiGLU",
    "grouped": "one key-value head",
    "qk_norm": "QK-norm",
    "untied": "untied head",
    "soft_cap": "soft cap of 30",
    "window": "windows of 32",
}


def rung_config(rung: Rung, vocab_size: int, **sizes: Any) -> DecoderConfig:
    """Return the configuration of a rung: GPT-2 of a size, with every change up to this one."""
    config = DecoderConfig.gpt2(vocab_size, **sizes)
    for name, change in CHANGES.items():
        config = replace(config, **change)
        if name == rung:
            break
    return config
