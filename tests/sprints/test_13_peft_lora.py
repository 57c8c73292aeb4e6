"""Sprint 13's claims, with a tiny model and a tiny book."""

import copy
import dataclasses
import math
from pathlib import Path
from types import ModuleType

import peft
import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from shared.lab.config import parse_config
from shared.nn.adapter_files import load_adapter
from shared.nn.adapters import inject, layers_of, lora_layers, merge
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import load_tokenizer
from shared.text.books import load_book
from shared.text.cookbook import Cookbook
from shared.text.unseen_words import unseen_tokens

SPRINT = "13_peft_lora"
PACKAGE = f"{SPRINT}/adapter_study"


@pytest.fixture
def base_model(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/base_model.py")


@pytest.fixture
def loop(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/adaptation_loop.py")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> dict[str, str | Path]:
    """A model of one block that tells the words of the first voice apart and no others; a book in the second voice."""
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = load_tokenizer()
    torch.manual_seed(0)
    size = GPT2Config(vocab_size=2048, n_positions=200, n_embd=32, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(size)
    plain = Cookbook()
    seen = {0} | {token for index in range(300) for token in tokenizer.encode(plain.recipe("train", index).text)}
    unseen = sorted(set(range(2048)) - seen)
    with torch.no_grad():
        model.transformer.wte.weight[unseen] = model.transformer.wte.weight[unseen[0]].clone()
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    flirty = Cookbook("flirty")
    texts = [flirty.recipe("train", index).text for index in range(12)]
    chapters = [f"Chapter {n}\n\n" + "\n\n* * *\n\n".join(texts[4 * n : 4 * n + 4]) for n in range(3)]
    (folder / "book.txt").write_text("\n\n".join(chapters), encoding="utf-8")
    return {"model": str(folder / "model"), "book": folder / "book.txt"}


def without_seconds(value):
    """Results without what no two runs have in common."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.name != "seconds"]
        return {name: without_seconds(vars(value)[name]) for name in names}
    if isinstance(value, dict):
        return {key: without_seconds(item) for key, item in value.items()}
    return [without_seconds(item) for item in value] if isinstance(value, list) else value


def prepared(load_sprint, tiny, method: str, library: str = "ours", rank: int = 2):
    base_model, methods = (load_sprint(f"{PACKAGE}/{name}.py") for name in ("base_model", "tuning_methods"))
    generator = torch.Generator().manual_seed(0)
    base, tokenizer = base_model.load_base(tiny["model"], 0.0, torch.device("cpu"))
    model = methods.prepare(method, base, LoRAConfig(("c_attn", "c_fc"), rank), generator, library)
    return model, load_book(tiny["book"], tokenizer)


def test_by_hand_equals_peft_and_learns_the_best_change_of_each_rank(load_sprint):
    script = load_sprint(f"{SPRINT}/lora_by_hand.py")
    config = script.Config(inputs=8, outputs=6, rank=2, steps=400)
    results = script.main(config)
    assert results.errors == pytest.approx(results.optima, abs=1e-3)
    assert results.optima[0] > 0.5 > results.optima[1]
    assert results.adapter == 2 * (8 + 6)
    assert results.change_at_start == 0
    assert results.first_gradient_down == 0 < results.first_gradient_up
    differences = (results.from_shared, results.from_peft, results.gradient_from_peft, results.merged_from_peft)
    assert max(differences) < 1e-5
    assert results.merged_output < 1e-5
    assert results.unmerged_weight == 0
    short = dataclasses.replace(config, steps=5)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_the_layer_by_hand_is_that_of_shared(load_sprint):
    script = load_sprint(f"{SPRINT}/lora_by_hand.py")
    base = nn.Linear(7, 5, bias=False)
    by_hand = script.LoRALinear(base, 3, 6, torch.Generator().manual_seed(0))
    model = nn.Sequential(copy.deepcopy(base))
    layer = inject(model, LoRAConfig(("0",), 3, 6), generator=torch.Generator().manual_seed(0))["0"]
    assert torch.equal(by_hand.down, layer.down["default"]), "drawn in the same way"
    with torch.no_grad():
        by_hand.up.copy_(layer.up["default"].normal_(generator=torch.Generator().manual_seed(1)))
    x, target = torch.randn(4, 7), torch.randn(4, 5)
    for module in (by_hand, model):
        (module(x) - target).square().sum().backward()
    torch.testing.assert_close(by_hand(x), model(x))
    torch.testing.assert_close(by_hand.down.grad, layer.down["default"].grad)
    torch.testing.assert_close(by_hand.up.grad, layer.up["default"].grad)
    assert by_hand.weight.grad is None
    merge(model)
    torch.testing.assert_close(by_hand.merged(), layer.weight)
    assert (by_hand.merged() - base.weight).abs().max() > 0.1


def test_every_method_learns_and_trains_what_it_says(load_sprint, base_model, tiny, tmp_path):
    script = load_sprint(f"{SPRINT}/finetune_lora.py")
    config = script.Config(**tiny, rank=2, epochs=3, first_voice=2, out=tmp_path, full_rate=1e-2, device="cpu")
    results = script.main(config)
    full = results.methods["full"].parameters
    linear, ends = (32 + 96) + (32 + 32) + (32 + 128) + (128 + 32), 2 * (2048 + 32)
    assert {name: method.parameters for name, method in results.methods.items()} == {
        "full": full, "lora": 2 * (linear + ends), "head": 2048 * 32, "embedding": 2048 * 32,
    }  # fmt: skip
    assert results.renewed > 900
    for method in results.methods.values():
        assert method.test < results.before.test
        assert method.share == method.parameters / full
        losses = method.curves[0].validation_losses
        assert method.runs[0].validation == pytest.approx(min(losses)) == losses[method.curves[0].best_epoch - 1]
        assert method.above_full == pytest.approx(method.test / results.methods["full"].test - 1)
    assert results.methods["lora"].file_mb < results.methods["full"].file_mb / 5
    model, _ = base_model.load_base(tiny["model"], 0.0, torch.device("cpu"))
    with pytest.raises(ValueError, match="another base"):  # it was trained after new words had been renewed
        load_adapter(model, tmp_path / "checkpoints" / "lora", tiny["model"])
    base_model.renew_unseen(model, torch.Generator().manual_seed(config.seed))
    load_adapter(model, tmp_path / "checkpoints" / "lora", tiny["model"])
    assert len(lora_layers(model)) == 6
    again = script.main(dataclasses.replace(config, methods=("lora",)))
    assert without_seconds(again.methods["lora"].runs) == without_seconds(results.methods["lora"].runs), "same seed"


def test_a_reordered_recipe_is_the_recipe_with_the_method_first(load_sprint):
    texts, tokenizer = load_sprint(f"{PACKAGE}/tuning_texts.py"), load_tokenizer()
    book, first_voice = texts.reordered_texts(tokenizer, 5, 2)
    recipes = [Cookbook().recipe("train", index) for index in range(5)]
    for recipe, document in zip(recipes, book.train.documents, strict=True):
        title, method, listed, tip = tokenizer.decode(document[1:-1]).split("\n\n")
        assert "\n\n".join((title, listed, method, tip)) == recipe.text
    targets = sum(len(document) - 1 for document in book.train.documents)
    assert book.train.optimum == pytest.approx(-sum(recipe.log_prob for recipe in recipes) / targets)
    assert book.train.optimum == pytest.approx(book.test.optimum, rel=0.2)
    # Chapters to choose by and to be tested on share no recipe with those that are learnt.
    sets = [{tuple(sorted(document)) for document in part.documents} for part in (*book[:3], first_voice)]
    assert sum(map(len, sets)) == len(set().union(*sets))


def test_tuning_moves_everything_that_a_method_trains_and_nothing_else(load_sprint, loop, tiny):
    for method in ("full", "lora", "head", "embedding"):
        model, book = prepared(load_sprint, tiny, method)
        before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
        loop.tune(model, book, loop.AdaptationSettings(1, 1e-2, batch_size=1), torch.Generator())
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, before[name]) != parameter.requires_grad, (method, name)
        tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
        assert tied == (method != "head")


def test_ours_and_peft_train_alike(load_sprint, loop, tiny):
    (ours, book), (theirs, _) = (prepared(load_sprint, tiny, "lora", library) for library in ("ours", "peft"))
    for path, layer in layers_of(ours, "default").items():
        twin = theirs.get_submodule(f"base_model.model.{path}")
        twin.lora_A["default"].weight.data.copy_(layer.down["default"])
    settings = loop.AdaptationSettings(2, 1e-2, batch_size=2, warmup=1)
    curves = [loop.tune(model, book, settings, torch.Generator().manual_seed(0)) for model in (ours, theirs)]
    assert curves[0].validation_losses == pytest.approx(curves[1].validation_losses, abs=1e-4)
    assert curves[0].validation_losses[0] > curves[0].validation_losses[1]


def test_the_best_epoch_is_kept(load_sprint, base_model, loop, tiny):
    model, book = prepared(load_sprint, tiny, "full")
    # A rate that ruins the model after some steps
    curve = loop.tune(model, book, loop.AdaptationSettings(4, 1.0, batch_size=4, warmup=4), torch.Generator())
    assert curve.best_epoch < 4
    assert base_model.loss_on(book.validation, model) == pytest.approx(min(curve.validation_losses))


def test_new_words_with_one_vector_cannot_be_learnt_in_the_blocks(load_sprint, tiny):
    script = load_sprint(f"{SPRINT}/new_words.py")
    ways = ("blocks", "ends", "rows")
    config = script.Config(**tiny, ways=ways, epochs=40, rates=(3e-2,), device="cpu", precision="float32")
    results = script.main(config)
    assert results.cosine > 0.999 > 0.5 > results.cosine_of_others
    assert 0 < results.share_of_targets < 0.5
    bound = results.bound
    for way, outcome in results.ways.items():
        if way == "blocks":
            assert outcome.new_words > bound - 0.001
        else:
            assert outcome.new_words < bound - 0.5, way
        share = results.share_of_targets
        assert outcome.loss == pytest.approx(share * outcome.new_words + (1 - share) * outcome.other_words, rel=1e-4)
    assert results.ways["rows"].parameters == results.words_in_book * 32 + 2 * (32 + 96)
    assert results.ways["ends"].parameters - results.ways["blocks"].parameters == 2 * 2 * (2048 + 32)


def test_renewed_words_are_told_apart_and_the_others_stay(base_model, tiny):
    model, _ = base_model.load_base(tiny["model"], 0.0, torch.device("cpu"))
    before = model.transformer.wte.weight.detach().clone()
    unseen = unseen_tokens(before)
    assert base_model.renew_unseen(model, torch.Generator().manual_seed(0)) == len(unseen)
    after = model.transformer.wte.weight.detach()
    assert len(unseen_tokens(after)) == 0
    changed = (before != after).any(dim=1).nonzero()[:, 0]
    assert torch.equal(changed, unseen)
    assert model.lm_head.weight is model.transformer.wte.weight


def test_the_sweep_chooses_each_rate_on_validation(load_sprint, tiny):
    script = load_sprint(f"{SPRINT}/rank_sweep.py")
    config = script.Config(
        **tiny, targets=("attention", "linear, ends"), ranks=(1, 2), rates=(3e-2,), full_rates=(1e-2, 3e-2), epochs=1,
        seeds=2, device="cpu",
    )  # fmt: skip
    results = script.main(config)
    assert [(cell.targets, cell.rank) for cell in results.cells] == [
        ("full", 0), ("attention", 1), ("attention", 2), ("linear, ends", 1), ("linear, ends", 2),
    ]  # fmt: skip
    for cell in results.cells:
        assert cell.validation_by_rate[f"{cell.rate:g}"] == min(cell.validation_by_rate.values())
        assert len(cell.test) == 2
        # A batch holds the whole tiny book: the seed decides nothing but an adapter's first weights.
        assert cell.spread > 0 or not cell.rank
    assert results.cells[0].share == 1
    assert results.cells[2].parameters == 2 * results.cells[1].parameters == 2 * (32 + 96)
    assert [cell.rate for cell in results.cells[1:]] == [3e-2] * 4
    assert not any(cell.inside for cell in results.cells[1:]), "a single rate has no neighbours"
    assert len(results.cells[0].validation_by_rate) > 2, "the best of two is at an edge, so a third is tried"
    assert script.main(dataclasses.replace(config, targets=("attention",), ranks=(1,))).cells[1] == results.cells[1]


def test_each_adapter_is_best_on_its_own_text_and_leaves_the_base_alone(load_sprint, tiny, tmp_path):
    script = load_sprint(f"{SPRINT}/adapters.py")
    config = script.Config(**tiny, recipes=8, epochs=20, learning_rate=3e-2, rounds=3, out=tmp_path, device="cpu")
    results = script.main(config)
    for text in ("book", "reordered"):
        losses = {name: row[text] for name, row in results.losses.items()}
        assert min(losses, key=lambda name: losses[name]) == text
    assert results.same_after_switching
    assert results.same_from_files < 1e-5
    assert results.adapter_mb < results.base_mb / 5
    assert len(set(results.samples.values())) == 3
    for ratios in results.latency.values():
        for ratio in ratios.values():
            assert ratio.low <= ratio.median <= ratio.high


def test_spectra_of_changes_of_low_rank_and_of_noise(load_sprint, tiny):
    script = load_sprint(f"{SPRINT}/singular_values.py")
    results = script.main(script.Config(**tiny, rank=2, epochs=2, full_rate=1e-2, device="cpu"))
    assert set(results.spectra) == {"h.0.attn.c_attn", "h.0.attn.c_proj", "h.0.mlp.c_fc", "h.0.mlp.c_proj", "wte"}
    for spectrum in results.spectra.values():
        assert sum(value**2 for value in spectrum.full) == pytest.approx(1, abs=1e-4)
        assert sum(value**2 for value in spectrum.lora) == pytest.approx(1, abs=1e-4)
        assert spectrum.energy > spectrum.noise_energy
    assert results.truncated["64"] == pytest.approx(results.validation_full, abs=1e-4)
    assert results.truncated["0"] > results.validation_full


def test_the_edge_of_noise_is_where_marchenko_and_pastur_say(load_sprint):
    script = load_sprint(f"{SPRINT}/singular_values.py")
    noise = script.normalised(torch.randn(300, 900, generator=torch.Generator().manual_seed(0)))
    assert noise[0].item() == pytest.approx(script.marchenko_pastur(300, 900), rel=0.02)
    assert script.rank_for(torch.tensor([0.9, 0.3, 0.3])) == 2
    assert script.rank_for(torch.tensor([1.0, 0.0])) == 1


def test_lora_saves_gradients_and_moments_and_not_the_activations(load_sprint):
    script = load_sprint(f"{SPRINT}/memory.py")
    config = script.Config(layers=2, d_model=32, heads=2, vocab_size=64, tokens=16, rank=1, device="cpu")
    results = script.main(config)
    full = results.methods["full"]
    assert full.trained == results.parameters
    assert full.gradients == full.weights == full.moments / 2
    for name, memory in results.methods.items():
        assert memory.total == pytest.approx(memory.weights + memory.gradients + memory.moments + memory.activations)
        if name.startswith("LoRA"):
            assert memory.gradients < full.gradients / 20
            assert memory.activations > full.activations / 2
    # Weights are not counted as activations: twice the rows keep twice as much.
    twice = script.measure("full", dataclasses.replace(config, batch_size=2 * config.batch_size))
    assert twice.activations == pytest.approx(2 * full.activations, rel=0.01)
    # Nothing below the head needs a gradient, so nothing there is kept.
    assert results.methods["head"].activations < full.activations / 2


@pytest.fixture(scope="module")
def families(tiny, tmp_path_factory) -> dict[str, str]:
    """Folders of tiny models of both families with random weights."""
    folder = tmp_path_factory.mktemp("llama")
    torch.manual_seed(0)
    size = LlamaConfig(
        vocab_size=2048, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=200, bos_token_id=0, eos_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    model, tokenizer = LlamaForCausalLM(size), load_tokenizer()
    with torch.no_grad():
        weight = model.get_parameter("model.embed_tokens.weight")
        weight[1500:] = weight[1500].clone()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {"gpt2": str(tiny["model"]), "llama": str(folder)}


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_every_script_takes_both_families(load_sprint, tiny, families, tmp_path, family: str):
    common = {"model": families[family], "book": tiny["book"], "device": "cpu"}
    tuning = load_sprint(f"{SPRINT}/finetune_lora.py")
    for library in ("ours", "peft"):
        config = tuning.Config(
            **common, methods=("lora",), library=library, epochs=1, first_voice=1, out=tmp_path / library
        )
        results = tuning.main(config)
        assert results.methods["lora"].test < results.before.test
    width = {"gpt2": 128 + 64 + 160 + 160, "llama": 2 * 64 + 2 * 48 + 3 * 80}[family]
    assert results.methods["lora"].parameters == 2 * (width + 2 * (2048 + 32))
    sweep = load_sprint(f"{SPRINT}/rank_sweep.py")
    config = sweep.Config(**common, targets=("attention",), ranks=(1,), rates=(2e-2,), full_rates=(3e-3,), seeds=1)
    assert len(sweep.main(dataclasses.replace(config, epochs=1)).cells) == 2
    words = load_sprint(f"{SPRINT}/new_words.py")
    assert words.main(words.Config(**common, ways=("rows",), epochs=1)).ways["rows"].new_words > 0
    spectra = load_sprint(f"{SPRINT}/singular_values.py")
    found = spectra.main(spectra.Config(**common, rank=1, epochs=1))
    assert len(found.spectra) == {"gpt2": 5, "llama": 8}[family]
    spectra.plot(found)
    rates = load_sprint(f"{SPRINT}/learning_rates.py")
    config = rates.Config(**common, methods=("lora",), lora_rates=(1e-3, 1e-2), widenings=1, epochs=1)
    assert len(rates.main(config).methods["lora"].losses) == 3
    switching = load_sprint(f"{SPRINT}/adapters.py")
    config = switching.Config(**common, recipes=2, rank=1, epochs=1, rounds=1, out=tmp_path / "switching")
    assert switching.main(config).same_after_switching


def test_adapters_of_a_llama_load_in_both_libraries(load_sprint, families, tmp_path):
    methods, base_model = (load_sprint(f"{PACKAGE}/{name}.py") for name in ("tuning_methods", "base_model"))
    defaults = load_sprint(f"{PACKAGE}/model_defaults.py")
    tokens = torch.arange(10, 20)[None]

    def fresh() -> LlamaForCausalLM:
        return base_model.load_base(families["llama"], 0.0, torch.device("cpu"))[0]

    lora = LoRAConfig(defaults.find_names(fresh(), ("linear",)), 3, 5)
    for library in ("ours", "peft"):
        model = methods.prepare("lora", fresh(), lora, torch.Generator().manual_seed(0), library)
        for parameter in methods.trainable(model).values():
            parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(1))
        methods.save_trained(model, "lora", tmp_path / library, families["llama"], library)
        other = fresh()
        expected, plain = model(tokens).logits, other(tokens).logits
        if library == "ours":
            other = peft.PeftModel.from_pretrained(other, tmp_path / library)
        else:
            load_adapter(other, tmp_path / library, families["llama"])
        torch.testing.assert_close(other(tokens).logits, expected, atol=1e-5, rtol=1e-4)
        assert (expected - plain).abs().max() > 0.1


def test_defaults_follow_the_size_and_the_family(load_sprint, families):
    defaults, base_model = (load_sprint(f"{PACKAGE}/{name}.py") for name in ("model_defaults", "base_model"))
    model = base_model.load_base(families["llama"], 0.0, torch.device("cpu"))[0]
    assert defaults.rate_of(model, "lora") == 2e-2
    assert defaults.rate_of(model, "lora", 0.5) == 0.5
    assert defaults.rates_around(model, "full") == (1e-3, 3e-3, 9e-3)
    assert defaults.find_names(model, None) == (*defaults.FAMILIES["llama"].linear, "embed_tokens", "lm_head")
    assert defaults.find_names(model, ("attention", "o_proj")) == ("q_proj", "k_proj", "v_proj", "o_proj")
    assert defaults.block_length(model) == 200
    model.num_parameters = lambda: 135_000_000
    model.config.max_position_embeddings, model.config.vocab_size = 8192, 49_152
    assert defaults.rate_of(model, "lora") == 1e-3
    assert defaults.rate_of(model, "full") < 1e-4
    assert defaults.find_names(model, None) == defaults.FAMILIES["llama"].linear
    assert (defaults.block_length(model), defaults.block_length(model, 64)) == (256, 64)
    assert 1 <= defaults.rows_at_once(model, 256) <= 2
    model.config.model_type = "mamba"
    with pytest.raises(ValueError, match="family mamba; this sprint knows gpt2 and llama"):
        defaults.find_names(model, ("linear",))


def test_a_search_ends_inside_its_grid_or_says_that_it_does_not(load_sprint):
    search = load_sprint(f"{PACKAGE}/rate_search.py").search_rate
    tried = []

    def attempt(best: float):
        def loss(rate: float) -> tuple[float, str]:
            tried.append(rate)
            if rate > 1:
                raise ArithmeticError("not finite")
            return abs(math.log(rate / best)), f"model of {rate:g}"

        return loss

    inside = search(attempt(0.01), (0.003, 0.01, 0.03))
    assert (inside.rate, inside.outcome, inside.inside) == (0.01, "model of 0.01", True)
    assert len(tried) == 3, "nothing is added to a grid that holds its best rate"
    wider = search(attempt(0.1), (0.01, 0.03))
    assert (wider.rate, wider.inside) == (0.09, True)
    assert list(wider.losses) == [0.01, 0.03, 0.09, 0.27]
    assert not search(attempt(1e-6), (0.01, 0.03)).inside
    assert search(attempt(1e-6), (0.01, 0.03)).rate == pytest.approx(0.0011)
    assert search(attempt(0.1), (0.01,)).losses.keys() == {0.01}, "a single rate is taken as it is"
    diverged = search(attempt(0.9), (0.3, 0.9))
    assert diverged.losses[2.7] == math.inf
    assert diverged.inside
    with pytest.raises(ValueError, match="diverged with every rate of 2, 3"):
        search(attempt(1.0), (2.0, 3.0), widenings=0)


def test_long_documents_are_read_in_blocks_and_nothing_is_cut(load_sprint, loop, tiny):
    model, book = prepared(load_sprint, tiny, "lora")
    document = [*range(5, 105)]
    long = book._replace(train=book.train._replace(documents=[document]))
    read = []
    handle = model.register_forward_pre_hook(
        lambda _, __, given: read.append(given["input_ids"]) if model.training else None, with_kwargs=True
    )
    loop.tune(model, long, loop.AdaptationSettings(1, 1e-2, batch_size=1, block=30), torch.Generator())
    handle.remove()
    seen = sorted(token for row in read for token in row.flatten().tolist())
    assert seen == document[:-1], "each token but the last is an input once"


def test_shakespeare_is_held_out_from_its_end(load_sprint, monkeypatch, tmp_path):
    texts, tokenizer = load_sprint(f"{PACKAGE}/tuning_texts.py"), load_tokenizer()
    (tmp_path / "input.txt").write_text("\n".join(f"Speech {number}: salt and rice." for number in range(100, 400)))
    monkeypatch.setattr(texts, "fetch", lambda _, file: tmp_path / file)
    book = texts.shakespeare_texts(tokenizer, 20, 4, 3, 1).book
    assert [len(part.documents) for part in book[:3]] == [4, 3, 3]
    joined = [tokenizer.decode([token for block in part.documents for token in block]) for part in book[:3]]
    assert "Speech 100" in joined[0]
    assert "Speech 399" in joined[2]
    assert not {word for word in joined[0].split() if word[:-1].isdigit()} & {*joined[1].split(), *joined[2].split()}
    with pytest.raises(ValueError, match="take fewer"):
        texts.shakespeare_texts(tokenizer, 20, 4, 1000, 1)


def test_steps_are_timed_and_counted(load_sprint):
    script = load_sprint(f"{SPRINT}/step_time.py")
    results = script.main(
        script.Config(d_models=(32,), layers=1, rank=1, batch_size=1, tokens=4, rounds=3, device="cpu")
    )
    (row,) = results.widths.values()
    assert row.low <= row.median <= row.high
    assert row.counted == pytest.approx(2 / 3 + 4 / (3 * 32))
    assert script.counted_ratio(192, 48) == pytest.approx(1)


WRONG_OPTIONS = {
    "adapters": ["--recipes 0", "--rank 0", "--epochs -1", "--learning-rate nan", "--rounds 0", "--book nowhere.txt"],
    "finetune_lora": [
        "--methods prefix", "--targets", "--rank 0", "--alpha 0", "--epochs 0", "--batch-size 0", "--full-rate -1",
        "--lora-rate inf", "--head-rate 0", "--dropout 1", "--seeds 0", "--first-voice 0",
    ],
    "learning_rates": ["--methods none", "--rank 0", "--epochs 0", "--lora-rates 0", "--widenings 0", "--blocks 0"],
    "lora_by_hand": ["--inputs 0", "--outputs 0", "--rank 0", "--decay 0", "--steps 0", "--learning-rate 0"],
    "memory": ["--layers 0", "--d-model 7", "--heads 7", "--vocab-size 0", "--tokens 1", "--tokens 2000"],
    "new_words": ["--ways none", "--rank 0", "--epochs 0", "--rates 0", "--full-rates -1", "--book sprints"],
    "rank_sweep": ["--targets none", "--ranks 0", "--rates nan", "--full-rates 0", "--epochs 0", "--seeds 0"],
    "step_time": ["--d-models 33", "--layers 0", "--rank 0", "--batch-size 0", "--tokens 1", "--rounds 0"],
    "singular_values": ["--rank 0", "--epochs 0", "--full-rate 0", "--lora-rate -1"],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_options_out_of_range_are_refused(load_sprint, capsys, name: str):
    config = load_sprint(f"{SPRINT}/{name}.py").Config
    for words in WRONG_OPTIONS[name]:
        with pytest.raises(SystemExit) as end:
            parse_config(config, words.split())
        assert end.value.code == 2, words
        assert words.split()[0] in capsys.readouterr().err, words


def test_the_smallest_options_run(load_sprint):
    by_hand = load_sprint(f"{SPRINT}/lora_by_hand.py")
    results = by_hand.main(by_hand.Config(inputs=1, outputs=1, rank=1, steps=1))
    assert results.ranks == [1]
    memory = load_sprint(f"{SPRINT}/memory.py")
    memory.main(memory.Config(layers=1, d_model=2, heads=1, vocab_size=1, rank=1, batch_size=1, tokens=2, device="cpu"))


def test_targets_that_the_model_lacks_are_refused_before_any_training(load_sprint, tiny, tmp_path):
    script = load_sprint(f"{SPRINT}/finetune_lora.py")
    config = script.Config(**tiny, targets=("q_proj",), first_voice=1, epochs=1, out=tmp_path, device="cpu")
    with pytest.raises(ValueError, match=r"no module q_proj.*there are: wte, wpe, c_attn, c_proj, c_fc, lm_head"):
        script.main(config)
    assert not list(tmp_path.iterdir()), "the full fine-tuning, which comes first, did not begin"


def test_peft_reads_the_adapter_of_the_script(load_sprint, base_model, tiny, tmp_path):
    script = load_sprint(f"{SPRINT}/finetune_lora.py")
    config = script.Config(**tiny, methods=("lora",), epochs=1, first_voice=1, out=tmp_path, device="cpu")
    ours = script.main(config).methods["lora"].runs[0]
    base, tokenizer = base_model.load_base(tiny["model"], 0.0, torch.device("cpu"))
    base_model.renew_unseen(base, torch.Generator().manual_seed(config.seed))
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "checkpoints" / "lora")
    assert base_model.loss_on(load_book(tiny["book"], tokenizer).test, theirs) == pytest.approx(ours.test, abs=1e-4)
