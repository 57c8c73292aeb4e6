"""A tiny GPT-2 with adapters, for the tests of these."""

from pathlib import Path

import peft
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.adapter_files import save_adapter
from shared.nn.adapters import inject
from shared.nn.lora import LoRAConfig

TOKENS = torch.arange(20).view(2, 10)
# GPT-2 has all three kinds of layer: Conv1D in the blocks, an embedding, and a linear head that is tied to it.
KINDS = {
    "Conv1D": LoRAConfig(("c_attn", "c_fc"), rank=3, alpha=6),
    "Linear": LoRAConfig(("lm_head",), rank=2, alpha=7, rank_stabilised=True),
    "Embedding": LoRAConfig(("wte",), rank=4, alpha=2),
    "all": LoRAConfig(("c_attn", "mlp.c_proj", "wte", "lm_head"), rank=2, alpha=4),
}


def tiny_gpt2(layers: int = 2, d_model: int = 16) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    size = GPT2Config(
        vocab_size=30, n_positions=12, n_embd=d_model, n_layer=layers, n_head=2, bos_token_id=0, eos_token_id=0
    )
    return GPT2LMHeadModel(size).eval()


def train(model: nn.Module, steps: int = 3) -> None:
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
        optimizer.step()


def trained(config: LoRAConfig, name: str = "default") -> GPT2LMHeadModel:
    """A model with an adapter that changes something."""
    model = tiny_gpt2()
    inject(model, config, name, torch.Generator().manual_seed(1))
    train(model)
    return model


def logits(model: nn.Module) -> Tensor:
    with torch.no_grad():
        return model(input_ids=TOKENS).logits


def peft_twin(model: GPT2LMHeadModel, folder: Path) -> peft.PeftModel:
    """The same base model in peft, with the same adapter out of its file."""
    save_adapter(model, folder, base="tiny")
    return peft.PeftModel.from_pretrained(tiny_gpt2(), folder, is_trainable=True)
