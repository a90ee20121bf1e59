"""Two layers of one program that share what they remember."""

stack = []


def _first(x):
    stack[:] = [x]
    return x**2


def _first_backward(g):
    return 2 * stack[0] * g


def _second(y):
    stack.append(y)
    return y**2


def _second_backward(g):
    return 2 * stack[1] * g


first = (_first, _first_backward)
second = (_second, _second_backward)


def _weigh(values, weights):
    return (values * weights).sum()


def _weigh_backward(g, values, weights):
    return g * weights, g * values


weigh = (_weigh, _weigh_backward)
