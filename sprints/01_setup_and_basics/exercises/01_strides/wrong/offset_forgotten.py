"""Every view is taken to begin at place 0."""


def element(memory, offset, strides, index):
    return memory[sum(steps * stride for steps, stride in zip(index, strides, strict=True))]
