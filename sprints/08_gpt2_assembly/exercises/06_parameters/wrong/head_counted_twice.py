"""The head is always counted."""


def count_parameters(vocab_size: int, context: int, layers: int, d_model: int, tied: bool = True) -> int:
    block = 12 * d_model**2 + 13 * d_model
    return (2 * vocab_size + context + 2) * d_model + layers * block
