"""A whole text from a prompt, by our loop or by the library's, and how probable the model finds it."""

from typing import TYPE_CHECKING, Any

import torch

from decoding_demo.chosen_model import ChosenModel
from decoding_demo.sampling_settings import SamplingSettings
from shared.generation.sampling import sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@torch.inference_mode()
def decode(chosen: ChosenModel, prompt: list[int], settings: SamplingSettings) -> list[int]:
    """Return the prompt and what is drawn after it, up to an end token."""
    generator = torch.Generator().manual_seed(settings.seed)
    cache = chosen.model.new_cache(1, len(prompt) + settings.max_new_tokens)
    text = new = torch.tensor([prompt], device=chosen.device)  # (1, tokens)
    for _ in range(settings.max_new_tokens):
        logits = chosen.model(new, cache=cache)[:, -1]  # (1, vocab): of the token after the last one
        new = sample(settings.apply(logits, text), generator=generator)[:, None]  # (1, 1)
        text = torch.cat([text, new], dim=1)
        if new.item() in chosen.ends:
            break
    return text[0].tolist()


def library(model: "PreTrainedModel", prompt: list[int], ends: frozenset[int], **options: Any) -> list[int]:
    """Return what transformers decodes without drawing."""
    tokens = torch.tensor([prompt], device=model.device)
    options = {"do_sample": False, "pad_token_id": min(ends), "eos_token_id": sorted(ends)} | options
    row = model.generate(tokens, attention_mask=torch.ones_like(tokens), **options)[0].tolist()  # ty: ignore[not-callable]
    stop = next((place for place in range(len(prompt), len(row)) if row[place] in ends), len(row))
    return row[: stop + 1]  # a beam may go on with padding


@torch.inference_mode()
def log_prob(chosen: ChosenModel, tokens: list[int], start: int) -> float:
    """Return the log-probability, in nats, that the model gives to the tokens from `start` on."""
    row = torch.tensor(tokens, device=chosen.device)
    log_probs = chosen.model(row[None])[0].log_softmax(-1)  # (tokens, vocab)
    return log_probs[start - 1 : -1].gather(1, row[start:, None]).sum().item()
