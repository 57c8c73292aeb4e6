"""What is written behind a prompt with the key-value cache, beside what passes over the whole text would write.

Theory: notes/05_prompts_and_prefixes.md
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from adaptation.prompts import PromptConfig, inject, make, prompt_of

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

Library = Literal["ours", "peft"]
LIBRARIES: tuple[Library, ...] = ("ours", "peft")


@torch.no_grad()
def written_on(
    model: "PreTrainedModel",
    library: Library,
    kind: str,
    rows: Sequence[Tensor],
    prompt: int,
    new_tokens: int,
    padding: int,
) -> int | None:
    """Return how many tokens a library's `generate` writes as full passes do; None if it ends with an error.

    Args:
        model: is changed.
        library: "ours", or "peft", whose prompt gets the numbers of ours.
        kind: "prompt" or "prefix".
        rows: texts; the first `prompt` tokens of each become the prompt, as many as are written stand behind it.
        prompt: tokens.
        new_tokens: that are written.
        padding: places on the left of the text.
    """
    texts = [row[prompt : prompt + new_tokens] for row in rows]
    truths = [_full_passes(model, row[: prompt + new_tokens], new_tokens) for row in rows]
    starts = [make(model, PromptConfig(kind, prompt, words=tuple(row[:prompt].tolist())))() for row in rows]  # ty: ignore[invalid-argument-type]
    if library == "ours":
        wrapped: Any = inject(model, PromptConfig(kind, prompt))  # ty: ignore[invalid-argument-type]
        numbers = prompt_of(model).vectors
    else:
        import peft

        make_config = peft.PromptTuningConfig if kind == "prompt" else peft.PrefixTuningConfig
        wrapped = peft.get_peft_model(model, make_config(task_type="CAUSAL_LM", num_virtual_tokens=prompt))
        (numbers,) = wrapped.prompt_encoder.parameters()
    same = 0
    for text, truth, start in zip(texts, truths, starts, strict=True):
        numbers.copy_(start)
        ids = torch.cat([text.new_zeros(padding), text])[None]
        mask = torch.cat([text.new_zeros(padding), torch.ones_like(text)])[None]
        try:
            written = wrapped.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=new_tokens, min_new_tokens=new_tokens,
                do_sample=False, pad_token_id=0,
            )  # fmt: skip
        except (IndexError, RuntimeError, ValueError):  # what a library does with more places than the model has
            return None
        same += int((written[0, -new_tokens:] == truth).sum())
    return same


def _full_passes(model: "PreTrainedModel", tokens: Tensor, count: int) -> Tensor:
    """Return the most probable tokens behind a text, each found by a pass over all of it, but never the end."""
    for _ in range(count):
        logits = model(input_ids=tokens[None], use_cache=False).logits[0, -1]
        logits[model.config.eos_token_id] = -torch.inf
        tokens = torch.cat([tokens, logits.argmax()[None]])
    return tokens[-count:]
