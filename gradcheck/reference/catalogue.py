"""The reference layers as cases: what the entry points ``gradcheck.layers`` of the package itself refer to.

Every name here is that of its entry point with underscores for hyphens. Nothing here imports numpy, so that the layers
can be listed and completed at once. Shapes are not square and sizes differ from axis to axis, so that a transposed or
misplaced axis shows.
"""

from __future__ import annotations

from gradcheck.model import Case, InputSpec, LayerSpec, Plain, Settings

CASES: dict[str, Case] = {}
"""Every case of this module by its name."""


def _normal(*shape: int) -> InputSpec:
    return InputSpec(shape=shape)


def _simplex(*shape: int) -> InputSpec:
    return InputSpec("simplex", shape=shape, parameters={"axis": -1})


def _one_hot(*shape: int) -> InputSpec:
    return InputSpec("one-hot", shape=shape, parameters={"axis": -1})


def _indices(*shape: int, classes: int) -> InputSpec:
    return InputSpec("integers", shape=shape, parameters={"low": 0, "high": classes})


def _add(
    name: str,
    module: str,
    inputs: dict[str, InputSpec],
    options: dict[str, Plain] | None = None,
    wrt: tuple[str, ...] | None = None,
    function: str = "",
) -> Case:
    """Return the case of the pair `function` and `function`_backward; by default all inputs are differentiated."""
    attribute = function or name.replace("-", "_")
    reference = f"gradcheck.reference.{module}:{attribute}"
    layer = LayerSpec(forward=reference, backward=f"{reference}_backward", label=name)
    settings = Settings(wrt=tuple(inputs) if wrt is None else wrt)
    CASES[name] = Case(name, layer, inputs, options or {}, settings, tags=("reference",))
    return CASES[name]


softmax = _add("softmax", "softmax", {"x": _normal(4, 5)}, {"axis": -1})
log_softmax = _add("log-softmax", "softmax", {"x": _normal(4, 5)}, {"axis": -1})
logsumexp = _add("logsumexp", "softmax", {"x": _normal(4, 5)}, {"axis": -1, "keepdims": False})

sigmoid = _add("sigmoid", "activations", {"x": _normal(4, 5)})
tanh = _add("tanh", "activations", {"x": _normal(4, 5)})
relu = _add("relu", "activations", {"x": _normal(4, 5)})
leaky_relu = _add("leaky-relu", "activations", {"x": _normal(4, 5)}, {"negative_slope": 0.01})
gelu = _add("gelu", "gated", {"x": _normal(4, 5)})
gelu_tanh = _add("gelu-tanh", "gated", {"x": _normal(4, 5)})
silu = _add("silu", "gated", {"x": _normal(4, 5)})
softplus = _add("softplus", "activations", {"x": _normal(4, 5)}, {"beta": 1.0})

layer_norm = _add(
    "layer-norm",
    "norms",
    {"x": _normal(4, 5), "gamma": _normal(5), "beta": _normal(5)},
    {"axis": -1, "epsilon": 1e-5},
)
rms_norm = _add("rms-norm", "norms", {"x": _normal(4, 5), "gamma": _normal(5)}, {"axis": -1, "epsilon": 1e-6})
batch_norm = _add(
    "batch-norm",
    "norms",
    {"x": _normal(4, 5), "gamma": _normal(5), "beta": _normal(5)},
    {"axis": 0, "epsilon": 1e-5},
)

linear = _add("linear", "linear", {"x": _normal(4, 5), "weight": _normal(5, 3), "bias": _normal(3)})

cross_entropy = _add(
    "cross-entropy",
    "cross_entropy",
    {"logits": _normal(4, 5), "target": _one_hot(4, 5)},
    {"axis": -1, "reduction": "mean", "label_smoothing": 0.0},
    wrt=("logits",),
)
cross_entropy_indices = _add(
    "cross-entropy-indices",
    "cross_entropy",
    {"logits": _normal(4, 5), "target": _indices(4, classes=5)},
    {"axis": -1, "reduction": "mean", "label_smoothing": 0.0},
    wrt=("logits",),
    function="cross_entropy",
)
cross_entropy_from_probabilities = _add(
    "cross-entropy-from-probabilities",
    "cross_entropy",
    {"probabilities": _simplex(4, 5), "target": _one_hot(4, 5)},
    {"axis": -1, "reduction": "mean", "label_smoothing": 0.0},
    wrt=("probabilities",),
)
cross_entropy_from_probabilities_indices = _add(
    "cross-entropy-from-probabilities-indices",
    "cross_entropy",
    {"probabilities": _simplex(4, 5), "target": _indices(4, classes=5)},
    {"axis": -1, "reduction": "mean", "label_smoothing": 0.0},
    wrt=("probabilities",),
    function="cross_entropy_from_probabilities",
)

squared_error = _add(
    "squared-error",
    "losses",
    {"prediction": _normal(4, 5), "target": _normal(4, 5)},
    {"reduction": "mean"},
    wrt=("prediction",),
)
binary_cross_entropy_with_logits = _add(
    "binary-cross-entropy-with-logits",
    "losses",
    {"logits": _normal(4, 5), "target": InputSpec("bernoulli", shape=(4, 5), parameters={"p": 0.5})},
    {"reduction": "mean"},
    wrt=("logits",),
)
huber = _add(
    "huber",
    "losses",
    {"prediction": _normal(4, 5), "target": _normal(4, 5)},
    {"delta": 1.0, "reduction": "mean"},
    wrt=("prediction",),
)
kl_divergence = _add(
    "kl-divergence",
    "losses",
    {"prediction": _simplex(4, 5), "target": _simplex(4, 5)},
    {"axis": -1, "reduction": "mean"},
    wrt=("prediction",),
)

attention = _add(
    "attention",
    "attention",
    {"query": _normal(2, 3, 4), "key": _normal(2, 5, 4), "value": _normal(2, 5, 6)},
    {"causal": False},
)
