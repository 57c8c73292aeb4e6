"""Fingerprints: 16 digits of a SHA-256, to tell what something was made of and whether it is still whole."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase


def fingerprint(tensors: Mapping[str, Tensor], content: Any = None) -> str:
    """Return the fingerprint of tensors, with their names, and of plain values beside them."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def tokenizer_fingerprint(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the fingerprint of a tokenizer's vocabulary."""
    return fingerprint({}, tokenizer.get_vocab())
