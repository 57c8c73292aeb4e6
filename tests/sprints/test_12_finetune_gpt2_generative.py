"""Sprint 12's claims, at a small size."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from shared.nn.pretrained import SHIPPED, Logits, load_causal_model
from shared.text.books import TextDataset
from shared.text.cookbook import Cookbook
from shared.text.unseen_words import unseen_tokens
from shared.training.checkpoints import load_checkpoint
from shared.training.losses import evaluate_loss

FOLDER = "12_finetune_gpt2_generative"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of four short chapters in the second voice."""
    cookbook, path = Cookbook("flirty"), tmp_path_factory.mktemp("book") / "small.txt"
    scenes = [cookbook.recipe("train", index).text for index in range(12)]
    chapters = ["\n\n* * *\n\n".join(scenes[first : first + 3]) for first in range(0, 12, 3)]
    path.write_text(
        "\n\n".join(f"Chapter {number}\n\n{text}" for number, text in enumerate(chapters)), encoding="utf-8"
    )
    return path


@pytest.fixture
def part(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/book_finetuning/book_tuning.py")


def test_the_book_is_what_the_command_makes(load_sprint, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/write_book.py")
    script.main(script.Config(book=tmp_path / "book.txt"))
    assert (tmp_path / "book.txt").read_bytes() == (ROOT / "data" / "book.txt").read_bytes()
    with pytest.raises(ValueError, match="at least one chapter"):
        script.main(script.Config(book=tmp_path / "none.txt", chapters=0))
    assert [path.name for path in tmp_path.iterdir()] == ["book.txt"], "nothing half-written is left"


def test_a_book_of_the_cookbook_is_recognised_by_its_voice(part: ModuleType, small: Path, tmp_path: Path):
    _, tokenizer = part.load_gpt(SHIPPED)
    book = part.load_book(small, tokenizer)
    assert book.cookbook.voice == "flirty"
    assert [len(piece.documents) for piece in book[:3]] == [6, 3, 3]
    targets = sum(len(document) - 1 for document in book.test.documents)
    expected = -sum(map(book.cookbook.log_prob, book.test.scenes)) / targets
    assert book.test.optimum(book.cookbook) == pytest.approx(expected)
    (tmp_path / "other.txt").write_text("# One\nA tale.\n# Two\nA tale.\n# Three\nA tale.\n")
    other = part.load_book(tmp_path / "other.txt", tokenizer)
    assert other.cookbook is None
    assert other.test.optimum(None) is None


def test_our_loss_on_a_chapter_is_that_of_transformers(part: ModuleType, small: Path):
    model, tokenizer = part.load_gpt(SHIPPED)
    chapter = part.load_book(small, tokenizer).test
    theirs, _ = load_causal_model(SHIPPED)
    total = targets = 0.0
    for document in chapter.documents:
        ids = torch.tensor([document])
        with torch.no_grad():
            total += theirs(input_ids=ids, labels=ids).loss.item() * (len(document) - 1)
        targets += len(document) - 1
    assert chapter.loss(model) == pytest.approx(total / targets, abs=1e-4)


def test_an_epoch_shows_every_block_once_and_rehearses(part: ModuleType):
    blocks = [[number, number] for number in range(1, 6)]
    batches = part.epochs(lambda: blocks, 2, torch.Generator().manual_seed(0))
    first, second = ([next(batches).tokens[:, 0].tolist() for _ in range(3)] for _ in range(2))
    assert all(sorted(index for row in epoch for index in row) == [1, 2, 3, 4, 5] for epoch in (first, second))
    assert first != second
    mixed = part.epochs(lambda: blocks, 5, torch.Generator().manual_seed(0), [[8, 8, 8], [9, 9]])
    assert [next(mixed).tokens[-1, 0].item() for _ in range(3)] == [8, 9, 8]


def test_scenes_are_renamed_the_same_everywhere(load_sprint, part: ModuleType):
    renaming, scenes = (
        load_sprint(f"{FOLDER}/book_finetuning/renaming.py"),
        [Cookbook("flirty").recipe("train", n).text for n in range(30)],
    )
    model, tokenizer = part.load_gpt(SHIPPED)
    unseen = unseen_tokens(model.token_embedding.weight).tolist()
    renamer = renaming.Renamer(model, tokenizer, scenes, unseen, share=1.0)
    generator = torch.Generator().manual_seed(0)
    for scene in scenes:
        renamed = renamer.rename(scene, generator)
        pairs = set(zip(scene.lower().split(), renamed.lower().split(), strict=True))
        swaps = {old.strip(".,:;"): new.strip(".,:;") for old, new in pairs if old != new}
        assert swaps, "something recurs in every recipe"
        assert len({old.strip(".,:;") for old, _ in pairs}) == len({new.strip(".,:;") for _, new in pairs}), (
            "one to one, so what was the same still is, and what was not is not"
        )
        assert not {"the", "lucky", "whisper"} & set(swaps), "the words of the voice stay"
    never = renaming.Renamer(model, tokenizer, scenes, unseen, share=0.0)
    assert [never.rename(scene, generator) for scene in scenes] == scenes


def tuning(script: ModuleType, small: Path, out: Path, **options) -> object:
    fixed = {"book": small, "epochs": 4, "batch_size": 3, "device": "cpu", "precision": "float32", "old_recipes": 4}
    return script.Config(**fixed | options, out=out)


def test_fine_tuning_learns_beats_scratch_forgets_and_is_reproducible(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/finetune.py")
    config = tuning(script, small, tmp_path)
    results = script.main(config)
    loss = results.loss
    assert loss["optimum"] < loss["counts"] < loss["fine-tuned"] < loss["from scratch"] < loss["original"]
    assert results.perplexity["fine-tuned"] == pytest.approx(math.exp(loss["fine-tuned"]))
    assert results.above_optimum["fine-tuned"] == pytest.approx(loss["fine-tuned"] / loss["optimum"] - 1)
    voice = results.first_voice
    assert voice["optimum"] < voice["before"] < voice["after"]
    assert results.renewed_tokens > 900
    history = results.history["fine-tuned"]
    assert history.validation[history.best_epoch - 1] == min(history.validation)
    assert script.main(config) == results, "same seed, same results"


def test_the_saved_model_is_the_best_one_and_every_parameter_moved(load_sprint, part, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/finetune.py")
    # This rate is far too high, so that the validation loss soon rises, and the best is not the last.
    results = script.main(tuning(script, small, tmp_path, scratch=False, learning_rate=0.05, patience=2, epochs=30))
    history = results.history["fine-tuned"]
    assert history.best_epoch + 2 == len(history.validation) < 30
    folder = tmp_path / "checkpoints" / "finetuned"
    saved, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    book = part.load_book(small, tokenizer)
    batches = TextDataset(book.test.documents, 255).batches(4)
    assert evaluate_loss(Logits(saved), batches)[0] == pytest.approx(results.loss["fine-tuned"], abs=1e-4)
    before, _ = part.load_gpt(SHIPPED)
    after = load_checkpoint(tmp_path / "checkpoints" / "fine-tuned.pt")["model"]
    assert not [name for name, weight in before.state_dict().items() if torch.equal(weight, after[name])]
    assert not list(tmp_path.rglob("*.tmp")), "nothing half-written is left"


def test_training_stops_when_the_validation_chapter_says_so(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/finetune.py")
    results = script.main(tuning(script, small, tmp_path, scratch=False, learning_rate=0.05, patience=1, epochs=30))
    history = results.history["fine-tuned"]
    assert len(history.validation) == history.best_epoch + 1 < 30


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "there is no book"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"no headings here", "has no chapters"),
        (b"# One\ntext\n# Two\ntext\n", "it has 2: mark more"),
    ],
)
def test_what_cannot_be_split_is_refused_before_anything_is_written(
    load_sprint, tmp_path: Path, content: bytes | None, rule: str
):
    script, path = load_sprint(f"{FOLDER}/finetune.py"), tmp_path / "book.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rule):
        script.main(tuning(script, path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_only_models_of_gpt2s_kind_are_tuned(part: ModuleType, tmp_path: Path):
    size = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    LlamaForCausalLM(LlamaConfig(vocab_size=2048, **size)).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(ROOT / "data" / "models" / "cookbook-gpt2").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a LlamaForCausalLM"):
        part.load_gpt(str(tmp_path))


def test_the_best_readers_pay_for_what_the_book_does_not_show(load_sprint):
    reader, voice = load_sprint(f"{FOLDER}/book_finetuning/best_reader.py"), Cookbook("flirty")
    texts = [voice.recipe("train", index).text for index in range(800)]
    scored = [voice.recipe("validation", index).text for index in range(30)]
    few, many = (
        reader.best_readers(voice, texts[:size], scored, lambda text: text.split(), 2048) for size in (40, 800)
    )
    assert few.optimum == many.optimum == pytest.approx(-sum(map(voice.log_prob, scored)))
    assert few.optimum < few.counts < few.spells
    assert few.new_wordings > 5 > many.new_wordings
    assert many.optimum < many.counts < 1.01 * many.optimum
    # Only the wording is to be learnt: without a training text each costs the logarithm of its alternatives.
    nothing = reader.best_readers(voice, [], scored, lambda text: text.split(), 2048)
    assert nothing.counts == pytest.approx(nothing.optimum)


def test_the_automaton_finds_the_longest_copies(load_sprint):
    copied, words = load_sprint(f"{FOLDER}/book_finetuning/copied_text.py"), st.text("abc", max_size=30)

    @given(st.lists(words, min_size=1, max_size=3), words)
    def check(texts: list[str], text: str) -> None:
        automaton = copied.SuffixAutomaton(texts)
        assert automaton.matches(text) == [
            max(n for n in range(end + 1) if any(text[end - n : end] in source for source in texts))
            for end in range(1, len(text) + 1)
        ]
        assert len(automaton.steps) <= 2 * len("\0".join(texts)) + 1

    check()


def test_the_share_of_copied_characters(load_sprint):
    copied = load_sprint(f"{FOLDER}/book_finetuning/copied_text.py")
    automaton = copied.SuffixAutomaton(["melt the butter", "slowly"])
    assert copied.copied_share(automaton, "XXmelt the XX", 9) == pytest.approx(9 / 13)
    assert copied.copied_share(automaton, "butterslowly", 7) == 0, "no copy reaches over the end of a scene"
    assert copied.copied_share(automaton, "", 1) == 0


def test_comparing_tells_copying_from_the_voice(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/compare.py")
    config = script.Config(tuned=SHIPPED, book=small, texts=6, device="cpu", out=tmp_path)
    results = script.main(config)
    assert results.valid["original"]["plain"] > results.valid["original"]["flirty"]
    assert results.samples["original"] == results.samples["fine-tuned"], "same model, prompts and seed, same text"
    assert results.copying["original"].median_longest < results.copying["new recipes of the grammar"].median_longest
    assert script.main(config) == results
    automaton = script.SuffixAutomaton(["a whole recipe", "another"])
    assert script.copying(automaton, ["a whole recipe", "none of it"], 5).whole == 1


def test_shifting_twice_reports_what_is_not_true(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/double_shift.py")
    config = script.Config(book=small, steps=30, device="cpu", new_tokens=5, out=tmp_path)
    results = script.main(config)
    assert results.right.reported == pytest.approx(results.right.true, rel=1e-3)
    assert results.right.true < results.before / 10
    assert results.right.check == "passes"
    assert results.shifted_twice.true > 1.5 * results.shifted_twice.reported
    assert results.shifted_twice.true > 5 * results.right.true
    assert "labels are shifted twice" in results.shifted_twice.check
    assert script.main(config) == results


def test_windows_dealt_at_random_flatter_and_the_ngrams_tell(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/leaking_split.py")
    assert script.shared_ngrams([[1, 2, 3, 4]], [[2, 3, 4], [4, 5]], 2) == pytest.approx(2 / 3)
    sizes = {"window": 32, "stride": 8, "steps": 60, "evaluations": 2, "batch_size": 4, "ngrams": (16,)}
    config = script.Config(book=small, **sizes, device="cpu", out=tmp_path)
    results = script.main(config)
    assert results.leaking.shared_ngrams["16"] > 0.9
    assert results.honest.shared_ngrams["16"] < 0.3
    assert results.leaking.reported[-1] < results.leaking.true[-1] / 1.5, "flattery"
    reported, true = math.log(results.honest.reported[-1]), math.log(results.honest.true[-1])
    assert reported == pytest.approx(true, rel=0.1), "three recipes and three others: an estimate"


def test_a_smaller_stride_costs_more_and_scores_the_same_tokens(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/stride.py")
    config = script.Config(
        book=small, steps=40, window=32, train_strides=(32,), strides=(32, 8), device="cpu", out=tmp_path
    )
    results = script.main(config)
    disjoint, overlapping = results.loss["32"]
    assert results.tokens_computed[0] == pytest.approx(1)
    assert results.tokens_computed[1] > 3
    assert overlapping < disjoint, "more context before each token"
    assert script.main(config) == results
    with pytest.raises(ValueError, match="stride must be 1 to context=32"):
        script.main(replace(config, strides=(33,)))


def test_more_book_helps(load_sprint, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/how_much_book.py")
    config = script.Config(recipes=(4, 64), scored=6, steps=24, passes=20, batch_size=4, device="cpu", out=tmp_path)
    results = script.main(config)
    few, many = results.rows
    for name in ("fine-tuned", "spells"):
        assert many.above_optimum[name] < few.above_optimum[name], name
    assert many.above_optimum["fine-tuned"] < many.above_optimum["from scratch"]
    assert [few.epochs, many.epochs] == [20, 1.5]


def test_every_result_is_recorded_with_its_own_name(load_sprint):
    script = load_sprint(f"{FOLDER}/finetune.py")
    assert script.run_name(script.Config()) == "finetune"
    assert script.run_name(script.Config(preset="seeds")) == "finetune_seeds"
    assert script.run_name(script.Config(model="gpt2", book=Path("a/tale.txt"))) == "finetune_gpt2_tale"
    for path in (ROOT / "sprints" / FOLDER / "results").glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["script"] in {
            "write_book.py",
            *(p.name for p in path.parents[1].glob("*.py")),
        }
