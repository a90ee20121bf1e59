"""Hand-written gradients of scikit-learn, made to be called with the arrays of a case and nothing else."""

import numpy as np
from sklearn._loss.loss import (
    ExponentialLoss,
    HalfBinomialLoss,
    HalfGammaLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    HalfTweedieLoss,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Exponentiation,
    ExpSineSquared,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.linear_model import _sgd_fast
from sklearn.linear_model._huber import _huber_loss_and_gradient
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.manifold._t_sne import _joint_probabilities, _kl_divergence
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES

# the second derivatives of the losses: gradient_hessian(y_true, raw_prediction) returns both
squared, poisson, gamma = HalfSquaredError(), HalfPoissonLoss(), HalfGammaLoss()
tweedie, binomial, exponential = HalfTweedieLoss(power=1.3), HalfBinomialLoss(), ExponentialLoss()

# linear models: loss_gradient(coef, X, y, sample_weight, l2_reg_strength) returns a value and its gradient
logistic = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
multinomial = LinearModelLoss(base_loss=HalfMultinomialLoss(n_classes=3), fit_intercept=True)
counts = LinearModelLoss(base_loss=HalfPoissonLoss(), fit_intercept=False)


def multinomial_loss(coef, X, y, l2_reg_strength=0.1):
    return multinomial.loss_gradient(coef.reshape(3, -1, order="F"), X, y.astype(float), None, l2_reg_strength)


def logistic_gradient(coef, X, y, l2_reg_strength=0.1):
    return logistic.gradient(coef, X, y, None, l2_reg_strength)


def logistic_hessian_product(coef, X, y, upstream, l2_reg_strength=0.1):
    return logistic.gradient_hessian_product(coef, X, y, None, l2_reg_strength)[1](upstream)


def logistic_hessian(coef, X, y, l2_reg_strength=0.1):
    gradient, hessian, _ = logistic.gradient_hessian(coef, X, y, None, l2_reg_strength)
    return gradient, hessian


def huber(w, X, y, epsilon=1.35, alpha=0.01):
    return _huber_loss_and_gradient(w, X, y, epsilon, alpha, np.ones(len(y)))


# the activations of the perceptrons work in place, and their derivatives take the output
def _activation(name):
    def forward(x):
        y = x.copy()
        ACTIVATIONS[name](y)
        return y

    def backward(y, g):
        g = g.copy()
        DERIVATIVES[name](y, g)
        return g

    return forward, backward


tanh, logistic_unit, relu = (_activation(name) for name in ("tanh", "logistic", "relu"))


def softmax(x):
    y = x.copy()
    ACTIVATIONS["softmax"](y)
    return y


def _perceptron(model, X, y):
    model.fit(X, y)
    rng = np.random.default_rng(0)
    shapes = [part.shape for part in (*model.coefs_, *model.intercepts_)]
    start = rng.standard_normal(sum(int(np.prod(shape)) for shape in shapes)) * 0.5
    targets = (
        y if y.ndim == 2 else model._label_binarizer.transform(y) if hasattr(model, "_label_binarizer") else y[:, None]
    )

    def loss(theta):
        layers = model.n_layers_
        activations = [X] + [None] * (layers - 1)
        deltas = [None] * (layers - 1)
        gradients = [np.empty_like(part) for part in model.coefs_]
        biases = [np.empty_like(part) for part in model.intercepts_]
        return model._loss_grad_lbfgs(theta, X, targets.astype(float), None, activations, deltas, gradients, biases)

    return loss, start


_X = np.random.default_rng(1).standard_normal((12, 3))
_options = {"hidden_layer_sizes": (4,), "max_iter": 1, "solver": "lbfgs", "alpha": 0.1, "random_state": 0}


def _quietly(make):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


perceptron_classifier, theta_of_classifier = _quietly(
    lambda: _perceptron(MLPClassifier(activation="tanh", **_options), _X, np.arange(12) % 3)
)
perceptron_regressor, theta_of_regressor = _quietly(
    lambda: _perceptron(MLPRegressor(activation="logistic", **_options), _X, np.sin(_X[:, 0]))
)

# kernels: K and its derivatives with respect to the logarithms of the hyperparameters
_kernels = {
    "rbf": ConstantKernel(1.5) * RBF([0.8, 1.3, 2.0]),
    "matern-half": Matern(1.2, nu=0.5),
    "matern-three-halves": Matern([0.9, 1.2, 0.7], nu=1.5),
    "matern-five-halves": Matern(1.2, nu=2.5),
    "rational-quadratic": RationalQuadratic(0.9, 1.4),
    "exp-sine-squared": ExpSineSquared(1.1, 2.3),
    "dot-product": Exponentiation(DotProduct(0.8), 2),
    "sum": RBF(1.1) + WhiteKernel(0.3),
}


def kernel(theta, name="rbf"):
    return _kernels[name].clone_with_theta(theta)(_X, eval_gradient=True)


_regressor = GaussianProcessRegressor(RBF(1.0) + WhiteKernel(0.5), optimizer=None).fit(_X, np.sin(_X).sum(1))
_classifier = GaussianProcessClassifier(ConstantKernel(1.0) * RBF(1.0), optimizer=None).fit(_X, _X[:, 0] > 0)


def marginal_likelihood(theta):
    return _regressor.log_marginal_likelihood(theta, eval_gradient=True)


def laplace_likelihood(theta):
    return _classifier.log_marginal_likelihood(theta, eval_gradient=True)


def neighbourhood(transformation, X):
    model = NeighborhoodComponentsAnalysis()
    model.n_iter_ = 1
    labels = np.arange(len(X)) % 2
    return model._loss_grad_lbfgs(transformation.ravel(), X, labels[:, None] == labels)


def embedding(params, degrees_of_freedom=1):
    """Return the objective of t-SNE and its gradient with respect to the positions of the points."""
    rng = np.random.default_rng(2)
    points = rng.standard_normal((params.shape[0], 5))
    distances = np.sum((points[:, None] - points) ** 2, -1).astype(np.float32)
    joint = _joint_probabilities(distances, 3.0, 0)
    value, gradient = _kl_divergence(params.ravel(), joint, degrees_of_freedom, *params.shape)
    return value, gradient.reshape(params.shape)


def _sgd(loss):
    value, slope = np.vectorize(loss.py_loss, otypes=[float]), np.vectorize(loss.py_dloss, otypes=[float])

    def forward(p, y):
        return value(p, y)

    def backward(p, y, g):
        return g * slope(p, y)

    return forward, backward


hinge, squared_hinge, modified_huber = (
    _sgd(loss) for loss in (_sgd_fast.Hinge(1.0), _sgd_fast.SquaredHinge(1.0), _sgd_fast.ModifiedHuber())
)
insensitive, squared_insensitive = (
    _sgd(loss) for loss in (_sgd_fast.EpsilonInsensitive(0.2), _sgd_fast.SquaredEpsilonInsensitive(0.2))
)
