"""Softmax along an axis, as two functions."""

import numpy as np


def softmax(arr, axis):
    e = np.exp(arr - arr.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softmax_backward(arr, axis, upper_grad):
    s = softmax(arr, axis)
    return s * (upper_grad - (s * upper_grad).sum(axis, keepdims=True))


def wrong_backward(arr, axis, upper_grad):
    s = softmax(arr, axis)
    return s * (1 - s) * upper_grad


pair = (softmax, softmax_backward)


class Layers:
    class Inner:
        @staticmethod
        def double(x):
            return 2 * x

        @staticmethod
        def double_backward(g):
            return 2 * g
