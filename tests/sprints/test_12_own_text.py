"""Sprint 12's practitioner's path: any text, both families, memory, accumulation, interruption."""

from pathlib import Path
from types import ModuleType

import pytest
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from shared.lab.config import parse_config
from shared.nn.pretrained import Logits, load_tokenizer
from shared.text.batches import Batch, TextDataset, pad_rows
from shared.training.losses import language_model_loss

FOLDER = "12_finetune_gpt2_generative"
WORDS = "Whoever reads this text of mine finds no chapter and no star in it.\n"


def part(load_sprint, name: str) -> ModuleType:
    return load_sprint(f"{FOLDER}/book_finetuning/{name}.py")


def tiny(kind: str) -> GPT2LMHeadModel | LlamaForCausalLM:
    torch.manual_seed(0)
    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=2048, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
        )
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=2048, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=64, bos_token_id=0, eos_token_id=0, pad_token_id=0,
            tie_word_embeddings=True,
        )
    )  # fmt: skip


@pytest.fixture(params=["gpt2", "llama"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A tiny model with random weights in a folder, of one family and of the other."""
    tiny(request.param).save_pretrained(tmp_path / "model")
    load_tokenizer().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "my.txt"
    path.write_text(WORDS * 12, encoding="utf-8")
    return path


def options(folder: Path, text: Path, out: Path, **more) -> dict:
    fixed = {"model": str(folder), "book": text, "block": 16, "epochs": 2, "new_tokens": 4, "device": "cpu"}
    return fixed | {"precision": "float32", "out": out} | more


def test_nothing_of_a_text_without_chapters_is_lost(load_sprint, text: Path, capsys: pytest.CaptureFixture):
    tokenizer, texts = AutoTokenizer.from_pretrained("data/models/cookbook-gpt2"), part(load_sprint, "any_text")
    book = texts.open_text(text, tokenizer, 16)
    assert "".join(piece.scenes[0] for piece in book[:3]) == text.read_text(encoding="utf-8")
    assert "fewer than 3 chapters, so it is read as one text" in capsys.readouterr().out
    ids = [token for piece in book[:3] for document in piece.documents for token in document]
    assert (ids[0], ids[-1], ids.count(tokenizer.eos_token_id)) == (tokenizer.eos_token_id, tokenizer.eos_token_id, 2)
    assert tokenizer.decode(ids[1:-1]) == text.read_text(encoding="utf-8")
    parts = texts.cut_into_blocks(book, 16, None, None)
    assert [sum(len(row) - 1 for row in rows) for rows in parts[:3]] == [piece.targets for piece in book[:3]]
    few = texts.cut_into_blocks(book, 16, 2, 1)
    assert ([len(rows) for rows in few[:3]], few.optimum) == ([2, 1, 1], None)
    assert "train: the first 2 of" in capsys.readouterr().out


def test_a_text_with_chapters_is_split_by_them(load_sprint, text: Path):
    text.write_text("".join(f"Chapter {n}\n\n{WORDS}\n" for n in range(1, 5)), encoding="utf-8")
    book = part(load_sprint, "any_text").open_text(text, load_tokenizer(), 16)
    assert [len(piece.scenes) for piece in book[:3]] == [2, 1, 1]


@pytest.mark.parametrize(
    ("content", "rule"),
    [("One two three", "fewer|of two tokens or more"), ("word " * 12, "a block has 64: give a longer text")],
)
def test_a_text_that_is_too_short_is_refused(load_sprint, text: Path, content: str, rule: str):
    text.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rule):
        part(load_sprint, "any_text").open_text(text, load_tokenizer(), 64)


def test_both_families_are_tuned_on_any_text_and_reproducibly(load_sprint, folder: Path, text: Path, tmp_path: Path):
    script = load_sprint(f"{FOLDER}/finetune.py")
    config = script.Config(**options(folder, text, tmp_path / "run", learning_rate=3e-3))
    results = script.main(config)
    assert results.loss["fine-tuned"] < results.loss["before"]
    assert set(results.loss) == {"before", "fine-tuned", "from scratch", "optimum"}
    assert results.loss["optimum"] is None
    assert set(results.samples) == {"before", "fine-tuned", "from scratch"}
    again = script.main(config)
    assert (again.loss, again.samples) == (results.loss, results.samples)
    models = part(load_sprint, "real_models")
    before, after = (models.load_model(str(place))[0] for place in (folder, tmp_path / "run/checkpoints/fine-tuned"))
    weights = after.state_dict()
    assert not [name for name, weight in before.state_dict().items() if torch.equal(weight, weights[name])]
    assert not list((tmp_path / "run").rglob("*.pt")), "what was only needed to go on is gone"


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(
    load_sprint, folder: Path, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script = load_sprint(f"{FOLDER}/finetune.py")
    more = {"accumulate": 2, "every": 2, "batch_size": 2, "dropout": 0.1}
    whole = script.main(script.Config(**options(folder, text, tmp_path / "whole", **more)))
    scored = []

    def stop(*arguments) -> float:
        scored.append(1)
        if len(scored) == 4:
            raise KeyboardInterrupt
        return loss(*arguments)

    loss = script.score
    monkeypatch.setattr(script, "score", stop)
    config = options(folder, text, tmp_path / "whole", **more) | {"out": tmp_path / "cut"}
    with pytest.raises(ValueError, match="there is no checkpoint"):
        script.main(script.Config(**config, resume=True))
    scored.clear()
    with pytest.raises(KeyboardInterrupt):
        script.main(script.Config(**config))
    monkeypatch.setattr(script, "score", loss)
    with pytest.raises(ValueError, match="give --resume to go on"):
        script.main(script.Config(**config))
    with pytest.raises(ValueError, match="belongs to another configuration: epochs is"):
        script.main(script.Config(**config | {"epochs": 3, "resume": True}))
    resumed = script.main(script.Config(**config, resume=True))
    assert (resumed.loss, resumed.history, resumed.samples) == (whole.loss, whole.history, whole.samples)


def test_accumulating_equals_one_large_batch(load_sprint):
    tuning = part(load_sprint, "resumable_tuning")
    blocks = [list(range(1, 3 + number)) for number in range(8)]  # of different lengths
    ends = []
    for rows, accumulate in ((4, 1), (2, 2)):
        model = tiny("llama")
        batches = tuning.batches_from(blocks, rows, seed=0)
        trained = tuning.train_steps(
            Logits(model), batches, loss_function=language_model_loss,
            optimizers=[torch.optim.SGD(model.parameters(), lr=0.1)], steps=2, accumulate=accumulate,
        )  # fmt: skip
        ends.append(([loss for _, loss in trained], [weight.detach() for weight in model.parameters()]))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-5)
    assert all(torch.allclose(*pair, atol=1e-6) for pair in zip(ends[0][1], ends[1][1], strict=True))


def test_batches_go_on_at_any_number_and_show_each_block_once_an_epoch(load_sprint):
    tuning, blocks = part(load_sprint, "resumable_tuning"), [[number] * 2 for number in range(5)]
    batches = tuning.batches_from(blocks, 2, seed=1)
    first = [next(batches).tokens[:, 0].tolist() for _ in range(7)]
    for epoch in (first[:3], first[3:6]):
        assert sorted(number for row in epoch for number in row) == [0, 1, 2, 3, 4]
    assert first[:3] != first[3:6]
    for start in (1, 3, 5):
        later = tuning.batches_from(blocks, 2, seed=1, start=start)
        assert [next(later).tokens[:, 0].tolist() for _ in range(7 - start)] == first[start:]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("twice", [False, True])
def test_the_estimate_of_what_blocks_keep_is_near_what_pytorch_keeps(load_sprint, kind: str, twice: bool):
    memory = part(load_sprint, "memory_needed")
    torch.manual_seed(0)
    if kind == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=8, n_positions=64, n_embd=96, n_layer=6, n_head=3, resid_pdrop=0, attn_pdrop=0,
                       embd_pdrop=0)
        )  # fmt: skip
    else:
        model = LlamaForCausalLM(
            LlamaConfig(vocab_size=8, hidden_size=96, intermediate_size=256, num_hidden_layers=6, num_attention_heads=3,
                        num_key_value_heads=1, max_position_embeddings=64)
        )  # fmt: skip
    model.set_attn_implementation("eager")
    if twice:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}
    alive = []  # so that no address is used twice

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            alive.append(tensor)
        return tensor

    tokens = torch.randint(8, (4, 64), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        language_model_loss(Logits(model), Batch(tokens, None))
    needed = memory.memory_needed(model.config, model.num_parameters(), 4, 63, twice)
    # With checkpointing the block that is computed again is not there yet after the forward pass.
    block = memory.memory_needed(model.config, 0, 4, 63, False).kept / 6 if twice else 0
    # Three vectors around the last norm; beside thirty blocks they do not count, beside six inputs they do.
    ends = 4 * 3 * 96 * 4 * 63 / 1e6
    assert sum(kept.values()) / 1e6 == pytest.approx(needed.kept - block + ends, rel=1 / 3)


def test_checkpointing_changes_no_gradient():
    gradients = []
    for twice in (False, True):
        model = tiny("llama").train()
        if twice:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        loss, _ = language_model_loss(Logits(model), pad_rows([[1, 2, 3, 4, 5]]))
        loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    assert all(torch.allclose(*pair, atol=1e-7) for pair in zip(*gradients, strict=True))


def test_what_does_not_fit_is_refused_with_what_does(load_sprint):
    memory, model = part(load_sprint, "memory_needed"), tiny("llama")
    needed = memory.memory_needed(model.config, model.num_parameters(), 4, 16, False)
    assert memory.choose_checkpointing(model, 4, 16, "auto", None) == (False, needed)
    assert memory.choose_checkpointing(model, 4, 16, "auto", 3 * needed.total)[0] is False
    assert memory.choose_checkpointing(model, 4, 16, "auto", 1.5 * needed.total)[0] is True
    with pytest.raises(ValueError, match=r"needs about .* GB .*: try --gradient-checkpointing yes, --batch-size 1"):
        memory.choose_checkpointing(model, 4, 16, "no", needed.total / 2)
    with pytest.raises(ValueError, match="or LoRA"):
        memory.choose_checkpointing(model, 1, 16, "yes", 0.001)


def test_rates_follow_the_size_and_those_that_would_wreck_are_refused(load_sprint, monkeypatch: pytest.MonkeyPatch):
    models, model = part(load_sprint, "real_models"), tiny("gpt2")
    assert models.rates_of(model) == models.SMALL_RATES
    assert models.rates_of(model, tuned=0.01).tuned == 0.01
    assert models.block_length(model) == models.block_length(model, 500) == 64
    monkeypatch.setattr(models, "SMALL", 100)
    assert models.rates_of(model) == models.REAL_RATES
    with pytest.raises(ValueError, match=r"--learning-rate 0.01 would destroy .*: at most 0.001; 3e-05 is where"):
        models.rates_of(model, tuned=0.01)


def test_from_scratch_no_token_starts_at_zero_where_gradients_explode(load_sprint):
    models, deep = part(load_sprint, "real_models"), tiny("llama").config
    deep.num_hidden_layers = 60
    with_padding = LlamaForCausalLM(deep)
    fresh = models.fresh_model(with_padding)
    finite = []
    for model in (with_padding, fresh):
        loss, _ = language_model_loss(Logits(model).train(), pad_rows([[0, 1, 2, 3]]))
        loss.backward()
        assert loss.isfinite()
        finite.append(all(weight.grad.isfinite().all() for weight in model.parameters()))
    assert finite == [False, True]
    assert fresh.get_input_embeddings().get_parameter("weight").norm(dim=1).min() > 0


def test_evaluation_takes_few_rows_where_the_vocabulary_is_large(load_sprint, monkeypatch: pytest.MonkeyPatch):
    models, model = part(load_sprint, "real_models"), tiny("llama")
    documents = [[1, 2, 3, 4]] * 6
    whole, sizes, evaluate = models.score(model, documents, 3), [], models.evaluate_loss
    monkeypatch.setattr(models, "MOST_LOGITS", 2 * 3 * 2048)
    monkeypatch.setattr(
        models, "evaluate_loss", lambda model, batches: evaluate(model, (sizes.append(len(b[0])) or b for b in batches))
    )
    assert models.score(model, documents, 3) == pytest.approx(whole, rel=1e-6)
    assert sizes == [2, 2, 2]
    assert len(TextDataset(documents, 3)) == 6


@pytest.mark.parametrize("name", ["finetune_on_book", "how_much_book", "double_shift", "stride", "leaking_split"])
def test_rates_of_the_small_model_are_refused_for_a_real_one(
    load_sprint, tmp_path: Path, capsys: pytest.CaptureFixture, name: str
):
    size = GPT2Config(vocab_size=2048, n_positions=16, n_embd=384, n_layer=12, n_head=2)
    GPT2LMHeadModel(size).save_pretrained(tmp_path)
    load_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(SystemExit):
        parse_config(load_sprint(f"{FOLDER}/{name}.py").Config, ["--model", str(tmp_path)])
    assert "finetune.py has rates by size" in capsys.readouterr().err
