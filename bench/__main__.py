"""`python -m bench`: the same program as the console script `imbalance-bench`."""

from bench.cli.main import main

if __name__ == "__main__":
    main()
