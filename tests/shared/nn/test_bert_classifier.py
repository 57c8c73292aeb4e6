"""BERT's classifiers are transformers' own, for whole texts and for pairs."""

import pytest
import torch
from encoder_examples import TINY, compare, perturb, rows

from shared.nn.bert import BertConfig
from shared.nn.bert_classifier import SequenceClassifier
from shared.nn.bert_weights import BERT_PARTS, as_ours


@pytest.mark.parametrize("name", ["classifier", "cls.seq_relationship"])
def test_equals_transformers_in_logits_and_gradients(name: str):
    from transformers import BertConfig as TheirConfig
    from transformers import BertForNextSentencePrediction, BertForSequenceClassification

    kind = BertForSequenceClassification if name == "classifier" else BertForNextSentencePrediction
    theirs = kind(TheirConfig(**TINY)).eval()
    perturb(theirs)
    ours = SequenceClassifier.from_transformers(theirs)
    tokens, real, segments = rows("right")
    logits = theirs(tokens, attention_mask=real.long(), token_type_ids=segments).logits
    parts = BERT_PARTS | {"classifier": name}
    compare(ours, theirs, ours(tokens, real, segments), logits, lambda given: as_ours(ours.state_dict(), given, parts))


def test_answers_each_row_and_refuses_a_single_class():
    config = BertConfig(40, context=12, layers=1, heads=2, d_model=16)
    tokens, real, _ = rows("right")
    assert SequenceClassifier(config, 3, torch.Generator().manual_seed(0))(tokens, real).shape == (3, 3)
    with pytest.raises(ValueError, match="two classes at least; got 1"):
        SequenceClassifier(config, 1)
