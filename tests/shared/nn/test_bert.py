"""BERT and RoBERTa are transformers' own, weight for weight and gradient for gradient."""

from dataclasses import replace

import pytest
import torch
from encoder_examples import PAD, TINY, VOCAB, compare, perturb, rows

from shared.checks.invariants import check_padding_invariance
from shared.nn.bert import Bert, BertConfig, MaskedLanguageModel, number_places
from shared.nn.bert_weights import FAMILIES, as_ours

SMALL = BertConfig(VOCAB, context=12, layers=2, heads=2, d_model=16)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_equals_transformers_in_logits_and_gradients(family: str, side: str):
    import transformers

    prefix = {"bert": "Bert", "roberta": "Roberta"}[family]
    theirs = getattr(transformers, f"{prefix}ForMaskedLM")(getattr(transformers, f"{prefix}Config")(**TINY)).eval()
    perturb(theirs)
    ours = MaskedLanguageModel.from_transformers(theirs)
    tokens, real, segments = rows(side)
    logits = theirs(tokens, attention_mask=real.long(), token_type_ids=segments).logits[real]
    at = ours.at(real, tokens, real, segments)
    torch.testing.assert_close(ours(tokens, real, segments)[real], at)
    compare(ours, theirs, at, logits, lambda tensors: as_ours(ours.state_dict(), tensors, FAMILIES[family]))


def test_an_encoder_alone_is_taken_over():
    from transformers import BertConfig as TheirConfig
    from transformers import BertModel

    theirs = BertModel(TheirConfig(**TINY)).eval()
    perturb(theirs)
    tokens, real, segments = rows("right")
    expected = theirs(tokens, attention_mask=real.long(), token_type_ids=segments).last_hidden_state
    torch.testing.assert_close(Bert.from_transformers(theirs)(tokens, real, segments)[real], expected[real])


def test_reads_both_sides_and_never_padding():
    bert = Bert(SMALL, torch.Generator().manual_seed(0))
    perturb(bert)
    tokens, real, _ = rows("right")
    check_padding_invariance(bert, tokens, real, vocab_size=VOCAB, tolerance=1e-5)
    changed = tokens.clone()
    changed[0, 4] = 0
    moved = (bert(changed, real) - bert(tokens, real)).abs().amax(dim=-1)
    assert (moved[0] > 1e-4).all()
    assert not moved[1:].any()


def test_numbers_the_places_as_each_family_does():
    tokens = torch.tensor([[PAD, PAD, 7, 8]])
    real = tokens != PAD
    assert number_places(tokens, real, 0).tolist() == [[0, 1, 2, 3]]
    assert number_places(tokens, real, 2).tolist() == [[1, 1, 2, 3]]
    assert number_places(tokens, None, 2).tolist() == [[2, 3, 4, 5]]


def test_is_drawn_from_its_generator_and_drops_only_in_training():
    first, second = (MaskedLanguageModel(SMALL, torch.Generator().manual_seed(0)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    tokens = rows("right")[0]
    dropping = MaskedLanguageModel(replace(SMALL, dropout=0.5), torch.Generator().manual_seed(0))
    assert not torch.equal(dropping(tokens), first(tokens))
    torch.testing.assert_close(dropping.eval()(tokens), first(tokens))


def test_refuses_what_it_is_not():
    from transformers import BertConfig as TheirConfig
    from transformers import BertForMaskedLM

    with pytest.raises(ValueError, match="takes 1 to 12 tokens; got 13"):
        Bert(SMALL)(torch.zeros(1, 13, dtype=torch.long))
    for wrong in ({"heads": 3}, {"layers": 0}, {"first_position": -1}, {"dropout": 1.0}):
        with pytest.raises(ValueError, match="got"):
            replace(SMALL, **wrong)
    with pytest.raises(ValueError, match="share its weights"):
        MaskedLanguageModel.from_transformers(BertForMaskedLM(TheirConfig(**TINY, tie_word_embeddings=False)))
