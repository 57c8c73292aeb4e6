"""The norm behind the last block is forgotten."""


def count_parameters(vocab_size: int, context: int, layers: int, d_model: int, tied: bool = True) -> int:
    head = 0 if tied else vocab_size * d_model
    return (vocab_size + context) * d_model + layers * (12 * d_model**2 + 13 * d_model) + head
