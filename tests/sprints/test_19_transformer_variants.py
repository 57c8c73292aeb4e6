"""What holds for the sprint as a whole: its models read what they say they read."""

import pytest
import torch

from shared.checks.invariants import check_causality
from shared.nn.bert import BertConfig, MaskedLanguageModel
from shared.nn.decoder import Decoder
from shared.nn.decoder_config import DecoderConfig


@pytest.mark.parametrize("kind", [DecoderConfig.gpt2, DecoderConfig.llama, DecoderConfig.qwen3, DecoderConfig.gemma3])
def test_a_decoder_of_each_kind_looks_back_only_and_a_bert_both_ways(kind):
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(11, (2, 9), generator=generator)
    decoder = Decoder(kind(11, context=16, layers=2, heads=2, d_model=16), generator).eval()
    check_causality(decoder, tokens, vocab_size=11)
    bert = MaskedLanguageModel(BertConfig(11, 16, 2, 2, 16), generator).eval()
    with pytest.raises(AssertionError):
        check_causality(bert, tokens, vocab_size=11)
