"""Pages of the bugs that show over several calls, or in the shape of the answer: the contract checks find them."""

from gradcheck.rules.registry import declare

declare(
    "mutates-upstream",
    "state",
    """The backward writes into the upstream that it was given.

    How it comes about: ``g[x <= 0] = 0`` saves a copy, and spoils the gradient of everybody else who uses g.

    Formula: the values returned are right; g is another array afterwards.

    Hidden when: nobody uses the upstream again.

    Mended: copy first, or multiply with the mask.

    Wrong::

        g[x <= 0] = 0; return g

    Right::

        return g * (x > 0)
    """,
)
declare(
    "mutates-input",
    "state",
    """The forward or the backward writes into an input.

    How it comes about: ``x -= x.max()`` works on the caller's array.

    Formula: the values returned are often right; the input is another array afterwards.

    Hidden when: the layer does not change with what was written (a shift before softmax).

    Mended: ``x = x - x.max()``.

    Wrong::

        x -= x.max(axis=1, keepdims=True)

    Right::

        x = x - x.max(axis=1, keepdims=True)
    """,
)
declare(
    "accumulates-across-calls",
    "state",
    """A buffer of gradients lives in the layer and is only ever added to.

    How it comes about: ``self.dW += ...`` without ``zero_grad``.

    Formula: the k-th call returns the sum of the first k gradients.

    Hidden when: backward is called once.

    Mended: start every backward with zeros, or give the layer a ``zero_grad`` and call it.

    Wrong::

        self.grad += g * (1 - y ** 2); return self.grad

    Right::

        return g * (1 - y ** 2)
    """,
)
declare(
    "stale-forward-cache",
    "state",
    """The backward uses activations that an earlier forward saved.

    How it comes about: the cache is filled once, or looked up by shape.

    Formula: a is the gradient at the inputs of an earlier call.

    Hidden when: one input is ever used.

    Mended: overwrite the cache in every forward.

    Wrong::

        cache.setdefault("y", y)

    Right::

        cache["y"] = y
    """,
)
declare(
    "randomness-resampled-in-backward",
    "state",
    """The mask or noise of the forward is drawn anew in the backward.

    How it comes about: the forward is run again in the backward (checkpointing), and the random state is not restored.

    Formula: two backward calls with the same arguments differ; on average they may be right.

    Hidden when: p = 0, or the generator is seeded before every call.

    Mended: save the mask, or the state of the generator.

    Wrong::

        return g * (rng.random(x.shape) > p) / (1 - p)

    Right::

        return g * mask / (1 - p)                     # saved by the forward
    """,
)
declare(
    "nondeterministic-forward",
    "state",
    """Two calls of the forward with the same inputs give different outputs.

    How it comes about: dropout or noise without a seed; a sum whose order depends on threads.

    Formula: f(x) != f(x): differences of f measure the noise.

    Hidden when: the generator is seeded before every call.

    Mended: give the layer a seed or a mask as an input. The checker puts back what it can before each call: the global
    random states, generators that the layer draws from, and what its object holds. Then this is a mere note.

    Wrong::

        mask = np.random.rand(*x.shape) > p

    Right::

        def forward(x, mask): ...
    """,
)
declare(
    "wrong-shape",
    "contract",
    """A gradient does not have the shape of its input.

    How it comes about: broadcast axes are not summed, a transpose is missing, a batch axis was squeezed away.

    Formula: shape(a) != shape(x). Nothing is compared by broadcasting: that would hide it.

    Hidden when: axes of length 1 make the shapes agree.

    Mended: return an array of the input's shape.

    Wrong::

        return g                                      # for b of shape (D,), g of shape (N, D)

    Right::

        return g.sum(axis=0)
    """,
)
declare(
    "wrong-number-of-gradients",
    "contract",
    """The backward returns more or fewer gradients than there are inputs to differentiate.

    How it comes about: an input was added to the forward alone.

    Formula: len(a) != len(wrt).

    Hidden when: the caller picks the gradients by position.

    Mended: return one gradient per differentiated input, in their order, or name the inputs in ``wrt``.

    Wrong::

        return dx                                     # wrt: x, W, b

    Right::

        return dx, dW, db
    """,
)
declare(
    "not-an-array",
    "contract",
    """The backward returns something that is no array of numbers.

    How it comes about: a list of lists of unequal length, a string, an object.

    Formula: np.asarray(a) has dtype object.

    Hidden when: never.

    Mended: return arrays.

    Wrong::

        return [row for row in rows]

    Right::

        return np.stack(rows)
    """,
)
declare(
    "non-contiguous",
    "contract",
    """The result changes when the arrays are laid out in memory in another way.

    How it comes about: ``reshape`` or ``ravel(order="K")`` on a view, or arithmetic on the buffer.

    Formula: a(x) != a(x.T.copy().T).

    Hidden when: all arrays are contiguous.

    Mended: index by axes; ``np.ascontiguousarray`` where a buffer is needed.

    Wrong::

        flat = x.ravel(order="K")

    Right::

        flat = x.ravel()
    """,
)
declare(
    "overflow-in-forward",
    "numerics",
    """The forward overflows at large inputs where the function has a finite value.

    How it comes about: exp without subtracting the maximum.

    Formula: exp(1000) / exp(1000) = inf / inf = nan, where the softmax is finite.

    Hidden when: the inputs are moderate.

    Mended: subtract the maximum before exp.

    Wrong::

        e = np.exp(x)

    Right::

        e = np.exp(x - x.max(axis, keepdims=True))
    """,
)
