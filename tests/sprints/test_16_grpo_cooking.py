"""Sprint 16's claims, at a small size."""

import math
import random
import re
import shutil
import statistics
from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.generation.decoding import generate
from shared.lab.config import parse_config
from shared.nn.llama import Llama, LlamaConfig
from shared.nn.llama_files import load_llama
from shared.training.checkpoints import CheckpointError, load_checkpoint
from shared.training.loop import NonFiniteTraining

FOLDER = "16_grpo_cooking"
PARTS = (
    "problems",
    "tokenizer",
    "rewards",
    "pass_at_k",
    "written_solutions",
    "grpo",
    "grpo_loop",
    "prompt_completion",
    "packed_trees",
    "shared_prefix_sampling",
    "trl_grpo",
    "temperature_scores",
    "own_problems",
    "chat_policy",
    "resumable",
    "spending",
)

VALIDATION = {"split": "validation", "device": "cpu"}
WARM = {"problems": 300, "batch_size": 32, "held_out": 8, "samples": 2, **VALIDATION}


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def parts(load_sprint) -> SimpleNamespace:
    """The parts of the sprint, as its scripts see them."""
    return SimpleNamespace(**{name: load_sprint(f"{FOLDER}/kitchen/{name}.py") for name in PARTS})


@pytest.fixture
def tokenizer(parts):
    return parts.tokenizer.kitchen_tokenizer()


@pytest.fixture
def tiny(tokenizer, generator):
    """A Llama with gains that are not 1 and weights as large as in a trained model."""
    size = LlamaConfig(len(tokenizer), layers=2, heads=4, key_value_heads=2, d_model=32, d_hidden=48)
    model = Llama(size, generator)
    for parameter in model.parameters():
        parameter.data.mul_(5 if parameter.dim() == 2 else 1).add_(
            0.1 * torch.randn(parameter.shape, generator=generator)
        )
    return model


@pytest.fixture
def problems(parts, generator):
    return parts.problems.draw_problems("train", 12, generator)


@pytest.fixture
def warm(load_sprint, tmp_path_factory):
    """A folder with a small model that has read a few solutions; made once."""
    folder = tmp_path_factory.getbasetemp() / "warm"
    if not (folder / "model").is_dir():
        script = load_sprint(f"{FOLDER}/warm_start.py")
        script.main(script.Config(out=folder, steps=10, d_model=32, layers=1, **WARM))
    return folder / "model"


class TestProblems:
    def test_splits_share_no_numbers(self, parts, generator):
        kitchen = parts.problems
        seen = {
            split: {kitchen.numbers_of(one) for one in kitchen.draw_problems(split, 80, generator)}
            for split in kitchen.SPLITS
        }
        assert not seen["train"] & seen["validation"]
        assert not seen["train"] & seen["test"]
        assert not seen["validation"] & seen["test"]
        assert min(map(len, seen.values())) > 40

    def test_every_calculation_holds(self, parts, generator):
        for one in parts.problems.draw_problems("train", 200, generator):
            assert one.is_correct(one.answer)
            assert parts.rewards.work_reward(one, one.solution) == 1, one.solution
            assert parts.rewards.answer_reward(one, one.solution) == 1
            assert parts.rewards.format_reward(one, one.solution) == 1

    def test_levels_come_in_turn(self, parts, generator):
        found = parts.problems.draw_problems("test", 8, generator)
        assert [one.level for one in found] == 2 * ["scale", "convert", "combine", "oven"]
        with pytest.raises(ValueError, match="levels among"):
            parts.problems.draw_problems("test", 8, generator, ("soup",))

    def test_a_mistake_is_wrong_in_one_digit_and_shows(self, parts, problems):
        source = random.Random(0)
        for one in problems:
            wrong = parts.written_solutions.with_mistake(one, source)
            assert parts.rewards.answer_reward(one, wrong.solution) == 0
            assert parts.rewards.work_reward(one, wrong.solution) < 1
            assert parts.rewards.format_reward(one, wrong.solution) == 1
            assert len(wrong.answer) == len(one.answer)
            assert sum(a != b for a, b in zip(wrong.answer, one.answer, strict=True)) == 1

    def test_the_tokenizer_knows_every_word_and_its_template_is_the_prompt(self, parts, tokenizer, generator):
        for one in parts.problems.draw_problems("train", 300, generator):
            text = one.prompt + parts.written_solutions.with_pet_name(one, random.Random(0)).solution
            tokens = tokenizer(text)["input_ids"]
            assert tokenizer.unk_token_id not in tokens
            assert tokenizer.decode(tokens) == text
            asked = [{"role": "user", "content": one.question}]
            assert tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False) == one.prompt


class TestRewards:
    def test_a_missing_or_second_answer_is_no_answer(self, parts, problems):
        one, rewards = problems[0], parts.rewards
        assert rewards.answer_of("<think>1</think>") is None
        assert rewards.answer_reward(one, one.solution.replace("<answer>", "")) == 0
        assert rewards.answer_reward(one, one.solution + one.solution) == 0

    @pytest.mark.parametrize(
        ("text", "share"),
        [
            ("<think>2+3=5;5*2=10</think>", 1.0),
            ("<think>2+3=6;5*2=10</think>", 0.5),
            ("<think>2+3=5</think>", 0.0),
            ("<think>40+25=65;18:30-65=17:25</think>", 1.0),
            ("<think>40+25=65;18:30-65=17:35</think>", 0.5),
            ("<think>7/2=3;2+2=4</think>", 0.5),
            ("<think>7/0=3;2+2=4</think>", 0.5),
        ],
    )
    def test_shown_work(self, parts, problems, text, share):
        assert parts.rewards.work_reward(problems[0], text) == share

    def test_the_tone_can_be_bought_and_the_mended_one_cannot(self, parts, problems):
        one, rewards = problems[0], parts.rewards
        loud = f"<think>{5 * ' darling'}"
        assert rewards.tone_reward(one, loud) == 5
        assert rewards.capped_tone_reward(one, loud) == 1
        assert rewards.gated_tone_reward(one, loud) == 0
        assert rewards.repetition(loud) == pytest.approx(4 / 5)

    def test_a_reward_that_fails_names_the_sample(self, parts, problems):
        reward, score = parts.rewards.Reward, parts.rewards.score
        texts = [one.solution for one in problems]
        with pytest.raises(ValueError, match=r"'odd' of sample 2 .* is nan"):
            score({"odd": reward(lambda one, _: math.nan if one is problems[2] else 0.0)}, problems, texts)
        with pytest.raises(ValueError, match=r"'odd' of sample 0 .* raised ZeroDivisionError"):
            score({"odd": reward(lambda *_: 1 / 0)}, problems, texts)
        total, by_name = score(parts.rewards.VERIFIED, problems, texts)
        assert total == pytest.approx([1.3] * len(problems))
        assert set(by_name) == {"answer", "format", "work"}


class TestPassAtK:
    @pytest.mark.parametrize(("correct", "k"), [(0, 1), (2, 1), (2, 3), (5, 2), (4, 3)])
    def test_is_the_share_of_subsets_with_a_right_one(self, parts, correct, k):
        from itertools import combinations

        right = [True] * correct + [False] * (5 - correct)
        subsets = list(combinations(right, k))
        expected = sum(map(any, subsets)) / len(subsets)
        assert parts.pass_at_k.pass_at_k(5, correct, k) == pytest.approx(expected)

    def test_needs_as_many_samples(self, parts):
        with pytest.raises(ValueError, match="k <= samples"):
            parts.pass_at_k.pass_at_k(4, 2, 5)


def their_loss(trl_loss, objective, tensors, average: str) -> tuple[float, float, float]:
    """Return what TRL's trainer computes of the same tensors."""
    log_probs, old, reference, advantages, mask = tensors
    trainer = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (log_probs, torch.zeros_like(log_probs), None),
        aux_loss_enabled=False,
        top_entropy_quantile=1.0,
        off_policy_mask_threshold=None,
        importance_sampling_level="token",
        beta=objective.beta,
        args=SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1),
        loss_type=average,
        epsilon_low=objective.clip_low,
        epsilon_high=objective.clip_high,
        use_vllm=False,
        model=SimpleNamespace(training=True),
        current_gradient_accumulation_steps=1,
        max_completion_length=objective.longest,
        accelerator=SimpleNamespace(num_processes=1, reduce=lambda x, **_: x, gather=lambda x: x),
        _entropy_bonus_enabled=False,
        _metrics={"train": defaultdict(list)},
    )
    inputs = {
        "prompt_ids": torch.zeros(len(mask), 1),
        "prompt_mask": torch.ones(len(mask), 1),
        "completion_ids": torch.zeros(mask.shape),
        "completion_mask": mask.int(),
        "advantages": advantages,
        "old_per_token_logps": old,
        "ref_per_token_logps": reference,
        "num_items_in_batch": mask.sum(),
    }
    loss = trl_loss(trainer, None, inputs)
    metrics = trainer._metrics["train"]
    return loss.item(), metrics["kl"][0], metrics["clip_ratio/region_mean"][0]


class TestGRPO:
    @pytest.fixture
    def tensors(self, generator):
        log_probs, old, reference = -torch.rand(3, 6, 7, generator=generator)
        mask = torch.arange(7) < torch.tensor([7, 3, 5, 1, 6, 2])[:, None]
        return log_probs, old, reference, torch.randn(6, generator=generator), mask

    @pytest.mark.parametrize("average", ["grpo", "dapo", "dr_grpo"])
    @pytest.mark.parametrize("beta", [0.04, 0.5])
    def test_equals_the_loss_of_trl(self, parts, tensors, average, beta):
        from trl import GRPOTrainer

        objective = parts.grpo.Objective(beta, 0.1, 0.3, average, longest=9)
        ours = parts.grpo.grpo_loss(*tensors, objective)
        loss, divergence, clipped = their_loss(GRPOTrainer._compute_loss, objective, tensors, average)
        assert ours[0].item() == pytest.approx(loss, abs=1e-6)
        assert ours[1] == pytest.approx(divergence, abs=1e-6)
        assert ours[2] == pytest.approx(clipped, abs=1e-6)
        assert 0 < clipped < 1

    def test_equals_a_calculation_by_hand(self, parts):
        """Two samples of one group, rewards 1 and 0, the ratio of the first token 1.5 and of the second 0.5."""
        advantages, _ = parts.grpo.group_advantages(torch.tensor([[1.0, 0.0]]))
        root = math.sqrt(0.5)  # the deviation
        assert advantages.tolist()[0] == pytest.approx([0.5 / (root + 1e-4), -0.5 / (root + 1e-4)])
        log_probs = torch.tensor([[1.5, 1.0], [0.5, 1.0]]).log()
        old, mask = torch.zeros(2, 2), torch.tensor([[True, True], [True, False]])
        a = 0.5 / (root + 1e-4)
        # first sample: min(1.5 a, 1.2 a) and a; second: min(-0.5 a, -0.8 a), its second token is padding
        objective = parts.grpo.Objective(beta=0.0)
        loss, _, clipped = parts.grpo.grpo_loss(log_probs, old, old, advantages.flatten(), mask, objective)
        assert loss.item() == pytest.approx(-((1.2 * a + a) / 2 + -0.8 * a) / 2, abs=1e-6)
        assert clipped == pytest.approx(2 / 3)
        token_mean, _, _ = parts.grpo.grpo_loss(
            log_probs, old, old, advantages.flatten(), mask, replace(objective, average="dapo")
        )
        assert token_mean.item() == pytest.approx(-(1.2 * a + a - 0.8 * a) / 3, abs=1e-6)
        # KL: r = reference / policy
        ratio = torch.tensor([[1 / 1.5, 1.0], [2.0, 1.0]])
        expected = ratio - ratio.log() - 1
        torch.testing.assert_close(parts.grpo.k3_divergence(log_probs, old), expected)

    def test_k3_is_unbiased(self, parts, generator):
        policy, reference = torch.randn(2, 5, generator=generator).log_softmax(dim=-1)
        exact = (policy.exp() * (policy - reference)).sum()
        k3 = parts.grpo.k3_divergence(policy[None], reference[None])[0]
        assert (policy.exp() * k3).sum().item() == pytest.approx(exact.item(), abs=1e-6)
        assert (k3 >= 0).all()

    def test_without_a_step_the_gradient_is_that_of_the_policy_gradient(self, parts, tensors):
        log_probs, _, reference, advantages, mask = tensors
        log_probs = log_probs.clone().requires_grad_()
        objective = parts.grpo.Objective(beta=0.0)
        parts.grpo.grpo_loss(log_probs, log_probs.detach(), reference, advantages, mask, objective)[0].backward()
        expected = -advantages[:, None] * mask / mask.sum(dim=1, keepdim=True) / len(mask)
        torch.testing.assert_close(log_probs.grad, expected)

    @pytest.mark.parametrize("average", ["grpo", "dapo", "dr_grpo"])
    @pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
    def test_padding_may_hold_anything(self, parts, tensors, average, value):
        *per_token, advantages, mask = tensors
        objective = parts.grpo.Objective(average=average)
        found = []
        for padding in (0.0, value):
            log_probs, old, reference = (each.masked_fill(~mask, padding) for each in per_token)
            log_probs.requires_grad_()
            result = parts.grpo.grpo_loss(log_probs, old, reference, advantages, mask, objective)
            result[0].backward()
            found.append((result[0].item(), *result[1:], log_probs.grad.tolist()))
        assert found[0] == found[1]

    def test_clipped_tokens_and_padding_have_no_gradient(self, parts):
        log_probs = torch.tensor([[0.5, 0.0, 0.0], [-0.5, 0.0, 0.0]], requires_grad=True)
        mask = torch.tensor([[True, True, False]] * 2)
        zeros, objective = torch.zeros(2, 3), parts.grpo.Objective(beta=0.0)
        parts.grpo.grpo_loss(log_probs, zeros, zeros, torch.tensor([1.0, -1.0]), mask, objective)[0].backward()
        assert (log_probs.grad != 0).tolist() == [[False, True, False]] * 2

    def test_advantages(self, parts):
        rewards = torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0]])
        advantages, without = parts.grpo.group_advantages(rewards)
        assert without == 0.5
        assert advantages[0].tolist() == [0, 0, 0]
        torch.testing.assert_close(advantages[1], torch.tensor([-1.0, 0.0, 1.0]) / 1.0001)
        torch.testing.assert_close(parts.grpo.group_advantages(rewards, scale=False)[0][1], torch.tensor([-1.0, 0, 1]))

    @pytest.mark.usefixtures("unchecked")
    def test_refuses_groups_of_one_and_odd_objectives(self, parts):
        with pytest.raises(ValueError, match="at least 2 samples"):
            parts.grpo.group_advantages(torch.ones(3, 1))
        with pytest.raises(ValueError, match="group_size must be at least 2"):
            parts.grpo_loop.GRPOSettings(group_size=1)
        with pytest.raises(ValueError, match="average must be"):
            parts.grpo.Objective(average="ppo")
        with pytest.raises(ValueError, match="clip_low"):
            parts.grpo.Objective(clip_low=1.5)


class TestSharing:
    """What answers have in common is computed once, and nothing is different for it."""

    @pytest.fixture
    def prompts(self, tokenizer, problems):
        return [tokenizer(problem.prompt)["input_ids"] for problem in problems[:3]]

    @pytest.fixture
    def answers(self, tokenizer):
        """Of one token, equal ones, one that begins as another ends, and some with nothing in common."""
        texts = ["5*4=20", "5*4=21", "6*4=24", "5*4=20", "5", "75", "7", "5*4", "9+1", "8", "5*4=2", ""]
        return [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in texts]

    def test_the_tree_of_the_docstring(self, parts, tokenizer):
        prompt = list(range(6))
        answers = [tokenizer(text)["input_ids"] for text in ("5*4=20", "6*4=24", "5*4=21")]
        trees = parts.packed_trees.pack_trees([prompt], answers)
        assert tokenizer.decode(trees.tokens[0, 6:]) == "5*4=26*4=2"
        assert trees.positions[0].tolist() == [*range(11), *range(6, 11)]
        assert trees.descendants[0].tolist() == [15, 14, 13, 12, 11, 10, 4, 3, 2, 1, 0, 4, 3, 2, 1, 0]
        assert trees.predicted_by.tolist() == [[0, 1, 2, 3, 4, 5], [0, 6, 7, 8, 9, 10], [0, 1, 2, 3, 4, 5]]
        assert trees.attention_mask()[0, 12].nonzero()[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 11, 12]

    def test_log_probabilities_entropy_and_gradients_are_those_of_rows(self, parts, tiny, prompts, answers, generator):
        trees = parts.packed_trees.pack_trees(prompts, answers)
        repeated = [prompt for prompt in prompts for _ in range(4)]
        tokens, written = parts.prompt_completion.prompt_completion_rows(repeated, answers)
        assert trees.tokens.numel() < 0.7 * tokens.numel()
        ours, entropy = parts.packed_trees.tree_log_probs(tiny, trees)
        plain, plain_entropy = parts.prompt_completion.row_log_probs(tiny, tokens, written)
        ours, plain = ours[trees.completion_mask], plain[written[:, 1:]]
        torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-5)
        assert entropy == pytest.approx(plain_entropy, abs=1e-5)
        weight, weights = torch.randn(ours.shape, generator=generator), list(tiny.parameters())
        found = torch.autograd.grad((ours * weight).sum(), weights)
        expected = torch.autograd.grad((plain * weight).sum(), weights)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)

    def test_padding_of_answers_has_no_part(self, parts, tiny, prompts, answers):
        trees = parts.packed_trees.pack_trees(prompts, answers)
        log_probs, _ = parts.packed_trees.tree_log_probs(tiny, trees)
        assert (log_probs[~trees.completion_mask] == 0).all()
        assert (log_probs[trees.completion_mask] < 0).all()

    def test_answers_are_those_of_generate_seed_for_seed(self, parts, tiny, prompts, generator):
        tiny.norm.gain.data.mul_(5)  # less doubt, so that answers begin alike
        repeated, ours = [prompt for prompt in prompts for _ in range(4)], []
        # A token that this model writes often is taken for the end.
        rows = generate(tiny, repeated, max_new_tokens=16, generator=generator)
        end = statistics.mode(token for row in rows for token in row)
        for seed in range(5):
            first, second = (torch.Generator().manual_seed(seed) for _ in range(2))
            drawn = parts.shared_prefix_sampling.sample_completions(
                tiny, prompts, 4, max_new_tokens=16, end_token=end, generator=first
            )
            plain = generate(tiny, repeated, max_new_tokens=16, end_token=end, generator=second)
            assert drawn == [[*row, end] if len(row) < 16 else row for row in plain]
            ours += drawn
        assert len(set(map(len, ours))) > 4, "they end at different places"
        assert parts.packed_trees.pack_trees(prompts, drawn).scored.sum() < 0.9 * sum(map(len, drawn)), "and agree"

    def test_the_log_probabilities_are_those_of_the_sampler(self, parts, tokenizer, tiny, prompts, generator):
        """The tokens were drawn with the cache and padding on the left, and are scored without and on the right."""
        answers = parts.shared_prefix_sampling.sample_completions(
            tiny, prompts, 2, max_new_tokens=6, end_token=tokenizer.eos_token_id, generator=generator
        )
        expected = []
        for index, answer in enumerate(answers):
            prompt = prompts[index // 2]
            log_probs = tiny(torch.tensor([prompt + answer])).log_softmax(dim=-1)[0]
            expected.append(sum(log_probs[len(prompt) + i - 1, token].item() for i, token in enumerate(answer)))
        ours, entropy = parts.packed_trees.tree_log_probs(tiny, parts.packed_trees.pack_trees(prompts, answers))
        assert ours.sum(dim=1).tolist() == pytest.approx(expected, abs=1e-3)
        assert 0 < entropy < math.log(len(tokenizer))

    def test_what_does_not_fit(self, parts, tiny, prompts, answers, generator):
        with pytest.raises(ValueError, match="as many completions each"):
            parts.packed_trees.pack_trees(prompts, answers[:-1])
        with pytest.raises(ValueError, match="may be empty"):
            parts.packed_trees.pack_trees(prompts, [*answers[:-1], []])
        with pytest.raises(ValueError, match="exceed the context of 128"):
            parts.shared_prefix_sampling.sample_completions(
                tiny, prompts, 2, max_new_tokens=120, end_token=0, generator=generator
            )


class TestWarmStart:
    def test_scores_solutions_alone(self, parts, tokenizer, problems):
        source = random.Random(0)
        batch = next(parts.written_solutions.solution_batches(problems, tokenizer, 4, source, wrong=0.0, pet_names=0.0))
        for tokens, mask in zip(*batch, strict=True):
            text = tokenizer.decode(tokens[mask])
            assert text.startswith("<think>")
            assert text.endswith("</answer><end>")

    def test_as_many_mistakes_as_asked_for(self, parts, tokenizer, problems):
        source = random.Random(0)
        kind = {"wrong": 0.4, "pet_names": 0.2}
        tokens, mask = next(parts.written_solutions.solution_batches(problems, tokenizer, 500, source, **kind))
        texts = [tokenizer.decode(row[seen], skip_special_tokens=True) for row, seen in zip(tokens, mask, strict=True)]
        held = [parts.rewards.work_reward(problems[0], text) == 1 for text in texts]
        assert 0.5 < sum(held) / len(held) < 0.7
        assert 0.1 < sum("honey" in t or "darling" in t or "sweetie" in t or "gorgeous" in t for t in texts) / 500 < 0.3

    def test_is_the_same_with_the_same_seed_and_moves_every_weight(self, load_sprint, tmp_path):
        script = load_sprint(f"{FOLDER}/warm_start.py")
        tiny = script.Config(steps=2, d_model=32, layers=1, out=tmp_path, **WARM)
        first = script.main(tiny)
        weights = load_llama(tmp_path / "model").state_dict()
        assert script.main(tiny) == first
        fresh = Llama(LlamaConfig(first.vocabulary, layers=1, d_model=32), script.seed_everything(0))
        for name, weight in fresh.state_dict().items():
            assert not torch.equal(weight, weights[name]), name
        assert (tmp_path / "model" / "tokenizer.json").is_file()

    def test_a_model_of_another_vocabulary_or_a_broken_one_is_refused(self, load_sprint, warm, tmp_path):
        load = load_sprint(f"{FOLDER}/kitchen/warm_policy.py").load_warm_policy
        Llama(LlamaConfig(50, layers=1, d_model=8)).to_transformers().save_pretrained(tmp_path / "other")
        with pytest.raises(ValueError, match=r"--model takes a folder that warm_start\.py wrote.* has 50"):
            load(tmp_path / "other")
        broken = shutil.copytree(warm, tmp_path / "broken")
        weights = bytearray((broken / "model.safetensors").read_bytes())
        weights[-1] ^= 1
        (broken / "model.safetensors").write_bytes(weights)
        with pytest.raises(ValueError, match=r"model\.safetensors is not as it was written"):
            load(broken)


class TestTrainGRPO:
    TINY: ClassVar = {
        "levels": ("convert",),
        "groups": 4,
        "group_size": 4,
        "held_out": 24,
        "samples": 4,
        "split": "validation",
    }

    @pytest.fixture
    def script(self, load_sprint):
        return load_sprint(f"{FOLDER}/train_grpo.py")

    def test_answers_get_better(self, script, tmp_path):
        """From the model that the sprint ships, on one level."""
        config = script.Config(out=tmp_path, steps=12, **(self.TINY | {"groups": 12, "group_size": 8, "held_out": 40}))
        results = script.main(config)
        assert results.gain > 0.1, (results.before.pass_at, results.runs[0].evaluation.pass_at)
        assert list((tmp_path / "seed0").glob("events*")), "TensorBoard"
        assert len(results.runs[0].signals) == 12
        script.plot(results)

    def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(self, script, warm, tmp_path):
        tiny = script.Config(model=warm, out=tmp_path / "whole", steps=4, tensorboard=False, **self.TINY)
        whole = script.main(tiny)
        assert script.main(tiny) == whole, "same seed, same results"
        stopped = replace(tiny, out=tmp_path / "parts", steps=2)
        script.main(stopped)
        resumed = script.main(replace(stopped, steps=4, resume=True))
        assert resumed == whole
        ends = [load_checkpoint(tmp_path / name / "seed0" / "checkpoint.pt") for name in ("whole", "parts")]
        for name, weight in ends[0]["model"].items():
            assert torch.equal(weight, ends[1]["model"][name]), name

    def test_another_configuration_cannot_resume(self, script, warm, tmp_path):
        tiny = script.Config(model=warm, out=tmp_path, steps=1, tensorboard=False, **self.TINY)
        script.main(tiny)
        with pytest.raises(CheckpointError, match="beta is"):
            script.main(replace(tiny, beta=0.5, resume=True))

    def test_a_run_of_other_options_or_another_model_is_not_overwritten(self, script, warm, tmp_path):
        tiny = script.Config(model=warm, out=tmp_path, steps=1, tensorboard=False, **self.TINY)
        script.main(tiny)
        with pytest.raises(CheckpointError, match=r"holds 1 steps of a run with other options \(beta is 0.5"):
            script.main(replace(tiny, beta=0.5))
        other = shutil.copytree(warm, tmp_path / "other")
        weights = load_file(other / "model.safetensors")
        save_file({name: weight + 1 for name, weight in weights.items()}, other / "model.safetensors", {"format": "pt"})
        (other / "checksums.json").unlink()
        with pytest.raises(CheckpointError, match=r"weights of the model is '\w{16}', in the checkpoint '\w{16}'"):
            script.main(replace(tiny, model=other, resume=True))

    def test_what_is_not_finite_is_no_step(self, parts, tokenizer, tiny, generator):
        noisy = {"noise": parts.rewards.Reward(lambda _, text: float(len(text) % 7))}
        kind = {"groups": 2, "group_size": 4, "updates": 4, "learning_rate": 1e30}
        settings = parts.grpo_loop.GRPOSettings(**kind, rewards=noisy)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        with pytest.raises(NonFiniteTraining, match=r"of step [12] is (nan|inf); .* A lower learning rate"):
            list(parts.grpo_loop.train(trainer, 2))
        assert all(weight.isfinite().all() for weight in tiny.parameters())

    def test_a_step_moves_every_weight_and_leaves_the_reference(self, parts, tokenizer, tiny, generator):
        before = {name: weight.clone() for name, weight in tiny.state_dict().items()}
        noisy = {"noise": parts.rewards.Reward(lambda _, text: float(len(text) % 7))}
        settings = parts.grpo_loop.GRPOSettings(groups=2, group_size=4, rewards=noisy, updates=2)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        signals = trainer.step()
        for name, weight in tiny.state_dict().items():
            assert not torch.equal(weight, before[name]), name
            assert torch.equal(trainer.reference.state_dict()[name], before[name]), name
        assert signals.divergence > 0, "the second update sees what the first did"
        assert signals.entropy > 0

    def test_the_first_gradient_is_that_of_the_answers_alone(self, parts, tokenizer, tiny, problems, generator):
        # Policy, old policy and reference are the same: what is left of the loss is -A log p, the end token included.
        settings = parts.grpo_loop.GRPOSettings(groups=2, group_size=2, learning_rate=0.0)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        prompts = [tokenizer(problem.prompt)["input_ids"] for problem in problems[:2]]
        end = tokenizer.eos_token_id
        answers = [[*tokenizer("7+5=12")["input_ids"][:size], end] for size in (2, 6, 4, 1)]
        advantages = torch.tensor([0.01, -0.01, 0.005, -0.005])  # so small that the norm of the gradient is not clipped
        trainer._learn(prompts, answers, advantages)
        found = [parameter.grad.clone() for parameter in tiny.parameters()]
        terms = []
        for index, (answer, advantage) in enumerate(zip(answers, advantages, strict=True)):
            prompt = prompts[index // 2]
            log_probs = tiny(torch.tensor([[*prompt, *answer][:-1]])).log_softmax(dim=-1)[0, len(prompt) - 1 :]
            terms.append(-advantage * log_probs.gather(1, torch.tensor(answer)[:, None]).mean() / len(answers))
        expected = torch.autograd.grad(torch.stack(terms).sum(), list(tiny.parameters()))
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)

    def test_more_supervised_steps(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/more_supervised.py")
        sizes = {"solutions": 64, "batch_size": 32, "problems": 40, "held_out": 8, "samples": 2, "split": "validation"}
        results = script.main(script.Config(model=warm, out=tmp_path, **sizes))
        assert set(results.kinds) == {"the same solutions", "right solutions"}
        script.plot(results)


WRONG_OPTIONS = {
    "better_or_surer": ("--answers 10", "--rates 0", "--runs 0", "--temperatures -1", "--wrong 2", "--arms magic"),
    "clip_on_paper": ("--clip-low 1", "--clip-high 0", "--ratios 0"),
    "few_solutions": ("--hard", "--hard scale convert combine oven", "--answers 10", "--drawn 0", "--easy-first 2"),
    "four_runs": ("--steps 0", "--group-size 1", "--too-large 0", "--tone 0"),
    "one_group": ("--rewards 1 0",),
    "temperature_by_hand": ("--right 0.5", "--right 1", "--answers 9", "--temperatures 0"),
    "train_real_llama": (
        "--steps 0", "--group-size 1", "--rank 0", "--pay gold", "--data nowhere", "--rewards nowhere", "--examples -1",
    ),
    "tree_on_paper": ("--answers",),
    "two_arms": ("--probability 1", "--draws 0", "--learning-rate 0"),
    "benchmark": ("--turns 0", "--steps 0", "--groups 0", "--group-size 1", "--max-new-tokens 0", "--model nowhere"),
    "more_supervised": (
        "--runs 0", "--solutions 0", "--solutions 8", "--batch-size 0", "--wrong 2", "--pet-names -1",
        "--learning-rate 0", "--muon-learning-rate nan", "--problems 0", "--held-out 0", "--samples 0",
    ),
    "prepare_dataset": ("--train 0", "--held-out 0", "--levels soup"),
    "reward_hack": ("--steps 0", "--groups 0", "--group-size 1", "--tone -1", "--beta -1", "--strong-beta inf"),
    "reward_model": ("--labelled 0", "--answers 0", "--judge-steps 0", "--group-size 1", "--learning-rate 0"),
    "sharing": ("--turns 0", "--groups 0", "--group-size 0", "--max-new-tokens 0", "--model nowhere"),
    "sweep": ("--samples 12", "--group-sizes 3", "--group-sizes 1", "--betas -1", "--learning-rates 0"),
    "train_grpo": (
        "--runs 0", "--steps 0", "--groups 0", "--group-size 1", "--updates 0", "--learning-rate nan", "--beta -1",
        "--clip-low 0", "--clip-low 1", "--clip-high 0", "--held-out 0", "--samples 0", "--save-every 0", "--levels",
        "--model nowhere", "--seed -1",
    ),
    "train_trl": ("--lora-rank 0", "--steps 0", "--group-size 1", "--per-device 0", "--per-device 7", "--samples 0"),
    "warm_start": ("--problems 0", "--wrong 1.5", "--layers 0", "--d-model 0", "--d-model 20", "--steps 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_options_out_of_range_are_refused(load_sprint, capsys, name):
    config = load_sprint(f"{FOLDER}/{name}.py").Config
    for words in WRONG_OPTIONS[name]:
        with pytest.raises(SystemExit) as end:
            parse_config(config, words.split())
        assert end.value.code == 2, words
        option = words.split()[0].removeprefix("--")
        assert re.search(option.replace("-", "[-_]"), capsys.readouterr().err), words


class TestDataSet:
    @pytest.fixture
    def script(self, load_sprint):
        return load_sprint(f"{FOLDER}/prepare_dataset.py")

    def test_our_problems(self, script, tmp_path):
        from datasets import load_from_disk

        results = script.main(script.Config(train=40, held_out=20, out=tmp_path))
        assert results.rows == {"train": 40, "validation": 20, "test": 20}
        assert results.shared_numbers == 0
        saved = load_from_disk(str(tmp_path / "datasets" / "kitchen"))
        row = saved["train"][0]
        assert row["prompt"][0]["role"] == "user"
        assert f"<answer>{row['answer']}</answer>" in row["solution"]

    def test_a_set_of_the_hub_from_a_folder_of_the_same_columns(self, script, tmp_path):
        from datasets import Dataset, load_from_disk

        rows = [{"question": "Why rest dough?", "answer": "Gluten.", "metadata": {"reasoning": "It relaxes."}}] * 3
        Dataset.from_list(rows).save_to_disk(str(tmp_path / "cooking"))
        results = script.main(script.Config(source=str(tmp_path / "cooking"), out=tmp_path))
        assert results.rows == {"train": 3}
        row = load_from_disk(str(tmp_path / "datasets" / "cooking"))["train"][0]
        assert row["solution"] == "<think>It relaxes.</think><answer>Gluten.</answer>"
        assert row["prompt"] == [{"role": "user", "content": "Why rest dough?"}]
        with pytest.raises(ValueError, match="is where the prompts would be written"):
            script.main(script.Config(source=str(tmp_path / "datasets" / "cooking"), out=tmp_path))

    def test_a_row_without_an_answer_is_named(self, script, tmp_path):
        with pytest.raises(ValueError, match="row 7 has no answer"):
            script.cooking_row({"question": "Why?", "answer": " ", "metadata": {"reasoning": "So."}}, 7)
        with pytest.raises(ValueError, match="row 0 has no question, reasoning"):
            script.cooking_row({"answer": "42"}, 0)
        with pytest.raises(ValueError, match="cannot load"):
            script.main(script.Config(source=str(tmp_path / "nothing"), out=tmp_path))

    def test_a_set_without_rows_replaces_nothing(self, script, tmp_path, monkeypatch):
        monkeypatch.setattr(script, "load_source", lambda _: [])
        before = tmp_path / "datasets" / "empty"
        before.mkdir(parents=True)
        with pytest.raises(ValueError, match="has no rows in the split 'train'"):
            script.main(script.Config(source=str(tmp_path / "empty"), out=tmp_path))
        assert before.is_dir()


class TestTRL:
    @pytest.mark.parametrize("lora", [False, True])
    def test_trains_our_model(self, load_sprint, warm, tmp_path, lora):
        script = load_sprint(f"{FOLDER}/train_trl.py")
        sizes = {"steps": 1, "groups": 2, "group_size": 2, "held_out": 4, "samples": 2, "max_new_tokens": 24}
        results = script.main(script.Config(model=str(warm), lora=lora, out=tmp_path, device="cpu", **sizes))
        assert (results.trained_parameters == results.parameters) is not lora
        assert {"reward", "kl", "entropy"} <= set(results.log[0])
        script.plot(results)

    def test_rewards_are_the_same(self, parts, problems):
        rows = parts.trl_grpo.prompts_of(problems, instruct=True)
        assert [message["role"] for message in rows[0]["prompt"]] == ["system", "user"]
        columns = {name: rows[name] for name in ("question", "thought", "answer", "level")}
        for name, reward in parts.rewards.VERIFIED.items():
            wrong = [parts.written_solutions.with_mistake(one, random.Random(0)).solution for one in problems]
            messages = [[{"role": "assistant", "content": text}] for text in wrong]
            found = parts.trl_grpo.as_trl(name, reward)(completions=messages, **columns)
            assert found == [reward.function(*pair) for pair in zip(problems, wrong, strict=True)]

    def test_refuses_models_without_a_template_or_padding(self, parts, tiny, tokenizer, tmp_path):
        tiny.to_transformers(tokenizer.eos_token_id, tokenizer.pad_token_id).save_pretrained(tmp_path)
        template, tokenizer.chat_template = tokenizer.chat_template, None
        tokenizer.save_pretrained(tmp_path)
        with pytest.raises(ValueError, match="no chat template"):
            parts.trl_grpo.load_policy(str(tmp_path))
        tokenizer.chat_template, tokenizer.pad_token, tokenizer.eos_token = template, None, None
        tokenizer.save_pretrained(tmp_path)
        with pytest.raises(ValueError, match="neither a padding nor an end-of-text token"):
            parts.trl_grpo.load_policy(str(tmp_path))


class TestDynamicSampling:
    def test_groups_with_a_signal_come_first(self, parts, tokenizer, tiny, generator):
        settings = parts.grpo_loop.GRPOSettings(groups=2, group_size=2, drawn=2)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        advantages = torch.tensor([[0.0, 0.0], [1.0, -1.0], [0.0, 0.0], [0.5, -0.5]])
        assert trainer.choose(advantages) == [1, 3]
        assert trainer.choose(advantages[[0, 1, 2]]) == [1, 0], "filled up with groups that say nothing"

    def test_draws_more_than_it_learns_from(self, parts, tokenizer, tiny, generator, monkeypatch):
        learnt = []
        settings = parts.grpo_loop.GRPOSettings(groups=2, group_size=2, drawn=3, max_new_tokens=4)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        monkeypatch.setattr(trainer, "_learn", lambda *each: learnt.append(each) or (0.0, 0.0, 0.0))
        trainer.step()
        prompts, completions, advantages = learnt[0]
        assert (len(prompts), len(completions), len(advantages)) == (2, 4, 4)

    def test_learns_from_the_chosen_groups_with_their_own_advantages(
        self, parts, tokenizer, tiny, problems, generator, monkeypatch
    ):
        """Only texts on the last two of six problems differ in reward: these are learnt from."""
        learnt, asked = [], problems[:6]
        noisy = {problem.question for problem in asked[4:]}

        def noise(problem, text):
            return float(len(text) % 7) if problem.question in noisy else 1.0

        rewards = {"noise": parts.rewards.Reward(noise)}
        settings = parts.grpo_loop.GRPOSettings(groups=2, group_size=4, drawn=3, rewards=rewards, max_new_tokens=6)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        monkeypatch.setattr(trainer, "ask", lambda count: asked[:count])
        monkeypatch.setattr(trainer, "_learn", lambda *each: learnt.append(each) or (0.0, 0.0, 0.0))
        trainer.step()
        prompts, completions, advantages = learnt[0]
        assert prompts == [trainer.encode(problem) for problem in asked[4:]]
        texts = tokenizer.batch_decode(completions, skip_special_tokens=True)
        found = torch.tensor([[float(len(text) % 7) for text in texts[at : at + 4]] for at in (0, 4)])
        assert (found.std(dim=1) > 0).all(), "the texts of this test must differ"
        torch.testing.assert_close(advantages, parts.grpo.group_advantages(found)[0].flatten())

    def test_the_error_of_the_reward_is_over_groups(self, parts, tokenizer, tiny, problems, generator, monkeypatch):
        lengths = torch.tensor([float(len(problem.question)) for problem in problems[:6]])
        rewards = {"length": parts.rewards.Reward(lambda problem, _: float(len(problem.question)))}
        settings = parts.grpo_loop.GRPOSettings(groups=6, group_size=4, rewards=rewards, max_new_tokens=2)
        trainer = parts.grpo_loop.Trainer(tiny, tokenizer, settings, generator)
        monkeypatch.setattr(trainer, "ask", lambda count: problems[:count])
        signals = trainer.step()
        assert signals.reward_error == pytest.approx(lengths.std().item() / math.sqrt(6))
        assert signals.without_signal == 1

    def test_reinforce_lowers_the_rate_to_zero_and_follows_the_curriculum(
        self, parts, tokenizer, tiny, generator, monkeypatch
    ):
        seen = []

        class Recorder(parts.spending.Trainer):
            def step(self):
                seen.append((self.optimizer.param_groups[0]["lr"], self.settings.levels))
                return super().step()

        monkeypatch.setattr(parts.spending, "Trainer", Recorder)
        kind = {"groups": 1, "group_size": 2, "max_new_tokens": 2, "learning_rate": 0.4}
        settings = parts.grpo_loop.GRPOSettings(**kind, levels=("scale",))
        parts.spending.reinforce(
            tiny, tokenizer, settings, 4, generator, levels_at=lambda step: ("scale", "oven")[: 1 if step < 2 else 2]
        )
        rates, levels = zip(*seen, strict=True)
        assert rates == pytest.approx([0.4, 0.3, 0.2, 0.1])
        assert levels == (("scale",), ("scale",), ("scale", "oven"), ("scale", "oven"))

    @pytest.mark.usefixtures("unchecked")
    def test_refuses_to_draw_less(self, parts):
        with pytest.raises(ValueError, match="drawn must be at least 1"):
            parts.grpo_loop.GRPOSettings(drawn=0)


class TestTemperatureScores:
    def test_majority_and_shares(self, parts, problems):
        scores, one = parts.temperature_scores, problems[0]
        wrong = one.solution.replace(f"<answer>{one.answer}", "<answer>1")
        assert scores.majority_answer([wrong, one.solution, one.solution]) == one.answer
        assert scores.majority_answer(["", "no tags"]) is None
        found = scores.summarise(
            [one, one], [[wrong, one.solution, one.solution, ""], [wrong, wrong, one.solution, ""]]
        )
        assert (found.accuracy, found.majority, found.pass_at) == (3 / 8, 0.5, 1.0)
        assert scores.mean_accuracy({"0": found, "1": replace(found, accuracy=5 / 8)}) == 0.5

    def test_at_temperature_0_all_answers_are_the_greedy_one(self, parts, tokenizer, tiny, problems, generator):
        (*groups, last) = parts.temperature_scores.answer_groups(
            tiny, tokenizer, problems[:5], 3, generator, temperature=0, max_new_tokens=6, at_once=2
        )
        assert all(len(set(texts)) == 1 for texts in [*groups, last])
        prompts = [tokenizer(problem.prompt)["input_ids"] for problem in problems[:5]]
        rows = generate(tiny, prompts, max_new_tokens=6, end_token=tokenizer.eos_token_id, temperature=0)
        assert [texts[0] for texts in [*groups, last]] == tokenizer.batch_decode(rows, skip_special_tokens=True)

    def test_better_or_surer(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/better_or_surer.py")
        sizes = {
            "answers": 128,
            "groups": 4,
            "group_size": 8,
            "held_out": 4,
            "samples": 2,
            "searched": 4,
            "problems": 20,
        }
        arms = ("GRPO", "imitation, then GRPO", "right solutions")
        config = script.Config(model=warm, out=tmp_path, arms=arms, rates=(0.5, 1.0), temperatures=(0.0, 1.0), **sizes)
        results = script.main(replace(config, split="validation"))
        assert list(results.arms) == list(arms)
        assert set(results.before) == {"0", "1"} == set(results.gains["GRPO"])
        assert set(results.arms["GRPO"].searched) == {"0.5", "1"}
        script.plot(results)

    def test_few_solutions(self, load_sprint, tmp_path):
        script = load_sprint(f"{FOLDER}/few_solutions.py")
        sizes = {"solutions": 20, "start_steps": 2, "answers": 64, "groups": 8, "group_size": 4, "held_out": 4}
        config = script.Config(out=tmp_path, split="validation", samples=2, searched=4, **sizes)
        results = script.main(config)
        assert list(results.arms) == list(script.ARMS)
        assert set(results.by_level["GRPO"]) == {"scale", "convert", "combine", "oven"}
        assert results.arms["GRPO"].without_signal is not None
        assert results.arms["the same solutions again"].without_signal is None
        _, _, written = script.make_start(config, 0)
        assert statistics.mean(problem.level in config.hard for problem in written) == config.hard_share
        script.plot(results)

    def test_four_runs(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/four_runs.py")
        results = script.main(script.Config(model=warm, out=tmp_path, steps=1, groups=2, group_size=2))
        assert len(results.runs) == 4
        assert results.runs["the parser finds nothing"][0].without_signal == 1
        assert results.runs["the parser finds nothing"][0].reward == 0
        script.plot(results)


class TestOwnProblems:
    LINES: ClassVar = [
        '{"question": "How many eggs are in two dozen?", "answer": "24"}',
        '{"question": "Which sauce?", "answer": "sauce hollandaise", "checker": "exact"}',
        '{"question": "Name a citrus fruit.", "answer": "(?i)(lemon|lime).*", "checker": "regex"}',
    ]

    def test_three_ways_to_check(self, parts, tmp_path):
        path = tmp_path / "own.jsonl"
        path.write_text("\ufeff" + "\n".join(self.LINES * 4 + [""]), encoding="utf-8")
        by_split = parts.own_problems.read_problems(path)
        assert {split: len(problems) for split, problems in by_split.items()} == {
            "test": 2,
            "validation": 2,
            "train": 8,
        }
        number, exact, regex = by_split["test"][0], by_split["validation"][0], by_split["train"][0]
        assert [number.is_correct(text) for text in ("24", "24 eggs", "24.0", "240", "many")] == [True] * 3 + [
            False
        ] * 2
        assert [exact.is_correct(text) for text in (" sauce  hollandaise ", "hollandaise")] == [True, False]
        assert [regex.is_correct(text) for text in ("Lemon", "lime juice", "a lemon")] == [True, True, False]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("not json", "line 10 of own.jsonl is not JSON"),
            ('{"question": "Why?"}', "line 10 of own.jsonl must have a question and an answer"),
            ('{"question": "Why?", "answer": "so"}', "has no number"),
            ('{"question": "Why?", "answer": "(", "checker": "regex"}', "no regular expression"),
            ('{"question": "Why?", "answer": "4", "checker": "taste"}', "the checker must be one of"),
        ],
    )
    def test_a_line_that_is_no_problem_is_named(self, parts, tmp_path, line, message):
        path = tmp_path / "own.jsonl"
        path.write_text("\n".join([*self.LINES * 3, line]), encoding="utf-8")
        with pytest.raises(ValueError, match=re.escape(message)):
            parts.own_problems.read_problems(path)

    def test_rewards_of_a_file(self, parts, tmp_path, problems):
        path = tmp_path / "mine.py"
        path.write_text(
            "def short(problem, text):\n    return float(len(text) < 80)\n\nREWARDS = {'short': (short, 0.1)}\n"
        )
        rewards = parts.own_problems.read_rewards(path)
        one = problems[0]
        assert parts.rewards.score(rewards, [one], [one.solution])[0] == pytest.approx([1.1])
        assert parts.rewards.score(rewards, [one], [100 * "x"])[0] == [0.0]

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("1 / 0", "mine.py cannot be run (ZeroDivisionError"),
            ("pass", "mine.py must define REWARDS"),
            ("REWARDS = {'a': 1}", "REWARDS['a'] must be a function and its weight"),
            ("REWARDS = {'a': (len, float('nan'))}", "the weight of 'a' must be finite"),
        ],
    )
    def test_a_file_without_rewards_is_refused(self, parts, tmp_path, code, message):
        path = tmp_path / "mine.py"
        path.write_text(code)
        with pytest.raises(ValueError, match=re.escape(message)):
            parts.own_problems.read_rewards(path)

    def test_too_few(self, parts, tmp_path):
        path = tmp_path / "own.jsonl"
        path.write_text("\n".join(self.LINES), encoding="utf-8")
        with pytest.raises(ValueError, match="has 3 problems: 10 are needed"):
            parts.own_problems.read_problems(path)


class TestRealLlama:
    """With a small model of the same class: SmolLM2 takes minutes."""

    @pytest.fixture
    def adapted(self, parts, tokenizer, tiny, generator):
        """A policy with adapters, and what makes a trainer of it."""
        from shared.nn.adapters import inject
        from shared.nn.lora import LoRAConfig

        inject(tiny, LoRAConfig(parts.chat_policy.TARGETS, 2, 4.0), generator=generator)
        noisy = {"noise": parts.rewards.Reward(lambda _, text: float(len(text) % 7))}
        settings = parts.grpo_loop.GRPOSettings(2, 4, rewards=noisy, max_new_tokens=8, learning_rate=1e-2)
        prompts = parts.chat_policy.Prompts(tokenizer, ("convert",), examples=0)
        return lambda: parts.chat_policy.ChatTrainer(
            tiny, tokenizer, settings, torch.Generator().manual_seed(1), prompts
        )

    def test_only_adapters_move_and_the_reference_is_the_start(self, parts, tiny, adapted):
        before = {name: weight.clone() for name, weight in tiny.state_dict().items()}
        trainer = adapted()
        assert trainer.step().divergence == pytest.approx(0, abs=1e-6)
        signals = trainer.step()
        assert signals.divergence > 1e-4
        moved = {name for name, weight in tiny.state_dict().items() if not torch.equal(weight, before[name])}
        trained = {name for name, weight in tiny.named_parameters() if weight.requires_grad}
        assert moved == trained
        assert len(moved) == 2 * 2 * len(parts.chat_policy.TARGETS), "A and B, in two blocks"
        prompt = [3, 4, 5]
        trees = parts.packed_trees.pack_trees([prompt], [[6, 7, 1], [6, 8, 1]])
        reference, now = trainer.reference_log_probs(trees), parts.packed_trees.tree_log_probs(tiny, trees)[0]
        assert not torch.allclose(reference, now)
        tiny.load_state_dict(before)
        torch.testing.assert_close(reference, parts.packed_trees.tree_log_probs(tiny, trees)[0])

    def test_a_checkpoint_holds_the_adapters_and_a_resumed_run_is_the_same(self, parts, tiny, adapted, tmp_path):
        start = {name: weight.clone() for name, weight in tiny.state_dict().items()}
        ends = []
        for name, stops in (("whole", (2,)), ("parts", (1, 2))):
            for stop in stops:
                tiny.load_state_dict(start)
                path = tmp_path / name / "checkpoint.pt"
                path.parent.mkdir(exist_ok=True)
                steps = parts.resumable.resumable_steps(
                    adapted(), path, {}, steps=stop, save_every=1, resume=stop != stops[0]
                )
                signals = list(steps)[-1][1]
            ends.append((signals, {name: weight.clone() for name, weight in tiny.state_dict().items()}))
            assert path.stat().st_size < 0.9 * sum(4 * weight.numel() for weight in tiny.parameters())
        assert ends[0][0] == ends[1][0]
        assert all(torch.equal(weight, ends[1][1][name]) for name, weight in ends[0][1].items())

    def test_prompts_show_solved_examples_and_flirt_if_asked(self, parts, tokenizer, problems):
        plain, flirty = (parts.chat_policy.Prompts(tokenizer, ("convert",), flirty=each) for each in (False, True))
        assert [message["role"] for message in plain.messages] == ["system", *["user", "assistant"] * 4]
        assert all("<answer>" in message["content"] for message in plain.messages[2::2])
        shown = [message["content"] for message in flirty.messages if message["role"] == "assistant"]
        assert len(shown) == 4
        assert all("darling" in text for text in shown), "from one example alone it is hardly copied"
        assert tokenizer.decode(plain(problems[0])).endswith(f"<user>{problems[0].question}<cook>")

    @pytest.mark.parametrize("pay", ["verified", "flirty", "gated"])
    def test_the_script_trains_evaluates_and_resumes(self, load_sprint, warm, tmp_path, pay):
        script = load_sprint(f"{FOLDER}/train_real_llama.py")
        sizes = {"steps": 1, "held_out": 4, "examples": 0, "max_new_tokens": 12, "split": "validation"}
        config = script.Config(model=str(warm), out=tmp_path, device="cpu", pay=pay, **sizes)
        results = script.main(config)
        assert set(results.scores) == {"greedy", "temperature 1", "majority"}
        assert results.trained_parameters < results.parameters
        assert ("tone" in results.signals[0].parts) == (pay != "verified")
        assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
        assert len(script.main(replace(config, steps=2, resume=True)).signals) == 2
        script.plot(results)

    def test_the_script_takes_own_problems(self, load_sprint, warm, tmp_path):
        path = tmp_path / "own.jsonl"
        path.write_text("\n".join(TestOwnProblems.LINES * 4), encoding="utf-8")
        script = load_sprint(f"{FOLDER}/train_real_llama.py")
        sizes = {"steps": 1, "held_out": 4, "examples": 0, "max_new_tokens": 12}
        results = script.main(script.Config(model=str(warm), data=path, out=tmp_path, device="cpu", **sizes))
        assert [each.question for each in results.completions] == ["How many eggs are in two dozen?", "Which sauce?"]

    def test_a_model_that_is_no_llama_is_refused(self, parts, generator):
        with pytest.raises(ValueError, match="must be a Llama with a chat template"):
            parts.chat_policy.load_chat_policy("cookbook", 2, 4.0, generator)


class TestOtherScripts:
    def test_benchmark(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/benchmark.py")
        results = script.main(
            script.Config(
                model=warm,
                turns=2,
                steps=1,
                groups=2,
                group_size=2,
                max_new_tokens=8,
                precisions=("float32", "bfloat16"),
                out=tmp_path,
            )
        )
        assert list(results.precisions) == ["float32", "bfloat16"]
        assert all(len(speed.ours) == len(speed.trl) == 2 for speed in results.precisions.values())
        script.plot(results)

    def test_sharing(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/sharing.py")
        results = script.main(
            script.Config(model=warm, turns=2, groups=2, group_size=2, max_new_tokens=8, out=tmp_path)
        )
        assert results.tokens_in_trees < results.tokens_in_rows
        assert all(len(work.rows_milliseconds) == len(work.trees_milliseconds) == 2 for work in results.works.values())
        script.plot(results)

    def test_reward_hack_and_its_mends(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/reward_hack.py")
        sizes = {"steps": 1, "groups": 2, "group_size": 2, "held_out": 4, "samples": 2, "split": "validation"}
        results = script.main(script.Config(model=warm, out=tmp_path, **sizes))
        assert list(results.kinds) == ["no tone", "uncapped", "capped", "capped and gated", "uncapped, strong KL"]
        script.plot(results)

    def test_a_judge_learns_and_reads_the_last_token(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/reward_model.py")
        sizes = {"labelled": 8, "answers": 2, "judge_steps": 2, "steps": 1, "groups": 2, "group_size": 2}
        results = script.main(script.Config(model=warm, out=tmp_path, held_out=4, samples=2, **sizes))
        assert set(results.verdicts) == {"warm start", "learned reward", "verified reward"}
        script.plot(results)
        policy, tokenizer = script.load_warm_policy(warm)
        judge = script.AnswerJudge(policy, tokenizer)
        judge.head.weight.data.normal_()
        problems = script.draw_problems("train", 3, script.seed_everything(0))
        texts = [one.solution for one in problems]
        alone = [judge.reward(*pair) for pair in zip(problems, texts, strict=True)]
        assert judge.probabilities(problems, texts) == pytest.approx(alone, abs=1e-6)

    def test_sweep(self, load_sprint, warm, tmp_path):
        script = load_sprint(f"{FOLDER}/sweep.py")
        few = {"betas": (1.0,), "learning_rates": (1e-3,), "group_sizes": (2,)}
        results = script.main(
            script.Config(model=warm, out=tmp_path, steps=1, samples=8, held_out=4, evaluated=2, **few)
        )
        assert {"base", "beta 1", "learning rate 0.001", "group size 2"} <= set(results.settings)
        script.plot(results)
