"""The exit statuses of `titan-bus`; scripts may rely on them."""

DONE = 0
NOTHING = 1
USAGE = 2
UNAVAILABLE = 3
MISCONFIGURED = 4
REFUSED = 5
BUG = 70
"""sysexits.h, EX_SOFTWARE."""
INTERRUPTED = 130

TABLE = f"""\
exit codes:
  {DONE}    done; a reader that closes the pipe (| head) is done, too
  {NOTHING}    nothing was found, or some of it failed
  {USAGE}    the command line, or a file or module it names, is wrong
  {UNAVAILABLE}    the server does not answer, or does not let us in, or too few replicas have the event
  {MISCONFIGURED}    the configuration or the URL is wrong, a package for it is missing, or a worker's name taken
  {REFUSED}    the event or the command was refused: too long, malformed, no right to it, memory or disk full
  {BUG}   a fault of titan-bus itself
  {INTERRUPTED}  interrupted
"""
