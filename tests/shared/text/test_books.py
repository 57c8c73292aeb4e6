"""Books: chapters and scenes, splits that share nothing, blocks in which every token is a target once."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shared.nn.pretrained import Logits, load_causal_model, load_tokenizer
from shared.text.books import Chapter, TextDataset, book_optimum, encode_scenes, read_book, split_chapters
from shared.text.cookbook import Cookbook
from shared.training.losses import evaluate_loss

BOOK = """By nobody

Chapter 1
One.
Still one.

* * *

Two.

# Third title
Three.
chapters are not headings

CHAPTER IV. The end
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "book.txt").write_text(BOOK)
    return tmp_path / "book.txt"


def test_a_book_is_read_into_chapters_and_scenes(book: Path):
    assert read_book(book) == (
        Chapter("Chapter 1", ("One.\nStill one.", "Two.")),
        Chapter("# Third title", ("Three.\nchapters are not headings",)),
    )


@pytest.mark.parametrize(
    ("content", "rule"),
    [(None, "there is no book"), (b"\xff\xfe", "not UTF-8 at byte 0"), (b"no headings", "has no chapters")],
)
def test_what_is_no_book_is_an_error(tmp_path: Path, content: bytes | None, rule: str):
    if content is not None:
        (tmp_path / "book.txt").write_bytes(content)
    with pytest.raises(ValueError, match=rule):
        read_book(tmp_path / "book.txt")


def test_a_split_deals_out_whole_chapters():
    chapters = [Chapter(str(number), (f"{number}\n",)) for number in range(7)]
    split = split_chapters(chapters, validation=2, test=1)
    assert [len(part) for part in split] == [4, 2, 1]
    assert [chapter for part in split for chapter in part] == chapters


@pytest.mark.parametrize(("validation", "test"), [(1, 2), (0, 1), (1, 0)])
def test_a_book_too_short_to_split_is_an_error(validation: int, test: int):
    chapters = [Chapter(str(number), ("text\n",)) for number in range(3)]
    with pytest.raises(ValueError, match="it has 3: mark more"):
        split_chapters(chapters, validation, test)


def test_the_example_of_the_docstring():
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


def test_the_loss_of_a_book_is_that_of_its_scenes_one_by_one():
    model, tokenizer = load_causal_model()
    chapters = [Chapter("1", tuple(Cookbook().recipe("test", index).text for index in range(3)))]
    documents = encode_scenes(chapters, tokenizer)
    ours, targets = evaluate_loss(Logits(model), TextDataset(documents, 255).batches(2))
    with torch.no_grad():
        theirs = [
            model(input_ids=row, labels=row).loss.item() * (row.shape[1] - 1)
            for document in documents
            for row in [torch.tensor([document])]
        ]
    assert targets == sum(len(document) - 1 for document in documents)
    assert ours == pytest.approx(sum(theirs) / targets, rel=1e-5)
    optimum = book_optimum(chapters, documents, Cookbook())
    assert optimum is not None
    assert optimum < ours < 1.1 * optimum


def test_the_optimum_is_known_for_the_cookbook_alone():
    recipe = Cookbook("flirty").recipe("test", 0)
    chapters = [Chapter("1", (recipe.text,))]
    documents = encode_scenes(chapters, load_tokenizer())
    assert book_optimum(chapters, documents, Cookbook("flirty")) == pytest.approx(
        -recipe.log_prob / (len(documents[0]) - 1)
    )
    assert book_optimum(chapters, documents, Cookbook("plain")) is None
    assert not math.isfinite(Cookbook("plain").log_prob(recipe.text))
