cache = []


def forward(x):
    cache[:] = [x]
    return x * x
