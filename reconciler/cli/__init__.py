"""The command line: arguments in, exit codes out; heavy libraries load inside each command."""
