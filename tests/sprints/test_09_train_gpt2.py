"""Sprint 9's claims, at a small size."""

import itertools
import json
import os
import statistics
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from shared.checks.invariants import check_causality
from shared.lab.config import check_recordable, parse_config
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch, pad_rows
from shared.text.cookbook import Cookbook
from shared.text.corpora import TextCorpus, cookbook_tokenizer
from shared.training.checkpoints import CheckpointError, load_checkpoint
from shared.training.loop import NonFiniteTraining
from shared.training.losses import next_token_loss
from shared.training.sealed import save_sealed

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "models" / "cookbook-gpt2"
TINY = {
    "layers": 1, "heads": 2, "d_model": 32, "vocab_size": 1024, "batch_size": 4, "context": 256, "steps": 12,
    "eval_every": 6, "save_every": 6, "validation_recipes": 8, "recipes": 2, "ngram_tokens": 5000, "device": "cpu",
    "precision": "float32",
}  # fmt: skip


@pytest.fixture
def train(load_sprint) -> ModuleType:
    return load_sprint("09_train_gpt2/train.py")


@pytest.fixture(autouse=True)
def _short_texts(load_sprint, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a model that was hardly trained writes ends with its context: it is cut where there is something to judge.
    module = load_sprint("09_train_gpt2/pretraining_study/written_texts.py")
    real = module.generate
    monkeypatch.setattr(
        module,
        "generate",
        lambda *some, max_new_tokens, **rest: real(*some, max_new_tokens=max_new_tokens // 8, **rest),
    )


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "book.txt"
    path.write_text("\n\n".join(Cookbook().recipe("train", index).text for index in range(40)), encoding="utf-8")
    return path


def test_training_lowers_the_loss_and_is_reproducible(train: ModuleType, tmp_path: Path):
    config = train.Config(**TINY, out=tmp_path)
    results = train.main(config)
    assert results.optimum < results.validation_loss < results.validation_losses[0] < np.log(1024) + 0.5
    assert results.optimum < results.ngram < results.unigram
    assert results.validation_loss == pytest.approx(results.validation_losses[-1], rel=1e-5)
    assert results.above_optimum == pytest.approx(results.validation_loss / results.optimum - 1)
    again = train.main(config)
    differing = {key for key, value in asdict(results).items() if asdict(again)[key] != value}
    assert differing <= {"training_seconds"}, "same seed, same results"
    assert train.main(replace(config, seed=1, out=tmp_path / "other")).validation_loss != results.validation_loss


def test_every_parameter_moves(train: ModuleType, tmp_path: Path):
    config = train.Config(**TINY | {"steps": 2, "warmup": 1}, out=tmp_path)
    torch.manual_seed(config.seed)
    before = GPT(train.size_of(config, 1024)).state_dict()
    train.main(config)
    after = load_checkpoint(tmp_path / "checkpoints" / "cookbook.pt")["model"]
    still = [name for name, weight in before.items() if torch.equal(weight, after[name])]
    assert not still


def test_a_resumed_run_equals_an_undisturbed_one(train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = train.Config(**TINY, dropout=0.1, out=tmp_path / "calm")
    calm = train.main(config)
    broken = replace(config, out=tmp_path / "killed")
    real, calls = train.save_whole, []

    def save_once(*args, **kwargs):
        real(*args, **kwargs)
        calls.append(1)
        raise KeyboardInterrupt  # right after the first checkpoint

    monkeypatch.setattr(train, "save_whole", save_once)
    with pytest.raises(KeyboardInterrupt):
        train.main(broken)
    monkeypatch.setattr(train, "save_whole", real)
    torch.manual_seed(123)  # another process would have another state
    resumed = train.main(replace(broken, resume=True))
    ends = [load_checkpoint(tmp_path / name / "checkpoints" / "cookbook.pt") for name in ("calm", "killed")]
    assert ends[0]["extra"]["losses"] == ends[1]["extra"]["losses"]
    assert all(torch.equal(weight, ends[1]["model"][name]) for name, weight in ends[0]["model"].items())
    assert resumed.samples == calm.samples


def test_resuming_with_other_options_names_them(train: ModuleType, tmp_path: Path):
    config = train.Config(**TINY | {"steps": 6}, out=tmp_path)
    train.main(config)
    with pytest.raises(CheckpointError, match=r"learning_rate is 0\.5, in the checkpoint 0\.003"):
        train.main(replace(config, resume=True, learning_rate=0.5))
    with pytest.raises(CheckpointError, match="start without --resume"):
        train.main(replace(config, resume=True, out=tmp_path / "elsewhere"))


def test_a_run_from_the_beginning_overwrites_only_what_it_makes_again(train: ModuleType, tmp_path: Path, text: Path):
    tiny = TINY | {"context": 32, "steps": 2, "data": str(text), "tokenizer": "char"}
    config = train.Config(**tiny, out=tmp_path)
    path = tmp_path / "checkpoints" / "book.pt"
    train.main(config)
    before = path.read_bytes()
    with pytest.raises(
        CheckpointError, match=r"2 steps of a run with other options \(steps is 3, in the checkpoint 2\)"
    ):
        train.main(replace(config, steps=3))
    unfinished = load_checkpoint(path) | {"step": 1}
    save_sealed(unfinished, path)
    with pytest.raises(
        CheckpointError, match=r"holds 1 steps of a run, and this run of 2 steps.*give --resume to go on"
    ):
        train.main(config)
    assert load_checkpoint(path)["step"] == 1
    path.write_bytes(before[:-70] + before[-69:])
    with pytest.raises(CheckpointError, match="or start again"):
        train.main(replace(config, resume=True))


def test_a_text_that_changed_meanwhile_cannot_resume(train: ModuleType, tmp_path: Path, text: Path):
    (tmp_path / "book.txt").write_text(text.read_text()[:9000])
    tiny = TINY | {"context": 32, "steps": 2, "data": str(tmp_path / "book.txt"), "tokenizer": "char"}
    config = train.Config(**tiny, out=tmp_path)
    train.main(config)
    (tmp_path / "book.txt").write_text(text.read_text()[:9000].replace("salt", "sand"))
    with pytest.raises(CheckpointError, match=r"corpus is '[0-9a-f]{16}', in the checkpoint '[0-9a-f]{16}'"):
        train.main(replace(config, resume=True))


def test_a_text_without_a_line_break_is_trained_on_to_the_end(train: ModuleType, tmp_path: Path):
    (tmp_path / "line.txt").write_text("all of it stands in a single line, " * 40)
    tiny = TINY | {"context": 16, "steps": 2, "data": str(tmp_path / "line.txt"), "tokenizer": "char"}
    assert len(train.main(train.Config(**tiny, out=tmp_path)).samples) == 3


def test_a_disk_without_room_is_told_before_training(
    train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(train, "train_steps", None)
    with pytest.raises(CheckpointError, match="are free: free some space or choose another --out"):
        train.main(train.Config(**TINY, out=tmp_path))


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("--heads 3", "d_model must be a multiple of heads"),
        ("--positions sinusoidal --d-model 5 --heads 1", "need an even --d-model; got 5"),
        ("--clip -1", "--clip: must be greater than 0; got -1"),
        ("--steps -1", "--steps: must be greater than or equal to 1"),
        ("--warmup -5", "--warmup: must be greater than or equal to 0"),
        ("--dropout 1", "--dropout: must be less than 1"),
        ("--vocab-size 256", "--vocab-size: must be greater than or equal to 257"),
        ("--learning-rate nan", "--learning-rate must be a finite number"),
        ("--compile", "--compile needs a C++ compiler"),
    ],
)
def test_options_are_checked_before_anything_is_built(
    train: ModuleType, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, words: str, rule: str
):
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SystemExit) as stopped:
        parse_config(train.Config, words.split(), train.PRESETS)
    assert stopped.value.code == 2
    assert rule in capsys.readouterr().err


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(
    train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real, calls = train.language_model_loss, []

    def broken(model, batch):
        calls.append(1)
        loss, count = real(model, batch)
        return (loss * float("nan") if len(calls) == 9 else loss), count

    monkeypatch.setattr(train, "language_model_loss", broken)
    with pytest.raises(NonFiniteTraining, match="step 9 is nan"):
        train.main(train.Config(**TINY, out=tmp_path))
    checkpoint = load_checkpoint(tmp_path / "checkpoints" / "cookbook.pt")
    assert checkpoint["step"] == 6
    assert all(weight.isfinite().all() for weight in checkpoint["model"].values())


@pytest.mark.parametrize("tokenizer", ["char", "bpe"])
def test_any_text_can_be_trained_on(train: ModuleType, tmp_path: Path, text: Path, tokenizer: str):
    config = train.Config(**TINY | {"context": 32, "data": str(text), "tokenizer": tokenizer}, out=tmp_path)
    results = train.main(config)
    assert results.optimum is None
    assert results.valid is None
    assert results.validation_loss < results.validation_losses[0]
    assert (tmp_path / "checkpoints" / "book.pt").exists()


def test_prepared_files_train_as_the_text_does(load_sprint, train: ModuleType, tmp_path: Path, text: Path):
    prepare = load_sprint("09_train_gpt2/prepare_data.py")
    prepared = prepare.main(prepare.Config(text=text, tokenizer="char", folder=tmp_path / "prepared", out=tmp_path))
    corpus = TextCorpus.load(tmp_path / "prepared")
    assert isinstance(corpus.train, np.memmap)
    assert len(corpus.train) + len(corpus.validation) == prepared.characters
    recipes = prepare.main(prepare.Config(recipes=30, vocab_size=300, folder=tmp_path / "recipes", out=tmp_path))
    assert recipes.vocab_size == 300
    tiny = TINY | {"context": 32, "steps": 3, "eval_every": 3}
    from_text = train.main(train.Config(**tiny, data=str(text), tokenizer="char", out=tmp_path))
    from_files = train.main(train.Config(**tiny, data=str(tmp_path / "prepared"), out=tmp_path / "files"))
    assert from_files.validation_loss == from_text.validation_loss


def test_a_recorded_run_starts_clean(train: ModuleType, capsys: pytest.CaptureFixture):
    assert not any(preset.get("resume") for preset in train.PRESETS.values())
    with pytest.raises(SystemExit):
        check_recordable(parse_config(train.Config, ["--record", "--resume"], train.PRESETS), train.PRESETS)
    assert "no other options; got --resume" in capsys.readouterr().err


def test_the_history_condenses_losses_between_evaluations(load_sprint):
    history = load_sprint("09_train_gpt2/pretraining_study/history.py").History([4.0, 2.0, 1.0], [2, 3])
    assert history.train_losses() == [3.0, 1.0]


def test_bad_texts_are_refused(train: ModuleType, tmp_path: Path):
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "short.txt").write_text("to be or not to be")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\xd8")
    (tmp_path / "folder").mkdir()
    for name, message in {
        "missing.txt": "there is no",
        "folder": "is no folder of prepared tokens",
        "binary.txt": "cannot read",
        "empty.txt": "the file is empty",
        "short.txt": "longer than one block of 257 tokens",
    }.items():
        config = train.Config(**TINY, data=str(tmp_path / name), tokenizer="char", out=tmp_path)
        with pytest.raises(ValueError, match=message):
            train.main(config)


def test_presets_are_defaults_that_options_override(train: ModuleType):
    config = parse_config(train.Config, ["--preset", "tinyshakespeare", "--steps", "7"], train.PRESETS)
    assert (config.data, config.context, config.steps) == ("tinyshakespeare", 128, 7)
    with pytest.raises(SystemExit):
        parse_config(train.Config, ["--preset", "war-and-peace"], train.PRESETS)


def test_baselines_improve_with_the_order_and_stay_above_the_optimum(load_sprint):
    script = load_sprint("09_train_gpt2/baselines.py")
    results = script.main(script.Config(tokens=60_000, orders=(1, 2, 3)))
    for losses in (results.kneser_ney, results.witten_bell):
        assert results.uniform > losses[0] > losses[1] > losses[2] > results.optimum


def test_evaluation_splits_the_loss_and_the_optimum_by_section(load_sprint, train: ModuleType, tmp_path: Path):
    trained = train.main(train.Config(**TINY, out=tmp_path))
    script = load_sprint("09_train_gpt2/evaluate.py")
    results = script.main(
        script.Config(
            checkpoint=tmp_path / "checkpoints" / "cookbook.pt", stream="validation", recipes=8, samples=2, device="cpu"
        )
    )
    assert results.loss == pytest.approx(trained.validation_loss, rel=1e-4)
    assert results.optimum == pytest.approx(trained.optimum, rel=1e-6)
    for section, nats in results.nats_per_recipe.items():
        assert nats > results.optimum_per_recipe[section] > 0
    assert set(results.valid) == {"1", "0.9", "0.8"}
    part = load_sprint("09_train_gpt2/pretraining_study/recipe_sections.py")
    model, tokenizer = script.from_checkpoint(tmp_path / "checkpoints" / "cookbook.pt")
    scores = part.score_recipes(model, tokenizer, Cookbook(), "validation", 8)
    gaps = [sum(score.nats) - sum(score.optimum) for score in scores]
    error = statistics.stdev(gaps) / 8**0.5 / statistics.mean(sum(score.optimum) for score in scores)
    assert results.standard_error == pytest.approx(error, rel=1e-4)


def test_tokens_below_one_in_a_thousand_are_counted_as_improbable(load_sprint):
    part = load_sprint("09_train_gpt2/pretraining_study/recipe_sections.py")
    tokenizer = cookbook_tokenizer(1024)

    class Guess(torch.nn.Module):
        """Gives every token the same logit, but for the first ones."""

        def __init__(self, first: int) -> None:
            super().__init__()
            self.logits = torch.nn.Parameter(torch.zeros(1024))
            self.logits.data[:first] = 5.0

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.logits.expand(*tokens.shape, 1024)

    (nothing,) = part.score_recipes(Guess(0), tokenizer, Cookbook(), "test", 1)
    assert nothing.improbable == pytest.approx(nothing.targets, rel=1e-4), "each has 1/1024"
    assert sum(nothing.nats) == pytest.approx(nothing.targets * np.log(1024), rel=1e-4)
    (half,) = part.score_recipes(Guess(7), tokenizer, Cookbook(), "test", 1)
    assert half.improbable / half.targets == pytest.approx(1017 / (1017 + 7 * np.exp(5)), rel=1e-4)


def test_a_model_of_a_text_is_not_scored_by_the_cookbooks_tokenizer(
    load_sprint, train: ModuleType, tmp_path: Path, text: Path
):
    tiny = TINY | {"context": 32, "steps": 1, "data": str(text), "tokenizer": "char"}
    train.main(train.Config(**tiny, out=tmp_path))
    script, path = load_sprint("09_train_gpt2/evaluate.py"), tmp_path / "checkpoints" / "book.pt"
    with pytest.raises(ValueError, match=r"it must be of the cookbook; got data='.*book\.txt'"):
        script.main(script.Config(checkpoint=path, recipes=2, samples=1))
    checkpoint = load_checkpoint(path)
    for changed, rule in (
        ({"data": "cookbook"}, r"\(fingerprint [0-9a-f]{16}, now [0-9a-f]{16}\)"),
        (
            None,
            r"is no checkpoint of sprints/09_train_gpt2/train\.py",
        ),
    ):
        save_sealed(checkpoint | {"config": checkpoint["config"] | changed if changed else {}}, path)
        with pytest.raises(ValueError, match=rule):
            script.main(script.Config(checkpoint=path, recipes=2, samples=1))


def test_the_sections_of_a_recipe_add_up_to_all_of_it(load_sprint):
    part = load_sprint("09_train_gpt2/pretraining_study/recipe_sections.py")
    text = "title\n\nflour\neggs\n\nmix"
    places = [(0, 1.0), (4, 2.0), (7, 4.0), (19, 8.0)]
    assert part.sum_by_section(text, places) == [3.0, 4.0, 8.0]
    cookbook = Cookbook()
    recipe = cookbook.recipe("test", 3)
    tracer = part.Tracer(recipe.text)
    cookbook.write(tracer)
    assert sum(nats for _, nats in tracer.trace) == pytest.approx(-recipe.log_prob)
    assert len(part.sum_by_section(recipe.text, tracer.trace)) == len(part.SECTIONS)


def test_the_contenders_train_the_same_model(load_sprint):
    part = load_sprint("09_train_gpt2/pretraining_study/contenders.py")
    size = GPTConfig(vocab_size=11, context=8, layers=1, heads=2, d_model=16, dropout=0.0)
    models = [part.PlainTorch(size), part.transformers_model(size), GPT(size)]
    spreads = [
        weight.std().item() for model in models for name, weight in model.named_parameters() if "positions" in name
    ]
    assert spreads[0] == pytest.approx(0.02, rel=0.2), "N(0, 1) is a handicap"
    counts = {sum(weight.numel() for weight in model.parameters()) for model in models}
    assert len(counts) == 1, "the output layer is tied in each"
    tokens = torch.randint(11, (2, 8), generator=torch.Generator().manual_seed(0))
    check_causality(models[0], tokens, vocab_size=11)
    padded = pad_rows([[1, 2, 3, 4], [5, 6]])
    assert part.labels_of(padded).tolist() == [[1, 2, 3, 4], [5, 6, -100, -100]]
    for losses_of, logits_of in (
        (part.transformers_losses, lambda tokens: part.transformers_model(size)(tokens).logits),
        (part.plain_torch_losses, lambda tokens: part.PlainTorch(size)(tokens)),
        (part.our_losses, lambda tokens: GPT(size)(tokens)),
    ):
        torch.manual_seed(0)
        expected = next_token_loss(logits_of(padded.tokens), padded.tokens, padded.mask).item()
        torch.manual_seed(0)
        losses = list(itertools.islice(losses_of(size, itertools.repeat(padded)), 40))
        assert losses[0] == pytest.approx(expected, rel=0.01), "padding does not count"
        assert losses[-1] < 0.8 * losses[0]


def test_the_fused_kernel_trains_the_same_model(load_sprint):
    part = load_sprint("09_train_gpt2/pretraining_study/contenders.py")
    size = GPTConfig(vocab_size=11, context=8, layers=1, heads=2, d_model=16, dropout=0.0)
    batch, losses = Batch(torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(0)), None), []
    for fused in (False, True):
        torch.manual_seed(0)
        trained = part.our_losses(size, itertools.repeat(batch), None, "float32", fused)
        losses.append(next(trained))
    assert losses[0] == pytest.approx(losses[1], rel=0.05), "other weights of attention, drawn alike"


def test_speeds_are_measured_in_turns(load_sprint, monkeypatch: pytest.MonkeyPatch):
    part = load_sprint("09_train_gpt2/pretraining_study/contenders.py")
    measured = iter([10.0, 5.0, 30.0, 10.0, 8.0, 8.0])
    monkeypatch.setattr(part, "alone", lambda function, *arguments: (function(*arguments), next(measured))[1])
    called = []
    rates = part.rates_in_turns({"ours": (called.append, "us"), "theirs": (called.append, "them")}, rounds=3)
    assert called == ["us", "them"] * 3
    assert rates == {"ours": [10.0, 30.0, 8.0], "theirs": [5.0, 10.0, 8.0]}
    assert part.median_ratio(rates, "ours", "theirs") == 2.0


@pytest.mark.parametrize(("script", "tiny"), [
    ("training_speed", {"steps": 1, "rounds": 1}),
    ("generation_speed", {"new_tokens": 2, "rounds": 1}),
    ("race_to_loss", {"target": 20.0}),
])  # fmt: skip
def test_the_speed_scripts_run(load_sprint, monkeypatch: pytest.MonkeyPatch, script: str, tiny: dict):
    small = {"vocab_size": 1024, "context": 512, "layers": 1, "heads": 2, "d_model": 16, "dropout": 0.0}
    contenders = load_sprint("09_train_gpt2/pretraining_study/contenders.py")
    module = load_sprint(f"09_train_gpt2/{script}.py")
    here = lambda function, *arguments: function(*arguments)  # noqa: E731 (a process takes seconds to start)
    for target in (contenders, module):
        monkeypatch.setattr(target, "alone", here, raising=False)
        monkeypatch.setattr(target, "SIZE", GPTConfig(**small), raising=False)
        monkeypatch.setattr(target, "SMALL", GPTConfig(**small), raising=False)
        monkeypatch.setattr(target, "BATCH_SIZE", 2, raising=False)
        monkeypatch.setattr(target, "keep_freed_memory", lambda: None, raising=False)
        monkeypatch.setattr(target, "cookbook_tokenizer", lambda: cookbook_tokenizer(1024), raising=False)
    results = module.main(module.Config(**tiny))
    assert all(value > 0 for value in vars(results).values() if isinstance(value, float))


def test_killed_training_ends_byte_identical(load_sprint, train: ModuleType, monkeypatch: pytest.MonkeyPatch):
    script = load_sprint("09_train_gpt2/resume_exactly.py")
    # Only what is killed needs a process of its own.
    monkeypatch.setattr(script, "finish", lambda words: train.main(parse_config(train.Config, words[2:])))
    results = script.main(script.Config(kills=1, steps=24, save_every=5))
    assert results.identical
    assert 0 < results.killed_at[0] < 24
    assert results.weights_sha256["calm"] == results.weights_sha256["killed"]
    assert script.digest({"a": torch.ones(2)}) != script.digest({"a": torch.zeros(2)})


def test_an_exported_model_is_a_model_of_transformers(load_sprint, train: ModuleType, tmp_path: Path):
    train.main(train.Config(**TINY | {"steps": 2}, out=tmp_path))
    script = load_sprint("09_train_gpt2/export_pretrained.py")
    checkpoint = tmp_path / "checkpoints" / "cookbook.pt"
    results = script.main(script.Config(checkpoint=checkpoint, out=tmp_path))
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(results.files)
    assert results.logit_difference < 1e-5
    assert results.same_tokens
    generate = load_sprint("09_train_gpt2/generate.py")
    written = generate.main(
        generate.Config(model=tmp_path / "cookbook-gpt2", prompt="Smoky", count=2, max_new_tokens=5, device="cpu")
    )
    assert all(text.startswith("Smoky") for text in written.texts)


@pytest.mark.skipif(not SHIPPED.exists(), reason="the shipped model has not been exported yet")
def test_the_shipped_model_is_small_and_good():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 10_000_000
    theirs = AutoModelForCausalLM.from_pretrained(SHIPPED).eval()
    tokenizer, cookbook = AutoTokenizer.from_pretrained(SHIPPED), Cookbook()
    model, nats, optimum = GPT.from_transformers(theirs).eval(), 0.0, 0.0
    for index in range(24):
        recipe = cookbook.recipe("test", index)
        ids = torch.tensor([[0, *tokenizer(recipe.text)["input_ids"], 0]])
        with torch.no_grad():
            # transformers shifts the labels itself and returns the mean over the targets.
            loss = theirs(ids, labels=ids).loss.item()
            assert model(ids).log_softmax(-1)[0, :-1].gather(-1, ids[0, 1:, None]).mean().item() == pytest.approx(
                -loss, abs=1e-4
            )
        nats += loss * (ids.shape[1] - 1)
        optimum -= recipe.log_prob
    assert 0.98 * optimum < nats < 1.06 * optimum


@pytest.mark.skipif("SPRINTS_DATA" not in os.environ, reason="SPRINTS_DATA names no folder with TinyShakespeare")
def test_tinyshakespeare_trains(train: ModuleType, tmp_path: Path):
    tiny = TINY | {"context": 32, "steps": 60, "eval_every": 60, "data": "tinyshakespeare", "tokenizer": "char"}
    tiny |= {"ngram_tokens": 100_000}
    results = train.main(train.Config(**tiny, out=tmp_path))
    assert results.validation_tokens == 111_540 - 1
    assert results.validation_loss < results.unigram == pytest.approx(3.347, abs=0.02)


def recorded(name: str) -> dict:
    """Return what a script of this sprint found when it was run last."""
    return json.loads((ROOT / "sprints" / "09_train_gpt2" / "results" / f"{name}.json").read_text())["results"]


def test_recorded_losses_reach_their_targets():
    default, shipped = recorded("train"), recorded("evaluate")
    assert default["above_optimum"] < 0.12
    assert default["validation_loss"] < 0.7 * default["ngram"]
    assert shipped["above_optimum"] + 2 * shipped["standard_error"] < 0.03
    assert recorded("train_tinyshakespeare")["validation_loss"] < 1.62
    assert recorded("train_tinyshakespeare")["training_seconds"] < 120
    assert recorded("train_tinyshakespeare_hour")["validation_loss"] < 1.50
    assert recorded("train_tinyshakespeare_hour")["training_seconds"] < 3600


def test_recorded_runs_resume_exactly_and_are_fast():
    resumed, generation = recorded("resume_exactly_thorough"), recorded("generation_speed")
    assert len(resumed["killed_at"]) == 20
    assert resumed["identical"]
    assert recorded("training_speed")["training_ratio"] > 1.7
    assert recorded("race_to_loss")["loss_ratio"] > 2
    assert generation["generation_ratio_1"] > 1.5, "the aim was 4: see the README"
    assert generation["generation_ratio_32"] > 2
    assert generation["cache_ratio"] > 3
