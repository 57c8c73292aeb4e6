"""Ones are filled in on the wrong side."""


def broadcast_shape(left, right):
    axes = max(len(left), len(right))
    left, right = left + (1,) * (axes - len(left)), right + (1,) * (axes - len(right))
    pairs = list(zip(left, right, strict=True))
    return tuple(max(pair) for pair in pairs) if all(a == b or 1 in (a, b) for a, b in pairs) else None
