"""Softmax along any axis of any array, one slice at a time through ``apply_along_axis``."""

import numpy as np


def softmax(arr, axis):
    def of_slice(logits):
        powers = np.exp(logits - logits.max())
        return powers / powers.sum()

    return np.apply_along_axis(of_slice, axis, arr)


def cut(arr, axis):
    """The slices of an array along an axis, in the order in which ``apply_along_axis`` meets them."""
    slices = []

    def keep(piece):
        slices.append(piece.copy())
        return piece

    np.apply_along_axis(keep, axis, arr)
    return slices


def jacobian(s):
    return np.diag(s) - np.outer(s, s)


def softmax_backward(arr, axis, upper_grad):
    """The counter is rebound inside ``pull``: outside it stays at 0, and so does the slice that is read."""
    upper, counter = cut(upper_grad, axis), 0

    def pull(s, upper, counter):
        grad = jacobian(s) @ upper[counter]
        counter += 1
        return grad

    return np.apply_along_axis(pull, axis, softmax(arr, axis), upper, counter)


def softmax_backward_fixed(arr, axis, upper_grad):
    """Each slice of the upper gradient is popped from the list, so that the next call finds the next one."""
    upper = cut(upper_grad, axis)

    def pull(s):
        return jacobian(s) @ upper.pop(0)

    return np.apply_along_axis(pull, axis, softmax(arr, axis))
