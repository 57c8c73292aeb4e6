"""Every method of this sprint by its name, behind one protocol, so that a comparison can loop over them.

method = METHODS["ia3"]
adapted = method.inject(model, method.config(model, size), generator)   # call what it returns
optimizer = torch.optim.AdamW(method.groups(adapted, learning_rate))
method.merge(adapted)                                                   # None where there is no merging
method.remove(adapted)                                                  # or: the base model again
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from adaptation import adapted_layer, bitfit, bottleneck, dora, ia3, lora_plus, prompts, qlora, vera
from adaptation.adapted_layer import trainable
from adaptation.places import places_of
from shared.nn.lora import LoRAConfig


def one_rate(model: nn.Module, learning_rate: float) -> list[dict[str, Any]]:
    """Return groups for an optimizer: everything that is trained has the same learning rate."""
    return [{"params": list(trainable(model).values()), "lr": learning_rate}]


@dataclass(frozen=True)
class Method:
    """A way to adapt a model with few parameters.

    Args:
        inject: (model, config, generator) -> what is called instead of the model: mostly the model itself, changed in
            place. It computes what the model computed (for QLoRA: what its rounded weights compute), or for prompts at
            least leaves it alone, and all but the new parameters are frozen.
        config: (model, size) -> the method's configuration with the usual places of the model's family. Size is the
            rank, the width of a bottleneck, the length of a prompt; IA3 and BitFit have none and ignore it.
        remove: (what inject returned) -> the base model as it was.
        merge: (what inject returned) -> a model of the base's kind that computes the same; None where there is none.
        groups: (what inject returned, learning rate) -> groups for an optimizer.
    """

    inject: Callable[..., nn.Module]
    config: Callable[[nn.Module, int], Any]
    remove: Callable[[nn.Module], nn.Module] = adapted_layer.remove
    merge: Callable[[nn.Module], nn.Module] | None = adapted_layer.merge
    groups: Callable[[nn.Module, float], list[dict[str, Any]]] = one_rate


def _houlsby(model: nn.Module, size: int) -> bottleneck.BottleneckConfig:
    return bottleneck.BottleneckConfig(places_of(model).outputs, size)


def _pfeiffer(model: nn.Module, size: int) -> bottleneck.BottleneckConfig:
    return bottleneck.BottleneckConfig(places_of(model).outputs[1:], size, activation="relu")


def _ia3(model: nn.Module, size: int) -> ia3.IA3Config:
    del size
    return ia3.IA3Config(places_of(model).scaled, places_of(model).hidden)


def _bitfit(model: nn.Module, size: int) -> bitfit.BitFitConfig:
    del model, size
    return bitfit.BitFitConfig()


def _vera(model: nn.Module, size: int) -> vera.VeRAConfig:
    return vera.VeRAConfig(places_of(model).linear, size)


def _lora(model: nn.Module, size: int) -> LoRAConfig:
    return LoRAConfig(places_of(model).linear, size, alpha=2 * size)


def _dora(model: nn.Module, size: int) -> dora.DoRAConfig:
    return dora.DoRAConfig(places_of(model).linear, size, alpha=2 * size)


def _qlora(model: nn.Module, size: int) -> qlora.QLoRAConfig:
    return qlora.QLoRAConfig(places_of(model).linear, size, alpha=2 * size, keep=True)  # what is removed must be there


def _soft(kind: prompts.Kind) -> Callable[[nn.Module, int], prompts.PromptConfig]:
    return lambda _, size: prompts.PromptConfig(kind, size)


METHODS: dict[str, Method] = {
    # methods on weights
    "houlsby": Method(bottleneck.inject, _houlsby, merge=None),
    "pfeiffer": Method(bottleneck.inject, _pfeiffer, merge=None),
    "ia3": Method(ia3.inject, _ia3),
    "bitfit": Method(bitfit.inject, _bitfit),
    "vera": Method(vera.inject, _vera),
    "lora": Method(lora_plus.inject, _lora, lora_plus.remove, lora_plus.merge),
    "lora+": Method(lora_plus.inject, _lora, lora_plus.remove, lora_plus.merge, lora_plus.two_rates),
    "dora": Method(dora.inject, _dora),
    # LoRA on a base in four bits
    "qlora": Method(qlora.inject, _qlora, qlora.remove, qlora.merge),
    # prompts and prefixes
    "prompt": Method(prompts.inject, _soft("prompt"), prompts.remove, merge=None),
    "p_tuning": Method(prompts.inject, _soft("p_tuning"), prompts.remove, merge=None),
    "prefix": Method(prompts.inject, _soft("prefix"), prompts.remove, merge=None),
}


def find(name: str) -> Method:
    """Return a method by its name.

    Raises:
        ValueError: there is no such method; says which there are.
    """
    if name not in METHODS:
        raise ValueError(f"methods are {', '.join(METHODS)}; got {name!r}: choose one of these")
    return METHODS[name]
