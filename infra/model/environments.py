from infra.model.environment import Environment


def choose(a, b, c):
    return a or b or c


def environment(name):
    return Environment(name)
