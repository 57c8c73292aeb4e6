"""What is used twice is listed twice."""


def in_order(output):
    order = []
    for source, _ in output.sources:
        order += in_order(source)
    return [*order, output]
