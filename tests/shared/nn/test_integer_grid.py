"""Grids of integers: PyTorch's numbers, half a step at most, and what is refused."""

import warnings

import pytest
import torch
from torch.ao.quantization.observer import MinMaxObserver, PerChannelMinMaxObserver

from shared.nn import integer_grid


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("channels", [False, True])
def test_grids_and_integers_are_those_of_pytorch(generator, symmetric, channels):
    grid_of, weight = integer_grid.make_grid, torch.randn(6, 50, generator=generator) + 0.3
    kind = {(False, False): torch.per_tensor_affine, (False, True): torch.per_tensor_symmetric}
    kind |= {(True, False): torch.per_channel_affine, (True, True): torch.per_channel_symmetric}
    dtype = torch.qint8 if symmetric else torch.quint8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        observer = (PerChannelMinMaxObserver if channels else MinMaxObserver)(
            dtype=dtype, qscheme=kind[channels, symmetric]
        )
        observer(weight)
        scale, zero_point = observer.calculate_qparams()
        if channels:
            theirs = torch.quantize_per_channel(weight, scale, zero_point, 0, dtype)
        else:
            theirs = torch.quantize_per_tensor(weight, scale.item(), int(zero_point), dtype)
    rows = weight if channels else weight.reshape(1, -1)
    grid = grid_of(*integer_grid.min_max(rows, 8, symmetric), 8, symmetric=symmetric)
    torch.testing.assert_close(grid.scale.flatten(), scale, rtol=1e-6, atol=0)
    assert grid.zero_point.flatten().tolist() == zero_point.tolist()
    integers = integer_grid.quantize(rows, grid)
    assert torch.equal(integers.reshape(weight.shape), theirs.int_repr().float())
    torch.testing.assert_close(
        integer_grid.dequantize(integers, grid).reshape(weight.shape), theirs.dequantize(), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_rounding_weights_is_fake_quantization(generator, bits):
    weight = torch.randn(4, 64, generator=generator)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    for per, rows in (("tensor", weight.reshape(1, -1)), ("channel", weight), ("group", weight.reshape(-1, 16))):
        scale = rows.abs().amax(1) / ((2**bits - 1) / 2)
        zeros = torch.zeros(len(rows), dtype=torch.int32)
        theirs = torch.fake_quantize_per_channel_affine(rows, scale, zeros, 0, low, high).reshape(weight.shape)
        torch.testing.assert_close(integer_grid.fake_quantize(weight, bits, per, group=16), theirs)


def test_the_error_is_at_most_half_a_step_and_what_lies_outside_saturates(generator):
    x = torch.randn(1000, generator=generator)
    for symmetric in (False, True):
        grid = integer_grid.make_grid(x.min(), x.max(), 5, symmetric=symmetric)
        back = integer_grid.dequantize(integer_grid.quantize(x, grid), grid)
        inside = (x > -15 * grid.scale) & (x < 15 * grid.scale) if symmetric else torch.ones_like(x, dtype=torch.bool)
        assert (back - x)[inside].abs().max() <= grid.scale * 0.5001
        assert integer_grid.quantize(torch.tensor(0.0), grid) == grid.zero_point, "0 is a point of the grid"
        far = integer_grid.quantize(torch.tensor([-1e6, 1e6]), grid)
        assert far.tolist() == [grid.lowest, grid.highest]
    above = integer_grid.make_grid(torch.tensor(2.0), torch.tensor(3.0), 8, symmetric=False)
    ends = integer_grid.quantize(torch.tensor([0.0, 3.0]), above)
    assert ends.tolist() == [0, 255], "also of a range that is all above it"
    unit = integer_grid.make_grid(torch.tensor(0.0), torch.tensor(15.0), 4, symmetric=False)
    assert integer_grid.quantize(torch.tensor([0.5, 1.5, 2.5]), unit).tolist() == [0, 2, 2], "ties to even"


def test_random_rounding_keeps_the_mean(generator):
    unit = integer_grid.make_grid(torch.tensor(0.0), torch.tensor(15.0), 4, symmetric=False)
    drawn = integer_grid.quantize(torch.full((20_000,), 2.3), unit, generator)
    assert set(drawn.tolist()) == {2.0, 3.0}
    assert drawn.mean().item() == pytest.approx(2.3, abs=4 * drawn.std().item() / 20_000**0.5)


@pytest.mark.usefixtures("unchecked")
def test_bad_grids_are_refused():
    low, high = torch.tensor(-1.0), torch.tensor(1.0)
    for bits in (1, 17):
        with pytest.raises(ValueError, match=f"2 to 16 bits; got {bits}"):
            integer_grid.make_grid(low, high, bits, symmetric=True)
    with pytest.raises(ValueError, match="from low to high"):
        integer_grid.make_grid(high, low, 8, symmetric=True)
    weight = torch.zeros(2, 10)
    with pytest.raises(ValueError, match="per tensor, channel or group; got 'row'"):
        integer_grid.fake_quantize(weight, 8, "row")
    with pytest.raises(ValueError, match="groups of 4; it has 10"):
        integer_grid.fake_quantize(weight, 8, "group", group=4)
    assert torch.equal(integer_grid.fake_quantize(weight, 8), weight), "a range of zeros is no division by zero"
