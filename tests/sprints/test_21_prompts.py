"""Prompts and prefixes of sprint 21: equal to peft's, and what is easily forgotten before a text."""

import copy
from types import ModuleType
from typing import Any

import pytest
import torch

SPRINT = "21_adapters_and_prompts"
KINDS = {
    "prompt": {"kind": "prompt"},
    "p_tuning": {"kind": "p_tuning", "hidden": 8},
    "prefix": {"kind": "prefix"},
    "reparametrised": {"kind": "prefix", "hidden": 8},
}
TOKENS = torch.tensor([[3, 7, 1, 9, 4], [2, 2, 8, 5, 6]])
LEFT = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]])  # the second row is padded on the left


@pytest.fixture
def prompts(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/prompts.py")


@pytest.fixture
def files(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/prompt_files.py")


def tiny(family: str) -> Any:
    """Return a GPT-2 or a Llama with fewer key-value heads, with weights that are not tiny."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    if family == "gpt2":
        options = {"vocab_size": 20, "n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 2}
        config = GPT2Config(**options, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=0)
        model = GPT2LMHeadModel(config)
    else:
        sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4}
        config = LlamaConfig(vocab_size=20, max_position_embeddings=24, num_key_value_heads=2, eos_token_id=0, **sizes)
        model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    return model.eval()


def with_peft(model: Any, kind: str) -> Any:
    import peft

    make: dict[str, Any] = {
        "prompt": peft.PromptTuningConfig,
        "p_tuning": peft.PromptEncoderConfig,
        "prefix": peft.PrefixTuningConfig,
        "reparametrised": peft.PrefixTuningConfig,
    }
    more = {"p_tuning": {"encoder_hidden_size": 8}, "reparametrised": {"encoder_hidden_size": 8}}.get(kind, {})
    if kind == "reparametrised":
        more["prefix_projection"] = True
    return peft.get_peft_model(model, make[kind](task_type="CAUSAL_LM", num_virtual_tokens=3, **more))


def perturbed_alike(ours: Any, theirs: Any) -> list[tuple[torch.nn.Parameter, torch.nn.Parameter]]:
    """Return the trained parameters in pairs, after every one was moved."""
    pairs = list(zip(ours.parameters(), theirs.prompt_encoder.parameters(), strict=True))
    with torch.no_grad():
        for own, other in pairs:
            own.normal_(std=0.7)
            other.copy_(own)
    return pairs


def close(value: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("kind", KINDS)
def test_prompts_equal_those_of_peft(family: str, kind: str, prompts: ModuleType, files: ModuleType, tmp_path):
    """Logits, loss and all gradients, unless padding is on the left; then files in both directions."""
    import peft

    base, config = tiny(family), prompts.PromptConfig(length=3, **KINDS[kind])
    theirs, model = with_peft(copy.deepcopy(base), kind), prompts.inject(copy.deepcopy(base), config)
    made = prompts.prompt_of(model)
    pairs = perturbed_alike(made, theirs)
    count = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert count == sum(own.numel() for own, _ in pairs) == prompts.parameters_of(config, 16, prompts.sizes_of(base))
    mask = LEFT.flip(1)
    call = {"input_ids": TOKENS, "attention_mask": mask, "labels": TOKENS.where(mask > 0, -100)}
    output, expected = model(**call), theirs(**call)
    close(output.logits[mask > 0], expected.logits[:, -5:][mask > 0])
    close(output.loss, expected.loss)
    for loss, logits in ((output.loss, output.logits), (expected.loss, expected.logits[:, -5:])):
        (loss + logits[mask > 0][:, 3].sum()).backward()
    for own, other in pairs:
        assert other.grad.abs().max() > 1e-4
        close(own.grad, other.grad)

    padded = {"input_ids": TOKENS, "attention_mask": LEFT}
    apart = (model(**padded).logits - theirs(**padded).logits[:, -5:]).abs().amax(dim=-1)
    assert apart[0].max() < 1e-4  # the row without padding
    assert apart[1, 2:].max() > 1e-3, "peft counts real tokens now: note 5 says that it counts places"

    expected = model(input_ids=TOKENS).logits
    theirs.save_pretrained(tmp_path / "theirs")
    close(files.load_prompt(copy.deepcopy(base), tmp_path / "theirs")(input_ids=TOKENS).logits, expected)
    files.save_prompt(model, tmp_path / "ours", "tiny", config)
    read = peft.PeftModel.from_pretrained(copy.deepcopy(base), tmp_path / "ours")
    close(read(input_ids=TOKENS).logits[:, -5:], expected)
    assert torch.equal(prompts.remove(model)(input_ids=TOKENS).logits, base(input_ids=TOKENS).logits)
    assert all(weight.requires_grad for weight in model.parameters())
    torch.nn.init.ones_(next(model.parameters()))
    with pytest.raises(ValueError, match="another base"):
        files.load_prompt(model, tmp_path / "ours")


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_generation_with_the_cache_and_padding_on_the_left(family: str, kind: str, prompts: ModuleType):
    """The cached path writes what passes over the whole text do, and padding changes nothing."""
    model = prompts.inject(tiny(family), prompts.PromptConfig(kind, 3, deviation=0.7))
    written = model.generate(TOKENS, attention_mask=LEFT, max_new_tokens=4, do_sample=False, pad_token_id=0)
    for row, start in ((0, 0), (1, 2)):
        tokens = TOKENS[row : row + 1, start:]
        for _ in range(written.shape[1] - 5):
            tokens = torch.cat([tokens, model(input_ids=tokens, use_cache=False).logits[:, -1:].argmax(dim=-1)], dim=1)
        assert written[row, start:].tolist() == tokens[0].tolist()
    padded = model(input_ids=TOKENS, attention_mask=LEFT).logits[1, 2:]
    close(padded, model(input_ids=TOKENS[1:, 2:]).logits[0])


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_prompt_of_words_is_the_words_and_so_is_their_prefix(family: str, prompts: ModuleType):
    model, words = tiny(family), torch.tensor([[11, 5, 11]])
    expected = model(input_ids=torch.cat([words.expand(2, -1), TOKENS], dim=1)).logits[:, 3:]
    for kind in ("prompt", "prefix"):
        prompts.inject(model, prompts.PromptConfig(kind, 3, words=(11, 5)))
        close(model(input_ids=TOKENS).logits, expected)
        prompts.remove(model)


def test_a_prefix_can_leave_the_text_its_positions(prompts: ModuleType):
    """Shifted text meets other vectors of GPT-2's table; Llama's rotary positions see distances alone."""
    for family in ("gpt2", "llama"):
        model, start = tiny(family), torch.zeros(2, 64 if family == "gpt2" else 32)
        logits = {}
        for keep in (True, False):
            made = prompts.Prefix(start, prompts.sizes_of(model))
            prompts.attach(model, made, prompts.PromptConfig("prefix", 2, keep_positions=keep))
            logits[keep] = model(input_ids=TOKENS).logits
            prompts.remove(model)
        difference = (logits[True] - logits[False]).abs().max()
        assert difference > 0.1 if family == "gpt2" else difference < 1e-5


def test_bad_input_ends_in_a_sentence(prompts: ModuleType, files: ModuleType, tmp_path):
    wrong: dict[str, dict[str, Any]] = {
        "got 0: use the model without one": {"length": 0},
        "take p_tuning": {"hidden": 4},
        "cannot start as words": {"kind": "p_tuning", "words": (1,)},
        "positions of their own": {"keep_positions": True},
    }
    for message, options in wrong.items():
        with pytest.raises(ValueError, match=message):
            prompts.PromptConfig(**options)
    model = tiny("gpt2")
    with pytest.raises(ValueError, match="no keep_positions"):
        files.save_prompt(model, tmp_path, "tiny", prompts.PromptConfig("prefix", 2, keep_positions=True))
    with pytest.raises(ValueError, match="has no prompt"):
        prompts.remove(model)
    with pytest.raises(ValueError, match="24 places"):
        prompts.inject(model, prompts.PromptConfig("prompt", 24))
    with pytest.raises(ValueError, match="there is no prompt in"):
        files.load_prompt(model, tmp_path)
    prompts.inject(model, prompts.PromptConfig("prompt", 20))
    with pytest.raises(ValueError, match="already"):
        prompts.inject(model, prompts.PromptConfig("prompt", 2))
    with pytest.raises(ValueError, match="got 25 places"):
        model(input_ids=TOKENS)
    with pytest.raises(ValueError, match="give input_ids"):
        model(inputs_embeds=torch.zeros(1, 2, 16))
