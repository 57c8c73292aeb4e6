"""GPT-2 and Llama of transformers in PyTorch's eager mode: what a call converts, and what it leaves alone.

transformers keeps the matrices of GPT-2's blocks in `Conv1D`, of which PyTorch's quantization knows nothing: it has to
be turned into `Linear` first. Llama's are Linear. The token embedding is as large as the head, whose weights it may
share; both are quantized.
"""

import warnings
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.ao import quantization as eager
from torch.ao.quantization.observer import HistogramObserver, MinMaxObserver, MovingAverageMinMaxObserver
from torch.ao.quantization.utils import DEPRECATION_WARNING
from transformers import PreTrainedModel

from quantizing.converted import with_linears

OBSERVERS = {"min-max": MinMaxObserver, "moving average": MovingAverageMinMaxObserver, "histogram": HistogramObserver}
HEAD = "lm_head"
FAMILIES = ("gpt2", "llama")


def deprecation() -> str:
    """Return what the installed PyTorch says about the future of its eager mode."""
    return DEPRECATION_WARNING.partition("\n")[0].strip()


def use_engine(name: str = "auto") -> str:
    """Choose the library that multiplies quantized matrices, and return its name.

    Raises:
        ValueError: this processor, or this build of PyTorch, has no such engine; names those there are.
    """
    there = [engine for engine in torch.backends.quantized.supported_engines if engine != "none"]
    if name == "auto":
        name = next(engine for engine in ("x86", "fbgemm", "qnnpack", *there) if engine in there)
    if name not in there:
        raise ValueError(f"a quantization engine must be auto or one that is here ({', '.join(there)}); got {name!r}")
    torch.backends.quantized.engine = name
    return name


def require_known_family(model: PreTrainedModel) -> None:
    """Raise a ValueError unless a model has the parts that are quantized here by name."""
    if model.config.model_type not in FAMILIES:
        raise ValueError(
            f"only a GPT-2 or a Llama is quantized here; the model is of type {model.config.model_type!r}: name one"
        )


def embedding_name(model: PreTrainedModel) -> str:
    """Return the name of the module that holds the token embedding."""
    table = model.get_input_embeddings()
    return next(name for name, module in model.named_modules() if module is table)


def quantize_dynamically(
    model: PreTrainedModel, *, per_channel: bool = True, embedding: bool = True
) -> PreTrainedModel:
    """Return a copy with int8 weights, whose activations are quantized anew at every call by the range they have.

    Args:
        model: a GPT-2 or a Llama; Conv1D becomes Linear.
        per_channel: give each row of a weight a scale of its own.
        embedding: quantize the token embedding too, by rows.

    Raises:
        ValueError: it is neither.
    """
    require_known_family(model)
    linear = eager.per_channel_dynamic_qconfig if per_channel else eager.default_dynamic_qconfig
    which: dict = {nn.Linear: linear}
    if embedding:
        which[embedding_name(model)] = eager.float_qparams_weight_only_qconfig
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eager.quantize_dynamic(with_linears(model), which)  # ty: ignore[deprecated]


def prepare_static(model: PreTrainedModel, observer: str = "min-max", *, head: bool = True) -> PreTrainedModel:
    """Return a copy that watches the range of what enters and leaves each linear layer, to be shown some text.

    Each linear layer is wrapped in stubs: `QuantStub` makes integers of what comes in, `DeQuantStub` numbers of what
    goes out. What lies between the layers (norms, GELU, softmax, residual sums) stays in float32.

    Args:
        model: a GPT-2 or a Llama; Conv1D becomes Linear.
        observer: how the range is found, one of `OBSERVERS`.
        head: quantize the output layer in the same way; otherwise it is quantized dynamically.

    Raises:
        ValueError: it is neither, or an unknown observer.
    """
    require_known_family(model)
    if observer not in OBSERVERS:
        raise ValueError(f"an observer must be one of {', '.join(OBSERVERS)}; got {observer!r}")
    model = with_linears(model)
    # Engines without VNNI add two products in 16 bits, which 255 x 127 + 255 x 127 overflows: activations get 7 bits.
    highest = 255 if torch.backends.quantized.engine in ("qnnpack", "onednn") else 127
    activation = OBSERVERS[observer].with_args(dtype=torch.quint8, quant_min=0, quant_max=highest)
    qconfig = eager.QConfig(activation=activation, weight=eager.default_per_channel_weight_observer)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and (head or name != HEAD):
            module.qconfig = qconfig
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        eager.add_quant_dequant(model)
        model.get_submodule(embedding_name(model)).qconfig = eager.float_qparams_weight_only_qconfig  # ty: ignore[invalid-assignment]
        return eager.prepare(model, inplace=True)  # ty: ignore[deprecated]


@torch.inference_mode()
def calibrate(model: nn.Module, batches: Iterable[Tensor]) -> int:
    """Show a prepared model some text, and return how many tokens it saw."""
    seen = 0
    for tokens in batches:
        model(tokens)
        seen += tokens.numel()
    return seen


def convert_static(model: nn.Module) -> nn.Module:
    """Return a prepared and calibrated model with its observed layers quantized; the others' head becomes dynamic.

    Raises:
        ValueError: it was not calibrated. PyTorch would warn and take a scale of 1, which makes noise of every layer.
    """
    watching = [module for module in model.modules() if isinstance(module, tuple(OBSERVERS.values()))]
    if not watching:
        raise ValueError("only a model that prepare_static made can be converted; this one has no observers")
    if blind := sum(not bool(torch.isfinite(observer.min_val).all()) for observer in watching):
        raise ValueError(
            f"a model must see text before it is converted: {blind} of {len(watching)} observers saw none. "
            "Call calibrate(model, batches) first"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = eager.convert(model)  # ty: ignore[deprecated]
        if isinstance(model.get_submodule(HEAD), nn.Linear):
            model = eager.quantize_dynamic(model, {HEAD: eager.per_channel_dynamic_qconfig}, inplace=True)  # ty: ignore[deprecated]
    return model
