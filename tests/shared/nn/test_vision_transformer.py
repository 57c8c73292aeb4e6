"""The vision transformer is transformers' own, of both families; its patches are those of a convolution."""

from dataclasses import replace

import pytest
import torch
from encoder_examples import compare, perturb
from torch.nn import functional

from shared.nn.vision_transformer import VisionConfig, VisionTransformer, patchify, quick_gelu
from shared.nn.vision_weights import as_ours

SMALL = VisionConfig(picture=12, patch=4, layers=2, heads=3, d_model=24, d_hidden=40)
CLIP = replace(SMALL, kind="clip", activation="quick_gelu", epsilon=1e-5)


def pictures(number: int = 2, channels: int = 3, height: int = 12, width: int = 12) -> torch.Tensor:
    return torch.randn(number, channels, height, width, generator=torch.Generator().manual_seed(1))


def moved(config: VisionConfig) -> VisionTransformer:
    model = VisionTransformer(config, torch.Generator().manual_seed(0))
    perturb(model)
    return model


def test_equals_vit_in_tokens_and_gradients():
    from transformers import ViTConfig, ViTModel

    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}
    theirs = ViTModel(ViTConfig(image_size=12, patch_size=4, layer_norm_eps=1e-3, **sizes)).eval()
    perturb(theirs)
    ours = VisionTransformer.from_transformers(theirs)
    assert ours.config == replace(SMALL, epsilon=1e-3)
    out = theirs(pixel_values=pictures()).last_hidden_state
    compare(ours, theirs, ours(pictures()), out, lambda tensors: as_ours(ours.state_dict(), tensors, "vit"))


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_equals_clips_encoder_in_class_token_and_gradients(activation: str):
    from transformers import CLIPVisionConfig, CLIPVisionModel

    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}
    theirs = CLIPVisionModel(CLIPVisionConfig(image_size=12, patch_size=4, hidden_act=activation, **sizes)).eval()
    perturb(theirs)
    ours = VisionTransformer.from_transformers(theirs)
    out = theirs(pixel_values=pictures(), output_hidden_states=True)
    torch.testing.assert_close(ours.before_norm(pictures()), out.last_hidden_state)
    for layers, expected in enumerate(out.hidden_states):
        torch.testing.assert_close(ours.before_norm(pictures(), layers), expected)
    compare(
        ours, theirs, ours.class_tokens(pictures()), out.pooler_output,
        lambda tensors: as_ours(ours.state_dict(), tensors, "clip"),
    )  # fmt: skip


def test_becomes_transformers_model():
    ours = moved(SMALL).eval()
    theirs = ours.to_transformers()
    assert not theirs.training
    tokens = theirs(pixel_values=pictures()).last_hidden_state
    torch.testing.assert_close(ours(pictures()), tokens, atol=1e-5, rtol=1e-5)


def test_the_product_is_a_convolution():
    weight = torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(2))
    seen = pictures(height=4, width=6)
    convolved = functional.conv2d(seen, weight, stride=2)  # (batch, 5, 2, 3)
    product = patchify(seen, 2) @ weight.flatten(1).mT  # (batch, 6, 5)
    torch.testing.assert_close(product, convolved.flatten(2).mT)


def test_patches_are_read_row_by_row():
    picture = torch.arange(16.0).view(1, 1, 4, 4)
    assert patchify(picture, 2).tolist() == [[[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]]
    coloured = torch.cat([picture, picture + 100], dim=1)
    assert patchify(coloured, 2)[0, 1].tolist() == [2, 3, 6, 7, 102, 103, 106, 107]


def test_every_token_sees_every_patch_and_the_pictures_are_apart():
    model = moved(SMALL).eval()
    changed = pictures()
    changed[0, :, 5, 5] += 1  # in the patch in the middle
    difference = (model(changed) - model(pictures())).abs().amax(dim=-1)
    assert (difference[0] > 1e-4).all()
    assert not difference[1].any()


def test_without_positions_the_patches_are_a_bag():
    model = moved(SMALL).eval()
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3))
    cut = patchify(pictures(), 4).view(2, 3, 3, 3, 4, 4)  # rows and columns of patches, then channels and pixels
    mixed = cut.flatten(1, 2)[:, order].view_as(cut).permute(0, 3, 1, 4, 2, 5).reshape(2, 3, 12, 12)
    assert (model.class_tokens(mixed) - model.class_tokens(pictures())).abs().max() > 1e-3
    model.position_embedding.data.zero_()
    torch.testing.assert_close(model.class_tokens(mixed), model.class_tokens(pictures()), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        model.patch_tokens(mixed), model.patch_tokens(pictures())[:, order], atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("config", [SMALL, CLIP])
def test_weights_are_those_of_the_blocks(config: VisionConfig):
    model = moved(config).eval()
    tokens, weights = model.forward_with_weights(pictures())
    torch.testing.assert_close(tokens, model(pictures()), atol=1e-5, rtol=1e-5)
    assert weights.shape == (2, 2, 3, 10, 10)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 2, 3, 10))
    last = model.blocks[-1]
    inside = last.attention_norm(model.before_norm(pictures(), 1))
    torch.testing.assert_close(weights[:, -1], last.attention.forward_with_weights(inside)[1])
    assert torch.equal(model(pictures())[:, 1:], model.patch_tokens(pictures()))


def test_is_drawn_from_its_generator_and_every_parameter_gets_a_gradient():
    first, second = (VisionTransformer(CLIP, torch.Generator().manual_seed(0)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    bound = (6 / 48) ** 0.5  # of Glorot and Bengio (2010) for 24 inputs and 24 outputs, queries, keys, values each
    largest = first.blocks[0].attention.qkv.weight.abs().max()
    assert 0.95 * bound < largest <= bound
    assert 0.017 < first.position_embedding.std() < 0.023
    assert not first.class_token.any()
    assert not first.blocks[0].feed_forward.expand.bias.any()
    (first(pictures()) * torch.randn(2, 10, 24, generator=torch.Generator().manual_seed(4))).sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in first.parameters())


def test_drops_only_in_training():
    model = moved(replace(SMALL, dropout=0.5))
    assert not torch.equal(model(pictures()), model(pictures()))
    assert not torch.equal(model.embed(pictures()), model.embed(pictures()))
    torch.testing.assert_close(model.eval()(pictures()), moved(SMALL)(pictures()))


def test_quick_gelu_is_near_gelu():
    x = torch.linspace(-4, 4, 81)
    assert 0.01 < (quick_gelu(x) - functional.gelu(x)).abs().max() < 0.03


def test_refuses_pictures():
    with pytest.raises(ValueError, match=r"\(3, 12, 12\); got \(1, 12, 12\)"):
        moved(SMALL)(pictures(channels=1))
    with pytest.raises(ValueError, match="4 x 4 must fill the picture; it has 12 x 10"):
        patchify(pictures(width=10), 4)
