"""Sizes that differ are not refused."""


def broadcast_shape(left, right):
    axes = max(len(left), len(right))
    left, right = (1,) * (axes - len(left)) + left, (1,) * (axes - len(right)) + right
    return tuple(map(max, zip(left, right, strict=True)))
