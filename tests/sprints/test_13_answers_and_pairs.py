"""Sprint 13's instruction tuning and DPO: masks, questions, losses equal to TRL's, with tiny models."""

import dataclasses
import math
import re
from types import ModuleType

import peft
import pytest
import torch
from lesson_texts import lesson_texts
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from shared.lab.config import parse_config
from shared.nn.adapters import activate, inject, layers_of
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import Logits, load_tokenizer
from shared.text.cookbook import Cookbook
from shared.training.losses import language_model_loss

SPRINT = "13_peft_lora"
PACKAGE = f"{SPRINT}/adapter_study"
PAGE, note = lesson_texts("13_peft_lora")


@pytest.fixture
def chats(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/chat_turns.py")


@pytest.fixture
def questions(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/recipe_questions.py")


@pytest.fixture
def answering(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/answering.py")


@pytest.fixture
def pairs(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/preferences.py")


def tiny_gpt2(seed: int = 0) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    shape = {"n_positions": 256, "n_embd": 32, "n_layer": 1, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0}
    size = GPT2Config(vocab_size=2048, **shape, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
    return GPT2LMHeadModel(size).eval()


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, str]:
    """Folders of tiny models of both families with random weights and the shipped tokenizer."""
    torch.manual_seed(0)
    size = LlamaConfig(
        vocab_size=2048, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=256, bos_token_id=0, eos_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    made = {}
    for name, model in (("gpt2", tiny_gpt2()), ("llama", LlamaForCausalLM(size))):
        made[name] = str(tmp_path_factory.mktemp(name))
        model.save_pretrained(made[name])
        load_tokenizer().save_pretrained(made[name])
    return made


def with_adapter(rank: int = 2) -> GPT2LMHeadModel:
    """A tiny model whose adapter already does something."""
    model = tiny_gpt2()
    inject(model, LoRAConfig(("c_attn", "c_fc"), rank, 2 * rank), generator=torch.Generator().manual_seed(0))
    for layer in layers_of(model, "default").values():
        layer.up["default"].data.normal_(std=0.3, generator=torch.Generator().manual_seed(1))
    return model


class TestQuestions:
    def test_answers_are_read_off_the_recipe(self, questions):
        recipe = Cookbook().recipe("train", 0)
        assert questions.amounts_of(recipe)["lard"] == "3 tbsp"
        assert questions.amounts_of(recipe)["ramps"] == "6"
        asked = {each.text: each.answer for each in questions.every_question(recipe, torch.Generator())}
        assert asked["how much turkey?"] == "360 g"
        assert asked["for how many?"] == "6"
        assert asked["what comes after step 2?"] == "Turn up the heat and brown the turkey on all sides."
        assert asked["which step needs dashi?"] == "4"
        for text, answer in (("how much lard?", "3 tbsp"), ("for how many?", "6"), ("which step needs dashi?", "4")):
            assert text[:-1] in note(9)
            assert asked[text] == answer

    def test_answers_are_unique_and_wrong_ones_are_wrong(self, questions):
        cookbook = Cookbook()
        for index in range(150):
            recipe = cookbook.recipe("train", index)
            every = questions.every_question(recipe, torch.Generator().manual_seed(index))
            assert len({each.text for each in every}) == len(every)
            assert {each.kind for each in every} == set(questions.KINDS)
            steps = re.findall(r"(?<=^\d\. ).*", recipe.text, re.MULTILINE)
            for each in every:
                assert each.answer != each.wrong, each
                assert each.answer in recipe.text
                if each.kind == "how much":
                    name = each.text.removeprefix("how much ")[:-1]
                    assert re.search(rf"^{each.answer} (?:\S+ )?{name}$", recipe.text, re.MULTILINE)
                if each.kind == "which step":
                    name = each.text.removeprefix("which step needs ")[:-1]
                    inside = [number for number, step in enumerate(steps, 1) if re.search(rf"\b{name}\b", step)]
                    assert inside == [int(each.answer)]
                if each.kind == "next step":
                    spoiled = recipe.text.replace(each.answer, each.wrong)
                    assert cookbook.fault(spoiled) is not None, "the grammar refuses the spoiled step"

    def test_streams_and_numbers_share_no_recipe_and_repeat(self, questions):
        first = questions.asked_recipes("train", 0, 5, 2)
        assert first == questions.asked_recipes("train", 0, 5, 2)
        others = [*questions.asked_recipes("train", 5, 5, 2), *questions.asked_recipes("test", 0, 5, 2)]
        assert not {each.text for each in first} & {each.text for each in others}
        assert all(len({question.text for question in each.questions}) == 2 for each in first)


class TestMasks:
    def test_the_answers_and_their_ends_are_scored(self, chats, questions):
        tokenizer = load_tokenizer()
        chats.give_template(tokenizer)
        (asked,) = questions.asked_recipes("train", 0, 1, 3)
        messages = questions.conversation(asked)
        chat = chats.encode_chat(tokenizer, messages)
        assert tokenizer.decode(chat.tokens) == chats.render(tokenizer, messages)
        scored = [token for token, inside in zip(chat.tokens, chat.in_answer, strict=True) if inside]
        assert tokenizer.decode(scored) == "".join(f" {each.answer}<|endoftext|>" for each in asked.questions)
        without = chats.scored_tokens(chat, "answers without end")
        left = [token for token, inside in zip(chat.tokens, without, strict=True) if inside]
        assert tokenizer.decode(left) == "".join(f" {each.answer}" for each in asked.questions)
        prompt = chats.render(tokenizer, messages[:1])
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        assert chat.tokens[: len(ids)] == ids, "asked as it was taught"
        assert chat.in_answer[len(ids) - 1 : len(ids) + 1] == [False, True]

    def test_what_a_template_writes_after_the_end_is_not_scored(self, chats):
        tokenizer = load_tokenizer()
        tokenizer.chat_template = chats.KITCHEN_TEMPLATE.replace("eos_token }}", "eos_token + '\n' }}")
        messages = [{"role": "user", "content": "how much rice?"}, {"role": "assistant", "content": "90 g"}]
        chat = chats.encode_chat(tokenizer, messages)
        assert chat.tokens[-2] == tokenizer.eos_token_id
        assert chat.in_answer[-2:] == [True, False]

    def test_templates_that_cannot_be_used_are_refused(self, chats):
        tokenizer = load_tokenizer()
        messages = [{"role": role, "content": "rice"} for role in ("user", "assistant", "user", "assistant")]
        tokenizer.chat_template = "{% for message in messages %}{{ message.role + ': ' + message.content }}{% endfor %}"
        with pytest.raises(ValueError, match="would never stop"):
            chats.encode_chat(tokenizer, messages)
        tokenizer.chat_template = "{{ messages | length }}" + chats.KITCHEN_TEMPLATE
        with pytest.raises(ValueError, match="rewrites earlier turns"):
            chats.encode_chat(tokenizer, messages)

    def test_the_loss_on_answers_is_that_of_transformers_with_hidden_labels(self, chats, answering):
        tokenizer, model = load_tokenizer(), tiny_gpt2()
        some = answering.training_chats(tokenizer, model, 0, 4, 2)
        tokens, mask = chats.chat_batch(some)
        total, count = language_model_loss(Logits(model), (tokens, mask))
        labels = tokens.masked_fill(~mask, -100)
        theirs = model(input_ids=tokens, labels=labels).loss
        assert (total / count).item() == pytest.approx(theirs.item(), rel=1e-5)
        assert count == sum(sum(chat.in_answer) for chat in some)

    def test_note_9_by_hand(self, load_sprint):
        whole = 200 * 0.4 + 8 * 2.5 + 3 * 1.0
        assert f"{whole:.0f} / 211 = {whole / 211:.3f}" in note(9)
        assert f"{(whole - 3) / 211:.3f} is left" in note(9).replace("\n", " ")
        assert round(3 / whole, 2) == 0.03
        assert f"(6 + 18) / 20 = {24 / 20}" in note(9)
        script = load_sprint(f"{SPRINT}/what_is_scored.py")
        results = script.main(script.Config())
        assert " ".join(results.text.split()) in note(9)
        assert results.scored["answers"] == [False] * (len(results.tokens) - 3) + [True] * 3
        assert results.scored["answers without end"][-1] is False
        assert all(results.scored["whole text"])


class TestAnswers:
    def test_exact_answers_are_those_that_greedy_decoding_writes(self, answering, chats):
        tokenizer, model = load_tokenizer(), tiny_gpt2()
        some = answering.asked_chats(tokenizer, model, "test", 0, 3)
        learnt = [each.right for each in some]
        for _ in answering.tune_on_chats(
            model, learnt, "answers", steps=60, batch_size=3, learning_rate=1e-2, generator=torch.Generator()
        ):
            pass
        scores = answering.score_answers(model, some)
        assert scores.exact == scores.before_end == 1, "three chats by heart"
        assert scores.prefers == 1
        assert scores.probability > 0.5
        for each in some:
            said = tokenizer.decode([token for token, inside in zip(*each.right, strict=True) if inside])
            assert answering.write_answer(model, tokenizer, each.prompt) == said
        others = answering.asked_chats(tokenizer, model, "test", 3, 8)
        scores = answering.score_answers(model, others)
        chats_of_others = [each.right for each in others]
        log_probs = answering.answer_log_probs(model, chats_of_others)  # of whole answers
        assert scores.probability == pytest.approx(log_probs.exp().mean().item(), rel=1e-4)
        for what, loss in (("answers", scores.loss), ("answers without end", scores.loss_before_end)):
            total, count = language_model_loss(Logits(model), chats.chat_batch(chats_of_others, what))
            assert loss == pytest.approx((total / count).item(), rel=1e-4), what
        share = scores.exact
        written = [answering.write_answer(model, tokenizer, each.prompt) for each in others]
        right = [
            tokenizer.decode([token for token, inside in zip(*each.right, strict=True) if inside]) for each in others
        ]
        assert share == sum(a == b for a, b in zip(written, right, strict=True)) / len(others)

    def test_without_its_end_an_answer_is_learnt_and_never_ends(self, answering):
        tokenizer, model = load_tokenizer(), tiny_gpt2()
        some = answering.asked_chats(tokenizer, model, "test", 0, 2)
        learnt = [each.right for each in some]
        for _ in answering.tune_on_chats(
            model, learnt, "answers without end", steps=60, batch_size=2, learning_rate=1e-2,
            generator=torch.Generator(),
        ):  # fmt: skip
            pass
        scores = answering.score_answers(model, some)
        assert (scores.exact, scores.before_end) == (0, 1)
        assert scores.loss_before_end < 0.5 < scores.loss

    def test_chats_that_do_not_fit_are_left_out(self, answering):
        tokenizer, model = load_tokenizer(), tiny_gpt2()
        model.config.n_positions = 200
        some = answering.training_chats(tokenizer, model, 0, 20, 1)
        assert 0 < len(some) < 20
        assert max(len(chat.tokens) for chat in some) <= 200
        model.config.n_positions = 50
        with pytest.raises(ValueError, match="reads 50 tokens"):
            answering.training_chats(tokenizer, model, 0, 20, 1)

    @pytest.mark.parametrize("family", ["gpt2", "llama"])
    def test_the_script_compares_ways_on_both_families(self, load_sprint, folders, family: str):
        script = load_sprint(f"{SPRINT}/instruction_tuning.py")
        config = script.Config(
            model=folders[family], recipes=8, steps=2, batch_size=4, rank=2, asked=4, every=1, device="cpu"
        )
        results = script.main(config)
        scored = {name: way.scored for name, way in results.ways.items()}
        assert scored["whole text"] == 1 > scored["answers"] > scored["answers without end"] > 0
        for way in results.ways.values():
            assert way.runs[0].loss < results.before.loss
            assert way.curve_steps == [1, 2]
        script.plot(results)
        one = dataclasses.replace(config, ways=("answers",))
        assert script.main(one) == script.main(one), "same seed, same results"


class TestDPO:
    def test_note_10_by_hand(self, load_sprint, pairs):
        script = load_sprint(f"{SPRINT}/dpo_on_paper.py")
        results = script.main(script.Config())
        start, first, second = results.models.values()
        assert f"0.5 · 0.405 = {first.chosen_reward:.3f}" in note(10)
        assert f"0.5 · (-1.099) = {first.rejected_reward:.3f}" in note(10)
        assert f"0.203 - (-0.549) = {first.margin:.3f}" in note(10)
        assert f"σ(0.752) = {math.exp(-first.loss):.3f}" in note(10)
        assert f"-ln 0.680 = {first.loss:.3f}" in note(10)
        assert f"ln(0.15 / 0.2) = {second.chosen_reward:.3f}" in note(10)
        assert f"ln(0.05 / 0.3) = {second.rejected_reward:.3f}" in note(10).replace("0.5\n· ", "")
        assert second.loss == pytest.approx(first.loss)
        assert start.loss == pytest.approx(math.log(2))
        assert (start.pull, f"{first.pull:.3f}") == (0.25, "0.160")
        assert -math.log(1 / (1 + math.exp(-2.25))) == pytest.approx(0.1, abs=0.001)
        assert (2.25 / 0.5, 2.25 / 0.05) == (4.5, 45)
        found = pairs.dpo_losses(*torch.tensor([[-10.0], [-14], [-12], [-11]]), 0.1)
        assert f"{found.losses.item():.3f}" == "0.474"
        assert "-ln σ(0.5) = 0.474" in note(10)

    def test_note_10_the_chosen_answer_can_fall_by_the_exact_gradient(self):
        feature, logits = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([0.2, 0.3, 0.5]).log()
        weight = torch.zeros((), requires_grad=True)
        log_probs = (logits + weight * feature).log_softmax(dim=0)
        (gradient,) = torch.autograd.grad(log_probs[0] - log_probs[1], weight)
        assert gradient.item() == pytest.approx(-1)
        step = 1e-3 * gradient
        change = (logits + step * feature).log_softmax(dim=0)[0] - log_probs[0]
        assert change.item() == pytest.approx(-0.2e-3, rel=1e-2)
        free = logits.clone().requires_grad_()
        own = free.log_softmax(dim=0)
        (gradient,) = torch.autograd.grad(own[0] - own[1], free)
        assert gradient.tolist() == pytest.approx([1, -1, 0], abs=1e-6)
        raised = (free + 1e-3 * gradient).log_softmax(dim=0)[0] - own[0]
        assert raised.item() == pytest.approx(1e-3 * (1 - 0.2 + 0.3), rel=1e-2)

    def test_the_gradient_is_beta_times_what_the_pair_still_lacks(self, pairs):
        values = torch.tensor([[-2.0, -7], [-1, -5], [-3, -6], [-2, -6.5]], requires_grad=True)
        found = pairs.dpo_losses(*values, 0.3)
        found.losses.sum().backward()
        margins = (found.chosen_rewards - found.rejected_rewards).detach()
        pull = 0.3 * torch.sigmoid(-margins)
        assert values.grad is not None
        torch.testing.assert_close(values.grad[0], -pull)
        torch.testing.assert_close(values.grad[1], pull)
        assert pairs.dpo_losses(*torch.tensor([[-2000.0], [0], [0], [0]]), 1.0).losses.item() == 2000

    def test_the_reference_is_the_model_without_its_adapter(self, answering, pairs):
        model, tokenizer = with_adapter(), load_tokenizer()
        some = answering.asked_chats(tokenizer, model, "train", 0, 3)
        batch = pairs.pair_batch(some, torch.device("cpu"))
        found = pairs.preferences(Logits(model), batch, 0.2)
        bare, adapted = (pairs.pair_log_probs(Logits(each), batch) for each in (tiny_gpt2(), model))
        torch.testing.assert_close(found.chosen_rewards, 0.2 * (adapted[0] - bare[0]))
        torch.testing.assert_close(found.rejected_rewards, 0.2 * (adapted[1] - bare[1]))
        assert found.chosen_rewards.abs().max() > 0.01
        assert all(layer.active == "default" for layer in layers_of(model, "default").values()), "switched on again"
        fresh = tiny_gpt2()
        inject(fresh, LoRAConfig(("c_attn",), 2, 4))
        losses = pairs.preferences(Logits(fresh), batch, 0.2).losses
        torch.testing.assert_close(losses, torch.full((3,), math.log(2)))
        torch.testing.assert_close(answering.answer_log_probs(model, [each.right for each in some]), adapted[0])

    def test_equals_trl_in_tokens_loss_rewards_and_gradients(self, questions, answering, pairs, tmp_path):
        from datasets import Dataset
        from trl import DPOConfig, DPOTrainer

        tokenizer, beta = load_tokenizer(), 0.3
        ours = with_adapter()
        some = answering.asked_chats(tokenizer, ours, "train", 0, 3)
        rows = []
        for asked in questions.asked_recipes("train", 0, 3, 1):
            prompt, right = questions.conversation(asked)
            wrong = right | {"content": asked.questions[0].wrong}
            rows.append({"prompt": [prompt], "chosen": [right], "rejected": [wrong]})
        arguments = DPOConfig(
            output_dir=str(tmp_path), beta=beta, per_device_train_batch_size=3, max_length=None, report_to="none",
            use_cpu=True, bf16=False, gradient_checkpointing=False,
        )  # fmt: skip
        trainer = DPOTrainer(
            model=tiny_gpt2(),
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            peft_config=peft.LoraConfig(r=2, lora_alpha=4, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True),
        )
        for path, layer in layers_of(ours, "default").items():
            twin = trainer.model.get_submodule(f"base_model.model.{path}")
            twin.lora_A["default"].weight.data.copy_(layer.down["default"])
            twin.lora_B["default"].weight.data.copy_(layer.up["default"])
        batch = trainer.data_collator([trainer.train_dataset[index] for index in range(3)])
        tokens, mask = pairs.pair_batch(some, torch.device("cpu"))
        assert torch.equal(batch["input_ids"], tokens)
        assert torch.equal(batch["completion_mask"].bool(), mask)
        trainer.model.train()
        loss = trainer._compute_loss(trainer.model, batch, return_outputs=False)
        loss.backward()
        found = pairs.preferences(Logits(ours), (tokens, mask), beta)
        found.losses.mean().backward()
        assert found.losses.mean().item() == pytest.approx(loss.item(), abs=1e-5)
        assert abs(loss.item() - math.log(2)) > 1e-3, "something has moved"
        metrics = trainer._metrics["train"]
        assert found.chosen_rewards.mean().item() == pytest.approx(metrics["rewards/chosen"][0], abs=1e-5)
        assert found.rejected_rewards.mean().item() == pytest.approx(metrics["rewards/rejected"][0], abs=1e-5)
        scores = pairs.score_pairs(ours, some, beta)
        assert scores.margin == pytest.approx(metrics["rewards/margins"][0], abs=1e-5)
        assert scores.accuracy == pytest.approx(metrics["rewards/accuracies"][0])
        for path, layer in layers_of(ours, "default").items():
            twin = trainer.model.get_submodule(f"base_model.model.{path}")
            for mine, theirs in (
                (layer.down["default"].grad, twin.lora_A["default"].weight.grad),
                (layer.up["default"].grad, twin.lora_B["default"].weight.grad),
            ):
                assert mine.abs().max() > 1e-4
                torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-3)

    def test_training_parts_the_pairs_and_moves_the_adapter_alone(self, answering, pairs):
        model, tokenizer = tiny_gpt2(), load_tokenizer()
        inject(model, LoRAConfig(("c_attn", "c_fc"), 2, 4), generator=torch.Generator().manual_seed(0))
        some = answering.asked_chats(tokenizer, model, "train", 0, 4)
        before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        trained = pairs.tune_on_pairs(
            model, some, 0.5, steps=30, batch_size=4, learning_rate=2e-2, generator=torch.Generator()
        )
        losses = [loss for _, loss in trained]
        assert losses[0] == pytest.approx(math.log(2), abs=1e-3)
        assert losses[-1] < 0.5
        scores = pairs.score_pairs(model, some, 0.5)
        assert scores.accuracy == 1
        assert scores.margin == pytest.approx(0.5 * (scores.chosen - scores.rejected), rel=1e-3)
        for name, weight in model.named_parameters():
            assert torch.equal(weight, before[name]) != weight.requires_grad, name
        activate(model, None)
        assert torch.equal(model(torch.arange(5)[None]).logits, tiny_gpt2()(torch.arange(5)[None]).logits)

    @pytest.mark.parametrize("family", ["gpt2", "llama"])
    def test_the_script_compares_betas_on_both_families(self, load_sprint, folders, family: str):
        script = load_sprint(f"{SPRINT}/dpo.py")
        config = script.Config(
            model=folders[family], betas=(0.1, 1.0), pairs=6, warm_steps=3, steps=3, batch_size=2, rank=2, asked=4,
            every=2, voice=2, device="cpu", learning_rate=1e-2,
        )  # fmt: skip
        results = script.main(config)
        assert list(results.ways) == ["right answers alone", "DPO, beta 0.1", "DPO, beta 1"]
        for way in results.ways.values():
            assert way.curve_steps == [2, 3]
            assert way.first_voice != results.first_voice
        script.plot(results)
        one = dataclasses.replace(config, betas=(0.1,))
        assert script.main(one).ways == {name: results.ways[name] for name in list(results.ways)[:2]}, "same seed"


WRONG_OPTIONS = {
    "instruction_tuning": [
        "--ways",
        "--ways answers answers",
        "--ways questions",
        "--rates",
        "--recipes 0",
        "--steps 0",
        "--rates 0",
        "--rank 0",
        "--asked 0",
    ],
    "dpo": [
        "--betas",
        "--betas 1 1",
        "--betas 0",
        "--betas -1",
        "--pairs 0",
        "--steps 0",
        "--warm-steps 0",
        "--learning-rate 0",
        "--seeds 0",
    ],
    "dpo_on_paper": ["--beta 0"],
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_options_out_of_range_are_refused(load_sprint, capsys, name: str):
    config = load_sprint(f"{SPRINT}/{name}.py").Config
    for words in WRONG_OPTIONS[name]:
        with pytest.raises(SystemExit) as end:
            parse_config(config, words.split())
        assert end.value.code == 2, words
        assert words.split()[0] in capsys.readouterr().err, words
