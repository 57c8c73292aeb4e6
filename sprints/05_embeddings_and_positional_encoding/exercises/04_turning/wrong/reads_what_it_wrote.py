"""The second feature is made of the new first one."""

from torch import Tensor


def turn(x: Tensor, positions: Tensor, speeds: Tensor) -> Tensor:
    angles = positions[:, None] * speeds
    result = x.clone()
    result[:, 0::2] = result[:, 0::2] * angles.cos() - result[:, 1::2] * angles.sin()
    result[:, 1::2] = result[:, 0::2] * angles.sin() + result[:, 1::2] * angles.cos()
    return result
