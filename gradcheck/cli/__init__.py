"""The command line: one file per command. Commands parse, call, and choose an exit status; they compute nothing."""
