import sys

from .command import main

if __name__ == "__main__":  # the processes that check signatures import this module too
    sys.exit(main())
