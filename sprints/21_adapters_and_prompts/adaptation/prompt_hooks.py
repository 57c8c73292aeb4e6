"""What a prompt or prefix changes in a call of a model: inputs, mask, positions, labels, and the logits that come back.

All functions take the named arguments of the call. `length` is that of the prompt; `seen` counts what is in the cache,
prompt included, and is 0 in the first call.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from adaptation.soft_prompts import KeysAndValues

IGNORED = -100  # the label that the losses of transformers leave out


def by_name(given: tuple, named: dict[str, Any], length: int, room: int | None) -> tuple[dict[str, Any], int]:
    """Return the arguments of a call by their names, and how many places are in the cache.

    Args:
        given: those without a name.
        named: those with one.
        length: of the prompt.
        room: places of the model (None: as many as you like).

    Raises:
        ValueError: there are vectors instead of tokens, or prompt and text are longer than the model's context.
    """
    named = dict(zip(("input_ids", "cache"), given, strict=False)) | named
    if "past_key_values" in named:  # the older name
        named["cache"] = named.pop("past_key_values")
    ids, cache = named.get("input_ids"), named.get("cache")
    if ids is None:
        raise ValueError("a model with a prompt reads tokens; got none: give input_ids")
    seen = 0 if cache is None else cache.get_seq_length()
    total = ids.shape[1] + (seen or length)
    if room is not None and total > room:
        raise ValueError(
            f"a prompt of {length} and its text must fit into the {room} places of the model; got {total} places: "
            "shorten one of them"
        )
    return named, seen


def text_positions(named: dict[str, Any], before: int) -> Tensor:
    """Return the positions of the new tokens as if there were no prompt, (batch or 1, tokens).

    Padding counts for nothing: on the left it would push the text away from the prompt.

    Args:
        named: the arguments of the call.
        before: tokens of the text that are in the cache.
    """
    if named.get("position_ids") is not None:
        return named["position_ids"]
    ids, mask = named["input_ids"], named.get("attention_mask")
    if mask is None:
        return torch.arange(before, before + ids.shape[1], device=ids.device)[None]
    return (mask.long().cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]


def put_before(named: dict[str, Any], length: int) -> None:
    """Lengthen the mask: every token may look at the prompt."""
    if (mask := named.get("attention_mask")) is not None:
        named["attention_mask"] = torch.cat([mask.new_ones(len(mask), length), mask], dim=1)


def add_prompt(
    named: dict[str, Any], seen: int, prompt: Float[Tensor, "prompt d_model"], embed: Callable[[Tensor], Tensor]
) -> None:
    """Put vectors before the word vectors of the first call; in later calls they are in the cache already."""
    length = len(prompt)
    positions = text_positions(named, max(0, seen - length)) + length
    if not seen:
        words = embed(named.pop("input_ids"))  # (batch, tokens, d_model)
        rows = len(words)
        named["inputs_embeds"] = torch.cat([prompt.to(words.dtype).expand(rows, -1, -1), words], dim=1)
        places = torch.arange(length, device=positions.device).expand(len(positions), -1)
        positions = torch.cat([places, positions], dim=1)
        if (labels := named.get("labels")) is not None:
            named["labels"] = torch.cat([labels.new_full((rows, length), IGNORED), labels], dim=1)
    named["position_ids"] = positions
    put_before(named, length)


def add_prefix(named: dict[str, Any], seen: int, layers: list[KeysAndValues], keep_positions: bool) -> None:
    """Put keys and values into the cache of the first call, as if the model had read something before the text."""
    length = layers[0][0].shape[1]
    positions = text_positions(named, max(0, seen - length))
    if not seen:
        from transformers import DynamicCache

        cache = DynamicCache() if named.get("cache") is None else named["cache"]
        rows = len(named["input_ids"])
        for number, (key, value) in enumerate(layers):
            cache.update(key.expand(rows, -1, -1, -1), value.expand(rows, -1, -1, -1), number)
        named["cache"] = cache
    named["position_ids"] = positions if keep_positions else positions + length
    put_before(named, length)


def cut_logits(output: Any, named: dict[str, Any], length: int) -> Any:
    """Leave out the logits of the prompt's own places; a call for some logits alone has none of these."""
    if named.get("inputs_embeds") is not None and not named.get("logits_to_keep"):
        output.logits = output.logits[:, length:]
    return output
