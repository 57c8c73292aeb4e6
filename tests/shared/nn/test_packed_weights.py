"""Weights as integers in groups: bytes, folders, and what is refused."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from shared.nn.model_folders import seal
from shared.nn.packed_weights import DESCRIPTION, WEIGHTS, GroupedWeight, pack, read_packed, save_packed, unpack
from shared.nn.pretrained import load_causal_model, load_tokenizer


@pytest.mark.parametrize("bits", [4, 8])
def test_every_integer_comes_back(bits):
    half = 2 ** (bits - 1)
    integers = torch.arange(-half, half).to(torch.int8).repeat(2, 1)
    packed = pack(integers, bits)
    assert packed.numel() * 8 == integers.numel() * bits
    assert torch.equal(unpack(packed, bits), integers)


def test_the_first_of_two_is_in_the_lower_half():
    assert pack(torch.tensor([[-8, 7, 0, -1]], dtype=torch.int8), 4).tolist() == [[0 + 16 * 15, 8 + 16 * 7]]


def test_what_does_not_fit_is_refused():
    wide = torch.tensor([[8, 0]], dtype=torch.int8)
    with pytest.raises(ValueError, match="4 bits hold -8 to 7; got 0 to 8"):
        pack(wide, 4)
    for integers, bits in ((wide, 5), (wide[:, :1], 4)):
        with pytest.raises(ValueError, match="in pairs"):
            pack(integers, bits)


def test_numbers_are_integers_times_the_scale_of_their_group():
    weight = GroupedWeight(
        torch.tensor([[1, -2, 3, 4], [5, 6, -7, 0]], dtype=torch.int8), torch.tensor([[0.5, 2], [1, 0.25]]).half()
    )
    assert weight.to_float().tolist() == [[0.5, -1, 6, 8], [5, 6, -1.75, 0]]


@pytest.fixture(params=["gpt2", "llama", "llama, two tables"])
def saved(request, tmp_path):
    """A random model whose matrices lie on grids, its folder, and a number of bits."""
    tokenizer = load_tokenizer()
    torch.manual_seed(0)
    if request.param == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=len(tokenizer), n_positions=32))
    else:
        shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
        tied = request.param == "llama"
        model = LlamaForCausalLM(LlamaConfig(**shape, vocab_size=len(tokenizer), tie_word_embeddings=tied))
    weights = {}
    for name, parameter in model.named_parameters():
        # The second table of a Llama that has two stays in float32.
        if parameter.dim() == 2 and "wpe" not in name and "lm_head" not in name:
            turned = name.split(".")[-2] in ("c_attn", "c_proj", "c_fc")  # Conv1D: (inputs, outputs)
            outputs, inputs = (parameter.T if turned else parameter).shape
            integers = torch.randint(-8, 8, (outputs, inputs)).to(torch.int8)
            weights[name] = GroupedWeight(integers, torch.rand(outputs, inputs // 16).half())
            numbers = weights[name].to_float()
            parameter.data.copy_(numbers.T if turned else numbers)
        else:
            parameter.data.normal_()
    save_packed(tmp_path / "model", model, tokenizer, weights, 4)
    return model.eval(), weights, tmp_path / "model"


def test_a_folder_is_loaded_bit_for_bit(saved):
    model, weights, folder = saved
    packed, _ = read_packed(folder)
    assert packed.keys() == weights.keys()
    for name, weight in weights.items():
        assert torch.equal(packed[name].integers, weight.integers)
        assert torch.equal(packed[name].scales, weight.scales)
    loaded, _ = load_causal_model(str(folder))
    assert not loaded.training
    for (name, mine), (other_name, other) in zip(model.named_parameters(), loaded.named_parameters(), strict=True):
        assert name == other_name
        assert torch.equal(mine, other), name
    tied = model.config.tie_word_embeddings
    assert (loaded.lm_head.weight is loaded.get_input_embeddings().weight) == tied
    tokens = torch.arange(12).unsqueeze(0)
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, loaded(tokens).logits)


def test_what_is_not_as_it_was_written_is_refused(saved, tmp_path):
    _, _, folder = saved
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    flipped = tmp_path / "flipped"
    shutil.copytree(folder, flipped)
    (flipped / WEIGHTS).write_bytes(content)
    with pytest.raises(ValueError, match=f"{WEIGHTS} is not as it was written"):
        load_causal_model(str(flipped))
    described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    for change in ({"scheme": "affine"}, {"bits": 3}):
        (folder / DESCRIPTION).write_text(json.dumps(described | change), encoding="utf-8")
        seal(folder)
        with pytest.raises(ValueError, match=r"can be read: quantize the model again"):
            load_causal_model(str(folder))
    (folder / DESCRIPTION).write_text(json.dumps(described | {"weights": ["another"]}), encoding="utf-8")
    seal(folder)
    with pytest.raises(ValueError, match=r"lacks another\.integers: get a whole copy"):
        load_causal_model(str(folder))


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (".scales", lambda scales: scales[:-1], r"\.scales of shape \(\d+, \d+\), which do not fit together"),
        (".scales", lambda scales: scales[0], r"\.scales of shape \(\d+,\), which do not fit together"),
        (".scales", lambda scales: torch.cat([scales, scales, scales], 1), "which do not fit together"),
        (".integers", lambda integers: integers[0], r"\.integers of shape \(\d+,\) and .* fit together"),
        ("norm.weight", lambda weight: weight[:-1], r"of shape \(31,\), and by its config.json it is \(32,\)"),
        ("ln_1.weight", lambda weight: weight[:-1], r"of shape \(31,\), and by its config.json it is \(32,\)"),
    ],
)
def test_a_tensor_of_another_shape_is_refused_by_its_name(saved, part, change, message):
    _, _, folder = saved
    tensors = load_file(folder / WEIGHTS)
    if not (names := [name for name in tensors if name.endswith(part)]):
        pytest.skip("a norm of the other family")
    save_file(tensors | {names[0]: change(tensors[names[0]]).contiguous()}, folder / WEIGHTS)
    seal(folder)
    with pytest.raises(ValueError, match=message) as refused:
        load_causal_model(str(folder))
    assert names[0] in str(refused.value)


def test_a_matrix_of_another_shape_is_refused_by_its_name(saved):
    model, weights, folder = saved
    name = next(iter(weights))
    tensors = load_file(folder / WEIGHTS)
    half = len(tensors[name + ".integers"]) // 2
    changed = {name + part: tensors[name + part][:half].contiguous() for part in (".integers", ".scales")}
    save_file(tensors | changed, folder / WEIGHTS)
    seal(folder)
    expected = re.escape(f"by its config.json it is {(*model.get_parameter(name).shape,)}")
    with pytest.raises(ValueError, match=rf"has {re.escape(name)} of shape .*{expected}"):
        load_causal_model(str(folder))


def test_transformers_alone_takes_no_packed_folder_for_a_model_of_its_own(saved):
    from transformers import AutoModelForCausalLM

    with pytest.raises(OSError, match="no file named"):
        AutoModelForCausalLM.from_pretrained(saved[2])


def test_a_folder_that_lacks_a_parameter_is_refused(saved, tmp_path):
    model, weights, _ = saved
    left = dict(weights)
    gone, _ = left.popitem()
    model.get_parameter(gone).data = model.get_parameter(next(iter(left))).data  # taken for packed
    save_packed(tmp_path / "less", model, load_tokenizer(), left, 4)
    with pytest.raises(ValueError, match="lacks"):
        load_causal_model(str(tmp_path / "less"))
