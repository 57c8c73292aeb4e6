"""A fingerprint is one of names, types, shapes and values, and of nothing else."""

from types import SimpleNamespace

import pytest
import torch

from shared.nn.fingerprints import fingerprint, tokenizer_fingerprint

WEIGHT = torch.arange(6.0)
OTHERS = {
    "value": {"w": WEIGHT + 1},
    "smallest change": {"w": torch.nextafter(WEIGHT, torch.tensor(9.0))},
    "name": {"v": WEIGHT},
    "shape": {"w": WEIGHT.view(2, 3)},
    "type": {"w": WEIGHT.double()},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_differs_has_another_fingerprint(other: dict[str, torch.Tensor]):
    assert fingerprint({"w": WEIGHT}) != fingerprint(other)
    assert fingerprint({"w": WEIGHT}) != fingerprint({"w": WEIGHT}, {"r": 1})


def test_layout_and_order_do_not_count():
    square = torch.arange(4.0).view(2, 2)
    assert fingerprint({"a": square.mT, "b": WEIGHT}) == fingerprint({"b": WEIGHT, "a": square.mT.contiguous()})
    assert len(fingerprint({"w": torch.zeros(0)})) == 16


def test_a_tokenizer_is_its_vocabulary():
    one, same, other = (
        SimpleNamespace(get_vocab=lambda words=words: words) for words in ({"a": 0, "b": 1}, {"b": 1, "a": 0}, {"a": 1})
    )
    assert tokenizer_fingerprint(one) == tokenizer_fingerprint(same) != tokenizer_fingerprint(other)
