import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from shared.nn.lengths import pack, real_tokens


def test_real_tokens_on_either_side():
    lengths = torch.tensor([1, 3, 2])
    right, left = real_tokens(lengths, 3), real_tokens(lengths, 3, left=True)
    assert right.long().tolist() == [[1, 0, 0], [1, 1, 1], [1, 1, 0]]
    assert left.long().tolist() == [[0, 0, 1], [1, 1, 1], [0, 1, 1]]


@pytest.mark.parametrize("lengths", [(4, 4, 2, 1), (5, 3), (1,), (2, 2, 2)])
def test_packs_as_pytorch_does(lengths):
    x, lengths = torch.randn(len(lengths), 5, 2), torch.tensor(lengths)
    data, rows = pack(x, lengths)
    theirs = pack_padded_sequence(x, lengths, batch_first=True)
    assert data.equal(theirs.data)
    assert rows.equal(theirs.batch_sizes)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 0], r"from 1 to 3.*\[2, 0\].*leave empty rows out"),
        ([4, 1], r"from 1 to 3.*\[4, 1\].*cut long ones"),
        ([1, 2], r"longest first; got \[1, 2\].*argsort"),
    ],
)
def test_bad_lengths_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        pack(torch.zeros(2, 3, 1), torch.tensor(lengths))
