"""Small encoder-decoders, and rows for them, that tests of networks and of generation share."""

import torch
from torch import Tensor

from shared.nn.seq2seq import EncoderDecoder, Seq2SeqConfig

SMALL = Seq2SeqConfig(11, 9, 12, 10, 2, 3, 2, 16, 24)
VARIANTS = {
    "pre": SMALL,
    "post": Seq2SeqConfig(**{**vars(SMALL), "norm": "post"}),
    "learned, gelu": Seq2SeqConfig(**{**vars(SMALL), "positions": "learned", "activation": "gelu"}),
}


def build(config: Seq2SeqConfig = SMALL, scale: float = 1.0) -> EncoderDecoder:
    """Return a model; a scale above 1 makes its guesses far from uniform, as training would."""
    model = EncoderDecoder(config, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        model.decoder.head.weight.mul_(scale)
    return model


def rows(vocab: int, tokens: int, batch: int = 3, seed: int = 0) -> Tensor:
    return torch.randint(vocab, (batch, tokens), generator=torch.Generator().manual_seed(seed))


def mask(*lengths: int) -> Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
