"""Print the ops that a wheel's libraries register; the lists beside this file are made of these.

    pip download --no-deps tensorflow-cpu==2.20.0 tensorflow-text==2.20.0
    unzip both into one FOLDER
    python list_ops.py core FOLDER    # TensorFlow's, those with a kernel for the CPU
    python list_ops.py text FOLDER    # tensorflow-text's, which its release of TensorFlow loads

Needs no package: the libraries are asked through TensorFlow's C API.
"""

import ctypes
import sys
from pathlib import Path


class Buffer(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p))


def main(part, folder):
    folder = Path(folder)
    # The first is what the second and tensorflow-text's libraries look their symbols up in.
    ctypes.CDLL(str(folder / "tensorflow/libtensorflow_framework.so.2"), ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(folder / "tensorflow/libtensorflow_cc.so.2"), ctypes.RTLD_GLOBAL)
    core = op_names(library)
    if part == "core":
        # XLA's ops have kernels, which fail where XLA is off.
        print(*sorted(name for name in core & cpu_kernels(library) if "Xla" not in name), sep="\n")
    else:
        status = ctypes.c_void_p(call(library.TF_NewStatus, ctypes.c_void_p))
        for path in sorted(folder.glob("tensorflow_text/python/*/*.so")):
            call(library.TF_LoadLibrary, ctypes.c_void_p, str(path).encode(), status)
            if library.TF_GetCode(status):
                sys.exit(call(library.TF_Message, ctypes.c_char_p, status).decode())
        print(*sorted(op_names(library) - core), sep="\n")


def op_names(library):
    return {fields(op)[1].decode() for op in messages(library.TF_GetAllOpList)}


def cpu_kernels(library):
    status = ctypes.c_void_p(call(library.TF_NewStatus, ctypes.c_void_p))
    kernels = map(fields, messages(library.TF_GetAllRegisteredKernels, status))
    return {kernel[1].decode() for kernel in kernels if kernel[2] in (b"CPU", b"DEFAULT")}


def call(function, result, *arguments):
    function.restype = result
    return function(*arguments)


def messages(function, *arguments):
    """The sub-messages of the protocol buffer that a function gives: all have field number 1."""
    buffer = call(function, ctypes.POINTER(Buffer), *arguments).contents
    return [value for _, value in wire(ctypes.string_at(buffer.data, buffer.length))]


def fields(message):
    """The first value of each field."""
    values = {}
    for number, value in wire(message):
        values.setdefault(number, value)
    return values


def wire(message):
    """The fields of a protocol buffer in wire format, as (number, value)."""
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        value, position = varint(message, position)
        if key & 7 == 2:  # so many bytes
            value, position = message[position : position + value], position + value
        yield key >> 3, value


def varint(message, position):
    value = shift = 0
    while True:
        byte = message[position]
        value, shift, position = value | (byte & 127) << shift, shift + 7, position + 1
        if byte < 128:
            return value, position


if __name__ == "__main__":
    main(*sys.argv[1:])
