"""Batches hold every token where it belongs, and streams go on where they stopped."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shared.text.batches import BlockBatches, DocumentBatches, TextDataset, pad_rows, whole_text


def documents(start: int, count: int) -> list[list[int]]:
    """Document i is the number i + 1, i % 3 + 1 times."""
    return [[index + 1] * (index % 3 + 1) for index in range(start, start + count)]


def test_rows_are_padded_on_the_right_and_cut_at_the_context():
    batch = pad_rows([[5, 6, 7], [8]])
    assert batch.tokens.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch.mask.tolist() == [[True, True, True], [True, False, False]]
    assert pad_rows([[5, 6, 7], [8]], longest=2).tokens.tolist() == [[5, 6], [8, 0]]


def test_documents_come_in_order_and_resume_anywhere():
    batches = DocumentBatches(documents, batch_size=2)
    first, second = next(batches), next(batches)
    assert first.tokens.tolist() == [[1, 0], [2, 2]]
    assert second.tokens.tolist() == [[3, 3, 3], [4, 0, 0]]
    again = DocumentBatches(documents, batch_size=2)
    again.load_state_dict(batches.state_dict())
    assert torch.equal(next(again).tokens, next(batches).tokens)


def test_blocks_are_pieces_of_the_text_and_resume_anywhere():
    text = np.arange(100, dtype=np.uint16)
    batches = BlockBatches(text, batch_size=64, context=9, generator=torch.Generator().manual_seed(0))
    tokens, mask = next(batches)
    assert mask is None
    assert tokens.shape == (64, 10)
    assert torch.equal(tokens - tokens[:, :1], torch.arange(10).expand(64, 10))
    again = BlockBatches(text, batch_size=64, context=9, generator=torch.Generator())
    again.load_state_dict(batches.state_dict())
    assert torch.equal(next(again).tokens, next(batches).tokens)


def test_every_place_of_a_text_is_drawn():
    text = np.arange(12)
    batches = BlockBatches(text, batch_size=500, context=9, generator=torch.Generator().manual_seed(0))
    assert set(next(batches).tokens[:, 0].tolist()) == {0, 1, 2}, "the last block ends with the text"


@pytest.mark.parametrize("length", [2, 9, 10, 11, 37])
def test_the_whole_text_is_scored_once(length: int):
    targets: list[int] = []
    for tokens, mask in whole_text(np.arange(length), batch_size=2, context=3):
        for row, real in zip(tokens.tolist(), mask.tolist(), strict=True):
            targets += [token for token, counts in zip(row[1:], real[1:], strict=True) if counts]
    assert targets == list(range(1, length))


def test_a_text_shorter_than_a_block_is_refused():
    with pytest.raises(ValueError, match="longer than one block of 11 tokens; it has 10"):
        BlockBatches(np.arange(10), 1, 10, torch.Generator())


def test_the_example_of_blocks_of_documents():
    assert TextDataset([[1, 2, 3, 4, 5, 6]], context=3).blocks == [[1, 2, 3, 4], [4, 5, 6]]
    assert TextDataset([[1, 2, 3, 4, 5, 6]], context=3)[1].tolist() == [4, 5, 6]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 9), st.data())
def test_every_token_but_the_first_is_a_target_once(lengths: list[int], context: int, data: st.DataObject):
    lengths = [*lengths, 2]
    stride = data.draw(st.integers(1, context))
    documents = [[100 * number + index for index in range(length)] for number, length in enumerate(lengths)]
    dataset = TextDataset(documents, context, stride)
    scored = [int(token) for batch in dataset.batches(3) for token in batch.tokens[:, 1:][batch.mask[:, 1:]]]
    assert scored == [token for document in documents for token in document[1:]]
    assert max(map(len, dataset.blocks)) <= context + 1
    if stride == context:
        assert sum(len(block) - 1 for block in dataset.blocks) == len(scored)


def test_a_smaller_stride_gives_more_to_look_back_on():
    document = list(range(20))
    for stride in (1, 4, 8):
        dataset = TextDataset([document], 8, stride)
        before = [len(block) - new for block, new in zip(dataset.blocks, dataset.fresh, strict=True)][1:]
        assert min(before) >= 8 - stride + 1


@pytest.mark.parametrize("stride", [0, 5])
def test_a_stride_that_skips_targets_is_an_error(stride: int):
    with pytest.raises(ValueError, match="1 to context=4"):
        TextDataset([[1, 2, 3]], 4, stride)
    with pytest.raises(ValueError, match="at least two tokens"):
        TextDataset([[1]], 4)
