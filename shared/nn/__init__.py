"""Networks: attention, positions, norms, blocks, GPT, Llama, encoder-decoder, adapters."""
