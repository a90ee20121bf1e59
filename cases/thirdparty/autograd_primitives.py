"""Primitives of HIPS autograd, called with the arguments that a case file cannot spell."""

import autograd.numpy as np
import autograd.scipy.linalg as linalg
import autograd.scipy.signal as signal
import autograd.scipy.special as special
from autograd.scipy.stats import beta, dirichlet, gamma, multivariate_normal, norm, poisson, t


def product(x):
    return np.prod(x, axis=1)


def deviation(x):
    return np.std(x, axis=0, ddof=1)


def sorted_vector(x):
    return np.sort(x)


def gradient(x):
    return np.gradient(x)


def einsum(x, y):
    return np.einsum("ij,kj->ik", x, y)


def tensordot(x, y):
    return np.tensordot(x, y, axes=([1, 2], [0, 1]))


def tile(x):
    return np.tile(x, (2, 3))


def tile_fewer(x):
    """A number of repetitions for the last axis alone."""
    return np.tile(x, 2)


def diagonal(x):
    return np.einsum("ii->i", x)


def kron(x, y):
    return np.kron(x, y)


def select(x):
    return np.where(x > 0, x**2, np.tanh(x))


def power_spectrum(x):
    return np.abs(np.fft.fft(x)) ** 2


def eigenvalues(x):
    return np.linalg.eigh(x + x.T)[0]


def eigenvectors(x):
    return np.linalg.eigh(x + x.T)[1] ** 2


def singular_values(x):
    return np.linalg.svd(x, full_matrices=False)[1]


def cholesky(x):
    return np.linalg.cholesky(np.dot(x, x.T) + 4 * np.eye(len(x)))


def log_determinant(x):
    return np.linalg.slogdet(x)[1]


def determinant(x):
    return np.linalg.det(x)


def norms(x):
    return np.linalg.norm(x, axis=1)


def nuclear(x):
    return np.linalg.norm(x, "nuc")


def square_root(x):
    return linalg.sqrtm(np.dot(x, x.T) + 4 * np.eye(len(x)))


def triangular(x, y):
    return linalg.solve_triangular(np.tril(x) + 4 * np.eye(len(x)), y, lower=True)


def convolve(x, y):
    return signal.convolve(x, y, mode="full")


def log_sum_exp(x):
    return special.logsumexp(x, axis=1)


def weighted_log_sum_exp(x):
    return special.logsumexp(x, axis=1, b=np.array([1.0, 2.0, 3.0, 4.0]))


def polygamma(x):
    return special.polygamma(2, x)


def scaled_bessel(x):
    return special.ive(2, x)


def normal_density(x, loc, scale):
    return norm.logpdf(x, loc, scale)


def normal_survival(x, loc, scale):
    return norm.logsf(x, loc, scale)


def student_density(x, df):
    return t.logpdf(x, df)


def gamma_density(x, a):
    return gamma.logpdf(x, a)


def beta_density(x, a, b):
    return beta.logpdf(x, a, b)


def poisson_mass(mu):
    return poisson.logpmf(np.array([0.0, 1.0, 2.0, 3.0]), mu)


def dirichlet_density(alpha):
    return dirichlet.logpdf(np.array([0.2, 0.3, 0.5]), alpha)


def multivariate_density(x, mean):
    return multivariate_normal.logpdf(x, mean, np.array([[2.0, 0.5], [0.5, 1.0]]))


def odd_spectrum(x):
    return np.abs(np.fft.rfft(x))
