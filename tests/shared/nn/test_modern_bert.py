"""ModernBERT is transformers' own, weight for weight and gradient for gradient."""

from dataclasses import replace

import pytest
import torch
from encoder_examples import TINY, TOKENS, VOCAB, compare, perturb, rows

from shared.checks.invariants import check_padding_invariance
from shared.nn.modern_bert import ModernBert, ModernBertConfig, local_mask
from shared.nn.modern_bert_weights import as_ours

SMALL = ModernBertConfig(VOCAB, context=12, layers=2, heads=2, d_model=16, d_hidden=12, reach=1)


@pytest.mark.parametrize("side", ["right", "left"])
def test_equals_transformers_in_logits_and_gradients(side: str):
    from transformers import ModernBertConfig as TheirConfig
    from transformers import ModernBertForMaskedLM

    config = TheirConfig(**TINY | {"num_hidden_layers": 4}, local_attention=4)  # every third layer is global
    theirs = ModernBertForMaskedLM(config).eval()
    perturb(theirs)
    ours = ModernBert.from_transformers(theirs)
    assert (ours.config.reach, ours.config.global_every) == (2, 3)
    tokens, real, _ = rows(side)
    logits = theirs(tokens, attention_mask=real.long()).logits[real]
    compare(ours, theirs, ours(tokens, real)[real], logits, lambda tensors: as_ours(ours.state_dict(), tensors))


def test_a_local_layer_sees_its_neighbourhood():
    assert local_mask(4, 1).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    model = ModernBert(replace(SMALL, layers=3, global_every=3), torch.Generator().manual_seed(0))
    perturb(model)
    tokens, real, _ = rows("right")
    check_padding_invariance(model, tokens, real, vocab_size=VOCAB)
    x = torch.randn(1, TOKENS, 16, generator=torch.Generator().manual_seed(0))
    moved = x.clone()
    moved[0, 4, 0] += 1
    for layer, seen_by in ((0, TOKENS), (1, 3), (2, 3)):
        block = model.blocks[layer]
        assert int(((block(x) - block(moved)).abs().amax(-1) > 1e-6).sum()) == seen_by


def test_refuses_what_it_is_not():
    with pytest.raises(ValueError, match="takes 1 to 12 tokens; got 13"):
        ModernBert(SMALL)(torch.zeros(1, 13, dtype=torch.long))
    for wrong in ({"heads": 16}, {"layers": 0}, {"reach": -1}):
        with pytest.raises(ValueError, match="got"):
            replace(SMALL, **wrong)
