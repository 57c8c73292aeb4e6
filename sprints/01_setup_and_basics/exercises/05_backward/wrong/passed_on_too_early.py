"""Every value passes on what it has, as soon as something arrives."""


def backward(output, first=True):
    if first:
        output.grad = 1.0
    for source, local in output.sources:
        source.grad += local * output.grad
        backward(source, first=False)
