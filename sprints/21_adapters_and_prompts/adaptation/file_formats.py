"""How each method is written down: its name, options and tensors, as in peft where peft has it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from adaptation import bitfit, bottleneck, dora, ia3, vera
from adaptation.adapted_layer import AdaptedLayer

Config = bottleneck.BottleneckConfig | ia3.IA3Config | bitfit.BitFitConfig | vera.VeRAConfig | dora.DoRAConfig
# What an adapter of peft may have and ours has not; these values say that it has it not either.
PLAIN = {"modules_to_save": None, "layers_to_transform": None, "exclude_modules": None, "bias": "none"}
PLAIN_DORA = {
    "use_dora": True, "use_rslora": False, "lora_dropout": 0.0, "lora_bias": False, "rank_pattern": {},
    "alpha_pattern": {}, "trainable_token_indices": None,
}  # fmt: skip


@dataclass(frozen=True)
class Format:
    """One method in files.

    Args:
        name: peft_type.
        config: the class of its configuration.
        inject: puts it into a model.
        options: our names of its options after those in the file.
        tensors: layer -> views of what is trained, under the names and in the shapes of the file.
        plain: options that must have these values, or be absent.
    """

    name: str
    config: type
    inject: Callable[..., nn.Module]
    options: dict[str, str]
    tensors: Callable[[Any], dict[str, Tensor]]
    plain: dict[str, Any] = field(default_factory=dict)

    def content(self, config: Any) -> dict[str, Any]:
        """Return the options of a configuration as the file has them."""
        values = {theirs: getattr(config, ours) for theirs, ours in self.options.items()}
        return PLAIN | self.plain | {name: _as_list(value) for name, value in values.items()}

    def read(self, content: dict[str, Any], folder: Path) -> Any:
        """Return the configuration that a file describes.

        Raises:
            ValueError: an option is missing, or one that this method has not is used.
        """
        others = [name for name, value in (PLAIN | self.plain).items() if (content.get(name, value) or value) != value]
        if isinstance(content.get("target_modules"), str):
            others.append("target_modules as a pattern")
        if others:
            raise ValueError(f"{folder} holds more than this method has here ({', '.join(others)}): load it with peft")
        if missing := [name for name in self.options if name not in content]:
            raise ValueError(f"the configuration in {folder} lacks {', '.join(missing)}: get a whole copy of it")
        return self.config(**{ours: _as_tuple(content[theirs]) for theirs, ours in self.options.items()})


def ia3_tensors(layer: ia3.IA3Layer) -> dict[str, Tensor]:
    """Return the factors as peft has them: a row if they scale inputs, a column if they scale outputs."""
    return {"ia3_l": layer.factors.data.view((1, -1) if layer.feedforward else (-1, 1))}


def own_tensors(layer: AdaptedLayer) -> dict[str, Tensor]:
    """Return what is trained under our names, where peft has none."""
    return {name: parameter.data for name, parameter in layer.named_parameters(recurse=False)}


FORMATS = (
    Format(
        "IA3", ia3.IA3Config, ia3.inject, {"target_modules": "targets", "feedforward_modules": "feedforward"},
        ia3_tensors,
    ),
    Format(
        "VERA", vera.VeRAConfig, vera.inject,
        {"target_modules": "targets", "r": "rank", "d_initial": "initial", "projection_prng_key": "key"},
        lambda layer: {"vera_lambda_b": layer.outer.data, "vera_lambda_d": layer.inner.data},
        {"vera_dropout": 0.0},
    ),
    Format(
        "LORA", dora.DoRAConfig, dora.inject, {"target_modules": "targets", "r": "rank", "lora_alpha": "alpha"},
        lambda layer: {
            "lora_A.weight": layer.down.data, "lora_B.weight": layer.up.data, "lora_magnitude_vector": layer.length.data
        },
        PLAIN_DORA,
    ),
    Format(
        "BOTTLENECK", bottleneck.BottleneckConfig, bottleneck.inject,
        {"target_modules": "targets", "bottleneck": "bottleneck", "activation": "activation"}, own_tensors,
    ),
    Format("BITFIT", bitfit.BitFitConfig, bitfit.inject, {"target_modules": "targets"}, own_tensors),
)  # fmt: skip


def format_of(config: Config) -> Format:
    """Return how the method of a configuration is written down."""
    return next(kind for kind in FORMATS if isinstance(config, kind.config))


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
