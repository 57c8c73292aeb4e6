"""Sprint 15's claims, at a small size."""

import math
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest
import torch

from shared.checks.sanity import check_gradients
from shared.lab.config import parse_config
from shared.nn.seq2seq import EncoderDecoder

FOLDER = "15_encoder_decoder"
PARTS = (
    "exact_divergence",
    "exact_match",
    "expected_reward",
    "likelihood",
    "method_results",
    "noisy_reversal",
    "professor_forcing",
    "scheduled_sampling",
    "sequences",
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def parts(load_sprint: Callable[[str], ModuleType]) -> SimpleNamespace:
    """The parts of the sprint, as its scripts know them."""
    return SimpleNamespace(**{name: load_sprint(f"{FOLDER}/seq2seq_study/{name}.py") for name in PARTS})


# The data


def test_rows_in_letters(parts):
    rows = torch.stack([parts.sequences.read("cabd"), torch.nn.functional.pad(parts.sequences.read("ba"), (0, 2))])
    expected = {
        "reversal": [">dbac.", ">ab.__"],
        "copying": [">cabd.", ">ba.__"],
        "sorting": [">abcd.", ">ab.__"],
    }
    for task, written in expected.items():
        pair = parts.sequences.make_pair(rows, torch.tensor([4, 2]), task)
        assert [parts.sequences.write(row) for row in pair.source.tokens] == ["cabd.", "ba.__"]
        assert [parts.sequences.write(row) for row in pair.target.tokens] == written
        assert torch.equal(pair.target.mask, pair.target.tokens != parts.sequences.PAD)
        assert torch.equal(pair.source.mask, pair.source.tokens != parts.sequences.PAD)


@pytest.mark.parametrize(("word", "message"), [("", "got ''"), ("abz", "'z'"), ("a-b", "'-'")])
def test_unknown_symbols_are_refused(parts, word: str, message: str):
    with pytest.raises(ValueError, match=f"letters from a to p.*{message}"):
        parts.sequences.read(word, 16)


def test_training_never_draws_what_is_held_out(parts, generator):
    data = parts.sequences.Sequences(3, 2, 4, 20, generator)  # 9 + 27 + 81 sequences, so that chance would draw many
    held = {tuple(row) for rows, _ in (data.validation, data.test) for row in rows.tolist()}
    assert len(held) == 40, "all are different"
    drawn = {tuple(row) for row in data.draw(3000)[0].tolist()}
    assert not drawn & held
    assert len(drawn) == 9 + 27 + 81 - 40, "everything else is drawn"
    with pytest.raises(ValueError, match="too few different sequences to hold out 2 x 90"):
        parts.sequences.Sequences(3, 2, 4, 90, generator)
    with pytest.raises(ValueError, match="more than 2\\^63"):
        parts.sequences.Sequences(100, 3, 12, 5, generator)


# With a teacher and without


def test_data_flow_counts_and_sees_every_shape(load_sprint):
    script = load_sprint(f"{FOLDER}/data_flow.py")
    config = script.Config(device="cpu", d_model=16, layers=3)
    results = script.main(config)
    assert results.by_formula == sum(results.parameters.values())
    shapes = {step.module: step.output for step in results.steps}
    assert shapes["encoder.norm"] == [3, 7, 16]
    assert shapes["decoder.blocks.2.cross_attention"] == [3, 7, 16]
    assert shapes["decoder.head"] == results.logits == [3, 7, 29]
    assert results.loss == pytest.approx(math.log(29), rel=0.05)
    assert results.masks["decoder, cross-attention"][0] == [1, 1, 1, 1, 0, 0, 0]
    assert results.masks["decoder, self-attention"][1] == [1, 1, 0, 0, 0, 0, 0]
    assert script.main(config) == results, "same seed, same results"


def test_reversal_is_learnt_and_both_scores_are_equal_row_by_row(load_sprint):
    script = load_sprint(f"{FOLDER}/reversal.py")
    config = script.Config(symbols=6, shortest=2, longest=4, d_model=32, layers=1, steps=180, held_out=60, device="cpu")
    config = replace(config, learning_rate=5e-3)
    results = script.main(config)
    (run,) = results.runs["reversal"]
    assert run.free_running == run.teacher_forced > 0.9
    assert run.disagreements == results.in_training == 0
    assert results.flip == 1
    assert results.chance == pytest.approx((6**-2 + 6**-3 + 6**-4) / 3)
    looked = torch.tensor(run.attention)
    assert looked.shape == (5, 5), "four symbols and the end token"
    torch.testing.assert_close(looked.sum(dim=1), torch.ones(5))
    assert script.main(replace(config, steps=5)) == script.main(replace(config, steps=5)), "same seed, same results"


@pytest.mark.parametrize("steps", [0, 20, 50])
def test_for_any_causal_decoder_the_two_scores_agree(parts, generator, steps: int):
    data = parts.sequences.Sequences(4, 1, 3, 20, generator)
    model = parts.likelihood.small_model(7, generator, d_model=32, layers=1)
    parts.likelihood.train_model(model, data.batches(32, "copying", torch.device("cpu")), steps, 3e-3)
    pair = parts.sequences.make_pair(*data.draw(300), "copying")
    forced, free = parts.exact_match.teacher_forced(model, pair), parts.exact_match.free_running(model, pair)
    assert torch.equal(forced, free)
    if steps:
        assert 0 < forced.float().mean() < 1, "otherwise the test says nothing"


def test_an_answer_that_is_too_long_is_wrong(parts, generator):
    data = parts.sequences.Sequences(4, 2, 3, 10, generator)
    model = parts.likelihood.small_model(7, generator, d_model=32, layers=1)
    with torch.no_grad():
        model.decoder.head.weight[parts.sequences.END] = 0  # it never ends
        model.decoder.head.weight[parts.sequences.FIRST] = model.decoder.norm.weight
        model.decoder.norm.bias.fill_(1.0)
    pair = parts.sequences.make_pair(*data.draw(50))
    assert not parts.exact_match.free_running(model, pair).any()


def test_every_parameter_gets_a_gradient(parts, generator):
    model = parts.likelihood.small_model(19, generator)
    pair = parts.sequences.make_pair(*parts.sequences.Sequences(16, 3, 12, 5, generator).draw(64))
    check_gradients(model, parts.likelihood.maximum_likelihood(model, pair)[0])


def test_inverted_masks_collapse_and_the_invariants_name_them(load_sprint):
    script = load_sprint(f"{FOLDER}/inverted_mask.py")
    config = script.Config(symbols=4, longest=4, steps=60, held_out=40, learning_rate=1e-2, device="cpu")
    wrong = script.train_and_test(config, "decoder and cross-attention")
    assert wrong.teacher_forced == 1
    assert wrong.free_running == 0
    assert wrong.disagreements == 40
    assert "reads the future" in wrong.causality
    assert "does not see it" in wrong.source_sensitivity
    blind = script.train_and_test(replace(config, steps=20), "cross-attention")
    assert blind.causality == "holds"
    assert "does not see it" in blind.source_sensitivity
    assert blind.teacher_forced == blind.free_running
    assert blind.disagreements == 0
    right = script.train_and_test(replace(config, steps=20), "nowhere")
    assert right.causality == right.source_sensitivity == "holds"
    assert script.train_and_test(replace(config, steps=20), "cross-attention") == blind, "same seed, same results"


# The noisy reversal


def test_conditionals_are_those_of_the_draws(parts, generator):
    task = parts.noisy_reversal.NoisyReversal(3, 3, 0.3)
    source = torch.tensor([[2, 0, 1]])
    p = task.conditionals(source.expand(9, -1), task.enumerate(2))  # (prefixes, tokens, symbols)
    torch.testing.assert_close(p.sum(dim=-1), torch.ones(9, 3, dtype=torch.double))
    targets = task.enumerate(3)
    expected = torch.stack(
        [
            p[3 * first + second, 0, first] * p[3 * first + second, 1, second] * p[3 * first + second, 2, third]
            for first, second, third in targets.tolist()
        ]
    )
    assert expected.sum().item() == pytest.approx(1)
    drawn = task.draw(source.expand(20_000, -1), generator)
    counted = (drawn * torch.tensor([9, 3, 1])).sum(dim=1).bincount(minlength=27) / 20_000
    assert ((counted - expected).abs() < 4.5 * (expected / 20_000).sqrt()).all()
    marginal = torch.stack(
        [
            torch.zeros(3, 3, dtype=torch.double).index_add(1, targets[:, place], expected.expand(3, -1))[0]
            for place in range(3)
        ]
    )
    torch.testing.assert_close(task.marginals(source)[0], marginal)


def test_divergences_are_those_of_whole_targets(parts, generator):
    task = parts.noisy_reversal.NoisyReversal(3, 3, 0.2)
    model = task.model(generator, d_model=16)
    with torch.no_grad():
        model.decoder.head.weight.mul_(20)
    source = torch.tensor([[2, 0, 1], [1, 1, 0]])
    found = parts.exact_divergence.measure_divergence(
        task, source, parts.exact_divergence.model_log_q(task, model, source)
    )
    kl = reverse = variation = 0.0
    for row in source:
        targets = task.enumerate(3)
        p = task.conditionals(row, targets[:, :-1]).gather(-1, targets[..., None])[..., 0].log().sum(dim=1)
        with torch.no_grad():
            q = parts.likelihood.log_probability(model, task.pair(row.expand(27, -1), targets)).double()
        kl += (p.exp() * (p - q)).sum().item() / 2 / 3
        reverse += (q.exp() * (q - p)).sum().item() / 2 / 3
        variation += (p.exp() - q.exp()).abs().sum().item() / 2 / 2
    assert found.data_prefixes == pytest.approx(kl, rel=1e-4)
    assert found.reverse == pytest.approx(reverse, rel=1e-4)
    assert found.total_variation == pytest.approx(variation, rel=1e-4)
    assert found.own_by_place[0] == pytest.approx(found.data_by_place[0]), "before the first symbol there is no prefix"
    assert found.own_prefixes != pytest.approx(found.data_prefixes, rel=1e-2)


def test_the_task_diverges_from_itself_by_nothing(parts):
    task = parts.noisy_reversal.NoisyReversal(3, 4, 0.1)
    source = torch.tensor([[2, 0, 1, 1]])
    itself = parts.exact_divergence.measure_divergence(
        task, source, task.conditionals(source[:, None], task.enumerate(3)[None]).log()
    )
    assert max(itself.data_prefixes, itself.own_prefixes, itself.reverse, itself.total_variation) < 1e-12
    assert itself.reward == pytest.approx(task.marginals(source).square().sum(dim=-1).mean().item())
    with pytest.raises(ValueError, match="noise must be above 0"):
        parts.noisy_reversal.NoisyReversal(noise=0.0)
    with pytest.raises(ValueError, match="of 81 sources 2 x 41 cannot be held out"):
        task.split(41, torch.Generator())


def test_exposure_bias_at_a_small_size(load_sprint):
    script = load_sprint(f"{FOLDER}/exposure_bias.py")
    config = script.Config(symbols=3, tokens=3, noises=(0.05,), steps=10, held_out=4, seeds=(0, 1), device="cpu")
    results = script.main(config)
    assert [row.training for row in results.rows] == ["few pairs", "stopped early", "trained long"]
    for row in results.rows:
        ratios = [one.own_prefixes / one.data_prefixes for one in row.runs]
        assert row.ratio[0] == pytest.approx(sum(ratios) / 2)
    assert results.uniform["0.05"] == pytest.approx(math.log(3) - results.entropy["0.05"])
    assert 0 < results.marginals["0.05"] < results.uniform["0.05"]
    assert script.main(config) == results, "same seed, same results"


def test_sampled_exact_match_is_the_mean_probability(load_sprint):
    script = load_sprint(f"{FOLDER}/wrong_prefix.py")
    config = script.Config(
        symbols=6, longest=4, longer=2, budgets=(80,), held_out=200, wrong=(0, 2), learning_rate=5e-3, device="cpu"
    )
    results = script.main(config)
    (model,) = results.models.values()
    assert abs(model.sampled - model.sampled_by_loss) < 4 * results.standard_error
    assert model.sampled < model.exact
    assert model.after_random[0] == model.after_skipped[0], "no mistake was forced"
    short = replace(config, budgets=(5,), held_out=20)
    assert script.main(short) == script.main(short), "same seed, same results"


# Estimators and remedies


def test_estimators_lie_around_the_exact_gradient(load_sprint):
    script = load_sprint(f"{FOLDER}/policy_gradient.py")
    config = script.Config(estimates=80, samples=(2,))
    results = script.main(config)
    assert results.sum_of_probabilities == pytest.approx(1, abs=1e-5)
    assert max(results.score_function_difference, results.minimum_risk_difference) < 1e-5
    unbiased = [one for name, one in results.estimators.items() if name.startswith("REINFORCE")]
    assert all(one.bias < 2.5 * one.noise for one in unbiased)
    assert all(one.cosine > 0.95 for one in unbiased)
    plain, mean, _ = unbiased
    assert mean.spread < 0.8 * plain.spread, "a baseline lowers the variance"
    biased = results.estimators["minimum risk, 2 and the true one"]
    assert biased.bias > 5 * biased.noise
    short = replace(config, estimates=2)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_reward_counts_places(parts):
    def batch(*rows: str):
        tokens = torch.tensor([[parts.sequences.LETTERS.index(letter) for letter in row] for row in rows])
        return parts.sequences.Batch(tokens, tokens != parts.sequences.PAD)

    true = batch(">abc.", ">ab.__"[:5], ">ab._", ">ab._")
    said = batch(">abc.", ">ab._", ">aba.", ">b.__")
    # all; all; a and b of four places; nothing of three
    assert parts.expected_reward.reward(said, true).tolist() == [1, 1, 0.5, 0]
    assert parts.expected_reward.reward(batch(">abc.ab", ">abc.__"), batch(">abc.", ">abc.")).tolist() == pytest.approx(
        [4 / 6, 1]
    )


def test_scheduled_sampling_keeps_all_or_nothing(parts, generator):
    data = parts.sequences.Sequences(4, 2, 5, 10, generator)
    model = parts.likelihood.small_model(7, generator, d_model=32, layers=1).eval()
    pair = parts.sequences.make_pair(*data.draw(40))
    sampling = parts.scheduled_sampling.ScheduledSampling("linear", 10, torch.Generator().manual_seed(1))
    assert torch.equal(sampling.mix(model, pair, keep=1.0), pair.target.tokens[:, :-1])
    own = sampling.mix(model, pair, keep=0.0)
    assert (own[:, 1:] == pair.target.tokens[:, 1:-1]).float().mean() < 0.5
    first, count = sampling(model, pair)
    assert (first.item(), count) == (
        parts.likelihood.maximum_likelihood(model, pair)[0].item(),
        int(pair.target.mask[:, 1:].sum()),
    )
    for decay in parts.scheduled_sampling.DECAYS.values():
        values = [decay(step / 10) for step in range(11)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 0.99
        assert values[-1] < 0.03


def test_a_minimum_risk_over_equal_targets_counts_them_once(parts):
    log_probs, rewards = torch.tensor([[-1.0, -2.0, -math.inf]]), torch.tensor([[1.0, 0.0, 0.0]])
    weight = 1 / (1 + math.exp(-1))
    assert parts.expected_reward.minimum_risk(log_probs, rewards, 1.0).item() == pytest.approx(1 - weight)
    assert parts.expected_reward.minimum_risk(log_probs, rewards, 0.5).item() == pytest.approx(
        1 - 1 / (1 + math.exp(-0.5))
    )


def test_every_remedy_gives_every_parameter_a_gradient(load_sprint, parts, generator):
    script = load_sprint(f"{FOLDER}/remedies.py")
    task = parts.noisy_reversal.NoisyReversal(3, 4, 0.2)
    source = task.enumerate(4)[::7]
    pair = task.pair(source, task.draw(source, generator))
    for name, loss_of in script.methods(script.Config(samples=3), generator).items():
        model = task.model(torch.Generator().manual_seed(1))
        loss, count = loss_of(model, pair)
        assert count > 0
        loss.backward()
        for part, parameter in model.named_parameters():
            assert parameter.grad is not None, (name, part)
            assert parameter.grad.isfinite().all(), (name, part)
            assert parameter.grad.any(), (name, part)


def test_the_judge_learns_to_tell_and_stops_when_it_can(parts, generator):
    torch.manual_seed(0)
    forcing = parts.professor_forcing.ProfessorForcing(8, generator, learning_rate=1e-2)
    real = torch.ones(64, 5, dtype=torch.bool)
    for _ in range(60):
        accuracy = forcing._teach_judge(
            torch.randn(64, 5, 8, generator=generator) + 0.7, real, torch.randn(64, 5, 8, generator=generator), real
        )
    assert accuracy > 0.97
    before = [parameter.clone() for parameter in forcing.judge.parameters()]
    assert forcing._teach_judge(torch.full((4, 5, 8), 3.0), real[:4], torch.full((4, 5, 8), -3.0), real[:4]) == 1
    assert all(torch.equal(one, two) for one, two in zip(before, forcing.judge.parameters(), strict=True))


def test_remedies_compare_with_the_control_on_the_same_start(load_sprint):
    script = load_sprint(f"{FOLDER}/remedies.py")
    config = script.Config(
        noises=(0.05,),
        longest=4,
        symbols=4,
        pairs=50,
        start_steps=3,
        steps=2,
        batch_size=8,
        judge_steps=2,
        held_out=2,
        device="cpu",
    )
    results = script.main(replace(config, seeds=(0, 0)))
    assert set(results.tasks) == {"reversal", "noise 0.05"}
    for task, rows in results.tasks.items():
        assert len(rows) == 10
        control = rows[script.CONTROL]
        assert control.tokens == control.passes == 1
        assert all(value == (0, 0) for value in control.differences.values())
        for name, row in rows.items():
            for key, (mean, half) in row.metrics.items():
                assert mean == pytest.approx(control.metrics[key][0] + row.differences[key][0]), (task, name, key)
                assert half == row.differences[key][1] == 0, "same seed, same results"
    assert rows[script.LONGER].tokens == 4
    assert rows["scheduled sampling, linear"].passes == 6, "a pass for each of 5 tokens to mix in, and the loss"
    assert rows["output divergence"].passes == 8


def test_differences_from_the_control_are_paired_by_seed(parts):
    method_results = parts.method_results

    def seed_result(control: float, method: float) -> tuple:
        costs = {
            "control": method_results.Cost(2.0, 1.0, None),
            "method": method_results.Cost(6.0, 4.0, [control, method]),
        }
        metrics = {"control": {"share": control}, "method": {"share": method}}
        return method_results.SeedResult({"share": 0.0}, metrics, costs)

    seeds = [seed_result(0.1, 0.3), seed_result(0.5, 0.7), seed_result(0.2, 0.4)]
    method = method_results.summarise(seeds, "method", "control")
    assert method.differences["share"] == pytest.approx([0.2, 0.0]), "the seeds differ, the differences do not"
    assert method.metrics["share"][0] == pytest.approx(1.4 / 3)
    assert method.metrics["share"][1] > 0.2
    assert (method.tokens, method.passes) == (3, 4)
    assert method.judge == pytest.approx([0.8 / 3, 1.4 / 3])
    assert method_results.summarise(seeds, "control", "control").judge is None


def test_a_pointer_says_what_an_output_layer_cannot(load_sprint):
    script = load_sprint(f"{FOLDER}/copy_mechanism.py")
    config = script.Config(
        symbols=6, rare=3, rare_share=0.3, longest=4, steps=100, held_out=60, learning_rate=7e-3, device="cpu"
    )
    layer, pointer = (
        script.train_and_test(config, name) for name in ("output layer", "pointer, one embedding for rare symbols")
    )
    assert min(layer.known, pointer.known) > 0.8
    assert layer.unseen == 0
    assert pointer.unseen > 0.8
    assert (layer.gate, pointer.gate) == (1, 0)
    short = replace(config, steps=5, held_out=10)
    results, name = script.main(short), "pointer and layer, one embedding"
    assert script.train_and_test(short, name) == results.models[name], "same seed, same results"


def test_a_copy_model_gives_a_distribution(load_sprint, parts, generator):
    script = load_sprint(f"{FOLDER}/copy_mechanism.py")
    pair = parts.sequences.make_pair(*parts.sequences.Sequences(6, 3, 5, 5, generator).draw(8))
    for kind in script.KINDS.values():
        model = script.CopyModel(9, 3, kind, generator, d_model=16)
        p = parts.likelihood.logits_of(model, pair).exp()
        torch.testing.assert_close(p.sum(dim=-1), torch.ones(p.shape[:2]), atol=1e-4, rtol=0)
        if kind.answers == "pointer":
            elsewhere = [token for token in range(12) if token not in pair.source.tokens[0]]
            assert p[0, :, elsewhere].max() < 1e-5


def test_rare_symbols_are_read_alike_and_pointed_at_apart(load_sprint, parts, generator):
    script = load_sprint(f"{FOLDER}/copy_mechanism.py")
    model = script.CopyModel(9, 4, script.KINDS["pointer, one embedding for rare symbols"], generator, d_model=16)
    lengths = torch.tensor([3])
    one, other = (parts.sequences.make_pair(torch.tensor([row]), lengths) for row in ([3, 9, 4], [3, 12, 4]))
    ours, theirs = parts.likelihood.logits_of(model, one), parts.likelihood.logits_of(model, other)
    swapped = [*range(9), 12, 10, 11, 9]
    torch.testing.assert_close(ours[..., swapped], theirs, msg="only the name is another")
    rows = torch.full((400, 5), 3)
    pair = script.with_rare((rows, torch.full((400,), 5)), 9, 2, 0.25, generator)
    rare = pair.source.tokens[:, :-1] >= 9
    assert 0.2 < rare.float().mean() < 0.3
    assert set(pair.source.tokens[:, :-1][rare].tolist()) == {9, 10}


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_pads_hidden_states_may_be_anything(parts, generator, value: float):
    torch.manual_seed(0)
    judge = parts.professor_forcing.HiddenStateJudge(4)
    hidden, real = torch.randn(2, 3, 4, generator=generator), torch.tensor([[True] * 3, [True, False, False]])
    expected = judge(hidden.masked_fill(~real[..., None], 0.0), real)
    assert torch.equal(judge(hidden.masked_fill(~real[..., None], value), real), expected)


# Options

WRONG_OPTIONS = {
    "copy_mechanism": ("--rare 0", "--rare-share 2", "--longest 2", "--longest 32", "--steps 0", "--held-out 0"),
    "data_flow": ("--d-model 6", "--layers 0", "--words"),
    "exposure_bias": (
        "--symbols 1", "--symbols 100000", "--tokens 1", "--tokens 64", "--noises 0", "--noises 2", "--d-model 30",
        "--layers 0", "--steps 1", "--held-out 2048", "--seeds 1 1", "--learning-rate nan",
    ),
    "inverted_mask": ("--symbols 1", "--longest 32", "--steps 0", "--batch-size 0", "--held-out 0"),
    "policy_gradient": ("--symbols 1", "--tokens 1", "--tokens 99", "--batch-size 1", "--estimates 1", "--samples 0"),
    "remedies": (
        "--noises 0", "--longest 2", "--symbols 1", "--pairs 0", "--start-steps 0", "--steps 0", "--batch-size 1",
        "--reward-learning-rate -1", "--judge-steps -1", "--samples 0", "--sharpness 0", "--held-out 2048",
    ),
    "reversal": ("--symbols 27", "--shortest 0", "--shortest 13", "--longest 32", "--d-model 2", "--tasks"),
    "wrong_prefix": ("--longer -1", "--longer 20", "--budgets 0", "--wrong 11", "--wrong -1", "--longest 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_options_out_of_range_are_refused(load_sprint, capsys, name: str):
    config = load_sprint(f"{FOLDER}/{name}.py").Config
    for words in WRONG_OPTIONS[name]:
        with pytest.raises(SystemExit) as end:
            parse_config(config, words.split())
        assert end.value.code == 2, words
        assert words.split()[0] in capsys.readouterr().err, words


def test_the_longest_sequences_that_are_allowed_fit(load_sprint):
    script = load_sprint(f"{FOLDER}/wrong_prefix.py")
    config = script.Config(symbols=2, longest=27, longer=4, budgets=(1,), held_out=2, wrong=(1,), device="cpu")
    config.check()
    assert script.main(config).lengths[-1] == 31


def test_a_test_without_a_row_of_the_greatest_length_is_refused_before_training(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/inverted_mask.py")
    monkeypatch.setattr(script, "train_model", None)
    with pytest.raises(ValueError, match="no test sequence has the greatest length, 27: take more --held-out"):
        script.main(script.Config(symbols=2, longest=27, held_out=1, device="cpu"))


def test_models_of_this_sprint_are_the_shared_ones(parts, generator):
    model = parts.noisy_reversal.NoisyReversal().model(generator)
    assert isinstance(model, EncoderDecoder)
    logits = model(torch.tensor([[3, 4]]), torch.tensor([[1, 5]]))
    assert logits[..., :3].isneginf().all()
    assert logits[..., 3:].isfinite().all()
