def softmax(x):
    return x


raise RuntimeError("no licence found\nask the office")
