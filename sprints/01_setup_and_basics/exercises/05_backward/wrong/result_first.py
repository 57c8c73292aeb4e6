"""A result is listed before its sources."""


def in_order(output):
    order = []

    def visit(value):
        if value not in order:
            order.append(value)
            for source, _ in value.sources:
                visit(source)

    visit(output)
    return order
