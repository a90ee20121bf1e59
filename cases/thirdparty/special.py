"""Functions of scipy.special with their derivatives in terms of others, as SciPy's documentation and users have them."""

import numpy as np
from scipy import special


def expit_derivative(y):
    return y * (1 - y)


def logit_derivative(x):
    return 1 / (x * (1 - x))


def log_expit_derivative(x):
    return special.expit(-x)


def erf_derivative(x):
    return 2 / np.sqrt(np.pi) * np.exp(-(x**2))


def erfc_derivative(x):
    return -2 / np.sqrt(np.pi) * np.exp(-(x**2))


def erfcx_derivative(x, y):
    return 2 * x * y - 2 / np.sqrt(np.pi)


def erfinv_derivative(y):
    return np.sqrt(np.pi) / 2 * np.exp(y**2)


def ndtr_derivative(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def ndtri_derivative(y):
    return np.sqrt(2 * np.pi) * np.exp(y**2 / 2)


def log_ndtr_derivative(x, y):
    return np.exp(-(x**2) / 2 - y) / np.sqrt(2 * np.pi)


def dawsn_derivative(x, y):
    return 1 - 2 * x * y


def trigamma(x):
    return special.polygamma(1, x)


def tetragamma(x):
    return special.polygamma(2, x)


def gamma_derivative(x, y):
    return y * special.digamma(x)


def rgamma_derivative(x, y):
    return -y * special.digamma(x)


def beta_backward(g, x, y, output):
    both = special.digamma(x + y)
    return g * output * (special.digamma(x) - both), g * output * (special.digamma(y) - both)


def betaln_backward(g, x, y):
    both = special.digamma(x + y)
    return g * (special.digamma(x) - both), g * (special.digamma(y) - both)


def j0_derivative(x):
    return -special.j1(x)


def y0_derivative(x):
    return -special.y1(x)


def i0_derivative(x):
    return special.i1(x)


def i0e_derivative(x, y):
    return special.i1e(x) - np.sign(x) * y


def i1_derivative(x, y):
    return special.i0(x) - y / x


def k0_derivative(x):
    return -special.k1(x)


def bessel(x, order=2):
    return special.jv(order, x)


def bessel_derivative(x, order=2):
    return special.jvp(order, x)


def bessel_second(x, order=2):
    return special.jvp(order, x, 1)


def bessel_second_derivative(x, order=2):
    return special.jvp(order, x, 2)


def modified_bessel(x, order=1.5):
    return special.kv(order, x)


def modified_bessel_derivative(x, order=1.5):
    return special.kvp(order, x)


def spherical_bessel(x, order=1):
    return special.spherical_jn(order, x)


def spherical_bessel_derivative(x, order=1):
    return special.spherical_jn(order, x, derivative=True)


def airy(x):
    """Return Ai and its derivative: a value and its gradient at once."""
    value, slope, _, _ = special.airy(x)
    return value, slope


def exp1_derivative(x):
    return -np.exp(-x) / x


def expi_derivative(x):
    return np.exp(x) / x


def sine_integral(x):
    return special.sici(x)[0]


def sine_integral_derivative(x):
    return np.sinc(x / np.pi)


def fresnel(x):
    return special.fresnel(x)


def fresnel_backward(g, x):
    g_s, g_c = g
    return g_s * np.sin(np.pi * x**2 / 2) + g_c * np.cos(np.pi * x**2 / 2)


def lambertw(x):
    return special.lambertw(x).real


def lambertw_derivative(x, y):
    return y / (x * (1 + y))


def entr_derivative(x):
    return -np.log(x) - 1


def rel_entr_backward(g, x, y):
    return g * (np.log(x / y) + 1), -g * x / y


def kl_div_backward(g, x, y):
    return g * np.log(x / y), g * (1 - x / y)


def xlogy_backward(g, x, y):
    return g * np.log(y), g * x / y


def xlog1py_backward(g, x, y):
    return g * np.log1p(y), g * x / (1 + y)


def pseudo_huber(x, delta=1.5):
    return special.pseudo_huber(delta, x)


def pseudo_huber_derivative(x, delta=1.5):
    return x / np.sqrt(1 + (x / delta) ** 2)


def huber(x, delta=0.8):
    return special.huber(delta, x)


def huber_derivative(x, delta=0.8):
    return np.clip(x, -delta, delta)


def boxcox(x, power=0.3):
    return special.boxcox(x, power)


def boxcox_derivative(x, power=0.3):
    return x ** (power - 1)


def gammainc(x, shape=2.5):
    return special.gammainc(shape, x)


def gammainc_derivative(x, shape=2.5):
    return np.exp(special.xlogy(shape - 1, x) - x - special.gammaln(shape))


def betainc(x, a=2.0, b=3.5):
    return special.betainc(a, b, x)


def betainc_derivative(x, a=2.0, b=3.5):
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


def ellipk_derivative(x, y):
    return (special.ellipe(x) - (1 - x) * y) / (2 * x * (1 - x))


def ellipe_derivative(x, y):
    return (y - special.ellipk(x)) / (2 * x)


def softmax(x, axis):
    return special.softmax(x, axis)


def softmax_backward(g, y, axis):
    return y * (g - np.sum(g * y, axis=axis, keepdims=True))


def log_softmax(x, axis):
    return special.log_softmax(x, axis)


def log_softmax_backward(g, y, axis):
    return g - np.exp(y) * np.sum(g, axis=axis, keepdims=True)


def logsumexp(x, axis):
    return special.logsumexp(x, axis)


def logsumexp_backward(g, x, axis):
    return np.expand_dims(g, axis) * special.softmax(x, axis)
