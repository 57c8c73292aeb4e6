"""ELECTRA's detector is transformers' own; replaced tokens are those that changed."""

import math

import pytest
import torch
from encoder_examples import TINY, compare, perturb, rows

from shared.nn.bert import MaskedLanguageModel
from shared.nn.bert_weights import ELECTRA_PARTS, as_ours
from shared.nn.electra import ReplacedTokenDetector, detection_loss, replace_tokens


@pytest.mark.parametrize("side", ["right", "left"])
def test_both_models_equal_transformers_in_outputs_and_gradients(side: str):
    from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

    tokens, real, segments = rows(side)
    # As in ELECTRA small, the embeddings are narrower than the blocks; and as in ELECTRA base, they are not.
    for their_class, our_class, width in (
        (ElectraForPreTraining, ReplacedTokenDetector, 16),
        (ElectraForMaskedLM, MaskedLanguageModel, 16),
        (ElectraForPreTraining, ReplacedTokenDetector, TINY["hidden_size"]),
    ):
        theirs = their_class(ElectraConfig(**TINY, embedding_size=width)).eval()
        perturb(theirs)
        ours = our_class.from_transformers(theirs)
        logits = theirs(tokens, attention_mask=real.long(), token_type_ids=segments).logits[real]

        def renamed(tensors: dict, ours: torch.nn.Module = ours) -> dict:
            return as_ours(ours.state_dict(), tensors, ELECTRA_PARTS)

        compare(ours, theirs, ours(tokens, real, segments)[real], logits, renamed)


def test_a_sample_that_is_the_old_token_counts_as_original():
    tokens, chosen = torch.tensor([[3, 4, 5]]), torch.tensor([[True, True, False]])
    logits = torch.full((1, 3, 6), -math.inf)
    logits[0, 0, 3], logits[0, 1, 2], logits[0, 2, 0] = 0.0, 0.0, 0.0
    corrupted, replaced = replace_tokens(tokens, chosen, logits, torch.Generator().manual_seed(0))
    assert corrupted.tolist() == [[3, 2, 5]]
    assert replaced.tolist() == [[False, True, False]]


def test_the_loss_is_of_all_real_tokens():
    from transformers import ElectraConfig, ElectraForPreTraining

    tokens, real, _ = rows("left")
    replaced = (tokens % 3 == 0) & real
    theirs = ElectraForPreTraining(ElectraConfig(**TINY, embedding_size=16)).eval()
    expected = theirs(tokens, attention_mask=real.long(), labels=replaced.long())
    torch.testing.assert_close(detection_loss(expected.logits, replaced, real), expected.loss)
    with pytest.raises(ValueError, match="needs a real token"):
        detection_loss(expected.logits, replaced, torch.zeros_like(real))
