"""What a step of fine-tuning needs of the memory, before it begins.

Theory: notes/09_a_real_model.md
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from shared.lab.doctor import memory_bytes

if TYPE_CHECKING:  # for annotations alone
    from transformers import PretrainedConfig, PreTrainedModel

Choice = Literal["auto", "yes", "no"]
BYTES = 4  # of a number in float32


@dataclass(frozen=True)
class StepMemory:
    """Megabytes: of what is there all the time, and of what the forward pass keeps for the backward pass."""

    weights: float
    gradients: float
    moments: float
    logits: float
    kept: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.gradients + self.moments + self.logits + self.kept


def memory_needed(
    config: "PretrainedConfig", parameters: int, rows: int, tokens: int, checkpointing: bool
) -> StepMemory:
    """Return an estimate for a step with AdamW in float32, in which all weights are trained.

    For each token a block keeps about 12 vectors of its width, 4 of the feed-forward network's, and two rows of
    attention scores for each head. With gradient checkpointing it keeps its input alone, and one block at a time is
    computed again.

    Args:
        config: of the model, a GPT-2 or a Llama.
        parameters: numbers in the model.
        rows, tokens: of a batch.
        checkpointing: whether blocks are computed again in the backward pass.
    """
    width, layers, heads = config.hidden_size, config.num_hidden_layers, config.num_attention_heads
    inner = (config.n_inner or 4 * width) if config.model_type == "gpt2" else config.intermediate_size
    block = 12 * width + 4 * inner + 2 * heads * tokens
    kept = layers * width + block if checkpointing else layers * block
    places = rows * tokens
    unit = BYTES / 1e6
    return StepMemory(
        weights=unit * parameters,
        gradients=unit * parameters,
        moments=2 * unit * parameters,
        logits=3 * unit * places * config.vocab_size,  # the logits, their log-softmax, and the gradient of the logits
        kept=unit * places * kept,
    )


def check_memory(needed: StepMemory, available: float | None, checkpointing: bool, rows: int) -> None:
    """Check that a step fits into the memory.

    Args:
        needed: the estimate.
        available: megabytes of the machine (None: not known).
        checkpointing: as for `memory_needed`.
        rows: of a batch.

    Raises:
        ValueError: it does not; says what may fit.
    """
    if available is None or needed.total <= 0.9 * available:
        return
    ways = [] if checkpointing else ["--gradient-checkpointing yes"]
    ways += ["--batch-size 1 with more --accumulate"] if rows > 1 else []
    ways += ["a smaller --block", "or LoRA (sprint 13), which has no moments for the weights of the model"]
    raise ValueError(
        f"a step needs about {needed.total / 1000:,.1f} GB (weights {needed.weights / 1000:.1f}, gradients "
        f"{needed.gradients / 1000:.1f}, moments {needed.moments / 1000:.1f}, logits {needed.logits / 1000:.1f}, kept "
        f"for the backward pass {needed.kept / 1000:.1f}), and there are {available / 1000:,.1f}: try {', '.join(ways)}"
    )


def available_megabytes(device: torch.device) -> float | None:
    """Return the memory of a device, or None if it is not known."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory / 1e6
    size = memory_bytes()
    return None if size is None else size / 1e6


def choose_checkpointing(
    model: "PreTrainedModel", rows: int, tokens: int, choice: Choice, available: float | None
) -> tuple[bool, StepMemory]:
    """Return whether blocks are to be computed twice, and what a step needs then; errors as in `check_memory`.

    Args:
        model: all of it is trained.
        rows, tokens: of a batch.
        choice: "auto" computes them twice if a step would need more than half of the memory: others run as well, and
            the estimate is one.
        available: megabytes of the machine (None: not known).
    """
    size = model.config, model.num_parameters(), rows, tokens
    twice, needed = choice == "yes", memory_needed(*size, checkpointing=choice == "yes")
    if choice == "auto" and available is not None and needed.total > available / 2:
        twice, needed = True, memory_needed(*size, checkpointing=True)
    check_memory(needed, available, twice, rows)
    return twice, needed
