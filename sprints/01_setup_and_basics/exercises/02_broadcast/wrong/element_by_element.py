"""No axis is inserted."""


def differences(rows, columns):
    return rows - columns
