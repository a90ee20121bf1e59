"""The command line: one file per command. Commands parse, call, and choose an exit status; they compute nothing.

Beside them: what commands share (options, how they change a case, the command that repeats one), what writes a case for
somebody (``draft``, ``cures``, ``pycode``), and what draws a run as it goes.
"""
