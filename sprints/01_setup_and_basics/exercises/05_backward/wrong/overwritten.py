"""The last use wins."""


def in_order(output):
    order, done = [], set()

    def visit(value):
        if id(value) not in done:
            done.add(id(value))
            for source, _ in value.sources:
                visit(source)
            order.append(value)

    visit(output)
    return order


def backward(output):
    output.grad = 1.0
    for value in reversed(in_order(output)):
        for source, local in value.sources:
            source.grad = local * value.grad
