"""The exit statuses of `titan`; scripts may rely on them."""

DONE = 0
NOTHING = 1
USAGE = 2
NOT_REACHED = 3
PATH_REFUSED = 4
MODEL_FAILED = 5
FILES_FAILED = 6
INTERRUPTED = 130
OUTPUT_CLOSED = 141

TABLE = f"""\
exit codes:
  {DONE}    done
  {NOTHING}    nothing was found; for doctor: there is a problem
  {USAGE}    the command line was wrong
  {NOT_REACHED}    Titan, one of its stores or the display could not be reached
  {PATH_REFUSED}    a path was refused: it lies outside the folders that Titan may read, or cannot be changed so
  {MODEL_FAILED}    the model failed: wrong key, unreachable, unknown model, rate limit
  {FILES_FAILED}    index --strict: some files could not be read
  {INTERRUPTED}  interrupted
  {OUTPUT_CLOSED}  the program that read the output closed it
"""
