"""Arrays from files: what is read, and the ways in which a file lies."""

import contextlib
import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradcheck.casefile.arrays import read_array
from gradcheck.casefile.draw import draw
from gradcheck.errors import UsageError
from gradcheck.model import InputSpec


def refusal(path, key=None):
    with pytest.raises(UsageError) as caught:
        read_array(path, key)
    return caught.value.message.replace(str(path), path.name)


def npy(header, body=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", "<i8", ">i2", "|u1", "|b1"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, dtype, shape, order):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape).astype(dtype), order=order)
    np.save(tmp_path / "a.npy", array)
    read = read_array(tmp_path / "a.npy")
    assert np.array_equal(read, array)
    assert read.shape == array.shape
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert read.flags.writeable
    assert read.flags.c_contiguous


def test_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(3), y=np.ones((2, 2)))
    assert read_array(path, "x").tolist() == [0, 1, 2]
    assert read_array(path, "y").shape == (2, 2)
    assert refusal(path) == "'a.npz' holds 2 arrays"
    assert refusal(path, "z") == "'a.npz' holds no array 'z'"
    np.savez_compressed(path, only=np.arange(4.0))
    assert read_array(path).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a, b\n1,2\n", [[1, 2]]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("\n1e-3,-inf\r\n\r\n", [[1e-3, -np.inf]]),
        ("", []),
        ("x\n", []),
    ],
)
def test_csv(tmp_path, text, values):
    (tmp_path / "a.csv").write_text(text, newline="")
    array = read_array(tmp_path / "a.csv")
    assert array.dtype == np.float64
    assert array.tolist() == values


def test_draw_of_files(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "a.csv").write_text("1,2,3\n4,5,6\n")
    np.save(tmp_path / "a.npy", np.arange(6))

    def read(name, **kwargs):
        return draw(InputSpec("file", parameters={"file": name}, **kwargs), rng, str(tmp_path))

    assert read("a.csv").shape == (2, 3)
    assert read("a.csv", shape=(6,)).tolist() == [1, 2, 3, 4, 5, 6]
    assert read("a.npy", dtype="float32", pin=[((0,), 9.0)]).tolist() == [9, 1, 2, 3, 4, 5]
    assert read(str(tmp_path / "a.npy")).dtype == np.int64
    for name, shape in (("a.csv", (4,)), ("a.npy", (2, 3))):
        with pytest.raises(UsageError, match="the array has shape"):
            read(name, shape=shape)


def test_a_file_is_read_anew_each_time(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3.0))
    read_array(tmp_path / "a.npy")[0] = 7
    assert read_array(tmp_path / "a.npy")[0] == 0


# ---------------------------------------------------------------------------------------------------------------
# what is refused


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_pickles(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([Bomb(), None], dtype=object), allow_pickle=True)
    assert refusal(path) == "'a.npy' holds pickled objects, which are never loaded"
    path.write_bytes(pickle.dumps([1, 2]))
    assert "cannot be read" in refusal(path)
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    assert refusal(tmp_path / "a.npz") == "'a.npz' holds pickled objects, which are never loaded"
    path.write_bytes(npy("{'descr': [('x', '|O')], 'fortran_order': False, 'shape': (1,), }"))
    assert refusal(path) == "'a.npy' holds pickled objects, which are never loaded"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "'a.npy' cannot be read: EOF: reading magic string, expected 8 bytes got 0"),
        (b"\x93NUMPY\x07\x00", "'a.npy' cannot be read: "),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"), "1e+12 elements; at most"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1000000000000), }"), "1e+12 elements; at most"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", b"1" * 8), "a dimension is negative"),
        (
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (100000000,), }", b"1" * 80),
            "is cut short: its header promises 800,000,000 bytes of numbers, it has ",
        ),
        (
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10,), }", b"1" * 79),
            "is cut short: its header promises 80 bytes of numbers, it has ",
        ),
        (npy("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", b"1" * 16), "holds complex128, not real"),
        (npy("{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", b"1" * 16), "holds <U4, not real"),
        (
            npy("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1,), }", b"1" * 8),
            "holds datetime64[s], not real",
        ),
        (npy("__import__('os').system('true')"), "cannot be read"),
        (npy("{'descr': '<f8'"), "cannot be read"),
        (npy("(" * 5000), "cannot be read"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': 'x', }"), "cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "cannot be read"),
    ],
)
def test_lying_headers(tmp_path, content, message):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    assert message in refusal(path)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(UsageError):
        read_array(tmp_path / "a.npz")


def test_an_archive_that_lies_about_its_sizes(tmp_path):
    path = tmp_path / "a.npz"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10,), }", b"1" * 40))
    content = bytearray(buffer.getvalue())
    directory = content.find(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(content)
    assert "cut short" in refusal(path) or "cannot be read" in refusal(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3\n", "cannot be read"),
        ("1,2\nx,y\n", "cannot be read"),
        ("\0\n\0", "cannot be read"),
        ("1,2\n3,4,5\n", "cannot be read"),
    ],
)
def test_faulty_tables(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    assert message in refusal(tmp_path / "a.csv")


def test_what_is_no_file(tmp_path):
    assert refusal(tmp_path / "none.npy") == "there is no file 'none.npy'"
    (tmp_path / "folder.npy").mkdir()
    assert refusal(tmp_path / "folder.npy") == "there is no file 'folder.npy'"
    with pytest.raises(UsageError, match="there is no file"):
        draw(InputSpec("file", parameters={"file": "a\0.npy"}), np.random.default_rng(0), str(tmp_path))
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04")
    assert refusal(tmp_path / "a.npz") == "'a.npz' cannot be read: File is not a zip file"
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal(tmp_path / "b.csv")
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    assert refusal(tmp_path / "empty.npz") == "'empty.npz' holds 0 arrays"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from([".npy", ".npz", ".csv"]))
def test_damaged_files_end_in_an_array_or_a_usage_error(tmp_path, data, suffix):
    buffer = io.BytesIO()
    if suffix == ".npz":
        np.savez(buffer, x=np.arange(5.0))
    elif suffix == ".npy":
        np.save(buffer, np.arange(6.0).reshape(2, 3))
    else:
        buffer.write(b"1,2\n3,4\n")
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(UsageError):
        assert read_array(path).dtype.kind in "biuf"
