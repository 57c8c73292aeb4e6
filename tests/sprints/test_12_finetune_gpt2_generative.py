"""Sprint 12's claims, at a small size."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from shared.lab.config import parse_config
from shared.nn.pretrained import SHIPPED, Logits, load_causal_model, load_tokenizer
from shared.text.batches import TextDataset
from shared.text.books import SHIPPED_BOOK, load_book, recipe_part
from shared.text.cookbook import Cookbook
from shared.text.unseen_words import unseen_tokens
from shared.training.loop import NonFiniteTraining
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
def models(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/book_finetuning/pretrained_gpt.py")


@pytest.fixture
def training(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/book_finetuning/training_on_blocks.py")


def test_the_book_is_what_the_command_makes_and_only_recording_replaces_it(
    load_sprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script = load_sprint(f"{FOLDER}/write_book.py")
    script.main(script.Config(out=tmp_path / "run"))
    assert (tmp_path / "run" / "book.txt").read_bytes() == SHIPPED_BOOK.read_bytes()
    monkeypatch.setattr(script, "SHIPPED_BOOK", tmp_path / "shipped" / "book.txt")
    script.main(script.Config(out=tmp_path / "run", chapters=1))
    assert not (tmp_path / "shipped").exists()
    script.main(script.Config(out=tmp_path / "run", record="default"))
    assert (tmp_path / "shipped" / "book.txt").read_bytes() == SHIPPED_BOOK.read_bytes()
    with pytest.raises(SystemExit):
        parse_config(script.Config, ["--chapters", "0"])


def test_our_loss_on_a_chapter_is_that_of_transformers(models: ModuleType, training: ModuleType, small: Path):
    model, tokenizer = models.load_gpt(SHIPPED)
    chapter = load_book(small, tokenizer).test
    theirs, _ = load_causal_model(SHIPPED)
    total = 0.0
    for document in chapter.documents:
        ids = torch.tensor([document])
        with torch.no_grad():
            total += theirs(input_ids=ids, labels=ids).loss.item() * (len(document) - 1)
    assert training.loss_on(chapter, model) == pytest.approx(total / chapter.targets, abs=1e-4)


def test_an_epoch_shows_every_block_once_and_rehearses(training: ModuleType):
    blocks = [[number, number] for number in range(1, 6)]
    batches = training.block_batches(lambda: blocks, 2, torch.Generator().manual_seed(0))
    first, second = ([next(batches).tokens[:, 0].tolist() for _ in range(3)] for _ in range(2))
    assert all(sorted(index for row in epoch for index in row) == [1, 2, 3, 4, 5] for epoch in (first, second))
    assert first != second
    mixed = training.block_batches(lambda: blocks, 5, torch.Generator().manual_seed(0), [[8, 8, 8], [9, 9]])
    assert [next(mixed).tokens[-1, 0].item() for _ in range(3)] == [8, 9, 8]


def test_scenes_are_renamed_the_same_everywhere(load_sprint, models: ModuleType):
    renaming = load_sprint(f"{FOLDER}/book_finetuning/renaming.py")
    scenes = [Cookbook("flirty").recipe("train", n).text for n in range(30)]
    model, tokenizer = models.load_gpt(SHIPPED)
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


def test_a_model_is_made_ready_for_a_book(models: ModuleType):
    part = recipe_part(Cookbook("flirty"), "train", 8, load_tokenizer())
    before, _ = models.load_gpt(SHIPPED)
    for options, renewed in ({"rename": 1.0}, True), ({"rename": 0.0, "new_vectors": False}, False):
        generator = torch.Generator().manual_seed(0)
        model, source, count = models.prepare_for_book(SHIPPED, part.scenes, generator, seed=3, **options)
        changed = (model.token_embedding.weight != before.token_embedding.weight).any(dim=1).nonzero()[:, 0]
        assert len(changed) == count == (len(unseen_tokens(before.token_embedding.weight)) if renewed else 0)
        first, second = source(), source()
        plain = TextDataset(part.documents, model.config.context - 1).blocks
        assert (first == plain, first == second) == (not renewed, not renewed), "other names in every epoch"


def without_muon(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AdamW move all weights: the products of Muon take longer than the rest of a step of the shipped model."""
    monkeypatch.setattr(script, "FineTuningSettings", partial(script.FineTuningSettings, muon_learning_rate=0.0))


def finetuning(script: ModuleType, small: Path, out: Path, **options) -> object:
    fixed = {"book": small, "epochs": 4, "batch_size": 3, "device": "cpu", "precision": "float32", "old_recipes": 4}
    return script.Config(**fixed | options, out=out)


def test_fine_tuning_learns_beats_scratch_forgets_and_is_reproducible(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/finetune_on_book.py")
    # The model begins far from these words, surer of its own than one that has learnt nothing: few epochs do not pay.
    # AdamW moves all weights: the products of Muon take longer than the rest of a step.
    config = finetuning(script, small, tmp_path, epochs=12, learning_rate=5e-3, muon_learning_rate=0.0)
    results = script.main(config)
    readers = load_sprint(f"{FOLDER}/how_close_can_one_get.py")
    best = readers.main(readers.Config(book=small))
    loss = results.loss
    assert loss["optimum"] == best.loss["optimum"]
    assert loss["optimum"] < best.loss["counts"] < loss["fine-tuned"] < loss["from scratch"] < loss["original"]
    assert results.perplexity["fine-tuned"] == pytest.approx(math.exp(loss["fine-tuned"]))
    assert results.above_optimum["fine-tuned"] == pytest.approx(loss["fine-tuned"] / loss["optimum"] - 1)
    voice = results.first_voice
    assert voice["optimum"] < voice["before"] < voice["after"]
    assert results.renewed_tokens > 900
    history = results.history["fine-tuned"]
    assert history.validation[history.best_epoch - 1] == min(history.validation)
    few = replace(config, epochs=1, scratch=False, muon_learning_rate=0.01)
    assert script.main(few) == script.main(few), "same seed, same results"


def test_the_saved_model_is_the_best_one_and_every_parameter_moved(
    load_sprint, models: ModuleType, small: Path, tmp_path: Path
):
    script = load_sprint(f"{FOLDER}/finetune_on_book.py")
    # This rate is far too high, so that the validation loss soon rises, and the best is not the last.
    options = {"scratch": False, "learning_rate": 0.05, "muon_learning_rate": 0.0, "patience": 2, "epochs": 30}
    results = script.main(finetuning(script, small, tmp_path, **options))
    history = results.history["fine-tuned"]
    assert history.best_epoch + 2 == len(history.validation) < 30
    folder = tmp_path / "checkpoints" / "finetuned"
    saved, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    batches = TextDataset(load_book(small, tokenizer).test.documents, 255).batches(4)
    assert evaluate_loss(Logits(saved), batches)[0] == pytest.approx(results.loss["fine-tuned"], abs=1e-4)
    before, _ = models.load_gpt(SHIPPED)
    after = models.load_tuned_gpt(str(folder)).state_dict()
    assert not [name for name, weight in before.state_dict().items() if torch.equal(weight, after[name])]
    assert not list(tmp_path.rglob("*.tmp")), "nothing half-written is left"


def test_training_stops_when_the_validation_chapter_says_so(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/finetune_on_book.py")
    options = {"scratch": False, "learning_rate": 0.05, "muon_learning_rate": 0.0, "patience": 1, "epochs": 30}
    results = script.main(finetuning(script, small, tmp_path, **options))
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
    script, path = load_sprint(f"{FOLDER}/finetune_on_book.py"), tmp_path / "book.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rule):
        script.main(finetuning(script, path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "words", "rule"),
    [
        ("stride", "--strides 65", "a stride must be 1 to --window 64, or targets would be skipped; got 65"),
        ("stride", "--train-strides 64 0", "--train-strides: must be greater than or equal to 1"),
        ("leaking_split", "--stride 65", "--stride must be 1 to --window 64"),
        ("leaking_split", "--steps 3", "--evaluations must be at most --steps 3; got 4"),
        ("leaking_split", "--window 29", "no window of 30 tokens holds one of the --ngrams, of 32"),
        ("leaking_split", "--held-out 1", "--held-out: must be less than 1"),
        ("finetune_on_book", "--rename 1.5", "--rename: must be less than or equal to 1"),
        ("finetune_on_book", "--book /nowhere.txt", "--book: there is no such file"),
        ("compare", "--temperature -1", "--temperature: must be greater than or equal to 0"),
        ("write_book", "--chapters 0", "--chapters: must be greater than or equal to 1"),
    ],
)
def test_options_are_checked_before_anything_is_built(
    load_sprint, capsys: pytest.CaptureFixture, name: str, words: str, rule: str
):
    script = load_sprint(f"{FOLDER}/{name}.py")
    with pytest.raises(SystemExit) as stopped:
        parse_config(script.Config, words.split())
    assert stopped.value.code == 2
    assert rule in capsys.readouterr().err


def test_a_model_is_compared_with_the_book_and_the_tokens_that_it_was_tuned_on(models: ModuleType, tmp_path: Path):
    model, tokenizer = models.load_gpt(SHIPPED)
    books = [tmp_path / "one.txt", tmp_path / "other.txt"]
    for book in books:
        book.write_text(book.stem)
    models.save_gpt(model, tokenizer, tmp_path / "tuned", books[0])
    models.check_tuned(str(tmp_path / "tuned"), books[0], tokenizer)
    models.check_tuned(SHIPPED, books[1], tokenizer)
    with pytest.raises(
        ValueError, match=r"tuned on another book than .*\(SHA-256 [0-9a-f]{16}, this one has [0-9a-f]{16}\)"
    ):
        models.check_tuned(str(tmp_path / "tuned"), books[1], tokenizer)
    tokenizer.add_tokens(["flirty"])
    with pytest.raises(ValueError, match="has other tokens than"):
        models.check_tuned(str(tmp_path / "tuned"), books[0], tokenizer)


def test_evaluation_in_smaller_pieces_gives_the_same_loss(
    training: ModuleType, models: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    model, tokenizer = models.load_gpt(SHIPPED)
    part, sizes, whole = recipe_part(Cookbook(), "test", 3, tokenizer), [], training.evaluate_loss
    monkeypatch.setattr(
        training,
        "evaluate_loss",
        lambda model, batches: whole(model, (sizes.append(len(b.tokens)) or b for b in batches)),
    )
    at_once = training.loss_on(part, model)
    monkeypatch.setattr(training, "MOST_LOGITS", 256 * 2048)
    assert training.loss_on(part, model) == pytest.approx(at_once, rel=1e-6)
    assert sizes == [3, 1, 1, 1]


def test_a_loss_that_diverges_is_told_with_its_step(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/double_shift.py")
    config = script.Config(book=small, steps=30, learning_rate=1e30, device="cpu", new_tokens=5, out=tmp_path)
    with pytest.raises(NonFiniteTraining, match="norm of the gradient of step"):
        script.main(config)


def test_only_models_of_gpt2s_kind_are_tuned(models: ModuleType, tmp_path: Path):
    size = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    LlamaForCausalLM(LlamaConfig(vocab_size=2048, **size)).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(ROOT / "data" / "models" / "cookbook-gpt2").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a LlamaForCausalLM"):
        models.load_gpt(str(tmp_path))


def test_a_model_that_is_not_made_yet_names_the_command_that_makes_it(
    models: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(models, "TUNED_MODEL", tmp_path / "finetuned")
    with pytest.raises(ValueError, match=r"make it by uv run sprints/12_finetune_gpt2_generative/finetune_on_book\.py"):
        models.load_tuned_gpt(str(tmp_path / "finetuned"))


def test_learners_that_need_no_training_are_ranked_by_what_they_know(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/how_close_can_one_get.py")
    results = script.main(script.Config(book=small))
    assert results.loss["optimum"] < results.loss["counts"] < results.loss["spells"] < results.loss["5-gram"]
    assert results.above_optimum["optimum"] == 0
    assert results.new_wordings > 0
    assert script.main(script.Config(book=small)) == results
    (tmp_path / "tale.txt").write_text("# One\nA tale.\n# Two\nA tale.\n# Three\nA tale.\n")
    other = script.main(script.Config(book=tmp_path / "tale.txt"))
    assert (other.loss["spells"], other.loss["optimum"], other.new_wordings) == (None, None, None)
    assert other.loss["5-gram"] > 0
    recipe = Cookbook("flirty").recipe("train", 0).text
    (tmp_path / "mixed.txt").write_text(f"# One\n{recipe}\n# Two\nA tale.\n# Three\nA tale.\n")
    assert script.main(script.Config(book=tmp_path / "mixed.txt")).loss["spells"] is None


def test_the_best_readers_pay_for_what_the_book_does_not_show(load_sprint):
    reader, voice = load_sprint(f"{FOLDER}/book_finetuning/best_readers.py"), Cookbook("flirty")
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
        assert len(automaton.steps) <= max(1, 2 * len("\0".join(texts))), "as note 6 proves"

    check()


def test_the_share_of_copied_characters(load_sprint):
    copied = load_sprint(f"{FOLDER}/book_finetuning/copied_text.py")
    automaton = copied.SuffixAutomaton(["melt the butter", "slowly"])
    assert copied.copied_share(automaton, "XXmelt the XX", 9) == pytest.approx(9 / 13)
    assert copied.copied_share(automaton, "butterslowly", 7) == 0, "no copy reaches over the end of a scene"
    assert copied.copied_share(automaton, "", 1) == 0
    with pytest.raises(ValueError, match=r"at most 5,000,000 characters.*these have 6,000,000"):
        copied.SuffixAutomaton(["a" * 6_000_000])


def test_what_is_left_out_is_left_out(load_sprint, small: Path, monkeypatch: pytest.MonkeyPatch):
    script = load_sprint(f"{FOLDER}/what_helps.py")
    names = ("the defaults", "with rehearsal")
    # The products of Muon take longer than the rest of a step.
    variants = {name: replace(script.VARIANTS[name], muon_learning_rate=0.0) for name in names}
    monkeypatch.setattr(script, "VARIANTS", variants)
    monkeypatch.setattr(script, "recipe_part", lambda book, stream, _, tokens: recipe_part(book, stream, 8, tokens))
    results = script.main(script.Config(book=small, variants=names, epochs=4, batch_size=3, device="cpu"))
    losses = results.variants
    assert list(losses) == [*names]
    assert losses["with rehearsal"].first_voice < losses["the defaults"].first_voice, "it is not forgotten"
    assert losses["with rehearsal"].validation != losses["the defaults"].validation
    assert results.optimum < min(loss.validation for loss in losses.values())


def test_a_variant_reaches_the_training(load_sprint, small: Path, monkeypatch: pytest.MonkeyPatch):
    script = load_sprint(f"{FOLDER}/what_helps.py")
    book, asked = load_book(small, load_tokenizer()), []
    model = torch.nn.Linear(1, 1)
    monkeypatch.setattr(script, "prepare_for_book", lambda *_, **ways: asked.append(ways) or (model, lambda: [[0]], 0))
    monkeypatch.setattr(script, "FineTuningSettings", lambda *numbers: asked.append(numbers) or replace(settings))
    monkeypatch.setattr(script, "fine_tune", lambda *given: asked.append(given[-1]) or iter([(1, 1.0)]))
    settings = load_sprint(f"{FOLDER}/book_finetuning/training_on_blocks.py").FineTuningSettings(1)
    other = script.Variant(learning_rate=1.0, muon_learning_rate=2.0, dropout=0.3, rename=0.4, renew=False)
    for variant, rehearsed in (other, ()), (replace(other, rehearse=True), [[7]]):
        asked.clear()
        script.train(script.Config(epochs=3, batch_size=1, device="cpu", seed=5), variant, book, [[7]], "other")
        ways = {"seed": 5, "dropout": 0.3, "rename": 0.4, "new_vectors": False}
        assert asked == [ways, (3, 1, 1.0, 2.0), rehearsed]


def test_in_the_shipped_model_words_never_shown_are_long_and_parallel(models: ModuleType):
    vectors = models.load_gpt(SHIPPED)[0].token_embedding.weight.detach()
    never = torch.zeros(len(vectors), dtype=torch.bool).index_fill_(0, unseen_tokens(vectors), True)
    lengths, unit = vectors.norm(dim=1), torch.nn.functional.normalize(vectors[never], dim=1)
    assert (unit @ unit[0]).min() > 0.98
    assert lengths[never].mean() > 1.2 * lengths[~never].mean()


def test_what_is_pasted_is_measured(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/copies_on_purpose.py")
    config = script.Config(book=small, texts=8, shares=(0.0, 0.5, 1.0), out=tmp_path)
    none, half, whole = script.main(config).controls
    assert none.pasted == 0
    for control in half, whole:
        assert control.longest >= 200 > none.longest
        assert control.measured - none.measured == pytest.approx(control.pasted, abs=0.05)
    assert whole.pasted > 1.8 * half.pasted


def test_comparing_tells_copying_from_the_voice(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/compare.py")
    config = script.Config(tuned=SHIPPED, book=small, texts=6, device="cpu", out=tmp_path)
    results = script.main(config)
    assert results.valid["original"]["plain"] > results.valid["original"]["flirty"]
    assert results.samples["original"] == results.samples["fine-tuned"], "same model, prompts and seed, same text"
    assert results.copying["original"].median_longest < results.copying["new recipes of the grammar"].median_longest
    assert script.main(config) == results
    automaton = script.SuffixAutomaton(["a whole recipe", "another"])
    assert script.measure_copying(automaton, ["a whole recipe", "none of it"], 5).whole == 1


def test_shifting_twice_reports_what_is_not_true(load_sprint, small: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/double_shift.py")
    config = script.Config(book=small, steps=20, learning_rate=3e-3, device="cpu", new_tokens=5, out=tmp_path)
    results = script.main(config)
    assert results.right.reported == pytest.approx(results.right.true, rel=1e-3)
    assert results.right.true < results.before / 10
    assert results.right.check == "passes"
    assert results.shifted_twice.true > 1.5 * results.shifted_twice.reported
    assert results.shifted_twice.true > 5 * results.right.true
    assert "labels are shifted twice" in results.shifted_twice.check
    few = replace(config, steps=1)
    assert script.main(few) == script.main(few), "same seed, same results"


def test_windows_dealt_at_random_flatter_and_the_ngrams_tell(
    load_sprint, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script = load_sprint(f"{FOLDER}/leaking_split.py")
    without_muon(script, monkeypatch)
    assert script.shared_ngrams([[1, 2, 3, 4]], [[2, 3, 4], [4, 5]], 2) == pytest.approx(2 / 3)
    sizes = {"window": 32, "stride": 8, "steps": 25, "evaluations": 1, "batch_size": 8, "ngrams": (16,)}
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
        book=small, steps=2, window=32, train_strides=(32,), strides=(32, 8), device="cpu", out=tmp_path
    )
    results = script.main(config)
    disjoint, overlapping = results.loss["32"]
    assert results.tokens_computed[0] == pytest.approx(1)
    assert results.tokens_computed[1] > 3
    assert overlapping < disjoint, "more context before each token"
    assert script.main(config) == results, "same seed, same results"
    with pytest.raises(ValueError, match="stride must be 1 to context=32"):
        script.main(replace(config, strides=(33,)))


def test_more_book_helps(load_sprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = load_sprint(f"{FOLDER}/how_much_book.py")
    without_muon(script, monkeypatch)
    config = script.Config(recipes=(2, 16), scored=3, steps=12, passes=20, batch_size=2, device="cpu", out=tmp_path)
    results = script.main(config)
    few, many = results.rows
    for name in ("fine-tuned", "spells"):
        assert many.above_optimum[name] < few.above_optimum[name], name
    assert many.above_optimum["fine-tuned"] < many.above_optimum["from scratch"]
    assert [few.epochs, many.epochs] == [12, 1.5]
