"""The other tensor is made a column."""


def differences(rows, columns):
    return rows - columns[:, None]
