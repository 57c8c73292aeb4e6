"""Sprint 15's claims, at a small size."""

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch

from shared.checks.invariants import check_gradients
from shared.nn.seq2seq import EncoderDecoder

FOLDER = "15_encoder_decoder"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def tasks(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    """Return a part, as the scripts know it."""
    load_sprint(f"{FOLDER}/remedies.py")
    return sys.modules["seq2seq_study.sequence_tasks"]


@pytest.fixture
def losses(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    load_sprint(f"{FOLDER}/remedies.py")
    return sys.modules["seq2seq_study.sequence_losses"]


@pytest.fixture
def noisy(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    load_sprint(f"{FOLDER}/remedies.py")
    return sys.modules["seq2seq_study.noisy_reversal"]


# The data


def test_rows_in_letters(tasks):
    rows = torch.stack([tasks.read("cabd"), torch.nn.functional.pad(tasks.read("ba"), (0, 2))])
    expected = {
        "reversal": [">dbac.", ">ab.__"],
        "copying": [">cabd.", ">ba.__"],
        "sorting": [">abcd.", ">ab.__"],
    }
    for task, written in expected.items():
        pair = tasks.make_pair(rows, torch.tensor([4, 2]), task)
        assert [tasks.write(row) for row in pair.source.tokens] == ["cabd.", "ba.__"]
        assert [tasks.write(row) for row in pair.target.tokens] == written
        assert torch.equal(pair.target.mask, pair.target.tokens != tasks.PAD)
        assert torch.equal(pair.source.mask, pair.source.tokens != tasks.PAD)


@pytest.mark.parametrize(("word", "message"), [("", "got ''"), ("abz", "'z'"), ("a-b", "'-'")])
def test_unknown_symbols_are_refused(tasks, word: str, message: str):
    with pytest.raises(ValueError, match=f"letters from a to p.*{message}"):
        tasks.read(word, 16)


def test_training_never_draws_what_is_held_out(tasks, generator):
    data = tasks.Sequences(3, 2, 4, 20, generator)  # 9 + 27 + 81 sequences, so that chance would draw many
    held = {tuple(row) for rows, _ in (data.validation, data.test) for row in rows.tolist()}
    assert len(held) == 40, "all are different"
    drawn = {tuple(row) for row in data.draw(3000)[0].tolist()}
    assert not drawn & held
    assert len(drawn) == 9 + 27 + 81 - 40, "everything else is drawn"
    with pytest.raises(ValueError, match="too few different sequences to hold out 2 x 90"):
        tasks.Sequences(3, 2, 4, 90, generator)
    with pytest.raises(ValueError, match="more than 2\\^63"):
        tasks.Sequences(100, 3, 12, 5, generator)


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
    config = script.Config(symbols=6, shortest=2, longest=4, d_model=32, layers=1, steps=250, held_out=60, device="cpu")
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
    assert script.main(replace(config, steps=20)) == script.main(replace(config, steps=20)), "same seed, same results"


@pytest.mark.parametrize("steps", [0, 20, 50])
def test_for_any_causal_decoder_the_two_scores_agree(tasks, generator, steps: int):
    data = tasks.Sequences(4, 1, 3, 20, generator)
    model = tasks.small_model(7, generator, d_model=32, layers=1)
    tasks.train(model, data.batches(32, "copying", torch.device("cpu")), steps, 3e-3)
    pair = tasks.make_pair(*data.draw(300), "copying")
    forced, free = tasks.teacher_forced(model, pair), tasks.free_running(model, pair)
    assert torch.equal(forced, free)
    if steps:
        assert 0 < forced.float().mean() < 1, "otherwise the test says nothing"


def test_an_answer_that_is_too_long_is_wrong(tasks, generator):
    data = tasks.Sequences(4, 2, 3, 10, generator)
    model = tasks.small_model(7, generator, d_model=32, layers=1)
    with torch.no_grad():
        model.decoder.head.weight[tasks.END] = 0  # it never ends
        model.decoder.head.weight[tasks.FIRST] = model.decoder.norm.weight
        model.decoder.norm.bias.fill_(1.0)
    pair = tasks.make_pair(*data.draw(50))
    assert not tasks.free_running(model, pair).any()


def test_every_parameter_gets_a_gradient(tasks, generator):
    model = tasks.small_model(19, generator)
    pair = tasks.make_pair(*tasks.Sequences(16, 3, 12, 5, generator).draw(64))
    check_gradients(model, tasks.maximum_likelihood(model, pair)[0])


def test_inverted_masks_collapse_and_the_invariants_name_them(load_sprint):
    script = load_sprint(f"{FOLDER}/inverted_mask.py")
    config = script.Config(symbols=4, longest=4, steps=120, held_out=40, learning_rate=5e-3, device="cpu")
    wrong = script.run(config, "decoder and cross-attention")
    assert wrong.teacher_forced == 1
    assert wrong.free_running == 0
    assert wrong.disagreements == 40
    assert "reads the future" in wrong.causality
    assert "does not see it" in wrong.source_sensitivity
    blind = script.run(replace(config, steps=20), "cross-attention")
    assert blind.causality == "holds"
    assert "does not see it" in blind.source_sensitivity
    assert blind.teacher_forced == blind.free_running
    assert blind.disagreements == 0
    right = script.run(replace(config, steps=20), "nowhere")
    assert right.causality == right.source_sensitivity == "holds"
    assert script.run(replace(config, steps=20), "cross-attention") == blind, "same seed, same results"


# The noisy reversal


def test_conditionals_are_those_of_the_draws(noisy, generator):
    task = noisy.NoisyReversal(3, 3, 0.3)
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


def test_divergences_are_those_of_whole_targets(noisy, losses, generator):
    task = noisy.NoisyReversal(3, 3, 0.2)
    model = task.model(generator, d_model=16)
    with torch.no_grad():
        model.decoder.head.weight.mul_(20)
    source = torch.tensor([[2, 0, 1], [1, 1, 0]])
    found = noisy.compare(task, source, noisy.model_log_q(task, model, source))
    kl = reverse = variation = 0.0
    for row in source:
        targets = task.enumerate(3)
        p = task.conditionals(row, targets[:, :-1]).gather(-1, targets[..., None])[..., 0].log().sum(dim=1)
        with torch.no_grad():
            q = losses.log_probability(model, task.pair(row.expand(27, -1), targets)).double()
        kl += (p.exp() * (p - q)).sum().item() / 2 / 3
        reverse += (q.exp() * (q - p)).sum().item() / 2 / 3
        variation += (p.exp() - q.exp()).abs().sum().item() / 2 / 2
    assert found.data_prefixes == pytest.approx(kl, rel=1e-4)
    assert found.reverse == pytest.approx(reverse, rel=1e-4)
    assert found.total_variation == pytest.approx(variation, rel=1e-4)
    assert found.own_by_place[0] == pytest.approx(found.data_by_place[0]), "before the first symbol there is no prefix"
    assert found.own_prefixes != pytest.approx(found.data_prefixes, rel=1e-2)


def test_the_task_diverges_from_itself_by_nothing(noisy):
    task = noisy.NoisyReversal(3, 4, 0.1)
    source = torch.tensor([[2, 0, 1, 1]])
    itself = noisy.compare(task, source, task.conditionals(source[:, None], task.enumerate(3)[None]).log())
    assert max(itself.data_prefixes, itself.own_prefixes, itself.reverse, itself.total_variation) < 1e-12
    assert itself.reward == pytest.approx(task.marginals(source).square().sum(dim=-1).mean().item())
    with pytest.raises(ValueError, match="noise must be above 0"):
        noisy.NoisyReversal(noise=0.0)
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
        symbols=6, longest=5, longer=2, budgets=(120,), held_out=200, wrong=(0, 2), learning_rate=5e-3, device="cpu"
    )
    results = script.main(config)
    (model,) = results.models.values()
    assert abs(model.sampled - model.sampled_by_loss) < 4 * results.standard_error
    assert model.sampled < model.exact
    assert model.after_random[0] == model.after_skipped[0], "no mistake was forced"
    assert script.main(config) == results, "same seed, same results"


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


def test_reward_counts_places(tasks, losses):
    def batch(*rows: str):
        tokens = torch.tensor([[tasks.LETTERS.index(letter) for letter in row] for row in rows])
        return tasks.Batch(tokens, tokens != tasks.PAD)

    true = batch(">abc.", ">ab.__"[:5], ">ab._", ">ab._")
    said = batch(">abc.", ">ab._", ">aba.", ">b.__")
    # all; all; a and b of four places; nothing of three
    assert losses.reward(said, true).tolist() == [1, 1, 0.5, 0]
    assert losses.reward(batch(">abc.ab", ">abc.__"), batch(">abc.", ">abc.")).tolist() == pytest.approx([4 / 6, 1])


def test_scheduled_sampling_keeps_all_or_nothing(tasks, losses, generator):
    data = tasks.Sequences(4, 2, 5, 10, generator)
    model = tasks.small_model(7, generator, d_model=32, layers=1).eval()
    pair = tasks.make_pair(*data.draw(40))
    sampling = losses.ScheduledSampling("linear", 10, torch.Generator().manual_seed(1))
    assert torch.equal(sampling.mix(model, pair, keep=1.0), pair.target.tokens[:, :-1])
    own = sampling.mix(model, pair, keep=0.0)
    assert (own[:, 1:] == pair.target.tokens[:, 1:-1]).float().mean() < 0.5
    first, count = sampling(model, pair)
    assert (first.item(), count) == (
        tasks.maximum_likelihood(model, pair)[0].item(),
        int(pair.target.mask[:, 1:].sum()),
    )
    for decay in losses.DECAYS.values():
        values = [decay(step / 10) for step in range(11)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 0.99
        assert values[-1] < 0.03


def test_a_minimum_risk_over_equal_targets_counts_them_once(losses):
    log_probs, rewards = torch.tensor([[-1.0, -2.0, -math.inf]]), torch.tensor([[1.0, 0.0, 0.0]])
    weight = 1 / (1 + math.exp(-1))
    assert losses.minimum_risk(log_probs, rewards, 1.0).item() == pytest.approx(1 - weight)
    assert losses.minimum_risk(log_probs, rewards, 0.5).item() == pytest.approx(1 - 1 / (1 + math.exp(-0.5)))


def test_every_remedy_moves_every_parameter(load_sprint, noisy, generator):
    script = load_sprint(f"{FOLDER}/remedies.py")
    task = noisy.NoisyReversal(3, 4, 0.2)
    source = task.enumerate(4)[::7]
    pair = task.pair(source, task.draw(source, generator))
    for name, loss_of in script.methods(script.Config(samples=3), generator).items():
        model = task.model(torch.Generator().manual_seed(1))
        loss, count = loss_of(model, pair)
        assert count > 0
        # The symbols' embeddings and rows alone are used: begin, and no padding and end.
        loss.backward()
        for part, parameter in model.named_parameters():
            assert parameter.grad is not None, (name, part)
            assert parameter.grad.isfinite().all(), (name, part)
            assert parameter.grad.any(), (name, part)


def test_the_judge_learns_to_tell_and_stops_when_it_can(losses, generator):
    torch.manual_seed(0)
    forcing = losses.ProfessorForcing(8, generator, learning_rate=1e-2)
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
    results = script.main(replace(config, seeds=(0, 1)))
    assert set(results.tasks) == {"reversal", "noise 0.05"}
    for task, rows in results.tasks.items():
        assert len(rows) == 10
        control = rows[script.CONTROL]
        assert control.tokens == control.passes == 1
        assert all(value == [0, 0] for value in control.differences.values())
        for name, row in rows.items():
            for key, (mean, _) in row.metrics.items():
                assert mean == pytest.approx(control.metrics[key][0] + row.differences[key][0]), (task, name, key)
    assert rows[script.LONGER].tokens == 4
    assert rows["scheduled sampling, linear"].passes == 6, "a pass for each of 5 tokens to mix in, and the loss"
    assert rows["output divergence"].passes == 8
    alone = script.main(config)
    assert script.main(config) == alone, "same seed, same results"


def test_a_pointer_says_what_an_output_layer_cannot(load_sprint):
    script = load_sprint(f"{FOLDER}/copy_mechanism.py")
    config = script.Config(
        symbols=6, rare=3, rare_share=0.3, longest=4, steps=150, held_out=60, learning_rate=5e-3, device="cpu"
    )
    layer, pointer = (script.run(config, name) for name in ("output layer", "pointer, one embedding for rare symbols"))
    assert min(layer.known, pointer.known) > 0.8
    assert layer.unseen == 0
    assert pointer.unseen > 0.8
    assert (layer.gate, pointer.gate) == (1, 0)
    short = replace(config, steps=5)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_a_copy_model_gives_a_distribution(load_sprint, tasks, generator):
    script = load_sprint(f"{FOLDER}/copy_mechanism.py")
    pair = tasks.make_pair(*tasks.Sequences(6, 3, 5, 5, generator).draw(8))
    for kind in script.KINDS.values():
        model = script.CopyModel(9, 3, kind, generator, d_model=16)
        p = tasks.logits_of(model, pair).exp()
        torch.testing.assert_close(p.sum(dim=-1), torch.ones(p.shape[:2]), atol=1e-4, rtol=0)
        if kind.answers == "pointer":
            elsewhere = [token for token in range(12) if token not in pair.source.tokens[0]]
            assert p[0, :, elsewhere].max() < 1e-5


def test_rare_symbols_are_read_alike_and_pointed_at_apart(load_sprint, tasks, generator):
    script = load_sprint(f"{FOLDER}/copy_mechanism.py")
    model = script.CopyModel(9, 4, script.KINDS["pointer, one embedding for rare symbols"], generator, d_model=16)
    lengths = torch.tensor([3])
    one, other = (tasks.make_pair(torch.tensor([row]), lengths) for row in ([3, 9, 4], [3, 12, 4]))
    ours, theirs = tasks.logits_of(model, one), tasks.logits_of(model, other)
    swapped = [*range(9), 12, 10, 11, 9]
    torch.testing.assert_close(ours[..., swapped], theirs, msg="only the name is another")
    rows = torch.full((400, 5), 3)
    pair = script.with_rare((rows, torch.full((400,), 5)), 9, 2, 0.25, generator)
    rare = pair.source.tokens[:, :-1] >= 9
    assert 0.2 < rare.float().mean() < 0.3
    assert set(pair.source.tokens[:, :-1][rare].tolist()) == {9, 10}


def test_models_of_this_sprint_are_the_shared_ones(noisy, generator):
    model = noisy.NoisyReversal().model(generator)
    assert isinstance(model, EncoderDecoder)
    logits = model(torch.tensor([[3, 4]]), torch.tensor([[1, 5]]))
    assert logits[..., :3].isneginf().all()
    assert logits[..., 3:].isfinite().all()
