"""Correct, numerically stable layers with hand-written backward passes, each with its formula and its source.

Every layer is a pair of functions: ``name(inputs, options)`` and ``name_backward(upstream, inputs, options)``. A
backward takes the inputs again, nothing is remembered between the calls; it returns an array, or a tuple in the order
of the differentiable inputs. Outputs and gradients keep the dtype of their input (integers become float64).
:mod:`~gradcheck.reference.catalogue` lists the layers as cases, under the names of their entry points.

Importing this package imports no numpy; its modules do.
"""
