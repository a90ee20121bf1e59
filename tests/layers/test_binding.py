"""Which argument is what: by what is said, by names, and by place only where nothing else is possible."""

import pytest

from gradcheck.errors import BindingError, UsageError
from gradcheck.layers.pairing import pair


def define(signature, name):
    space = {}
    exec(f"def {name}({signature}): pass", space)
    return space[name]


def bound(forward, backward, inputs=None, options=(), bind=None, returns="vjp"):
    f, b = define(forward, "layer"), define(backward, "layer_backward")
    pairing = pair(f, b, ("layer", "layer_backward"), inputs, options, bind, returns)
    return {slot.name: " ".join(map(str, slot.roles)) for slot in pairing.backward.slots if slot.roles}, pairing


RIGHT = [
    # the usual names, in any order
    ("x", "g, x", "upstream input:x"),
    ("x", "x, grad_output", "input:x upstream"),
    ("arr, axis", "arr, axis, upper_grad", "input:arr option:axis upstream"),
    ("x", "dout", "upstream"),
    ("x", "gradOutput, x", "upstream input:x"),
    ("x", "dL_dy, x", "upstream input:x"),
    ("x", "y, dy", "output upstream"),
    ("x", "s, g", "output upstream"),
    ("x", "probs, delta", "output upstream"),
    ("x", "ct, x", "upstream input:x"),
    ("x", "v, x", "upstream input:x"),
    # an input may have one of those names itself
    ("y, t", "g, y, t", "upstream input:y input:t"),
    ("v, g", "dy, v, g", "upstream input:v input:g"),
    ("s, y", "g, s, y", "upstream input:s input:y"),
    ("v, s", "g, v, s", "upstream input:v input:s"),
    ("x, delta=1.0", "g, x, delta=1.0", "upstream input:x option:delta"),
    # a word is weak where there is a better one
    ("x", "g, x, v=None", "upstream input:x"),
    # upper and lower case, underscores
    ("X, W", "dY, x, w", "upstream input:X input:W"),
    # other names for the only input, and all of them in one list
    ("x", "g, inp", "upstream input:x"),
    ("a, b", "g, inputs", "upstream inputs"),
    # by place, where nothing else is possible
    ("x", "x, q", "input:x upstream"),
    ("x", "q", "upstream"),
    ("x", "g, y, q", "upstream output input:x"),
    ("x", "first, /, x", "upstream input:x"),
    # several upstreams, several outputs
    ("x", "g1, g2, x", "upstream:0 upstream:1 input:x"),
    ("x", "x, dy1, dy0, out0, out1", "input:x upstream:1 upstream:0 output:0 output:1"),
    # stars
    ("*inputs, **options", "g, *inputs, **options", "upstream input:a input:b option:k"),
    ("a, b, k=1", "g, *rest, **kw", "upstream input:a input:b option:k"),
    # what the forward leaves
    ("x", "dout, cache", "upstream cache"),
    ("ctx, x", "ctx, g", "context upstream"),
    ("x", "ctx, g", "cache upstream"),
    # numpy's `out` is where functions write to
    ("x", "g, x, out=None", "upstream input:x"),
    ("x", "g, x, y=None", "upstream input:x output"),
]


@pytest.mark.parametrize(("forward", "backward", "expected"), RIGHT, ids=[f"{f} | {b}" for f, b, _ in RIGHT])
def test_arguments_are_bound_by_name(forward, backward, expected):
    starred = "*inputs" in forward or "*rest" in backward
    inputs, options = (["a", "b"], ["k"]) if starred else (None, ())

    assert " ".join(bound(forward, backward, inputs, options)[0].values()) == expected


def test_name_of_the_forward_is_its_output():
    f, b = define("x", "soft_max"), define("softmax", "jac")

    pairing = pair(f, b, ("soft_max", "jac"), None, (), None, "jacobian")

    assert str(pairing.backward.slots[0].roles[0]) == "output"


@pytest.mark.parametrize("returns", ["jacobian", "derivative", "gradient"])
@pytest.mark.parametrize(("backward", "expected"), [("x", "input:x"), ("s", "output"), ("y", "output")])
def test_functions_without_upstream_take_input_or_output(returns, backward, expected):
    assert list(bound("x", backward, returns=returns)[0].values()) == [expected]


def test_what_bind_says_comes_first():
    said = {"a": "upstream", "b": "input:x", "c": "output", "d": "option:k", "e": "w"}

    roles, _ = bound("x, w, k=1", "a, b, c, d, e", bind=said)

    assert list(roles.values()) == ["upstream", "input:x", "output", "option:k", "input:w"]


def test_bind_may_speak_of_one_side_only():
    roles, pairing = bound("y, t", "g, y, t", bind={"backward.y": "output"})

    assert list(roles.values()) == ["upstream", "output", "input:t"]
    assert pairing.inputs == ("y", "t")


def test_bind_names_an_input_of_the_forward():
    roles, pairing = bound("arr", "q, arr", bind={"arr": "x"})

    assert pairing.inputs == ("x",)
    assert roles == {"q": "upstream", "arr": "input:x"}


def test_bind_of_stars():
    roles, _ = bound("*xs", "*args", ["a", "b"], bind={"args": "inputs, upstream"})

    assert roles == {"args": "input:a input:b upstream"}


def test_inputs_of_another_name_are_placed_where_only_one_is_left():
    pairing = bound("arr, axis", "arr, axis, g", ["x"], ["axis"])[1]

    assert [str(role) for role in pairing.forward.roles()] == ["input:x", "option:axis"]
    assert [str(role) for role in pairing.backward.roles()] == ["input:x", "option:axis", "upstream"]


def test_inputs_in_one_list():
    pairing = bound("inputs", "inputs, gradient", ["prediction", "truth"])[1]

    assert pairing.forward.slots[0].roles[0].names == ("prediction", "truth")
    assert pairing.backward.slots[0].roles[0].names == ("prediction", "truth")


def test_one_input_is_no_list():
    assert str(bound("inputs", "inputs, g", ["x"])[1].forward.slots[0].roles[0]) == "input:x"


def test_default_of_the_forward_serves_the_backward():
    f, b = define("x, axis=1", "layer"), define("g, x, axis", "layer_backward")

    pairing = pair(f, b, ("layer", "layer_backward"), None, ())

    assert pairing.backward.slots[2].roles[0].default == 1
    assert pairing.options == ("axis",)


def test_an_option_that_is_an_input_of_the_case_is_an_input():
    assert bound("x, mask=None", "g, x, mask", ["x", "mask"])[1].inputs == ("x", "mask")


AMBIGUOUS = [
    (
        {"forward": "x", "backward": "g, q"},
        "the argument q of `layer_backward` could be the input 'x' or the output",
        'bind: {q: input:x}   or   bind: {q: output}   (in Python: bind={"q": "input:x"})',
    ),
    (
        {"forward": "x", "backward": "left, right"},
        "the argument left of `layer_backward` could be the upstream, the input 'x' or the output",
        "bind: {left: upstream}   or   bind: {left: input:x}   or   bind: {left: output}   "
        '(in Python: bind={"left": "upstream"})',
    ),
    (
        {"forward": "x", "backward": "grad, dout, x"},
        "the argument grad of `layer_backward` could be the upstream, and so could dout",
        'bind: {grad: upstream}   (in Python: bind={"grad": "upstream"})',
    ),
    (
        {"forward": "x", "backward": "g, y, probs"},
        "the argument y of `layer_backward` could be the output, and so could probs",
        'bind: {y: output}   (in Python: bind={"y": "output"})',
    ),
    (
        {"forward": "x", "backward": "g, x, y, nonsense"},
        "the argument nonsense of `layer_backward` stands for nothing that there is",
        "if it is an option, give it: options: {nonsense: ...}",
    ),
    (
        {"forward": "x", "backward": "z", "returns": "jacobian"},
        "the argument z of `layer_backward` could be the input 'x' or the output",
        'bind: {z: input:x}   or   bind: {z: output}   (in Python: bind={"z": "input:x"})',
    ),
    (
        {"forward": "p, t", "backward": "p, t"},
        "no argument of `layer_backward` is the upstream",
        "say which one is, for instance bind: {ARGUMENT: upstream}; a function that takes none says what it returns: "
        "`returns: gradient` (of a scalar loss), `derivative` (elementwise) or `jacobian`",
    ),
    (
        {"forward": "x", "backward": "*args"},
        "the argument *args of `layer_backward` does not say where the upstream comes",
        'bind: {args: "upstream, inputs"}   or   bind: {args: "inputs, upstream"}   '
        '(in Python: bind={"args": "upstream, inputs"})',
    ),
    (
        {"forward": "a, b", "backward": "g, a, b", "inputs": ["p", "q"]},
        "the argument a of `layer` is given nothing: no input or option of that name",
        'bind: {a: input:p}   or   bind: {a: input:q}   (in Python: bind={"a": "input:p"})',
    ),
    (
        {"forward": "x, weight", "backward": "g, x, weight", "inputs": ["x"]},
        "the argument weight of `layer` is given nothing: no input or option of that name",
        "add an input or an option 'weight' to the case",
    ),
    (
        {"forward": "x, temperature=1", "backward": "g, x", "inputs": ["x"], "options": ["temprature"]},
        "neither `layer` nor `layer_backward` takes the option 'temprature' (did you mean 'temperature'?)",
        "the arguments are x, temperature, g",
    ),
    (
        {"forward": "x", "backward": "g, x", "inputs": ["x", "w"]},
        "neither `layer` nor `layer_backward` takes the input 'w'",
        "the arguments are x, g",
    ),
    (
        {"forward": "x", "backward": "g, x", "bind": {"q": "upstream"}},
        "bind names the argument 'q', which `layer` and `layer_backward` have not",
        "the arguments are x, g",
    ),
    (
        {"forward": "x", "backward": "q, x", "bind": {"q": "upsteam"}},
        "bind: {q: upsteam} of `layer_backward` names nothing that there is (did you mean 'upstream'?)",
        "say upstream, output, input:NAME or option:NAME, "
        "where NAME is one of x, upstream, output, inputs, cache, context",
    ),
    (
        {"forward": "x", "backward": "q, x", "bind": {"x": "input:z"}, "inputs": ["x"]},
        "bind: {x: input:z} of `layer` names nothing that there is",
        "say upstream, output, input:NAME or option:NAME, where NAME is one of x",
    ),
    (
        {"forward": "x", "backward": "q, x", "bind": {"q": "upstream, output"}},
        "bind gives the argument 'q' of `layer_backward` several values: upstream, output",
        "",
    ),
    (
        {"forward": "*xs", "backward": "g, *xs"},
        "`layer` does not say how its inputs are called",
        "name the inputs of the case",
    ),
]


@pytest.mark.parametrize(("request_", "message", "help_"), AMBIGUOUS, ids=[m for _, m, _ in AMBIGUOUS])
def test_what_is_ambiguous_is_asked_for(request_, message, help_):
    with pytest.raises(BindingError) as caught:
        bound(**request_)

    assert caught.value.message == message
    assert caught.value.help == help_


@pytest.mark.parametrize(
    "request_", [case for case, _, help_ in AMBIGUOUS if "   (in Python" in help_ and "nonsense" not in str(case)]
)
def test_the_line_that_is_shown_settles_it(request_):
    for _ in range(3):
        try:
            bound(**request_)
            break
        except BindingError as error:
            line = error.help.split("   ")[0].removeprefix("bind: {").removesuffix("}")
            name, _, value = line.partition(": ")
            request_ = {**request_, "bind": {**request_.get("bind", {}), name: value.strip('"')}}
    else:
        pytest.fail("three answers did not settle it")


def test_unknown_returns():
    with pytest.raises(UsageError, match="unknown returns 'jacobain'") as caught:
        bound("x", "g, x", returns="jacobain")

    assert str(caught.value) == (
        "unknown returns 'jacobain' (did you mean 'jacobian'?)\n  = help: one of vjp, jacobian, derivative, gradient"
    )


def test_axis_may_be_left_over_but_no_other_option():
    bound("x", "g, x", ["x"], ["axis"])

    with pytest.raises(BindingError, match="takes the option 'keep'"):
        bound("x", "g, x", ["x"], ["keep"])
