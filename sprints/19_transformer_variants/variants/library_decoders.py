"""Small decoders of transformers, one of each family, whose parameters were all moved away from where they start."""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CLASSES = {
    "GPT-2": ("GPT2Config", "GPT2LMHeadModel"),
    "Llama 3": ("LlamaConfig", "LlamaForCausalLM"),
    "Qwen 3": ("Qwen3Config", "Qwen3ForCausalLM"),
    "Gemma 2": ("Gemma2Config", "Gemma2ForCausalLM"),
    "Gemma 3": ("Gemma3TextConfig", "Gemma3ForCausalLM"),
}
VOCAB_SIZE = 60


def library_decoder(family: str, layers: int, d_model: int, context: int, noise: float) -> "PreTrainedModel":
    """Return a model of transformers in evaluation mode.

    Args:
        family: a key of `CLASSES`.
        layers: blocks.
        d_model: features of a token, a multiple of 8.
        context: tokens that it is made for; windows are a quarter of it.
        noise: standard deviation of what is added to every parameter, so that no gain of 1 and no bias of 0 hides a
            fault.
    """
    import transformers

    options: dict[str, Any] = {"vocab_size": VOCAB_SIZE}
    if family == "GPT-2":
        options |= {"n_positions": context, "n_embd": d_model, "n_layer": layers, "n_head": 4}
        options |= {"bos_token_id": 0, "eos_token_id": 0}
    else:
        options |= {"hidden_size": d_model, "intermediate_size": 3 * d_model, "num_hidden_layers": layers}
        options |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": context}
        options |= {"head_dim": d_model // 4 + 2}
    if family == "Llama 3":
        scaling = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
        scaling |= {"original_max_position_embeddings": context // 2}
        options["rope_parameters"] = {"rope_type": "llama3", "rope_theta": 500_000.0} | scaling
    if family.startswith("Gemma"):
        kinds = ["full_attention" if layer % 2 else "sliding_attention" for layer in range(layers)]
        options |= {"sliding_window": context // 4, "layer_types": kinds, "query_pre_attn_scalar": d_model}
    if family == "Gemma 2":  # low caps, so that they bend what they should
        options |= {"final_logit_softcapping": 3.0, "attn_logit_softcapping": 2.0}
    config, model = (getattr(transformers, name) for name in CLASSES[family])
    made = model(config(**options))
    for parameter in made.parameters():
        parameter.data.add_(noise * torch.randn_like(parameter))
    return made.eval()
