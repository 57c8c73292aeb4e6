"""Adapters of sprint 21 added and switched: equal to peft's, exact where the notes say so, and what is refused."""

import warnings
from types import ModuleType
from typing import Any

import pytest
import torch
from test_21_four_bits import tiny
from torch import nn

from shared.nn.adapters import activate, inject, layers_of, merge
from shared.nn.lora import LoRAConfig

SPRINT = "21_adapters_and_prompts"
TARGETS = ("c_attn", "mlp.c_proj")
TOKENS = torch.arange(15).view(3, 5)


@pytest.fixture
def adding(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/adding.py")


@pytest.fixture
def switching(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/switching.py")


def with_two(ranks: tuple[int, int] = (2, 2)) -> Any:
    """Return a model with two adapters, far from the identity."""
    model, generator = tiny(), torch.Generator().manual_seed(1)
    for name, rank in zip(("one", "two"), ranks, strict=True):
        inject(model, LoRAConfig(TARGETS, rank, 3), name, generator)
        for layer in layers_of(model, name).values():
            layer.up[name].data.normal_(std=0.5, generator=generator)
    return model


def with_peft(model: Any) -> Any:
    """Return peft's model with the same two adapters."""
    import peft

    options = {"r": 2, "lora_alpha": 3, "target_modules": list(TARGETS), "fan_in_fan_out": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.get_peft_model(tiny(), peft.LoraConfig(**options), adapter_name="one")
        theirs.add_adapter("two", peft.LoraConfig(**options))
    for name in ("one", "two"):
        for path, layer in layers_of(model, name).items():
            twin = theirs.get_submodule(f"base_model.model.{path}")
            twin.lora_A[name].weight.data.copy_(layer.down[name].data)
            twin.lora_B[name].weight.data.copy_(layer.up[name].data)
    return theirs.eval()


def logits(model: nn.Module, **options: Any) -> torch.Tensor:
    return model(input_ids=TOKENS, **options).logits.detach()


@pytest.mark.parametrize(("ours", "theirs"), [("add_changes", "cat"), ("add_factors", "linear")])
def test_sums_are_those_of_peft(adding, ours: str, theirs: str):
    model, weights = with_two(), [0.7, 0.4]
    twin = with_peft(model)
    getattr(adding, ours)(model, ["one", "two"], weights, "both")
    twin.add_weighted_adapter(["one", "two"], weights, "both", combination_type=theirs)
    twin.set_adapter("both")
    torch.testing.assert_close(logits(model), logits(twin), atol=1e-5, rtol=0)


def test_a_sum_of_changes_is_exact_and_one_of_factors_has_cross_terms(adding):
    model = with_two((2, 3))
    deltas = {
        name: {path: layer.delta(name) for path, layer in layers_of(model, name).items()} for name in ("one", "two")
    }
    adding.add_changes(model, ["one", "two"], [1.0, -0.5], "both")
    for path, layer in layers_of(model, "both").items():
        torch.testing.assert_close(layer.delta("both"), deltas["one"][path] - 0.5 * deltas["two"][path])
    same = with_two()
    adding.add_factors(same, ["one", "two"], [0.5, 0.5], "both")
    for layer in layers_of(same, "both").values():
        cross = [
            layer.up[a] @ layer.down[b] for a, b in (("one", "one"), ("two", "two"), ("one", "two"), ("two", "one"))
        ]
        expected = 0.5 * 1.5 * torch.stack(cross).sum(dim=0)  # a scaling of 3 / 2
        torch.testing.assert_close(layer.delta("both").mT, expected)


def test_ia3_is_added_by_what_its_factors_have_beyond_one(load_sprint):
    """Note 9: factors l1 + l2 - 1 change the weights by the sum of both changes."""
    ia3 = load_sprint(f"{SPRINT}/adaptation/ia3.py")
    layer, generator = load_sprint(f"{SPRINT}/adaptation/adapted_layer.py"), torch.Generator().manual_seed(2)
    models = [ia3.inject(tiny(), ia3.IA3Config(TARGETS, ("mlp.c_proj",))) for _ in range(3)]
    factors = [list(layer.trainable(model).values()) for model in models]
    for one, other, total in zip(*factors, strict=True):
        one.data.normal_(1, 0.5, generator=generator)
        other.data.normal_(1, 0.5, generator=generator)
        total.data.copy_(one.data + other.data - 1)
    first, second, both = (dict(layer.merge(model).named_parameters()) for model in models)
    for path, weight in tiny().named_parameters():
        torch.testing.assert_close(both[path], first[path] + second[path] - weight)


def test_rows_of_a_batch_have_adapters_of_their_own(switching):
    """Beside one adapter at a time, and beside peft's own mixed batches."""
    model = with_two((2, 2))
    twin, rows = with_peft(model), ["two", None, "one"]
    alone = []
    for number, name in enumerate(rows):
        activate(model, name)
        alone.append(logits(model)[number])
    switching.make_switchable(model, ["one", "two"])
    switching.choose(model, rows)
    mixed = logits(model)
    torch.testing.assert_close(mixed, torch.stack(alone), atol=1e-5, rtol=0)
    names = [name or "__base__" for name in rows]
    torch.testing.assert_close(mixed, logits(twin, adapter_names=names), atol=1e-5, rtol=0)
    switching.choose(model, [])
    torch.testing.assert_close(logits(model), logits(tiny()))
    switching.switch_back(model)
    activate(model, "one")
    torch.testing.assert_close(logits(model)[2], alone[2])


def test_smaller_ranks_are_filled_up(switching):
    model, rows = with_two((1, 4)), ["one", "two", "one"]
    activate(model, "one")
    expected = logits(model)[0]
    switching.choose(switching.make_switchable(model, ["two", "one"]), rows)
    torch.testing.assert_close(logits(model)[0], expected, atol=1e-5, rtol=0)


def test_what_is_refused(adding, switching):
    model = with_two((1, 2))
    cases = [
        (lambda: adding.add_changes(model, ["one"], [1.0, 2.0], "sum"), "1 adapters and 2 weights"),
        (lambda: adding.add_factors(model, ["one", "two"], [1.0, 1.0], "sum"), "got ranks 1, 2"),
        (lambda: adding.add_changes(model, ["one", "six"], [1.0, 1.0], "sum"), "no adapter 'six'"),
        (lambda: switching.make_switchable(model, ["six"]), "no adapter 'six'"),
        (lambda: switching.choose(model, ["one"]), "make the model switchable first"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()
    elsewhere = with_two()
    inject(elsewhere, LoRAConfig(("c_attn",), 2, 3), "three")
    with pytest.raises(ValueError, match="one, three do not"):
        adding.add_changes(elsewhere, ["one", "three"], [1.0, 1.0], "sum")
    merge(elsewhere)
    with pytest.raises(ValueError, match="unmerge it"):
        switching.make_switchable(elsewhere, ["one"])
    switching.choose(switching.make_switchable(model, ["one"]), ["one"])
    with pytest.raises(ValueError, match="the batch has 3 rows, and adapters were chosen for 1"):
        logits(model)
    with pytest.raises(ValueError, match="no adapter 'two' stands"):
        switching.choose(model, ["two"])
