"""Sprint 7's claims, at a small size; every invariant on every block, sound and broken."""

import re
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import average_precision_score
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.blocks import DecoderBlock, EncoderBlock
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.cookbook import Cookbook
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

FOLDER = "07_transformer_block"


@pytest.fixture
def script(load_sprint):
    return lambda name: load_sprint(f"{FOLDER}/{name}.py")


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{FOLDER}/block_study/{name}.py")


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("batch_norm", "--context 11", "--context: must be greater than or equal to 12; got 11"),
        ("batch_norm", "--d-model 30", "--d-model: must be a multiple of 4; got 30"),
        ("block_by_hand", "--heads 3", "got 3 heads and d_model 64: give another number of --heads, or --d-model 63"),
        ("block_by_hand", "--batch 13", "each row is padded by one token more; got --batch 13 of --tokens 12"),
        ("break_it", "--steps 0", "--steps: must be greater than or equal to 1; got 0"),
        ("cost", "--longest 3000", "--longest: must be greater than or equal to 4096; got 3000"),
        ("diagram", "--heads 5", "got 5 heads and d_model 64"),
        ("gradient_by_layer", "--depths 3 3", "a power law needs two depths or more; got (3, 3): give more --depths"),
        ("gradient_by_layer", "--d-model 63 --heads 1", "--d-model: must be a multiple of 2; got 63"),
        ("keys_and_values", "--model nowhere", "--model: there is no such folder; got nowhere"),
        ("layer_norm", "--d-model 1", "--d-model: must be greater than or equal to 2; got 1"),
        ("neurons", "--recipes 0", "--recipes: must be greater than or equal to 1; got 0"),
        ("parity", "--preset float64 --batch 9", "got --batch 9 of --tokens 8"),
        ("position_wise", "--d-hidden 0", "--d-hidden: must be greater than or equal to 1; got 0"),
        ("pre_or_post", "--clip -1", "--clip: must be greater than or equal to 0; got -1.0"),
        ("pre_or_post", "--preset wide --steps 99", "must end; got --warmup 100 of --steps 99: give less"),
        ("remove_neurons", "--draws 0", "--draws: must be greater than or equal to 1; got 0"),
        ("residual", "--depths 4 257", "--depths: must be less than or equal to 256; got (4, 257)"),
        ("train_deep", "--kinds both", "--kinds"),
        ("train_deep", "--warmup -5", "--warmup: must be greater than or equal to 0; got -5"),
        ("what_norms_ignore", "--tokens 1", "--tokens: must be greater than or equal to 2; got 1"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name, words, sentence):
    assert sentence in refusal(f"{FOLDER}/{name}.py", words)


def test_norms_by_hand_are_the_librarys_and_their_gradients_too(script):
    layer_norm = script("layer_norm")
    config = layer_norm.Config(batch=2, tokens=5, d_model=24)
    results = layer_norm.main(config)
    assert max(results.output_difference.values()) < 1e-5
    assert max(results.gradient_difference.values()) < 1e-5
    assert all(results.gradcheck.values())
    assert layer_norm.main(config) == results, "same seed, same results"


def test_what_each_norm_does_not_notice(script):
    norms = script("what_norms_ignore")
    results = norms.main(norms.Config(batch=4, tokens=8, d_model=32))
    shift, scale, one_feature, sign = results.moved["layer norm"]
    moved = {norm: [by[change] > 1e-3 for change in (shift, scale, one_feature)] for norm, by in results.moved.items()}
    assert moved["layer norm"] == [False, False, True]
    assert moved["RMSNorm"] == [True, False, True]
    assert moved["batch norm"] == [False, False, False]
    assert all(by[sign] > 1 for by in results.moved.values())
    assert results.gradient_along["layer norm"]["all ones"] < 1e-5
    assert results.gradient_along["RMSNorm"]["all ones"] > 0.1
    assert all(along["the output"] < 1e-3 for along in results.gradient_along.values())
    assert results.output_rms[0] < 1e-3, "far below the root of epsilon the scale comes through"
    assert results.output_rms[-1] == pytest.approx(1, abs=1e-3)
    assert results.gradient_norm[-2] == pytest.approx(10 * results.gradient_norm[-1], rel=1e-3)


def test_a_norm_of_one_feature_is_refused(script):
    with pytest.raises(ValueError, match="at least 2 features to compare; got d_model=1"):
        script("layer_norm").HandLayerNorm(1)


def test_batch_norm_depends_on_others_and_reads_the_future_in_training(script):
    batch_norm = script("batch_norm")
    config = batch_norm.Config(
        recipes=4, validation_recipes=1, context=16, d_model=16, layers=1, steps=3, runs=1, device="cpu"
    )
    results = batch_norm.main(config)
    for norm, moved in results.moved.items():
        assert all((by > 0.01) == (norm == "batch norm") for by in moved.values()), norm
        assert results.future_seen[norm]["evaluation"] is None
        assert (results.future_seen[norm]["training"] is not None) == (norm == "batch norm")
        assert (results.losses_as_trained[norm] != pytest.approx(results.losses[norm], abs=1e-4)) == (
            norm == "batch norm"
        )
    assert batch_norm.main(config) == results, "same seed, same results"


def test_a_block_in_one_function_is_the_block(script):
    by_hand = script("block_by_hand")
    results = by_hand.main(by_hand.Config(batch=3, tokens=6, d_model=16, heads=2))
    assert len(results.output) == 6
    assert max(results.output.values()) < 1e-5
    assert max(results.gradient.values()) < 1e-5


def test_blocks_equal_pytorchs_for_all_norms_activations_and_masks_alone_and_stacked(script, monkeypatch):
    parity = script("parity")
    fast, compare_fast_path = [], parity.compare_fast_path
    monkeypatch.setattr(parity, "compare_fast_path", lambda *given: fast.append(compare_fast_path(*given)) or fast[-1])
    config = parity.Config(depths=(1, 6), batch=2, tokens=5, d_model=16, heads=2, d_hidden=24)
    results = parity.main(config)
    assert results.comparisons == 8 * 2 * 5
    for rows in results.by_depth.values():
        assert max(max(row) for row in rows) < 1e-5
    assert len(fast) == 4 * 2, "each kind of encoder at each depth"
    assert results.fast_path == max(fast) < 1e-5
    precise = replace(config, depths=(1,), precision="float64")
    found = parity.main(precise)
    assert max(max(row) for rows in found.by_depth.values() for row in rows) < 1e-12, "what differs is rounding"
    assert parity.main(precise) == found, "same seed, same results"


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_parity_would_notice_one_wrong_weight(script, part, kind: str):
    parity, twins = script("parity"), part("pytorch_twins")
    config = parity.Config(tokens=5)
    sizes = {"d_model": 16, "heads": 2, "d_hidden": 24, "dtype": torch.float32}
    ours, theirs = twins.make_twins(kind, "pre", "relu", 2, **sizes)
    inputs = [torch.randn(3, 5, 16, requires_grad=True) for _ in range(1 + (kind == "decoder"))]
    case = next(iter(parity.mask_cases(config, kind)))
    assert max(parity.compare(ours, theirs, inputs, case)) < 1e-5
    assert all(parameter.std() > 0 for parameter in ours.parameters()), "zeros would hide a forgotten bias"
    for parameter in ours.parameters():
        with torch.no_grad():
            parameter.view(-1)[-1] += 0.1
        assert max(parity.compare(ours, theirs, inputs, case)) > 1e-5
        with torch.no_grad():
            parameter.view(-1)[-1] -= 0.1
    with pytest.raises(ValueError, match="'encoder' or 'decoder'; got 'both'"):
        twins.make_twins("both", "pre", "relu", 1, **sizes)


def test_gradients_vanish_explode_or_pass(script, part):
    residual = script("residual")
    config = residual.Config(depths=(1, 4, 16), runs=2)
    results = residual.main(config)
    assert 0.8 < results.per_block["pre"] < 1.2
    assert results.per_block["neither"] < 0.6
    assert results.per_block["no norm"] > 1.5
    assert results.difference["no addition"][-1] < 1e-12, "without additions all tokens become one"
    assert results.difference["pre"][-1] > 0.1
    assert len(results.by_block["pre"]) == 16
    assert residual.main(config) == results, "same seed, same results"
    with pytest.raises(ValueError, match="pre, post, no norm, no addition, neither; got 'both'"):
        part("deep_stacks").make_block("both", 8, 2)
    last = {kind: type(part("deep_stacks").Stack(kind, 1, 8, 2).norm) for kind in part("deep_stacks").KINDS}
    assert [kind for kind, norm in last.items() if norm is nn.LayerNorm] == ["pre", "no addition"]


def test_a_deep_stack_learns_with_additions_and_norms_on_the_side(script):
    deep = script("train_deep")
    config = deep.Config(depths=(8,), kinds=("pre", "no addition"), steps=70, runs=1, device="cpu")
    accuracy = {kind: values[0] for kind, values in deep.main(config).accuracy["8"].items()}
    assert accuracy["pre"] > 0.95
    assert accuracy["no addition"] < 0.3
    wild = deep.main(replace(config, depths=(1,), kinds=("pre",), steps=20, learning_rate=1e30))
    assert wild.blew_up == {"1": {"pre": 1}}
    shallow = replace(config, depths=(1,), steps=5, warmup=5)
    assert deep.main(shallow) == deep.main(shallow), "same seed, same results"


def test_every_parameter_of_a_stack_moves(part):
    stacks = part("deep_stacks")
    torch.manual_seed(0)
    model = stacks.PredictTheFirst("post", 2, vocab=4, tokens=5, d_model=8, heads=2)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    rows = stacks.random_rows(4, 8, 5, torch.Generator().manual_seed(0))
    optimizers = make_optimizers(model, learning_rate=1e-2)
    for _ in train_steps(model, rows, loss_function=stacks.first_token_loss, optimizers=optimizers, steps=2):
        pass
    assert not [name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])]


def test_the_last_gradient_shrinks_with_depth_only_before_the_norm(script):
    by_layer = script("gradient_by_layer")
    results = by_layer.main(by_layer.Config(depths=(3, 24), runs=2, d_model=32))
    assert results.exponent["pre"] < -0.2
    assert results.exponent["post"] > -0.1
    assert 0.2 < results.stream_exponent["pre"] < 0.6, "the last norm divides by a size that grows"
    assert results.stream["post"] == pytest.approx([1, 1], abs=0.01)
    assert max(results.last["post"][0]) < 5, "the gradient of a mean over places, not of a sum"
    assert by_layer.fitted_exponent([1, 2, 4], [3.0, 1.5, 0.75]) == pytest.approx(-1)


def test_pre_or_post_counts_what_learns_and_what_diverges(script):
    pre_or_post = script("pre_or_post")
    config = pre_or_post.Config(depths=(1,), learning_rates=(3e-3,), steps=70, warmup=10, runs=1, device="cpu")
    results = pre_or_post.main(config)
    assert all(share == 1 for share in results.learnt.values()), "one block learns in any way"
    untrained = pre_or_post.main(replace(config, steps=1, warmup=1))
    assert all(share == 0 for share in untrained.learnt.values()), "to be right by chance is not to have learnt"
    wild_config = replace(config, learning_rates=(1e30,), steps=4)
    wild = pre_or_post.main(wild_config)
    assert pre_or_post.main(wild_config) == wild, "same seed, same results"
    assert all(setting.diverged == 1 and setting.loss == [None] for setting in wild.settings)
    assert all(share == 0 for share in wild.learnt.values())
    assert pre_or_post.schedule_with(0, 10)(0) == 1
    assert [pre_or_post.schedule_with(4, 10)(step) for step in (0, 3, 9)] == [0.25, 1, 1]


def test_a_feed_forward_network_is_position_wise_and_attention_is_not(script):
    position_wise = script("position_wise")
    results = position_wise.main(position_wise.Config(batch=2, tokens=6, d_model=16, d_hidden=32, heads=2))
    assert max(results.tests["feed-forward"].values()) < 1e-6
    assert results.tests["attention"]["tokens in another order"] < 1e-6, "order alone tells nothing"
    assert results.tests["attention"]["other tokens beside it"] > 1e-2
    assert max(results.forms.values()) < 1e-6
    assert results.one_matrix["without the activation"] < 1e-6 < results.one_matrix["with it"]
    assert results.rank["without the activation"] == 1 < results.rank["with it"]


def test_every_token_of_a_recipe_has_its_label(part):
    labels_of = part("labelled_recipes").labels_of
    cookbook = Cookbook()
    text = cookbook.recipe("validation", 3).text
    pieces = [piece for line in text.splitlines(keepends=True) for piece in _words(line)]
    labels = labels_of(text, pieces, cookbook)
    assert "".join(pieces) == text
    found: dict[str, list[str]] = {}
    for its, piece in zip(labels, pieces, strict=True):
        found.setdefault(its, []).append(piece.strip())
    assert found["style"] == ["Malty"]
    assert found["dish"] == ["Cake", "with"]
    assert found["ingredient in the title"] == ["Quinces", "Pistachios"]
    assert found["servings"] == ["6"]
    assert found["amount"] == ["240", "180", "9", "300", "3", "360", "120"]
    assert found["unit"] == ["g", "g", "g", "tsp", "g", "g"]
    assert found["cut"][:2] == ["creamed", "small"]
    assert found["ingredient in the list"][:2] == ["coconut", "oil"]
    assert found["first word of a step"] == ["Preheat", "Whisk", "Stir", "Stir", "Slide", "Turn"]
    assert found["ingredient in a step"][:4] == ["quail", "eggs", "caster", "sugar"]
    assert not {"and", "the"} & set(found["ingredient in a step"]), "a grammar's rule spans them, but they are words"
    assert found["ingredient in the tip"] == ["pistachios"]
    assert set(found["heading"]) == {"and", "Serves", "Ingredients", "Method", "Tip", ":"}


def _words(line: str) -> list[str]:
    """Return the words of a line, each with the space before it, full stops and line breaks on their own."""
    return re.findall(r"\n| ?[\w]+| ?[^\s\w]|\s", line)


def test_selectivity_is_average_precision_above_chance(part):
    reading = part("neuron_reading")
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (200,), generator=generator)
    activations = torch.randn(200, 4, generator=generator)
    activations[:, 0] = (labels == 1).float() + 0.01 * activations[:, 0]
    found = reading.selectivity(activations, labels, 4)
    assert found[0, 1] == pytest.approx(1)
    assert found[1:].abs().max() < 0.3
    assert found[:, 3].tolist() == [0] * 4, "a class without tokens"
    for label in range(3):
        precision = average_precision_score(labels == label, activations[:, 2])
        share = (labels == label).float().mean().item()
        assert found[2, label].item() == pytest.approx((precision - share) / (1 - share), abs=1e-5)


def test_neurons_are_held_while_the_context_lasts(part):
    reading = part("neuron_reading")
    model = GPT(GPTConfig(20, 8, 2, 2, 8, dropout=0.0), torch.Generator().manual_seed(0)).eval()
    tokens = torch.arange(16).view(2, 8)
    before, hidden = model(tokens), reading.record(model, tokens).hidden
    assert [tuple(its.shape) for its in hidden] == [(2, 8, 32)] * 2
    instead = [torch.full((32,), 3.0), torch.full((32,), 5.0)]
    with reading.without(model, [1, 32 + 4], instead):
        held = reading.record(model, tokens).hidden
        assert (model(tokens) - before).abs().max() > 1e-3
    assert held[0][..., 1].unique().tolist() == [3.0]
    assert held[1][..., 4].unique().tolist() == [5.0]
    others = [number for number in range(32) if number != 1]
    assert torch.equal(held[0][..., others], hidden[0][..., others])
    assert torch.equal(model(tokens), before)
    assert not any(module._forward_pre_hooks for module in model.modules()), "nothing is left behind"


def test_random_keys_are_as_long_as_the_neurons_own(part):
    model = GPT(GPTConfig(20, 8, 1, 2, 8, dropout=0.0), torch.Generator().manual_seed(0))
    weight = model.blocks[0].get_parameter("feed_forward.expand.weight")
    nn.init.zeros_(model.blocks[0].get_parameter("feed_forward.expand.bias"))
    directions = torch.cat([torch.eye(8), -torch.eye(8)])
    activations = part("neuron_reading").random_directions(model, 0, directions, torch.Generator().manual_seed(1))
    # GELU(z) - GELU(-z) = z, so this is what each key makes of each feature.
    keys = (activations[:8] - activations[8:]).T  # (neurons, d_model)
    torch.testing.assert_close(keys.norm(dim=1), weight.norm(dim=1))
    assert (keys - weight).abs().max() > 0.01


def test_a_value_goes_through_the_last_gain_and_the_head(script):
    model = GPT(GPTConfig(20, 8, 1, 2, 8, dropout=0.0), torch.Generator().manual_seed(0))
    gain = nn.init.normal_(model.get_parameter("norm.weight"))
    value = model.blocks[0].get_parameter("feed_forward.contract.weight")[:, 3]
    torch.testing.assert_close(script("keys_and_values").raised(model, 0)[3], model.head(gain * value))


def test_neurons_of_the_shipped_model(script, part):
    neurons, reading = script("neurons"), part("neuron_reading")
    config = neurons.Config(recipes=2, device="cpu")
    results = neurons.main(config)
    model, tokenizer = reading.load(SHIPPED_FOLDER)
    second = reading.read_half(tokenizer, 2, 2)
    assert not second.places.all(), "the shorter recipe is padded"
    assert all(labels.min() >= 0 for labels in second.labels.values()), "padding has no label"
    hidden = [layer[second.places] for layer in reading.record(model, second.recipes.tokens[:, :-1]).hidden]
    best = reading.rank_neurons(hidden, second, reading.ABOUT[1]).max(dim=1).values.view(4, -1).mean(dim=1)
    chosen = results.mean["trained"][reading.ABOUT[1]]
    assert all(ours < its - 0.01 for ours, its in zip(chosen, best.tolist(), strict=True)), "chosen on the other half"
    assert set(results.mean) == {"trained", "random keys", "untrained"}
    come = results.best["the token to come"]["line break"]
    assert come["trained"] > 0.9 > come["untrained"]
    memory = script("keys_and_values").main(script("keys_and_values").Config(recipes=2, device="cpu"))
    assert memory.neurons["line break"].promotes[0].startswith("⏎")
    assert memory.neurons["line break"].examples[0].endswith("[.]")
    assert max(memory.agreement) > 0.02 > max(memory.agreement_shuffled)
    removal = script("remove_neurons")
    removals = removal.main(removal.Config(recipes=2, counts=(16,), draws=2, device="cpu"))
    removed = removals.removals["16"]
    assert removals.harmed_more == {"16": sum(its.own > max(its.random) for its in removed.values())}
    assert removed["line break"].own > 5 * abs(removed["line break"].random[0])
    assert all(sum(its.layers) == 16 for its in removed.values())


def test_a_model_that_is_not_whole_and_too_many_neurons_are_refused(script, part, tmp_path):
    with pytest.raises(ValueError, match=r"a folder without a config\.json"):
        part("neuron_reading").load(tmp_path)
    tiny = GPT2Config(vocab_size=8, n_positions=16, n_embd=12, n_layer=1, n_head=1)
    GPT2LMHeadModel(tiny).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["transformer.h.0.mlp.c_fc.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    for file in SHIPPED_FOLDER.glob("tokenizer*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match=r"lacks transformer\.h\.0\.mlp\.c_fc\.weight"):
        part("neuron_reading").load(tmp_path)
    removal = script("remove_neurons")
    with pytest.raises(ValueError, match=r"got --counts 385 of 768: give less"):
        removal.main(removal.Config(recipes=1, counts=(1, 385), device="cpu"))


def test_a_batch_norm_of_one_token_is_refused_while_it_trains(part):
    norm = part("token_batch_norm").TokenBatchNorm(4)
    with pytest.raises(ValueError, match="a single token has no variance to divide by: give another --batch-size"):
        norm(torch.zeros(1, 1, 4))
    assert norm.eval()(torch.zeros(1, 1, 4)).shape == (1, 1, 4)


def test_other_neurons_are_of_the_same_layers(script):
    others = script("remove_neurons").others_like([0, 3, 13], 10, torch.Generator().manual_seed(0))
    assert sorted(neuron // 10 for neuron in others) == [0, 0, 1]
    assert not {0, 3, 13} & set(others)
    assert len(set(others)) == 3


def test_costs_by_formula_are_those_counted(script):
    cost = script("cost")
    results = cost.main(cost.Config(longest=3200))
    for its in results.models.values():
        assert its.parameters == its.parameters_counted
        assert its.flops == pytest.approx(its.flops_counted)
        assert its.overtakes == its.overtakes_formula
        assert its.attention_share == sorted(its.attention_share)
        assert its.context < its.overtakes["all of attention"], "within its context the feed-forward network costs more"


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_diagram_shows_where_the_norm_is(part, norm: str):
    nodes = {
        node.name: node for node in part("block_trace").trace(EncoderBlock(8, 2, norm=norm), x=torch.randn(1, 4, 8))
    }
    names = list(nodes)
    if norm == "pre":
        assert names[:4] == ["x", "attention_norm", "attention", "add 1"]
        assert nodes["attention"].sources == ["attention_norm"]
        assert nodes["add 1"].sources == ["x", "attention"]
        assert nodes["add 2"].sources == ["add 1", "feed_forward"]
        assert names[-1] == "add 2"
    else:
        assert names[:4] == ["x", "attention", "add 1", "attention_norm"]
        assert nodes["attention"].sources == ["x"]
        assert nodes["attention_norm"].sources == ["add 1"]
        assert nodes["add 2"].sources == ["attention_norm", "feed_forward"]
        assert names[-1] == "feed_forward_norm"
    diagonal = torch.eye(4, dtype=torch.bool).tolist()
    assert nodes["feed_forward"].looks_at == nodes["attention_norm"].looks_at == [diagonal]
    assert nodes["attention"].looks_at == [torch.ones(4, 4, dtype=torch.bool).tolist()]


def test_the_diagram_of_a_decoder_shows_both_attentions(script, part):
    diagram, trace = script("diagram"), part("block_trace").trace
    results = diagram.main(diagram.Config(tokens=4, memory=5, d_model=8, heads=2))
    nodes = {node.name: node for node in results.blocks["decoder, post-norm"]}
    past = torch.ones(4, 4, dtype=torch.bool).tril().tolist()
    assert nodes["self_attention"].looks_at == [past]
    assert nodes["cross_attention"].sources == ["self_attention_norm", "memory"]
    assert nodes["cross_attention"].looks_at[1] == torch.ones(4, 5, dtype=torch.bool).tolist()
    assert sum(node.kind == "add" for node in nodes.values()) == 3
    assert sum(node.parameters for node in nodes.values()) == sum(p.numel() for p in DecoderBlock(8, 2).parameters())
    assert len(diagram.plot(results).axes) == 4
    with pytest.raises(ValueError, match=r"only additions are expected, but MulBackward0 ran: is dropout at work"):
        trace(EncoderBlock(8, 2, dropout=0.5), x=torch.randn(1, 4, 8))
    no_addition = part("deep_stacks").make_block("no addition", 8, 2)
    assert not [node for node in trace(no_addition, x=torch.randn(1, 4, 8)) if node.kind == "add"]


def test_every_invariant_holds_on_every_block_alone_and_stacked(part):
    little = part("little_models")
    assert len(little.MODELS) == 12
    for name, make in little.MODELS.items():
        torch.manual_seed(0)
        checks = little.checks_of(make())
        assert set(little.CHECKS) - set(checks) == (set() if "Decoder" in name else {"source"})
        assert {check: little.complaint(run) for check, run in checks.items()} == dict.fromkeys(checks), name


def test_every_invariant_goes_red_on_a_block_that_is_broken(script, part):
    break_it, little = script("break_it"), part("little_models")
    red = {}
    for fault, break_model in break_it.FAULTS.items():
        torch.manual_seed(0)
        model = little.MODELS["DecoderBlock, pre, 1"]()
        loss = break_model(model)
        red[fault] = {check for check, run in little.checks_of(model, loss, 60).items() if little.complaint(run)}
    assert red == {
        "invert the mask": {"causality", "padding", "cache"},
        "forget the mask": {"causality", "padding", "cache"},
        "look at oneself only": set(),
        "forget the padding of the source": {"padding"},
        "look at the target instead of the memory": {"source", "cache", "gradients"},
        "normalise over the tokens": {"causality", "padding", "cache", "gradients"},
        "detach the feed forward network": {"gradients"},
        "start with large weights": {"initial loss"},
        "softmax before the loss": {"one batch"},
        "cache without positions": {"cache"},
        "shift the labels twice": {"reported loss"},
    }
    assert set.union(*red.values()) == set(little.CHECKS), "each check notices something"


def test_a_language_model_that_looks_at_itself_only_cannot_learn_one_batch(part):
    little, faults = part("little_models"), part("faults")
    torch.manual_seed(0)
    model = little.MODELS["GPTBlock, pre, 1"]()
    for block in model.blocks:
        eye = lambda attention, x, mask=None, causal=False, cache=None: attention(  # noqa: ARG005, E731
            x, mask=torch.eye(x.shape[1], dtype=torch.bool)
        )
        block.add_module("attention", faults.Tampered(block.attention, eye))
    assert "not below 0.1" in (little.complaint(little.checks_of(model)["one batch"]) or "")


def test_a_norm_is_swapped_for_every_norm_of_the_model(script):
    batch_norm = script("batch_norm")
    config = batch_norm.Config(d_model=16, layers=2)
    model = batch_norm.make_model(config, 10, "RMSNorm", torch.Generator().manual_seed(0))
    kinds = [type(module) for module in model.modules() if isinstance(module, nn.LayerNorm | nn.RMSNorm)]
    assert kinds == [nn.RMSNorm] * 5
