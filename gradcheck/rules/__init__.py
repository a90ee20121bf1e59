"""The bugs: what each would make of the true Jacobian, and which of them explains a wrong gradient.

:func:`gradcheck.rules.judgement.explain` names the bug of a wrong gradient, :func:`gradcheck.rules.blindness.audit`
says which bugs a case could not reveal, :mod:`gradcheck.rules.registry` holds the pages.
"""
