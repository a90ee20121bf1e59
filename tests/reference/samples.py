"""Every layer with its options, on shapes that are not square."""

from dataclasses import dataclass, field

import numpy as np

from gradcheck.reference import activations, attention, cross_entropy, gated, linear, losses, norms, softmax

MODULES = (activations, attention, cross_entropy, gated, linear, losses, norms, softmax)


@dataclass
class Sample:
    name: str
    inputs: dict
    options: dict = field(default_factory=dict)
    wrt: tuple = ()

    def __post_init__(self):
        self.wrt = self.wrt or tuple(self.inputs)
        module = next(module for module in MODULES if hasattr(module, f"{self.name}_backward"))
        self.forward, self.backward = getattr(module, self.name), getattr(module, f"{self.name}_backward")

    def __str__(self):
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        shapes = " ".join("x".join(map(str, np.shape(value))) for value in self.inputs.values())
        return f"{self.name}({options}) {shapes}"

    def cast(self, dtype) -> "Sample":
        """Return the same with the floating inputs in another dtype."""
        moved = {key: x.astype(dtype) if x.dtype.kind == "f" else x for key, x in self.inputs.items()}
        return Sample(self.name, moved, self.options, self.wrt)


def make_samples() -> list[Sample]:
    rng = np.random.default_rng(7)
    return [*_slicewise(rng), *_entrywise(rng), *_norms(rng), *_cross_entropies(rng), *_losses(rng), *_products(rng)]


def _slicewise(rng):
    for shape in ((4, 5), (3, 4, 2), (6,)):
        for axis in range(-1, len(shape)):
            x = rng.normal(size=shape)
            for name in ("softmax", "log_softmax", "logsumexp"):
                yield Sample(name, {"x": x}, {"axis": axis})
            yield Sample("logsumexp", {"x": x}, {"axis": axis, "keepdims": True})


def _entrywise(rng):
    for shape in ((), (4, 5), (3, 4, 2)):
        for name in ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "gelu_tanh", "silu", "softplus"):
            # a single number is positive: the gradient of relu must not be 0 altogether
            yield Sample(name, {"x": rng.normal(size=shape) if shape else np.array(0.7)})
    yield Sample("leaky_relu", {"x": rng.normal(size=(4, 5))}, {"negative_slope": 0.3})
    yield Sample("softplus", {"x": rng.normal(size=(4, 5))}, {"beta": 2.5})


def _norms(rng):
    for shape, axis in (
        ((4, 5), 0),
        ((4, 5), 1),
        ((4, 5), -1),
        ((3, 4, 2), 1),
        ((3, 4, 2), [0, 2]),
        ((3, 4, 2), (1, -1)),
    ):
        axes = [one % len(shape) for one in ([axis] if isinstance(axis, int) else axis)]
        along = [size for k, size in enumerate(shape) if k in axes]
        across = [size for k, size in enumerate(shape) if k not in axes]
        x, options = rng.normal(size=shape), {"axis": axis, "epsilon": 1e-3}
        yield Sample("layer_norm", {"x": x, "gamma": rng.normal(size=along), "beta": rng.normal(size=along)}, options)
        yield Sample("batch_norm", {"x": x, "gamma": rng.normal(size=across), "beta": rng.normal(size=across)}, options)
        yield Sample("rms_norm", {"x": x, "gamma": rng.normal(size=along)}, options)


def _cross_entropies(rng):
    for shape, axis in (((4, 5), 1), ((4, 5), 0), ((3, 4, 2), 1), ((6,), 0)):
        x, classes = rng.normal(size=shape), shape[axis]
        indices = rng.integers(0, classes, size=shape[:axis] + shape[axis + 1 :])
        rows, probabilities = rng.uniform(size=shape), rng.uniform(0.1, 1, size=shape)
        weights = rng.uniform(0.5, 2, size=classes)
        for reduction in ("none", "sum", "mean"):
            for target in (indices, rows):
                for extra, smoothing in (
                    ({}, 0.0),
                    ({"class_weights": weights}, 0.0),
                    ({"class_weights": weights}, 0.1),
                ):
                    options = {"axis": axis, "reduction": reduction, "label_smoothing": smoothing}
                    labels = {"target": target, **extra}
                    yield Sample("cross_entropy", {"logits": x, **labels}, options, ("logits",))
                    yield Sample(
                        "cross_entropy_from_probabilities",
                        {"probabilities": probabilities, **labels},
                        options,
                        ("probabilities",),
                    )


def _losses(rng):
    for shape in ((4, 5), (3, 4, 2)):
        for reduction in ("none", "sum", "mean"):
            p, t = rng.normal(size=shape), rng.normal(size=shape)
            for name in ("squared_error", "huber"):
                yield Sample(name, {"prediction": p, "target": t}, {"reduction": reduction}, ("prediction",))
            labels = rng.uniform(size=shape)
            bce = {"logits": p, "target": labels}
            yield Sample("binary_cross_entropy_with_logits", bce, {"reduction": reduction}, ("logits",))
            for axis in range(len(shape)):
                options = {"axis": axis, "reduction": reduction}
                yield Sample("kl_divergence", {"prediction": np.exp(p), "target": labels}, options, ("prediction",))
    yield Sample("huber", {"prediction": p, "target": t}, {"delta": 0.3}, ("prediction",))


def _products(rng):
    for shape in ((5,), (4, 5), (3, 4, 5)):
        parameters = {"weight": rng.normal(size=(5, 3)), "bias": rng.normal(size=3)}
        yield Sample("linear", {"x": rng.normal(size=shape), **parameters})
    for query, key, value in (
        ((3, 4), (5, 4), (5, 6)),
        ((2, 3, 4), (2, 5, 4), (2, 5, 6)),
        ((2, 1, 3, 4), (5, 4), (7, 5, 6)),
    ):
        vectors = {"query": rng.normal(size=query), "key": rng.normal(size=key), "value": rng.normal(size=value)}
        yield Sample("attention", vectors)
        yield Sample("attention", vectors, {"causal": True, "scale": 0.7})
        mask = np.array([[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]])
        yield Sample("attention", {**vectors, "mask": mask}, {}, ("query", "key", "value"))


SAMPLES = make_samples()
