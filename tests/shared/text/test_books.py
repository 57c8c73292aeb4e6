"""Books: splits that share nothing, and the least loss that there can be."""

from pathlib import Path

import pytest
import torch

from shared.lab import provenance
from shared.nn.pretrained import Logits, load_causal_model, load_tokenizer
from shared.text.batches import TextDataset
from shared.text.books import SHIPPED_BOOK, encode_part, load_book, open_book, recipe_part, split_chapters
from shared.text.chapters import Chapter, read_book
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import character_tokenizer
from shared.training.losses import evaluate_loss


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


def write_book(path: Path, scenes: list[str]) -> Path:
    """Write a book of three chapters with as many scenes each."""
    size = len(scenes) // 3
    chapters = ["\n\n* * *\n\n".join(scenes[first : first + size]) for first in range(0, 3 * size, size)]
    path.write_text("\n".join(f"# {number}\n{text}" for number, text in enumerate(chapters)), encoding="utf-8")
    return path


def test_a_book_of_the_cookbook_is_recognised_by_its_voice(tmp_path: Path):
    voice, tokenizer = Cookbook("flirty"), load_tokenizer()
    recipes = [voice.recipe("train", index) for index in range(6)]
    book = load_book(write_book(tmp_path / "book.txt", [recipe.text for recipe in recipes]), tokenizer)
    assert book.cookbook is not None
    assert book.cookbook.voice == "flirty"
    for part, first in zip(book[:3], (0, 2, 4), strict=True):
        assert part.scenes == tuple(recipe.text for recipe in recipes[first : first + 2])
        assert [tokenizer.decode(document[1:-1]) for document in part.documents] == list(part.scenes)
        log_prob = sum(recipe.log_prob for recipe in recipes[first : first + 2])
        assert part.optimum == pytest.approx(-log_prob / sum(len(document) - 1 for document in part.documents))


def test_of_any_other_book_no_optimum_is_known(tmp_path: Path):
    scenes = ["A tale.", "A second one.", "A third one."]
    book = load_book(write_book(tmp_path / "book.txt", scenes), character_tokenizer("".join(scenes)))
    assert book.cookbook is None
    assert [part.optimum for part in book[:3]] == [None] * 3
    assert [part.targets for part in book[:3]] == [len(scene) + 1 for scene in scenes], "the end is a target too"
    # The first scene is the cookbook's, and another one is not.
    scenes = [Cookbook().recipe("train", 0).text, "A tale.", Cookbook().recipe("train", 1).text]
    mixed = load_book(write_book(tmp_path / "mixed.txt", scenes), load_tokenizer())
    assert mixed.validation.optimum is None
    assert mixed.test.optimum is not None


def test_recipes_are_a_part_as_if_they_were_read(tmp_path: Path):
    voice, tokenizer = Cookbook(), load_tokenizer()
    scenes = [voice.recipe("test", index).text for index in range(3)]
    read = load_book(write_book(tmp_path / "book.txt", scenes), tokenizer)
    for index, part in enumerate(read[:3]):
        drawn = recipe_part(voice, "test", 1, tokenizer, start=index)
        assert (drawn.scenes, drawn.documents) == (part.scenes, part.documents)
        assert drawn.optimum == pytest.approx(part.optimum)
    together = recipe_part(voice, "test", 3, tokenizer)
    assert together.scenes == tuple(scenes)
    assert encode_part(scenes, tokenizer).optimum is None


def test_no_model_is_below_the_optimum_and_the_loss_is_that_of_transformers():
    model, tokenizer = load_causal_model()
    part = recipe_part(Cookbook(), "test", 3, tokenizer)
    ours, targets = evaluate_loss(Logits(model), TextDataset(part.documents, 255).batches(2))
    with torch.no_grad():
        rows = [torch.tensor([document]) for document in part.documents]
        theirs = [model(input_ids=row, labels=row).loss.item() * (row.shape[1] - 1) for row in rows]
    assert targets == part.targets
    assert ours == pytest.approx(sum(theirs) / targets, rel=1e-5)
    assert part.optimum is not None
    assert part.optimum < ours < 1.1 * part.optimum


def test_what_was_left_out_is_said(tmp_path: Path):
    path = write_book(tmp_path / "book.txt", ["A tale.", "A second one.", "A third one."])
    tokenizer = character_tokenizer(path.read_text())
    assert load_book(path, tokenizer).remarks == ()
    path.write_text("A preface.\n" + path.read_text())
    assert load_book(path, tokenizer).remarks[0].startswith("left out: 10 characters before the first chapter")


def test_a_result_rests_on_the_book_that_it_read():
    provenance.forget_reads()
    read_book(SHIPPED_BOOK)
    assert list(provenance.provenance(Path(__file__))["data"]) == ["data/book.txt"]


def test_what_a_book_loses_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "tale.txt"
    path.write_text("A preface.\n# One\nA tale that goes on and on.\n# Two\nA tale.\n# Three\nA<|endoftext|>tale.\n")
    tokenizer = load_tokenizer()
    book = open_book(path, tokenizer, context=10)
    assert capsys.readouterr().out.splitlines() == [
        "tale.txt: left out: 10 characters before the first chapter (title page, preface)",
        "tale.txt: 2 of 3 scenes have more than 10 tokens and are read in pieces, each without what stands before it: "
        "a line '* * *' ends a scene",
    ]
    (document,) = book.test.documents
    assert tokenizer.eos_token_id not in document[1:-1], "a text cannot end its own document"
    open_book(SHIPPED_BOOK, tokenizer, context=256)
    assert not capsys.readouterr().out
