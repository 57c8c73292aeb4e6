"""Tiny models of transformers, one of each family that a `Decoder` can be, with weights as large as trained ones."""

from typing import Any

import torch

SIZES: dict[str, Any] = {
    "vocab_size": 24, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 6, "max_position_embeddings": 32,
}  # fmt: skip
GEMMA = {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 9}
FAMILIES = ("gpt2", "llama", "llama3", "qwen3", "gemma2", "gemma3")


def theirs(family: str, seed: int = 0) -> Any:
    """Return a model of theirs in evaluation mode, every parameter moved away from where it starts."""
    import transformers

    torch.manual_seed(seed)
    if family == "gpt2":
        config = transformers.GPT2Config(vocab_size=24, n_positions=32, n_embd=16, n_layer=2, n_head=4)
        model = transformers.GPT2LMHeadModel(config)
    elif family.startswith("llama"):
        rotation = {"rope_type": "default", "rope_theta": 10_000.0}
        if family == "llama3":
            rotation |= {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
            rotation["original_max_position_embeddings"] = 16
        model = transformers.LlamaForCausalLM(
            transformers.LlamaConfig(**SIZES, rope_parameters=rotation, tie_word_embeddings=family == "llama")
        )
    elif family == "qwen3":
        model = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**SIZES))
    elif family == "gemma2":
        config = transformers.Gemma2Config(**SIZES, **GEMMA, final_logit_softcapping=3.0, attn_logit_softcapping=2.0)
        model = transformers.Gemma2ForCausalLM(config)
    else:
        model = transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**SIZES, **GEMMA))
    for parameter in model.parameters():
        parameter.data.add_(0.2 * torch.randn(parameter.shape))
    return model.eval()
