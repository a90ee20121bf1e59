from front import cache


def backward(g):
    return 2 * cache[0] * g
